//! Passwords in a stack: which modules check one, and whether the stack asks for a code after a
//! wrong one.

use std::collections::{BTreeSet, HashSet};

use crate::dispatch::Progress;
use crate::module_results::results;
use crate::return_code::ReturnCode;
use crate::stack::{Place, Rule, RuleKind};

/// Reports whether the module of a rule checks a password.
#[must_use]
pub fn is_password(rule: &Rule) -> bool {
    is_password_module(rule.module())
}

/// Reports whether a module, named without folder and `.so`, checks a password.
#[must_use]
pub fn is_password_module(name: &str) -> bool {
    MODULES.contains(&name)
}

/// The lines by which a login reaches the second factor without a right password.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CodeWithoutPassword {
    /// The lines of password modules after whose failure the stack still asks for a code.
    pub after_wrong_password: Vec<Place>,
    /// The first line of the second factor that runs before any password module has accepted. It
    /// runs after a wrong password, or with no known password module before it.
    pub without_password: Option<Place>,
}

/// Finds the ways to the second factor without a right password. `exists` reports whether a module
/// is installed.
///
/// A password is wrong if at least one password module ran and all of them refused. It is right if
/// one of them accepted.
#[must_use]
pub fn code_without_password(rules: &[Rule], exists: &dyn Fn(&str) -> bool) -> CodeWithoutPassword {
    let mut without_password = None;
    let Some(last_factor) = rules.iter().rposition(|rule| rule.is_factor()) else {
        return CodeWithoutPassword::default();
    };
    let mut seen = HashSet::new();
    // Each open path has the index of the password module that refused last. Paths with a right
    // password are not followed.
    let mut open = vec![(Progress::new(), None::<usize>)];
    let mut found = BTreeSet::new();
    while let Some((mut progress, refused)) = open.pop() {
        let Some(rule) = progress.next(rules) else { continue };
        let at = progress.at;
        if at > last_factor || !seen.insert((progress.clone(), refused)) {
            continue;
        }
        if rule.is_factor() {
            found.extend(refused);
            without_password.get_or_insert_with(|| rule.place.clone());
        }
        let mut follow = |result, refused| {
            let mut next = progress.clone();
            next.advance(rules, result);
            open.push((next, refused));
        };
        if !is_password(rule) {
            for result in results(rule, exists, false) {
                follow(result, refused);
            }
            continue;
        }
        if matches!(&rule.kind, RuleKind::Module { path, .. } if !exists(path)) {
            follow(ReturnCode::MODULE_UNKNOWN, refused);
            continue;
        }
        if rule.module() != ALWAYS_ANSWERS {
            follow(ReturnCode::IGNORE, refused);
        }
        let mut alike = HashSet::new();
        for result in refusals().filter(|code| alike.insert(rule.control.action(*code))) {
            follow(result, Some(at));
        }
    }
    let place = |index: usize| rules.get(index).map(|rule| rule.place.clone());
    CodeWithoutPassword {
        after_wrong_password: found.into_iter().filter_map(place).collect(),
        without_password,
    }
}

/// Returns the results by which a module refuses a password that it checked.
fn refusals() -> impl Iterator<Item = ReturnCode> {
    let accepts = [ReturnCode::SUCCESS, ReturnCode::NEW_AUTHTOK_REQD];
    // libpam itself returns the last three, for a module that it could not run.
    let checks_nothing = [
        ReturnCode::IGNORE,
        ReturnCode::OPEN_ERR,
        ReturnCode::SYMBOL_ERR,
        ReturnCode::MODULE_UNKNOWN,
    ];
    ReturnCode::all().filter(move |code| !accepts.contains(code) && !checks_nothing.contains(code))
}

