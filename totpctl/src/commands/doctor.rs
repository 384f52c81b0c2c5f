//! `totpctl doctor`: what each PAM service will do, and what is wrong with that. It changes nothing.

use serde_json::{Map, Value, json};

use self::report::{Report, object, show};
use crate::client::Client;
use crate::error::Error;
use crate::terminal::output;
use crate::trial::state::Trial;

mod confinement;
mod host;
mod pam;
mod report;
pub(super) mod sshd;
mod sshd_match;
mod sudo;
pub(super) mod users;

pub(super) fn run(asked: &[String], json: bool) -> Result<(), Error> {
    let services = if asked.is_empty() { pam::services() } else { asked.to_vec() };
    let mut reports: Vec<_> = services
        .iter()
        .map(|service| {
            let mut found = pam::check(service);
            match service.as_str() {
                "sshd" if found.asks => sshd::check(&mut found.report),
                "sudo" if found.asks => sudo::check(&mut found.report),
                "polkit-1" if found.asks && !found.skips_unenrolled => {
                    found.report.notes.push(NOBODY_ENROLLS_ITSELF.into());
                }
                _ => {}
            }
            (service.clone(), found)
        })
        .collect();
    let refuses_others = reports.iter().any(|(_, found)| found.asks && !found.skips_unenrolled);
    let host = host(refuses_others);
    let wrong = reports.iter().map(|(_, found)| found.report.problems.len()).sum::<usize>();
    let wrong = wrong + host.problems.len();
    if json {
        let services: Map<String, Value> = reports
            .drain(..)
            .map(|(service, found)| {
                let mut told = Map::from_iter([("asks".to_owned(), Value::from(found.asks))]);
                told.extend(object(found.report));
                (service, told.into())
            })
            .collect();
        output::json(&json!({ "services": services, "host": object(host), "wrong": wrong }))?;
    } else {
        for (service, found) in &reports {
            show(service, &found.report)?;
        }
        show("this host", &host)?;
    }
    match wrong {
        0 => Ok(()),
        1 => Err(Error::refused("one thing is wrong")),
        more => Err(Error::refused(format!("{more} things are wrong"))),
    }
}

/// The daemon, the clock, and who has a factor.
fn host(refuses_others: bool) -> Report {
    let mut report = Report::default();
    host::check(&mut report);
    if let Ok(Some(trial)) = Trial::pending() {
        let (services, ends) = (trial.services.join(", "), output::time(trial.ends));
        match trial.is_stale_now() {
            true => report.problems.push(format!(
                "a change of {services} that was tried should have ended at {ends}: put it back with \"totpctl try --undo\", and \
                 have the machine run that when it starts (totpctl(1))"
            )),
            false => report.notes.push(format!("{services} is being tried until {ends}")),
        }
    }
    if let Some(why) = host::configuration() {
        report.problems.push(why);
        return report;
    }
    let client = match Client::connect() {
        Ok(client) => client,
        Err(failure) => {
            report.problems.push(failure.to_string());
            return report;
        }
    };
    match client.manager(async |totpd| Ok(totpd.version().await?)) {
        Ok(version) => report.summary.push(format!("totpd {version} answers")),
        Err(failure) => {
            report.problems.push(failure.to_string());
            return report;
        }
    }
    confinement::check(&mut report);
    match client.clock_is_synchronized() {
        Some(true) => report.summary.push("the clock is synchronized".into()),
        Some(false) => report.problems.push(
            "the clock is not synchronized, and codes are by the clock: turn on NTP, for example \
             systemd-timesyncd"
                .into(),
        ),
        None => report.notes.push("nobody says whether the clock is synchronized".into()),
    }
    users::check(&client, refuses_others, &mut report);
    host::backup_signer(&client, &mut report);
    report
}

/// Enrollment by a user asks polkit, which asks this stack.
const NOBODY_ENROLLS_ITSELF: &str = "who has no factor cannot enroll itself, since polkit asks for a code first: \
                                    have root enroll (docs/enrollment.md), or say \"nullok\" here, behind \
                                    a password that ends the stack when it is wrong";
