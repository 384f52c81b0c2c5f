//! The interface `org.totpd.Totp1.Manager`, which totpctl and other front ends use.
//!
//! Each method authorizes its caller by the table of `totpd_core::authorization`, and hands over to
//! a file of its own. `totpd_core::management` decides each change of a record.

use std::sync::Arc;

use totpd_core::authorization::{Need, Operation, Relation, need};
use totpd_core::management;
use totpd_interface::{Dictionary, Error};
use zeroize::Zeroizing;

use crate::access::origin::Origin;
use crate::access::polkit::Action;
use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::enroll_options::Options;
use crate::manage::reauthentication::check_form;

pub(crate) mod authorization;
mod edit_factor;
pub(crate) mod enroll;
pub(crate) mod enroll_options;
mod factor_changes;
pub(crate) mod first_code;
pub(crate) mod new_factor;
mod reauthentication;
pub(crate) mod recovery_codes;
mod refusal;
mod remove;
mod resync;
pub(crate) mod store;
mod store_options;
mod store_tasks;
mod user_state;
mod users;

/// Serves `org.totpd.Totp1.Manager`.
#[derive(Clone)]
pub(crate) struct Manager(pub(crate) Arc<Daemon>);

/// The methods for totpctl and other front ends.
impl Manager {
    /// Makes a factor, which waits for its first code (`Confirm`) from the same caller. The old
    /// factor works until then.
    ///
    /// The options are:
    /// - `name`, `purpose`, `issuer` (s).
    /// - `algorithm` (s: SHA1, SHA256, SHA512).
    /// - `kind` (s: totp, hotp).
    /// - `code` (s).
    /// - `digits` (u: 6 to 8).
    /// - `period` (u: 15 to 300 seconds).
    /// - `counter` (t).
    /// - `not_before`, `not_after` (t: seconds since 1970).
    /// - `secret` (ay: 10 to 64 bytes; root only below 16).
    /// - `services` (as).
    /// - `resume` (b). The daemon shows root a pending factor of root again, if it has these
    ///   parameters.
    /// - `if_unenrolled` (b). An enrolled user leads to `AlreadyEnrolled`.
    /// - `recovery_codes`, `qr` (b, default true).
    /// - `dry_run` (b, without `code`). The daemon changes nothing. It answers an empty id and
    ///   link, and of the details `resumed` and `replaces`, which then also has what is replaced at
    ///   once.
    /// - `confirmed` (b, root only). The factor needs no first code.
    /// - `factor` (s, with `confirmed`). The pending factor of root becomes verified, else
    ///   `NotEnrolled`.
    ///
    /// The details are:
    /// - The parameters.
    /// - `issuer`, `account` (s): the name of the entry in the app. Only the first factor of a user
    ///   has the user name alone as its account.
    /// - `expires` (t), `resumed` (b).
    /// - `replaces` (as): the ids of verified factors that are valid until the first code of this
    ///   one.
    /// - `recovery_codes` (as), if confirmed.
    /// - `usable_from` (t): the time from which the first code of a supplied secret is good.
    /// - `qr` (ay): the link as a QR code, row by row, with 1 for a dark dot.
    /// - `qr_width` (u): the width of the QR code.
    pub(crate) async fn enroll(
        &self,
        origin: &Origin,
        user: String,
        options: &Dictionary,
    ) -> Result<(String, String, Dictionary), Error> {
        let options = Options::parse(options, &self.0.config)?;
        check_form(origin.caller, &options.code)?;
        let operation = options.operation();
        let work = async |caller: &_| enroll::enroll(&self.0, caller, options).await;
        self.change(origin, &user, operation, work).await
    }

    /// Checks the first code of a factor that the caller made. A right code verifies the factor,
    /// and five wrong codes drop it. Returns recovery codes if the user had none.
    pub(crate) async fn confirm(
        &self,
        origin: &Origin,
        user: String,
        factor: String,
        code: String,
    ) -> Result<Vec<String>, Error> {
        let code = Zeroizing::new(code);
        let work = async |caller: &_| enroll::confirm(&self.0, caller, &factor, &code).await;
        self.change(origin, &user, Operation::Confirm, work).await
    }

    /// Makes new recovery codes. They take the place of all old ones, and the daemon shows them
    /// this once.
    pub(crate) async fn recovery_codes(
        &self,
        origin: &Origin,
        user: String,
        code: String,
    ) -> Result<Vec<String>, Error> {
        let code = Zeroizing::new(code);
        check_form(origin.caller, &code)?;
        let work = async |caller: &_| recovery_codes::renew(&self.0, caller, &code).await;
        self.change(origin, &user, Operation::Change, work).await
    }

