//! The interface `Login` as types: the data of a module about a login, and the replies of the
//! daemon.
//!
//! Only this module writes and reads each type. A reader of a *reply* ignores details that it does
//! not know. It reads a detail of a wrong type as absent. A word that it does not know is an
//! [`UnexpectedReply`] and opens nothing.

use std::fmt;

use crate::dictionary::{DictReader, Entries, add_text};
use crate::words::{action, verdict};

pub use crate::login::context::{COMBINED_PROMPT, LoginContext, MAX_TEXT_CHARS, Nonce, truncate};
pub use crate::login::password::PasswordReply;

mod context;
mod password;

/// The reply of the daemon to `Begin`.
#[derive(Clone, Eq, PartialEq)]
pub enum BeginReply {
    /// The module asks for a code.
    Prompt {
        /// The prompt.
        text: String,
        /// The decimal digits of a code of this user, 6 to 8.
        digits: u32,
    },
    /// The module shows a new factor, and asks for its first code.
    Enroll {
        /// The prompt, which shows the key of the factor.
        text: String,
        /// The id of the factor.
        factor: String,
        /// The link of the factor, which holds the key. Modules do without.
        uri: Option<String>,
    },
    /// The login needs no code.
    Skip {
        /// The message for the person.
        message: Option<String>,
    },
}

/// The reply of the daemon to `Verify`.
#[derive(Clone, Eq, PartialEq)]
pub enum VerifyReply {
    /// The code was right, and is used up.
    Approved {
        /// The method that approved the code.
        method: Option<Method>,
        /// The message for the owner of the code.
        message: Option<String>,
        /// The token of a new factor, for `CompleteEnrollment`. The factor is not verified before
        /// that call.
        token: Option<String>,
    },
    /// The code was not right.
    Denied {
        /// The reason, after a wrong first code of a new factor that may be tried again.
        message: Option<String>,
    },
    /// The login needs no code. The daemon did not look at the code, and the code is not used up.
    Skipped {
        /// The message for the person.
        message: Option<String>,
    },
    /// The user gave too many wrong codes. The daemon did not look at the code, and the code is not
    /// used up.
    Throttled {
        /// The message for the person.
        message: Option<String>,
        /// The seconds until the daemon looks at the next code; `None`: until `totpctl unlock`.
        retry_after: Option<u32>,
    },
}

/// The reply of the daemon to `CompleteEnrollment`.
#[derive(Clone, Eq, PartialEq)]
pub struct CompletionReply {
    /// The flag that the new factor is verified now. Every word but `approved` reads as `false`.
    pub is_verified: bool,
    /// The message for the person. It may hold recovery codes.
    pub message: Option<String>,
}

/// The reply of the daemon to `Guard`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GuardReply {
    /// The flag that the login continues without a code. Every word but `skipped` reads as `false`.
    pub is_let_by: bool,
    /// The message for the person.
    pub message: Option<String>,
}

/// The method that approved a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// A token that counts presses (RFC 4226).
    Hotp,
    /// A recovery code.
    Recovery,
    /// A code of the time (RFC 6238).
    Totp,
}

/// The error of a reply that the contract does not have. Its text has nothing of the reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnexpectedReply(&'static str);

impl BeginReply {
    /// Reads a reply. Older daemons did not send `digits`. Without a readable `digits`, a code has
    /// [`DEFAULT_DIGITS`].
    ///
    /// # Errors
    /// [`UnexpectedReply`] if the word is not known, or a prompt or a factor is missing.
    pub fn parse(word: &str, details: &impl DictReader) -> Result<Self, UnexpectedReply> {
        let prompt = || text(details, "prompt");
        match word {
            action::PROMPT => {
                let digits = details.number("digits").ok().flatten().unwrap_or(DEFAULT_DIGITS);
                let text = prompt().ok_or(UnexpectedReply("totpd sent no prompt"))?;
                Ok(Self::Prompt { text, digits })
            }
            action::ENROLL => match (prompt(), text(details, "factor")) {
                (Some(prompt), Some(factor)) => {
                    Ok(Self::Enroll { text: prompt, factor, uri: text(details, "uri") })
                }
                _ => Err(UnexpectedReply("totpd sent no factor to enroll")),
            },
            action::SKIP => Ok(Self::Skip { message: text(details, "message") }),
            _ => Err(UnexpectedReply("unknown reply to Begin: totpd has another version")),
        }
    }

    /// Returns the word of the reply.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Prompt { .. } => action::PROMPT,
            Self::Enroll { .. } => action::ENROLL,
            Self::Skip { .. } => action::SKIP,
        }
    }

    /// Returns the details of the reply.
    #[must_use]
    pub fn details(&self) -> Entries<'_> {
        match self {
            Self::Prompt { text, digits } => {
                vec![("prompt", text.as_str().into()), ("digits", (*digits).into())]
            }
            Self::Enroll { text, factor, uri } => {
                let mut details =
                    vec![("prompt", text.as_str().into()), ("factor", factor.as_str().into())];
                add_text(&mut details, "uri", uri.as_deref());
                details
            }
            Self::Skip { message } => {
                let mut details = Vec::new();
                add_text(&mut details, "message", message.as_deref());
                details
            }
        }
    }
}

