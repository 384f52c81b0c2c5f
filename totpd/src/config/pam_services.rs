//! The PAM services of this host. A rule that names another one may have a typing error.

use std::collections::BTreeSet;
use std::fs;
use std::io;

/// Returns the names of the services that have a file; `None` if that is not known.
pub(super) fn known() -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for folder in FOLDERS {
        match fs::read_dir(folder) {
            Ok(files) => names.extend(
                files.flatten().map(|file| file.file_name().to_string_lossy().into_owned()),
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return None,
        }
    }
    // A host may have all of them in one file.
    (!names.is_empty()).then_some(names)
}

/// Returns the place of each service without a file, and what to do. `named`: the services of
/// rules, each with the place of its rule.
pub(super) fn unknown(
    named: &[(String, String)],
    known: &BTreeSet<String>,
) -> Vec<(String, String)> {
    let unknown = named.iter().filter(|(service, _)| !known.contains(service));
    let warning = |(service, place): &(String, String)| {
        let message = format!(
            "services: this host has no PAM service {service:?}, so the rule fits no login there; correct \
             the name, or install the service"
        );
        (place.clone(), message)
    };
    unknown.map(warning).collect()
}

/// Those of Linux-PAM, as distributions build it.
const FOLDERS: [&str; 3] = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_a_file_is_a_warning() {
        let known = ["sshd", "sudo"].map(ToOwned::to_owned).into_iter().collect();
        let named = [("sshd", "a.toml:1"), ("shsd", "a.toml:5")];
        let named = named.map(|(name, place)| (name.to_owned(), place.to_owned()));
        let unknown = unknown(&named, &known);
        let [(place, message)] = unknown.as_slice() else { panic!("{unknown:?}") };
        assert_eq!(place, "a.toml:5");
        assert!(
            message.starts_with("services: this host has no PAM service \"shsd\""),
            "{message}"
        );
    }
}
