//! The password phase. It tells the daemon that a password changes, so that no code given under the
//! old one lets anybody by. It never keeps a password from being changed.

use totpd_interface::login::{LoginContext, PasswordReply};
use totpd_journal::{Entry, Priority, Program};

use crate::authenticate::user_name;
use crate::outcome::Outcome;

/// A change of a password.
pub(crate) trait PasswordChange {
    /// Returns the name of the user.
    fn user(&self) -> Option<Vec<u8>>;
    /// Returns service, remote host, terminal and remote user, if the host has set them.
    fn context(&self) -> LoginContext;
}

/// Hears of changed passwords: the daemon, or a test.
pub(crate) trait PasswordListener {
    fn password_changed(
        &self,
        user: &str,
        context: &LoginContext,
    ) -> Result<PasswordReply, Outcome>;
}

/// Tells `listener` of the change. Without an answer, the journal says what stays remembered.
pub(crate) fn tell(change: &impl PasswordChange, listener: &impl PasswordListener) {
    let Some(user) = change.user() else { return };
    let reason = match listener.password_changed(&user_name(&user), &change.context()) {
        Ok(_) => return,
        Err(Outcome::Internal(reason) | Outcome::Unavailable(reason)) => reason,
        Err(other) => format!("{other:?}"),
    };
    let message = format!("{UNTOLD}: {reason}; see totpctl trust revoke");
    Entry::new(Priority::Error, message).by(Program::PamTotp).write();
}

const UNTOLD: &str =
    "cannot tell totpd of a changed password, so remembered logins of that user need no code yet";

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Change(Option<&'static str>);

    impl PasswordChange for Change {
        fn user(&self) -> Option<Vec<u8>> {
            self.0.map(Into::into)
        }

        fn context(&self) -> LoginContext {
            LoginContext { service: Some("passwd".into()), ..LoginContext::default() }
        }
    }

    struct Totpd(Result<PasswordReply, Outcome>, RefCell<Vec<String>>);

    impl PasswordListener for Totpd {
        fn password_changed(
            &self,
            user: &str,
            context: &LoginContext,
        ) -> Result<PasswordReply, Outcome> {
            let service = context.service.as_deref().unwrap_or_default();
            self.1.borrow_mut().push(format!("{user} at {service}"));
            self.0.clone()
        }
    }

    #[test]
    fn the_daemon_is_told_once_and_no_answer_matters() {
        let silent = Err(Outcome::Unavailable("no answer".into()));
        for answer in [Ok(PasswordReply { has_ended: true }), silent] {
            let totpd = Totpd(answer, RefCell::default());
            tell(&Change(Some("alice")), &totpd);
            assert_eq!(*totpd.1.borrow(), ["alice at passwd"]);
            tell(&Change(None), &totpd);
            assert_eq!(totpd.1.borrow().len(), 1, "nobody without a name");
        }
    }
}
