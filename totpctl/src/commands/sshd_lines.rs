//! The offer to write the lines without which sshd cannot ask for a code.

use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::preflight::host::sshd_problems;
use crate::cli::ModuleOptions;
use crate::error::Error;
use crate::host::sshd::config::effective::USUAL_SERVICE;
use crate::host::sshd::question::suppose;
use crate::host::sshd::reload::Reloaded;
use crate::host::sshd::ways::stack;
use crate::pam::change::{Change, current_options, read_after};
use crate::sshd_drop_in::change::{DropIn, changed_since_plan};
use crate::sshd_drop_in::content::{COMMAND, FILE};
use crate::sshd_drop_in::line::Purpose;
use crate::terminal::{input, output};

/// What was offered, and what became of it.
pub(super) struct Offer {
    /// The drop-in to write, if sshd needs one and the administrator wants it.
    pub(super) drop_in: Option<DropIn>,
    /// What was planned, for a comparison.
    outline: String,
}

impl Offer {
    fn new(drop_in: Option<DropIn>, outline: String) -> Self {
        Self { drop_in, outline }
    }

    /// Refuses the change if the plan of the drop-in is another one now.
    pub(super) fn check_current(
        &self,
        service: &str,
        options: &ModuleOptions,
        changes: &[Change],
    ) -> Result<(), Error> {
        match service != SSHD || outline(&plan(options, changes)) == self.outline {
            true => Ok(()),
            false => Err(changed_since_plan()),
        }
    }
}

/// Plans the drop-in that sshd needs after these changes.
fn plan(options: &ModuleOptions, changes: &[Change]) -> Result<Option<DropIn>, Error> {
    let args = options.options().unwrap_or_else(|| current_options(SSHD));
    DropIn::plan(Purpose {
        // Others log in by the method password.
        asks_everybody: !args.iter().any(|arg| EXCEPTIONS.contains(&arg.as_str()))
            && stack::facts(USUAL_SERVICE, &|file| read_after(changes, file)).exceptions.is_empty(),
        is_demanded: options.write_sshd,
    })
}

/// Returns a text that is another one for another plan.
fn outline(planned: &Result<Option<DropIn>, Error>) -> String {
    match planned {
        Ok(None) => String::new(),
        Ok(Some(planned)) => format!("{:?} {}", planned.lines, planned.diff()),
        Err(obstacle) => obstacle.to_string(),
    }
}

/// Offers to write the drop-in, if sshd needs one. All that is asked of sshd later is asked as if
/// it were there. `typed`: the command of the administrator.
///
/// # Errors
/// sshd cannot ask, and the administrator does not want the drop-in, or it would have no effect.
pub(super) fn offer(
    service: &str,
    options: &ModuleOptions,
    changes: &[Change],
    dry_run: bool,
    typed: &str,
) -> Result<Offer, Error> {
    if service != SSHD {
        return match options.write_sshd {
            true => Err(Error::Usage(format!("--write-sshd is for sshd, not for {service}"))),
            false => Ok(Offer::new(None, String::new())),
        };
    }
    let planned = plan(options, changes);
    let outline = outline(&planned);
    let not_changed = |reason: &dyn Display| Error::refused(format!("not changed: {reason}"));
    let planned = match planned {
        Ok(None) => return Ok(Offer::new(None, outline)),
        Ok(Some(planned)) if options.write_sshd => planned,
        Err(obstacle) if options.write_sshd => return Err(not_changed(&obstacle)),
        // Whether the lines matter depends on the rest of the configuration.
        planned => match (planned, sshd_problems(changes)) {
            (_, None) => return Ok(Offer::new(None, outline)),
            (Ok(Some(planned)), Some(problems))
                if is_wanted(&planned, &name_typed(&problems, typed), dry_run)? =>
            {
                planned.shown()
            }
            (Err(obstacle), Some(problems)) => {
                return Err(not_changed(&format_args!("{problems}; {obstacle}")));
            }
            // A person has just read the problems.
            (Ok(_), Some(_)) if input::is_terminal() => {
                return Err(not_changed(&"without that file sshd cannot ask for a code"));
            }
            (Ok(_), Some(problems)) => return Err(not_changed(&problems)),
        },
    };
    suppose(planned.lines.iter().map(|line| line.text('=')).collect());
    Ok(Offer::new(Some(planned), outline))
}

/// Refuses a trial of a stack that asks already, if sshd needs a drop-in: a trial is of stacks.
pub(super) fn refuse_alone(service: &str, options: &ModuleOptions) -> Result<(), Error> {
    match options.write_sshd && offer(service, options, &[], true, "")?.drop_in.is_some() {
        true => Err(Error::refused(format!(
            "not changed: the stack of sshd asks already, so there is no stack to try; run {COMMAND}"
        ))),
        false => Ok(()),
    }
}

/// Asks a person at a terminal whether to write it.
fn is_wanted(planned: &DropIn, problems: &str, dry_run: bool) -> Result<bool, Error> {
    if !input::is_terminal() {
        return Ok(false);
    }
    output::note(&format!("Problem: {problems}.\n"));
    output::note_whole(&format!("{}\n", planned.diff()));
    if dry_run {
        return Ok(true);
    }
    input::confirm(&format!("Write this file, and reload sshd ({})? [y/N] ", planned.reload))
}

/// Names the command line that the administrator typed, where a text names the command that writes
/// the drop-in.
pub(super) fn name_typed(text: &str, typed: &str) -> String {
    text.replace(COMMAND, &format!("{typed} --write-sshd"))
}

/// Returns the changed lines of the drop-in, unless the administrator has just seen them.
pub(super) fn diff(drop_in: Option<&DropIn>) -> String {
    let is_unseen = |drop_in: &&DropIn| !(drop_in.is_shown && output::is_terminal());
    drop_in.filter(is_unseen).map(DropIn::diff).unwrap_or_default()
}

/// Says what was done.
pub(super) fn written(drop_in: &DropIn, reloaded: Reloaded) -> String {
    let verb = if drop_in.after.is_some() { "written" } else { "removed" };
    format!("{FILE} is {verb}, and {reloaded}.")
}

/// Says what would be done.
pub(super) fn would_be_written(drop_in: &DropIn) -> String {
    let verb = if drop_in.after.is_some() { "written" } else { "removed" };
    format!("{FILE} would be {verb}, and sshd reloaded ({}).", drop_in.reload)
}

/// Adds what JSON has of it.
pub(super) fn add_to(
    object: &mut Map<String, Value>,
    drop_in: Option<&DropIn>,
    reloaded: Option<Reloaded>,
) {
    if let Some(drop_in) = drop_in {
        object.insert("sshd_file".into(), json!(FILE));
        object.insert("sshd_reloaded".into(), json!(reloaded == Some(Reloaded::Now)));
        let diff = object.get("diff").and_then(Value::as_str).unwrap_or_default();
        let diff = format!("{}{diff}", drop_in.diff());
        object.insert("diff".into(), diff.into());
        object.insert("changed".into(), true.into());
    }
}

const SSHD: &str = "sshd";
/// Options with which the method `password` lets users in.
const EXCEPTIONS: [&str; 3] = ["enroll", "forward_pass", "nullok"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_was_typed_is_named() {
        let text = "sshd cannot ask; run totpctl enable sshd --write-sshd, or write a line";
        let expected = "sshd cannot ask; run totpctl try sshd --write-sshd, or write a line";
        assert_eq!(name_typed(text, "totpctl try sshd"), expected);
        assert_eq!(name_typed("no command", "totpctl try sshd"), "no command");
    }
}
