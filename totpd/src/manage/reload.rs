//! The reload of the rules, at the request of root.

use std::sync::Arc;
use std::time::Duration;

use totpd_interface::{DictBuilder, Dictionary, Error};

use crate::daemon::Daemon;

/// Reads the configuration again, and puts its rules in force. Returns what a person should know of
/// the result.
pub(crate) async fn reload(daemon: &Arc<Daemon>) -> Result<Dictionary, Error> {
    let failed = || Error::Internal("the reload has failed; see the journal of totpd".into());
    let to_reload = Arc::clone(daemon);
    let reloaded = tokio::task::spawn_blocking(move || to_reload.reload()).await;
    let reloaded = reloaded.map_err(|_| failed())?;
    let reloaded = reloaded.map_err(|error| Error::InvalidConfiguration(error.to_string()))?;
    let rules = u32::try_from(reloaded.rules.placed().count()).unwrap_or(u32::MAX);
    let needs_restart: Vec<String> =
        reloaded.needs_restart.iter().map(|key| (*key).to_owned()).collect();
    // The rules are in force by now. A directory that does not answer does not keep the caller.
    let warnings = tokio::task::spawn_blocking(move || reloaded.warnings());
    let warnings = match tokio::time::timeout(WARNINGS_TIMEOUT, warnings).await {
        Ok(warnings) => warnings.map_err(|_| failed())?,
        Err(_) => vec![SLOW_NSS.to_owned()],
    };
    let result = DictBuilder::new()
        .with("rules", rules)
        .with("needs_restart", needs_restart)
        .with("warnings", warnings);
    Ok(result.into())
}

const SLOW_NSS: &str = "the user database (NSS) does not answer, so nobody checked the groups of the rules; see \
                        nsswitch.conf and its services";
const WARNINGS_TIMEOUT: Duration = Duration::from_secs(4);
