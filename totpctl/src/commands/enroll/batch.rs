//! `totpctl enroll --batch`: enrolls many users, one input line each.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use totpd_interface::{Dictionary, ManagerProxy};

use self::line::Line;
use self::outcome::{Entry, Outcome};
use self::text_lines::{LineFault, TextLines};
use super::existing_token;
use super::sheet::{Page, Sheet};
use crate::cli::Enroll;
use crate::client::Client;
use crate::error::Error;
use crate::terminal::output;
use crate::terminal::progress_bar::ProgressBar;

mod line;
mod outcome;
mod requests;
mod text_lines;

pub(crate) fn run(file: &Path, options: &Enroll) -> Result<(), Error> {
    let sheet = options.sheet.as_deref().map(Sheet::create).transpose()?;
    let client = Client::connect()?;
    let mut batch = Batch::new(file, options, sheet)?;
    client.with_manager(async |totpd, timeout| {
        loop {
            let jobs = batch.next_round()?;
            if jobs.is_empty() {
                return Ok(());
            }
            batch.run_round(&totpd, timeout, jobs).await?;
        }
    })?;
    batch.finish()
}

/// A batch that is being worked through, in rounds of parallel requests.
struct Batch<'a> {
    options: &'a Enroll,
    file: &'a Path,
    lines: TextLines,
    /// The number of the last line, from 1.
    number: u64,
    /// A line for the next round, because its user is in this one already.
    held: Option<Result<String, LineFault>>,
    failed: u64,
    /// The users that a dry run with `--if-unenrolled` would enroll.
    planned: HashSet<String>,
    sheet: Option<Sheet>,
    bar: ProgressBar,
}

/// A line whose request is ready.
struct Job {
    number: u64,
    user: String,
    /// The request, or what is wrong with the line.
    request: Result<Dictionary, String>,
}

