//! Who changes whose factors, and by what right.

use totpd_core::account::Account;
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;
use totpd_interface::Error;
use totpd_journal::escaped;
use totpd_store::StoreError;

use crate::access::caller::Caller;
use crate::access::origin::Origin;
use crate::access::polkit::Action;
use crate::daemon::Daemon;

/// A caller that may act for a user.
pub(crate) struct AuthorizedCaller {
    /// Who asks.
    pub(crate) caller: Caller,
    /// The user.
    pub(crate) name: UserName,
    /// Where the user's record is.
    pub(crate) target: Account,
    /// Whether the caller has to show a current code where there is a verified factor: of one's own,
    /// whatever polkit says.
    pub(crate) needs_code: bool,
}

/// What shall be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    /// Change factors of a user who exists.
    Change,
    /// Confirm a factor by its first code. Whoever has one was shown the key, and polkit was asked then.
    Confirm,
    /// Change something for somebody, oneself too, by the right to manage alone; also for a user who is
    /// gone from the system and still in the store.
    Manage,
    /// Read the state, likewise.
    Read,
    /// Remove factors, likewise.
    Remove,
}

impl Operation {
    /// The word for it in a question to polkit.
    fn operation(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Confirm => "confirm",
            Self::Manage => "manage",
            Self::Read => "read",
            Self::Remove => "remove",
        }
    }
}

impl AuthorizedCaller {
    /// The sender of a message, if it may do `deed` for `user`: root for everybody, others for
    /// themselves if polkit lets them, and for others if polkit lets them manage users. Names that an
    /// ordinary caller made up are not even looked up.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`], in the same words whoever the user is, or whether it is;
    /// [`Error::NoSuchUser`].
    pub(crate) async fn of(
        daemon: &Daemon,
        user: &str,
        deed: Operation,
        origin: &Origin,
    ) -> Result<Self, Error> {
        let caller = origin.caller;
        let mut own = None;
        if !caller.is_root() {
            own = daemon.own_account(caller, user).await?;
            let action = match (own.is_some(), deed) {
                (true, Operation::Confirm | Operation::Read) => None,
                (true, Operation::Change | Operation::Remove) if !daemon.config.self_service => {
                    return Err(Error::NotAuthorized(
                        "users may not change their second factor here; ask your administrator"
                            .into(),
                    ));
                }
                (true, Operation::Change | Operation::Remove) => Some(Action::EnrollSelf),
                (true, Operation::Manage) | (false, _) => Some(Action::Manage),
            };
            if let Some(action) = action {
                daemon.polkit.check(action, user, deed.operation(), origin).await?;
            }
        }
        let is_own = own.is_some();
        let target = match own {
            Some(own) => own,
            None => daemon.target(user).await?,
        };
        // polkit judged the name as it was typed. NSS may fold case or domains, and lead elsewhere.
        let is_as_typed = matches!(&target.subject, RecordKey::User(name) if name.as_str() == user);
        if !caller.is_root() && !is_own && target.uid.is_some() && !is_as_typed {
            return Err(no_such_user(user));
        }
        let needs_code = is_own || (!caller.is_root() && target.uid == Some(caller.uid));
        if !caller.is_root() && !needs_code && deed != Operation::Read && target.uid == Some(0) {
            return Err(Error::NotAuthorized("only root may change the factors of root".into()));
        }
        let (name, target) = match (&target.subject, deed) {
            (RecordKey::User(name), _) => (name.clone(), target),
            (RecordKey::Bucket(_), Operation::Change | Operation::Confirm) => {
                return Err(no_such_user(user));
            }
            (RecordKey::Bucket(_), Operation::Manage | Operation::Read | Operation::Remove) => {
                gone(daemon, user).await?
            }
        };
        Ok(Self { caller, name, target, needs_code })
    }
}

/// A user that is gone from the system and still in the store.
async fn gone(daemon: &Daemon, user: &str) -> Result<(UserName, Account), Error> {
    let name = UserName::parse(user).ok_or_else(|| no_such_user(user))?;
    let subject = RecordKey::User(name.clone());
    let uid = match daemon.store.read(subject.clone()).await {
        Ok(None) => return Err(no_such_user(user)),
        Ok(Some(record)) => Some(record.uid),
        // It can be removed nevertheless.
        Err(StoreError::Corrupt(_)) => None,
        Err(error) => return Err(daemon.failure(&error)),
    };
    Ok((name, Account { subject, uid }))
}

fn no_such_user(user: &str) -> Error {
    let user: String = user.chars().take(64).collect();
    Error::NoSuchUser(format!("there is no user {:?} on this system", escaped(&user)))
}
