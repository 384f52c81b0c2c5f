//! `totpctl export`: writes the factors of users for another program, with their seeds.

use serde_json::json;
use totpd_interface::Error as DaemonError;
use totpd_journal::escape::escape;

use crate::cli::{Export, ExportFormat};
use crate::client::{Client, details};
use crate::commands::export::content::Content;
use crate::commands::export::leaving::{Leaving, leaving};
use crate::commands::export::target::Target;
use crate::error::Error;
use crate::host::local_time;
use crate::terminal::output;

mod content;
mod leaving;
mod target;

pub(super) fn run(options: &Export, json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    // This comes before the daemon hands out a seed.
    client.check_passes_descriptors()?;
    let users = match options.users.is_empty() {
        true => enrolled_users(&client)?,
        false => options.users.clone(),
    };
    if users.is_empty() {
        return Err(Error::refused("no user is enrolled; nothing was written"));
    }
    let is_folder = options.format == ExportFormat::GoogleAuthenticator
        && (users.len() > 1 || options.users.is_empty());
    let mut target = Target::create(&options.output, is_folder)?;
    let written = write(&client, &users, options, &mut target, json);
    // An incomplete export may open a code again.
    let failed = written.inspect_err(|_| target.remove())?;
    target.finish()?;
    output::note(&format!(
        "{} has the seeds of these users: a reader of it has their second factor. Remove it when the other program has \
         them. Codes that are used here from now on are not in it.",
        options.output.display()
    ));
    match failed {
        0 => Ok(()),
        count => Err(Error::reported(format!("{} not exported", output::count(count, "user")))),
    }
}

/// Writes the factors of all users. Returns the number of users who have none that can leave.
fn write(
    client: &Client,
    users: &[String],
    options: &Export,
    target: &mut Target,
    json: bool,
) -> Result<u64, Error> {
    let (mut content, mut failed) = (Content::new(options.format), 0);
    for user in users {
        let mut export = match client.manager(async |totpd| Ok(totpd.export(user).await)) {
            Ok(Ok((factors, details))) => {
                leaving(&factors, &details::object(&details), content.now)
            }
            Ok(Err(
                error @ (DaemonError::NotEnrolled(_)
                | DaemonError::NoSuchUser(_)
                | DaemonError::StoreCorrupt(_)),
            )) => Err(Error::from(error)),
            Ok(Err(error)) => return Err(error.into()),
            Err(error) => return Err(error),
        };
        if let Ok(export) = &mut export {
            content.add(user, export, target)?;
        }
        let is_failed = export.as_ref().map_or(true, |export| export.gone.is_empty());
        failed += u64::from(is_failed);
        report(user, &export, json)?;
    }
    content.finish(target)?;
    Ok(failed)
}

/// Says what left, and what stays.
fn report(user: &str, export: &Result<Leaving, Error>, json: bool) -> Result<(), Error> {
    match (export, json) {
        (Err(error), true) => {
            let error = json!({ "code": error.code(), "message": error.to_string() });
            output::json(&json!({ "user": user, "result": "failed", "error": error }))
        }
        (Err(error), false) => {
            output::note(&format!("{}: {error}", escape(user)));
            Ok(())
        }
        (Ok(export), true) => output::json(&json!({
            "user": user, "result": if export.gone.is_empty() { "left" } else { "exported" },
            "factors": export.gone, "left_out": export.left_out, "notes": export.notes,
            "recovery_codes": export.recovery_codes, "unused_from": export.unused_from,
        })),
        (Ok(export), false) => {
            let user = escape(user);
            if !export.gone.is_empty() {
                output::data(&format!("{user}: exported {}\n", export.gone.join(", ")))?;
            }
            for reason in &export.left_out {
                output::note(&format!("{user}: left {}", escape(reason)));
            }
            for reason in &export.notes {
                output::note(&format!("{user}: {}", escape(reason)));
            }
            if let Some(time) = export.unused_from {
                let time = local_time::display_local_with_seconds(time);
                output::note(&format!(
                    "{user}: used codes are not in it; the first unused one is that of {time}"
                ));
            }
            if export.recovery_codes > 0 {
                let codes = output::count(export.recovery_codes, "recovery code");
                output::note(&format!(
                    "{user}: {codes} cannot leave, because totpd has their hashes alone"
                ));
            }
            Ok(())
        }
    }
}

fn enrolled_users(client: &Client) -> Result<Vec<String>, Error> {
    let (mut users, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.manager(async |totpd| totpd.list_users(&after, PAGE).await)?;
        let page: Vec<_> = page.iter().map(details::object).collect();
        let Some(last) = page.last() else { return Ok(users) };
        after = details::text(last, "user");
        let enrolled = page.iter().filter(|user| details::flag(user, "enrolled"));
        users.extend(enrolled.map(|user| details::text(user, "user")));
    }
}

/// Users in one answer.
const PAGE: u32 = 500;
