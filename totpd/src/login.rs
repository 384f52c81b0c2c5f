//! The interface `org.totpd.Totp1.Login`: what PAM modules ask.

use std::sync::Arc;

use totpd_interface::{Dictionary, Error, action, verdict};
use zbus::Connection;
use zbus::message::Header;
use zeroize::Zeroizing;

use crate::attempt::{Attempt, Reason, Verdict, attempt};
use crate::caller::Caller;
use crate::clock;
use crate::context::Context;
use crate::daemon::{Daemon, Target};
use crate::journal::{Entry, Priority, escaped};
use crate::record::Record;
use crate::reply::Reply;
use crate::throttle::{Source, Standing};

mod first_login;
pub(crate) mod offers;

/// Serves `org.totpd.Totp1.Login`.
#[derive(Clone)]
pub struct Login(pub Arc<Daemon>);

/// For PAM modules. Root asks for any user, everybody else for itself.
#[zbus::interface(name = "org.totpd.Totp1.Login")]
impl Login {
    /// What to do with this user at this login: `prompt` (details: `prompt` s, and `digits` u, how
    /// many a code has), `enroll` (details: `prompt` s, `factor` s, `uri` s) or `skip`.
    ///
    /// Context keys, all optional: `service`, `rhost`, `tty`, `ruser`, `factor`, `prompt` (s),
    /// `nullok` (b), `enroll`, `names` (b, root only). Unknown keys are ignored.
    #[zbus(out_args("action", "details"))]
    async fn begin(
        &self,
        user: String,
        context: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(String, Dictionary), Error> {
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        self.begin_for(caller, &user, &context).await
    }

    /// Spends one attempt: `approved`, `denied` or `throttled`.
    ///
    /// Details: `method` s (`totp`, `hotp`, `recovery`) of an approved code, `message` s if its owner
    /// should know something, and `keep` s, a prompt with recovery codes, after an enrolment; `message` s and `retry_after` u (seconds; absent until an
    /// administrator unlocks the user) of a throttled one. An approved code is used up on disk before
    /// this answers.
    #[zbus(out_args("verdict", "details"))]
    async fn verify(
        &self,
        user: String,
        code: String,
        context: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(String, Dictionary), Error> {
        let code = Zeroizing::new(code);
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        self.verify_for(caller, &user, &code, &context).await
    }
}

/// The same, however the caller came to be known.
impl Login {
    /// As `Begin` on the bus.
    ///
    /// # Errors
    /// As the contract has them.
    pub async fn begin_for(
        &self,
        caller: Caller,
        user: &str,
        context: &Dictionary,
    ) -> Result<(String, Dictionary), Error> {
        let context = believed(context, caller)?;
        if context.enroll
            && context.is_at_a_terminal()
            && let Some(offer) = first_login::offer(&self.0, user, &context).await?
        {
            return Ok((action::ENROLL.into(), offer));
        }
        let mut uid = None;
        if context.nullok || context.names || !caller.is_root() {
            let target = self.0.target_for(caller, user).await?;
            uid = target.uid;
            if let Some(uid) = target.uid.filter(|_| context.nullok) {
                let stored = self.0.told(self.0.store.read(target.subject).await)?;
                if may_skip(stored.as_ref(), uid) {
                    let source = context.source(caller.uid);
                    decision(user, &context, &source, "skipped", "not enrolled").write();
                    return Ok((action::SKIP.into(), Dictionary::new()));
                }
            }
        }
        let (now, rules) = (clock::now(), &self.0.config.rules.throttle);
        let mut record = self.0.record_under(user).await?;
        record.throttle.settle(now, rules);
        let standing = record.throttle.standing(&context.source(caller.uid), now, rules);
        if record.is_enrolled() && caller.is_root() {
            let (service, rhost) = (context.service.clone(), context.rhost.clone());
            self.0.watchers.code_wanted(record.uid, service, rhost);
        }
        // A recreated account is not told what its predecessor had.
        let named = context.names && uid == Some(record.uid);
        let text = match standing {
            Standing::Open if named => {
                with_names(context.prompt.as_deref(), &context, &record, now)
            }
            _ => prompt(context.prompt.as_deref(), standing),
        };
        let digits = record.digits().unwrap_or(self.0.config.defaults.digits);
        let details = Reply::new().with("prompt", text).with("digits", u32::from(digits));
        Ok((action::PROMPT.into(), details.into()))
    }

    /// As `Verify` on the bus.
    ///
    /// # Errors
    /// As the contract has them.
    pub async fn verify_for(
        &self,
        caller: Caller,
        user: &str,
        code: &str,
        context: &Dictionary,
    ) -> Result<(String, Dictionary), Error> {
        let target = self.0.target_for(caller, user).await?;
        let context = believed(context, caller)?;
        let source = context.source(caller.uid);
        if context.enroll
            && let Some(factor) = &context.factor
        {
            let (word, details, told) = first_login::judge(&self.0, &target, factor, code).await?;
            decision(user, &context, &source, word, told).with("TOTP_FACTOR", factor).write();
            return Ok((word.into(), details));
        }
        let one = Attempt {
            answer: self.0.answer(&target, code, &source).await?,
            factor: context.factor.clone(),
            service: context.service.clone(),
            source: source.clone(),
            uid: target.uid_now(),
            now: clock::now(),
        };
        let rules = self.0.config.rules.clone();
        let judged = self.0.update(&target, move |record| attempt(record, &one, &rules)).await?;
        journal(user, &context, &source, &target, &judged);
        if context.enroll && matches!(judged, Verdict::Denied(Reason::NotEnrolled)) {
            let told = Reply::new().with("message", first_login::ELSEWHERE);
            return Ok((verdict::DENIED.into(), told.into()));
        }
        Ok(told(&judged))
    }
}

/// What is believed of a context, by who gives it.
fn believed(context: &Dictionary, caller: Caller) -> Result<Context, Error> {
    let context = Context::parse(context)?;
    Ok(if caller.is_root() { context } else { context.of_an_ordinary_caller() })
}

/// Whether `nullok` lets this user by: there is no factor, not even one that belongs to another
/// who had this name before.
fn may_skip(stored: Option<&Record>, uid: u32) -> bool {
    stored.is_none_or(|record| {
        record.factors.is_empty() || (record.uid == uid && !record.is_enrolled())
    })
}

/// The text of the prompt. Who exists and who does not are told alike that they must wait.
fn prompt(words: Option<&str>, standing: Standing) -> String {
    let words = words.unwrap_or(PROMPT);
    let hint = match standing {
        Standing::Locked => "locked".into(),
        Standing::Open => return words.into(),
        Standing::Waiting(seconds) => format!("wait {}", length(seconds)),
    };
    let bare = words.trim_end_matches([':', ' ']);
    format!("{bare} ({hint}): ")
}

/// The text of the prompt with the names of the factors that open this service now, where there are
/// several: as many as fit.
fn with_names(words: Option<&str>, context: &Context, record: &Record, now: u64) -> String {
    let bare = words.unwrap_or(PROMPT).trim_end_matches([':', ' ']);
    let service = context.service.as_deref();
    let names: Vec<_> = record
        .factors
        .iter()
        .filter(|factor| factor.is_verified() && factor.limits.allow(service, now))
        .map(|factor| factor.name.as_str())
        .collect();
    let fits = |names: &[&str], more: &str| {
        let text = format!("{bare} ({}{more}): ", names.join(", "));
        (text.chars().count() < NARROW).then_some(text)
    };
    let shorter = || (1..names.len()).rev().find_map(|some| fits(names.get(..some)?, ", ..."));
    let named = match names.as_slice() {
        [] | [_] => None,
        all => fits(all, "").or_else(shorter),
    };
    named.unwrap_or_else(|| prompt(words, Standing::Open))
}

/// Seconds up to two minutes, then whole minutes, rounded up.
fn length(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    }
}

/// What the owner of an approved code should know.
fn news(method: &str, left: usize, used: Option<&str>) -> Option<String> {
    if method == "recovery" {
        return Some(match left {
            0 => "That was your last recovery code. Make new ones.".into(),
            1 => "Recovery code used up; 1 is left.".into(),
            _ => format!("Recovery code used up; {left} are left."),
        });
    }
    used.map(|when| format!("A recovery code was used on {when}. Was it you?"))
}

/// The verdict as it goes over the bus. Why a code was denied stays in the journal.
fn told(judged: &Verdict) -> (String, Dictionary) {
    match judged {
        Verdict::Approved { method, left, used, .. } => {
            let details = Reply::new().with("method", (*method).to_owned());
            let when = used.as_ref().map(|used| clock::shown(used.when));
            let details = details.with_some("message", news(method, *left, when.as_deref()));
            (verdict::APPROVED.into(), details.into())
        }
        Verdict::Denied(_) => (verdict::DENIED.into(), Dictionary::new()),
        Verdict::Throttled { retry_after: None } => {
            let message = "Too many wrong codes: locked. Ask your administrator.".to_owned();
            (verdict::THROTTLED.into(), Reply::new().with("message", message).into())
        }
        Verdict::Throttled { retry_after: Some(seconds) } => {
            let message = format!("Too many wrong codes. Try again in {}.", length(*seconds));
            let seconds = u32::try_from(*seconds).unwrap_or(u32::MAX);
            let details = Reply::new().with("message", message).with("retry_after", seconds);
            (verdict::THROTTLED.into(), details.into())
        }
    }
}

fn journal(user: &str, context: &Context, source: &Source, target: &Target, judged: &Verdict) {
    let (word, reason) = match judged {
        Verdict::Approved { method: "recovery", left, .. } => {
            return decision(user, context, source, verdict::APPROVED, "recovery code")
                .with("TOTP_RECOVERY_CODES_LEFT", &left.to_string())
                .write();
        }
        Verdict::Approved { .. } => (verdict::APPROVED, "right code"),
        Verdict::Denied(reason) => (verdict::DENIED, words(*reason, target)),
        Verdict::Throttled { retry_after: None } => (verdict::THROTTLED, "locked"),
        Verdict::Throttled { retry_after: Some(_) } => (verdict::THROTTLED, "waiting"),
    };
    let entry = decision(user, context, source, word, reason);
    match judged {
        Verdict::Approved { factor: Some(factor), .. } => {
            entry.with("TOTP_FACTOR", factor.as_str())
        }
        _ => entry,
    }
    .write();
}

fn words(reason: Reason, target: &Target) -> &'static str {
    match reason {
        Reason::Disabled => "all factors are disabled: totpctl set",
        Reason::Malformed => "not a code",
        Reason::NotEnrolled if target.uid.is_none() => "no such user",
        Reason::NotEnrolled => "not enrolled",
        Reason::Unsynchronised => "the token is to be resynchronised: totpctl resync",
        Reason::UidChanged => "the name belongs to another uid than at enrolment",
        Reason::NotHere => "right code of a factor that is not good here, or now",
        Reason::Used => "used code",
        Reason::Wrong => "wrong code",
    }
}

