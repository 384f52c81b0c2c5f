//! Questions to polkit about actions that are not root's alone.
//!
//! The subject is the name that the bus gave the sender (`system-bus-name`). It is no process id,
//! because the id may belong to another process before polkit looks at it. It is nothing that the
//! message says.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use totpd_interface::{AUTHENTICATION_NEEDED, Error};
use totpd_journal::escape::{MAX_NAME_CHARS, escape_within};
use totpd_store::mutex::lock;
use zbus::Variant;

use crate::access::origin::Origin;

/// An action that polkit decides about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// A change of one's own factors.
    EnrollSelf,
    /// The management of other users.
    Manage,
}

impl Action {
    /// Returns the id of the action, as in the policy file and in rules.
    #[must_use]
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::EnrollSelf => "org.totpd.totp1.enroll-self",
            Self::Manage => "org.totpd.totp1.manage",
        }
    }
}

/// The questions to polkit. Each user may have [`MAX_PENDING_PER_USER`] questions open, because a
/// person may take minutes.
#[derive(Debug, Default)]
pub(crate) struct Polkit(Mutex<HashMap<u32, usize>>);

impl Polkit {
    /// Checks that polkit allows the sender of a call to do `action` to the factors of `user`. The
    /// rules of an administrator may look at both the user and the `operation`.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`] with the reason; [`Error::Throttled`] if too many questions of the
    /// user are open.
    pub(crate) async fn check(
        &self,
        action: Action,
        user: &str,
        operation: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        let bus = origin.bus()?;
        let _pending = self.begin_check(origin.caller.uid)?;
        let sender = Variant::from(bus.sender.as_str());
        let subject = ("system-bus-name", HashMap::from([("name", sender)]));
        // The person who authenticates reads the escaped name. A rule has to see the whole name, or
        // it would judge another user.
        let user = escape_within(user, MAX_NAME_CHARS);
        let details = HashMap::from([("user", user.as_ref()), ("operation", operation)]);
        let interactive = bus.is_interactive;
        let question = (subject, action.id(), details, u32::from(interactive), "");
        let call = bus.connection.call_method(
            Some("org.freedesktop.PolicyKit1"),
            "/org/freedesktop/PolicyKit1/Authority",
            Some("org.freedesktop.PolicyKit1.Authority"),
            "CheckAuthorization",
            &question,
        );
        // A person may take minutes. Another call of the user has the slot in that time.
        let reply = bus.slot.without_slot(tokio::time::timeout(AUTHENTICATION_TIMEOUT, call)).await;
        let refused = |reason: &str| Err(Error::NotAuthorized(reason.into()));
        let reply = match reply {
            Err(_) => return refused("nobody authenticated in time"),
            Ok(Err(error)) => return refused(&authority_error(&error)),
            Ok(Ok(reply)) => reply,
        };
        type Answer = ((bool, bool, HashMap<String, String>),);
        let ((authorized, challenge, details),): Answer = match reply.body().deserialize() {
            Ok(answer) => answer,
            Err(_) => return refused("cannot read the answer of polkit"),
        };
        match (authorized, challenge) {
            (true, _) => Ok(()),
            (false, _) if details.contains_key("polkit.dismissed") => {
                refused("the authentication was canceled")
            }
            (false, true) if !interactive => refused(&format!(
                "{AUTHENTICATION_NEEDED}, but the program does not let polkit ask for it"
            )),
            (false, true) => refused(&format!(
                "{AUTHENTICATION_NEEDED}, but there is no agent to ask for it; run totpctl at a \
                 terminal, or as root"
            )),
            (false, false) => refused(match action {
                Action::EnrollSelf => {
                    "polkit does not let you change your own second factor: it asks for your password; \
                     without one, have root run totpctl, or make the first factor at a login (option \
                     enroll of pam_totp)"
                }
                Action::Manage => "only root and users with the right to manage users may do that",
            }),
        }
    }

    /// Counts a question of `uid` until the caller drops the returned check.
    fn begin_check(&self, uid: u32) -> Result<PendingCheck<'_>, Error> {
        let mut pending = lock(&self.0);
        let count = pending.entry(uid).or_default();
        if *count >= MAX_PENDING_PER_USER {
            let message = "too many questions of polkit are open for you; answer one of them first";
            return Err(Error::Throttled(message.into()));
        }
        *count += 1;
        Ok(PendingCheck { polkit: self, uid })
    }
}

/// A question that polkit has not answered yet.
struct PendingCheck<'a> {
    polkit: &'a Polkit,
    uid: u32,
}

impl Drop for PendingCheck<'_> {
    fn drop(&mut self) {
        let mut pending = lock(&self.polkit.0);
        if let Some(count) = pending.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                pending.remove(&self.uid);
            }
        }
    }
}

fn authority_error(error: &zbus::Error) -> String {
    match error {
        // The bus found no owner of that name.
        zbus::Error::FDO(_) => "polkit is not running, so only root may do that".into(),
        error => format!("cannot ask polkit: {error}"),
    }
}

/// The maximum number of open questions of one user.
const MAX_PENDING_PER_USER: usize = 4;
/// The time limit of an authentication. The agents of polkit wait for a person for a shorter time.
const AUTHENTICATION_TIMEOUT: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_four_open_questions() {
        let polkit = Polkit::default();
        let mut pending: Vec<_> =
            (0..MAX_PENDING_PER_USER).map(|_| polkit.begin_check(1000).unwrap()).collect();
        assert!(matches!(polkit.begin_check(1000), Err(Error::Throttled(_))));
        assert!(polkit.begin_check(1001).is_ok());
        pending.pop();
        assert!(polkit.begin_check(1000).is_ok());
        drop(pending);
        assert!(polkit.0.lock().unwrap().is_empty());
    }
}
