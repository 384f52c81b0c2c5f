//! The interface `org.totpd.Totp1.Manager`, which totpctl and other front ends use.
//!
//! Each method authorizes its caller by the table of `totpd_core::authorization`, and hands over to
//! a file of its own. `totpd_core::management` decides each change of a record.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use totpd_core::authorization::{Need, Operation, need};
use totpd_core::management;
use totpd_interface::{Dictionary, Error, JudgedRule};
use zeroize::Zeroizing;

use crate::access::origin::Origin;
use crate::access::polkit::Action;
use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::factors::enroll_options::Options;
use crate::factors::import_options::ImportOptions;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::explain::Asked;
use crate::manage::reauthentication::check_form;

mod authorization;
mod edit_factor;
mod enroll;
mod explain;
mod export;
mod factor_changes;
mod import;
mod reauthentication;
mod recovery_codes;
mod refusal;
mod reload;
mod remove;
mod resync;
mod rules;
mod rules_at;
mod rules_check;
pub(crate) mod store;
mod store_options;
mod store_tasks;
pub(crate) mod trust;
mod user_state;
mod users;

/// Serves `org.totpd.Totp1.Manager`.
#[derive(Clone)]
pub(crate) struct Manager(pub(crate) Arc<Daemon>);

/// The methods for totpctl and other front ends.
impl Manager {
    /// Makes a factor, which waits for its first code. `dispatch/manager.xml` has the options and
    /// the details.
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

    /// Changes the parts of a factor that are no secret.
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

    /// Takes over the factors of a user from another program, for root alone.
    /// `dispatch/manager.xml` has the keys.
    pub(crate) async fn import(
        &self,
        origin: &Origin,
        user: String,
        factors: &[Dictionary],
        options: &Dictionary,
    ) -> Result<Dictionary, Error> {
        let options = ImportOptions::parse(options)?;
        let factors = factors.iter().map(|factor| options.factor(factor));
        let factors = factors.collect::<Result<Vec<_>, Error>>()?;
        let work = async |caller: &_| import::import(&self.0, caller, factors, options).await;
        self.change(origin, &user, Operation::Import, work).await
    }

    /// Hands out the seeds of the confirmed factors of a user. For root alone, and on the private
    /// socket alone: no bus carries them, and no program that speaks for others.
    /// `dispatch/manager.xml` has the keys.
    pub(crate) async fn export(
        &self,
        origin: &Origin,
        user: String,
    ) -> Result<(Vec<Dictionary>, Dictionary), Error> {
        origin.caller.must_be_allowed(Operation::Export)?;
        if origin.bus.is_some() {
            let message = "seeds are handed out on the private socket alone";
            return Err(Error::NotAuthorized(message.into()));
        }
        let caller = AuthorizedCaller::new(&self.0, &user, Operation::Export, origin).await?;
        export::export(&self.0, &caller).await
    }

    /// Clears the wrong codes of a user.
    pub(crate) async fn unlock(&self, origin: &Origin, user: String) -> Result<(), Error> {
        let caller = AuthorizedCaller::new(&self.0, &user, Operation::Manage, origin).await?;
        self.0.update(&caller.account, |record, _| ((), management::unlock(record))).await?;
        self.0.audit.record(&caller.event(Factors::Unnamed, Reason::UserUnlocked));
        Ok(())
    }

    /// Finds a token that is off, by two codes in a row.
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

    /// Returns the state of a user, without a secret. `dispatch/manager.xml` has the keys.
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
        self.may_list(origin).await?;
        users::list(&self.0, after, limit).await
    }

    /// Returns the rules in force, and what may be wrong with them. `dispatch/manager.xml` has the
    /// keys.
    pub(crate) async fn list_rules(
        &self,
        origin: &Origin,
    ) -> Result<(Vec<Dictionary>, Vec<Dictionary>), Error> {
        self.may_list(origin).await?;
        Ok(rules::list(&self.0, origin.caller).await)
    }

    /// Returns what the rules come to at each of these services. `dispatch/manager.xml` has the
    /// keys.
    pub(crate) async fn rules_at(
        &self,
        origin: &Origin,
        services: Vec<String>,
    ) -> Result<Vec<Dictionary>, Error> {
        self.may_list(origin).await?;
        rules_at::at(&self.0, services).await
    }

    /// Returns what is remembered of logins of a user, or of everybody without one.
    /// `dispatch/manager.xml` has the keys.
    pub(crate) async fn list_trust(
        &self,
        origin: &Origin,
        user: String,
    ) -> Result<Vec<Dictionary>, Error> {
        if user.is_empty() {
            self.may_list(origin).await?;
            return trust::list_all(&self.0).await;
        }
        let caller = AuthorizedCaller::new(&self.0, &user, Operation::Read, origin).await?;
        trust::list(&self.0, &caller).await
    }

    /// Ends what is remembered of logins of a user, or of everybody without one. Returns how many
    /// there were.
    pub(crate) async fn revoke_trust(&self, origin: &Origin, user: String) -> Result<u32, Error> {
        if user.is_empty() {
            self.may_manage_all(Operation::Revoke, origin).await?;
            return trust::revoke_all(&self.0, origin.caller).await;
        }
        let caller = AuthorizedCaller::new(&self.0, &user, Operation::Revoke, origin).await?;
        trust::revoke(&self.0, &caller).await
    }

    /// Returns what a login of a user would need and why. `dispatch/manager.xml` has the keys.
    pub(crate) async fn explain(
        &self,
        origin: &Origin,
        user: String,
        login: &Dictionary,
    ) -> Result<(Dictionary, Vec<JudgedRule>), Error> {
        let asked = Asked::parse(login)?;
        let caller = AuthorizedCaller::new(&self.0, &user, Operation::Explain, origin).await?;
        explain::explain(&self.0, &caller, &asked).await
    }

    /// Reads the configuration again, and puts its rules in force. Nothing else changes.
    pub(crate) async fn reload(&self, origin: &Origin) -> Result<Dictionary, Error> {
        origin.caller.must_be_allowed(Operation::Reload)?;
        reload::reload(&self.0).await
    }

    /// Returns what a file would change of the rules in force. It is for root on the private
    /// socket, where descriptors pass.
    pub(crate) async fn check_rules(
        &self,
        origin: &Origin,
        path: String,
        content: OwnedFd,
    ) -> Result<Dictionary, Error> {
        origin.caller.must_be_allowed(Operation::Reload)?;
        rules_check::check(&self.0, path, content).await
    }

    /// Sends the caller the signals of its own user, until it leaves the bus.
    pub(crate) async fn subscribe(&self, origin: &Origin) -> Result<(), Error> {
        self.0.subscribers.add(origin).await
    }

    /// Checks that the caller may see what concerns no user in particular.
    async fn may_list(&self, origin: &Origin) -> Result<(), Error> {
        self.may_manage_all(Operation::List, origin).await
    }

    /// Checks that the caller may do `operation` for all users.
    async fn may_manage_all(&self, operation: Operation, origin: &Origin) -> Result<(), Error> {
        if need(operation, origin.caller.relation_to(None)) == Need::Nothing {
            return Ok(());
        }
        self.0.polkit.check(Action::Manage, "everybody", operation.word(), origin).await
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
