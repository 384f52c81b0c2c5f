//! The decision to restore a backup. It depends on the signer of the backup and on the trust of the
//! caller.

use crate::backup::signature::{Fingerprint, PublicKey};

/// The signer of a backup, as this store sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signer {
    /// This store, with its current key.
    Ours(Fingerprint),
    /// This store, with a key from before a rekey. That key may have been stolen after the rekey.
    Earlier(Fingerprint),
    /// Another store.
    Stranger(Fingerprint),
    /// No store: a version before format 4 wrote it, or a forger.
    Unsigned,
}

/// The kind of secret that opened a backup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OpenedBy {
    /// A passphrase: only a person who knows it can have written the backup.
    Passphrase,
    /// An identity: anybody who knows the public recipient can have written the backup.
    Identity,
}

/// The authors of a backup that the caller trusts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trust {
    /// This store, and anybody who knows the passphrase.
    Known,
    /// The store with this fingerprint alone.
    Fingerprint(Fingerprint),
    /// Anybody.
    Anybody,
}

/// The reason why a backup is not restored.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Untrusted {
    /// Another store signed it, and the caller did not say which one may.
    #[error(
        "another store signed the backup, with the fingerprint {0}. Compare it with what \
         \"totpctl backup\" or \"totpctl doctor\" printed on that host. If they are equal, say \
         --fingerprint and what was printed there"
    )]
    Stranger(Fingerprint),
    /// A backup without a signature.
    #[error(
        "the backup is not signed: an older totpd made it, or somebody who knows its recipient. If \
         you know where the file has been since then, say --unsigned"
    )]
    Unsigned,
    /// Another store signed it than the one that the caller named.
    #[error(
        "{found} signed the backup, not {wanted}: it is not from the store that you named; \
         do not restore it"
    )]
    Mismatch {
        /// The fingerprint of the signer.
        found: Fingerprint,
        /// The fingerprint that the caller named.
        wanted: Fingerprint,
    },
    /// A backup without a signature, and the caller named a store.
    #[error(
        "the backup is not signed, so nothing shows that the store {wanted} made it. An older totpd \
         made it, or somebody who knows its recipient. If you know where the file has been since \
         then, say --unsigned and no fingerprint"
    )]
    NoSignature {
        /// The fingerprint that the caller named.
        wanted: Fingerprint,
    },
}

impl Signer {
    /// Returns the signer with the public key `signed_by`, for a store with this key and these
    /// earlier ones.
    #[must_use]
    pub fn new(signed_by: Option<&PublicKey>, current: &PublicKey, earlier: &[PublicKey]) -> Self {
        match signed_by {
            None => Self::Unsigned,
            Some(key) if key == current => Self::Ours(key.fingerprint()),
            Some(key) if earlier.contains(key) => Self::Earlier(key.fingerprint()),
            Some(key) => Self::Stranger(key.fingerprint()),
        }
    }

    /// Returns the fingerprint of the key that signed, if one did.
    #[must_use]
    pub fn fingerprint(self) -> Option<Fingerprint> {
        match self {
            Self::Ours(fingerprint) | Self::Earlier(fingerprint) | Self::Stranger(fingerprint) => {
                Some(fingerprint)
            }
            Self::Unsigned => None,
        }
    }
}

/// Checks whether a backup may be restored. A signature that does not fit the content was refused
/// before.
///
/// # Errors
/// [`Untrusted`], if it may not.
pub fn may_be_restored(signer: Signer, opened: OpenedBy, trust: Trust) -> Result<(), Untrusted> {
    match (trust, signer) {
        (Trust::Anybody, _) => Ok(()),
        (Trust::Fingerprint(wanted), signer) => match signer.fingerprint() {
            Some(found) if found == wanted => Ok(()),
            Some(found) => Err(Untrusted::Mismatch { found, wanted }),
            None => Err(Untrusted::NoSignature { wanted }),
        },
        (Trust::Known, _) if opened == OpenedBy::Passphrase => Ok(()),
        (Trust::Known, Signer::Ours(_) | Signer::Earlier(_)) => Ok(()),
        (Trust::Known, Signer::Stranger(found)) => Err(Untrusted::Stranger(found)),
        (Trust::Known, Signer::Unsigned) => Err(Untrusted::Unsigned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::signature::tests::signing_key;

    #[test]
    fn a_signer_is_ours_if_the_store_has_or_had_its_key() {
        let [current, earlier, other] = [(); 3].map(|()| signing_key().public());
        let signer = |key| Signer::new(key, &current, &[earlier]);
        assert_eq!(signer(Some(&current)), Signer::Ours(current.fingerprint()));
        assert_eq!(signer(Some(&earlier)), Signer::Earlier(earlier.fingerprint()));
        assert_eq!(signer(Some(&other)), Signer::Stranger(other.fingerprint()));
        assert_eq!(signer(None), Signer::Unsigned);
    }

    /// This test tries every signer, opener and trust. The table lists the refused cases. All
    /// others are restored.
    #[test]
    fn trust_is_decided_as_the_table_says() {
        let [a, b] = [(); 2].map(|()| signing_key().public().fingerprint());
        let (named, found) = (Trust::Fingerprint(a), b);
        let mismatch = Untrusted::Mismatch { found, wanted: a };
        let no_signature = Untrusted::NoSignature { wanted: a };
        use OpenedBy::{Identity, Passphrase};
        use Signer::{Earlier, Ours, Stranger, Unsigned};
        let refusals = [
            (Stranger(a), Identity, Trust::Known, Untrusted::Stranger(a)),
            (Stranger(b), Identity, Trust::Known, Untrusted::Stranger(b)),
            (Unsigned, Identity, Trust::Known, Untrusted::Unsigned),
            (Ours(b), Identity, named, mismatch),
            (Ours(b), Passphrase, named, mismatch),
            (Earlier(b), Identity, named, mismatch),
            (Earlier(b), Passphrase, named, mismatch),
            (Stranger(b), Identity, named, mismatch),
            (Stranger(b), Passphrase, named, mismatch),
            (Unsigned, Identity, named, no_signature),
            (Unsigned, Passphrase, named, no_signature),
        ];
        let mut combinations = 0;
        let signers = [Ours, Earlier, Stranger].map(|signer| [signer(a), signer(b)]);
        for signer in signers.into_iter().flatten().chain([Unsigned]) {
            for opened in [Passphrase, Identity] {
                for trust in [Trust::Known, named, Trust::Anybody] {
                    let rule = refusals
                        .iter()
                        .find(|(s, o, t, _)| (*s, *o, *t) == (signer, opened, trust));
                    let wanted = rule.map_or(Ok(()), |(.., refusals)| Err(*refusals));
                    assert_eq!(
                        may_be_restored(signer, opened, trust),
                        wanted,
                        "{signer:?} {opened:?} {trust:?}"
                    );
                    combinations += 1;
                }
            }
        }
        assert_eq!(combinations, 42);
    }

    #[test]
    fn a_refused_backup_names_the_remedy() {
        let [a, b] = [(); 2].map(|()| signing_key().public().fingerprint());
        for (untrusted, words) in [
            (Untrusted::Stranger(a), format!("with the fingerprint {a}. Compare")),
            (Untrusted::Unsigned, "say --unsigned".into()),
            (
                Untrusted::Mismatch { found: b, wanted: a },
                format!("{b} signed the backup, not {a}"),
            ),
            (Untrusted::NoSignature { wanted: a }, format!("that the store {a} made it")),
        ] {
            assert!(untrusted.to_string().contains(&words), "{untrusted}");
        }
    }
}
