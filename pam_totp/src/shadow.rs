//! Shadow mode: asks for the module behind this one, hands the answer on, and has no say.
//!
//! libpam hands no module the answer that another one took. So this one asks, and the other one
//! takes the answer as the password (`use_first_pass`). The line behind it puts the password back.

use totpd_interface::is_sshd_fake_password;
use totpd_interface::login::{LoginContext, Nonce};
use totpd_journal::{Entry, Priority, Program};

use crate::authenticate::{Answer as _, MAX_CODE_BYTES, Session, user_name};
use crate::credentials::LoginEnd;
use crate::nonce;
use crate::options::Options;
use crate::outcome::Outcome;

/// A login whose answer another module takes.
pub(crate) trait Stack: Session {
    /// Hands `answer` to the next module, as the password, and keeps the present one.
    fn hand_on(&mut self, answer: &[u8]);
    /// Restores the password that [`Stack::hand_on`] kept, if it did.
    fn put_back(&mut self);
    /// Forgets the password that [`Stack::hand_on`] kept.
    fn forget_password(&mut self);
    /// Stores the nonce of this login until its end.
    fn store_nonce(&mut self, nonce: Nonce);
    /// Removes and returns the nonce: it need not reach the session.
    fn take_nonce(&mut self) -> Option<Nonce>;
}

/// Notes what would become of logins: the daemon, or a test.
pub(crate) trait Notary {
    fn note(&self, user: &str, code: &str, context: &LoginContext) -> Result<(), Outcome>;
    fn note_let_in(&self, user: &str, context: &LoginContext) -> Result<(), Outcome>;
}

/// Asks, hands the answer on, and has the daemon note its verdict. Nothing of it decides.
pub(crate) fn ask<S: Stack>(session: &mut S, notary: &impl Notary, options: &Options) -> Outcome {
    // A login that failed earlier in this handle has left them. Its password may be a wrong one.
    session.forget_password();
    let _ = session.take_nonce();
    if session.user().is_err() {
        return Outcome::Skipped;
    }
    let prompt = options.prompt.as_deref().unwrap_or(PROMPT);
    let Ok(answer) = session.ask(prompt, options.echo) else {
        // The next module must not take the password for an answer.
        session.hand_on(b"");
        return Outcome::Skipped;
    };
    session.hand_on(answer.bytes());
    let typed = Some(answer.bytes()).filter(|answer| !is_sshd_fake_password(answer));
    let user = session.current_user();
    if let (Some(typed), Some(user), Some(nonce)) = (typed, user, nonce::random()) {
        let code = str::from_utf8(typed).ok().filter(|code| code.len() <= MAX_CODE_BYTES);
        let context = LoginContext { nonce: Some(nonce), ..Session::context(session) };
        match notary.note(&user_name(&user), code.unwrap_or_default(), &context) {
            Ok(()) => session.store_nonce(nonce),
            Err(outcome) => report(&outcome),
        }
    }
    Outcome::Skipped
}

/// Puts the password back, behind the module that decided.
pub(crate) fn end(session: &mut impl Stack) -> Outcome {
    session.put_back();
    Outcome::Skipped
}

/// Tells the daemon that the stack let in the login.
pub(crate) fn let_in<S: Stack + LoginEnd>(session: &mut S, notary: &impl Notary) {
    let Some(nonce) = session.take_nonce() else { return };
    let context = LoginContext { nonce: Some(nonce), ..LoginEnd::context(session) };
    let user = session.current_user().unwrap_or_default();
    if let Err(outcome) = notary.note_let_in(&user_name(&user), &context) {
        report(&outcome);
    }
}

/// Logs why the daemon noted nothing. The login continues.
fn report(outcome: &Outcome) {
    let reason = match outcome {
        Outcome::Internal(reason) | Outcome::Unavailable(reason) => reason.clone(),
        other => format!("{other:?}"),
    };
    let message = format!("cannot note a login in shadow mode: {reason}");
    Entry::new(Priority::Warning, message).by(Program::PamTotp).write();
}

/// The prompt of google-authenticator, and of this module.
const PROMPT: &str = "Verification code: ";

#[cfg(test)]
mod tests;
