//! What a finding is about: the service, the line, and a digest of the text of that line.

use std::fmt;

use data_encoding::HEXLOWER;
use pam_stack::parse::{Directive, parse_lines};
use sha2::{Digest as _, Sha256};

use crate::findings::finding::{Finding, FindingId};

/// What a finding is about. Two findings with an equal subject are the same finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Subject {
    pub(in super::super) id: FindingId,
    /// The PAM service; none for a finding on the host.
    pub(in super::super) service: Option<String>,
    /// The file, with its absolute path.
    pub(in super::super) file: Option<String>,
    /// The line, from 1.
    pub(in super::super) line: Option<usize>,
    /// The module of the line, without `.so`, if it is a line of PAM.
    pub(in super::super) module: Option<String>,
    /// The SHA-256 in lower-case hexadecimal of the text of the line, or of the message if the
    /// finding has no line; then of what the finding depends on besides.
    pub(in super::super) sha256: String,
}

impl Subject {
    /// Returns the subject of a finding. `read` returns the text of a file.
    pub(in super::super) fn new(
        finding: &Finding,
        service: Option<&str>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let (file, line) = match finding.location() {
            Some((file, line)) => (Some(file), line),
            None => (None, None),
        };
        let text = file.zip(line).and_then(|(file, line)| text_at(&read(file)?, line));
        Self {
            id: finding.id(),
            service: service.map(ToOwned::to_owned),
            file: file.map(ToOwned::to_owned),
            line,
            module: text.as_deref().and_then(module_of),
            sha256: digest(text.as_deref().unwrap_or(finding.message()), finding.basis()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&place(self.id, self.service.as_deref(), self.file.as_deref(), self.line))
    }
}

/// Returns an id and a place for people.
pub(super) fn place(
    id: FindingId,
    service: Option<&str>,
    file: Option<&str>,
    line: Option<usize>,
) -> String {
    let service = service.unwrap_or("this host");
    match (file, line) {
        (Some(file), Some(line)) => format!("{} at {service}, {file}:{line}", id.token()),
        (Some(file), None) => format!("{} at {service}, {file}", id.token()),
        (None, _) => format!("{} at {service}", id.token()),
    }
}

/// Returns the text that begins at a line: the line with its continuation lines. A `Match` line of
/// sshd comes with its block, because the block is what it does.
fn text_at(text: &str, line: usize) -> Option<String> {
    let mut rest = text.lines().skip(line.checked_sub(1)?);
    let first = rest.next()?;
    let mut lines = vec![first];
    if is_match(first) {
        lines.extend(rest.take_while(|line| !is_match(line)));
    } else {
        while lines.last().is_some_and(|line| line.ends_with('\\')) {
            let Some(line) = rest.next() else { break };
            lines.push(line);
        }
    }
    Some(lines.join("\n"))
}

fn is_match(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("match"))
}

fn module_of(text: &str) -> Option<String> {
    let lines = parse_lines(text)?;
    let Directive::Module { path, .. } = &lines.first()?.directive else { return None };
    let name = path.rsplit('/').next()?;
    Some(name.strip_suffix(".so").unwrap_or(name).to_owned())
}

fn digest(text: &str, basis: Option<&str>) -> String {
    let text = [Some(text), basis].into_iter().flatten().collect::<Vec<_>>().join("\n");
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_has_module_and_digest_of_the_line() {
        let stack = "# x\nauth sufficient /lib/security/pam_yubico.so id=1\n";
        let read = |path: &str| (path == "/etc/pam.d/sshd").then(|| stack.to_owned());
        let finding = Finding::new(FindingId::StackSkipsCode, "skips");
        let finding = finding.at(("/etc/pam.d/sshd".into(), 2));
        let subject = Subject::new(&finding, Some("sshd"), &read);
        assert_eq!(subject.module.as_deref(), Some("pam_yubico"));
        assert_eq!(
            subject.sha256,
            digest("auth sufficient /lib/security/pam_yubico.so id=1", None)
        );
        assert_eq!(subject.to_string(), "stack-skips-code at sshd, /etc/pam.d/sshd:2");
        let host = Finding::new(FindingId::ClockNotSynchronized, "not synchronized");
        let host = Subject::new(&host, None, &read);
        assert_eq!((host.module, host.sha256), (None, digest("not synchronized", None)));
    }

    #[test]
    fn another_basis_is_another_subject() {
        let read = |_: &str| Some("OPS ALL=NOPASSWD: ALL\n".to_owned());
        let subject = |basis: Option<&str>| {
            let finding = Finding::new(FindingId::SudoersException, "NOPASSWD skips");
            let finding = finding.at(("/etc/sudoers".into(), 1));
            Subject::new(&finding.depends_on(basis.map(ToOwned::to_owned)), Some("sudo"), &read)
        };
        let alice = subject(Some("User_Alias OPS = alice"));
        assert_eq!(alice, subject(Some("User_Alias OPS = alice")));
        assert_ne!(alice, subject(Some("User_Alias OPS = alice, mallory")));
        assert_ne!(alice, subject(None));
    }

    #[test]
    fn a_digest_is_that_of_sha256sum() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest("abc", None), expected);
        // printf 'a\nb' | sha256sum
        assert_eq!(digest("a", Some("b")), digest("a\nb", None));
    }

    #[test]
    fn a_line_comes_with_what_belongs_to_it() {
        let text = "a \\\n b\nc\nMatch User git\n  X no\n# y\nmatch all\nZ\n";
        for (line, expected) in [
            (1, Some("a \\\n b")),
            (3, Some("c")),
            (4, Some("Match User git\n  X no\n# y")),
            (7, Some("match all\nZ")),
            (9, None),
            (0, None),
        ] {
            assert_eq!(text_at(text, line).as_deref(), expected, "{line}");
        }
    }
}
