//! The data that a module sends about a login.

use std::fmt;

use crate::dictionary::{DictReader, Entries, InvalidEntry, add_text};

/// The context of `Begin`, `Verify`, `CompleteEnrollment` and `Guard`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LoginContext {
    /// The PAM service.
    pub service: Option<String>,
    /// The remote end: an address, or a name that proves nothing.
    pub rhost: Option<String>,
    /// The terminal.
    pub tty: Option<String>,
    /// The user who asks, if the login is for another user.
    pub ruser: Option<String>,
    /// The user of the login, at its end. A program may have put in the user that it becomes
    /// (sudo).
    pub user: Option<String>,
    /// The id of the only factor that counts.
    pub factor: Option<String>,
    /// The nonce that the module drew for this authentication, if a user may make a factor at it.
    pub nonce: Option<Nonce>,
    /// The flag that a user without a factor needs no code (module option `nullok`).
    pub nullok: bool,
    /// The flag that a user without a factor makes one at this login (module option `enroll`).
    pub enroll: bool,
    /// The flag that one answer is password and code (module option `forward_pass`). Then `Begin`
    /// never tells that no code is needed.
    pub forward_pass: bool,
    /// The flag that the program shows nothing but prompts (module option `quiet`).
    pub quiet: bool,
    /// The flag that the prompt names the factors (module option `show_names`).
    pub show_names: bool,
    /// The words of the prompt (module option `prompt=`).
    pub prompt: Option<String>,
}

/// The 16 random bytes of one authentication. A key that one authentication showed is confirmed in
/// no other.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Nonce([u8; 16]);

impl LoginContext {
    /// Reads a context, and ignores unknown keys. Cuts a text at [`MAX_TEXT_CHARS`], because it
    /// goes into logs and records. An empty text reads as absent.
    ///
    /// # Errors
    /// [`InvalidEntry`] if a known key has a value of a wrong type, or `nonce` is not a nonce.
    pub fn parse(entries: &impl DictReader) -> Result<Self, InvalidEntry> {
        let text = |key| {
            let text = entries.text(key)?.filter(|text| !text.is_empty());
            Ok::<_, InvalidEntry>(text.map(truncate))
        };
        let flag = |key| Ok::<_, InvalidEntry>(entries.flag(key)?.unwrap_or(false));
        let invalid_nonce = || InvalidEntry::new("nonce", "32 hexadecimal digits");
        let nonce = |text: String| Nonce::parse(&text).ok_or_else(invalid_nonce);
        Ok(Self {
            service: text("service")?,
            rhost: text("rhost")?,
            tty: text("tty")?,
            ruser: text("ruser")?,
            user: text("user")?,
            factor: text("factor")?,
            nonce: text("nonce")?.map(nonce).transpose()?,
            nullok: flag("nullok")?,
            enroll: flag("enroll")?,
            forward_pass: flag("forward_pass")?,
            quiet: flag("quiet")?,
            show_names: flag("show_names")?,
            prompt: text("prompt")?,
        })
    }

    /// Calls `write` with the entries of the context, without those that are absent or `false`.
    pub fn write<T>(&self, write: impl FnOnce(Entries<'_>) -> T) -> T {
        let nonce = self.nonce.map(|nonce| nonce.to_string());
        let mut entries = Entries::new();
        for (key, text) in [
            ("service", self.service.as_deref()),
            ("rhost", self.rhost.as_deref()),
            ("tty", self.tty.as_deref()),
            ("ruser", self.ruser.as_deref()),
            ("user", self.user.as_deref()),
            ("factor", self.factor.as_deref()),
            ("nonce", nonce.as_deref()),
            ("prompt", self.prompt.as_deref()),
        ] {
            add_text(&mut entries, key, text);
        }
        for (key, flag) in [
            ("nullok", self.nullok),
            ("enroll", self.enroll),
            ("forward_pass", self.forward_pass),
            ("quiet", self.quiet),
            ("show_names", self.show_names),
        ] {
            if flag {
                entries.push((key, flag.into()));
            }
        }
        write(entries)
    }
}

impl Nonce {
    /// Returns the nonce of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 lower-case hexadecimal digits. Returns `None` if `text` is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))
    }

    /// Returns the bytes of the nonce.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }
}

/// Writes 32 lower-case hexadecimal digits.
impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Prints no digits, because the nonce lets a login continue with its factor.
impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Returns at most the first [`MAX_TEXT_CHARS`] characters of `text`.
#[must_use]
pub fn truncate(text: &str) -> String {
    let end = match text.len() {
        // A character has one byte at least.
        0..=MAX_TEXT_CHARS => text.len(),
        _ => text.char_indices().nth(MAX_TEXT_CHARS).map_or(text.len(), |(end, _)| end),
    };
    text.get(..end).unwrap_or_default().to_owned()
}

/// The number of characters of a text that the daemon keeps. A module sends no more.
pub const MAX_TEXT_CHARS: usize = 256;
/// The prompt of a module with `forward_pass` that has no words of its own.
pub const COMBINED_PROMPT: &str = "Password and verification code: ";
