//! The token that connects the right first code of a factor with the end of the same login.
//!
//! The module keeps it from `pam_authenticate` to `pam_setcred`. Under sshd, which calls the latter
//! in another process, it is in the PAM environment. libpam asks for credentials only after the
//! whole stack succeeded.

use alloc::format;
use alloc::string::String;
use core::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::factor::id::FactorId;
use crate::user_name::UserName;

/// A token: 128 random bits, valid once, for one factor of one user and one PAM service.
#[derive(Clone)]
pub struct LoginToken {
    secret: Zeroizing<[u8; 16]>,
    /// The factor that it verifies.
    pub factor: FactorId,
    /// The owner of the factor. PAM_USER may name another user by then, because sudo changes it.
    pub user: UserName,
}

impl LoginToken {
    /// Returns the token of these random bytes.
    #[must_use]
    pub fn new(secret: [u8; 16], factor: FactorId, user: UserName) -> Self {
        Self { secret: Zeroizing::new(secret), factor, user }
    }

    /// Returns the token in `text`, or nothing if `text` is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (secret, factor, user) = (parts.next()?, parts.next()?, parts.next()?);
        let secret = Zeroizing::new(HEXLOWER.decode(secret.as_bytes()).ok()?);
        let secret = secret.as_slice().try_into().ok()?;
        Some(Self::new(secret, FactorId::parse(factor)?, UserName::parse(user)?))
    }

    /// Returns the token as the module keeps it: secret, factor and user, separated by colons.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(HEXLOWER.encode(self.secret.as_slice()));
        Zeroizing::new(format!("{}:{}:{}", *secret, self.factor, self.user))
    }

    /// Returns the digest that the record keeps, for the PAM service that asks.
    #[must_use]
    pub fn digest(&self, service: &str) -> TokenDigest {
        let mut hash = Sha256::new();
        // Neither ids nor user names contain a zero byte.
        for part in [self.factor.as_str(), self.user.as_str(), service] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update(self.secret.as_slice());
        TokenDigest(hash.finalize().into())
    }
}

impl fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The digest of a token that a record keeps: SHA-256 over factor, user, service and secret.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Reports in constant time whether both are of one token.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn token(secret: u8, factor: u8, user: &str) -> LoginToken {
        let user = UserName::parse(user).unwrap();
        LoginToken::new([secret; 16], FactorId::from_random([factor; 5]), user)
    }

    #[test]
    fn a_token_comes_back_from_its_text() {
        let sent = token(7, 1, "alice");
        let back = LoginToken::parse(&sent.text()).unwrap();
        assert!(back.digest("sshd").is(&sent.digest("sshd")));
        assert_eq!((back.factor, back.user), (sent.factor, sent.user));
    }

    #[test]
    fn a_token_is_good_for_its_factor_user_and_service_alone() {
        let digest = token(7, 1, "alice").digest("sshd");
        for (other, service) in [
            (token(8, 1, "alice"), "sshd"),
            (token(7, 2, "alice"), "sshd"),
            (token(7, 1, "bob"), "sshd"),
            (token(7, 1, "alice"), "sudo"),
            (token(7, 1, "alice"), ""),
        ] {
            assert!(!digest.is(&other.digest(service)), "{service}");
        }
    }

    #[test]
    fn a_malformed_token_is_refused() {
        let valid = token(7, 1, "alice").text().to_string();
        for text in ["", ":", "::", &valid[1..], &valid.replace("f-", "g-"), &valid.to_uppercase()]
        {
            assert!(LoginToken::parse(text).is_none(), "{text}");
        }
        assert!(LoginToken::parse(&valid.replace("alice", "")).is_none());
    }

    #[test]
    fn a_token_never_prints_itself() {
        assert_eq!(format!("{:?}", token(7, 1, "alice")), "[redacted]");
    }
}
