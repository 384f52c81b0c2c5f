//! PAM services that ask nobody, whatever their stacks say.

use super::known_doors::never_asks;

/// Returns why a service cannot ask for a code, as a sentence, if so.
pub(crate) fn reason(service: &str) -> Option<String> {
    if never_asks(service) || NO_AUTHENTICATION.contains(&service) {
        return Some(format!(
            "the program of {service} never authenticates anybody, so it would ask for no code"
        ));
    }
    let is_automatic = NO_PERSON.contains(&service) || service.ends_with("-autologin");
    is_automatic.then(|| {
        format!(
            "{service} starts a session in which nobody types anything, so nobody could give a code"
        )
    })
}

/// Those that open sessions, or change passwords, of root's own accord.
const NO_AUTHENTICATION: [&str; 7] =
    ["chpasswd", "newusers", "passwd", "runuser", "runuser-l", "systemd-run0", "systemd-user"];
/// Those of greeters themselves, and logins without a password.
const NO_PERSON: [&str; 7] = [
    "gdm-launch-environment",
    "greetd-greeter",
    "kde-np",
    "lightdm-greeter",
    "plasmalogin-greeter",
    "sddm-greeter",
    "xdm-np",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_in_which_nobody_can_type_a_code_has_a_reason() {
        for (service, expected) in [
            ("cron", "never authenticates"),
            ("atd", "never authenticates"),
            ("systemd-user", "never authenticates"),
            ("runuser", "never authenticates"),
            ("lightdm-greeter", "nobody types"),
            ("gdm-autologin", "nobody types"),
        ] {
            let told = reason(service).unwrap_or_default();
            assert!(told.contains(expected), "{service}: {told}");
        }
        for service in ["", "cosmic-greeter", "gdm-password", "lightdm", "sshd", "sudo", "other"] {
            assert_eq!(reason(service), None, "{service}");
        }
    }
}