impl VerifyReply {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`UnexpectedReply`] if the word is not known.
    pub fn parse(word: &str, details: &impl DictReader) -> Result<Self, UnexpectedReply> {
        let message = text(details, "message");
        match word {
            verdict::APPROVED => Ok(Self::Approved {
                method: text(details, "method").and_then(|name| Method::parse(&name)),
                message,
                token: text(details, "token"),
            }),
            verdict::DENIED => Ok(Self::Denied { message }),
            verdict::SKIPPED => Ok(Self::Skipped { message }),
            verdict::THROTTLED => {
                let retry_after = details.number("retry_after").ok().flatten();
                Ok(Self::Throttled { message, retry_after })
            }
            _ => Err(UnexpectedReply("unknown reply to Verify: totpd has another version")),
        }
    }

    /// Returns the word of the reply.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Approved { .. } => verdict::APPROVED,
            Self::Denied { .. } => verdict::DENIED,
            Self::Skipped { .. } => verdict::SKIPPED,
            Self::Throttled { .. } => verdict::THROTTLED,
        }
    }

    /// Returns the details of the reply.
    #[must_use]
    pub fn details(&self) -> Entries<'_> {
        let mut details = Vec::new();
        match self {
            Self::Approved { method, message, token } => {
                add_text(&mut details, "method", method.map(Method::as_str));
                add_text(&mut details, "message", message.as_deref());
                add_text(&mut details, "token", token.as_deref());
            }
            Self::Denied { message } | Self::Skipped { message } => {
                add_text(&mut details, "message", message.as_deref());
            }
            Self::Throttled { message, retry_after } => {
                add_text(&mut details, "message", message.as_deref());
                details.extend(retry_after.map(|seconds| ("retry_after", seconds.into())));
            }
        }
        details
    }
}

impl CompletionReply {
    /// Reads a reply.
    #[must_use]
    pub fn parse(word: &str, details: &impl DictReader) -> Self {
        Self { is_verified: word == verdict::APPROVED, message: text(details, "message") }
    }

    /// Returns the word of the reply.
    #[must_use]
    pub fn word(&self) -> &'static str {
        if self.is_verified { verdict::APPROVED } else { verdict::DENIED }
    }

    /// Returns the details of the reply.
    #[must_use]
    pub fn details(&self) -> Entries<'_> {
        let mut details = Vec::new();
        add_text(&mut details, "message", self.message.as_deref());
        details
    }
}

impl GuardReply {
    /// Reads a reply.
    #[must_use]
    pub fn parse(word: &str, details: &impl DictReader) -> Self {
        Self { is_let_by: word == verdict::SKIPPED, message: text(details, "message") }
    }

    /// Returns the word of the reply.
    #[must_use]
    pub fn word(&self) -> &'static str {
        if self.is_let_by { verdict::SKIPPED } else { verdict::DENIED }
    }

    /// Returns the details of the reply.
    #[must_use]
    pub fn details(&self) -> Entries<'_> {
        let mut details = Vec::new();
        add_text(&mut details, "message", self.message.as_deref());
        details
    }
}

impl Method {
    /// Returns the method of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Hotp, Self::Recovery, Self::Totp].into_iter().find(|method| method.as_str() == name)
    }

    /// Returns the word of the method.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hotp => "hotp",
            Self::Recovery => "recovery",
            Self::Totp => "totp",
        }
    }
}

fn text(details: &impl DictReader, key: &str) -> Option<String> {
    details.text(key).ok().flatten().map(ToOwned::to_owned)
}

/// Prints no key, because the prompt of a new factor shows it.
impl fmt::Debug for BeginReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt { text, digits } => {
                f.debug_struct("Prompt").field("text", text).field("digits", digits).finish()
            }
            Self::Enroll { factor, .. } => {
                f.debug_struct("Enroll").field("factor", factor).finish_non_exhaustive()
            }
            Self::Skip { message } => f.debug_struct("Skip").field("message", message).finish(),
        }
    }
}

/// Prints no token.
impl fmt::Debug for VerifyReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Approved { method, message, token } => f
                .debug_struct("Approved")
                .field("method", method)
                .field("message", message)
                .field("token", &token.as_ref().map(|_| "[redacted]"))
                .finish(),
            Self::Denied { message } => f.debug_struct("Denied").field("message", message).finish(),
            Self::Skipped { message } => {
                f.debug_struct("Skipped").field("message", message).finish()
            }
            Self::Throttled { message, retry_after } => f
                .debug_struct("Throttled")
                .field("message", message)
                .field("retry_after", retry_after)
                .finish(),
        }
    }
}

/// Prints no recovery code.
impl fmt::Debug for CompletionReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompletionReply")
            .field("is_verified", &self.is_verified)
            .field("message", &self.message.as_ref().map(|_| "[redacted]"))
            .finish()
    }
}

impl fmt::Display for UnexpectedReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for UnexpectedReply {}

/// The decimal digits of a code if a daemon does not send them.
pub const DEFAULT_DIGITS: u32 = 6;

#[cfg(test)]
mod tests;
