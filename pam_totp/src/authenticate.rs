//! The conversation of one login. It knows neither libpam nor a bus. A [`Session`] asks the person,
//! and a [`Verifier`] decides.

mod combined;

use std::time::Duration;

use totpd_interface::login::{BeginReply, COMBINED_PROMPT, LoginContext, Method, VerifyReply};
use totpd_interface::{is_sshd_fake_password, is_typed_code};
use totpd_journal::{Entry, Priority, Program};

use self::combined::is_recovery_code;
use crate::nonce;
use crate::options::{FirstPass, Options};
use crate::outcome::Outcome;

/// A login: the user, its origin, and a way to ask the person.
pub(crate) trait Session {
    /// The typed answer of a person. It is zeroed when it is dropped.
    type Answer: Answer;

    /// Returns the name of the user. The host may ask the person for it.
    fn user(&mut self) -> Result<Vec<u8>, Outcome>;
    /// Returns the name of the user as libpam has it now.
    fn current_user(&self) -> Option<Vec<u8>>;
    /// Returns service, remote host, terminal and remote user, if the host has set them.
    fn context(&self) -> LoginContext;
    /// Returns what the person typed for an earlier module.
    fn first_pass(&self) -> Option<Self::Answer>;
    /// Asks the person for a line.
    fn ask(&mut self, prompt: &str, echo: bool) -> Result<Self::Answer, Outcome>;
    /// Passes a password to later modules.
    fn set_authtok(&mut self, password: &[u8]) -> Result<(), Outcome>;
    /// Shows why something failed.
    fn show_error(&self, text: &str);
    /// Shows what the person should know.
    fn show_info(&self, text: &str);
    /// Notes that the code of an app was right, while `totpctl try` waits for such a login.
    fn note_app_code(&mut self);
    /// Stores the token of a new factor until the end of this login.
    fn store_token(&mut self, token: &str) -> Result<(), Outcome>;
    /// Asks libpam to wait about `time` before it tells the host of the failure.
    fn delay_failure(&mut self, time: Duration);
}

/// The typed answer of a person.
pub(crate) trait Answer {
    fn bytes(&self) -> &[u8];
}

/// Decides about codes: the daemon, or a test.
pub(crate) trait Verifier {
    fn begin(&self, user: &str, context: &LoginContext) -> Result<BeginReply, Outcome>;
    /// Tries a code. Returns `None` if the reply was lost. The code may then be used up or not.
    fn verify(
        &self,
        user: &str,
        code: &str,
        context: &LoginContext,
    ) -> Result<Option<VerifyReply>, Outcome>;
}

/// Authenticates the user of `session`.
pub(crate) fn authenticate<S: Session>(
    session: &mut S,
    verifier: &impl Verifier,
    options: &Options,
) -> Outcome {
    #[cfg(feature = "panic-on-demand")]
    assert!(!options.panic, "a panic was asked for");

    let outcome = converse(session, verifier, options).unwrap_or_else(|refusal| refusal);
    tell_end(session, &outcome, options);
    if outcome.is_refused_code() && !options.nodelay {
        // The delay is that of other modules, and the same for every reason.
        session.delay_failure(REFUSAL_DELAY);
    }
    outcome
}

/// Shows and logs the outcome of a login, as far as the options want that.
pub(crate) fn tell_end<S: Session>(session: &S, outcome: &Outcome, options: &Options) {
    if matches!(outcome, Outcome::Unavailable(_)) && !options.quiet {
        session.show_error(UNAVAILABLE_MESSAGE);
    }
    if options.debug {
        Entry::new(Priority::Debug, format!("ended: {outcome:?}")).by(Program::PamTotp).write();
    }
}

fn converse<S: Session>(
    session: &mut S,
    verifier: &impl Verifier,
    options: &Options,
) -> Result<Outcome, Outcome> {
    let user = session.user()?;
    let outcome = begin_and_verify(session, verifier, options, &user)?;
    // CVE-2024-9313: any conversation may change the name, even one that only shows a message.
    if outcome.lets_in() {
        require_same_user(session, &user).map(|()| outcome)
    } else {
        Ok(outcome)
    }
}

/// Refuses if libpam has another user now: that user was not asked for a code.
pub(crate) fn require_same_user<S: Session>(session: &S, user: &[u8]) -> Result<(), Outcome> {
    match session.current_user().is_some_and(|now| now == user) {
        true => Ok(()),
        false => Err(Outcome::Internal("the user name changed during the conversation".into())),
    }
}

