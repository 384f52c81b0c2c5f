//! The account phase as a guard. A login passes if it gave a code in this handle, or needs none.
//!
//! A host may come here without any authentication, as sshd does after a key.

use totpd_interface::is_unattended;
use totpd_interface::login::{GuardReply, LoginContext};

use crate::authenticate::{Session, require_same_user, tell_end, user_name};
use crate::options::Options;
use crate::outcome::Outcome;

/// What the account phase needs of a login besides a conversation.
pub(crate) trait Entrance: Session {
    /// Returns the user that this module let in under `auth` in this handle, if there is one.
    fn let_in_user(&self) -> Option<Vec<u8>>;
    /// Reports whether the real user of this process is root.
    fn is_roots(&self) -> bool;
}

/// Decides about logins at which no code was given: the daemon, or a test.
pub(crate) trait Guardian {
    fn guard(&self, user: &str, context: &LoginContext) -> Result<GuardReply, Outcome>;
}

/// Judges the login of `entrance`, and says why it refuses one.
pub(crate) fn check<S: Entrance>(
    entrance: &S,
    guardian: &impl Guardian,
    options: &Options,
) -> Outcome {
    let outcome = judge(entrance, guardian, options).unwrap_or_else(|refusal| refusal);
    tell_end(entrance, &outcome, options);
    outcome
}

fn judge<S: Entrance>(
    entrance: &S,
    guardian: &impl Guardian,
    options: &Options,
) -> Result<Outcome, Outcome> {
    let no_user = || Outcome::Internal("the program names no user".into());
    let user = entrance.current_user().ok_or_else(no_user)?;
    // A handle may be used for two users, one after the other.
    if entrance.let_in_user().is_some_and(|let_in| let_in == user) {
        return Ok(Outcome::Skipped);
    }
    let context = entrance.context();
    if is_unattended(context.service.as_deref().unwrap_or_default(), entrance.is_roots()) {
        return Ok(Outcome::Skipped);
    }
    let context = LoginContext { nullok: options.nullok, quiet: options.quiet, ..context };
    let GuardReply { is_let_by, message } = guardian.guard(&user_name(&user), &context)?;
    if let Some(message) = message.filter(|_| !options.quiet) {
        match is_let_by {
            true => entrance.show_info(&message),
            false => entrance.show_error(&message),
        }
    }
    if !is_let_by {
        return Ok(Outcome::Barred);
    }
    // CVE-2024-9313: any conversation may change the name.
    require_same_user(entrance, &user).map(|()| Outcome::Skipped)
}

#[cfg(test)]
mod tests;
