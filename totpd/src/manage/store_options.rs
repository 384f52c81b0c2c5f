//! The options of `Backup` and `Restore`, parsed. Nothing unknown is let by.

use std::str::FromStr;

use totpd_interface::{Dictionary, Error};
use totpd_store::backup::{Fingerprint, Opener, Recipients, Trust};
use totpd_store::backup::{SecretString, x25519};
use zbus::OwnedVariant;

/// Whom a backup is for.
pub(crate) struct BackupOptions {
    pub(crate) recipients: Recipients,
}

/// What opens a backup, and what is done with it.
pub(crate) struct RestoreOptions {
    pub(crate) opener: Opener,
    pub(crate) trust: Trust,
    /// Of the only content that the backup may have.
    pub(crate) digest: Option<String>,
    pub(crate) replace: bool,
    pub(crate) dry_run: bool,
}

impl BackupOptions {
    pub(crate) fn parse(options: &Dictionary) -> Result<Self, Error> {
        known(options, &["passphrase", "recipients"])?;
        let recipients = match (text(options, "passphrase")?, texts(options, "recipients")?) {
            (Some(passphrase), None) => {
                if passphrase.chars().count() < SHORTEST_PASSPHRASE {
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
        known(
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
            match (text(options, "passphrase")?, texts(options, "identities")?) {
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
        let (replace, dry_run) = (flag(options, "replace")?, flag(options, "dry_run")?);
        let digest = text(options, "digest")?;
        Ok(Self { opener, trust: trust(options)?, digest, replace, dry_run })
    }
}

/// Which makers of a backup the caller trusts.
fn trust(options: &Dictionary) -> Result<Trust, Error> {
    match (text(options, "fingerprint")?, flag(options, "unsigned")?) {
        (None, false) => Ok(Trust::Known),
        (None, true) => Ok(Trust::Anybody),
        (Some(fingerprint), false) => {
            Fingerprint::parse(&fingerprint).map(Trust::Fingerprint).ok_or_else(|| {
                invalid("fingerprint", "SHA256: and 43 characters, as backup prints it")
            })
        }
        (Some(_), true) => Err(invalid("fingerprint", "left out where unsigned is true: not both")),
    }
}

fn known(options: &Dictionary, keys: &[&str]) -> Result<(), Error> {
    match options.keys().find(|key| !keys.contains(&key.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(invalid(
            &totpd_journal::escape::escape(unknown),
            &format!("one of {}", keys.join(", ")),
        )),
    }
}

fn text(options: &Dictionary, key: &str) -> Result<Option<String>, Error> {
    let read = |value: &OwnedVariant| value.downcast_ref::<&str>().map(ToOwned::to_owned);
    options.get(key).map(read).transpose().map_err(|_| invalid(key, "a string"))
}

fn texts(options: &Dictionary, key: &str) -> Result<Option<Vec<String>>, Error> {
    let wanted = || invalid(key, "a list of strings");
    let Some(value) = options.get(key) else { return Ok(None) };
    let texts = value.try_clone().ok().and_then(|value| Vec::<String>::try_from(value).ok());
    texts.map(Some).ok_or_else(wanted)
}

fn flag(options: &Dictionary, key: &str) -> Result<bool, Error> {
    let read = |value: &OwnedVariant| value.downcast_ref::<bool>();
    let flag = options.get(key).map(read).transpose();
    Ok(flag.map_err(|_| invalid(key, "true or false"))?.unwrap_or(false))
}

fn invalid(key: &str, wanted: &str) -> Error {
    Error::InvalidArgument(format!("{key} must be {wanted}"))
}

/// Characters. A backup can be guessed at for years, so it takes more than a login.
const SHORTEST_PASSPHRASE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Reply;

    #[test]
    fn a_restore_trusts_one_store_or_everybody_and_not_both() {
        let text = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
        let parsed = |options: Reply| {
            let options = options.with("passphrase", "of a backup");
            RestoreOptions::parse(&options.into()).map(|options| options.trust)
        };
        let fingerprint = Trust::Fingerprint(Fingerprint::parse(text).unwrap());
        for (options, wanted) in [
            (Reply::new(), Trust::Known),
            (Reply::new().with("unsigned", false), Trust::Known),
            (Reply::new().with("unsigned", true), Trust::Anybody),
            (Reply::new().with("fingerprint", text), fingerprint),
            (Reply::new().with("fingerprint", text).with("unsigned", false), fingerprint),
        ] {
            assert_eq!(parsed(options).unwrap(), wanted);
        }
        for (options, why) in [
            (Reply::new().with("fingerprint", text).with("unsigned", true), "not both"),
            (Reply::new().with("fingerprint", ""), "SHA256: and 43 characters"),
            (Reply::new().with("fingerprint", "SHA256:x"), "SHA256: and 43 characters"),
            (Reply::new().with("fingerprint", true), "a string"),
            (Reply::new().with("unsigned", "yes"), "true or false"),
            (Reply::new().with("trust", true), "trust must be one of"),
        ] {
            let refused = parsed(options).unwrap_err();
            assert!(
                matches!(&refused, Error::InvalidArgument(text) if text.contains(why)),
                "{refused:?}"
            );
        }
    }
}
