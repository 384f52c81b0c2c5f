//! The interface `org.totpd.Totp1.Manager`: what totpctl and other front ends ask.

use std::sync::Arc;

use totpd_interface::{Dictionary, Error};
use zbus::Connection;
use zbus::message::Header;
use zeroize::Zeroizing;

use crate::caller::Caller;
use crate::clock;
use crate::code::Code;
use crate::daemon::{Daemon, Target};
use crate::enrolment::{self, Confirmation};
use crate::journal::escaped;
use crate::manager::log::{change, refusal};
use crate::manager::new_factor::new_factor;
use crate::options::Options;
use crate::proof::Proof;
use crate::record::Record;
use crate::resync::{Resync, resync};
use crate::state;
use crate::store::{Listed, StoreError};
use crate::subject::Subject;
use crate::throttle::Throttle;
use crate::uri;
use crate::user::UserName;

mod log;
mod new_factor;

/// Serves `org.totpd.Totp1.Manager`.
pub struct Manager(pub Arc<Daemon>);

/// For totpctl and other front ends. Root may all; a user may read its own state, and enrol,
/// confirm and remove its own factors, with a current code where it has a verified one.
#[zbus::interface(name = "org.totpd.Totp1.Manager")]
impl Manager {
    /// Makes a factor, which waits for its first code (`Confirm`); the old one works until then.
    ///
    /// Options: `name`, `issuer`, `algorithm` (SHA1, SHA256, SHA512), `kind` (totp, hotp), `code`
    /// (s), `digits` (6 to 8), `period` (15 to 300 seconds) (u), `counter` (t), `secret` (16 to
    /// 64 bytes, ay), `confirmed` (b, root only). Details: the parameters, and `expires` t.
    #[zbus(out_args("factor", "uri", "details"))]
    async fn enroll(
        &self,
        user: String,
        options: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(String, String, Dictionary), Error> {
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        let (name, target) = self.person(&user, caller).await?;
        let mut options = Options::parse(&options, &self.0.config)?;
        if !caller.is_root() && !self.0.config.self_service {
            return Err(Error::NotAuthorized(
                "users may not enrol themselves here; ask your administrator".into(),
            ));
        }
        if !caller.is_root() && options.confirmed {
            return Err(Error::NotAuthorized("only root may enrol without a first code".into()));
        }
        let code = std::mem::take(&mut options.code);
        let proof = Proof::of(caller, &target, &code, &self.0.config.rules);
        let issuer = options.issuer.take().unwrap_or_else(|| self.0.config.issuer.clone());
        let issuer = issuer.replace("%h", &self.0.host);
        let factor =
            new_factor(options, clock::now(), self.0.config.enrolment.unverified_lifetime)?;
        let link = uri::otpauth(&factor, &issuer, name.as_str());
        let details = state::parameters(&factor)
            .with("issuer", issuer)
            .with("account", name.as_str().to_owned());
        let details = details.with_some("expires", state::expires(&factor));
        let (id, status) = (factor.id.to_string(), factor.status.name());

        let rules = self.0.config.enrolment.clone();
        let uid = target.uid_now();
        let added = self
            .0
            .update(&target, move |record| {
                let (proven, mut record) = proof.check(record);
                if proven.is_err() {
                    return (proven, record);
                }
                if record.uid != uid {
                    // Another person had this name before: nothing of theirs is inherited.
                    record = Record { throttle: record.throttle, ..Record::new(uid) };
                }
                let added = enrolment::add(&mut record, factor.clone(), &rules).map_err(|_| {
                    Error::AlreadyEnrolled(
                        "there is no room for another factor; remove one first".into(),
                    )
                });
                (added, record)
            })
            .await?;
        added.inspect_err(|error| refusal(&name, caller, error))?;
        change(&name, &id, &format!("{status} factor made"), caller).write();
        Ok((id, link.to_string(), details.into()))
    }

    /// Gives the first code of a factor, which is verified from then on. Five wrong ones drop it.
    #[zbus(out_args("recovery_codes"))]
    async fn confirm(
        &self,
        user: String,
        factor: String,
        code: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<Vec<String>, Error> {
        let code = Zeroizing::new(code);
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        let (name, target) = self.person(&user, caller).await?;
        let Some(code) = Code::parse(&code) else {
            return Err(Error::BadCode("that is no code: type the digits of your app".into()));
        };
        let (id, now, rules) = (factor.clone(), clock::now(), self.0.config.enrolment.clone());
        let uid = target.uid_now();
        let told = self
            .0
            .update(&target, move |mut record| {
                let told = if record.uid == uid {
                    enrolment::confirm(&mut record, &id, &code, now, &rules)
                } else {
                    Confirmation::NotWaiting
                };
                (told, record)
            })
            .await?;
        let outcome = match told {
            Confirmation::Verified => "factor confirmed by its first code",
            Confirmation::Wrong { .. } => "wrong first code",
            Confirmation::Dropped => "factor dropped after five wrong first codes",
            Confirmation::Expired => "factor dropped, its first code came too late",
            Confirmation::NotWaiting => "no factor of this id waits for a code",
        };
        change(&name, &factor, outcome, caller).write();
        match told {
            Confirmation::Verified => Ok(Vec::new()),
            Confirmation::Wrong { left } => Err(Error::BadCode(format!(
                "wrong code; {left} more tries. Is the clock of the phone right?"
            ))),
            Confirmation::Dropped => Err(Error::Expired(
                "wrong code, for the fifth time: the new factor is gone; enrol again".into(),
            )),
            Confirmation::Expired => {
                Err(Error::Expired("the new factor waited too long; enrol again".into()))
            }
            Confirmation::NotWaiting => {
                Err(Error::NotEnrolled("no such factor waits for a first code".into()))
            }
        }
    }

    /// Removes a factor, or with an empty id all of them; for root a damaged record too.
    async fn remove(
        &self,
        user: String,
        factor: String,
        code: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), Error> {
        let code = Zeroizing::new(code);
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        let (name, target) = self.person_or_record(&user, caller).await?;
        let proof = Proof::of(caller, &target, &code, &self.0.config.rules);
        let id = factor.clone();
        let removed = self
            .0
            .update(&target, move |record| {
                let (proven, mut record) = proof.check(record);
                let removed = proven.and_then(|()| {
                    if enrolment::remove(&mut record, &id) {
                        return Ok(());
                    }
                    Err(Error::NotEnrolled("there is no such factor".into()))
                });
                (removed, record)
            })
            .await;
        if matches!(removed, Err(Error::StoreCorrupt(_))) && caller.is_root() && factor.is_empty() {
            self.0.told(self.0.store.discard(target.subject).await)?;
            change(&name, "all", "damaged record removed", caller).write();
            return Ok(());
        }
        removed?.inspect_err(|error| refusal(&name, caller, error))?;
        let which = if factor.is_empty() { "all" } else { &factor };
        change(&name, which, "factor removed", caller).write();
        Ok(())
    }

    /// Forgets the wrong codes of a user.
    async fn unlock(
        &self,
        user: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), Error> {
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        caller.must_be_root()?;
        let (name, target) = self.person_or_record(&user, caller).await?;
        self.0
            .update(&target, |record| ((), Record { throttle: Throttle::default(), ..record }))
            .await?;
        change(&name, "", "wrong codes forgotten", caller).write();
        Ok(())
    }

    /// Finds the counter of a token that counts presses by two codes in a row, within the next
    /// thousand; both are used up. With an empty id the only such token of the user.
    async fn resync(
        &self,
        user: String,
        factor: String,
        codes: Vec<String>,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), Error> {
        let codes = Zeroizing::new(codes);
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        caller.must_be_root()?;
        let (name, target) = self.person(&user, caller).await?;
        let parsed: Vec<_> = codes.iter().filter_map(|code| Code::parse(code)).collect();
        let Ok([first, second]) = <[Code; 2]>::try_from(parsed) else {
            return Err(Error::BadCode(
                "two codes that the token shows in a row are needed".into(),
            ));
        };
        let (id, uid) = (factor.clone(), target.uid_now());
        let told = self
            .0
            .update(&target, move |mut record| {
                let told = match record.uid == uid {
                    true => resync(&mut record, &id, &first, &second),
                    false => Resync::NoToken,
                };
                (told, record)
            })
            .await?;
        match told {
            Resync::Done => {
                change(&name, &factor, "token resynchronised", caller).write();
                Ok(())
            }
            Resync::NotFound => Err(Error::BadCode(
                "these are not two codes in a row of the next thousand of this token".into(),
            )),
            Resync::NoToken => Err(Error::NotEnrolled(
                "there is no such token that counts presses, or more than one: name the factor"
                    .into(),
            )),
        }
    }

    /// The state of a user, without a secret: `user` s, `uid` u, `enrolled` b, `factors` aa{sv},
    /// `failures` u, `locked` b, `retry_after` u, `known_sources` aa{sv}.
    #[zbus(out_args("state"))]
    async fn get_user(
        &self,
        user: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<Dictionary, Error> {
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        let (name, target) = self.person_or_record(&user, caller).await?;
        let stored = self.0.told(self.0.store.read(target.subject.clone()).await)?;
        let mut record = target.record(stored);
        if !caller.is_root() && record.uid != caller.uid {
            // What is there belongs to whoever had this name before.
            record = Record::new(caller.uid);
        }
        Ok(state::of(&name, record, clock::now(), &self.0.config.rules.throttle))
    }

    /// The enrolled users whose names come after `after`, in name order, at most `limit`.
    #[zbus(out_args("users"))]
    async fn list_users(
        &self,
        after: String,
        limit: u32,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<Vec<Dictionary>, Error> {
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        caller.must_be_root()?;
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
                    Ok(record) => users.push(state::of(&name, record, now, rules)),
                    Err(error) => {
                        let _ = self.0.failure(&error);
                        users.push(state::damaged(&name));
                    }
                }
                if users.len() >= limit as usize {
                    return Ok(users);
                }
            }
        }
    }

    /// The version of the daemon.
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }
}