/// Never returns PAM_IGNORE. Others return it because of an option, or for a user that they do not
/// know.
const ALWAYS_ANSWERS: &str = "pam_unix";
/// All password modules, by this project's definition. A password module compares typed text with a
/// memorized secret, on this machine or on a server. A module that only uses the password
/// (`pam_gnome_keyring`, `pam_mount`) is none. A module that checks a token, a PIN or a fingerprint
/// is none either.
const MODULES: [&str; 37] = [
    // The machine's own files.
    "pam_extrausers",
    "pam_pwdb",
    "pam_pwdfile",
    "pam_systemd_home",
    "pam_tcb",
    "pam_unix",
    "pam_unix2",
    "pam_unix_auth",
    "pam_userdb",
    // Directories.
    "pam_aad",
    "pam_authd",
    "pam_centrifydc",
    "pam_freeipa",
    "pam_himmelblau",
    "pam_intune",
    "pam_kanidm",
    "pam_krb5",
    "pam_krb5afs",
    "pam_ldap",
    "pam_ldapd",
    "pam_lsass",
    "pam_lw_auth",
    "pam_nis",
    "pam_nss_ldap",
    "pam_sss",
    "pam_vas",
    "pam_vas3",
    "pam_winbind",
    // Other servers.
    "pam_imap",
    "pam_mysql",
    "pam_ncp_auth",
    "pam_pgsql",
    "pam_radius",
    "pam_radius_auth",
    "pam_smb_auth",
    "pam_sqlite3",
    "pam_tacplus",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Kind;
    use crate::stack::Stack;

    fn rules_of(text: &str) -> Vec<Rule> {
        let read = |name: &str| match name {
            "x" => Some(text.to_owned()),
            "debian" => Some(DEBIAN.to_owned()),
            "fedora" => Some(FEDORA.to_owned()),
            _ => None,
        };
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!("{text}") };
        rules
    }

    fn lines_of(text: &str) -> Vec<String> {
        let is_installed = |path: &str| path != "pam_systemd_home.so";
        let found = code_without_password(&rules_of(text), &is_installed).after_wrong_password;
        found.iter().map(ToString::to_string).collect()
    }

    const FACTOR_MODULE: &str = "auth required pam_totp.so\n";
    const DEBIAN: &str = "auth [success=2 default=ignore] pam_unix.so\n\
                          auth [success=1 default=ignore] pam_sss.so\n\
                          auth requisite pam_deny.so\nauth required pam_permit.so\n";
    const FEDORA: &str = "auth sufficient pam_unix.so\nauth sufficient pam_sss.so\n\
                          auth required pam_deny.so\n";

    #[test]
    fn stacks_that_continue_after_a_wrong_password() {
        for (before, expected) in [
            ("auth required pam_unix.so\n", &["x:1"][..]),
            ("auth optional pam_unix.so\n", &["x:1"]),
            ("auth sufficient pam_unix.so\n", &["x:1"]),
            ("auth [success=ok default=bad] pam_ldap.so\n", &["x:1"]),
            ("auth [success=ok authinfo_unavail=ignore default=die] pam_sss.so\n", &["x:1"]),
            ("auth substack debian\n", &["debian:1", "debian:2"]),
            ("auth substack fedora\n", &["fedora:1", "fedora:2"]),
            ("auth include fedora\n", &["fedora:1", "fedora:2"]),
            ("auth required pam_unix.so\nauth requisite pam_cap.so\n", &["x:1"]),
            ("auth required pam_unix.so\nauth optional pam_winbind.so\n", &["x:1", "x:2"]),
            // The second may return PAM_IGNORE.
            ("auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_sss.so\n", &["x:1"]),
            ("auth requisite pam_nologin.so\nauth required pam_krb5.so\n", &["x:2"]),
            ("auth [success=1 default=bad] pam_unix.so\nauth optional pam_cap.so\n", &["x:1"]),
            // No jump leads out of a substack.
            (
                "auth substack debian\nauth [default=1] pam_cap.so\nauth requisite pam_deny.so\n",
                &["debian:1", "debian:2"],
            ),
        ] {
            assert_eq!(lines_of(&format!("{before}{FACTOR_MODULE}")), expected, "{before}");
        }
        let twice = format!("{FACTOR_MODULE}auth required pam_unix.so\n{FACTOR_MODULE}");
        assert_eq!(lines_of(&twice), ["x:2"]);
    }

    #[test]
    fn stacks_that_end_at_a_wrong_password() {
        for before in [
            "",
            "auth requisite pam_unix.so\n",
            "auth [success=ok default=die] pam_unix.so\n",
            "auth include debian\n",
            "@include debian\n",
            "auth required pam_faillock.so preauth\nauth [success=1 default=bad] pam_unix.so\n\
             auth [default=die] pam_faillock.so authfail\n",
            "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n",
            // A password that one of two accepts is right, and both refuse a wrong one.
            "auth [success=1 default=ignore] pam_sss.so\nauth requisite pam_unix.so\n",
            // A jump past the end of the stack, and one past the second factor.
            "auth [success=ok default=9] pam_unix.so\n",
            "auth [success=ok default=1] pam_unix.so\n",
            // A module that is not installed checks nothing.
            "-auth optional pam_systemd_home.so\n",
            // The module that fails is no password module.
            "auth required pam_nologin.so\nauth optional pam_gnome_keyring.so\n",
        ] {
            assert_eq!(lines_of(&format!("{before}{FACTOR_MODULE}")), [""; 0], "{before}");
        }
        let before_it = format!("{FACTOR_MODULE}auth required pam_unix.so\n");
        assert_eq!(lines_of(&before_it), [""; 0]);
    }

    #[test]
    fn a_code_before_any_accepted_password_is_found() {
        let without = |text: &str| {
            let found = code_without_password(&rules_of(text), &|_| true).without_password;
            found.map(|place| place.to_string())
        };
        for (before, expected) in [
            ("", Some("x:1")),
            ("auth required pam_vendor.so\n", Some("x:2")),
            ("auth required pam_exec.so expose_authtok /check\n", Some("x:2")),
            ("auth required pam_unix.so\n", Some("x:2")),
            ("auth include fedora\n", Some("x:2")),
            ("auth include debian\n", None),
            ("auth requisite pam_unix.so\n", None),
            ("auth required pam_env.so\nauth requisite pam_unix.so\n", None),
            // A directory may ignore a user that it does not know.
            ("auth requisite pam_sss.so\n", Some("x:2")),
        ] {
            assert_eq!(
                without(&format!("{before}{FACTOR_MODULE}")).as_deref(),
                expected,
                "{before}"
            );
        }
    }

    #[test]
    fn a_long_stack_is_explored() {
        let many = "auth sufficient pam_ldap.so\n".repeat(399);
        assert_eq!(lines_of(&format!("{many}{FACTOR_MODULE}")).len(), 399);
    }
}
