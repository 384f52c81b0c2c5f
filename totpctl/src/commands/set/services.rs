//! The services of a factor, as `totpctl set --services` takes them.

use crate::error::Error;
use crate::findings::services::similar_names;
use crate::host::door::known_doors::services_without_file;
use crate::pam::families::{family, is_one_command};
use crate::pam::files::services;

/// Parses a list of PAM services, separated by commas or blanks. An empty list means all services.
/// The names are in lower case, as libpam reads them.
///
/// # Errors
/// Names a word that cannot be a service.
pub(super) fn parse(list: &str) -> Result<Vec<String>, Error> {
    let is_separator = |c: char| c == ',' || c.is_ascii_whitespace();
    let names: Vec<_> = list.split(is_separator).filter(|name| !name.is_empty()).collect();
    let is_name = |name: &str| {
        name.len() <= MAX_NAME_BYTES
            && !name.starts_with('.')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte))
    };
    match names.iter().find(|name| !is_name(name)) {
        None => Ok(names.into_iter().map(str::to_ascii_lowercase).collect()),
        Some(name) => Err(Error::Usage(format!(
            "--services: {name:?} is no name of a PAM service; write the names of files in /etc/pam.d, as \
             in sshd,sudo"
        ))),
    }
}

/// Returns the names that are no PAM services of this host, each with similar names.
pub(super) fn unknown(names: &[String]) -> Vec<String> {
    let mut known = services();
    known.extend(services_without_file());
    let phrase = |name: &String| match similar_names(name, known.clone()).as_slice() {
        [] => name.clone(),
        similar => format!("{name} (similar: {})", similar.join(", ")),
    };
    names.iter().filter(|name| !known.contains(name)).map(phrase).collect()
}

/// Says that these are no PAM services of this host.
pub(super) fn sentence(unknown: &[String]) -> String {
    format!("This host has no PAM service {}: check the name.", unknown.join(", "))
}

/// Returns what is missing in a list of services of this host, a sentence each.
pub(super) fn advice(names: &[String]) -> Vec<String> {
    let unknown = unknown(names);
    let told = (!unknown.is_empty()).then(|| sentence(&unknown));
    let missing = missing(names, &|name| {
        let others = family(name).into_iter().filter(|other| is_one_command(other));
        others.map(ToOwned::to_owned).collect()
    });
    told.into_iter().chain(missing).collect()
}

/// Returns which services of the same programs are missing. `family` returns the services that the
/// program of a service uses.
fn missing(names: &[String], family: &dyn Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut sentences = Vec::new();
    for name in names {
        for other in family(name).iter().filter(|other| !names.contains(other)) {
            let command = match other.as_str() {
                "su-l" => "su -",
                "sudo-i" => "sudo -i",
                other => other,
            };
            sentences.push(format!(
                "{command} uses the PAM service {other}, which is not in the list. Add {other} if the factor should be valid there."
            ));
        }
    }
    sentences
}

const MAX_NAME_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_separated_by_commas_or_blanks() {
        for (list, expected) in [
            ("sshd,sudo", &["sshd", "sudo"][..]),
            ("sshd sudo", &["sshd", "sudo"]),
            (" sshd, sudo-i ,", &["sshd", "sudo-i"]),
            ("SUDO,Su-L", &["sudo", "su-l"]),
            ("", &[]),
        ] {
            assert_eq!(parse(list).unwrap(), expected, "{list:?}");
        }
        for list in ["sshd;sudo", "/etc/pam.d/sshd", "../x", "sshd\u{a0}sudo"] {
            let error = parse(list).unwrap_err().to_string();
            assert!(error.contains("sshd,sudo"), "{list:?}: {error}");
        }
    }

    #[test]
    fn the_other_services_of_a_program_are_named() {
        let family = |name: &str| match name {
            "sudo" => vec!["sudo".to_owned(), "sudo-i".to_owned()],
            "su" => vec!["su".to_owned(), "su-l".to_owned()],
            name => vec![name.to_owned()],
        };
        let of = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            missing(&names, &family)
        };
        assert_eq!(
            of(&["sshd", "sudo"]),
            [
                "sudo -i uses the PAM service sudo-i, which is not in the list. Add sudo-i if the factor should be valid there."
            ]
        );
        assert!(of(&["su"])[0].starts_with("su - uses the PAM service su-l"));
        assert!(of(&["sudo", "sudo-i", "sshd"]).is_empty());
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn a_service_that_this_host_does_not_have_is_named() {
        let names = ["login".to_owned(), "nonsense-of-nobody".to_owned()];
        let unknown: Vec<_> = unknown(&names).into_iter().filter(|name| name != "login").collect();
        assert_eq!(unknown, ["nonsense-of-nobody"]);
        let expected = "This host has no PAM service nonsense-of-nobody: check the name.";
        assert_eq!(sentence(&unknown), expected);
    }
}
