//! The confined users of SELinux: a program that runs in the domain of one may not ask totpd.

use std::fs;

/// Returns the confined users of this host, each as a phrase for a message. Empty if a policy
/// cannot be read.
pub(crate) fn of_host() -> Vec<String> {
    let config = fs::read_to_string(CONFIG).unwrap_or_default();
    let Some(policy) = policy_type(&config) else { return Vec::new() };
    confined_users(
        &fs::read_to_string(format!("/etc/selinux/{policy}/seusers")).unwrap_or_default(),
    )
}

/// Reads `/etc/selinux/config`.
fn policy_type(text: &str) -> Option<&str> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix("SELINUXTYPE="))?.trim();
    (!value.is_empty() && !value.contains(['/', '.'])).then_some(value)
}

/// Reads `seusers`: lines of `LOGIN:SELINUX_USER:RANGE`, where LOGIN may be a group (`%wheel`) or
/// stand for all that have no line (`__default__`).
fn confined_users(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let confined = lines.filter_map(|line| {
        let mut fields = line.split(':').map(str::trim);
        let (login, user) = (fields.next()?, fields.next()?);
        let is_confined = !UNCONFINED.contains(&user) && !UNCONFINED.contains(&login);
        is_confined.then(|| match login {
            "__default__" => format!("all without a mapping of their own ({user})"),
            login => match login.strip_prefix('%') {
                Some(group) => format!("members of {group} ({user})"),
                None => format!("{login} ({user})"),
            },
        })
    });
    confined.collect()
}

/// The users of SELinux whose domain may ask: `unconfined_t` or `sysadm_t`. The last is that of
/// processes that no person started.
const UNCONFINED: [&str; 4] = ["unconfined_u", "sysadm_u", "root", "system_u"];
const CONFIG: &str = "/etc/selinux/config";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_the_policy_is_a_name() {
        for (text, expected) in [
            ("# SELINUXTYPE=mls\nSELINUX=enforcing\nSELINUXTYPE=targeted\n", Some("targeted")),
            ("SELINUXTYPE= default \n", Some("default")),
            ("SELINUXTYPE=../../tmp\n", None),
            ("SELINUX=enforcing\n", None),
            ("", None),
        ] {
            assert_eq!(policy_type(text), expected, "{text}");
        }
    }

    #[test]
    fn users_that_are_mapped_to_a_confined_one_are_named() {
        for (text, expected) in [
            ("root:unconfined_u:s0-s0:c0.c1023\n__default__:unconfined_u:s0\n", &[][..]),
            (
                "# comment:user_u\nroot:root:s0\nsystem_u:system_u:s0\n__default__:user_u:s0\n",
                &["all without a mapping of their own (user_u)"],
            ),
            (
                "alice:staff_u:s0\n%guests:guest_u:s0\nbob:sysadm_u:s0\nbroken\n",
                &["alice (staff_u)", "members of guests (guest_u)"],
            ),
            ("", &[]),
        ] {
            assert_eq!(confined_users(text), expected, "{text}");
        }
    }
}
