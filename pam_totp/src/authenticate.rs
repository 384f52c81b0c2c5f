//! The conversation of one login. It knows neither libpam nor a bus, only a [`Session`] to ask the
//! person through and a [`Verifier`] that decides.

use std::thread;
use std::time::Duration;

use crate::log::{self, Severity};
use crate::options::{FirstPass, Options};
use crate::outcome::Outcome;
use crate::totpd::jittered;

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
    /// Asks for a line. `Ok(None)`: there was no answer.
    fn ask(&self, prompt: &str, echo: bool) -> Result<Option<Self::Answer>, Outcome>;
    /// Shows a line.
    fn tell(&self, text: &str);
    /// Lets time pass after a refusal.
    fn wait(&self, time: Duration) {
        thread::sleep(time);
    }
}

/// What a person typed.
pub(crate) trait Answer {
    /// The text, if it is text.
    fn text(&self) -> Option<&str>;
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
    pub(crate) prompt: Option<String>,
}

/// What to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Begun {
    Prompt { text: String },
    Skip,
}

/// What came of a code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Approved,
    Denied,
    Throttled { message: Option<String> },
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
    // The bus carries UTF-8 alone. No other name can be enrolled, so it is as good as unknown.
    let name = String::from_utf8_lossy(&user).into_owned();
    let context = Context {
        items: session.context(),
        nullok: options.nullok,
        prompt: options.prompt.clone(),
    };
    let begun = totpd.begin(&name, &context)?;
    if options.debug {
        log::write(Severity::Debug, &format!("{name}: {begun:?}"));
    }
    let Begun::Prompt { text } = begun else { return Ok(Outcome::Skipped) };

    if options.first_pass != FirstPass::Ignore {
        let first = session.first_pass();
        // A password is nothing that the daemon has to see.
        let code = first.as_ref().and_then(Answer::text).filter(|text| may_be_a_code(text));
        let outcome = match code {
            None => Outcome::Denied,
            Some(code) => judged(session, totpd.verify(&name, code, &context)?, options),
        };
        if options.first_pass == FirstPass::Only || outcome != Outcome::Denied {
            return Ok(outcome);
        }
    }

    let answer = session.ask(&text, options.echo)?;
    if session.user_now().is_none_or(|now| now != user) {
        // CVE-2024-9313: whoever let the name change in between was not asked for a code.
        return Err(Outcome::Misused("the user name changed during the conversation".into()));
    }
    // No answer and no text are attempts too, so that they cost the same as a wrong code.
    let code = answer.as_ref().and_then(Answer::text).filter(|text| text.len() <= LONGEST);
    let verdict = totpd.verify(&name, code.unwrap_or_default(), &context)?;
    Ok(judged(session, verdict, options))
}

fn judged<S: Session>(session: &S, verdict: Verdict, options: &Options) -> Outcome {
    match verdict {
        Verdict::Approved => Outcome::Approved,
        Verdict::Denied => Outcome::Denied,
        Verdict::Throttled { message } => {
            if let Some(message) = message.filter(|_| !options.quiet) {
                session.tell(&message);
            }
            Outcome::Throttled
        }
    }
}

/// Whether it could be a code of some kind: digits, and spaces between them.
fn may_be_a_code(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
}

const UNAVAILABLE: &str = "Verification is not available. Ask your administrator.";
/// Bytes of an answer that can be a code; what is longer is no code.
const LONGEST: usize = 64;
const DELAY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
