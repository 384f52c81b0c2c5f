//! The services of one program.

use super::files::path_of;

/// Services of one program. If the first asks, a person expects that the others ask, too. A service
/// stands behind the one that its file may include.
pub(crate) const FAMILIES: &[&[&str]] = &[
    &["sudo", "sudo-i"],
    &["su", "su-l"],
    &[
        "gdm-password",
        "gdm-fingerprint",
        "gdm-pin",
        "gdm-smartcard",
        "gdm-smartcard-pkcs11-exclusive",
        "gdm-smartcard-sssd-exclusive",
        "gdm-smartcard-sssd-or-password",
        "gdm-switchable-auth",
    ],
    &["kde", "kde-fingerprint", "kde-smartcard"],
    &["login", "remote"],
];

/// Returns the services of the program of `service` that this host has, and `service` itself.
pub(crate) fn family(service: &str) -> Vec<&str> {
    match family_of(service) {
        Some(family) => family
            .iter()
            .copied()
            .filter(|name| *name == service || path_of(name).is_some())
            .collect(),
        None => vec![service],
    }
}

/// Reports whether a person opens the services of the program by one command and the same password,
/// as `sudo` and `sudo -i`. One of them alone protects nothing.
pub(crate) fn is_one_command(service: &str) -> bool {
    let first = family_of(service).and_then(|family| family.first());
    first.is_some_and(|first| ["sudo", "su"].contains(first))
}

/// Returns all services of the program of `service`, as far as they are known.
pub(crate) fn family_of(service: &str) -> Option<&'static [&'static str]> {
    FAMILIES.iter().copied().find(|family| family.contains(&service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_of_a_program_names_the_others() {
        for service in ["sudo", "sudo-i", "su", "su-l"] {
            assert!(family(service).contains(&service) && is_one_command(service), "{service}");
        }
        assert_eq!(family("sshd"), ["sshd"]);
        assert!(!is_one_command("sshd") && !is_one_command("gdm-fingerprint"));
        assert_eq!(family_of("su-l").unwrap(), ["su", "su-l"]);
    }
}
