//! The end of a login: libpam requests credentials only after the whole stack has succeeded. A
//! factor that was enrolled at this login is verified then, and not before.

use totpd_interface::login::LoginContext;
use totpd_journal::{Entry, Priority, Program};

use crate::outcome::Outcome;

/// A login that is about to begin its session.
pub(crate) trait LoginEnd {
    /// Removes and returns the token of a new factor: it must not reach the session.
    fn take_token(&mut self) -> Token;
    /// Returns service, remote host, terminal, remote user and user, if the host has set them.
    fn context(&self) -> LoginContext;
    /// Shows a text.
    fn inform(&self, text: &str);
}

/// The token of a new factor, as this process has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Token {
    /// The token.
    Here(String),
    /// A token in another process, in which the host authenticated.
    Lost,
    /// No factor was enrolled at this login.
    None,
}

/// Completes enrollments: the daemon, or a test.
pub(crate) trait EnrollmentService {
    /// Redeems a token. Returns a message for the person.
    fn complete_enrollment(
        &self,
        token: &str,
        context: &LoginContext,
    ) -> Result<Option<String>, Outcome>;
}

/// Completes the enrollment that was made at this login, if there is one. The login succeeds in any
/// case.
pub(crate) fn complete_enrollment(
    ending: &mut impl LoginEnd,
    service: &impl EnrollmentService,
    quiet: bool,
) {
    let result = match ending.take_token() {
        Token::None => return,
        Token::Here(token) => {
            let context = LoginContext { quiet, ..ending.context() };
            service.complete_enrollment(&token, &context)
        }
        Token::Lost => Err(Outcome::Internal(
            "this program requests credentials in another process than it authenticates in".into(),
        )),
    };
    match result {
        Ok(Some(message)) if !quiet => ending.inform(&message),
        Ok(_) => {}
        Err(outcome) => {
            let reason = match outcome {
                Outcome::Internal(reason) | Outcome::Unavailable(reason) => reason,
                other => format!("{other:?}"),
            };
            let message = format!("cannot verify the factor enrolled at this login: {reason}");
            Entry::new(Priority::Error, message).by(Program::PamTotp).write();
            if !quiet {
                ending.inform(UNKNOWN_RESULT);
            }
        }
    }
}

/// The daemon may have verified the factor, and its reply was lost.
const UNKNOWN_RESULT: &str = "Perhaps your second factor is not set up. Run: totpctl show";

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Login {
        token: Token,
        shown: RefCell<Vec<String>>,
    }

    impl LoginEnd for Login {
        fn take_token(&mut self) -> Token {
            std::mem::replace(&mut self.token, Token::None)
        }

        fn context(&self) -> LoginContext {
            LoginContext { service: Some("sshd".into()), ..LoginContext::default() }
        }

        fn inform(&self, text: &str) {
            self.shown.borrow_mut().push(text.to_owned());
        }
    }

    struct Totpd(Result<Option<String>, Outcome>, RefCell<u32>);

    impl EnrollmentService for Totpd {
        fn complete_enrollment(
            &self,
            token: &str,
            context: &LoginContext,
        ) -> Result<Option<String>, Outcome> {
            assert_eq!((token, context.service.as_deref()), ("token", Some("sshd")));
            *self.1.borrow_mut() += 1;
            self.0.clone()
        }
    }

    #[test]
    fn the_message_is_in_messages_md() {
        let page = include_str!("../../docs/reference/messages.md");
        assert!(page.contains(&format!("`{UNKNOWN_RESULT}`")) && UNKNOWN_RESULT.len() < 60);
    }

    #[test]
    fn a_token_is_redeemed_once_and_reported_unless_quiet() {
        let lost = || Err(Outcome::Unavailable("no answer".into()));
        for (answer, quiet, messages) in [
            (Ok(Some("Codes".into())), false, vec!["Codes"]),
            (Ok(Some("Codes".into())), true, vec![]),
            (Ok(None), false, vec![]),
            (lost(), false, vec![UNKNOWN_RESULT]),
            (lost(), true, vec![]),
        ] {
            let totpd = Totpd(answer, RefCell::new(0));
            let token = Token::Here("token".into());
            let mut login = Login { token, shown: RefCell::default() };
            for _ in 0..2 {
                complete_enrollment(&mut login, &totpd, quiet);
            }
            assert_eq!((*totpd.1.borrow(), &login.token), (1, &Token::None));
            assert_eq!(*login.shown.borrow(), messages);
        }
    }

    #[test]
    fn a_token_in_another_process_is_reported() {
        let totpd = Totpd(Ok(None), RefCell::new(0));
        let mut login = Login { token: Token::Lost, shown: RefCell::default() };
        complete_enrollment(&mut login, &totpd, false);
        assert_eq!(
            (*totpd.1.borrow(), &*login.shown.borrow()),
            (0, &vec![UNKNOWN_RESULT.to_owned()])
        );
    }
}
