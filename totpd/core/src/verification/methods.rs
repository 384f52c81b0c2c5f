//! The methods whose codes count at a login.

use crate::verification::verdict::Method;

/// The methods that count; all by default.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Methods {
    hotp: bool,
    recovery: bool,
    totp: bool,
}

impl Methods {
    /// All methods.
    pub const ALL: Self = Self { hotp: true, recovery: true, totp: true };

    /// No method: whatever is typed is refused.
    pub const NONE: Self = Self { hotp: false, recovery: false, totp: false };

    /// Returns these methods, or `None` if there is none.
    #[must_use]
    pub fn of(methods: &[Method]) -> Option<Self> {
        let has = |method| methods.contains(&method);
        (!methods.is_empty()).then(|| Self {
            hotp: has(Method::Hotp),
            recovery: has(Method::Recovery),
            totp: has(Method::Totp),
        })
    }

    /// Returns the methods that both have.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            hotp: self.hotp && other.hotp,
            recovery: self.recovery && other.recovery,
            totp: self.totp && other.totp,
        }
    }

    /// Reports whether codes of this method count.
    #[must_use]
    pub fn include(self, method: Method) -> bool {
        match method {
            Method::Hotp => self.hotp,
            Method::Recovery => self.recovery,
            Method::Totp => self.totp,
        }
    }
}

impl Default for Methods {
    fn default() -> Self {
        Self::ALL
    }
}
