//! `totpctl restore`: replaces the store by a backup.

use std::fs::{self, File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::{Map, Value};
use totpd_interface::DictBuilder;
use totpd_interface::Dictionary;
use totpd_journal::escape::escape;
use zbus::Fd;
use zeroize::Zeroizing;

use crate::client::Client;
use crate::client::{details, transfer};
use crate::error::Error;
use crate::host::local_time;
use crate::terminal::{input, output};

/// The options of the command.
pub(super) struct Options<'a> {
    pub(super) identity: Option<&'a Path>,
    /// The fingerprint of the only store that may have signed the backup.
    pub(super) fingerprint: Option<&'a str>,
    pub(super) unsigned: bool,
    pub(super) replace: bool,
    pub(super) dry_run: bool,
    pub(super) yes: bool,
}

pub(super) fn run(file: &Path, options: &Options<'_>, json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let source = open(file)?;
    let secret = secret(options.identity)?;
    let dry_run = Mode { flag: ("dry_run", true), digest: None };
    let plan = request(&client, "Reading", (file, &source), &secret, options, &dry_run)?;
    let present = details::number(&plan, "current_users").unwrap_or_default();
    if !json {
        output::data(&preview(&plan, options))?;
    } else if options.dry_run {
        output::json(&Value::from(plan.clone()))?;
    }
    if is_warned(options, json)
        && let Some(older) = age_warning(&plan)
    {
        output::note(&older);
    }
    let refusal = details::text(&plan, "refusal");
    if !refusal.is_empty() {
        // The plan that was printed has the refusal.
        return Err(if options.dry_run {
            Error::reported(refusal)
        } else {
            Error::refused(refusal)
        });
    }
    if options.dry_run {
        return Ok(());
    }
    if present > 0 && !options.replace {
        return Err(Error::refused(format!(
            "not changed: the store has {} already; use --replace to replace them by the backup",
            output::count(present, "user")
        )));
    }
    if !options.yes && !input::confirm("Restore? [y/N] ")? {
        return Err(Error::refused(
            "not changed: not confirmed; use --yes to restore without a question",
        ));
    }
    // Restore the open file only if its content is still the one that was shown.
    let digest = details::text(&plan, "digest");
    let replace = Mode { flag: ("replace", options.replace), digest: Some(&digest) };
    let result = request(&client, "Restoring", (file, &source), &secret, options, &replace)?;
    let users = details::number(&result, "users").unwrap_or_default();
    if json {
        return output::json(&Value::from(result));
    }
    output::note(&format!(
        "{} restored. Codes that may have been used before are denied: codes of apps are valid from {} on.\n\
         All recovery codes are invalid: users create new ones with \"totpctl recovery-codes\".",
        output::count(users, "user"),
        local_time::display_local_with_seconds(
            details::number(&result, "usable_from").unwrap_or_default()
        )
    ));
    Ok(())
}

