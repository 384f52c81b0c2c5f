//! The module of SELinux. Without it an enforcing kernel keeps programs from the socket of the
//! daemon.

use std::fs;

use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::host::door::known_doors;
use crate::host::selinux::confined_users;
use crate::host::selinux::login_services;
use crate::host::selinux::{is_enforcing, label};
use crate::host::{sshd, sudo};
use crate::installed;

/// Adds a problem if SELinux is enforcing and does not know the daemon.
pub(crate) fn check(report: &mut Report) {
    report.problems.extend(missing_module());
}

/// Adds what the policy means for the program of a service that asks.
pub(crate) fn check_service(service: &str, report: &mut Report) {
    if is_enforcing() {
        let denied = denied_server(service).or_else(|| denied_confined_users(service));
        report.problems.extend(denied);
    }
}

/// Returns the problem as a sentence, if programs of `service` cannot reach the daemon.
pub(crate) fn problem(service: &str) -> Option<String> {
    let denied = || denied_server(service).filter(|_| is_enforcing());
    missing_module().or_else(denied).map(|finding| finding.sentence())
}

/// Returns a problem if the policy may keep the program of a service that asks from totpd: only
/// those that log people in always may.
fn denied_server(service: &str) -> Option<Finding> {
    let boolean = fs::read_to_string("/sys/fs/selinux/booleans/totpd_ask_servers").ok()?;
    let is_of_login_program = || sshd::uses_service(service) || sudo::uses_service(service);
    if !is_denied(service, &boolean) || is_of_login_program() {
        return None;
    }
    let finding = Finding::new(
        FindingId::SelinuxServersDenied,
        "SELinux may deny the codes of this service, because only programs that log people in may ask totpd",
    );
    Some(finding.fix("run setsebool -P totpd_ask_servers on"))
}

/// Reports whether this boolean, as the kernel shows it, may keep the program of a service out. A
/// program that logs nobody in needs no code.
fn is_denied(service: &str, boolean: &str) -> bool {
    boolean.split_whitespace().next() == Some("0")
        && !login_services::contains(service)
        && !LOG_NOBODY_IN.contains(&service)
        && !known_doors::never_asks(service)
}

/// Returns a problem if the program of a service runs in the domain of its user, and SELinux
/// confines users of this host.
fn denied_confined_users(service: &str) -> Option<Finding> {
    if !login_services::runs_in_domain_of_user(service) {
        return None;
    }
    let users = confined_users::of_host();
    (!users.is_empty()).then(|| {
        let message = format!(
            "the codes of these users are denied here, because SELinux confines them and this program runs in \
             their domain: {}",
            users.join(", ")
        );
        Finding::new(FindingId::SelinuxConfinedUsers, message).fix(format!(
            "run totpctl disable {service}, or map these users to unconfined_u: semanage login"
        ))
    })
}

fn missing_module() -> Option<Finding> {
    let daemon = installed::daemon();
    if !is_enforcing() || is_labeled(&label(&daemon)?) {
        return None;
    }
    let finding = Finding::new(
        FindingId::SelinuxModuleMissing,
        "SELinux is enforcing, and its module for totpd is not loaded, so programs that log users in cannot \
         reach totpd",
    );
    Some(finding.in_file(daemon.display().to_string()).fix(LOAD_MODULE))
}

/// Reports whether this context of the daemon's file is that of the module.
fn is_labeled(context: &str) -> bool {
    context.split(':').nth(2) == Some("totpd_exec_t")
}

/// Services that include the stack of all logins, and only change what is shown of an account.
const LOG_NOBODY_IN: [&str; 2] = ["chfn", "chsh"];
const LOAD_MODULE: &str = "run semodule -i totpd.pp, then restorecon -RF /usr/libexec/totpd /etc/totpd /var/lib/totpd \
                           /run/totpd (docs/admin/distributions.md, \"SELinux\")";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_denied_while_the_boolean_is_off() {
        for (service, boolean, expected) in [
            ("vsftpd", "0 0", true),
            ("vsftpd-virtual", "0 0", true),
            ("xmpp", "0 0", true),
            ("crond", "0 0", false),
            ("cron", "0 0", false),
            ("atd", "0 0", false),
            ("chfn", "0 0", false),
            ("chsh", "0 0", false),
            ("sshd-internal", "0 0", true),
            ("vsftpd", "0 1", true),
            ("vsftpd", "1 1", false),
            ("vsftpd", "1 0", false),
            ("vsftpd", "", false),
            ("sshd", "0 0", false),
            ("sudo", "0 0", false),
        ] {
            assert_eq!(is_denied(service, boolean), expected, "{service} {boolean}");
        }
    }

    #[test]
    fn only_the_type_of_the_module_counts() {
        for (context, expected) in [
            ("system_u:object_r:totpd_exec_t:s0", true),
            ("system_u:object_r:totpd_exec_t", true),
            ("system_u:object_r:bin_t:s0", false),
            ("totpd_exec_t:object_r:bin_t:s0", false),
            ("", false),
        ] {
            assert_eq!(is_labeled(context), expected, "{context}");
        }
    }
}
