//! What to do about a line in a file of many services. It depends on the program that writes the
//! file.

mod profile;

use pam_stack::{EndingLines, PERMIT, ending_lines};

/// The program that writes the stacks of this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum StackWriter {
    /// authselect (Fedora, RHEL): the text of its configuration, which names the profile and its
    /// features.
    Authselect(String),
    /// pam-auth-update (Debian, Ubuntu).
    PamAuthUpdate,
    /// pam-config (openSUSE).
    PamConfig,
    /// None that is known.
    Unknown,
}

/// Returns what to do if a wrong password does not end the stack in `file`, which has this text.
/// `exists` reports whether a module is installed.
pub(crate) fn end_at_wrong_password(
    file: &str,
    writer: &StackWriter,
    text: Option<&str>,
    exists: &dyn Fn(&str) -> bool,
) -> String {
    match (file, writer) {
        ("system-auth" | "password-auth", StackWriter::Authselect(configuration)) => {
            profile::advice(configuration)
        }
        ("common-auth" | "common-auth-pc", StackWriter::PamConfig) => String::from(
            "Replace /etc/pam.d/common-auth with the example pam-config/common-auth of the package (with sssd: \
             common-auth-sssd). The files of services need no change then. See docs/admin/distributions.md",
        ),
        (file, _) => {
            let change = match text.and_then(|text| ending_lines(text, exists)) {
                Some(lines) => {
                    format!("Make a wrong password end the stack in {file}: {}", told(&lines))
                }
                None => format!("Make a wrong password end the stack in {file}. {BY_HAND}"),
            };
            format!(
                "{change}. Include {file} with \"include\", because the stack continues after a \"substack\". \
                 The change affects all services that include {file}. Keep a root shell open, and run totpctl \
                 doctor before you close it. See docs/admin/distributions.md"
            )
        }
    }
}

/// Returns the lines to write, as a phrase.
fn told(lines: &EndingLines) -> String {
    let replaced =
        lines.replaced.iter().map(|(number, text)| format!("line {number} as \"{text}\""));
    let replaced: Vec<_> = replaced.collect();
    let permit =
        lines.permit_behind.map(|number| format!("; behind line {number}, add \"{PERMIT}\""));
    format!("write {}{}", replaced.join(", "), permit.unwrap_or_default())
}

/// The same in words, for a file whose lines are not computed.
const BY_HAND: &str = "Write \"auth requisite pam_deny.so\" instead of \"auth required pam_deny.so\", and behind it \
                       \"auth required pam_permit.so\". Let the success of each password module jump to that last \
                       line: \"auth [success=N default=ignore] pam_unix.so\". N counts every line between, also \
                       those of pam_usertype, pam_faillock and pam_deny. Without a line of pam_deny.so, write \
                       \"requisite\" instead of \"required\" in the line of the password";

/// Returns how to change the options of the line of pam_totp.so in a file of many services, and how
/// to remove it.
pub(crate) fn change_line(file: &str, writer: &StackWriter) -> String {
    match (file, writer) {
        ("system-auth" | "password-auth", StackWriter::Authselect(_)) => String::from(
            "use authselect: \"authselect enable-feature with-totp-required\" denies users without a factor \
             (\"disable-feature\" skips them again); \"authselect disable-feature with-totp\" removes the line, \
             after \"authselect disable-feature with-totp-required\"",
        ),
        ("common-auth", StackWriter::PamAuthUpdate) => String::from(
            "edit the options of that line in /etc/pam.d/common-auth, and pam-auth-update keeps them; \
             \"pam-auth-update --disable totp\" removes the line of the profile",
        ),
        (file, _) => format!("change or remove that line in {file}"),
    }
}

/// Returns how to remove the line of pam_totp.so at `place` in a file of many services: an
/// imperative. `is_of_profile`: pam-auth-update wrote it, and would write it again.
pub(crate) fn remove_line(
    file: &str,
    place: &str,
    writer: &StackWriter,
    is_of_profile: bool,
) -> String {
    match (file, writer) {
        ("system-auth" | "password-auth", StackWriter::Authselect(_)) => String::from(
            "run \"authselect disable-feature with-totp-required\" and then \"authselect disable-feature with-totp\"",
        ),
        ("common-auth", StackWriter::PamAuthUpdate) if is_of_profile => {
            "run pam-auth-update --disable totp".to_owned()
        }
        _ => format!("delete {place}"),
    }
}

/// Returns what to use in place of a line in a file of many services, as a phrase.
pub(crate) fn profile(writer: &StackWriter) -> &'static str {
    match writer {
        StackWriter::Authselect(_) => "the profiles of authselect (totp-local, totp-sssd)",
        StackWriter::PamAuthUpdate => {
            "the profile of pam-auth-update (pam-auth-update --enable totp)"
        }
        StackWriter::PamConfig => "the example pam-config/common-auth of the package",
        StackWriter::Unknown => "a profile of the distribution (pam-auth-update, authselect)",
    }
}

