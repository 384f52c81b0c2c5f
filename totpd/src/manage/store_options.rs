//! The options of `Backup` and `Restore`, parsed. An unknown option is refused.

use std::str::FromStr;

use totpd_interface::dictionary::DictReader as _;
use totpd_interface::{Dictionary, Error};
use totpd_store::backup::{Fingerprint, Opener, Recipients, Trust};
use totpd_store::backup::{SecretString, x25519};

use crate::factors::option_values::{invalid, reject_unknown};

/// The recipients of a backup.
pub(crate) struct BackupOptions {
    pub(crate) recipients: Recipients,
}

/// The opener of a backup, and the treatment of its content.
pub(crate) struct RestoreOptions {
    pub(crate) opener: Opener,
    pub(crate) trust: Trust,
    /// The digest of the only content that the backup may have.
    pub(crate) digest: Option<String>,
    pub(crate) replace: bool,
    pub(crate) dry_run: bool,
}

impl BackupOptions {
    pub(crate) fn parse(options: &Dictionary) -> Result<Self, Error> {
        reject_unknown(options, &["passphrase", "recipients"])?;
        let recipients = match (options.text("passphrase")?, options.texts("recipients")?) {
            (Some(passphrase), None) => {
                if passphrase.chars().count() < MIN_PASSPHRASE_CHARS {
                    return Err(invalid(
                        "passphrase",
                        "at least 12 characters: it guards every seed",
                    ));
                }
                Recipients::Passphrase(SecretString::from(passphrase))
            }
            (None, Some(keys)) if !keys.is_empty() => {
                let parse = |key: &String| x25519::Recipient::from_str(key);
                let keys = keys.iter().map(parse).collect::<Result<_, _>>();
                Recipients::Keys(
                    keys.map_err(|_| invalid("recipients", "recipients of age (age1…)"))?,
                )
            }
            _ => return Err(invalid("passphrase", "given, or recipients, and not both")),
        };
        Ok(Self { recipients })
    }
}

impl RestoreOptions {
    pub(crate) fn parse(options: &Dictionary) -> Result<Self, Error> {
        reject_unknown(
            options,
            &[
                "passphrase",
                "identities",
                "fingerprint",
                "unsigned",
                "digest",
                "replace",
                "dry_run",
            ],
        )?;
        let opener =
            match (options.text("passphrase")?, options.texts("identities")?) {
                (Some(passphrase), None) => Opener::Passphrase(SecretString::from(passphrase)),
                (None, Some(keys)) if !keys.is_empty() => {
                    let parse = |key: &String| x25519::Identity::from_str(key);
                    let keys = keys.iter().map(parse).collect::<Result<_, _>>();
                    Opener::Identities(keys.map_err(|_| {
                        invalid("identities", "identities of age (AGE-SECRET-KEY-1…)")
                    })?)
                }
                _ => return Err(invalid("passphrase", "given, or identities, and not both")),
            };
        let (replace, dry_run) =
            (options.flag("replace")?.unwrap_or(false), options.flag("dry_run")?.unwrap_or(false));
        let digest = options.text("digest")?.map(ToOwned::to_owned);
        Ok(Self { opener, trust: trust(options)?, digest, replace, dry_run })
    }
}

/// Returns the makers of a backup that the caller trusts.
fn trust(options: &Dictionary) -> Result<Trust, Error> {
    match (options.text("fingerprint")?, options.flag("unsigned")?.unwrap_or(false)) {
        (None, false) => Ok(Trust::Known),
        (None, true) => Ok(Trust::Anybody),
        (Some(fingerprint), false) => {
            Fingerprint::parse(fingerprint).map(Trust::Fingerprint).ok_or_else(|| {
                invalid("fingerprint", "SHA256: and 43 characters, as backup prints it")
            })
        }
        (Some(_), true) => Err(invalid("fingerprint", "left out if unsigned is true: not both")),
    }
}

/// The minimum number of characters of a passphrase. An attacker can guess at a backup for years,
/// so it needs more than a login.
const MIN_PASSPHRASE_CHARS: usize = 12;

#[cfg(test)]
mod tests {
    use totpd_interface::DictBuilder;

    use super::*;

    #[test]
    fn a_restore_trusts_one_store_or_everybody_and_not_both() {
        let text = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
        let parsed = |options: DictBuilder| {
            let options = options.with("passphrase", "of a backup");
            RestoreOptions::parse(&options.into()).map(|options| options.trust)
        };
        let fingerprint = Trust::Fingerprint(Fingerprint::parse(text).unwrap());
        for (options, wanted) in [
            (DictBuilder::new(), Trust::Known),
            (DictBuilder::new().with("unsigned", false), Trust::Known),
            (DictBuilder::new().with("unsigned", true), Trust::Anybody),
            (DictBuilder::new().with("fingerprint", text), fingerprint),
            (DictBuilder::new().with("fingerprint", text).with("unsigned", false), fingerprint),
        ] {
            assert_eq!(parsed(options).unwrap(), wanted);
        }
        for (options, reason) in [
            (DictBuilder::new().with("fingerprint", text).with("unsigned", true), "not both"),
            (DictBuilder::new().with("fingerprint", ""), "SHA256: and 43 characters"),
            (DictBuilder::new().with("fingerprint", "SHA256:x"), "SHA256: and 43 characters"),
            (DictBuilder::new().with("fingerprint", true), "a string"),
            (DictBuilder::new().with("unsigned", "yes"), "a boolean"),
            (DictBuilder::new().with("trust", true), "trust must be one of"),
        ] {
            let error = parsed(options).unwrap_err();
            assert!(
                matches!(&error, Error::InvalidArgument(text) if text.contains(reason)),
                "{error:?}"
            );
        }
    }
}
