//! `totpctl enroll --batch`: many users, one line of JSON each.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use totpd_interface::{Dictionary, Error as DaemonError, ManagerProxy};
use zbus::Variant;
use zeroize::Zeroizing;

use super::sheet::{Page, Sheet};
use crate::cli::Enroll;
use crate::client::details;
use crate::client::{Client, with_timeout};
use crate::error::Error;
use crate::terminal::progress_bar::Bar;
use crate::terminal::{base32, output};

/// What a line says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    user: String,
    name: Option<String>,
    issuer: Option<String>,
    algorithm: Option<String>,
    digits: Option<u32>,
    period: Option<u32>,
    /// Wiped by the allocator, like all memory of totpctl.
    secret: Option<String>,
}

/// What came of a line.
enum Outcome {
    Enrolled {
        factor: String,
        uri: Zeroizing<String>,
        codes: Vec<String>,
        /// When it is dropped; nothing once it is verified.
        expires: Option<u64>,
        usable_from: Option<u64>,
    },
    Planned,
    Unchanged,
    Failed(String),
}

pub(crate) fn run(file: &Path, options: &Enroll) -> Result<(), Error> {
    let mut sheet = options.sheet.as_deref().map(Sheet::create).transpose()?;
    let client = Client::connect()?;
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let opened = File::open(file);
        Box::new(opened.map_err(|e| Error::refused(format!("--batch {}: {e}", file.display())))?)
    };
    let mut source = BufReader::new(source);
    let mut bar = Bar::new("enrolling");
    let (mut number, mut failed) = (0_u64, 0_u64);
    // A line of a user who is being worked on waits for the next round.
    let mut held = None;
    let together = if nix::unistd::geteuid().is_root() { BATCH_SIZE } else { USER_BATCH_SIZE };
    client.with_manager(async |totpd, patience| {
        loop {
            // Together, so that they share the flushes of the disk; told in the order of their lines.
            let mut started = Vec::with_capacity(together);
            while started.len() < together {
                let next = match held.take() {
                    Some(line) => Some(line),
                    None => next_line(&mut source, file)?.inspect(|_| number += 1),
                };
                let Some(bytes) = next else { break };
                let line =
                    String::from_utf8(bytes.clone()).map_err(|_| "it is not UTF-8".to_owned());
                if line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
                    continue;
                }
                let parsed = line.and_then(|line| parse(&line));
                let user = parsed.as_ref().map(|line| line.user.clone()).unwrap_or_default();
                if started.iter().any(|(_, other, _)| *other == user && !user.is_empty()) {
                    held = Some(bytes);
                    break;
                }
                let asked = parsed.and_then(|line| dictionary(&line, options));
                let totpd = totpd.clone();
                let (dry_run, named) = (options.dry_run, user.clone());
                let work = async move {
                    match asked {
                        Err(why) => Ok(Outcome::Failed(why)),
                        Ok(_) if dry_run => plan(&totpd, patience, &named).await,
                        Ok(asked) => enroll(&totpd, patience, &named, &asked).await,
                    }
                };
                started.push((number, user, tokio::task::spawn_local(work)));
            }
            if started.is_empty() {
                return Ok(());
            }
            let mut done = Vec::with_capacity(started.len());
            for (number, user, work) in started {
                let work = work.await.map_err(|error| Error::refused(error.to_string()))?;
                done.push((number, user, work?));
            }
            // Where nobody gives a first code, factors are verified when their keys are told: a run that
            // is killed leaves nobody with a key that nobody has.
            if options.no_confirm && sheet.is_none() {
                for (number, user, outcome) in &done {
                    output::json(&told(*number, user, outcome))?;
                }
            }
            if options.no_confirm {
                let pending = |(number, _, outcome): &(u64, String, Outcome)| {
                    matches!(outcome, Outcome::Enrolled { expires: Some(_), .. }).then_some(*number)
                };
                let told_before: Vec<_> = done.iter().filter_map(pending).collect();
                verify(&totpd, patience, &mut done, sheet.is_some(), options.if_unenrolled).await?;
                if sheet.is_none() {
                    // They were told already, and it is not as they were told.
                    for (number, user, outcome) in &done {
                        if matches!(outcome, Outcome::Failed(_)) && told_before.contains(number) {
                            output::json(&told(*number, user, outcome))?;
                        }
                    }
                }
            }
            for (number, user, outcome) in done {
                failed += u64::from(matches!(outcome, Outcome::Failed(_)));
                if let (Some(sheet), Outcome::Enrolled { uri, codes, expires, .. }) =
                    (&mut sheet, &outcome)
                {
                    sheet.add(&Page { user: &user, uri, codes, expires: *expires })?;
                }
                if !options.no_confirm || sheet.is_some() {
                    output::json(&told(number, &user, &outcome))?;
                }
            }
            if bar.is_due() {
                bar.show(number, 0);
            }
        }
    })?;
    if let Some(sheet) = sheet {
        sheet.finish()?;
    }
    match failed {
        0 => Ok(()),
        1 => Err(Error::refused("1 line failed; all others are done")),
        _ => Err(Error::refused(format!("{failed} lines failed; all others are done"))),
    }
}

