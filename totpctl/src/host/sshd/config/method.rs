//! The authentication methods of sshd.

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    PublicKey,
    GssapiKeyex,
    GssapiWithMic,
    Hostbased,
    KeyboardInteractive,
    Password,
    /// The method `none`: a user with an empty password.
    EmptyPassword,
}

impl Method {
    /// All methods, in the order in which ssh tries them; `none` comes last.
    pub(crate) const ALL: [Self; 7] = [
        Self::PublicKey,
        Self::GssapiKeyex,
        Self::GssapiWithMic,
        Self::Hostbased,
        Self::KeyboardInteractive,
        Self::Password,
        Self::EmptyPassword,
    ];

    /// Returns the name in `AuthenticationMethods`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PublicKey => "publickey",
            Self::GssapiKeyex => "gssapi-keyex",
            Self::GssapiWithMic => "gssapi-with-mic",
            Self::Hostbased => "hostbased",
            Self::KeyboardInteractive => "keyboard-interactive",
            Self::Password => "password",
            Self::EmptyPassword => "none",
        }
    }

    /// Returns the method of this name, which may have a device (`keyboard-interactive:pam`).
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let name = name.split(':').next()?;
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Returns the keyword that turns it on.
    pub(crate) fn keyword(self) -> &'static str {
        match self {
            Self::PublicKey => "PubkeyAuthentication",
            Self::GssapiKeyex => "GSSAPIKeyExchange",
            Self::GssapiWithMic => "GSSAPIAuthentication",
            Self::Hostbased => "HostbasedAuthentication",
            Self::KeyboardInteractive => "KbdInteractiveAuthentication",
            Self::Password => "PasswordAuthentication",
            Self::EmptyPassword => "PermitEmptyPasswords",
        }
    }

    /// Reports whether it proves who the user is without PAM: by a key, a ticket or a host.
    pub(crate) fn is_proof(self) -> bool {
        matches!(self, Self::PublicKey | Self::GssapiKeyex | Self::GssapiWithMic | Self::Hostbased)
    }
}
