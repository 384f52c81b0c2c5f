//! The maker of a factor. Only the maker can confirm it.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The maker of a factor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Maker {
    /// A login of a user without a factor, identified by the nonce of its authentication.
    Login(LoginNonce),
    /// Root, over the bus or the private socket.
    Root,
    /// A user with this uid, for itself or for another user that polkit lets it manage.
    Uid(u32),
    /// A version of totpd that did not record the maker.
    Unknown,
}

impl Maker {
    /// Returns the caller with this uid, which the kernel or the bus reports.
    #[must_use]
    pub fn from_uid(uid: u32) -> Self {
        if uid == 0 { Self::Root } else { Self::Uid(uid) }
    }
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(_) => f.write_str("login"),
            Self::Root => f.write_str("root"),
            Self::Uid(uid) => write!(f, "uid {uid}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// The nonce of one authentication: 16 random bytes that the PAM module generates.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
pub struct LoginNonce([u8; 16]);

impl LoginNonce {
    /// Returns the nonce of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// The nonce lets a login continue with its factor, so it is not printed.
impl fmt::Debug for LoginNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_maker_is_named_and_its_nonce_is_not() {
        for (maker, text) in [
            (Maker::from_uid(0), "root"),
            (Maker::from_uid(1000), "uid 1000"),
            (Maker::Login(LoginNonce::new([7; 16])), "login"),
            (Maker::Unknown, "unknown"),
        ] {
            assert_eq!(maker.to_string(), text);
        }
        assert_eq!(format!("{:?}", LoginNonce::new([7; 16])), "[redacted]");
    }
}
