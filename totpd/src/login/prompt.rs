//! The text of a login's prompt.

use totpd_core::account::Account;
use totpd_core::record::Outline;
use totpd_core::source::Source;
use totpd_core::throttle::ThrottleState;
use totpd_interface::login::LoginContext;

use crate::daemon::Daemon;

/// What keeps a code from being looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wait {
    /// Too many wrong codes.
    Locked,
    /// So many seconds after wrong codes.
    Throttled(u64),
    /// So many seconds, because present codes are void.
    Void(u64),
}

impl Wait {
    /// Returns the wait of a login from `source` at `now`; `None` if a code is looked at.
    pub(crate) fn of(
        daemon: &Daemon,
        record: &mut Outline,
        source: &Source,
        now: u64,
    ) -> Option<Self> {
        let throttle = daemon.throttle_state(record, source, now);
        let void = daemon.void_windows().wait(record, now);
        match throttle {
            ThrottleState::Open => void.map(Self::Void),
            throttle => Self::from_throttle(throttle),
        }
    }

    /// Returns the wait after wrong codes; `None` if codes are looked at.
    fn from_throttle(state: ThrottleState) -> Option<Self> {
        match state {
            ThrottleState::Open => None,
            ThrottleState::Locked => Some(Self::Locked),
            ThrottleState::Waiting(seconds) => Some(Self::Throttled(seconds)),
        }
    }
}

/// Returns the text of the prompt for `account`, which has `record`.
pub(crate) fn prompt_for(
    context: &LoginContext,
    record: &Outline,
    account: &Account,
    wait: Option<Wait>,
    now: u64,
) -> String {
    // A recreated account does not learn the factors of its predecessor.
    let shows_names = context.show_names && record.belongs_to(account.current_uid());
    let words = context.prompt.as_deref();
    match wait {
        None if shows_names => with_names(words, context, record, now),
        wait => prompt(words, wait),
    }
}

/// Returns the text of the prompt. For every name, even one of no user, the wait reads alike. That
/// for void codes is of another length for other factors than the usual app.
pub(crate) fn prompt(words: Option<&str>, wait: Option<Wait>) -> String {
    let words = words.unwrap_or(DEFAULT_PROMPT);
    let hint = match wait {
        None => return words.into(),
        Some(Wait::Locked) => "locked".into(),
        Some(Wait::Throttled(seconds)) => format!("wait {}", display_duration(seconds)),
        Some(Wait::Void(seconds)) => {
            format!("codes are good again in {}", display_duration(seconds))
        }
    };
    let bare = words.trim_end_matches([':', ' ']);
    format!("{bare} ({hint}): ")
}

/// Returns the text of the prompt with the names of the factors that this service allows now. It
/// has names only if there are several factors, and as many as fit.
fn with_names(words: Option<&str>, context: &LoginContext, record: &Outline, now: u64) -> String {
    let bare = words.unwrap_or(DEFAULT_PROMPT).trim_end_matches([':', ' ']);
    let service = context.service.as_deref();
    let names: Vec<_> = record
        .factors
        .iter()
        .filter(|factor| factor.is_verified() && factor.restrictions.allow(service, now))
        .map(|factor| factor.name.as_str())
        .collect();
    let fits = |names: &[&str], more: &str| {
        let text = format!("{bare} ({}{more}): ", names.join(", "));
        (text.chars().count() < MAX_COLUMNS).then_some(text)
    };
    let shorter = || (1..names.len()).rev().find_map(|some| fits(names.get(..some)?, ", ..."));
    let named = match names.as_slice() {
        [] | [_] => None,
        all => fits(all, "").or_else(shorter),
    };
    named.unwrap_or_else(|| prompt(words, None))
}

/// Returns seconds up to two minutes, then whole minutes, rounded up.
pub(crate) fn display_duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    }
}

const DEFAULT_PROMPT: &str = "Verification code: ";
/// The bound of the columns. Every text here has fewer.
pub(crate) const MAX_COLUMNS: usize = 60;

#[cfg(test)]
mod tests {
    use totpd_core::factor::Kind;
    use totpd_core::fixtures::verified;
    use totpd_core::record::Record;

    use super::*;

    #[test]
    fn the_prompt_shows_a_wait_with_any_words() {
        for (words, wait, expected) in [
            (None, None, "Verification code: "),
            (None, Some(Wait::Throttled(28)), "Verification code (wait 28 s): "),
            (None, Some(Wait::Throttled(119)), "Verification code (wait 119 s): "),
            (None, Some(Wait::Throttled(121)), "Verification code (wait 3 min): "),
            (None, Some(Wait::Throttled(3600)), "Verification code (wait 60 min): "),
            (None, Some(Wait::Void(119)), "Verification code (codes are good again in 119 s): "),
            (None, Some(Wait::Locked), "Verification code (locked): "),
            (Some("Token:"), None, "Token:"),
            (Some("Token:"), Some(Wait::Throttled(1)), "Token (wait 1 s): "),
        ] {
            assert_eq!(prompt(words, wait), expected);
        }
    }

    #[test]
    fn the_prompt_names_allowed_factors_as_far_as_they_fit() {
        let prompt_of = |names: &[&str], service: Option<&str>| {
            let mut record = Record::new(1000);
            for (number, name) in names.iter().enumerate() {
                let mut factor = verified(Kind::Totp { period: 30 }, None);
                factor.name = (*name).into();
                if number == 2 {
                    factor.restrictions.services = vec!["sudo".into()];
                }
                record.factors.push(factor);
            }
            let context =
                LoginContext { service: service.map(ToOwned::to_owned), ..LoginContext::default() };
            with_names(None, &context, &record.into(), 5)
        };
        // The text has 59 columns at most.
        let (long, fits) = ("x".repeat(40), "x".repeat(30));
        for (names, service, expected) in [
            (&[][..], None, "Verification code: "),
            (&["Pixel"], None, "Verification code: "),
            (&["Pixel", "Token"], None, "Verification code (Pixel, Token): "),
            (&["Pixel", "Token", "Old"], None, "Verification code (Pixel, Token): "),
            (&["Pixel", "Token", "Old"], Some("sudo"), "Verification code (Pixel, Token, Old): "),
            (&["Pixel", &long], None, "Verification code (Pixel, ...): "),
            (&["Pixel", &fits], None, &*format!("Verification code (Pixel, {fits}): ")),
            (&["Pixel", &format!("{fits}x")], None, "Verification code (Pixel, ...): "),
            (&[&long, &long], None, "Verification code: "),
        ] {
            assert_eq!(prompt_of(names, service), expected, "{names:?}");
        }
    }
}
