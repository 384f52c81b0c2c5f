//! `totpctl enroll --batch`: enrolls many users, one input line each.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use totpd_interface::{Dictionary, ManagerProxy};
use totpd_journal::escape::escape_within;

use self::line::Line;
use self::outcome::{Entry, Outcome};
use self::text_lines::{LineFault, TextLines};
use super::existing_token;
use super::sheet::Sheet;
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
    if options.sheet.is_none() && !options.dry_run {
        output::check_is_read("nobody would see the keys; use a file or --sheet")?;
    }
    let sheet = options.sheet.as_deref().map(Sheet::create).transpose()?;
    let client = Client::connect()?;
    let mut batch = Batch::new(file, options, sheet)?;
    client.with_manager(async |totpd, timeout| {
        loop {
            let jobs = batch.next_round()?;
            if jobs.is_empty() {
                return batch.verify_all(&totpd, timeout).await;
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
    /// The lines that succeeded, by the users that they enrolled, as NSS spells them.
    enrolled: HashMap<String, u64>,
    /// The lines that wait for the sheet, with `--no-confirm`.
    waiting: Vec<Entry>,
    sheet: Option<Sheet>,
    bar: ProgressBar,
}

/// A line whose request is ready.
struct Job {
    number: u64,
    user: String,
    /// The user as NSS spells it; empty if the line names none.
    account: String,
    /// The request, or the outcome of a line without one.
    request: Result<Dictionary, Outcome>,
}

impl<'a> Batch<'a> {
    fn new(file: &'a Path, options: &'a Enroll, sheet: Option<Sheet>) -> Result<Self, Error> {
        let source: Box<dyn Read> = if file == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(file).map_err(|error| unreadable_error(file, &error))?)
        };
        let bar = ProgressBar::new("enrolling");
        let lines = TextLines::new(source).map_err(|error| unreadable_error(file, &error))?;
        let (enrolled, waiting) = (HashMap::new(), Vec::new());
        Ok(Self {
            options,
            file,
            lines,
            number: 0,
            held: None,
            failed: 0,
            enrolled,
            waiting,
            sheet,
            bar,
        })
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
            let user = match (&line, &text) {
                (Ok(line), _) => line.user.clone(),
                (Err(_), Ok(text)) => Line::user_of(text),
                (Err(_), Err(_)) => String::new(),
            };
            let account = account_name(&user);
            if jobs.iter().any(|job| job.account == account && !account.is_empty()) {
                self.held = Some(text);
                break;
            }
            let request = match (line, self.enrolled.get(&account)) {
                (Err(fault), _) => Err(Outcome::Failed(fault)),
                (Ok(_), Some(earlier)) => Err(self.repeated(&user, *earlier)),
                (Ok(line), None) => self.request(&line).map_err(Outcome::Failed),
            };
            jobs.push(Job { number: self.number, user, account, request });
        }
        Ok(jobs)
    }

    /// Returns the outcome of a second line of a user that this batch enrolls. The second factor
    /// would replace the first one, and its key.
    fn repeated(&self, user: &str, earlier: u64) -> Outcome {
        match self.options.no_confirm && self.options.if_unenrolled {
            true => Outcome::Unchanged,
            false => Outcome::Failed(format!(
                "the user is in line {earlier} already: {}; keep one of the lines",
                escape_within(user, 64)
            )),
        }
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
        let line = self.lines.next_line().map_err(|error| unreadable_error(self.file, &error))?;
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
        let accounts: Vec<_> = jobs.iter().map(|job| job.account.clone()).collect();
        let mut entries = self.enroll(totpd, timeout, jobs).await?;
        let no_confirm = self.options.no_confirm;
        if no_confirm && self.sheet.is_none() {
            // Each key is printed before its factor is verified. If this program is killed
            // between, no user has a verified factor whose key was lost.
            entries.iter().try_for_each(|entry| self.print(entry))?;
            let pending: Vec<_> = entries.iter().map(|entry| entry.outcome.is_pending()).collect();
            let if_unenrolled = self.options.if_unenrolled;
            requests::verify(totpd, timeout, &mut entries, false, if_unenrolled).await?;
            // The lines that turned out otherwise than printed.
            for (entry, was_pending) in entries.iter().zip(pending) {
                if was_pending && entry.outcome.is_failed() {
                    self.print(entry)?;
                }
            }
        }
        for (entry, account) in entries.iter().zip(accounts) {
            if entry.outcome.is_success() {
                self.enrolled.insert(account, entry.number);
            }
        }
        if no_confirm && self.sheet.is_some() {
            self.waiting.extend(entries);
            return Ok(());
        }
        self.report(&entries, !no_confirm)
    }

    /// Writes the keys to the sheet, and only then verifies their factors. Nothing of a batch
    /// without both a sheet and `--no-confirm` waits for this.
    async fn verify_all(
        &mut self,
        totpd: &ManagerProxy<'static>,
        timeout: Duration,
    ) -> Result<(), Error> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let Some(sheet) = self.sheet.as_mut().filter(|_| self.options.no_confirm) else {
            return Ok(());
        };
        let unverified = "no factor of this batch is verified, and earlier ones stay valid";
        let drafted = waiting.iter().filter_map(Entry::page).try_for_each(|page| sheet.add(&page));
        drafted.and_then(|()| sheet.draft()).map_err(|error| error.with_consequence(unverified))?;
        for entries in waiting.chunks_mut(BATCH_SIZE) {
            let if_unenrolled = self.options.if_unenrolled;
            let verified = requests::verify(totpd, timeout, entries, true, if_unenrolled).await;
            verified.and_then(|()| self.report(entries, true)).map_err(|error| {
                error.with_consequence("the sheet has the keys, without recovery codes")
            })?;
        }
        Ok(())
    }

    async fn enroll(
        &self,
        totpd: &ManagerProxy<'static>,
        timeout: Duration,
        jobs: Vec<Job>,
    ) -> Result<Vec<Entry>, Error> {
        let mut started = Vec::with_capacity(jobs.len());
        for Job { number, user, request, .. } in jobs {
            let (totpd, name) = (totpd.clone(), user.clone());
            let work = async move {
                match request {
                    Err(outcome) => Ok(outcome),
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

    /// Counts, adds pages to the sheet, and prints the lines unless they are printed.
    fn report(&mut self, entries: &[Entry], prints: bool) -> Result<(), Error> {
        for entry in entries {
            self.failed += u64::from(entry.outcome.is_failed());
            if let (Some(sheet), Some(page)) = (&mut self.sheet, entry.page()) {
                sheet.add(&page)?;
            }
            if prints {
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

/// Returns the name of the account as NSS spells it, or as it is typed if NSS does not know it.
fn account_name(user: &str) -> String {
    match nix::unistd::User::from_name(user) {
        Ok(Some(account)) => account.name,
        Ok(None) | Err(_) => user.to_owned(),
    }
}

/// Reports whether a line is blank or a comment. No name of a user begins with a number sign.
fn is_comment(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

fn unreadable_error(file: &Path, error: &io::Error) -> Error {
    Error::refused(format!("--batch {}: cannot read the file: {error}", file.display()))
}

/// Parallel requests of root.
const BATCH_SIZE: usize = 64;
/// Parallel requests of other users. polkit answers at most four of them at a time for one user.
const USER_BATCH_SIZE: usize = 4;