fn next_line(source: &mut impl BufRead, file: &Path) -> Result<Option<Vec<u8>>, Error> {
    let mut line = Vec::new();
    let read = source.take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
    let read = read.map_err(|e| Error::refused(format!("--batch {}: {e}", file.display())))?;
    Ok((read > 0).then_some(line))
}

fn parse(line: &str) -> Result<Line, String> {
    let line = line.trim();
    if line.starts_with('{') {
        return serde_json::from_str(line).map_err(|error| error.to_string());
    }
    if line.chars().any(char::is_control) {
        return Err("it is neither a name nor an object of JSON".into());
    }
    let user = line.to_owned();
    let (name, issuer, algorithm, digits, period, secret) = (None, None, None, None, None, None);
    Ok(Line { user, name, issuer, algorithm, digits, period, secret })
}

/// What is asked for a line, which goes before the options of the command.
fn dictionary(line: &Line, options: &Enroll) -> Result<Dictionary, String> {
    let secret = line.secret.as_ref().map(|text| base32::parse(text)).transpose();
    let secret = secret.map_err(|_| "secret is not base32".to_owned())?;
    let kind = options.hotp.then_some("hotp");
    let algorithm = line.algorithm.as_deref().or(options.algorithm.map(|given| given.name()));
    // A key that somebody has already needs not be told before its factor is verified.
    let at_once = options.no_confirm && secret.is_some();
    let entries = [
        ("name", line.name.as_deref().or(options.name.as_deref()).map(Variant::from)),
        ("issuer", line.issuer.as_deref().or(options.issuer.as_deref()).map(Variant::from)),
        ("algorithm", algorithm.map(Variant::from)),
        ("digits", line.digits.or(options.digits).map(Variant::from)),
        ("period", line.period.or(options.period).map(Variant::from)),
        ("kind", kind.map(Variant::from)),
        ("secret", secret.map(|secret| secret.to_vec().into())),
        ("if_unenrolled", options.if_unenrolled.then(|| true.into())),
        ("qr", Some(false.into())),
        // A run that was cut short is taken up again with the same factors.
        ("resume", (!at_once).then(|| true.into())),
        ("confirmed", at_once.then(|| true.into())),
        ("recovery_codes", at_once.then(|| options.sheet.is_some().into())),
    ];
    let given = entries
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.try_into_owned().ok()?)));
    Ok(given.collect())
}

async fn enroll(
    totpd: &ManagerProxy<'_>,
    patience: Duration,
    user: &str,
    asked: &Dictionary,
) -> Result<Outcome, Error> {
    match with_timeout(patience, totpd.enroll(user, asked)).await? {
        Ok((factor, uri, details)) => {
            let details = details::object(&details);
            let codes = details::texts(&details, "recovery_codes");
            let [expires, usable_from] =
                ["expires", "usable_from"].map(|key| details::number(&details, key));
            Ok(Outcome::Enrolled { factor, uri: Zeroizing::new(uri), codes, expires, usable_from })
        }
        // Only who asked to leave such users alone meant that.
        Err(DaemonError::AlreadyEnrolled(_)) if asked.contains_key("if_unenrolled") => {
            Ok(Outcome::Unchanged)
        }
        Err(DaemonError::AlreadyEnrolled(why)) => Ok(Outcome::Failed(why)),
        Err(error) => of_this_line(error),
    }
}

