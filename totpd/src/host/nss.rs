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

/// The callers that NSS is asked for. A lookup that hangs keeps its thread, so each lane has
/// threads of its own: what ordinary users ask never keeps a login waiting.
///
/// A lookup that failed is not kept for the next one. An ordinary user could make lookups fail, and
/// rules would then count more strictly at the logins of others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lane {
    /// Root, and so the programs that log people in.
    Root,
    /// Ordinary users.
    Users,
}

/// The lookups of NSS.
#[derive(Clone, Debug)]
pub(crate) struct Nss {
    of_root: Arc<Semaphore>,
    of_users: Arc<Semaphore>,
}

impl Nss {
    /// Returns the lookups, for at most [`MAX_LOOKUPS`] threads at a time.
    #[must_use]
    pub(crate) fn new() -> Self {
        let permits = |count| Arc::new(Semaphore::new(count));
        Self { of_root: permits(MAX_LOOKUPS_OF_ROOT), of_users: permits(MAX_LOOKUPS_OF_USERS) }
    }

    /// Returns what NSS says of the user of that name.
    ///
    /// # Errors
    /// [`NssUnavailable`] if NSS fails, or says nothing in time.
    pub(crate) async fn by_name(
        &self,
        lane: Lane,
        name: UserName,
    ) -> Result<Lookup, NssUnavailable> {
        self.look_up(lane, move || User::from_name(name.as_str())).await
    }

    /// Returns the user of that uid, or `None` if NSS says that there is none.
    ///
    /// # Errors
    /// [`NssUnavailable`] if NSS fails, or says nothing in time.
    pub(crate) async fn by_uid(
        &self,
        lane: Lane,
        uid: u32,
    ) -> Result<Option<NssUser>, NssUnavailable> {
        self.look_up(lane, move || User::from_uid(Uid::from_raw(uid))).await.map(Lookup::user)
    }

    /// Returns the memberships of the user of that name in `groups`.
    ///
    /// # Errors
    /// [`NssUnavailable`] if NSS says nothing of the user, or nothing in time.
    pub(crate) async fn memberships(
        &self,
        lane: Lane,
        user: UserName,
        groups: Vec<GroupName>,
    ) -> Result<Memberships, NssUnavailable> {
        self.ask(lane, move || memberships::look_up(&user, &groups).ok_or(NssUnavailable)).await
    }

    async fn look_up<F>(&self, lane: Lane, ask: F) -> Result<Lookup, NssUnavailable>
    where
        F: FnOnce() -> nix::Result<Option<User>> + Send + 'static,
    {
        self.ask(lane, move || user_from(ask())).await
    }

    /// Returns what `ask` returns. It may ask NSS anything.
    ///
    /// # Errors
    /// [`NssUnavailable`] if it returns nothing in time.
    pub(crate) async fn ask<T, F>(&self, lane: Lane, ask: F) -> Result<T, NssUnavailable>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, NssUnavailable> + Send + 'static,
    {
        if blocking::is_allowed() {
            return ask();
        }
        let permits = match lane {
            Lane::Root => &self.of_root,
            Lane::Users => &self.of_users,
        };
        let lookup = async {
            let permit = Arc::clone(permits).acquire_owned().await.map_err(|_| NssUnavailable)?;
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
pub(crate) const MAX_LOOKUPS: usize = MAX_LOOKUPS_OF_ROOT + MAX_LOOKUPS_OF_USERS;
const MAX_LOOKUPS_OF_ROOT: usize = 64;
const MAX_LOOKUPS_OF_USERS: usize = 16;
/// The deadline of a lookup. It is shorter than the deadline of the module, so the person gets a
/// reason.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use totpd_store::mutex::lock;

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
            let by_name = |name| nss.by_name(Lane::Root, UserName::parse(name).unwrap());
            let root = by_name("root").await.unwrap().user().unwrap();
            assert_eq!(root.uid, 0);
            assert_eq!(nss.by_uid(Lane::Users, 0).await.unwrap().unwrap(), root);
            assert_eq!(by_name("no-such-user-here").await, Ok(Lookup::Absent));
        });
    }

    #[test]
    fn lookups_of_ordinary_users_that_hang_keep_no_login_waiting() {
        on_a_runtime(async {
            let nss = Nss::new();
            let (held, gate) = std::sync::mpsc::channel::<()>();
            let gate = Arc::new(std::sync::Mutex::new(gate));
            let mut ended = Vec::new();
            for _ in 0..MAX_LOOKUPS {
                let (nss, gate) = (nss.clone(), Arc::clone(&gate));
                // It hangs until the test lets go.
                let hangs = move || {
                    let _ = lock(&gate).recv();
                    Ok(())
                };
                ended.push(tokio::spawn(async move { nss.ask(Lane::Users, hangs).await }));
            }
            while nss.of_users.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(nss.by_uid(Lane::Root, 0).await.unwrap().map(|root| root.uid), Some(0));
            let waits = tokio::time::timeout(Duration::ZERO, nss.by_uid(Lane::Users, 0)).await;
            assert!(waits.is_err(), "another user waits");
            drop(held);
            for call in ended {
                call.await.unwrap().unwrap();
            }
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
