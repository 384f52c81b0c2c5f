//! The confirmed factors of a user leave for another program, with their seeds.

use totpd_core::factor::Factor;
use totpd_core::management::{self, LeftOut};
use totpd_interface::{DictBuilder, Dictionary, Error};

use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::host::clock;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::refusal::refuse;

/// Returns the factors of the user with their seeds, and what stays. The journal has it before the
/// caller.
pub(crate) async fn export(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
) -> Result<(Vec<Dictionary>, Dictionary), Error> {
    let record = caller.account.record(daemon.read(&caller.account).await?);
    let (uid, voids, now) = (caller.account.current_uid(), daemon.void_windows(), clock::now());
    let export = management::export(record, uid, &voids, now)
        .map_err(|refusal| refuse(daemon, caller, refusal))?;
    for factor in &export.factors {
        let factor = Factors::One(factor.id.clone());
        daemon.audit.record(&caller.event(factor, Reason::SeedsExported));
    }
    let left_out = export.left_out.iter().map(|(id, why)| format!("{id} {}", word(*why)));
    let details = DictBuilder::new()
        .with("left_out", left_out.collect::<Vec<_>>())
        .with("recovery_codes", u32::try_from(export.recovery_codes).unwrap_or(u32::MAX));
    Ok((export.factors.iter().map(describe).collect(), details.into()))
}

fn describe(factor: &Factor) -> Dictionary {
    let drift = factor.drift.steps();
    let [ahead, behind] =
        [drift > 0, drift < 0].map(|is_so| is_so.then(|| u32::from(drift.unsigned_abs())));
    DictBuilder::new()
        .with("factor", factor.id.to_string())
        .with("name", factor.name.clone())
        .with("kind", factor.kind.name().to_owned())
        .with("algorithm", factor.algorithm.name().to_owned())
        .with("digits", u32::from(factor.digits))
        .with("secret", factor.seed.bytes())
        .with_some("period", factor.kind.period())
        .with_some("used", factor.last_accepted)
        .with_some("last_used", factor.last_used)
        .with_some("ahead", ahead)
        .with_some("behind", behind)
        .into()
}

/// Returns the reason as programs compare it.
fn word(left_out: LeftOut) -> &'static str {
    match left_out {
        LeftOut::Disabled => "disabled",
        LeftOut::Limited => "limited",
        LeftOut::Pending => "unverified",
        LeftOut::Unsynchronized => "unsynchronized",
    }
}
