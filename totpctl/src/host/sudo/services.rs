//! The PAM services that sudo uses, and their users. Pure.

use super::sudoers::{Place, Setting, Sudoers};

/// A PAM service that sudo uses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsedService {
    pub(crate) command: String,
    pub(crate) name: String,
    /// The users or hosts that it is for, and the line, if it is not for all.
    pub(crate) scope: Option<(String, Place)>,
}

impl UsedService {
    pub(crate) fn new(command: &str, name: &str) -> Self {
        // libpam reads the name in lower case.
        Self { command: command.to_owned(), name: name.to_ascii_lowercase(), scope: None }
    }

    /// Returns the service of a setting that is not for all users.
    fn scoped(setting: &Setting) -> Option<Self> {
        let (command, _) = SETTINGS.iter().find(|(_, name)| *name == setting.name)?;
        let scope = setting.scope.clone()?;
        let scope = Some((format!("Defaults{scope}"), setting.place.clone()));
        Some(Self { scope, ..Self::new(command, setting.value.as_deref()?) })
    }
}

/// Returns the services that sudo prints for root, with the command that uses each.
pub(crate) fn services(version: &str) -> Vec<UsedService> {
    let named = |words: &str| {
        let name = version.lines().find_map(|line| line.strip_prefix(words))?;
        Some(name.trim().to_owned())
    };
    let mut found: Vec<UsedService> = Vec::new();
    for (words, command) in [
        ("PAM service name to use: ", "sudo"),
        ("PAM service name to use for login shells: ", "sudo -i"),
        ("PAM service name to use when sudo is run with the -A option: ", "sudo -A"),
    ] {
        let Some(name) = named(words) else { continue };
        // Most hosts have no name of its own for -A.
        if command != "sudo -A" || found.iter().all(|other| other.name != name) {
            found.push(UsedService::new(command, &name));
        }
    }
    found
}

/// Returns the services of users other than root, of which sudo uses `printed` for root. Those that
/// are not for all follow. `has_login_service` reports whether sudo may have one for `sudo -i`.
pub(crate) fn of_users(
    printed: Vec<UsedService>,
    sudoers: &Sudoers,
    has_login_service: &dyn Fn() -> bool,
) -> Vec<UsedService> {
    let for_all = |used: UsedService| {
        let Some((_, name)) = SETTINGS.iter().find(|(command, _)| *command == used.command) else {
            return used;
        };
        // sudo prints what is for root alone too.
        let is_that = |setting: &Setting| {
            let value = setting.value.as_deref().unwrap_or_default();
            setting.scope.as_ref().is_some_and(|scope| scope.starts_with(':'))
                && value.eq_ignore_ascii_case(&used.name)
        };
        let is_of_root = sudoers.scoped(name).any(is_that);
        if !is_of_root {
            return used;
        }
        let usual = match used.command.as_str() {
            "sudo -i" if has_login_service() => "sudo-i",
            _ => "sudo",
        };
        let global = sudoers.global(name).and_then(|setting| setting.value.as_deref());
        UsedService::new(&used.command, global.unwrap_or(usual))
    };
    let mut found: Vec<_> = printed.into_iter().map(for_all).collect();
    for (_, name) in SETTINGS {
        // Root is never asked.
        let scoped = sudoers.scoped(name);
        let scoped = scoped
            .filter(|setting| ![Some(":root"), Some(":#0")].contains(&setting.scope.as_deref()));
        found.extend(scoped.filter_map(UsedService::scoped));
    }
    found
}

/// The settings that name a PAM service, with the command that uses it.
const SETTINGS: [(&str, &str); 3] =
    [("sudo", "pam_service"), ("sudo -i", "pam_login_service"), ("sudo -A", "pam_askpass_service")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_of_root_is_not_that_of_all() {
        let printed =
            |name| vec![UsedService::new("sudo", name), UsedService::new("sudo -i", name)];
        for (rules, name, expected) in [
            (
                "Defaults:root pam_service=asked, pam_login_service=asked\n",
                "asked",
                &["sudo", "sudo-i"][..],
            ),
            ("Defaults:root pam_service=Asked\n", "asked", &["sudo", "asked"]),
            (
                "Defaults pam_service=mine\nDefaults:#0 pam_service=asked\n",
                "asked",
                &["mine", "asked"],
            ),
            ("Defaults pam_service=mine, pam_login_service=mine\n", "mine", &["mine", "mine"]),
            ("Defaults:bob pam_service=other\n", "sudo", &["sudo", "sudo", "other"]),
        ] {
            let found = of_users(printed(name), &Sudoers::of_text(rules, "h"), &|| true);
            let names: Vec<_> = found.iter().map(|used| used.name.as_str()).collect();
            assert_eq!(names, expected, "{rules}");
        }
    }

    #[test]
    fn libpam_reads_names_of_services_in_lower_case() {
        let version = "PAM service name to use: MySudo\n";
        assert_eq!(services(version), [UsedService::new("sudo", "mysudo")]);
        let setting = Setting {
            scope: Some(":alice".into()),
            name: "pam_service".into(),
            value: Some("MySudo".into()),
            is_negated: false,
            place: ("/etc/sudoers".into(), 1),
        };
        assert_eq!(UsedService::scoped(&setting).unwrap().name, "mysudo");
    }

    #[test]
    fn names_of_services_are_found() {
        let version = "Sudo version 1.9.13p3\nAuthentication methods: 'pam'\nPAM service name to use: sudo\n\
                    PAM service name to use for login shells: sudo-i\n";
        let expected = [UsedService::new("sudo", "sudo"), UsedService::new("sudo -i", "sudo-i")];
        assert_eq!(services(version), expected);
        assert!(services("sudo-rs 0.2.15\n").is_empty());
    }
}