impl Manager {
    /// The user that the caller may act for, who must exist.
    async fn person(&self, user: &str, caller: Caller) -> Result<(UserName, Target), Error> {
        let target = self.0.target_for(caller, user).await?;
        match &target.subject {
            Subject::User(name) => Ok((name.clone(), target)),
            Subject::Bucket(_) => Err(no_such_user(user)),
        }
    }

    /// The same, or for root a user that is gone from the system and still in the store.
    async fn person_or_record(
        &self,
        user: &str,
        caller: Caller,
    ) -> Result<(UserName, Target), Error> {
        let target = self.0.target_for(caller, user).await?;
        if let Subject::User(name) = &target.subject {
            return Ok((name.clone(), target));
        }
        let name = UserName::parse(user).ok_or_else(|| no_such_user(user))?;
        let subject = Subject::User(name.clone());
        let uid = match self.0.store.read(subject.clone()).await {
            Ok(None) => return Err(no_such_user(user)),
            Ok(Some(record)) => Some(record.uid),
            // It can be removed nevertheless.
            Err(StoreError::Corrupt(_)) => None,
            Err(error) => return Err(self.0.failure(&error)),
        };
        Ok((name, Target { subject, uid }))
    }
}

fn no_such_user(user: &str) -> Error {
    let user: String = user.chars().take(64).collect();
    Error::NoSuchUser(format!("there is no user {:?} on this system", escaped(&user)))
}

/// Users in one answer: far below the 32 MiB that a message of the bus may have.
const MOST_LISTED: u32 = 1000;