/// Returns what a restore would do, in lines.
fn preview(plan: &Map<String, Value>, options: &Options<'_>) -> String {
    let number = |key| details::number(plan, key).unwrap_or_default();
    let mut lines = vec![
        format!(
            "Backup of {}, created on {} by totpd {} at {}.",
            output::count(number("users"), "user"),
            details::escape_text(plan, "host"),
            details::escape_text(plan, "version"),
            local_time::display_local(number("created"))
        ),
        signer_sentence(plan, options.identity.is_none()),
    ];
    if !is_warned(options, false) {
        lines.extend(age_warning(plan));
    }
    // The error will say a refusal.
    if details::text(plan, "refusal").is_empty() {
        let present = number("current_users");
        let users = output::count(present, "user");
        lines.push(match (present, options.replace) {
            (0, _) => "The store has no users now.".to_owned(),
            (_, true) => format!("It would replace the store, which has {users} now."),
            (_, false) => {
                format!("The store has {users} now, and is not changed without --replace.")
            }
        });
        let resync = plan.get("resync").and_then(Value::as_array);
        lines.extend(resync.into_iter().flatten().filter_map(Value::as_str).map(|user| {
            let user = escape(user);
            format!(
                "The token of {user} counts presses: its codes are denied until \"totpctl resync {user}\"."
            )
        }));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Reports whether the warning of an older backup goes to standard error. Nobody is asked with
/// `--yes`, and `--json` shows a preview only for a dry run. Otherwise the preview has the warning.
fn is_warned(options: &Options<'_>, json: bool) -> bool {
    options.yes || (json && !options.dry_run)
}

/// Returns a sentence on who signed a backup, and what that proves.
fn signer_sentence(plan: &Map<String, Value>, has_passphrase: bool) -> String {
    let fingerprint = details::escape_text(plan, "fingerprint");
    match (details::text(plan, "signed_by").as_str(), has_passphrase) {
        ("this store", _) => "Signed by this store.".into(),
        ("an earlier key of this store", _) => {
            "Signed by this store, with a key from before a rekey. Anyone who stole that key could have signed it."
                .into()
        }
        ("another store", true) => {
            format!("Signed by another store, {fingerprint}. Its creator knew the passphrase.")
        }
        ("another store", false) => format!(
            "Signed by another store, {fingerprint}: restore it only if that store's \"totpctl backup\" \
             or \"totpctl doctor\" printed this fingerprint."
        ),
        ("nobody", true) => {
            "Not signed, because an older totpd created it. Its creator knew the passphrase.".into()
        }
        ("nobody", false) => {
            "Not signed: an older totpd created it, or anyone who knows its recipient.".into()
        }
        (_, _) => "The daemon did not report the signer of the backup, because its version differs. Restart totpd.".into(),
    }
}

/// Returns a warning if the store knows a newer backup.
fn age_warning(plan: &Map<String, Value>) -> Option<String> {
    let (created, newest) =
        (details::number(plan, "created")?, details::number(plan, "newest_backup")?);
    (created < newest).then(|| {
        format!(
            "This backup is older than the newest one that the store knows. It was created at {}, the \
             newest one at {}.",
            local_time::display_local_with_seconds(created),
            local_time::display_local_with_seconds(newest)
        )
    })
}

/// The use of the backup by totpd.
struct Mode<'a> {
    flag: (&'a str, bool),
    /// The digest of the content that was shown.
    digest: Option<&'a str>,
}

fn request(
    client: &Client,
    what: &str,
    (file, source): (&Path, &File),
    secret: &Secret,
    options: &Options<'_>,
    mode: &Mode<'_>,
) -> Result<Map<String, Value>, Error> {
    let (flag, is_set) = mode.flag;
    let request = DictBuilder::new()
        .with(flag, is_set)
        .with("unsigned", options.unsigned)
        .with_some("fingerprint", options.fingerprint)
        .with_some("digest", mode.digest);
    let request: Dictionary = match secret {
        Secret::Passphrase(passphrase) => request.with("passphrase", passphrase.as_str()),
        Secret::Identities(keys) => request.with("identities", keys.to_vec()),
    }
    .into();
    let copy = source.try_clone().and_then(transfer::copy_to_daemon);
    let (end, transfer) = copy.map_err(|error| unreadable_error(file, &error.to_string()))?;
    let reply = client
        .store(what, async |totpd| totpd.restore(Fd::from(OwnedFd::from(end)), &request).await);
    match reply {
        Ok(details) => Ok(details::object(&details)),
        Err(error) => Err(transfer
            .failure()
            .map_or(error, |error| unreadable_error(file, &error.to_string()))),
    }
}

enum Secret {
    Passphrase(Zeroizing<String>),
    Identities(Zeroizing<Vec<String>>),
}

/// Reads what opens the backup: the identities in a file of `age-keygen`, or a passphrase.
fn secret(identity: Option<&Path>) -> Result<Secret, Error> {
    let Some(path) = identity else {
        return Ok(Secret::Passphrase(input::passphrase("Passphrase of the backup: ", false)?));
    };
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        Error::refused(format!("cannot read the identity {}: {error}", path.display()))
    })?;
    // Editors of other systems begin a file with a byte order mark.
    let keys: Vec<String> = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(ToOwned::to_owned)
        .collect();
    if keys.is_empty() {
        return Err(Error::refused(format!(
            "cannot read the identity {}: the file has none",
            path.display()
        )));
    }
    Ok(Secret::Identities(Zeroizing::new(keys)))
}

