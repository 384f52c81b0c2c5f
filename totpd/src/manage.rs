//! The interface `org.totpd.Totp1.Manager`: what totpctl and other front ends ask.

use std::sync::Arc;

use totpd_core::code::Code;
use totpd_core::enrollment;
use totpd_core::factor::Maker;
use totpd_core::record::Record;
use totpd_core::resync::{ResyncOutcome, resync};
use totpd_core::throttle::Throttle;
use totpd_interface::{Dictionary, Error};
use totpd_store::Listed;
use zeroize::Zeroizing;

use crate::access::origin::Origin;
use crate::access::polkit::Action;
use crate::audit::change::{change, refusal};
use crate::daemon::Daemon;
use crate::host::clock;
use crate::manage::authorization::{AuthorizedCaller, Operation};
use crate::manage::reauthentication::Reauthentication;

pub(crate) mod authorization;
mod edit_factor;
pub(crate) mod enroll;
pub mod enroll_options;
mod factor_changes;
pub(crate) mod new_factor;
mod reauthentication;
pub(crate) mod recovery_codes;
pub mod store;
mod store_options;
mod store_tasks;
mod user_state;

/// Serves `org.totpd.Totp1.Manager`.
#[derive(Clone)]
pub struct Manager(pub Arc<Daemon>);

/// For totpctl and other front ends. Root may all, and whom polkit lets manage users nearly all; a user
/// may read its own state, and change its own factors where polkit lets it, with a current code or a
/// recovery code where it has a verified one.
impl Manager {
    /// Makes a factor, which waits for its first code (`Confirm`) from the same caller; the old one works until
    /// then.
    ///
    /// Options: `name`, `purpose`, `issuer`, `algorithm` (SHA1, SHA256, SHA512), `kind` (totp, hotp),
    /// `code` (s), `digits` (6 to 8), `period` (15 to 300 seconds) (u), `counter`, `not_before`,
    /// `not_after` (seconds since 1970) (t), `secret` (16 to 64 bytes, ay), `services` (as), `resume`
    /// (b: a factor that root made and that waits is shown to root again, if it has these parameters),
    /// `if_unenrolled` (b: else AlreadyEnrolled), `recovery_codes`, `qr` (b, default true), `confirmed` (b, root
    /// only: without a first code), `factor` (s, with `confirmed`: the pending factor of root that becomes
    /// verified, else NotEnrolled). Details: the parameters, `expires` t, `resumed` b, `recovery_codes` as (if
    /// confirmed), `usable_from` t (when the first code of a secret that was brought is good), and the link as a
    /// QR code: `qr` ay (row by row, 1 for a dark dot) and `qr_width` u.
    pub(crate) async fn enroll(
        &self,
        origin: &Origin,
        user: String,
        options: &Dictionary,
    ) -> Result<(String, String, Dictionary), Error> {
        let actor = self.actor(origin, &user, Operation::Change).await?;
        let enrolled = enroll::enroll(&self.0, &actor, options).await;
        self.changed(&actor, enrolled)
    }

    /// Gives the first code of a factor that the caller made, which is verified from then on. Five wrong ones drop
    /// it.
    /// Answers recovery codes where there were none.
    pub(crate) async fn confirm(
        &self,
        origin: &Origin,
        user: String,
        factor: String,
        code: String,
    ) -> Result<Vec<String>, Error> {
        let code = Zeroizing::new(code);
        let actor = self.actor(origin, &user, Operation::Confirm).await?;
        let confirmed = enroll::confirm(&self.0, &actor, &factor, &code).await;
        self.changed(&actor, confirmed)
    }

    /// Makes new recovery codes, which take the place of all old ones, and are shown this once.
    pub(crate) async fn recovery_codes(
        &self,
        origin: &Origin,
        user: String,
        code: String,
    ) -> Result<Vec<String>, Error> {
        let code = Zeroizing::new(code);
        let actor = self.actor(origin, &user, Operation::Change).await?;
        let renewed = recovery_codes::renew_recovery_codes(&self.0, &actor, &code).await;
        self.changed(&actor, renewed)
    }

    /// Changes what is no secret of a factor: `name`, `purpose` (s), `not_before`, `not_after` (t;
    /// 0: no limit), `services` (as; none: all), `disabled` (b). Users may rename their own.
    pub(crate) async fn set_factor(
        &self,
        origin: &Origin,
        user: String,
        factor: String,
        changes: &Dictionary,
        code: String,
    ) -> Result<(), Error> {
        let code = Zeroizing::new(code);
        let actor = self.actor(origin, &user, Operation::Change).await?;
        let set = edit_factor::set(&self.0, &actor, &factor, changes, &code).await;
        self.changed(&actor, set)
    }

    /// Removes a factor, or with an empty id all of them; for root a damaged record too. A pending factor is
    /// removed by its maker and by root.
    pub(crate) async fn remove(
        &self,
        origin: &Origin,
        user: String,
        factor: String,
        code: String,
    ) -> Result<(), Error> {
        let code = Zeroizing::new(code);
        let actor = self.actor(origin, &user, Operation::Remove).await?;
        let AuthorizedCaller { caller, target, needs_code, .. } = &actor;
        let proof = Reauthentication::of(&self.0, *caller, *needs_code, target, &code).await?;
        let (id, by) = (factor.clone(), Maker::from_uid(caller.uid));
        let removed = self
            .0
            .update(target, move |record| {
                let (proven, mut record) = proof.check(record);
                let removed = proven.and_then(|()| {
                    if enrollment::remove(&mut record, &id, by) {
                        return Ok(());
                    }
                    Err(Error::NotEnrolled(
                        "there is no such factor, or only its maker and root may remove it".into(),
                    ))
                });
                (removed, record)
            })
            .await;
        if matches!(removed, Err(Error::StoreCorrupt(_))) && caller.is_root() && factor.is_empty() {
            self.0.told(self.0.store.discard(target.subject.clone()).await)?;
            change(&self.0, &actor, "all", "damaged record removed");
            return self.changed(&actor, Ok(()));
        }
        removed?.inspect_err(|error| refusal(&self.0, &actor, error))?;
        let which = if factor.is_empty() { "all" } else { &factor };
        change(&self.0, &actor, which, "factor removed");
        self.changed(&actor, Ok(()))
    }