impl<'a> Batch<'a> {
    fn new(file: &'a Path, options: &'a Enroll, sheet: Option<Sheet>) -> Result<Self, Error> {
        let source: Box<dyn Read> = if file == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(file).map_err(|error| unreadable(file, &error))?)
        };
        let bar = ProgressBar::new("enrolling");
        let lines = TextLines::new(source).map_err(|error| unreadable(file, &error))?;
        let planned = HashSet::new();
        Ok(Self { options, file, lines, number: 0, held: None, failed: 0, planned, sheet, bar })
    }

    /// Reads the lines of the next round. No user is in it twice.
    fn next_round(&mut self) -> Result<Vec<Job>, Error> {
        let is_root = nix::unistd::geteuid().is_root();
        let size = if is_root { BATCH_SIZE } else { USER_BATCH_SIZE };
        let mut jobs: Vec<Job> = Vec::with_capacity(size);
        while jobs.len() < size {
            let Some(text) = self.next_line()? else { break };
            if text.as_ref().is_ok_and(|text| is_comment(text)) {
                continue;
            }
            let line = match &text {
                Ok(text) => Line::parse(text),
                Err(fault) => Err(fault.to_string()),
            };
            let user = line.as_ref().map(|line| line.user.clone()).unwrap_or_default();
            if jobs.iter().any(|job| job.user == user && !user.is_empty()) {
                self.held = Some(text);
                break;
            }
            let request = line.and_then(|line| self.request(&line));
            jobs.push(Job { number: self.number, user, request });
        }
        Ok(jobs)
    }

    fn request(&self, line: &Line) -> Result<Dictionary, String> {
        let token = line.token()?;
        if let Some(token) = token.as_ref().filter(|token| token.is_short()) {
            output::note(&format!(
                "line {}: warning: {}",
                self.number,
                existing_token::short(token)
            ));
        }
        line.request(self.options, token.as_ref())
    }

    fn next_line(&mut self) -> Result<Option<Result<String, LineFault>>, Error> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let line = self.lines.next_line().map_err(|error| unreadable(self.file, &error))?;
        self.number += u64::from(line.is_some());
        Ok(line)
    }

    /// Enrolls the users of a round in parallel, so they share the flushes of the disk. It reports
    /// them in the order of their lines.
    async fn run_round(
        &mut self,
        totpd: &ManagerProxy<'static>,
        timeout: Duration,
        jobs: Vec<Job>,
    ) -> Result<(), Error> {
        let mut entries = self.enroll(totpd, timeout, jobs).await?;
        if self.options.dry_run && self.options.no_confirm && self.options.if_unenrolled {
            self.skip_planned(&mut entries);
        }
        if self.options.no_confirm {
            // Without a sheet, each key is printed before its factor is verified. If this program
            // is killed between, no user has a verified factor whose key was lost.
            let printed = self.sheet.is_none();
            if printed {
                entries.iter().try_for_each(|entry| self.print(entry))?;
            }
            let pending: Vec<_> = entries.iter().map(|entry| entry.outcome.is_pending()).collect();
            let options = self.options;
            requests::verify(totpd, timeout, &mut entries, !printed, options.if_unenrolled).await?;
            if printed {
                // The lines that turned out otherwise than printed.
                for (entry, was_pending) in entries.iter().zip(pending) {
                    if was_pending && entry.outcome.is_failed() {
                        self.print(entry)?;
                    }
                }
            }
        }
        self.report(&entries)
    }

    /// Leaves a user alone that an earlier line of a dry run enrolls.
    fn skip_planned(&mut self, entries: &mut [Entry]) {
        for Entry { user, outcome, .. } in entries {
            if matches!(outcome, Outcome::Planned { .. }) && !self.planned.insert(user.clone()) {
                *outcome = Outcome::Unchanged;
            }
        }
    }

    async fn enroll(
        &self,
        totpd: &ManagerProxy<'static>,
        timeout: Duration,
        jobs: Vec<Job>,
    ) -> Result<Vec<Entry>, Error> {
        let mut started = Vec::with_capacity(jobs.len());
        for Job { number, user, request } in jobs {
            let (totpd, name) = (totpd.clone(), user.clone());
            let work = async move {
                match request {
                    Err(reason) => Ok(Outcome::Failed(reason)),
                    Ok(request) => requests::enroll(&totpd, timeout, &name, &request).await,
                }
            };
            started.push((number, user, tokio::task::spawn_local(work)));
        }
        let mut entries = Vec::with_capacity(started.len());
        for (number, user, work) in started {
            let outcome = work.await.map_err(|error| Error::refused(error.to_string()))??;
            let outcome = outcome.of_line(number, &user);
            entries.push(Entry { number, user, outcome });
        }
        Ok(entries)
    }

    /// Counts, adds pages to the sheet, and prints what was not printed before.
    fn report(&mut self, entries: &[Entry]) -> Result<(), Error> {
        for entry in entries {
            self.failed += u64::from(entry.outcome.is_failed());
            if let (Some(sheet), Outcome::Enrolled { uri, codes, expires, .. }) =
                (&mut self.sheet, &entry.outcome)
            {
                sheet.add(&Page { user: &entry.user, uri, codes, expires: *expires })?;
            }
            if !self.options.no_confirm || self.sheet.is_some() {
                self.print(entry)?;
            }
        }
        if self.bar.is_due() {
            self.bar.show(self.number, 0);
        }
        Ok(())
    }

    fn print(&self, entry: &Entry) -> Result<(), Error> {
        output::json(&entry.json(self.options.no_confirm))
    }

    /// Writes the sheet, and fails if a line did.
    fn finish(self) -> Result<(), Error> {
        if let Some(sheet) = self.sheet {
            sheet.finish()?;
        }
        match self.failed {
            0 => Ok(()),
            1 => Err(Error::reported("1 line failed; all others succeeded")),
            count => Err(Error::reported(format!("{count} lines failed; all others succeeded"))),
        }
    }
}

/// Reports whether a line is blank or a comment. No name of a user begins with a number sign.
fn is_comment(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

fn unreadable(file: &Path, error: &io::Error) -> Error {
    Error::refused(format!("--batch {}: cannot read the file: {error}", file.display()))
}

/// Parallel requests of root.
const BATCH_SIZE: usize = 64;
/// Parallel requests of other users. polkit answers at most four of them at a time for one user.
const USER_BATCH_SIZE: usize = 4;
