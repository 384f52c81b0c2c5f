//! The names that a shell completes: users, services and factors of this host.

use clap_complete::engine::CompletionCandidate;

use crate::client::{Client, authentication, details};
use crate::host::{accounts, people};
use crate::pam::files;
use crate::terminal::input::user_or_caller;

/// Returns root and the local users. Users of a directory are not asked for: there may be many.
pub(crate) fn users() -> Vec<CompletionCandidate> {
    to_candidates(user_names())
}

/// Returns the PAM services.
pub(crate) fn services() -> Vec<CompletionCandidate> {
    to_candidates(files::services())
}

/// Returns the factors of the user on the command line, or else of the caller. Nobody is asked for
/// a password, so other users see only their own.
pub(crate) fn factors() -> Vec<CompletionCandidate> {
    authentication::never_ask();
    let users = user_names();
    let named = std::env::args().skip(2).find(|word| users.contains(word));
    let Ok(user) = user_or_caller(named.as_deref()) else { return Vec::new() };
    let Some(client) = Client::connect_briefly() else { return Vec::new() };
    let state = client.manager(async |totpd| totpd.get_user(&user).await).unwrap_or_default();
    details::objects(&details::object(&state), "factors")
        .map(|factor| {
            let name = details::escape_text(factor, "name");
            let help = (!name.is_empty()).then(|| name.into());
            CompletionCandidate::new(details::text(factor, "factor")).help(help)
        })
        .collect()
}

/// Returns the names of root and of the people among the local users.
fn user_names() -> Vec<String> {
    people::names(accounts::list_local(), &people::limits())
}

fn to_candidates(names: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}
