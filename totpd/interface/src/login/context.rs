//! What a module says of a login.

use std::fmt;

use crate::dictionary::{DictReader, Entries, InvalidEntry, add_text};

/// The context of `Begin`, `Verify` and `CompleteEnrollment`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LoginContext {
    /// The PAM service.
    pub service: Option<String>,
    /// The remote end: an address, or a name that proves nothing.
    pub rhost: Option<String>,
    /// The terminal.
    pub tty: Option<String>,
    /// The user who asks, if that is another one than the login is for.
    pub ruser: Option<String>,
    /// The user of the login, at its end. A program may have put in the user that it becomes
    /// (sudo).
    pub user: Option<String>,
    /// The id of the only factor that counts.
    pub factor: Option<String>,
    /// What the module drew for this authentication, if a user may make a factor at it.
    pub nonce: Option<Nonce>,
    /// Whether a user without a factor needs no code (module option `nullok`).
    pub nullok: bool,
    /// Whether a user without a factor makes one at this login (module option `enroll`).
    pub enroll: bool,
    /// Whether the program shows nothing but prompts (module option `quiet`).
    pub quiet: bool,
    /// Whether the prompt names the factors (module option `show_names`).
    pub show_names: bool,
    /// The words of the prompt (module option `prompt=`).
    pub prompt: Option<String>,
}

/// 16 random bytes of one authentication: a key that was shown in one is confirmed in no other.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Nonce([u8; 16]);

impl LoginContext {
    /// Reads a context. Unknown keys are ignored. A text is cut at [`MAX_TEXT_CHARS`], since it
    /// goes into logs and records; an empty one reads as absent.
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
            quiet: flag("quiet")?,
            show_names: flag("show_names")?,
            prompt: text("prompt")?,
        })
    }

    /// Calls `write` with what the context says, without what is absent or `false`.
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
            ("quiet", self.quiet),
            ("show_names", self.show_names),
        ] {
            entries.extend(flag.then(|| (key, flag.into())));
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

    /// Reads 32 lower-case hexadecimal digits; `None` if `text` is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))
    }

    /// Returns its bytes.
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

/// A nonce lets a login go on with its factor, so it is not printed.
impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Returns at most [`MAX_TEXT_CHARS`] of `text`.
#[must_use]
pub fn truncate(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}

/// Characters of a text that the daemon keeps, so a module sends no more.
pub const MAX_TEXT_CHARS: usize = 256;
