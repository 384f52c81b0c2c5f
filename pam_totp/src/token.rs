//! Carries the token of a new factor from `pam_authenticate` to `pam_setcred`.
//!
//! sshd calls the two in two processes, and copies only the PAM environment from one to the other.
//! So the token is a variable there. Other programs call both in one process. Some of them open the
//! session in between, which sees that environment (login of shadow). For them the variable is only
//! a ticket, and the token stays in this process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::nonce;

/// Tickets and tokens of logins that have not ended, the oldest first.
static PENDING: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Returns what the PAM environment has to hold for `token`. `tty` is the terminal of the login, as
/// PAM has it. `None` if getrandom fails.
pub(crate) fn deposit(token: &str, tty: Option<&str>) -> Option<String> {
    if tty == Some(SSHD_TTY) {
        return Some(token.to_owned());
    }
    let ticket = format!("{TICKET_PREFIX}{}", nonce::random()?);
    let mut pending = lock_pending();
    if pending.len() >= MAX_PENDING {
        pending.remove(0);
    }
    pending.push((ticket.clone(), token.to_owned()));
    Some(ticket)
}

/// Returns the token for what the PAM environment held. `None` if it is not in this process.
pub(crate) fn withdraw(deposit: String) -> Option<String> {
    if !deposit.starts_with(TICKET_PREFIX) {
        return Some(deposit);
    }
    let mut pending = lock_pending();
    let position = pending.iter().position(|(ticket, _)| *ticket == deposit)?;
    Some(pending.remove(position).1)
}

/// Locks the list, also after a panic of another thread: no change of it stops halfway.
fn lock_pending() -> MutexGuard<'static, Vec<(String, String)>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal that OpenSSH sets before there is one.
const SSHD_TTY: &str = "ssh";
/// No token starts like this.
const TICKET_PREFIX: &str = "ticket-";
/// A program runs one login at a time, and some run a second one within it.
const MAX_PENDING: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sshd_carries_the_token_and_others_a_single_use_ticket() {
        assert_eq!(deposit("token", Some("ssh")).as_deref(), Some("token"));
        assert_eq!(withdraw("token".into()).as_deref(), Some("token"));
        for tty in [None, Some("tty1"), Some("pts/1"), Some("sshd")] {
            let ticket = deposit("secret", tty).unwrap();
            assert!(!ticket.contains("secret"), "{ticket}");
            assert_eq!(withdraw(ticket.clone()).as_deref(), Some("secret"));
            assert_eq!(withdraw(ticket), None);
        }
        // Tokens that are never redeemed make room.
        let tickets: Vec<_> = (0..20).map(|_| deposit("secret", None).unwrap()).collect();
        assert!(PENDING.lock().unwrap().len() <= MAX_PENDING);
        assert_eq!(withdraw(tickets[0].clone()), None);
        assert!(withdraw(tickets[19].clone()).is_some());
    }
}
