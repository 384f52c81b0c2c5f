//! Hands the factors of each user to totpd, in one call a user.

use std::time::Duration;

use totpd_formats::reading::{Change, ImportedFactor};
use totpd_interface::{DictBuilder, Dictionary, Error as DaemonError, ManagerProxy};

use crate::cli::Import;
use crate::client::{Client, details, with_timeout};
use crate::commands::import::owners::Assigned;
use crate::commands::import::report::{Outcome, Report};
use crate::error::Error;
use crate::terminal::progress_bar::ProgressBar;

/// Imports the factors of all users. They share the flushes of the disk, a round at a time.
pub(super) fn deliver(
    client: &Client,
    assigned: Vec<Assigned>,
    options: &Import,
    report: &mut Report,
) -> Result<(), Error> {
    let total = assigned.len() as u64;
    let (mut bar, mut done) = (ProgressBar::new("importing"), 0);
    client.with_manager(async |totpd, timeout| {
        let mut rest = assigned.into_iter().peekable();
        while rest.peek().is_some() {
            let round = rest.by_ref().take(BATCH_SIZE).map(|Assigned { user, factors }| {
                let request = Request::new(&factors, options);
                let (totpd, name) = (totpd.clone(), user.clone());
                let work = async move { import(&totpd, timeout, &name, &request).await };
                (user, tokio::task::spawn_local(work))
            });
            for (user, work) in round.collect::<Vec<_>>() {
                let outcome = work.await.map_err(|error| Error::refused(error.to_string()))??;
                report.user(&user, &outcome)?;
                done += 1;
            }
            if bar.is_due() {
                bar.show(done, total);
            }
        }
        Ok(())
    })
}

async fn import(
    totpd: &ManagerProxy<'_>,
    timeout: Duration,
    user: &str,
    request: &Request,
) -> Result<Outcome, Error> {
    let call = totpd.import(user, &request.factors, &request.options);
    match with_timeout(timeout, call).await? {
        Ok(reply) => {
            let reply = details::object(&reply);
            if details::text(&reply, "result") == "unchanged" {
                return Ok(Outcome::Unchanged);
            }
            Ok(Outcome::Imported {
                factors: details::texts(&reply, "factors"),
                replaces: details::texts(&reply, "replaces"),
                usable_from: details::number(&reply, "usable_from"),
            })
        }
        Err(
            error @ (DaemonError::AlreadyEnrolled(_)
            | DaemonError::InvalidArgument(_)
            | DaemonError::NoSuchUser(_)
            | DaemonError::StoreCorrupt(_)),
        ) => {
            let error = Error::from(error);
            Ok(Outcome::Failed(error.code().unwrap_or("refused"), error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The factors of a user, as totpd takes them.
struct Request {
    factors: Vec<Dictionary>,
    options: Dictionary,
}

impl Request {
    fn new(factors: &[ImportedFactor], options: &Import) -> Self {
        let codes = factors.iter().flat_map(|factor| &factor.scratch_codes);
        let codes: Vec<_> = codes.map(|code| code.digits().to_owned()).collect();
        let options = DictBuilder::new()
            .with("dry_run", options.dry_run)
            .with("replace", options.replace)
            .with("still_in_use", options.still_in_use)
            .with_some("scratch_codes", (!codes.is_empty()).then_some(codes));
        Self { factors: factors.iter().map(factor).collect(), options: options.into() }
    }
}

fn factor(factor: &ImportedFactor) -> Dictionary {
    let is_recorded = !factor.changes.contains(&Change::UsedCodesUnknown);
    let steps = factor.drift;
    let [ahead, behind] =
        [steps > 0, steps < 0].map(|is_so| is_so.then(|| u32::from(steps.unsigned_abs())));
    DictBuilder::new()
        .with("kind", factor.kind.name())
        .with_some("period", factor.kind.period())
        .with("algorithm", factor.algorithm.name())
        .with("digits", u32::from(factor.digits))
        .with("secret", factor.seed.bytes())
        .with_some("used", factor.last_accepted)
        .with("recorded", is_recorded)
        .with_some("ahead", ahead)
        .with_some("behind", behind)
        .with("window", u32::try_from(factor.ahead).unwrap_or(u32::MAX))
        .with_some("not_before", factor.not_before)
        .with_some("not_after", factor.not_after)
        .into()
}

/// Parallel requests.
const BATCH_SIZE: usize = 64;
