//! The course of a login before it has an answer. `Begin` takes it, and an explanation tells it.

use totpd_core::account::Account;
use totpd_core::authorization::may_enroll_at_login;
use totpd_core::enrollment;
use totpd_core::policy::Requirement;
use totpd_core::record::Record;
use totpd_core::trust::Pass;
use totpd_interface::login::LoginContext;

use crate::access::login_context::is_at_terminal;
use crate::login::ruling::{self, Passage};

/// The course of a login before it has an answer.
pub(crate) enum Course<'r> {
    /// No code is needed, by a rule. With `forward_pass`, it says so after the answer.
    LetBy(Passage<'r>),
    /// The user may make a factor.
    Enroll,
    /// The option `nullok` asks no code.
    Nullok,
    /// It asks for a code.
    Ask,
}

impl<'r> Course<'r> {
    /// Returns the course of a login of `account`, which has `record`. `self_service` says that
    /// users may make factors. `pass` says that an earlier login gave a code.
    pub(crate) fn new<S>(
        requirement: &Requirement<'r>,
        pass: Option<Pass>,
        context: &LoginContext,
        account: &Account,
        record: &Record<S>,
        self_service: bool,
        now: u64,
    ) -> Self {
        if let Some(passage) = ruling::passage(requirement, pass, context, now) {
            return Self::LetBy(passage);
        }
        if context.enroll
            && ruling::may_enroll(requirement)
            && is_at_terminal(context)
            && context.nonce.is_some()
            && may_enroll_at_login(account, record, self_service)
        {
            return Self::Enroll;
        }
        Self::without_offer(requirement, context, account, record)
    }

    /// Returns the course of a login at which the user makes no factor, and no rule skips the code.
    pub(crate) fn without_offer<S>(
        requirement: &Requirement<'_>,
        context: &LoginContext,
        account: &Account,
        record: &Record<S>,
    ) -> Self {
        let skips = context.nullok
            && ruling::allows_nullok(requirement)
            && account.uid.is_some_and(|uid| enrollment::may_skip(record, uid));
        if skips { Self::Nullok } else { Self::Ask }
    }
}
