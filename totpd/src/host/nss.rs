//! The lookups of users in NSS. A lookup can hang, so each has a thread and a deadline, unless the
//! calling thread may block.

use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::{Uid, User};
use tokio::sync::Semaphore;
use totpd_core::policy::GroupName;
use totpd_core::user_name::UserName;
use totpd_store::blocking;

pub(crate) use memberships::Memberships;

mod memberships;
pub(crate) mod order;

/// A user as NSS knows it. It has the name in the spelling of NSS, and the uid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NssUser {
    /// The login name.
    pub(crate) name: UserName,
    /// The numeric user id.
    pub(crate) uid: u32,
}

impl From<NssUser> for totpd_core::account::Account {
    fn from(user: NssUser) -> Self {
        Self {
            key: totpd_core::record_key::RecordKey::User(user.name),
            uid: Some(user.uid),
            is_uncertain: false,
        }
    }
}

/// What NSS says of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Lookup {
    /// The user.
    Found(NssUser),
    /// There is none.
    Absent,
    /// There is none, or a service of NSS is down: glibc reports `ENOENT` for a service that is not
    /// available, and some releases report it for a name that was not found.
    Ambiguous,
}

impl Lookup {
    /// Returns the user that was found.
    pub(crate) fn user(self) -> Option<NssUser> {
        match self {
            Self::Found(user) => Some(user),
            Self::Absent | Self::Ambiguous => None,
        }
    }
}

/// The error if NSS did not answer. It does not mean that there is no such user.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the user database (NSS) does not answer; see nsswitch.conf and its services")]
pub(crate) struct NssUnavailable;

/// The lookups of NSS.
#[derive(Clone, Debug)]
pub(crate) struct Nss {
    permits: Arc<Semaphore>,
}

impl Nss {
    /// Returns the lookups, for at most [`MAX_LOOKUPS`] threads at a time.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { permits: Arc::new(Semaphore::new(MAX_LOOKUPS)) }
    }

    /// Returns what NSS says of the user of that name.
    ///
    /// # Errors
    /// [`NssUnavailable`] if NSS fails, or says nothing in time.
    pub(crate) async fn by_name(&self, name: UserName) -> Result<Lookup, NssUnavailable> {
        self.look_up(move || User::from_name(name.as_str())).await
    }

    /// Returns the user of that uid, or `None` if NSS says that there is none.
    ///
    /// # Errors
    /// [`NssUnavailable`] if NSS fails, or says nothing in time.
    pub(crate) async fn by_uid(&self, uid: u32) -> Result<Option<NssUser>, NssUnavailable> {
        self.look_up(move || User::from_uid(Uid::from_raw(uid))).await.map(Lookup::user)
    }

    /// Returns the memberships of the user of that name in `groups`.
    ///
    /// # Errors
    /// [`NssUnavailable`] if NSS says nothing of the user, or nothing in time.
    pub(crate) async fn memberships(
        &self,
        user: UserName,
        groups: Vec<GroupName>,
    ) -> Result<Memberships, NssUnavailable> {
        self.ask(move || memberships::look_up(&user, &groups).ok_or(NssUnavailable)).await
    }

    async fn look_up<F>(&self, ask: F) -> Result<Lookup, NssUnavailable>
    where
        F: FnOnce() -> nix::Result<Option<User>> + Send + 'static,
    {
        self.ask(move || user_from(ask())).await
    }

    async fn ask<T, F>(&self, ask: F) -> Result<T, NssUnavailable>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, NssUnavailable> + Send + 'static,
    {
        if blocking::is_allowed() {
            return ask();
        }
        let lookup = async {
            let permit =
                Arc::clone(&self.permits).acquire_owned().await.map_err(|_| NssUnavailable)?;
            // The permit belongs to the thread. A thread that hangs counts until it ends.
            let answer = tokio::task::spawn_blocking(move || (ask(), permit).0);
            answer.await.map_err(|_| NssUnavailable)?
        };
        tokio::time::timeout(LOOKUP_TIMEOUT, lookup).await.map_err(|_| NssUnavailable)?
    }
}

impl Default for Nss {
    fn default() -> Self {
        Self::new()
    }
}

fn user_from(answer: nix::Result<Option<User>>) -> Result<Lookup, NssUnavailable> {
    match answer {
        Ok(Some(user)) => {
            let uid = user.uid.as_raw();
            let name = UserName::parse(&user.name);
            Ok(name.map_or(Lookup::Absent, |name| Lookup::Found(NssUser { name, uid })))
        }
        Ok(None) => Ok(Lookup::Absent),
        Err(Errno::ENOENT | Errno::ESRCH) => Ok(Lookup::Ambiguous),
        Err(_) => Err(NssUnavailable),
    }
}

/// The maximum number of threads that may ask NSS at a time. A lookup that hangs occupies one
/// thread.
pub(crate) const MAX_LOOKUPS: usize = 64;
/// The deadline of a lookup. It is shorter than the deadline of the module, so the person gets a
/// reason.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;

    fn on_a_runtime<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn root_is_found_by_name_and_uid_and_an_unknown_name_is_not() {
        on_a_runtime(async {
            let nss = Nss::new();
            let root = nss.by_name(UserName::parse("root").unwrap()).await.unwrap().user().unwrap();
            assert_eq!(root.uid, 0);
            assert_eq!(nss.by_uid(0).await.unwrap().unwrap(), root);
            let nobody = nss.by_name(UserName::parse("no-such-user-here").unwrap()).await;
            assert_eq!(nobody, Ok(Lookup::Absent));
        });
    }

    #[test]
    fn an_nss_failure_is_not_an_unknown_user() {
        assert_eq!(user_from(Err(Errno::EIO)), Err(NssUnavailable));
        assert_eq!(user_from(Err(Errno::ETIMEDOUT)), Err(NssUnavailable));
        assert_eq!(user_from(Err(Errno::ENOENT)), Ok(Lookup::Ambiguous));
        assert_eq!(user_from(Err(Errno::ESRCH)), Ok(Lookup::Ambiguous));
        assert_eq!(user_from(Ok(None)), Ok(Lookup::Absent));
    }
}
