//! Passwords in a stack: which modules ask for one, and whether the second factor is asked after a wrong one.

use std::collections::{BTreeSet, HashSet};

use crate::dispatch::Progress;
use crate::module_results::{OURS, results};
use crate::return_code::Code;
use crate::stack::{Place, Rule, What};

/// Whether a rule asks for a password, or takes the one that was asked for, and says whether it is right.
#[must_use]
pub fn is_password(rule: &Rule) -> bool {
    MODULES.contains(&rule.module())
}

/// How libpam comes to the second factor without a right password.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reached {
    /// The lines of password modules after whose failure it goes on to the second factor: whoever types a wrong
    /// password is asked for a code too.
    pub after_failure: Vec<Place>,
    /// The line of the second factor, where it is asked before any password module has accepted: after a wrong
    /// password, or with none before it that is known.
    pub without_password: Option<Place>,
}

/// How libpam comes to the second factor without a right password. `exists` says whether a module is installed.
///
/// A password counts as wrong where every password module that was asked has refused, and one was asked.
/// Where one of several accepts, the password is right.
#[must_use]
pub fn reached(rules: &[Rule], exists: &dyn Fn(&str) -> bool) -> Reached {
    let mut without_password = None;
    let Some(last_of_ours) = rules.iter().rposition(|rule| rule.module() == OURS) else {
        return Reached::default();
    };
    let mut seen = HashSet::new();
    // The password module that refused last. Ways with a right password are not followed.
    let mut open = vec![(Progress::new(), None::<usize>)];
    let mut found = BTreeSet::new();
    while let Some((mut progress, refused)) = open.pop() {
        let Some(rule) = progress.next(rules) else { continue };
        let at = progress.at;
        if at > last_of_ours || !seen.insert((progress.clone(), refused)) {
            continue;
        }
        if rule.module() == OURS {
            found.extend(refused);
            without_password.get_or_insert_with(|| rule.place.clone());
        }
        let mut follow = |result, refused| {
            let mut next = progress.clone();
            next.go_on(rules, result);
            open.push((next, refused));
        };
        if !is_password(rule) {
            for result in results(rule, exists, false) {
                follow(result, refused);
            }
            continue;
        }
        if matches!(&rule.what, What::Module { path, .. } if !exists(path)) {
            follow(Code::MODULE_UNKNOWN, refused);
            continue;
        }
        if rule.module() != ALWAYS_ANSWERS {
            follow(Code::IGNORE, refused);
        }
        let mut alike = HashSet::new();
        for result in refusals().filter(|code| alike.insert(rule.control.action(*code))) {
            follow(result, Some(at));
        }
    }
    let place = |index: usize| rules.get(index).map(|rule| rule.place.clone());
    Reached { after_failure: found.into_iter().filter_map(place).collect(), without_password }
}

/// What a module that was asked returns without accepting.
fn refusals() -> impl Iterator<Item = Code> {
    let accepts = [Code::SUCCESS, Code::NEW_AUTHTOK_REQD];
    // libpam alone returns the last three, for a module that it could not ask.
    let asks_nothing = [Code::IGNORE, Code::OPEN_ERR, Code::SYMBOL_ERR, Code::MODULE_UNKNOWN];
    Code::all().filter(move |code| !accepts.contains(code) && !asks_nothing.contains(code))
}

/// The one of them that never says "ignore". Others do by their options, and for whom they do not know.
const ALWAYS_ANSWERS: &str = "pam_unix";
/// What a password module is, for all of this project: it compares what was typed with a secret that the user
/// keeps in its head, on this machine or at a server. One that takes a password and compares it with nothing
/// (`pam_gnome_keyring`, `pam_mount`) is none, nor is one that asks for a token, a PIN or a finger.
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
        let Stack::Rules(rules) = Stack::of("x", Kind::Auth, &read) else { panic!("{text}") };
        rules
    }

    fn lines_of(text: &str) -> Vec<String> {
        let is_installed = |path: &str| path != "pam_systemd_home.so";
        let found = reached(&rules_of(text), &is_installed).after_failure;
        found.iter().map(ToString::to_string).collect()
    }

    const OURS: &str = "auth required pam_totp.so\n";
    const DEBIAN: &str = "auth [success=2 default=ignore] pam_unix.so\n\
                          auth [success=1 default=ignore] pam_sss.so\n\
                          auth requisite pam_deny.so\nauth required pam_permit.so\n";
    const FEDORA: &str = "auth sufficient pam_unix.so\nauth sufficient pam_sss.so\n\
                          auth required pam_deny.so\n";

    #[test]
    fn a_wrong_password_goes_on_by_these_lines() {
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
            // The second may have no opinion.
            ("auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_sss.so\n", &["x:1"]),
            ("auth requisite pam_nologin.so\nauth required pam_krb5.so\n", &["x:2"]),
            ("auth [success=1 default=bad] pam_unix.so\nauth optional pam_cap.so\n", &["x:1"]),
            // No jump leads out of a substack.
            (
                "auth substack debian\nauth [default=1] pam_cap.so\nauth requisite pam_deny.so\n",
                &["debian:1", "debian:2"],
            ),
        ] {
            assert_eq!(lines_of(&format!("{before}{OURS}")), expected, "{before}");
        }
        let twice = format!("{OURS}auth required pam_unix.so\n{OURS}");
        assert_eq!(lines_of(&twice), ["x:2"]);
    }

    #[test]
    fn a_wrong_password_ends_by_these_lines() {
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
            // A jump past the end of a stack, and beyond our line.
            "auth [success=ok default=9] pam_unix.so\n",
            "auth [success=ok default=1] pam_unix.so\n",
            // What is not installed asks for nothing.
            "-auth optional pam_systemd_home.so\n",
            // What fails is no password.
            "auth required pam_nologin.so\nauth optional pam_gnome_keyring.so\n",
        ] {
            assert_eq!(lines_of(&format!("{before}{OURS}")), [""; 0], "{before}");
        }
        let before_it = format!("{OURS}auth required pam_unix.so\n");
        assert_eq!(lines_of(&before_it), [""; 0]);
    }

    #[test]
    fn what_is_asked_before_a_password_was_accepted_is_found() {
        let without = |text: &str| {
            let found = reached(&rules_of(text), &|_| true).without_password;
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
            // A directory that knows nobody may say nothing at all.
            ("auth requisite pam_sss.so\n", Some("x:2")),
        ] {
            assert_eq!(without(&format!("{before}{OURS}")).as_deref(), expected, "{before}");
        }
    }

    #[test]
    fn many_lines_are_looked_through() {
        let many = "auth sufficient pam_ldap.so\n".repeat(399);
        assert_eq!(lines_of(&format!("{many}{OURS}")).len(), 399);
    }
}