    /// Forgets the wrong codes of a user.
    pub(crate) async fn unlock(&self, origin: &Origin, user: String) -> Result<(), Error> {
        let actor = self.actor(origin, &user, Operation::Manage).await?;
        self.0
            .update(&actor.target, |record| {
                ((), Record { throttle: Throttle::default(), ..record })
            })
            .await?;
        change(&self.0, &actor, "", "wrong codes forgotten");
        Ok(())
    }

    /// Finds a token that is off by two codes in a row: one that counts presses within the next
    /// thousand, one with a clock within five minutes. Both codes are used up. With an empty id the
    /// only factor of the user, or the only one that counts presses.
    pub(crate) async fn resync(
        &self,
        origin: &Origin,
        user: String,
        factor: String,
        codes: Vec<String>,
    ) -> Result<(), Error> {
        let codes = Zeroizing::new(codes);
        let actor = self.actor(origin, &user, Operation::Manage).await?;
        let target = &actor.target;
        let parsed: Vec<_> = codes.iter().filter_map(|code| Code::parse(code)).collect();
        let Ok([first, second]) = <[Code; 2]>::try_from(parsed) else {
            return Err(Error::InvalidCode(
                "two codes that the token shows in a row are needed".into(),
            ));
        };
        let (id, uid, now) = (factor.clone(), target.current_uid(), clock::now());
        let told = self
            .0
            .update(target, move |mut record| {
                let told = match record.uid == uid {
                    true => resync(&mut record, &id, &first, &second, now),
                    false => ResyncOutcome::NoToken,
                };
                (told, record)
            })
            .await?;
        match told {
            ResyncOutcome::Done => {
                change(&self.0, &actor, &factor, "token resynchronized");
                self.changed(&actor, Ok(()))
            }
            ResyncOutcome::NotFound => Err(Error::InvalidCode(
                "these are not two codes in a row of this token: of its next thousand, or of the \
                 last or next five minutes"
                    .into(),
            )),
            ResyncOutcome::NoToken => Err(Error::NotEnrolled(
                "there is no such token, or more than one: name the factor".into(),
            )),
        }
    }

    /// The state of a user, without a secret: `user` s, `uid` u, `enrolled` b, `factors` aa{sv},
    /// `failures` u, `locked` b, `retry_after` u, `known_sources` aa{sv}, `recovery_codes` u.
    pub(crate) async fn get_user(
        &self,
        origin: &Origin,
        user: String,
    ) -> Result<Dictionary, Error> {
        let actor = self.actor(origin, &user, Operation::Read).await?;
        let AuthorizedCaller { caller, name, target, .. } = &actor;
        let stored = self.0.told(self.0.store.read(target.subject.clone()).await)?;
        let mut record = target.record(stored);
        if actor.needs_code && record.uid != caller.uid {
            // What is there belongs to whoever had this name before.
            record = Record::new(caller.uid);
        }
        Ok(user_state::of(name, record, clock::now(), &self.0.config.rules.throttle))
    }

    /// The enrolled users whose names come after `after`, in name order, at most `limit`.
    pub(crate) async fn list_users(
        &self,
        origin: &Origin,
        after: String,
        limit: u32,
    ) -> Result<Vec<Dictionary>, Error> {
        if !origin.caller.is_root() {
            self.0.polkit.check(Action::Manage, "everybody", "list", origin).await?;
        }
        let (now, rules) = (clock::now(), &self.0.config.rules.throttle);
        let limit = limit.clamp(1, MOST_LISTED);
        let (mut after, mut users) = (after, Vec::new());
        loop {
            let page = self.0.told(self.0.store.list(after.clone(), limit).await)?;
            let Some(last) = page.last() else { return Ok(users) };
            after = last.name.as_str().to_owned();
            for Listed { name, record } in page {
                match record {
                    // Who has no factor is in the store for wrong codes alone.
                    Ok(record) if record.factors.is_empty() => {}
                    Ok(record) => users.push(user_state::of(&name, record, now, rules)),
                    Err(error) => {
                        let _ = self.0.failure(&error);
                        users.push(user_state::damaged(&name));
                    }
                }
                if users.len() >= limit as usize {
                    return Ok(users);
                }
            }
        }
    }

    /// Sends the caller the signals of its own user, until it leaves the bus.
    pub(crate) async fn watch(&self, origin: &Origin) -> Result<(), Error> {
        self.0.watchers.add(origin).await
    }
}

impl Manager {
    /// Tells the programs of the user where something was done, and passes `done` on.
    fn changed<T>(&self, actor: &AuthorizedCaller, done: Result<T, Error>) -> Result<T, Error> {
        if done.is_ok() {
            self.0.watchers.factors_changed(actor.target.current_uid(), actor.name.as_str());
        }
        done
    }

    /// The sender of a call, if it may do `deed` for `user`.
    async fn actor(
        &self,
        origin: &Origin,
        user: &str,
        deed: Operation,
    ) -> Result<AuthorizedCaller, Error> {
        AuthorizedCaller::of(&self.0, user, deed, origin).await
    }
}

/// Users in one answer: far below the 32 MiB that a message of the bus may have.
const MOST_LISTED: u32 = 1000;
