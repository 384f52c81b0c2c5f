//! What a file would change of the rules in force.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use totpd_core::account::Account;
use totpd_core::enrollment;
use totpd_core::policy::representatives::{Subject, named_users, places, services, unnamed_users};
use totpd_core::policy::{
    Burst, Change, Fit, GroupName, Judge, Policy, Remember, Requirement, World, compare,
};
use totpd_core::user_name::UserName;
use totpd_interface::{DictBuilder, Dictionary, Error};
use totpd_store::{Listed, Owner};

use crate::config::{CONFIG_FILE, Config, Draft, display_length};
use crate::daemon::Daemon;
use crate::daemon::rulebook::Rulebook;
use crate::host::clock;
use crate::host::nss::{Lane, Memberships};

/// Returns what logins would need other than now, if the file `path` with this content were in the
/// place of the file of its name. With an empty path, compares the files as they are.
pub(crate) async fn check(
    daemon: &Arc<Daemon>,
    path: String,
    content: OwnedFd,
) -> Result<Dictionary, Error> {
    let failed = |_| Error::Internal("the check has failed; see the journal of totpd".into());
    let load = move || {
        let draft = draft(path, content)?;
        let loaded = Config::load_with(Path::new(CONFIG_FILE), Owner::ROOT, draft.as_ref());
        loaded.map_err(|error| Error::InvalidConfiguration(error.to_string()))
    };
    let (config, rules) = tokio::task::spawn_blocking(load).await.map_err(failed)??;
    let needs_restart: Vec<String> =
        daemon.config.differing_keys(&config).into_iter().map(ToOwned::to_owned).collect();
    let (before, after) = (daemon.rulebook(), Rulebook::new(rules));
    let policies = [before.policy(), after.policy()];
    let (services, places) = (services(policies), places(policies));
    let room = room(policies, services.len() * places.len());
    let (mut users, is_whole) = real_users(daemon, policies, room).await?;
    users.extend(unnamed_users(policies));
    let world = World { users, services, places };
    let now = clock::now();
    let times = [&before, &after].map(|rulebook| daemon.judging_time_at(rulebook, now));
    let compared = tokio::task::spawn_blocking(move || {
        let warnings = after.rules.warnings();
        let [was, is] = [(before.policy(), times[0]), (after.policy(), times[1])]
            .map(|(policy, now)| Judge { policy, now });
        (compare(was, is, &world).iter().map(describe).collect::<Vec<Dictionary>>(), warnings)
    });
    let (changes, warnings) = compared.await.map_err(failed)?;
    let result = DictBuilder::new()
        .with("changes", changes)
        .with("warnings", warnings)
        .with("whole", is_whole)
        .with("needs_restart", needs_restart);
    Ok(result.into())
}

