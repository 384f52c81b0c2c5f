//! `totpctl restore`: a backup in the place of the store.

use std::fs::{self, File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::{Map, Value};
use totpd_interface::Dictionary;
use zbus::{Fd, Variant};
use zeroize::Zeroizing;

use crate::bus::Bus;
use crate::failure::Failure;
use crate::{input, json, output, pipe};

/// How to restore.
pub(super) struct Options<'a> {
    pub(super) identity: Option<&'a Path>,
    pub(super) replace: bool,
    pub(super) dry_run: bool,
    pub(super) yes: bool,
}

pub(super) fn run(file: &Path, options: &Options<'_>, json: bool) -> Result<(), Failure> {
    let bus = Bus::connect()?;
    let source = open(file)?;
    let secret = secret(options.identity)?;
    let plan = ask(&bus, "Reading", (file, &source), &secret, &[("dry_run", true)])?;
    let present = json::number(&plan, "present_users").unwrap_or_default();
    if !json || options.dry_run {
        show(&plan, options.replace, json)?;
    }
    if options.dry_run {
        return Ok(());
    }
    if present > 0 && !options.replace {
        return Err(Failure::refused(format!(
            "the store has {present} users already: say --replace to put the backup in their place"
        )));
    }
    if !options.yes && !input::confirmed("Restore? [y/N] ")? {
        return Err(Failure::refused(
            "nothing was changed; say --yes to restore without a question",
        ));
    }
    // The same file that was shown, whatever has its name by now.
    let done = ask(&bus, "Restoring", (file, &source), &secret, &[("replace", options.replace)])?;
    let users = json::number(&done, "users").unwrap_or_default();
    if json {
        return output::json(&Value::from(done));
    }
    output::note(&format!(
        "{users} users are restored. Codes that may have been used before are refused, so the next \
         login takes a code that is shown a minute from now."
    ));
    Ok(())
}

/// Says what a restoration would do.
fn show(plan: &Map<String, Value>, replace: bool, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&Value::from(plan.clone()));
    }
    let number = |key| json::number(plan, key).unwrap_or_default();
    output::data(&format!(
        "Backup of {} users, made on {} by totpd {} at {}.\n",
        number("users"),
        output::escaped(&json::text(plan, "host")),
        output::escaped(&json::text(plan, "version")),
        output::time(number("made"))
    ))?;
    let present = number("present_users");
    output::data(&match (present, replace) {
        (0, _) => "The store has no users now.\n".to_owned(),
        (_, true) => format!("It would replace the store, which has {present} users now.\n"),
        (_, false) => {
            format!("The store has {present} users now, and is left alone without --replace.\n")
        }
    })?;
    let resync = plan.get("resync").and_then(Value::as_array);
    for user in resync.into_iter().flatten().filter_map(Value::as_str) {
        output::data(&format!(
            "The token of {} counts presses: it opens nothing before \"totpctl resync {}\".\n",
            output::escaped(user),
            output::escaped(user)
        ))?;
    }
    Ok(())
}

fn ask(
    bus: &Bus,
    what: &str,
    (file, source): (&Path, &File),
    secret: &Secret,
    flags: &[(&str, bool)],
) -> Result<Map<String, Value>, Failure> {
    let mut options = Dictionary::new();
    let (key, value) = match secret {
        Secret::Passphrase(passphrase) => ("passphrase", Variant::from(passphrase.as_str())),
        Secret::Identities(keys) => ("identities", Variant::from(keys.to_vec())),
    };
    let flags = flags.iter().map(|(key, flag)| (*key, Variant::from(*flag)));
    for (key, value) in flags.chain([(key, value)]) {
        let value = value.try_into_owned();
        let value = value.map_err(|error| Failure::refused(format!("{key}: {error}")))?;
        options.insert(key.to_owned(), value);
    }
    let copied = source.try_clone().and_then(pipe::out_of);
    let (end, copying) = copied.map_err(|error| unreadable(file, &error.to_string()))?;
    let told =
        bus.store(what, async |totpd| totpd.restore(Fd::from(OwnedFd::from(end)), &options).await);
    match told {
        Ok(details) => Ok(json::object(&details)),
        Err(why) => {
            Err(copying.trouble().map_or(why, |error| unreadable(file, &error.to_string())))
        }
    }
}

enum Secret {
    Passphrase(Zeroizing<String>),
    Identities(Zeroizing<Vec<String>>),
}

/// What opens the backup: the identities in a file of `age-keygen`, or a passphrase.
fn secret(identity: Option<&Path>) -> Result<Secret, Failure> {
    let Some(path) = identity else {
        return Ok(Secret::Passphrase(input::passphrase("Passphrase of the backup: ", false)?));
    };
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        Failure::refused(format!("the identity {} cannot be read: {error}", path.display()))
    })?;
    let keys: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(ToOwned::to_owned)
        .collect();
    if keys.is_empty() {
        return Err(Failure::refused(format!("{} holds no identity", path.display())));
    }
    Ok(Secret::Identities(Zeroizing::new(keys)))
}

fn open(file: &Path) -> Result<File, Failure> {
    // Not waiting for the other end of a pipe.
    let mut options = OpenOptions::new();
    let opened = options.read(true).custom_flags(nix::libc::O_NONBLOCK).open(file);
    let opened = opened.map_err(|error| unreadable(file, &error.to_string()))?;
    let metadata = opened.metadata().map_err(|error| unreadable(file, &error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable(file, "it is no plain file"));
    }
    Ok(opened)
}

fn unreadable(file: &Path, why: &str) -> Failure {
    Failure::refused(format!("the backup {} cannot be read: {why}", file.display()))
}