/// The structured record of one decision.
fn decision(user: &str, context: &Context, source: &Source, word: &str, reason: &str) -> Entry {
    let service = context.service.as_deref().unwrap_or("-");
    let message = format!(
        "{word} for {} at {} from {source}: {reason}",
        escaped(&user.chars().take(LONGEST_NAME).collect::<String>()),
        escaped(service)
    );
    let priority = match word {
        verdict::APPROVED => Priority::Info,
        _ => Priority::Notice,
    };
    let user: String = user.chars().take(LONGEST_NAME).collect();
    Entry::new(priority, message)
        .with("MESSAGE_ID", DECISION)
        .with("TOTP_USER", &user)
        .with("TOTP_SERVICE", context.service.as_deref().unwrap_or_default())
        .with("TOTP_RHOST", context.rhost.as_deref().unwrap_or_default())
        .with("TOTP_TTY", context.tty.as_deref().unwrap_or_default())
        .with("TOTP_VERDICT", word)
        .with("TOTP_REASON", reason)
}

const PROMPT: &str = "Verification code: ";
/// Columns that no text here has.
const NARROW: usize = 60;
/// Finds every decision: `journalctl MESSAGE_ID=…`.
const DECISION: &str = "3c6f1a52d0f94a7f8e0f4f6a3d9a1b7e";
/// Characters of a name in the log: a message may bring megabytes.
const LONGEST_NAME: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::Kind;
    use crate::factor::tests::verified;

    #[test]
    fn a_wait_stands_in_the_prompt_whatever_its_words() {
        for (words, standing, expected) in [
            (None, Standing::Open, "Verification code: "),
            (None, Standing::Waiting(28), "Verification code (wait 28 s): "),
            (None, Standing::Waiting(119), "Verification code (wait 119 s): "),
            (None, Standing::Waiting(121), "Verification code (wait 3 min): "),
            (None, Standing::Waiting(3600), "Verification code (wait 60 min): "),
            (None, Standing::Locked, "Verification code (locked): "),
            (Some("Token:"), Standing::Open, "Token:"),
            (Some("Token:"), Standing::Waiting(1), "Token (wait 1 s): "),
        ] {
            assert_eq!(prompt(words, standing), expected);
        }
    }

    #[test]
    fn several_factors_are_named_as_far_as_they_fit_and_open_something_here() {
        let prompt_of = |names: &[&str], service: Option<&str>| {
            let mut record = Record::new(1000);
            for (number, name) in names.iter().enumerate() {
                let mut factor = verified(Kind::Totp { period: 30 }, None);
                factor.name = (*name).into();
                if number == 2 {
                    factor.limits.services = vec!["sudo".into()];
                }
                record.factors.push(factor);
            }
            let context = Context { service: service.map(ToOwned::to_owned), ..Context::default() };
            with_names(None, &context, &record, 5)
        };
        let long = "x".repeat(40);
        for (names, service, expected) in [
            (&[][..], None, "Verification code: "),
            (&["Pixel"], None, "Verification code: "),
            (&["Pixel", "Token"], None, "Verification code (Pixel, Token): "),
            (&["Pixel", "Token", "Old"], None, "Verification code (Pixel, Token): "),
            (&["Pixel", "Token", "Old"], Some("sudo"), "Verification code (Pixel, Token, Old): "),
            (&["Pixel", &long], None, "Verification code (Pixel, ...): "),
            (&[&long, &long], None, "Verification code: "),
        ] {
            assert_eq!(prompt_of(names, service), expected, "{names:?}");
        }
    }

    #[test]
    fn every_text_is_on_the_page_of_messages_and_short() {
        let page = include_str!("../../docs/messages.md");
        let waiting = [Standing::Open, Standing::Waiting(28), Standing::Waiting(3600)];
        let prompts = waiting.into_iter().chain([Standing::Locked]).map(|now| prompt(None, now));
        let messages = [Some(28), None].map(|retry_after| {
            let (_, details) = told(&Verdict::Throttled { retry_after });
            details["message"].downcast_ref::<&str>().unwrap().to_owned()
        });
        let used = "2026-11-24 17:04";
        let news =
            [news("totp", 9, Some(used)), news("recovery", 9, None), news("recovery", 1, None)]
                .into_iter()
                .chain([news("recovery", 0, None)])
                .flatten();
        for text in prompts.chain(messages).chain(news) {
            assert!(page.contains(&format!("`{text}`")), "{text}");
            assert!(text.len() < 60, "{text}");
        }
    }

    #[test]
    fn nullok_skips_only_who_has_no_factor_at_all() {
        let mut enrolled = Record::new(1000);
        enrolled.factors.push(verified(Kind::Totp { period: 30 }, None));
        let mut pending = Record::new(1000);
        pending.factors.push(verified(Kind::Totp { period: 30 }, None));
        pending.factors[0].status =
            crate::factor::Status::Unverified { expires: 9, wrong_codes: 0 };
        assert!(may_skip(None, 1000));
        assert!(may_skip(Some(&Record::new(7)), 1000));
        assert!(may_skip(Some(&pending), 1000));
        assert!(!may_skip(Some(&enrolled), 1000));
        assert!(!may_skip(Some(&enrolled), 1001), "a recreated account is no way around");
    }

    #[test]
    fn a_denial_gives_no_reason_away() {
        for reason in [Reason::Malformed, Reason::NotEnrolled, Reason::Used, Reason::Wrong] {
            let (word, details) = told(&Verdict::Denied(reason));
            assert_eq!((word.as_str(), details.len()), ("denied", 0));
        }
    }
}
