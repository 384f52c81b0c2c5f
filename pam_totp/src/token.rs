//! Where the token of a new factor is from `pam_authenticate` to `pam_setcred`.
//!
//! sshd calls the two in two processes, and carries nothing between them but the PAM environment. So the token is
//! a variable there. Others call both in one process, and some open the session in between, which sees that
//! environment (the login of shadow). There the variable is a mere ticket, and the token is kept in this process.

use std::sync::{Mutex, PoisonError};

use crate::nonce;

/// Tokens that wait here for the end of their login, each with its ticket; the oldest first. The last module to
/// be unloaded leaves at most these behind.
static PENDING: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// What the PAM environment holds for `token`. `tty` is the terminal of the login, as PAM has it. Nothing where
/// the kernel gives no random bytes.
pub(crate) fn deposit(token: &str, tty: Option<&str>) -> Option<String> {
    if tty == Some(SSHD_TTY) {
        return Some(token.to_owned());
    }
    let ticket = format!("{TICKET_PREFIX}{}", nonce::random()?);
    let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    if pending.len() >= MAX_PENDING {
        pending.remove(0);
    }
    pending.push((ticket.clone(), token.to_owned()));
    Some(ticket)
}

/// The token for what the PAM environment held; nothing if it is not here, or not any more.
pub(crate) fn withdraw(held: String) -> Option<String> {
    if !held.starts_with(TICKET_PREFIX) {
        return Some(held);
    }
    let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    let found = pending.iter().position(|(ticket, _)| *ticket == held)?;
    Some(pending.remove(found).1)
}

/// What OpenSSH says is its terminal before there is one.
const SSHD_TTY: &str = "ssh";
/// No token begins so.
const TICKET_PREFIX: &str = "ticket-";
/// A program makes one login at a time; some open a second one within it.
const MAX_PENDING: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sshd_carries_the_token_itself_and_others_a_ticket_that_is_good_once() {
        assert_eq!(deposit("token", Some("ssh")).as_deref(), Some("token"));
        assert_eq!(withdraw("token".into()).as_deref(), Some("token"));
        for tty in [None, Some("tty1"), Some("pts/1"), Some("sshd")] {
            let ticket = deposit("secret", tty).unwrap();
            assert!(!ticket.contains("secret"), "{ticket}");
            assert_eq!(withdraw(ticket.clone()).as_deref(), Some("secret"));
            assert_eq!(withdraw(ticket), None);
        }
        // Who never comes back for it makes room.
        let tickets: Vec<_> = (0..20).map(|_| deposit("secret", None).unwrap()).collect();
        assert!(PENDING.lock().unwrap().len() <= MAX_PENDING);
        assert_eq!(withdraw(tickets[0].clone()), None);
        assert!(withdraw(tickets[19].clone()).is_some());
    }
}
