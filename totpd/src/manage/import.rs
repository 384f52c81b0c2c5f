//! The factors of a user come over from another program. Root vouches for them.

use totpd_core::enrollment::{Import, Imported, NewFactor};
use totpd_core::factor::{Factor, FactorId, Maker};
use totpd_core::management;
use totpd_interface::{DictBuilder, Dictionary, Error};

use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::factors::import_options::{ImportOptions, ImportedFactor};
use crate::factors::option_values::invalid;
use crate::host::clock;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::refusal::refuse;

/// Takes over all factors of the user in one transaction, or none.
pub(crate) async fn import(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    factors: Vec<ImportedFactor>,
    options: ImportOptions,
) -> Result<Dictionary, Error> {
    if !(1..=MAX_FACTORS).contains(&factors.len()) {
        return Err(invalid("factors", "1 to 16 dictionaries"));
    }
    let (now, rules) = (clock::now(), daemon.config.enrollment.clone());
    let factors: Result<Vec<_>, Error> =
        factors.into_iter().map(|factor| take_over(factor, now, rules.skew)).collect();
    let recovery = match options.scratch_codes.is_empty() {
        true => None,
        false => Some(daemon.hash_scratch_codes(options.scratch_codes).await?),
    };
    let request = Import {
        uid: caller.account.current_uid(),
        factors: factors?,
        recovery,
        replace: options.replace,
    };
    let taken: Vec<_> = request.factors.iter().map(|factor| factor.id.clone()).collect();
    let usable_from = request.factors.iter().filter_map(Factor::usable_from).max();
    let usable_from = usable_from.filter(|time| *time > now);
    let imported = if options.dry_run {
        let record = caller.account.record(daemon.read(&caller.account).await?);
        management::import(record, &request, now, &rules).0
    } else {
        let change = move |record, _: &_| management::import(record, &request, now, &rules);
        daemon.update(&caller.account, change).await?
    };
    let replaced = match imported.map_err(|refusal| refuse(daemon, caller, refusal))? {
        Imported::Unchanged => return Ok(DictBuilder::new().with("result", "unchanged").into()),
        Imported::Taken(replaced) => replaced,
    };
    let ids = |ids: &[FactorId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let details = DictBuilder::new()
        .with("result", "imported")
        .with("replaces", ids(&replaced))
        .with_some("usable_from", usable_from);
    if options.dry_run {
        return Ok(details.into());
    }
    for id in replaced {
        daemon.audit.record(&caller.event(Factors::One(id), Reason::FactorRemoved));
    }
    for id in &taken {
        daemon.audit.record(&caller.event(Factors::One(id.clone()), Reason::FactorImported));
    }
    Ok(details.with("factors", ids(&taken)).into())
}

/// Returns the factor as a verified one of root.
fn take_over(factor: ImportedFactor, now: u64, skew: u64) -> Result<Factor, Error> {
    let mut id = [0; 5];
    getrandom::fill(&mut id).map_err(|error| {
        Error::Internal(format!("cannot make an id: getrandom failed: {error}"))
    })?;
    let new = NewFactor {
        id: FactorId::from_random(id),
        name: factor.name,
        kind: factor.kind,
        algorithm: factor.algorithm,
        digits: factor.digits,
        seed: factor.seed,
        is_imported: true,
        counter: 0,
        restrictions: factor.restrictions,
        is_confirmed: true,
        made_by: Maker::Root,
    };
    Ok(factor.elsewhere.apply(new.make(now, NO_LIFETIME), now, skew))
}

/// A verified factor waits for no first code.
const NO_LIFETIME: u64 = 0;
/// The factors that one user may have in another program.
const MAX_FACTORS: usize = 16;
