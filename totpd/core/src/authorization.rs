//! The table of rights: the need of each operation, by the relation of the caller to the account.
//!
//! Root may do everything. For all other callers the table lists the need of an operation. The need
//! depends on the owner of the account. A pending factor is for its maker ([`may_change`]).

use crate::account::Account;
use crate::factor::{Factor, Maker};
use crate::record::Record;

/// The operation that a caller asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Ask what a login needs, and try a code (`Begin`, `Verify`).
    LogIn,
    /// End the login at which a factor was made (`CompleteEnrollment`).
    CompleteLogin,
    /// Ask whether a login at which no code was given continues (`Guard`).
    Guard,
    /// Say that the password of a user changed (`PasswordChanged`).
    ReportPassword,
    /// Read the state of one user (`GetUser`), or what is remembered of its logins (`ListTrust`).
    Read,
    /// List the enrolled users (`ListUsers`), the rules (`ListRules`, `RulesAt`), or all that is
    /// remembered of logins (`ListTrust`).
    List,
    /// Ask what a login of one user would need (`Explain`).
    Explain,
    /// Give the first code of a factor (`Confirm`). The caller was shown its key, and was
    /// authorized then.
    Confirm,
    /// Add a factor, rename one, or renew recovery codes (`Enroll`, `SetFactor`, `RecoveryCodes`).
    Change,
    /// Add a verified factor without a first code (`Enroll` with `confirmed`).
    EnrollConfirmed,
    /// Add a factor with a secret of less than 128 bits (`Enroll` with `secret`).
    EnrollShortSecret,
    /// Take over the factors of a user from another program (`Import`).
    Import,
    /// Hand out the seeds of a user's confirmed factors (`Export`).
    Export,
    /// Disable a factor, or limit its times and services (`SetFactor`).
    Restrict,
    /// Remove factors (`Remove`).
    Remove,
    /// Remove a record that cannot be unsealed (`Remove`).
    RemoveDamaged,
    /// Forget wrong codes, or find a token again (`Unlock`, `Resync`).
    Manage,
    /// End what is remembered of logins (`RevokeTrust`).
    Revoke,
    /// Put the rules of the configuration in force, or try others (`Reload`, `CheckRules`).
    Reload,
    /// Back up, restore, rekey or check the store as a whole.
    KeepStore,
}

impl Operation {
    /// Returns the word for the operation in a question to polkit. Rules of administrators compare
    /// this word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LogIn | Self::CompleteLogin | Self::Guard | Self::ReportPassword => "login",
            Self::Read => "read",
            Self::List => "list",
            Self::Explain => "explain",
            Self::Confirm => "confirm",
            Self::Change
            | Self::EnrollConfirmed
            | Self::EnrollShortSecret
            | Self::Import
            | Self::Restrict => "change",
            Self::Export => "export",
            Self::Remove | Self::RemoveDamaged => "remove",
            Self::Manage => "manage",
            Self::Revoke => "revoke",
            Self::Reload => "reload",
            Self::KeepStore => "store",
        }
    }
}

/// The relation of the caller to the account that an operation is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relation {
    /// The caller is root.
    ByRoot,
    /// The caller's own account.
    Own,
    /// The account of another user.
    Other,
    /// The account of root, and the caller is not root.
    Root,
}

impl Relation {
    /// Returns the relation of the caller with this uid to an account. A user who is gone has no
    /// uid.
    #[must_use]
    pub fn new(caller: u32, account: Option<u32>) -> Self {
        match (caller, account) {
            (0, _) => Self::ByRoot,
            (_, Some(0)) => Self::Root,
            (caller, Some(uid)) if caller == uid => Self::Own,
            (_, _) => Self::Other,
        }
    }
}

/// The need of a caller for an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// Nothing beyond the identity of the caller.
    Nothing,
    /// Self-service: it must be on, and polkit must allow `enroll-self`. If there is a verified
    /// factor, the caller also needs a current code of it or a recovery code.
    SelfService,
    /// Polkit must allow `manage`.
    ManageUsers,
    /// Nobody but root may do it.
    Root,
}

/// Returns the need of `operation` for a caller in this relation to the account.
#[must_use]
pub fn need(operation: Operation, relation: Relation) -> Need {
    let Some((_, own, other, root, _)) = TABLE.iter().find(|row| row.0 == operation) else {
        return Need::Root;
    };
    match relation {
        Relation::ByRoot => Need::Nothing,
        Relation::Own => *own,
        Relation::Other => *other,
        Relation::Root => *root,
    }
}