fn open(file: &Path) -> Result<File, Error> {
    // Opening a pipe must not block.
    let mut options = OpenOptions::new();
    let opened = options.read(true).custom_flags(nix::libc::O_NONBLOCK).open(file);
    let opened = opened.map_err(|error| unreadable_error(file, &error.to_string()))?;
    let metadata = opened.metadata().map_err(|error| unreadable_error(file, &error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable_error(file, "it is not a regular file"));
    }
    Ok(opened)
}

fn unreadable_error(file: &Path, reason: &str) -> Error {
    Error::refused(format!("cannot read the backup {}: {reason}", file.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json as object;

    use super::*;

    fn plan(value: Value) -> Map<String, Value> {
        let Value::Object(plan) = value else { unreachable!() };
        plan
    }

    #[test]
    fn the_signer_and_its_meaning_are_printed() {
        let line = |signed_by: &str, has_passphrase| {
            signer_sentence(
                &plan(object!({ "signed_by": signed_by, "fingerprint": "SHA256:x" })),
                has_passphrase,
            )
        };
        for has_passphrase in [true, false] {
            assert_eq!(line("this store", has_passphrase), "Signed by this store.");
            let earlier = line("an earlier key of this store", has_passphrase);
            assert!(earlier.contains("before a rekey"), "{earlier}");
        }
        assert!(
            line("another store", false).contains("another store, SHA256:x: restore it only if")
        );
        assert!(
            line("another store", true).ends_with("SHA256:x. Its creator knew the passphrase.")
        );
        assert!(line("nobody", false).contains("or anyone who knows its recipient"));
        assert!(line("nobody", true).contains("Its creator knew the passphrase"));
    }

    #[test]
    fn only_an_older_backup_is_reported_with_both_dates() {
        let sentence = |created: u64, newest: Option<u64>| {
            let mut plan = plan(object!({ "created": created }));
            plan.extend(newest.map(|newest| ("newest_backup".to_owned(), newest.into())));
            age_warning(&plan)
        };
        assert_eq!(sentence(5, None), None);
        assert_eq!(sentence(5, Some(5)), None);
        assert_eq!(sentence(6, Some(5)), None);
        let words = sentence(1_800_000_000, Some(1_800_000_009)).unwrap();
        for date in [1_800_000_000, 1_800_000_009] {
            assert!(words.contains(&local_time::display_local_with_seconds(date)), "{words}");
        }
    }

    #[test]
    fn an_older_backup_is_reported_once() {
        let plan = plan(object!({ "created": 5, "newest_backup": 6, "current_users": 1 }));
        for (yes, dry_run, json, is_previewed) in [
            (false, false, false, true),
            (false, true, false, true),
            (true, false, false, false),
            (true, false, true, false),
            (false, false, true, false),
        ] {
            let options = Options {
                identity: None,
                fingerprint: None,
                unsigned: false,
                replace: true,
                dry_run,
                yes,
            };
            assert_eq!(is_warned(&options, json), !is_previewed, "{yes} {dry_run} {json}");
            if !json {
                let preview = preview(&plan, &options);
                assert_eq!(preview.contains("is older than"), is_previewed, "{preview}");
                assert!(preview.ends_with("which has 1 user now.\n"), "{preview}");
            }
        }
    }
}
