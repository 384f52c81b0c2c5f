//! Adds the listener to a stack under `password`, before all other lines.

use super::lines::{before, is_factor_line, line, own_lines};
use super::refusal::Refusal;
use crate::factor::FACTOR_FILE;
use crate::misplaced_lines::keeping_passwords;
use crate::parse::{Directive, Kind, Line};
use crate::stack::{OTHER, Rule, Stack};

/// Returns the file of `service` with a line that listens for changes of passwords. If there is
/// one, it returns nothing. [`Stack::parse`] describes `read`.
///
/// # Errors
/// [`Refusal`] if there is no safe change.
pub fn add_listener(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    // A listener alone would take the place of the rules of "other".
    let without_other = |name: &str| if name == OTHER { None } else { read(name) };
    let rules = match Stack::parse(service, Kind::Password, &without_other) {
        Stack::Rules(rules) => rules,
        Stack::Ambiguous(place, reason) => return Err(Refusal::Ambiguous(place, reason)),
        Stack::Unreadable(reason) => return Err(Refusal::Unreadable(reason)),
        _ => return Err(Refusal::ChangesNoPassword),
    };
    if let Some(reason) = rules.iter().find_map(Rule::failed_include) {
        return Err(Refusal::Unreadable(reason.to_owned()));
    }
    if rules.iter().any(Rule::is_factor) {
        return if keeping_passwords(&rules).is_empty() { Ok(None) } else { Err(Refusal::Broken) };
    }
    let gives_rules = |line: &&Line| match &line.directive {
        Directive::Include { kind, .. } | Directive::Module { kind, .. } => {
            *kind == Kind::Password && !is_factor_line(&line.directive)
        }
        Directive::IncludeAll(file) => {
            let own = Stack::parse(file, Kind::Password, &without_other);
            !matches!(own, Stack::Rules(rules) if rules.is_empty())
        }
        Directive::Malformed { .. } => false,
    };
    let place = own.iter().find(gives_rules).ok_or(Refusal::ChangesNoPassword)?;
    let new_line = line("password", "optional", FACTOR_FILE, &[]);
    Ok(Some(before(&text, place, &new_line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listener_stands_before_all_other_lines_once() {
        let listened = |text: &str| {
            let read = |name: &str| match name {
                "x" => Some(text.to_owned()),
                "common-password" => Some("password required pam_unix.so\n".to_owned()),
                "common-auth" => Some("auth required pam_unix.so\n".to_owned()),
                "other" => Some("password required pam_deny.so\n".to_owned()),
                _ => None,
            };
            add_listener("x", &read)
        };
        let head = "# comment\n@include common-auth\n";
        for rest in [
            "@include common-password\n",
            "password requisite pam_pwquality.so\npassword sufficient pam_unix.so\n",
            "password include common-password\n",
        ] {
            let after = listened(&format!("{head}{rest}")).unwrap().unwrap();
            assert_eq!(after, format!("{head}password optional    pam_totp.so\n{rest}"));
            assert_eq!(listened(&after), Ok(None));
        }
        assert_eq!(listened(head), Err(Refusal::ChangesNoPassword));
        let broken = "password [default=bad] pam_totp.so\npassword required pam_unix.so\n";
        assert_eq!(listened(broken), Err(Refusal::Broken));
    }
}
