//! Watches for a login during a trial: pam_totp records it, and whether it gave a code.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use totpd_interface::{TRIAL_LOG, TrialEvent};

use super::state::Trial;
use crate::pam::atomic_file::remove;

/// Starts recording.
pub(super) fn watch() -> io::Result<()> {
    let folder = file().parent().unwrap_or(Path::new("/"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    stop()?;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file()).map(|_| ())
}

/// Stops recording.
pub(super) fn stop() -> io::Result<()> {
    remove(file())
}

/// Returns the length of the record, in bytes.
pub(super) fn length() -> u64 {
    fs::metadata(file()).map_or(0, |metadata| metadata.len())
}

/// A login through a tried service.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Login {
    pub(crate) service: String,
    /// The user, or who asked for the login of another (sudo).
    pub(crate) user: String,
}

/// Returns the logins through tried services, in order.
pub(super) fn logins(trial: &Trial) -> Vec<Login> {
    let record = fs::read_to_string(file()).unwrap_or_default();
    let login = |event| match event {
        TrialEvent::Entered { service, user, ruser, .. } => {
            let user = if ruser.is_empty() { user } else { ruser };
            Some(Login { service: service.to_owned(), user: user.to_owned() })
        }
        TrialEvent::Approved { .. } => None,
    };
    events(&record, &trial.services).filter_map(login).collect()
}

/// Returns a user who logged in through a tried service with the code of an app.
pub(super) fn by_a_code(trial: &Trial) -> Option<String> {
    let record = fs::read_to_string(file()).unwrap_or_default();
    app_user(&record, &trial.services).map(ToOwned::to_owned)
}

/// Returns the owner of the code with which the first login came in. The right code and the success
/// have to be of the same login, which its mark shows.
fn app_user<'a>(record: &'a str, services: &[String]) -> Option<&'a str> {
    let mut approved = BTreeMap::new();
    for event in events(record, services) {
        match event {
            TrialEvent::Approved { mark, service, user } => {
                approved.insert((mark, service), user);
            }
            TrialEvent::Entered { mark, service, .. } => {
                let user = approved.get(&(mark, service)).filter(|_| !mark.is_empty());
                if user.is_some() {
                    return user.copied();
                }
            }
        }
    }
    None
}

/// Returns the lines of the record that are about these services.
fn events<'a>(record: &'a str, services: &[String]) -> impl Iterator<Item = TrialEvent<'a>> {
    record.lines().filter_map(TrialEvent::parse).filter(|event| match *event {
        TrialEvent::Approved { service, .. } | TrialEvent::Entered { service, .. } => {
            services.iter().any(|other| other == service)
        }
    })
}

/// Returns the file that pam_totp writes, if it exists.
pub(super) fn file() -> &'static Path {
    Path::new(TRIAL_LOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/run` outlives a soft reboot.
    #[test]
    fn the_unit_that_reverts_a_trial_may_stop_the_record() {
        let unit = include_str!("../../../packaging/systemd/totpctl-try.service");
        let paths = unit
            .lines()
            .filter_map(|line| line.strip_prefix("ReadWritePaths="))
            .collect::<Vec<_>>();
        let folder = format!("-{}", file().parent().unwrap().display());
        assert!(paths.iter().any(|line| line.split(' ').any(|path| path == folder)), "{paths:?}");
    }

    #[test]
    fn a_right_code_and_a_success_count_together_alone() {
        let services = ["sshd".to_owned(), "sudo".to_owned()];
        for (record, user) in [
            ("approved\t1f\tsshd\talice\t\nentered\t1f\tsshd\talice\t\n", Some("alice")),
            ("approved\t1f\tsudo\talice\t\nentered\t1f\tsudo\troot\talice\n", Some("alice")),
            // The stack refused, and a key let the same user in.
            ("approved\t1f\tsshd\talice\t\nentered\t\tsshd\talice\t\n", None),
            ("approved\t1f\tsshd\talice\t\nentered\t2e\tsshd\talice\t\n", None),
            ("approved\t\tsshd\talice\t\nentered\t\tsshd\talice\t\n", None),
            ("entered\t1f\tsshd\talice\t\napproved\t1f\tsshd\talice\t\n", None),
            ("approved\t1f\tlogin\talice\t\nentered\t1f\tlogin\talice\t\n", None),
            ("approved\t1f\tsshd\talice\t\nentered\t1f\tsudo\talice\t\n", None),
            ("approved\t1f\tsshd\nentered\t1f\tsshd\talice\t\n", None),
        ] {
            assert_eq!(app_user(record, &services), user, "{record:?}");
        }
    }
}
