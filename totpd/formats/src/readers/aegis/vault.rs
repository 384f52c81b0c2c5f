//! The header of a vault, and what it takes to open it.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::readers::decryption::aes_256_gcm;
use crate::readers::json::Bounded;
use crate::readers::seed_text::base64;
use crate::reading::{Passphrase, Refusal};

/// The header of a vault.
#[derive(Deserialize)]
pub(super) struct Header {
    slots: Option<Bounded<Slot>>,
    params: Option<Params>,
}

impl Header {
    /// Reports whether the vault is not encrypted.
    pub(super) fn is_plain(&self) -> bool {
        self.slots.is_none() && self.params.is_none()
    }
}

/// What an encryption gave beside the ciphertext, in hexadecimal digits.
#[derive(Deserialize)]
struct Params {
    nonce: String,
    tag: String,
}

/// A copy of the master key, encrypted under one credential.
#[derive(Deserialize)]
struct Slot {
    #[serde(rename = "type")]
    kind: u64,
    key: String,
    key_params: Params,
    n: Option<u64>,
    r: Option<u32>,
    p: Option<u32>,
    salt: Option<String>,
}

/// Opens the content of a vault.
pub(super) fn open(
    header: &Header,
    content: &str,
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let slots = header.slots.iter().flat_map(|slots| &slots.0).filter(|slot| slot.kind == PASSWORD);
    let slots: Vec<_> = slots.take(MAX_SLOTS).collect();
    if slots.is_empty() {
        return Err(Refusal::UnknownEncryption("a vault without a password slot".to_owned()));
    }
    let params = header.params.as_ref().ok_or_else(|| malformed("the header"))?;
    let mut master = None;
    for slot in slots {
        if let Some(key) = slot.open(passphrase)? {
            master = Some(key);
            break;
        }
    }
    let master = master.ok_or(Refusal::WrongPassphrase)?;
    let ciphertext = base64(content).ok_or_else(|| malformed("the content"))?;
    let (nonce, tag) = params.bytes()?;
    aes_256_gcm(&master, &nonce, &tag, &ciphertext).ok_or(Refusal::WrongPassphrase)
}

impl Slot {
    /// Returns the master key; `None` if the passphrase is another one's.
    fn open(&self, passphrase: &Passphrase) -> Result<Option<Zeroizing<[u8; 32]>>, Refusal> {
        let (Some(n), Some(r), Some(p), Some(salt)) = (self.n, self.r, self.p, &self.salt) else {
            return Err(malformed("a slot"));
        };
        let is_cheap =
            n.checked_mul(r.into()).is_some_and(|blocks| blocks <= MAX_BLOCKS) && p <= MAX_P;
        if !is_cheap {
            return Err(Refusal::KdfTooCostly);
        }
        if !n.is_power_of_two() {
            return Err(malformed("a slot"));
        }
        let log_n = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
        let params = scrypt::Params::new(log_n, r, p).map_err(|_| malformed("a slot"))?;
        let salt = hex(salt)?;
        let mut key = Zeroizing::new([0; 32]);
        scrypt::scrypt(passphrase.text().as_bytes(), &salt, &params, key.as_mut_slice())
            .map_err(|_| malformed("a slot"))?;
        let (nonce, tag) = self.key_params.bytes()?;
        let Some(opened) = aes_256_gcm(&key, &nonce, &tag, &hex(&self.key)?) else {
            return Ok(None);
        };
        let master: [u8; 32] = opened.as_slice().try_into().map_err(|_| malformed("a slot"))?;
        Ok(Some(Zeroizing::new(master)))
    }
}

impl Params {
    fn bytes(&self) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
        Ok((hex(&self.nonce)?, hex(&self.tag)?))
    }
}

fn hex(text: &str) -> Result<Vec<u8>, Refusal> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| malformed("a hexadecimal value"))
}

fn malformed(what: &str) -> Refusal {
    Refusal::Syntax(format!("{what} of the vault cannot be read"))
}

const PASSWORD: u64 = 1;
/// A vault has one, and another one for backups.
const MAX_SLOTS: usize = 4;
/// N · r of scrypt: 32 MiB, what the app itself takes.
const MAX_BLOCKS: u64 = 1 << 18;
const MAX_P: u32 = 4;
