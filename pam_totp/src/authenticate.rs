//! The conversation of one login. It knows neither libpam nor a bus, only a [`Session`] to ask the
//! person through and a [`Verifier`] that decides.

use std::thread;
use std::time::Duration;

use crate::client::jittered;
use crate::log::{self, Severity};
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
    fn user_now(&self) -> Option<Vec<u8>>;
    /// Service, remote host, terminal and remote user, as far as the host says.
    fn context(&self) -> Vec<(&'static str, String)>;
    /// What was typed for an earlier module.
    fn first_pass(&self) -> Option<Self::Answer>;
    /// Asks for a line.
    fn ask(&mut self, prompt: &str, echo: bool) -> Result<Self::Answer, Outcome>;
    /// Gives later modules a password that was typed here.
    fn hand_on(&mut self, password: &[u8]) -> Result<(), Outcome>;
    /// Shows a line that says why something failed.
    fn tell(&self, text: &str);
    /// Keeps the token of a new factor for the end of this login.
    fn keep_token(&mut self, token: &str) -> Result<(), Outcome>;
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
    fn begin(&self, user: &str, context: &Context) -> Result<Begun, Outcome>;
    fn verify(&self, user: &str, code: &str, context: &Context) -> Result<Verdict, Outcome>;
}

/// What the verifier is told of the login.
#[derive(Debug, Default)]
pub(crate) struct Context {
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
pub(crate) enum Begun {
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

impl Begun {
    /// For the log, which never has a key.
    fn word(&self) -> String {
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
    Lost,
    Throttled {
        message: Option<String>,
    },
}

/// Authenticates the user of `session`.
pub(crate) fn authenticate<S: Session>(
    session: &mut S,
    totpd: &impl Verifier,
    options: &Options,
) -> Outcome {
    #[cfg(feature = "panic-on-demand")]
    assert!(!options.panic, "a panic was asked for");

    let outcome = conversation(session, totpd, options).unwrap_or_else(|refusal| refusal);
    if matches!(outcome, Outcome::Unavailable(_)) && !options.quiet {
        session.tell(UNAVAILABLE);
    }
    if options.debug {
        log::write(Severity::Debug, &format!("ended: {outcome:?}"));
    }
    if outcome.is_a_refused_code() && !options.nodelay {
        // As long as libpam's own delay of a failure, and the same for every reason.
        session.wait(jittered(DELAY));
    }
    outcome
}

fn conversation<S: Session>(
    session: &mut S,
    totpd: &impl Verifier,
    options: &Options,
) -> Result<Outcome, Outcome> {
    let user = session.user()?;
    let outcome = ask_and_verify(session, totpd, options, &user)?;
    // CVE-2024-9313: each conversation may have changed the name, messages too.
    if outcome.lets_in() { is_still(session, &user).map(|()| outcome) } else { Ok(outcome) }
}

/// Makes sure that libpam still means the same user: another one was asked for no code.
fn is_still<S: Session>(session: &S, user: &[u8]) -> Result<(), Outcome> {
    match session.user_now().is_some_and(|now| now == user) {
        true => Ok(()),
        false => Err(Outcome::Misused("the user name changed during the conversation".into())),
    }
}

fn ask_and_verify<S: Session>(
    session: &mut S,
    totpd: &impl Verifier,
    options: &Options,
    user: &[u8],
) -> Result<Outcome, Outcome> {
    let context = Context {
        items: session.context(),
        nullok: options.nullok,
        enroll: options.enroll,
        show_names: options.show_names,
        quiet: options.quiet,
        factor: None,
        nonce: options.enroll.then(nonce::draw).flatten(),
        prompt: options.prompt.clone().or_else(|| options.forward_pass.then(|| BOTH.into())),
    };
    let name = name(user);
    let begun = totpd.begin(&name, &context)?;
    if options.debug {
        // Without the name: people type passwords in its place, and totpd logs those that somebody has.
        log::write(Severity::Debug, &begun.word());
    }
    let (mut text, digits) = match begun {
        Begun::Prompt { text, digits } => (text, digits),
        Begun::Skip => return Ok(Outcome::Skipped),
        Begun::Enroll { text, factor } => {
            let context = Context { factor: Some(factor), ..context };
            let attempt = Attempt { totpd, options, user, name, context, digits: 0 };
            return enrollment(session, &attempt, text);
        }
    };
    let attempt = Attempt { totpd, options, user, name, context, digits };

    if options.first_pass != FirstPass::Ignore {
        let verdict = attempt.of_first_pass(session)?;
        match (verdict, options.first_pass) {
            (Verdict::Denied { .. }, FirstPass::Try) => {}
            (Verdict::Lost, FirstPass::Try) => text = attempt.again().into(),
            (verdict, _) => return judged(session, verdict, options),
        }
    }
    let verdict = match attempt.asked(session, &text)? {
        // Not asked again blindly: the code may be used up. The person is.
        Verdict::Lost => attempt.asked(session, attempt.again())?,
        verdict => verdict,
    };
    judged(session, verdict, options)
}

/// Shows a new factor until its first code was given, or the daemon has no more to say.
fn enrollment<S: Session>(
    session: &mut S,
    attempt: &Attempt<'_, impl Verifier>,
    mut text: String,
) -> Result<Outcome, Outcome> {
    for _ in 0..MOST_FIRST_CODES {
        match attempt.asked(session, &text)? {
            Verdict::Denied { message: Some(why) } => text = format!("{why}\n{FIRST_CODE}"),
            Verdict::Approved { token: Some(token), message } => {
                session.keep_token(&token)?;
                let approved = Verdict::Approved { token: None, message };
                return judged(session, approved, attempt.options);
            }
            verdict => return judged(session, verdict, attempt.options),
        }
    }
    Ok(Outcome::Denied)
}

/// What every question of one authentication has in common.
struct Attempt<'a, V> {
    totpd: &'a V,
    options: &'a Options,
    user: &'a [u8],
    name: String,
    context: Context,
    digits: usize,
}

impl<V: Verifier> Attempt<'_, V> {
    /// Asks the person, and the daemon about the answer.
    fn asked<S: Session>(&self, session: &mut S, prompt: &str) -> Result<Verdict, Outcome> {
        let answer = session.ask(prompt, self.options.echo)?;
        // Before a code is used up for somebody else.
        is_still(session, self.user)?;
        let code = self.handed_on(session, answer.bytes())?;
        // No text is an attempt too, so that it costs the same as a wrong code.
        let code = str::from_utf8(code).ok().filter(|code| code.len() <= LONGEST);
        self.totpd.verify(&self.name, code.unwrap_or_default(), &self.context)
    }

