//! The names that a shell completes: users, services and factors of this host.

use clap_complete::engine::CompletionCandidate;

use crate::client::{Client, authentication, details};
use crate::host::accounts::{self, Account};
use crate::pam::files;
use crate::terminal::input::user_or_caller;

/// Returns root and the local users. Users of a directory are not asked for: there may be many.
pub(crate) fn users() -> Vec<CompletionCandidate> {
    named(user_names(accounts::local()))
}

/// Returns the PAM services.
pub(crate) fn services() -> Vec<CompletionCandidate> {
    named(files::services())
}

/// Returns the factors of the user on the command line, or else of the caller. Nobody is asked for
/// a password, so other users see only their own.
pub(crate) fn factors() -> Vec<CompletionCandidate> {
    authentication::never_ask();
    let users = user_names(accounts::local());
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

/// Returns the names of root and of people among these accounts.
fn user_names(accounts: Vec<Account>) -> Vec<String> {
    let is_person = |account: &Account| account.uid == 0 || (1000..60_000).contains(&account.uid);
    accounts.into_iter().filter(is_person).map(|account| account.name).collect()
}

fn named(names: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_completed_and_system_accounts_are_not() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/:/usr/sbin/nologin\n\
                      alice:x:1000:1000::/home/alice:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nx\n";
        assert_eq!(user_names(accounts::parse(passwd, "")), ["root", "alice"]);
    }
}
