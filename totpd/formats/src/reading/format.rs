//! The formats that are read.

use serde::{Deserialize, Serialize};

/// A format that is read, by its name on the command line.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// The vault of the app Aegis, plain or encrypted.
    Aegis,
    /// The list of a vendor of tokens: serial number, seed, and what else there is.
    Csv,
    /// The entries of tokens in the directory of FreeIPA, as LDIF.
    #[serde(rename = "freeipa")]
    FreeIpa,
    /// The state file of pam_google_authenticator.
    GoogleAuthenticator,
    /// The usersfile of pam_oath.
    Oath,
    /// Links of the form `otpauth://`, one a line.
    Otpauth,
    /// The export of the Google app: links of the form `otpauth-migration://`, or their QR codes.
    OtpauthMigration,
    /// The exports of privacyIDEA.
    #[serde(rename = "privacyidea")]
    PrivacyIdea,
    /// Portable Symmetric Key Container (RFC 6030).
    Pskc,
}

impl Format {
    /// Every format, by name.
    pub const ALL: [Self; 9] = [
        Self::Aegis,
        Self::Csv,
        Self::FreeIpa,
        Self::GoogleAuthenticator,
        Self::Oath,
        Self::Otpauth,
        Self::OtpauthMigration,
        Self::PrivacyIdea,
        Self::Pskc,
    ];

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aegis => "aegis",
            Self::Csv => "csv",
            Self::FreeIpa => "freeipa",
            Self::GoogleAuthenticator => "google-authenticator",
            Self::Oath => "oath",
            Self::Otpauth => "otpauth",
            Self::OtpauthMigration => "otpauth-migration",
            Self::PrivacyIdea => "privacyidea",
            Self::Pskc => "pskc",
        }
    }

    /// Returns the format with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Returns the greatest number of bytes that a reader takes.
    #[must_use]
    pub fn max_bytes(self) -> usize {
        match self {
            // As the module itself.
            Self::GoogleAuthenticator => 64 << 10,
            Self::Aegis | Self::OtpauthMigration | Self::PrivacyIdea | Self::Pskc => 8 << 20,
            Self::Csv | Self::FreeIpa | Self::Oath | Self::Otpauth => 16 << 20,
        }
    }

    /// Reports whether the file of one user is meant, whose owner says who it is.
    #[must_use]
    pub fn is_of_one_user(self) -> bool {
        self == Self::GoogleAuthenticator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_one_name() {
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(format));
            let json = serde_json::to_string(&format).unwrap();
            assert_eq!(json, format!("\"{}\"", format.name()));
        }
        assert_eq!(Format::from_name("Aegis"), None);
    }
}
