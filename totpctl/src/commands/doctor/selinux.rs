//! The module of SELinux. Without it an enforcing kernel keeps programs from the socket of the
//! daemon.

use std::fs;
use std::path::Path;

use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::installed;

/// Adds a problem if SELinux is enforcing and does not know the daemon.
pub(super) fn check(report: &mut Report) {
    report.problems.extend(missing_module());
}

/// Returns the problem as a sentence, if there is one.
pub(in crate::commands) fn problem() -> Option<String> {
    missing_module().map(|finding| finding.sentence())
}

fn missing_module() -> Option<Finding> {
    let enforcing = fs::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|on| on == "1");
    let daemon = installed::daemon();
    if !enforcing || is_labeled(&label(&daemon)?) {
        return None;
    }
    let finding = Finding::new(
        FindingId::SelinuxModuleMissing,
        "SELinux is enforcing, and its module for totpd is not loaded, so programs that log users in cannot \
         reach totpd",
    );
    Some(finding.in_file(daemon.display().to_string()).fix(LOAD_MODULE))
}

/// Returns the SELinux context of a file.
fn label(path: &Path) -> Option<String> {
    let mut value = [0; MAX_CONTEXT_BYTES];
    let length = rustix::fs::getxattr(path, "security.selinux", &mut value).ok()?;
    let context = value.get(..length)?;
    Some(String::from_utf8_lossy(context).trim_end_matches('\0').to_owned())
}

/// Reports whether this context of the daemon's file is that of the module.
fn is_labeled(context: &str) -> bool {
    context.split(':').nth(2) == Some("totpd_exec_t")
}

const MAX_CONTEXT_BYTES: usize = 1024;
const LOAD_MODULE: &str = "run semodule -i totpd.pp, then restorecon -RF /usr/libexec/totpd /etc/totpd /var/lib/totpd \
                           /run/totpd (docs/admin/distributions.md, \"SELinux\")";

#[cfg(test)]
mod tests {
    use super::*;

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
