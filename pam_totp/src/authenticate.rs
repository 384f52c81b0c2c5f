//! The conversation of one login. It knows neither libpam nor a bus, only a [`Session`] to ask the
//! person through and a [`Verifier`] that decides.

use std::thread;
use std::time::Duration;

use totpd_journal::{Entry, Priority, Program};

use crate::client::jitter::jittered;
use crate::nonce;
use crate::options::{FirstPass, Options};
use crate::outcome::Outcome;

/// A login: who, from where, and a way to ask.
pub(crate) trait Session {
    /// What a person typed, wiped when it is dropped.
    type Answer: Answer;

    /// The user, whom the host may ask the person for.
    fn user(&mut self) -> Result<Vec<u8>, Outcome>;
    /// The user as libpam knows it this moment.
    fn current_user(&self) -> Option<Vec<u8>>;
    /// Service, remote host, terminal and remote user, as far as the host says.
    fn context(&self) -> Vec<(&'static str, String)>;
    /// What was typed for an earlier module.
    fn first_pass(&self) -> Option<Self::Answer>;
    /// Asks for a line.
    fn ask(&mut self, prompt: &str, echo: bool) -> Result<Self::Answer, Outcome>;
    /// Gives later modules a password that was typed here.
    fn set_authtok(&mut self, password: &[u8]) -> Result<(), Outcome>;
    /// Shows a line that says why something failed.
    fn show_error(&self, text: &str);
    /// Keeps the token of a new factor for the end of this login.
    fn store_token(&mut self, token: &str) -> Result<(), Outcome>;
    /// Lets time pass after a refusal.
    fn wait(&self, time: Duration) {
        thread::sleep(time);
    }
}

/// What a person typed.
pub(crate) trait Answer {
    fn bytes(&self) -> &[u8];
}

/// Whoever knows the seeds.
pub(crate) trait Verifier {
    fn begin(&self, user: &str, context: &LoginContext) -> Result<BeginReply, Outcome>;
    fn verify(&self, user: &str, code: &str, context: &LoginContext) -> Result<Verdict, Outcome>;
}

/// What the verifier is told of the login.
#[derive(Debug, Default)]
pub(crate) struct LoginContext {
    pub(crate) items: Vec<(&'static str, String)>,
    pub(crate) nullok: bool,
    pub(crate) enroll: bool,
    pub(crate) show_names: bool,
    /// Whether nothing can be shown at the end of the login.
    pub(crate) quiet: bool,
    /// The only factor that counts: the one that is being enrolled.
    pub(crate) factor: Option<String>,
    /// What tells this authentication from all others, where a user may make a factor at it.
    pub(crate) nonce: Option<String>,
    pub(crate) prompt: Option<String>,
}

/// What to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum BeginReply {
    /// `digits`: how many a code of this user has.
    Prompt {
        text: String,
        digits: usize,
    },
    Skip,
    /// Show `text`, and take the answer for the first code of the new `factor`.
    Enroll {
        text: String,
        factor: String,
    },
}

impl BeginReply {
    /// For the log, which never has a key.
    fn log_text(&self) -> String {
        match self {
            Self::Prompt { text, digits } => format!("asked by {text:?}, {digits} digits"),
            Self::Skip => "skipped".into(),
            Self::Enroll { factor, .. } => format!("enrolled as {factor}"),
        }
    }
}

/// What came of a code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Approved {
        message: Option<String>,
        /// Of a new factor, which becomes good at the end of the login.
        token: Option<String>,
    },
    Denied {
        message: Option<String>,
    },
    /// The answer was lost. The code may be used up or not.
    Unknown,
    Throttled {
        message: Option<String>,
    },
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
    if matches!(outcome, Outcome::Unavailable(_)) && !options.quiet {
        session.show_error(UNAVAILABLE_MESSAGE);
    }
    if options.debug {
        Entry::new(Priority::Debug, format!("ended: {outcome:?}")).by(Program::PamTotp).write();
    }
    if outcome.is_refused_code() && !options.nodelay {
        // As long as libpam's own delay of a failure, and the same for every reason.
        session.wait(jittered(REFUSAL_DELAY));
    }
    outcome
}