/// Reports whether `operation` is also for a user who is gone from the system and still in the
/// store.
#[must_use]
pub fn is_for_removed_users(operation: Operation) -> bool {
    TABLE.iter().any(|row| row.0 == operation && row.4)
}

/// Reports whether a login may show the user of `account` a new factor.
///
/// A program of root asks for the user, who passed the password. So polkit is not asked. A user who
/// is enrolled needs a code to add a factor ([`Operation::Change`]), and adds none here.
#[must_use]
pub fn may_enroll_at_login<S>(account: &Account, record: &Record<S>, self_service: bool) -> bool {
    self_service && account.uid.is_some() && !record.is_enrolled()
}

/// Reports whether `by` may change or remove `factor`, if the table lets it change the account.
///
/// A pending factor is only for its maker and root. Otherwise a thief could spoil an enrollment of
/// root.
#[must_use]
pub fn may_change(factor: &Factor, by: Maker) -> bool {
    !factor.is_pending() || by == Maker::Root || (factor.made_by == by && by != Maker::Unknown)
}

#[rustfmt::skip]
const TABLE: [(Operation, Need, Need, Need, bool); 20] = [
    //                              own account        somebody else's    root's             gone
    (Operation::LogIn,             Need::Nothing,     Need::Root,        Need::Root,        false),
    (Operation::CompleteLogin,     Need::Root,        Need::Root,        Need::Root,        false),
    (Operation::Guard,             Need::Root,        Need::Root,        Need::Root,        false),
    (Operation::ReportPassword,    Need::Root,        Need::Root,        Need::Root,        false),
    (Operation::Read,              Need::Nothing,     Need::ManageUsers, Need::ManageUsers, true),
    (Operation::List,              Need::ManageUsers, Need::ManageUsers, Need::ManageUsers, false),
    (Operation::Explain,           Need::Nothing,     Need::ManageUsers, Need::ManageUsers, false),
    (Operation::Confirm,           Need::Nothing,     Need::ManageUsers, Need::Root,        false),
    (Operation::Change,            Need::SelfService, Need::ManageUsers, Need::Root,        false),
    (Operation::EnrollConfirmed,   Need::Root,        Need::Root,        Need::Root,        false),
    (Operation::EnrollShortSecret, Need::Root,        Need::Root,        Need::Root,        false),
    (Operation::Import,            Need::Root,        Need::Root,        Need::Root,        false),
    (Operation::Export,            Need::Root,        Need::Root,        Need::Root,        false),
    (Operation::Restrict,          Need::Root,        Need::ManageUsers, Need::Root,        false),
    (Operation::Remove,            Need::SelfService, Need::ManageUsers, Need::Root,        true),
    (Operation::RemoveDamaged,     Need::Root,        Need::Root,        Need::Root,        true),
    (Operation::Manage,            Need::ManageUsers, Need::ManageUsers, Need::Root,        true),
    (Operation::Revoke,            Need::Nothing,     Need::ManageUsers, Need::Root,        true),
    (Operation::Reload,            Need::Root,        Need::Root,        Need::Root,        false),
    (Operation::KeepStore,         Need::Root,        Need::Root,        Need::Root,        false),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::{FactorId, Kind, LoginNonce, LoginToken, Status};
    use crate::fixtures::{enrolled, user, verified};
    use crate::user_name::UserName;

    #[test]
    fn a_pending_factor_is_changed_by_its_maker_and_root_alone() {
        let user = UserName::parse("alice").unwrap();
        let token = LoginToken::new([7; 16], FactorId::from_random([1; 5]), user).digest("sshd");
        let pending = [
            Status::Unverified { expires: 9, wrong_codes: 0 },
            Status::AwaitsLogin { expires: 9, token },
        ];
        let settled = [Status::Verified, Status::Disabled, Status::Unsynchronized];
        let makers = [
            Maker::Root,
            Maker::Uid(1000),
            Maker::Uid(1001),
            Maker::Login(LoginNonce::new([1; 16])),
            Maker::Unknown,
        ];
        for status in pending.into_iter().chain(settled) {
            for made_by in makers {
                let factor = Factor { status, made_by, ..verified(Kind::Hotp, None) };
                for by in makers {
                    let is_maker = made_by == by && by != Maker::Unknown;
                    let expected = !factor.is_pending() || by == Maker::Root || is_maker;
                    assert_eq!(may_change(&factor, by), expected, "{factor:?} {by:?}");
                }
            }
        }
    }

    #[test]
    fn every_operation_has_one_row() {
        for (index, (operation, ..)) in TABLE.iter().enumerate() {
            assert!(TABLE.iter().skip(index + 1).all(|row| row.0 != *operation), "{operation:?}");
        }
    }

    #[test]
    fn the_relation_follows_from_both_uids() {
        for (caller, account, expected) in [
            (0, Some(0), Relation::ByRoot),
            (0, Some(1000), Relation::ByRoot),
            (0, None, Relation::ByRoot),
            (1000, Some(1000), Relation::Own),
            (1000, Some(1001), Relation::Other),
            (1000, None, Relation::Other),
            (1000, Some(0), Relation::Root),
        ] {
            assert_eq!(Relation::new(caller, account), expected, "{caller} {account:?}");
        }
    }

    #[test]
    fn a_user_who_is_gone_is_read_unlocked_and_removed_and_no_more() {
        for (operation, ..) in TABLE {
            let expected = matches!(
                operation,
                Operation::Manage
                    | Operation::Read
                    | Operation::Remove
                    | Operation::RemoveDamaged
                    | Operation::Revoke
            );
            assert_eq!(is_for_removed_users(operation), expected, "{operation:?}");
        }
    }

    #[test]
    fn a_login_shows_a_new_factor_only_to_a_user_without_one() {
        let account = |uid| Account { key: user("alice"), uid, is_uncertain: false };
        let (empty, enrolled) = (Record::new(1000), enrolled(1000));
        for (uid, record, self_service, expected) in [
            (Some(1000), &empty, true, true),
            (Some(1000), &empty, false, false),
            (None, &empty, true, false),
            (Some(1000), &enrolled, true, false),
            // The factor of an earlier account of this name.
            (Some(1001), &enrolled, true, false),
        ] {
            let may = may_enroll_at_login(&account(uid), record, self_service);
            assert_eq!(may, expected, "{uid:?} {self_service}");
        }
    }

    #[test]
    fn root_needs_nothing() {
        for (operation, ..) in TABLE {
            assert_eq!(need(operation, Relation::ByRoot), Need::Nothing, "{operation:?}");
        }
    }

    #[test]
    fn nobody_changes_the_factors_of_root_but_root() {
        for (operation, ..) in TABLE {
            let reads = matches!(operation, Operation::Read | Operation::List | Operation::Explain);
            let expected = if reads { Need::ManageUsers } else { Need::Root };
            assert_eq!(need(operation, Relation::Root), expected, "{operation:?}");
        }
    }

    #[test]
    fn no_right_over_others_is_less_than_polkits() {
        for (operation, ..) in TABLE {
            let other = need(operation, Relation::Other);
            assert!(matches!(other, Need::ManageUsers | Need::Root), "{operation:?}");
        }
    }

    #[test]
    fn changing_ones_own_factors_needs_a_code() {
        for operation in [Operation::Change, Operation::Remove] {
            assert_eq!(need(operation, Relation::Own), Need::SelfService, "{operation:?}");
        }
        for operation in
            [Operation::EnrollConfirmed, Operation::EnrollShortSecret, Operation::Restrict]
        {
            assert_eq!(need(operation, Relation::Own), Need::Root, "{operation:?}");
        }
    }

    #[test]
    fn seeds_come_and_go_by_root_alone() {
        for operation in [Operation::Import, Operation::Export] {
            for relation in [Relation::Own, Relation::Other, Relation::Root] {
                assert_eq!(need(operation, relation), Need::Root, "{operation:?}");
            }
            assert_eq!(need(operation, Relation::ByRoot), Need::Nothing);
        }
    }

    #[test]
    fn polkit_is_asked_in_these_words() {
        let words: [&str; TABLE.len()] = TABLE.map(|(operation, ..)| operation.word());
        let expected = [
            "login", "login", "login", "login", "read", "list", "explain", "confirm", "change",
            "change", "change", "change", "export", "change", "remove", "remove", "manage",
            "revoke", "reload", "store",
        ];
        assert_eq!(words, expected);
    }
}