/// Returns what to write in place of the only line of a service. `exists` reports whether there is
/// a file of PAM.
pub(crate) fn replace_line(exists: impl Fn(&str) -> bool) -> String {
    let line = if exists("password-auth") {
        "\"auth substack password-auth\""
    } else if exists("common-auth") {
        "\"@include common-auth\""
    } else {
        "a line that asks for the password"
    };
    format!(
        "in its place, write {line} by hand; if users have no password, first have sshd require the key alone \
         (AuthenticationMethods publickey) and reload it; test a new login before you leave this session"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_writer_is_changed_by_hand() {
        let authselect = StackWriter::Authselect("sssd\n".into());
        for (file, writer) in [
            ("vendor", &authselect),
            ("system-auth", &StackWriter::Unknown),
            ("sshd", &StackWriter::PamConfig),
        ] {
            let text = end_at_wrong_password(file, writer, None, &|_| true);
            assert!(text.contains("requisite pam_deny.so") && text.contains(file), "{text}");
        }
        let text =
            end_at_wrong_password("common-auth-pc", &StackWriter::PamConfig, None, &|_| true);
        assert!(text.contains("pam-config/common-auth of the package"), "{text}");
    }

    #[test]
    fn the_lines_of_a_file_are_told_by_their_numbers() {
        let text = "auth required pam_env.so\nauth sufficient pam_unix.so nullok\n\
                    auth required pam_faillock.so authfail\nauth required pam_deny.so\n";
        let told =
            end_at_wrong_password("system-auth", &StackWriter::Unknown, Some(text), &|_| true);
        let lines = "write line 2 as \"auth [success=2 default=ignore] pam_unix.so nullok\", line 4 as \
                     \"auth requisite pam_deny.so\"; behind line 4, add \"auth required pam_permit.so\". ";
        assert!(told.contains(lines), "{told}");
        let unknown = end_at_wrong_password("vendor", &StackWriter::Unknown, None, &|_| true);
        assert!(unknown.contains("N counts every line between"), "{unknown}");
    }

    #[test]
    fn a_line_of_a_profile_is_changed_by_the_program_that_wrote_it() {
        let authselect = StackWriter::Authselect("local\n".into());
        for (file, writer, expected) in [
            ("password-auth", &authselect, "authselect enable-feature with-totp-required"),
            ("common-auth", &StackWriter::PamAuthUpdate, "pam-auth-update --disable totp"),
            ("common-auth", &StackWriter::PamConfig, "that line in common-auth"),
            ("vendor", &authselect, "that line in vendor"),
        ] {
            let text = change_line(file, writer);
            assert!(text.contains(expected), "{file}: {text}");
        }
        assert!(replace_line(|file| file == "common-auth").contains("\"@include common-auth\""));
        assert!(replace_line(|_| true).contains("\"auth substack password-auth\""));
        assert!(replace_line(|_| false).contains("write a line that asks for the password"));
    }

    #[test]
    fn one_way_to_remove_a_line_is_named() {
        let authselect = StackWriter::Authselect("local\n".into());
        let place = "/etc/pam.d/common-auth:17";
        for (file, writer, is_of_profile, expected) in [
            (
                "common-auth",
                &StackWriter::PamAuthUpdate,
                true,
                "run pam-auth-update --disable totp",
            ),
            ("common-auth", &StackWriter::PamAuthUpdate, false, "delete /etc/pam.d/common-auth:17"),
            ("common-auth", &StackWriter::PamConfig, false, "delete /etc/pam.d/common-auth:17"),
        ] {
            assert_eq!(remove_line(file, place, writer, is_of_profile), expected);
        }
        let text = remove_line("password-auth", place, &authselect, false);
        assert!(text.contains("with-totp-required") && !text.contains("pam-auth-update"), "{text}");
    }

    #[test]
    fn only_the_profile_of_this_distribution_is_named() {
        let authselect = StackWriter::Authselect("local\n".into());
        for (writer, named, other) in [
            (&authselect, "totp-sssd", "pam-auth-update"),
            (&StackWriter::PamAuthUpdate, "pam-auth-update --enable totp", "authselect"),
            (&StackWriter::PamConfig, "pam-config/common-auth", "authselect"),
        ] {
            let text = profile(writer);
            assert!(text.contains(named) && !text.contains(other), "{text}");
        }
    }

    #[test]
    fn named_examples_exist() {
        let packaging = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging");
        for name in ["common-auth", "common-auth-sssd"] {
            assert!(std::fs::exists(format!("{packaging}/pam-config/{name}")).unwrap(), "{name}");
        }
    }
}
