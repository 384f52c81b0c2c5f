//! Watches for a login during a trial: pam_totp records it, and totpd knows who gave a code.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use totpd_interface::{TRIAL_LOG, parse_trial_login};

use super::state::Trial;
use crate::client::Client;
use crate::client::details;
use crate::error::Error;
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
    let login = |(service, users): (&str, Vec<&str>)| {
        Some(Login { service: service.to_owned(), user: (*users.last()?).to_owned() })
    };
    entries(&record, &trial.services).into_iter().filter_map(login).collect()
}

/// Returns the lines of the record that are about these services: each with its users.
fn entries<'a>(record: &'a str, services: &[String]) -> Vec<(&'a str, Vec<&'a str>)> {
    let lines = record.lines().map(parse_trial_login);
    lines.filter(|(service, _)| services.iter().any(|other| other == service)).collect()
}

/// Returns a user who logged in through a tried service with the code of an app. The login came
/// after the start of the trial.
pub(super) fn by_a_code(trial: &Trial) -> Option<String> {
    let record = fs::read_to_string(file()).unwrap_or_default();
    for (service, users) in entries(&record, &trial.services) {
        for user in users {
            // An unknown name is no reason to ignore the others.
            if gave_a_code(user, service, trial.started).unwrap_or(false) {
                return Some(user.to_owned());
            }
        }
    }
    None
}

fn gave_a_code(user: &str, service: &str, since: u64) -> Result<bool, Error> {
    let state = Client::connect()?.manager(async |totpd| totpd.get_user(user).await)?;
    let state = details::object(&state);
    let mut factors = details::objects(&state, "factors");
    Ok(factors.any(|factor| {
        details::text(factor, "last_service") == service
            && details::number(factor, "last_used").is_some_and(|used| used >= since)
    }))
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
    fn the_lines_of_tried_services_are_read() {
        let record = "sshd\talice\t\nlogin\tbob\t\nsudo\troot\tcarol\nsshd\n";
        let services = ["sshd".to_owned(), "sudo".to_owned()];
        let expected =
            [("sshd", vec!["alice"]), ("sudo", vec!["root", "carol"]), ("sshd", Vec::new())];
        assert_eq!(entries(record, &services), expected);
    }
}
