//! A connection to sshd.

/// A connection, as `sshd -T -C` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) address: String,
    pub(crate) local_address: String,
    pub(crate) port: String,
    pub(crate) domain: Option<String>,
}

impl Connection {
    /// Returns a connection from an address of documentation, which blocks rarely name.
    pub(crate) fn usual(user: &str, port: &str) -> Self {
        Self {
            user: user.to_owned(),
            host: USUAL_HOST.to_owned(),
            address: USUAL_ADDRESS.to_owned(),
            local_address: USUAL_LOCAL_ADDRESS.to_owned(),
            port: port.to_owned(),
            domain: None,
        }
    }

    /// Returns the argument of `-C`.
    pub(crate) fn argument(&self) -> String {
        let Self { user, host, address, local_address, port, domain } = self;
        let domain = domain.as_ref().map(|domain| format!(",rdomain={domain}")).unwrap_or_default();
        format!("user={user},host={host},addr={address},laddr={local_address},lport={port}{domain}")
    }
}

/// A user that no block names.
pub(crate) const SOMEBODY: &str = "somebody-else";
pub(crate) const USUAL_HOST: &str = "remote.invalid";
pub(crate) const USUAL_ADDRESS: &str = "192.0.2.1";
pub(crate) const USUAL_LOCAL_ADDRESS: &str = "192.0.2.2";