fn begin_and_verify<S: Session>(
    session: &mut S,
    verifier: &impl Verifier,
    options: &Options,
    user: &[u8],
) -> Result<Outcome, Outcome> {
    let context = LoginContext {
        nullok: options.nullok,
        enroll: options.enroll,
        forward_pass: options.forward_pass,
        show_names: options.show_names,
        quiet: options.quiet,
        nonce: options.enroll.then(nonce::random).flatten(),
        prompt: options
            .prompt
            .clone()
            .or_else(|| options.forward_pass.then(|| COMBINED_PROMPT.into())),
        ..session.context()
    };
    let name = user_name(user);
    let reply = verifier.begin(&name, &context)?;
    if options.debug {
        // The entry has no name, because the name may be a password typed by mistake. totpd logs
        // known names.
        Entry::new(Priority::Debug, log_text(&reply)).by(Program::PamTotp).write();
    }
    let (mut text, digits) = match reply {
        BeginReply::Prompt { text, digits } => (text, digits),
        BeginReply::Skip { message } => {
            return show_and_map(session, Some(VerifyReply::Skipped { message }), options);
        }
        BeginReply::Enroll { text, factor, .. } => {
            let context = LoginContext { factor: Some(factor), ..context };
            let attempt = Attempt { verifier, options, user, name, context, digits: 0 };
            return enroll(session, &attempt, text);
        }
    };
    let attempt = Attempt { verifier, options, user, name, context, digits };

    if options.first_pass != FirstPass::Ignore {
        let reply = attempt.try_first_pass(session)?;
        match (reply, options.first_pass) {
            (Some(VerifyReply::Denied { .. }), FirstPass::Try) => {}
            (None, FirstPass::Try) => text = attempt.retry_prompt().into(),
            (reply, _) => return show_and_map(session, reply, options),
        }
    }
    let reply = match attempt.ask_and_verify(session, &text)? {
        // The code may be used up, so the person is asked for the next one.
        None => attempt.ask_and_verify(session, attempt.retry_prompt())?,
        reply => reply,
    };
    show_and_map(session, reply, options)
}

/// Shows a new factor until its first code is right, or the daemon allows no further attempt.
fn enroll<S: Session>(
    session: &mut S,
    attempt: &Attempt<'_, impl Verifier>,
    mut text: String,
) -> Result<Outcome, Outcome> {
    for _ in 0..MAX_FIRST_CODES {
        match attempt.ask_and_verify(session, &text)? {
            Some(VerifyReply::Denied { message: Some(reason) }) => {
                text = format!("{reason}\n{FIRST_CODE_PROMPT}");
            }
            Some(VerifyReply::Approved { token: Some(token), method, message }) => {
                session.store_token(&token)?;
                let approved = VerifyReply::Approved { method, message, token: None };
                return show_and_map(session, Some(approved), attempt.options);
            }
            reply => return show_and_map(session, reply, attempt.options),
        }
    }
    Ok(Outcome::Denied)
}

/// The data that all requests of one authentication share.
struct Attempt<'a, V> {
    verifier: &'a V,
    options: &'a Options,
    user: &'a [u8],
    name: String,
    context: LoginContext,
    digits: u32,
}

