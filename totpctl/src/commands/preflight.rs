//! What has to be so before a service may ask for a code: somebody can be asked, and somebody can answer.

use super::doctor::{sshd, users};
use crate::client::Bus;
use crate::error::Failure;
use crate::pam::change::{Change, must_enroll_behind_a_password};

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
