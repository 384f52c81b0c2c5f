//! The end of a login: libpam asks for credentials only after the whole stack let somebody in. A factor that was
//! made at this login becomes good then, and not before.

use totpd_journal::{Entry, Priority, Program};

use crate::outcome::Outcome;

/// A login that is about to begin its session.
pub(crate) trait LoginEnd {
    /// The token of a new factor, which is nowhere any more then: it must not reach the session.
    fn take_token(&mut self) -> Token;
    /// Service, remote host, terminal and remote user, as far as the host says.
    fn context(&self) -> Vec<(&'static str, String)>;
    /// Shows a text.
    fn inform(&self, text: &str);
}

/// What was kept of a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Token {
    /// The token.
    Here(String),
    /// A ticket to one that is not in this process: the host authenticated in another one.
    Lost,
    /// Nothing: no factor was made at this login.
    None,
}

/// Whoever keeps the factors, for root alone.
pub(crate) trait EnrollmentService {
    /// Gives a token back; answers what the person should know. `quiet`: nothing can be shown.
    fn complete_enrollment(
        &self,
        token: &str,
        items: Vec<(&'static str, String)>,
        quiet: bool,
    ) -> Result<Option<String>, Outcome>;
}

/// Makes the factor good that was made at this login, if there is one. The user is in whatever comes of it.
pub(crate) fn complete_enrollment(
    ending: &mut impl LoginEnd,
    service: &impl EnrollmentService,
    quiet: bool,
) {
    let completed = match ending.take_token() {
        Token::None => return,
        Token::Here(token) => service.complete_enrollment(&token, ending.context(), quiet),
        Token::Lost => Err(Outcome::Internal("this program logs in by several processes".into())),
    };
    match completed {
        Ok(Some(message)) if !quiet => ending.inform(&message),
        Ok(_) => {}
        Err(outcome) => {
            let reason = match outcome {
                Outcome::Internal(reason) | Outcome::Unavailable(reason) => reason,
                other => format!("{other:?}"),
            };
            let message = format!("cannot verify the factor that was made at this login: {reason}");
            Entry::new(Priority::Error, message).by(Program::PamTotp).write();
            if !quiet {
                ending.inform(UNKNOWN_RESULT);
            }
        }
    }
}

/// It may be that the daemon did it, and its answer was lost.
const UNKNOWN_RESULT: &str = "Your second factor may not be set up. Run: totpctl show";

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

        fn context(&self) -> Vec<(&'static str, String)> {
            vec![("service", "sshd".into())]
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
            items: Vec<(&'static str, String)>,
            _: bool,
        ) -> Result<Option<String>, Outcome> {
            assert_eq!((token, items[0].1.as_str()), ("token", "sshd"));
            *self.1.borrow_mut() += 1;
            self.0.clone()
        }
    }

    #[test]
    fn the_page_of_messages_has_it() {
        let page = include_str!("../../docs/messages.md");
        assert!(page.contains(&format!("`{UNKNOWN_RESULT}`")) && UNKNOWN_RESULT.len() < 60);
    }

    #[test]
    fn a_token_is_given_back_once_and_its_message_shown_unless_quiet() {
        let lost = || Err(Outcome::Unavailable("no answer".into()));
        for (answer, quiet, shown) in [
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
            assert_eq!(*login.shown.borrow(), shown);
        }
    }

    #[test]
    fn a_token_in_another_process_is_told() {
        let totpd = Totpd(Ok(None), RefCell::new(0));
        let mut login = Login { token: Token::Lost, shown: RefCell::default() };
        complete_enrollment(&mut login, &totpd, false);
        assert_eq!(
            (*totpd.1.borrow(), &*login.shown.borrow()),
            (0, &vec![UNKNOWN_RESULT.to_owned()])
        );
    }
}
