//! The logins that totpd denied since a trial began, as the journal has them.

use std::path::Path;
use std::process::Stdio;

use super::state::Trial;
use crate::{program, unit};

/// Returns how many attempts were denied at the tried services, or [`MOST`] if there were more.
/// Returns nothing if the journal does not tell.
pub(crate) fn count(trial: &Trial) -> Option<u64> {
    let keeps_records =
        || ["/run/log/journal", "/var/log/journal"].iter().any(|path| Path::new(path).is_dir());
    // journald may only pass them to syslog.
    if !(has_journal() && unit::has_systemd() && keeps_records()) {
        return None;
    }
    let mut journal = program::find("journalctl").ok()?;
    journal
        .args(["--quiet", "--no-pager", "--output=cat", "--identifier=totpd"])
        .arg(format!("--lines={MOST}"))
        .arg(since(trial))
        .args(matches(trial))
        .stdin(Stdio::null());
    let output = program::output_within(journal, program::ANSWER_TIMEOUT).ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).lines().count() as u64)
}

/// Returns the command that shows them, if this host has a journal.
pub(crate) fn command(trial: &Trial) -> Option<String> {
    has_journal().then(|| format!("journalctl -t totpd {}", since(trial)))
}

/// The verdicts of an attempt that was denied, and the services where it was made. Any user may
/// write such a record: those of root are the daemon's.
fn matches(trial: &Trial) -> impl Iterator<Item = String> {
    let verdicts = ["denied", "throttled"].into_iter();
    verdicts
        .map(|verdict| format!("TOTP_VERDICT={verdict}"))
        .chain([OF_ROOT.to_owned()])
        .chain(trial.services.iter().map(|service| format!("TOTP_SERVICE={service}")))
}

fn since(trial: &Trial) -> String {
    format!("--since=@{}", trial.started)
}

fn has_journal() -> bool {
    Path::new("/run/systemd/journal").is_dir()
}

/// What journald itself adds to the records of root, as which totpd runs.
const OF_ROOT: &str = "_UID=0";
/// Records that are read: a storm of logins can write far more.
pub(crate) const MOST: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_of_the_tried_services_are_counted() {
        let services = ["su", "su-l"].map(ToOwned::to_owned).to_vec();
        let trial = Trial { services, started: 5, ..Trial::default() };
        let expected = [
            "TOTP_VERDICT=denied",
            "TOTP_VERDICT=throttled",
            "_UID=0",
            "TOTP_SERVICE=su",
            "TOTP_SERVICE=su-l",
        ];
        assert_eq!(matches(&trial).collect::<Vec<_>>(), expected);
        assert_eq!(since(&trial), "--since=@5");
    }
}
