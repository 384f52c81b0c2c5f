//! Asking polkit whether a caller may do something that is not root's alone.
//!
//! The subject is the name that the bus gave the sender (`system-bus-name`): no process id, which may
//! belong to another by the time it is looked at, and nothing that the message says.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use totpd_interface::Error;
use totpd_journal::escape::{MAX_NAME_CHARS, escape_within};
use zbus::Variant;

use crate::access::origin::Origin;

/// What polkit decides about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// Changing one's own factors.
    EnrollSelf,
    /// Managing other users.
    Manage,
}

impl Action {
    /// Its id, as in the policy file and in rules.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::EnrollSelf => "org.totpd.totp1.enroll-self",
            Self::Manage => "org.totpd.totp1.manage",
        }
    }
}

/// Questions to polkit, of which each user may have a few open: a person may take minutes.
#[derive(Debug, Default)]
pub struct Polkit(Mutex<HashMap<u32, usize>>);

impl Polkit {
    /// Whether polkit lets the sender of a message do `action` to the factors of `user`. Rules of an administrator
    /// may look at both the user and the `operation`.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`] says why not; [`Error::Throttled`] where too many questions of
    /// its uid are open.
    pub(crate) async fn check(
        &self,
        action: Action,
        user: &str,
        operation: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        let bus = origin.bus()?;
        let _open = self.open(origin.caller.uid)?;
        let sender = Variant::from(bus.sender.as_str());
        let subject = ("system-bus-name", HashMap::from([("name", sender)]));
        // It is shown to whoever authenticates. A rule has to see the whole name, or it would judge another user.
        let user = escape_within(user, MAX_NAME_CHARS);
        let details = HashMap::from([("user", user.as_ref()), ("operation", operation)]);
        let interactive = bus.is_interactive;
        let question = (subject, action.id(), details, u32::from(interactive), "");
        let asked = bus.connection.call_method(
            Some("org.freedesktop.PolicyKit1"),
            "/org/freedesktop/PolicyKit1/Authority",
            Some("org.freedesktop.PolicyKit1.Authority"),
            "CheckAuthorization",
            &question,
        );
        // A person may take minutes, in which others work.
        let asked = bus.place.aside(tokio::time::timeout(PATIENCE, asked)).await;
        let refused = |why: &str| Err(Error::NotAuthorized(why.into()));
        let answer = match asked {
            Err(_) => return refused("nobody authenticated in time"),
            Ok(Err(error)) => return refused(&not_there(&error)),
            Ok(Ok(answer)) => answer,
        };
        type Answer = ((bool, bool, HashMap<String, String>),);
        let ((authorized, challenge, details),): Answer = match answer.body().deserialize() {
            Ok(answer) => answer,
            Err(_) => return refused("polkit gave an answer that cannot be understood"),
        };
        match (authorized, challenge) {
            (true, _) => Ok(()),
            (false, _) if details.contains_key("polkit.dismissed") => {
                refused("the authentication was canceled")
            }
            (false, true) if !interactive => {
                refused("authentication is needed, and the program did not allow to ask for it")
            }
            (false, true) => refused(
                "authentication is needed, and there is no agent to ask for it: run totpctl at a \
                 terminal, or as root",
            ),
            (false, false) => refused(match action {
                Action::EnrollSelf => "polkit does not let you change your own second factor",
                Action::Manage => "only root, and whom polkit lets manage users, may do that",
            }),
        }
    }

    /// Takes note of a question of `uid`, until what is answered is dropped.
    fn open(&self, uid: u32) -> Result<Open<'_>, Error> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(uid).or_default();
        if *count >= MOST_OPEN {
            let told = "you are asked to authenticate for too many things at a time";
            return Err(Error::Throttled(told.into()));
        }
        *count += 1;
        Ok(Open { polkit: self, uid })
    }
}

/// A question that polkit has not answered yet.
struct Open<'a> {
    polkit: &'a Polkit,
    uid: u32,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut open = self.polkit.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.uid);
            }
        }
    }
}

fn not_there(error: &zbus::Error) -> String {
    match error {
        // Of the bus, which found nobody of that name.
        zbus::Error::FDO(_) => "polkit is not there to allow it: only root may do that".into(),
        error => format!("polkit does not allow it: {error}"),
    }
}

/// Open questions of one user.
const MOST_OPEN: usize = 4;
/// As long as polkit's own agents wait for a person, and longer.
const PATIENCE: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_four_open_questions_and_no_more() {
        let polkit = Polkit::default();
        let mut open: Vec<_> = (0..MOST_OPEN).map(|_| polkit.open(1000).unwrap()).collect();
        assert!(matches!(polkit.open(1000), Err(Error::Throttled(_))));
        assert!(polkit.open(1001).is_ok());
        open.pop();
        assert!(polkit.open(1000).is_ok());
        drop(open);
        assert!(polkit.0.lock().unwrap().is_empty());
    }
}