fn converse<S: Session>(
    session: &mut S,
    verifier: &impl Verifier,
    options: &Options,
) -> Result<Outcome, Outcome> {
    let user = session.user()?;
    let outcome = begin_and_verify(session, verifier, options, &user)?;
    // CVE-2024-9313: each conversation may have changed the name, messages too.
    if outcome.lets_in() {
        require_same_user(session, &user).map(|()| outcome)
    } else {
        Ok(outcome)
    }
}

/// Makes sure that libpam still means the same user: another one was asked for no code.
fn require_same_user<S: Session>(session: &S, user: &[u8]) -> Result<(), Outcome> {
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
        items: session.context(),
        nullok: options.nullok,
        enroll: options.enroll,
        show_names: options.show_names,
        quiet: options.quiet,
        factor: None,
        nonce: options.enroll.then(nonce::random).flatten(),
        prompt: options
            .prompt
            .clone()
            .or_else(|| options.forward_pass.then(|| COMBINED_PROMPT.into())),
    };
    let name = user_name(user);
    let reply = verifier.begin(&name, &context)?;
    if options.debug {
        // Without the name: people type passwords in its place, and totpd logs those that somebody has.
        Entry::new(Priority::Debug, reply.log_text()).by(Program::PamTotp).write();
    }
    let (mut text, digits) = match reply {
        BeginReply::Prompt { text, digits } => (text, digits),
        BeginReply::Skip => return Ok(Outcome::Skipped),
        BeginReply::Enroll { text, factor } => {
            let context = LoginContext { factor: Some(factor), ..context };
            let attempt = Attempt { verifier, options, user, name, context, digits: 0 };
            return enroll(session, &attempt, text);
        }
    };
    let attempt = Attempt { verifier, options, user, name, context, digits };

    if options.first_pass != FirstPass::Ignore {
        let verdict = attempt.try_first_pass(session)?;
        match (verdict, options.first_pass) {
            (Verdict::Denied { .. }, FirstPass::Try) => {}
            (Verdict::Unknown, FirstPass::Try) => text = attempt.retry_prompt().into(),
            (verdict, _) => return show_and_map(session, verdict, options),
        }
    }
    let verdict = match attempt.ask_and_verify(session, &text)? {
        // Not asked again blindly: the code may be used up. The person is.
        Verdict::Unknown => attempt.ask_and_verify(session, attempt.retry_prompt())?,
        verdict => verdict,
    };
    show_and_map(session, verdict, options)
}

/// Shows a new factor until its first code was given, or the daemon has no more to say.
fn enroll<S: Session>(
    session: &mut S,
    attempt: &Attempt<'_, impl Verifier>,
    mut text: String,
) -> Result<Outcome, Outcome> {
    for _ in 0..MAX_FIRST_CODES {
        match attempt.ask_and_verify(session, &text)? {
            Verdict::Denied { message: Some(why) } => text = format!("{why}\n{FIRST_CODE_PROMPT}"),
            Verdict::Approved { token: Some(token), message } => {
                session.store_token(&token)?;
                let approved = Verdict::Approved { token: None, message };
                return show_and_map(session, approved, attempt.options);
            }
            verdict => return show_and_map(session, verdict, attempt.options),
        }
    }
    Ok(Outcome::Denied)
}

/// What every question of one authentication has in common.
struct Attempt<'a, V> {
    verifier: &'a V,
    options: &'a Options,
    user: &'a [u8],
    name: String,
    context: LoginContext,
    digits: usize,
}