fn draft(path: String, content: OwnedFd) -> Result<Option<Draft>, Error> {
    if path.is_empty() {
        return Ok(None);
    }
    let path = PathBuf::from(path);
    if path.extension().is_none_or(|extension| extension != "toml") {
        let message = "the name of a configuration file ends in .toml";
        return Err(Error::InvalidArgument(message.into()));
    }
    let mut text = String::new();
    let unreadable =
        |error| Error::InvalidConfiguration(format!("cannot read {}: {error}", path.display()));
    File::from(content).take(MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 == MAX_BYTES {
        return Err(Error::LimitsExceeded("a configuration file has 16 MiB at most".into()));
    }
    Ok(Some(Draft { path, text }))
}

/// Returns how many real users can be compared in a few seconds.
fn room(policies: [&Policy; 2], logins: usize) -> usize {
    let rules: usize = policies.iter().map(|policy| policy.rules().count()).sum();
    (MAX_JUDGMENTS / rules.saturating_mul(logins).max(1)).min(MAX_USERS)
}

/// Returns the users that rules name and those who are enrolled, `room` at most, and whether that
/// is all of them.
async fn real_users(
    daemon: &Daemon,
    policies: [&Policy; 2],
    room: usize,
) -> Result<(Vec<Subject>, bool), Error> {
    let mut names: BTreeSet<String> = named_users(policies);
    let page = daemon.list(String::new(), MAX_LISTED).await?;
    let mut is_whole = page.len() < MAX_LISTED as usize;
    for Listed { name, record } in page {
        if record.is_ok_and(|record| record.is_enrolled()) {
            names.insert(name.as_str().to_owned());
        }
    }
    is_whole &= names.len() <= room;
    let groups: BTreeSet<GroupName> =
        policies.iter().flat_map(|policy| policy.groups().iter().cloned()).collect();
    let groups: Vec<GroupName> = groups.into_iter().collect();
    let mut users = Vec::new();
    for name in names.into_iter().take(room) {
        users.push(real_user(daemon, name, &groups).await?);
    }
    Ok((users, is_whole))
}

async fn real_user(daemon: &Daemon, name: String, groups: &[GroupName]) -> Result<Subject, Error> {
    let account = daemon.account(Lane::Root, &name).await?;
    let record = match daemon.read_outline(&account).await {
        Err(Error::StoreCorrupt(_)) => None,
        stored => stored?,
    };
    let may_skip =
        |uid: u32| record.as_ref().is_none_or(|record| enrollment::may_skip(record, uid));
    let (known, otherwise) = match UserName::parse(&name) {
        Some(user) => memberships(daemon, &account, user, groups).await,
        None => (BTreeMap::new(), Fit::No),
    };
    let is_unenrolled = account.uid.is_some_and(may_skip);
    Ok(Subject { label: name.clone(), name, groups: known, otherwise, is_unenrolled })
}

/// Returns the groups of a user. A user without an account is in none.
async fn memberships(
    daemon: &Daemon,
    account: &Account,
    user: UserName,
    groups: &[GroupName],
) -> (BTreeMap<GroupName, Fit>, Fit) {
    if groups.is_empty() || account.uid.is_none() {
        return (BTreeMap::new(), Fit::No);
    }
    match daemon.memberships(user, groups.to_vec()).await {
        Ok(Memberships { fits, .. }) => (groups.iter().cloned().zip(fits).collect(), Fit::Unknown),
        Err(_) => (BTreeMap::new(), Fit::Unknown),
    }
}

fn describe(change: &Change<'_>) -> Dictionary {
    let texts = |list: &[&str]| -> Vec<String> { list.iter().map(ToString::to_string).collect() };
    let rule = |requirement: &Requirement<'_>| {
        requirement.rule().map(|rule| rule.name.as_str().to_owned())
    };
    let built = DictBuilder::new()
        .with("users", texts(&change.users))
        .with("services", texts(&change.services))
        .with("from", texts(&change.places))
        .with("before", needs(&change.before))
        .with("after", needs(&change.after))
        .with_some("rule_before", rule(&change.before))
        .with_some("rule_after", rule(&change.after));
    built.into()
}

/// Returns what a login needs, as a phrase.
fn needs(requirement: &Requirement<'_>) -> String {
    match requirement {
        Requirement::Skip(_) => "no code".into(),
        Requirement::Deny(_) => "refused".into(),
        Requirement::EnrollUntil(deadline, _) => {
            format!("no code before {}", clock::display_local(deadline.0))
        }
        Requirement::Code(limits, _) => {
            use totpd_core::verification::Method;
            let methods =
                [(Method::Totp, "totp"), (Method::Hotp, "hotp"), (Method::Recovery, "recovery")];
            let counting: Vec<_> = methods
                .iter()
                .filter(|(method, _)| limits.methods.include(*method))
                .map(|(_, word)| *word)
                .collect();
            let which = match counting.len() == methods.len() {
                true => String::new(),
                false => format!(" ({})", counting.join(", ")),
            };
            let nullok = if limits.ends_nullok { ", also with nullok" } else { "" };
            let [remember, burst] = [
                (limits.remember.map(Remember::seconds), "remembered"),
                (limits.burst.map(Burst::seconds), "in a burst"),
            ]
            .map(|(seconds, words)| match seconds {
                Some(seconds) => format!(", {words} for {}", display_length(seconds)),
                None => String::new(),
            });
            format!("a code{which}{nullok}{remember}{burst}")
        }
    }
}

/// The bytes that a file may have.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// The records that are looked at.
const MAX_LISTED: u32 = 1000;
/// The real users that are compared. Each may cost questions to a directory.
const MAX_USERS: usize = 200;
/// The judgments of a comparison: about two seconds.
const MAX_JUDGMENTS: usize = 50_000_000;
