//! The rights of a caller to change the factors of a user. The rights are a table:
//! [`totpd_core::authorization`].

use totpd_core::account::Account;
use totpd_core::authorization::{Need, Operation, Relation, is_for_removed_users, need};
use totpd_core::factor::Maker;
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;
use totpd_interface::Error;
use totpd_journal::escape::escape_within;

use crate::access::caller::Caller;
use crate::access::origin::Origin;
use crate::access::polkit::Action;
use crate::audit::event::{ChangeEvent, Event, Factors};
use crate::audit::reason::Reason;
use crate::daemon::Daemon;

/// A caller that may act for a user.
pub(crate) struct AuthorizedCaller {
    /// The caller.
    pub(crate) caller: Caller,
    /// The user.
    pub(crate) name: UserName,
    /// The user's account.
    pub(crate) account: Account,
    /// The flag that the account is the caller's own. Then a user with a verified factor has to
    /// give a current code, whatever polkit says.
    pub(crate) is_own: bool,
}

impl AuthorizedCaller {
    /// Returns the sender of a call, if it may do `operation` for `user`. The daemon does not even
    /// look up names that an ordinary caller made up.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`], in the same words for every user, and for a name that nobody has.
    /// [`Error::NoSuchUser`].
    pub(crate) async fn new(
        daemon: &Daemon,
        user: &str,
        operation: Operation,
        origin: &Origin,
    ) -> Result<Self, Error> {
        let caller = origin.caller;
        if caller.is_root() {
            let account = daemon.account(caller.lane(), user).await?;
            let (name, account) = known_user(daemon, user, account, operation).await?;
            return Ok(Self { caller, name, account, is_own: false });
        }
        let own = daemon.own_account(caller, user).await?;
        let relation = caller.relation_to(own.as_ref().and_then(|account| account.uid));
        let action = match need(operation, relation) {
            Need::Nothing => None,
            Need::SelfService if !daemon.config.self_service => return Err(no_self_service()),
            Need::SelfService => Some(Action::EnrollSelf),
            Need::ManageUsers => Some(Action::Manage),
            Need::Root => return Err(only_root(operation)),
        };
        if let Some(action) = action {
            daemon.polkit.check(action, user, operation.word(), origin).await?;
        }
        if let Some(account) = own {
            let (name, account) = known_user(daemon, user, account, operation).await?;
            return Ok(Self { caller, name, account, is_own: true });
        }
        let account = daemon.account(caller.lane(), user).await?;
        // Polkit judged the typed name. NSS may fold case or domains, and lead elsewhere.
        let is_as_typed = matches!(&account.key, RecordKey::User(name) if name.as_str() == user);
        if account.uid.is_some() && !is_as_typed {
            return Err(no_such_user(user));
        }
        let relation = caller.relation_to(account.uid);
        // Polkit may allow more for somebody else than the caller may do with this account.
        if need(operation, relation) == Need::Root {
            return Err(match relation {
                Relation::Root => {
                    Error::NotAuthorized("only root may change the factors of root".into())
                }
                _ => only_root(operation),
            });
        }
        let (name, account) = known_user(daemon, user, account, operation).await?;
        Ok(Self { caller, name, account, is_own: relation == Relation::Own })
    }

    /// Returns the maker of a factor that this caller adds.
    pub(crate) fn maker(&self) -> Maker {
        Maker::from_uid(self.caller.uid)
    }

    /// Returns the event of a change by this caller of factors of the user.
    pub(crate) fn event(&self, factors: Factors, reason: Reason) -> Event<'_> {
        let (by, user, is_own) = (self.caller, &self.name, self.is_own);
        Event::Change(ChangeEvent { by, user, is_own, factors, reason })
    }
}

/// Returns the user behind an account. Some operations are also for users who are gone from the
/// system and still in the store.
async fn known_user(
    daemon: &Daemon,
    user: &str,
    account: Account,
    operation: Operation,
) -> Result<(UserName, Account), Error> {
    match &account.key {
        RecordKey::User(name) => Ok((name.clone(), account)),
        RecordKey::Bucket(_) if is_for_removed_users(operation) => removed_user(daemon, user).await,
        RecordKey::Bucket(_) => Err(no_such_user(user)),
    }
}

/// Returns a user who is gone from the system and still in the store.
async fn removed_user(daemon: &Daemon, user: &str) -> Result<(UserName, Account), Error> {
    let name = UserName::parse(user).ok_or_else(|| no_such_user(user))?;
    let account = Account { key: RecordKey::User(name.clone()), uid: None, is_uncertain: false };
    let uid = match daemon.read(&account).await {
        Ok(None) => return Err(no_such_user(user)),
        Ok(Some(record)) => Some(record.uid),
        // Root can remove a damaged record nevertheless.
        Err(Error::StoreCorrupt(_)) => None,
        Err(error) => return Err(error),
    };
    Ok((name, Account { uid, ..account }))
}

fn no_self_service() -> Error {
    Error::NotAuthorized(
        "users may not change their second factor here; ask your administrator".into(),
    )
}

fn only_root(operation: Operation) -> Error {
    Error::NotAuthorized(
        match operation {
            Operation::EnrollConfirmed => "only root may enroll without a first code",
            Operation::EnrollShortSecret => {
                "only root may enroll a secret of less than 128 bits (26 letters in base32); have \
                 root enroll it, or use a longer one"
            }
            Operation::Restrict => "you may rename your factor; only root may change its limits",
            _ => "only root may do that",
        }
        .into(),
    )
}

fn no_such_user(user: &str) -> Error {
    Error::NoSuchUser(format!("there is no user \"{}\" on this system", escape_within(user, 64)))
}
