//! What has to be so before a service may ask for a code: somebody can be asked, and somebody can answer.

use super::doctor::{sshd, users};
use crate::client::Client;
use crate::error::Error;
use crate::pam::change::{Change, check_enroll_after_password};

/// A service that asks for a code, where nobody has one or nobody can be asked, lets nobody in.
pub(super) fn check_before_asking(
    service: &str,
    options: &[String],
    changes: &[Change],
) -> Result<(), Error> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::NotAuthorized("only root may change what PAM asks for".into()));
    }
    if service == "sshd"
        && let Some(why) = sshd::problems()
    {
        return Err(Error::refused(format!("nothing is changed: {why}")));
    }
    let enrolls = options.iter().any(|option| option == "enroll");
    if enrolls && !(service == "sshd" && sshd::requires_other_method()) {
        check_enroll_after_password(changes)?;
    }
    let client = Client::connect()?;
    let enrolled = !users::enrolled(&client)?.is_empty();
    let allows_unenrolled = enrolls || options.iter().any(|option| option == "nullok");
    if enrolled || allows_unenrolled {
        return Ok(());
    }
    let or = match options.iter().any(|option| option == "forward_pass") {
        // That would tell strangers who has no factor.
        true => "",
        false => ", or let by who has no factor (--option nullok)",
    };
    Err(Error::refused(format!(
        "nothing is changed: nobody is enrolled, and nobody could log in. Enroll somebody first \
         (totpctl enroll USER){or}"
    )))
}
