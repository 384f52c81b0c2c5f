//! The host: its files, the daemon, the clock, the users, and a change that is being tried.

mod activation;
mod clock;
mod confinement;
mod replaced_program;
mod rescue;
mod store;
mod system;

use totpd_journal::escape::escape;

use super::finding::{Finding, FindingId};
use super::report::Report;
use super::rules::{self, in_force::RulesInForce};
use super::users::without_factor::{self, OtherWays};
use crate::client::Client;
use crate::client::configuration::configuration_error;
use crate::host::local_time;
use crate::pam::unenrolled_users::Unenrolled;
use crate::trial::state::Trial;
use crate::trial::will_end;
use crate::unit;

/// Checks the host. `services`: what each service does with users who have no factor. `at`: the
/// services at which rules may count, each with whether a login without a code can get in there.
/// Returns the rules in force too, if the daemon tells them.
pub(crate) fn check(
    services: &[(&str, Unenrolled)],
    at: &[(&str, bool)],
    other_ways: &OtherWays<'_>,
) -> (Report, Option<RulesInForce>) {
    let mut report = Report::default();
    system::check(&mut report);
    trial(&mut report);
    replaced_program::check(&mut report);
    if let Some(reason) = configuration_error() {
        report.summarize("totpd cannot start");
        report.problem(FindingId::ConfigurationInvalid, format!("totpd cannot start: {reason}"));
        return (report, None);
    }
    if let Some(failure) = unit::start_failure() {
        let message = format!("systemd cannot start totpd: {}", failure.message);
        report.summarize("totpd cannot start");
        report.problems.push(Finding::new(FindingId::UnitCannotStart, message).fix(failure.fix));
        return (report, None);
    }
    let connected = Client::connect().and_then(|client| {
        let version = client.manager(async |totpd| Ok(totpd.version().await?))?;
        Ok((client, version))
    });
    let client = match connected {
        Ok((client, version)) => {
            report.summarize(format!("totpd {version} answers"));
            client
        }
        Err(error) => {
            report.summarize("totpd does not answer");
            report.problem(FindingId::TotpdUnreachable, error.to_string());
            return (report, None);
        }
    };
    activation::check(&mut report);
    confinement::check(&mut report);
    clock::check(client.clock_is_synchronized(), unit::has_systemd(), &mut report);
    let names: Vec<_> = at.iter().map(|(name, _)| *name).collect();
    let rules = RulesInForce::read(&client, &names);
    let lets_by = |name: &str| {
        let is_open = at.iter().any(|(other, gets_in)| *other == name && *gets_in);
        is_open && rules.as_ref().is_some_and(|rules| rules.at(name).lets_unenrolled_by)
    };
    let services: Vec<_> = services.iter().map(|of| by_rules(*of, &lets_by)).collect();
    without_factor::check(&client, &services, other_ways, &mut report);
    let asking = services.iter().filter(|(_, unenrolled)| *unenrolled != Unenrolled::NotAsked);
    let asking: Vec<_> = asking.map(|(name, _)| *name).collect();
    if let Some(rules) = &rules {
        rules::check(&client, rules, &asking, &mut report);
    }
    if let Some(fingerprint) = backup_signer(&client) {
        report.summarize(format!("backups are signed by {}", escape(&fingerprint)));
    }
    (report, rules)
}

/// Returns what a service does with users who have no factor, rules included. `lets_by`: whether
/// rules let all of them by at a service.
fn by_rules<'a>(
    (name, unenrolled): (&'a str, Unenrolled),
    lets_by: &dyn Fn(&str) -> bool,
) -> (&'a str, Unenrolled) {
    match unenrolled {
        Unenrolled::Denied | Unenrolled::Enrolls if lets_by(name) => (name, Unenrolled::Skipped),
        other => (name, other),
    }
}

/// Adds a change that is being tried, or that should have been reverted.
fn trial(report: &mut Report) {
    let Ok(Some(trial)) = Trial::pending() else { return };
    let (services, ends) =
        (trial.services.join(", "), local_time::display_local_with_seconds(trial.ends));
    if trial.is_stale_now() {
        let message = format!("a change of {services} that was tried should have ended at {ends}");
        report.problems.push(Finding::new(FindingId::TrialNotReverted, message).fix(
            "revert it with \"totpctl try --undo\", and have the machine run that at boot (totpctl(1))",
        ));
    } else if !will_end(&trial) {
        let message = format!(
            "{} being tried until {ends}, and nothing will revert it: its countdown has ended",
            trial.subject()
        );
        let finding = Finding::new(FindingId::TrialNotReverted, message);
        report.problems.push(finding.fix("revert it with \"totpctl try --undo\""));
    } else {
        let message = format!("{} being tried until {ends}", trial.subject());
        report.note(FindingId::TrialPending, message);
    }
}

/// Returns the fingerprint by which other hosts know the backups of this one, for root.
fn backup_signer(client: &Client) -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    client.store("Asking", async |totpd| totpd.fingerprint().await).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_that_rules_let_in_are_not_denied() {
        use Unenrolled::{Denied, Enrolls, NotAsked, Skipped};
        for (unenrolled, lets_by, expected) in [
            (Denied, true, Skipped),
            (Enrolls, true, Skipped),
            (NotAsked, true, NotAsked),
            (Denied, false, Denied),
            (Enrolls, false, Enrolls),
        ] {
            assert_eq!(by_rules(("sshd", unenrolled), &|_| lets_by), ("sshd", expected));
        }
    }
}
