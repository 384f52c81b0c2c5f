//! `--all-homes`: the file of every user, as the stacks of this host name it. A child that has
//! become the user opens and parses it.

use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nix::unistd::{Uid, User, getgrouplist};
use pam_stack::parse::{Directive, Kind, parse_lines};
use totpd_formats::reading::Format;

use crate::commands::import::choice::Terminal;
use crate::commands::import::owners::{Accounts, Assigned, Matching, assign};
use crate::commands::import::pam_line::PamLine;
use crate::commands::import::reader;
use crate::commands::import::report::Report;
use crate::commands::import::source::Source;
use crate::error::Error;
use crate::host::accounts::{self, Account};
use crate::pam::files;
use crate::program;
use crate::terminal::progress_bar::ProgressBar;

/// The file of a user.
struct Home {
    user: String,
    uid: u32,
    path: PathBuf,
    /// The user who reads the file, and whose it has to be.
    reader: User,
    mode: u32,
}

/// What became of a file.
enum Found {
    Absent,
    Read(Source),
    Failed(String),
}

/// Reads the files of all users.
pub(super) fn read(accounts: &Accounts, report: &mut Report) -> Result<Vec<Assigned>, Error> {
    let line = pam_line()?;
    let all = accounts::list_all().unwrap_or_else(accounts::list_local);
    let homes = all.iter().filter_map(|account| home(account, &line)).collect::<Vec<_>>();
    let (next, total) = (AtomicUsize::new(0), homes.len());
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut found = Vec::with_capacity(total);
    let mut bar = ProgressBar::new("reading");
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, |count| count.get() * 2) {
            let (sender, next, homes) = (sender.clone(), &next, &homes);
            scope.spawn(move || {
                while let Some((at, home)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|at| Some((at, homes.get(at)?)))
                {
                    if sender.send((at, read_home(home))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for one in receiver {
            found.push(one);
            if bar.is_due() {
                bar.show(found.len() as u64, total as u64);
            }
        }
    });
    drop(bar);
    found.sort_by_key(|(at, _)| *at);
    let mut assigned = Vec::new();
    for (home, (_, found)) in homes.iter().zip(found) {
        match found {
            Found::Absent => {}
            Found::Failed(reason) => report.home_failed(&home.user, &home.path, &reason)?,
            Found::Read(source) => {
                let matching = Matching::User(home.user.clone());
                let chooser = &mut Terminal::new();
                assigned.extend(assign(vec![source], &matching, accounts, chooser, report)?);
            }
        }
    }
    Ok(assigned)
}

/// Returns the one way in which the stacks of this host name the files.
fn pam_line() -> Result<PamLine, Error> {
    let found = lines_of_module();
    let Some(((place, line), rest)) = found.split_first() else {
        return Err(Error::refused(format!(
            "no service of this host has a line of {MODULE}; import the files by name instead"
        )));
    };
    match rest.iter().find(|(_, other)| other != line) {
        None => Ok(line.clone()),
        Some((other, _)) => Err(Error::refused(format!(
            "{place} and {other} name different files of users; import the files by name instead"
        ))),
    }
}

/// Returns the lines of the module in all stacks, and in the files that they include.
fn lines_of_module() -> Vec<(String, PamLine)> {
    let (mut names, mut next, mut found) = (files::services(), 0, Vec::new());
    while let Some(name) = names.get(next).cloned() {
        next += 1;
        let text = files::read(&name).unwrap_or_default();
        for line in parse_lines(&text).unwrap_or_default() {
            match line.directive {
                Directive::IncludeAll(file) | Directive::Include { file, .. } => {
                    if !names.contains(&file) {
                        names.push(file);
                    }
                }
                Directive::Module { kind: Kind::Auth, path, args, .. }
                    if path.rsplit('/').next() == Some(MODULE) =>
                {
                    found.push((format!("{name}:{}", line.number), PamLine::parse(&args)));
                }
                Directive::Module { .. } | Directive::Malformed { .. } => {}
            }
        }
    }
    found
}

/// Returns where the file of a user is, if the module finds it.
fn home(account: &Account, line: &PamLine) -> Option<Home> {
    let path = line.path(&account.name, &account.home)?;
    let reader = match &line.reader {
        None => User::from_uid(Uid::from_raw(account.uid)).ok().flatten()?,
        Some(name) => match name.parse() {
            Ok(uid) => User::from_uid(Uid::from_raw(uid)).ok().flatten()?,
            Err(_) => User::from_name(name).ok().flatten()?,
        },
    };
    Some(Home { user: account.name.clone(), uid: account.uid, path, reader, mode: line.mode })
}

fn read_home(home: &Home) -> Found {
    let identity = match identity(&home.reader) {
        Ok(identity) => identity,
        Err(error) => return Found::Failed(format!("its groups are not known: {error}")),
    };
    let mut command = reader::command(Format::GoogleAuthenticator, &identity);
    let mut file = std::ffi::OsString::from("--file=");
    file.push(&home.path);
    command
        .arg(file)
        .arg(format!("--owner={}", home.reader.uid))
        .arg(format!("--mode={:o}", home.mode))
        .stdin(std::process::Stdio::null());
    match program::output_within(command, TIME_FOR_A_HOME) {
        Err(error) => Found::Failed(error.to_string()),
        Ok(output) => found(home, &output),
    }
}

fn found(home: &Home, output: &Output) -> Found {
    match output.status.code() {
        Some(READ) => {}
        Some(ABSENT) => return Found::Absent,
        Some(NOT_READ | UNUSABLE) => {
            return Found::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        _ => return Found::Failed(format!("its reader died ({})", output.status)),
    }
    match reader::parse(&mut &*output.stdout) {
        Err(failure) => Found::Failed(failure.to_string()),
        Ok((entries, _)) => Found::Read(Source {
            file: home.path.clone(),
            // The module reads the file of this user, also if it belongs to another one by `user=`.
            owner: home.uid,
            is_of_one_user: true,
            entries,
        }),
    }
}

/// Returns `UID:GID:GID,GID…` of a user.
fn identity(user: &User) -> Result<String, String> {
    let name = std::ffi::CString::new(user.name.clone()).map_err(|error| error.to_string())?;
    let groups = getgrouplist(&name, user.gid).map_err(|error| error.to_string())?;
    let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
    Ok(format!("{}:{}:{}", user.uid, user.gid, groups.join(",")))
}

const MODULE: &str = "pam_google_authenticator.so";
/// A home may be on a file server that does not answer.
const TIME_FOR_A_HOME: Duration = Duration::from_secs(10);
/// The exit statuses of the child: `totp_import/src/exit_status.rs`.
const READ: i32 = 0;
const UNUSABLE: i32 = 2;
const ABSENT: i32 = 3;
const NOT_READ: i32 = 4;
