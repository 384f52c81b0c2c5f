//! `/etc/pam.conf`: all stacks in one file. libpam reads it only if no folder of stacks exists.

/// Returns the lines of a service, without their first word. All others are empty, so that the
/// numbers stay. Returns nothing if the service has no line.
pub(crate) fn service(text: &str, service: &str) -> Option<String> {
    let (mut found, mut is_continued, mut is_wanted) = (false, false, false);
    let mut lines = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        if !is_continued {
            let bare = line.trim_start_matches(BLANKS);
            let end = bare.find(BLANKS).unwrap_or(bare.len());
            let (name, after) = bare.split_at(end);
            is_wanted = name.eq_ignore_ascii_case(service);
            found |= is_wanted;
            rest = after;
        }
        let before_comment = line.split('#').next().unwrap_or_default();
        is_continued = before_comment == line && line.trim_end().ends_with('\\');
        match is_wanted {
            true => lines.push_str(rest),
            false => lines.push('\n'),
        }
    }
    found.then_some(lines)
}

/// Returns the names of all services.
pub(crate) fn services(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !name.starts_with('#'))
}

const BLANKS: [char; 3] = [' ', '\t', '\n'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_service_keep_their_numbers() {
        let text = "# all\nsshd auth required pam_unix.so\nOTHER auth required pam_deny.so\n\
                    SSHD auth required \\\n  pam_totp.so # x\nother account required pam_deny.so\n";
        let sshd = "\n auth required pam_unix.so\n\n auth required \\\n  pam_totp.so # x\n\n";
        assert_eq!(service(text, "sshd").as_deref(), Some(sshd));
        assert!(service(text, "other").is_some_and(|other| other.starts_with("\n\n auth")));
        assert_eq!(service(text, "su"), None);
        assert!(services(text).any(|name| name == "sshd"));
    }
}
