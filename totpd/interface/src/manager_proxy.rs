//! The client of the interface for totpctl and other front ends.
//!
//! The proxies of zbus decide per method whether polkit may ask a person. Here the caller decides
//! it for all methods, because a script must not hang at a question.

use serde::Serialize;
use zbus::proxy::MethodFlags;
use zbus::wire::DynamicDeserialize;
use zbus::{Connection, DynamicType, Fd, Proxy};

use crate::error::Error;
use crate::names::{MANAGER, PATH, SERVICE};
use crate::variants::Dictionary;

/// Whether polkit may ask a person to authenticate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Authentication {
    /// Polkit may ask, which can take minutes.
    Allowed,
    /// Polkit never asks. A call that needs authentication is refused.
    Never,
}

/// A rule that decides about a login, or comes before that one: its name, `FILE:LINE`, what it
/// says, its judgment, the condition that does not hold, and why.
pub type JudgedRule = (String, String, String, String, String, String);

/// A client of the interface `Manager`.
#[derive(Clone, Debug)]
pub struct ManagerProxy<'p> {
    proxy: Proxy<'p>,
    authentication: Authentication,
}

impl ManagerProxy<'static> {
    /// Returns a client on this connection.
    ///
    /// # Errors
    /// [`Error::Bus`] if the connection is closed.
    pub async fn new(
        connection: &Connection,
        authentication: Authentication,
    ) -> Result<Self, Error> {
        let proxy = Proxy::new(connection, SERVICE, PATH, MANAGER).await?;
        Ok(Self { proxy, authentication })
    }
}

impl ManagerProxy<'_> {
    /// Creates a factor. Returns its id, its `otpauth` URI and details.
    ///
    /// # Errors
    /// Those of the daemon and the bus, as with all methods.
    pub async fn enroll(
        &self,
        user: &str,
        options: &Dictionary,
    ) -> Result<(String, String, Dictionary), Error> {
        self.call("Enroll", &(user, options)).await
    }

    /// Confirms a new factor by its first code. Returns recovery codes.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn confirm(
        &self,
        user: &str,
        factor: &str,
        code: &str,
    ) -> Result<Vec<String>, Error> {
        self.call("Confirm", &(user, factor, code)).await
    }

    /// Replaces all recovery codes. Returns the new ones.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn recovery_codes(&self, user: &str, code: &str) -> Result<Vec<String>, Error> {
        self.call("RecoveryCodes", &(user, code)).await
    }

    /// Changes the name, purpose, limits or state of a factor.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn set_factor(
        &self,
        user: &str,
        factor: &str,
        changes: &Dictionary,
        code: &str,
    ) -> Result<(), Error> {
        self.call("SetFactor", &(user, factor, changes, code)).await
    }

    /// Removes one factor, or all factors if the id is empty.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn remove(&self, user: &str, factor: &str, code: &str) -> Result<(), Error> {
        self.call("Remove", &(user, factor, code)).await
    }

    /// Takes over the factors of a user from another program.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn import(
        &self,
        user: &str,
        factors: &[Dictionary],
        options: &Dictionary,
    ) -> Result<Dictionary, Error> {
        self.call("Import", &(user, factors, options)).await
    }

    /// Hands out the seeds of the confirmed factors of a user. Only the private socket carries
    /// them.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn export(&self, user: &str) -> Result<(Vec<Dictionary>, Dictionary), Error> {
        self.call("Export", &(user,)).await
    }

    /// Clears the count of wrong codes of `user`.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn unlock(&self, user: &str) -> Result<(), Error> {
        self.call("Unlock", &(user,)).await
    }

    /// Finds the counter of a token by two consecutive codes.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn resync(&self, user: &str, factor: &str, codes: &[&str]) -> Result<(), Error> {
        self.call("Resync", &(user, factor, codes)).await
    }

    /// Returns the state of one user, without secrets.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn get_user(&self, user: &str) -> Result<Dictionary, Error> {
        self.call("GetUser", &(user,)).await
    }

    /// Returns at most `limit` users behind the name `after`, in name order.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn list_users(&self, after: &str, limit: u32) -> Result<Vec<Dictionary>, Error> {
        self.call("ListUsers", &(after, limit)).await
    }

    /// Returns the remembered logins and the open bursts of `user`, or of everybody if it is empty.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn list_trust(&self, user: &str) -> Result<Vec<Dictionary>, Error> {
        self.call("ListTrust", &(user,)).await
    }

    /// Ends what is remembered of logins of `user`, or of everybody if it is empty. Returns how
    /// many there were.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn revoke_trust(&self, user: &str) -> Result<u32, Error> {
        self.call("RevokeTrust", &(user,)).await
    }

    /// Returns what a login of a user would need, and why.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn explain(
        &self,
        user: &str,
        login: &Dictionary,
    ) -> Result<(Dictionary, Vec<JudgedRule>), Error> {
        self.call("Explain", &(user, login)).await
    }

    /// Returns what a file would change of the rules in force. Only the private socket passes the
    /// descriptor.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn check_rules(&self, path: &str, content: Fd<'_>) -> Result<Dictionary, Error> {
        self.call("CheckRules", &(path, content)).await
    }

    /// Returns the rules in force, and what may be wrong with them.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn list_rules(&self) -> Result<(Vec<Dictionary>, Vec<Dictionary>), Error> {
        self.call("ListRules", &()).await
    }

    /// Returns what the rules in force come to at each of these services.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn rules_at(&self, services: &[&str]) -> Result<Vec<Dictionary>, Error> {
        self.call("RulesAt", &(services,)).await
    }

    /// Has the daemon read its rules again.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn reload(&self) -> Result<Dictionary, Error> {
        self.call("Reload", &()).await
    }

    /// Returns the version of the daemon.
    ///
    /// # Errors
    /// See [`Self::enroll`].
    pub async fn version(&self) -> Result<String, Error> {
        Ok(self.proxy.get_property("Version").await?)
    }

    async fn call<B, R>(&self, method: &'static str, body: &B) -> Result<R, Error>
    where
        B: Serialize + DynamicType,
        R: for<'d> DynamicDeserialize<'d>,
    {
        if self.authentication == Authentication::Never {
            return Ok(self.proxy.call(method, body).await?);
        }
        let flags = MethodFlags::ALLOW_INTERACTIVE_AUTH;
        let reply = self.proxy.call_with_flags(method, flags, body).await?;
        reply.ok_or_else(|| Error::Internal("the bus returned no reply".into()))
    }
}
