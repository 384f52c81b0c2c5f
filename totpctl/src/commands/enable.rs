//! `totpctl enable` and `disable`: a service asks for a code, or for none.

use serde_json::json;

use super::doctor::{sshd, users};
use crate::bus::Bus;
use crate::failure::Failure;
use crate::output;
use crate::pam_change::{Change, disabling, enabling, must_enroll_behind_a_password};

use super::trial;

pub(super) fn enable(
    service: &str,
    options: Option<&[String]>,
    dry_run: bool,
    json: bool,
) -> Result<(), Failure> {
    let changes = enabling(service, options)?;
    if !changes.is_empty() {
        must_be_able_to_ask(service, options.unwrap_or_default(), &changes)?;
    }
    finish(service, &changes, dry_run, json)
}

pub(super) fn disable(service: &str, dry_run: bool, json: bool) -> Result<(), Failure> {
    finish(service, &disabling(service)?, dry_run, json)
}

fn finish(service: &str, changes: &[Change], dry_run: bool, json: bool) -> Result<(), Failure> {
    // What is only being tried looks as it should be, and would be put back later.
    if !dry_run && (nix::unistd::geteuid().is_root() || !changes.is_empty()) {
        let _alone = trial::alone()?;
        changes.iter().try_for_each(Change::still_fits)?;
        for change in changes {
            change.apply()?;
        }
    }
    let diff: String = changes.iter().map(Change::diff).collect();
    if json {
        let changed = !changes.is_empty();
        return output::json(&json!({ "service": service, "changed": changed, "diff": diff }));
    }
    output::data(&diff)?;
    output::note(&match (changes.is_empty(), dry_run) {
        (true, _) => format!("{service} is as it was asked to be: nothing is changed."),
        (false, true) => "Nothing is changed yet.".to_owned(),
        (false, false) => {
            format!("{service} is changed. Log in anew before you leave this session.")
        }
    });
    Ok(())
}

/// A service that asks for a code, where nobody has one or nobody can be asked, lets nobody in.
pub(super) fn must_be_able_to_ask(
    service: &str,
    options: &[String],
    changes: &[Change],
) -> Result<(), Failure> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Failure::NotAuthorized("only root may change what PAM asks for".into()));
    }
    if service == "sshd"
        && let Some(why) = sshd::what_is_wrong()
    {
        return Err(Failure::refused(format!("nothing is changed: {why}")));
    }
    let enrolls = options.iter().any(|option| option == "enroll");
    if enrolls && !(service == "sshd" && sshd::asks_for_more_than_codes()) {
        must_enroll_behind_a_password(changes)?;
    }
    let bus = Bus::connect()?;
    let enrolled = !users::enrolled(&bus)?.is_empty();
    let lets_by = enrolls || options.iter().any(|option| option == "nullok");
    if enrolled || lets_by {
        return Ok(());
    }
    let or = match options.iter().any(|option| option == "forward_pass") {
        // That would tell strangers who has no factor.
        true => "",
        false => ", or let by who has no factor (--option nullok)",
    };
    Err(Failure::refused(format!(
        "nothing is changed: nobody is enrolled, and nobody could log in. Enroll somebody first \
         (totpctl enroll USER){or}"
    )))
}