/// Makes the pending factors verified, each by its id, and recovery codes if there is paper for them: without a
/// sheet nobody would ever see them. A factor that somebody else replaced meanwhile fails its line.
async fn verify(
    totpd: &ManagerProxy<'static>,
    patience: Duration,
    done: &mut [(u64, String, Outcome)],
    codes: bool,
    if_unenrolled: bool,
) -> Result<(), Error> {
    let mut started = Vec::with_capacity(done.len());
    for (_, user, outcome) in done.iter_mut() {
        if let Outcome::Enrolled { factor, expires: Some(_), .. } = outcome {
            let entries: [(&str, Variant<'_>); 5] = [
                ("confirmed", true.into()),
                ("factor", factor.as_str().into()),
                ("recovery_codes", codes.into()),
                ("if_unenrolled", if_unenrolled.into()),
                ("qr", false.into()),
            ];
            let options: Dictionary = entries
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value.try_into_owned().ok()?)))
                .collect();
            let (totpd, user) = (totpd.clone(), user.clone());
            let work = async move { with_timeout(patience, totpd.enroll(&user, &options)).await };
            started.push((outcome, tokio::task::spawn_local(work)));
        }
    }
    for (outcome, work) in started {
        let work = work.await.map_err(|error| Error::refused(error.to_string()))?;
        match work? {
            Ok((_, _, details)) => {
                if let Outcome::Enrolled { codes, expires, .. } = outcome {
                    *codes = details::texts(&details::object(&details), "recovery_codes");
                    *expires = None;
                }
            }
            Err(DaemonError::NotEnrolled(why) | DaemonError::AlreadyEnrolled(why)) => {
                *outcome = Outcome::Failed(format!("the factor is not verified: {why}"));
            }
            Err(error) => *outcome = of_this_line(error)?,
        }
    }
    Ok(())
}

async fn plan(totpd: &ManagerProxy<'_>, patience: Duration, user: &str) -> Result<Outcome, Error> {
    match with_timeout(patience, totpd.get_user(user)).await? {
        Ok(state) if details::flag(&details::object(&state), "enrolled") => Ok(Outcome::Unchanged),
        Ok(_) => Ok(Outcome::Planned),
        Err(error) => of_this_line(error),
    }
}

/// What is wrong with one user stops nobody else; what is wrong with the daemon stops everything.
fn of_this_line(error: DaemonError) -> Result<Outcome, Error> {
    match error {
        DaemonError::NoSuchUser(why)
        | DaemonError::InvalidArgument(why)
        | DaemonError::StoreCorrupt(why) => Ok(Outcome::Failed(why)),
        other => Err(other.into()),
    }
}

fn told(number: u64, user: &str, outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Enrolled { factor, uri, codes, usable_from, .. } => json!({
            "line": number, "user": user, "result": "enrolled", "changed": true, "factor": factor,
            "uri": uri.as_str(), "secret": base32::secret_of_uri(uri), "recovery_codes": codes,
            "usable_from": usable_from,
        }),
        Outcome::Planned => {
            json!({ "line": number, "user": user, "result": "planned", "changed": true })
        }
        Outcome::Unchanged => {
            json!({ "line": number, "user": user, "result": "unchanged", "changed": false })
        }
        Outcome::Failed(why) => json!({
            "line": number, "user": user, "result": "failed", "changed": false, "error": why,
        }),
    }
}

/// Questions that are open at a time.
const BATCH_SIZE: usize = 64;
/// The same for who is not root: polkit is asked about four things of a user at a time.
const USER_BATCH_SIZE: usize = 4;
/// Bytes of a line; what is longer is cut there, and no name.
const MAX_LINE_BYTES: u64 = 16 * 1024;