    /// Changes the parts of a factor that are no secret. They are `name`, `purpose` (s),
    /// `not_before`, `not_after` (t; 0: no limit), `services` (as; none: all) and `disabled` (b).
    /// Users may rename their own factors.
    /// Only its maker and root change a pending factor.
    pub(crate) async fn set_factor(
        &self,
        origin: &Origin,
        user: String,
        factor: String,
        changes: &Dictionary,
        code: String,
    ) -> Result<(), Error> {
        let code = Zeroizing::new(code);
        check_form(origin.caller, &code)?;
        let changes = factor_changes::parse(changes)?;
        let operation =
            if changes.is_name_only() { Operation::Change } else { Operation::Restrict };
        let work =
            async |caller: &_| edit_factor::edit(&self.0, caller, &factor, changes, &code).await;
        self.change(origin, &user, operation, work).await
    }

    /// Removes a factor, or with an empty id all of them. For root it also removes a damaged
    /// record. Only its maker and root remove a pending factor.
    pub(crate) async fn remove(
        &self,
        origin: &Origin,
        user: String,
        factor: String,
        code: String,
    ) -> Result<(), Error> {
        let code = Zeroizing::new(code);
        check_form(origin.caller, &code)?;
        let work = async |caller: &_| remove::remove(&self.0, caller, &factor, &code).await;
        self.change(origin, &user, Operation::Remove, work).await
    }

    /// Clears the wrong codes of a user.
    pub(crate) async fn unlock(&self, origin: &Origin, user: String) -> Result<(), Error> {
        let caller = AuthorizedCaller::new(&self.0, &user, Operation::Manage, origin).await?;
        self.0.update(&caller.account, |record| ((), management::unlock(record))).await?;
        self.0.audit.record(&caller.event(Factors::Unnamed, Reason::UserUnlocked));
        Ok(())
    }

    /// Finds a token that is off, by two codes in a row. It finds a token that counts presses
    /// within the next thousand. It finds a token with a clock within five minutes, and for root
    /// within an hour. Both codes are used up. An empty id stands for the only factor of the user,
    /// or the only one that counts presses. For root, it also verifies a pending factor of root.
    pub(crate) async fn resync(
        &self,
        origin: &Origin,
        user: String,
        factor: String,
        codes: Vec<String>,
    ) -> Result<(), Error> {
        let codes = Zeroizing::new(codes);
        let work = async |caller: &_| resync::resync(&self.0, caller, &factor, &codes).await;
        self.change(origin, &user, Operation::Manage, work).await
    }

    /// Returns the state of a user, without a secret. The keys are:
    /// - `user` s, `uid` u, `enrolled` b.
    /// - `factors` aa{sv}.
    /// - `failures` u, `locked` b, `retry_after` u: those of all unknown sources together.
    /// - `known_sources` aa{sv}, each with `source` s, `last_success` t, `failures` u, `locked` b,
    ///   `retry_after` u.
    /// - `recovery_codes` u.
    pub(crate) async fn get_user(
        &self,
        origin: &Origin,
        user: String,
    ) -> Result<Dictionary, Error> {
        let caller = AuthorizedCaller::new(&self.0, &user, Operation::Read, origin).await?;
        users::get(&self.0, &caller).await
    }

    /// Returns the enrolled users with names after `after`, in name order, at most `limit`.
    pub(crate) async fn list_users(
        &self,
        origin: &Origin,
        after: String,
        limit: u32,
    ) -> Result<Vec<Dictionary>, Error> {
        let is_root = origin.caller.is_root();
        let relation = if is_root { Relation::ByRoot } else { Relation::Other };
        if need(Operation::List, relation) != Need::Nothing {
            let word = Operation::List.word();
            self.0.polkit.check(Action::Manage, "everybody", word, origin).await?;
        }
        users::list(&self.0, after, limit).await
    }

    /// Sends the caller the signals of its own user, until it leaves the bus.
    pub(crate) async fn subscribe(&self, origin: &Origin) -> Result<(), Error> {
        self.0.subscribers.add(origin).await
    }

    /// Authorizes the caller, does `work`, and tells the programs of the user if something changed.
    async fn change<T>(
        &self,
        origin: &Origin,
        user: &str,
        operation: Operation,
        work: impl AsyncFnOnce(&AuthorizedCaller) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let caller = AuthorizedCaller::new(&self.0, user, operation, origin).await?;
        let outcome = work(&caller).await?;
        self.0.subscribers.factors_changed(caller.account.current_uid(), caller.name.as_str());
        Ok(outcome)
    }
}