impl<V: Verifier> Attempt<'_, V> {
    /// Asks the person for a code and the daemon for a verdict.
    fn ask_and_verify<S: Session>(
        &self,
        session: &mut S,
        prompt: &str,
    ) -> Result<Option<VerifyReply>, Outcome> {
        let answer = session.ask(prompt, self.options.echo)?;
        // This check comes before a code of another user is used up.
        require_same_user(session, self.user)?;
        let code = self.split_forwarded_password(session, answer.bytes())?;
        // An empty answer is an attempt too, so it costs the same as a wrong code.
        let code = str::from_utf8(code).ok().filter(|code| code.len() <= MAX_CODE_BYTES);
        self.verifier.verify(&self.name, code.unwrap_or_default(), &self.context)
    }

    /// Asks the daemon about what was typed for an earlier module, if it may be a code. The daemon
    /// does not need to see a password.
    fn try_first_pass<S: Session>(&self, session: &mut S) -> Result<Option<VerifyReply>, Outcome> {
        let Some(first) = session.first_pass() else {
            return Ok(Some(VerifyReply::Denied { message: None }));
        };
        let code = self.split_forwarded_password(session, first.bytes())?;
        // With forward_pass the password is split off already. Otherwise it may be a date with
        // hyphens, so they are part of a code only without passwords.
        let is_alone = matches!(self.options.first_pass, FirstPass::Only);
        let may_be = |code: &&str| {
            self.options.forward_pass
                || may_be_code(code)
                || (is_alone && is_typed_code(code))
                || is_recovery_code(code.as_bytes(), b"-")
        };
        match str::from_utf8(code).ok().filter(may_be) {
            None => Ok(Some(VerifyReply::Denied { message: None })),
            Some(code) => self.verifier.verify(&self.name, code, &self.context),
        }
    }

    /// Returns the code in an answer. A password before it goes to later modules even if the code
    /// is wrong. So the result does not tell which of the two was wrong.
    fn split_forwarded_password<'b, S: Session>(
        &self,
        session: &mut S,
        answer: &'b [u8],
    ) -> Result<&'b [u8], Outcome> {
        if !self.options.forward_pass {
            return Ok(answer);
        }
        if is_sshd_fake_password(answer) {
            // It is no password of the person, so the daemon may see it and name the cause.
            session.set_authtok(answer)?;
            return Ok(answer);
        }
        let split = combined::split(answer, self.digits as usize);
        let (password, code) = split.unwrap_or((answer, b""));
        session.set_authtok(password)?;
        Ok(code)
    }

    fn retry_prompt(&self) -> &'static str {
        if self.options.forward_pass { COMBINED_RETRY_PROMPT } else { RETRY_PROMPT }
    }
}

/// Returns the text of a reply for the log. It never has a key.
fn log_text(reply: &BeginReply) -> String {
    match reply {
        BeginReply::Prompt { text, digits } => format!("prompt {text:?}, {digits} digits"),
        BeginReply::Skip { .. } => "no code is needed".into(),
        BeginReply::Enroll { factor, .. } => format!("new factor {factor}"),
    }
}

/// Returns the name as the bus can carry it, in UTF-8. No other name can be enrolled, nor a longer
/// one, so the daemon treats the result as unknown.
pub(crate) fn user_name(user: &[u8]) -> String {
    String::from_utf8_lossy(user.get(..MAX_NAME_BYTES).unwrap_or(user)).into_owned()
}

fn show_and_map<S: Session>(
    session: &mut S,
    reply: Option<VerifyReply>,
    options: &Options,
) -> Result<Outcome, Outcome> {
    if let Some(VerifyReply::Approved { method: Some(Method::Hotp | Method::Totp), .. }) = reply {
        session.note_app_code();
    }
    let (outcome, message) = match reply {
        Some(VerifyReply::Approved { message, .. }) => (Outcome::Approved, message),
        Some(VerifyReply::Denied { message }) => (Outcome::Denied, message),
        Some(VerifyReply::Skipped { message }) => (Outcome::Skipped, message),
        Some(VerifyReply::Throttled { message, .. }) => (Outcome::Throttled, message),
        None => return Err(Outcome::Unavailable("the reply was lost".into())),
    };
    if let Some(message) = message.filter(|_| !options.quiet) {
        match outcome {
            Outcome::Skipped => session.show_info(&message),
            _ => session.show_error(&message),
        }
    }
    Ok(outcome)
}

/// Reports whether `text` consists of digits and spaces.
fn may_be_code(text: &str) -> bool {
    text.len() <= MAX_CODE_BYTES && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
}

/// The prompt after a lost reply: the code may be used up.
const RETRY_PROMPT: &str = "Interrupted. Next code: ";
const COMBINED_RETRY_PROMPT: &str = "Interrupted. Password and next code: ";
/// The prompt after a wrong first code, below the reason.
const FIRST_CODE_PROMPT: &str = "Code that the app shows: ";
const UNAVAILABLE_MESSAGE: &str = "Verification is not available. Ask your administrator.";
/// Bytes of a code. A longer answer is no code.
const MAX_CODE_BYTES: usize = 64;
/// The daemon drops the factor after as many wrong first codes.
const MAX_FIRST_CODES: u32 = 3;
/// Bytes of a name that is sent. A user name has at most 256.
const MAX_NAME_BYTES: usize = 1024;
const REFUSAL_DELAY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