impl<V: Verifier> Attempt<'_, V> {
    /// Asks the person, and the daemon about the answer.
    fn ask_and_verify<S: Session>(
        &self,
        session: &mut S,
        prompt: &str,
    ) -> Result<Verdict, Outcome> {
        let answer = session.ask(prompt, self.options.echo)?;
        // Before a code is used up for somebody else.
        require_same_user(session, self.user)?;
        let code = self.split_forwarded_password(session, answer.bytes())?;
        // No text is an attempt too, so that it costs the same as a wrong code.
        let code = str::from_utf8(code).ok().filter(|code| code.len() <= MAX_CODE_BYTES);
        self.verifier.verify(&self.name, code.unwrap_or_default(), &self.context)
    }

    /// Asks the daemon about what was typed for an earlier module, if it may be a code: a password
    /// is nothing that the daemon has to see.
    fn try_first_pass<S: Session>(&self, session: &mut S) -> Result<Verdict, Outcome> {
        let Some(first) = session.first_pass() else {
            return Ok(Verdict::Denied { message: None });
        };
        let code = self.split_forwarded_password(session, first.bytes())?;
        let may_be = |code: &&str| may_be_code(code) || is_recovery_code(code.as_bytes());
        match str::from_utf8(code).ok().filter(may_be) {
            None => Ok(Verdict::Denied { message: None }),
            Some(code) => self.verifier.verify(&self.name, code, &self.context),
        }
    }

    /// The code in an answer. Where a password stands before it, that goes to later modules,
    /// whatever becomes of the code: nothing they do then says which of the two was wrong.
    fn split_forwarded_password<'b, S: Session>(
        &self,
        session: &mut S,
        answer: &'b [u8],
    ) -> Result<&'b [u8], Outcome> {
        if !self.options.forward_pass {
            return Ok(answer);
        }
        let tail = |length: usize| answer.split_at_checked(answer.len().checked_sub(length)?);
        let digits = tail(self.digits).filter(|(_, code)| code.iter().all(u8::is_ascii_digit));
        // With its dashes a recovery code never ends in so many digits.
        let recovery = || tail(RECOVERY_CODE_BYTES).filter(|(_, code)| is_recovery_code(code));
        let (password, code) = digits.or_else(recovery).unwrap_or((answer, b""));
        session.set_authtok(password)?;
        Ok(code)
    }

    fn retry_prompt(&self) -> &'static str {
        if self.options.forward_pass { COMBINED_RETRY_PROMPT } else { RETRY_PROMPT }
    }
}

/// The bus carries UTF-8 alone. No other name can be enrolled, nor one so long, so those are as good
/// as unknown.
fn user_name(user: &[u8]) -> String {
    String::from_utf8_lossy(user.get(..MAX_NAME_BYTES).unwrap_or(user)).into_owned()
}

fn show_and_map<S: Session>(
    session: &S,
    verdict: Verdict,
    options: &Options,
) -> Result<Outcome, Outcome> {
    let (outcome, message) = match verdict {
        Verdict::Approved { message, .. } => (Outcome::Approved, message),
        Verdict::Denied { message } => (Outcome::Denied, message),
        Verdict::Unknown => return Err(Outcome::Unavailable("the answer was lost".into())),
        Verdict::Throttled { message } => (Outcome::Throttled, message),
    };
    if let Some(message) = message.filter(|_| !options.quiet) {
        session.show_error(&message);
    }
    Ok(outcome)
}

/// Whether it could be a code of some kind: digits, and spaces between them.
fn may_be_code(text: &str) -> bool {
    text.len() <= MAX_CODE_BYTES && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
}

/// Whether it is four groups of four letters and digits, with dashes between them.
fn is_recovery_code(text: &[u8]) -> bool {
    text.len() == RECOVERY_CODE_BYTES
        && text.iter().enumerate().all(|(at, byte)| match at % 5 {
            4 => *byte == b'-',
            _ => byte.is_ascii_alphanumeric(),
        })
}

/// The prompt of `forward_pass`.
const COMBINED_PROMPT: &str = "Password and verification code: ";
/// Instead of the prompt where a code may or may not be used up.
const RETRY_PROMPT: &str = "Interrupted. Next code: ";
const COMBINED_RETRY_PROMPT: &str = "Interrupted. Password and next code: ";
/// After a wrong first code, and why it may have been wrong.
const FIRST_CODE_PROMPT: &str = "Code that the app shows: ";
const UNAVAILABLE_MESSAGE: &str = "Verification is not available. Ask your administrator.";
/// Bytes of an answer that can be a code; what is longer is no code.
const MAX_CODE_BYTES: usize = 64;
/// Bytes of a recovery code as it is printed.
const RECOVERY_CODE_BYTES: usize = 19;
/// As many as the daemon takes before it drops the factor.
const MAX_FIRST_CODES: u32 = 3;
/// Bytes of a name; that of a user has at most 256.
const MAX_NAME_BYTES: usize = 1024;
const REFUSAL_DELAY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
