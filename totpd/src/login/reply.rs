//! The replies to a verdict, for the program and through it for the person.

use totpd_core::verification::{Method, Verdict};
use totpd_interface::login::{Method as MethodWord, VerifyReply};

use crate::host::clock;
use crate::login::prompt::display_duration;

/// Returns the verdict in its form for the bus. The reason of a denial stays in the journal.
pub(crate) fn verify_reply(verdict: &Verdict) -> VerifyReply {
    match verdict {
        Verdict::Approved { method, recovery_codes_left, unreported_use, .. } => {
            let when = unreported_use.as_ref().map(|usage| clock::display_local(usage.when));
            let message = recovery_notice(*method, *recovery_codes_left, when.as_deref());
            VerifyReply::Approved { method: Some(word_of(*method)), message, token: None }
        }
        Verdict::Denied(_) => VerifyReply::Denied { message: None },
        Verdict::Void { retry_after } => {
            let message = format!("Codes are good again in {}.", display_duration(*retry_after));
            let seconds = u32::try_from(*retry_after).unwrap_or(u32::MAX);
            VerifyReply::Throttled { message: Some(message), retry_after: Some(seconds) }
        }
        Verdict::Throttled { retry_after: None } => {
            let message = "Too many wrong codes: locked. Ask your administrator.".to_owned();
            VerifyReply::Throttled { message: Some(message), retry_after: None }
        }
        Verdict::Throttled { retry_after: Some(seconds) } => {
            let message =
                format!("Too many wrong codes. Try again in {}.", display_duration(*seconds));
            let seconds = u32::try_from(*seconds).unwrap_or(u32::MAX);
            VerifyReply::Throttled { message: Some(message), retry_after: Some(seconds) }
        }
    }
}

/// Returns the method in its form for the bus.
fn word_of(method: Method) -> MethodWord {
    match method {
        Method::Hotp => MethodWord::Hotp,
        Method::Recovery => MethodWord::Recovery,
        Method::Totp => MethodWord::Totp,
    }
}

/// Returns the notice about recovery codes for the owner of an approved code.
fn recovery_notice(method: Method, left: usize, used: Option<&str>) -> Option<String> {
    if method == Method::Recovery {
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
    use totpd_core::verification::Reason;

    use super::*;
    use crate::login::prompt::{MAX_COLUMNS, Wait, prompt};

    #[test]
    fn every_text_is_on_the_page_of_messages_and_short() {
        let page = include_str!("../../../docs/reference/messages.md");
        let waits = [Wait::Locked, Wait::Throttled(28), Wait::Throttled(3600), Wait::Void(45)];
        let prompts = waits.map(Some).into_iter().chain([None]).map(|wait| prompt(None, wait));
        let messages = [Some(28), None].map(|retry_after| {
            match verify_reply(&Verdict::Throttled { retry_after }) {
                VerifyReply::Throttled { message, .. } => message.unwrap(),
                other => panic!("{other:?}"),
            }
        });
        let used = "2026-11-24 17:04";
        let news = [
            recovery_notice(Method::Totp, 9, Some(used)),
            recovery_notice(Method::Recovery, 9, None),
            recovery_notice(Method::Recovery, 1, None),
        ]
        .into_iter()
        .chain([recovery_notice(Method::Recovery, 0, None)])
        .flatten();
        for text in prompts.chain(messages).chain(news) {
            assert!(page.contains(&format!("`{text}`")), "{text}");
            assert!(text.len() < MAX_COLUMNS, "{text}");
        }
    }

    #[test]
    fn a_denial_has_no_reason() {
        for reason in [
            Reason::Malformed,
            Reason::NotEnrolled,
            Reason::Replayed,
            Reason::NoMatch,
            Reason::NoRecoveryCode,
        ] {
            let reply = verify_reply(&Verdict::Denied(reason));
            assert_eq!(reply, VerifyReply::Denied { message: None });
        }
    }

    #[test]
    fn every_method_of_an_approval_has_its_word() {
        for (method, expected) in
            [(Method::Totp, "totp"), (Method::Hotp, "hotp"), (Method::Recovery, "recovery")]
        {
            let judged = Verdict::Approved {
                used: None,
                factor: None,
                method,
                recovery_codes_left: 9,
                unreported_use: None,
            };
            match verify_reply(&judged) {
                VerifyReply::Approved { method, token: None, .. } => {
                    assert_eq!(method.map(MethodWord::as_str), Some(expected));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_approval_mentions_used_recovery_codes() {
        let used = Some("2026-11-24 17:04");
        for (method, left, used, expected) in [
            (Method::Totp, 9, None, None),
            (
                Method::Totp,
                9,
                used,
                Some("A recovery code was used on 2026-11-24 17:04. Was it you?"),
            ),
            (Method::Recovery, 9, used, Some("Recovery code used up; 9 are left.")),
            (Method::Recovery, 1, None, Some("Recovery code used up; 1 is left.")),
            (Method::Recovery, 0, None, Some("That was your last recovery code. Make new ones.")),
        ] {
            assert_eq!(
                recovery_notice(method, left, used).as_deref(),
                expected,
                "{method:?} {left}"
            );
        }
    }
}