    /// Asks the daemon about what was typed for an earlier module, if it may be a code: a password
    /// is nothing that the daemon has to see.
    fn of_first_pass<S: Session>(&self, session: &mut S) -> Result<Verdict, Outcome> {
        let Some(first) = session.first_pass() else {
            return Ok(Verdict::Denied { message: None });
        };
        let code = self.handed_on(session, first.bytes())?;
        let may_be = |code: &&str| may_be_a_code(code) || is_a_recovery_code(code.as_bytes());
        match str::from_utf8(code).ok().filter(may_be) {
            None => Ok(Verdict::Denied { message: None }),
            Some(code) => self.totpd.verify(&self.name, code, &self.context),
        }
    }

    /// The code in an answer. Where a password stands before it, that goes to later modules,
    /// whatever becomes of the code: nothing they do then says which of the two was wrong.
    fn handed_on<'b, S: Session>(
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
        let recovery = || tail(RECOVERY_CODE).filter(|(_, code)| is_a_recovery_code(code));
        let (password, code) = digits.or_else(recovery).unwrap_or((answer, b""));
        session.hand_on(password)?;
        Ok(code)
    }

    fn again(&self) -> &'static str {
        if self.options.forward_pass { BOTH_AGAIN } else { AGAIN }
    }
}

/// The bus carries UTF-8 alone. No other name can be enrolled, nor one so long, so those are as good
/// as unknown.
fn name(user: &[u8]) -> String {
    String::from_utf8_lossy(user.get(..LONGEST_NAME).unwrap_or(user)).into_owned()
}

fn judged<S: Session>(
    session: &S,
    verdict: Verdict,
    options: &Options,
) -> Result<Outcome, Outcome> {
    let (outcome, message) = match verdict {
        Verdict::Approved { message, .. } => (Outcome::Approved, message),
        Verdict::Denied { message } => (Outcome::Denied, message),
        Verdict::Lost => return Err(Outcome::Unavailable("the answer was lost".into())),
        Verdict::Throttled { message } => (Outcome::Throttled, message),
    };
    if let Some(message) = message.filter(|_| !options.quiet) {
        session.tell(&message);
    }
    Ok(outcome)
}

/// Whether it could be a code of some kind: digits, and spaces between them.
fn may_be_a_code(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
}

/// Whether it is four groups of four letters and digits, with dashes between them.
fn is_a_recovery_code(text: &[u8]) -> bool {
    text.len() == RECOVERY_CODE
        && text.iter().enumerate().all(|(at, byte)| match at % 5 {
            4 => *byte == b'-',
            _ => byte.is_ascii_alphanumeric(),
        })
}

/// The prompt of `forward_pass`.
const BOTH: &str = "Password and verification code: ";
/// Instead of the prompt where a code may or may not be used up.
const AGAIN: &str = "Interrupted. Next code: ";
const BOTH_AGAIN: &str = "Interrupted. Password and next code: ";
/// After a wrong first code, and why it may have been wrong.
const FIRST_CODE: &str = "Code that the app shows: ";
const UNAVAILABLE: &str = "Verification is not available. Ask your administrator.";
/// Bytes of an answer that can be a code; what is longer is no code.
const LONGEST: usize = 64;
/// Bytes of a recovery code as it is printed.
const RECOVERY_CODE: usize = 19;
/// As many as the daemon takes before it drops the factor.
const MOST_FIRST_CODES: u32 = 3;
/// Bytes of a name; that of a user has at most 256.
const LONGEST_NAME: usize = 1024;
const DELAY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
