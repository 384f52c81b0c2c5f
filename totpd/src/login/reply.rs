//! What a program is told of a verdict, and through it the person.

use totpd_core::verification::Verdict;
use totpd_interface::{Dictionary, verdict};

use crate::host::clock;
use crate::login::prompt::length;
use crate::reply::Reply;

/// The verdict as it goes over the bus. Why a code was denied stays in the journal.
pub(crate) fn told(judged: &Verdict) -> (String, Dictionary) {
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

#[cfg(test)]
mod tests {
    use totpd_core::throttle::ThrottleState;
    use totpd_core::verification::Reason;

    use super::*;
    use crate::login::prompt::{NARROW, prompt};

    #[test]
    fn every_text_is_on_the_page_of_messages_and_short() {
        let page = include_str!("../../../docs/messages.md");
        let waiting =
            [ThrottleState::Open, ThrottleState::Waiting(28), ThrottleState::Waiting(3600)];
        let prompts =
            waiting.into_iter().chain([ThrottleState::Locked]).map(|now| prompt(None, now));
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
            assert!(text.len() < NARROW, "{text}");
        }
    }

    #[test]
    fn a_denial_gives_no_reason_away() {
        for reason in [Reason::Malformed, Reason::NotEnrolled, Reason::Replayed, Reason::NoMatch] {
            let (word, details) = told(&Verdict::Denied(reason));
            assert_eq!((word.as_str(), details.len()), ("denied", 0));
        }
    }

    #[test]
    fn an_approval_tells_its_owner_of_recovery_codes() {
        let used = Some("2026-11-24 17:04");
        for (method, left, used, told) in [
            ("totp", 9, None, None),
            ("totp", 9, used, Some("A recovery code was used on 2026-11-24 17:04. Was it you?")),
            ("recovery", 9, used, Some("Recovery code used up; 9 are left.")),
            ("recovery", 1, None, Some("Recovery code used up; 1 is left.")),
            ("recovery", 0, None, Some("That was your last recovery code. Make new ones.")),
        ] {
            assert_eq!(news(method, left, used).as_deref(), told, "{method} {left}");
        }
    }
}
