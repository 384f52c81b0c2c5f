//! Options of `totpctl enroll`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::builder::RangedI64ValueParser;
use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;
use totpd_interface::{CODE_DIGITS, PERIOD_SECONDS};

use super::{candidates, file};
use crate::terminal::qr::Qr;

#[derive(Args, Debug)]
pub(crate) struct Enroll {
    /// The user; by default the caller
    #[arg(add = ArgValueCandidates::new(candidates::users))]
    pub(crate) user: Option<String>,
    /// The name of the factor, for example "Pixel"
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The issuer that the app shows; by default the host name
    #[arg(long, value_name = "ISSUER")]
    pub(crate) issuer: Option<String>,
    /// The hash; many apps support only SHA1
    #[arg(long, value_enum, ignore_case = true)]
    pub(crate) algorithm: Option<Algorithm>,
    /// The number of digits of a code
    #[arg(long, value_parser = within(CODE_DIGITS))]
    pub(crate) digits: Option<u32>,
    /// How long a code lasts, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = within(PERIOD_SECONDS),
          conflicts_with = "hotp")]
    pub(crate) period: Option<u32>,
    /// Create a factor for a token that counts presses instead of time
    #[arg(long)]
    pub(crate) hotp: bool,
    /// Read the secret of an existing token as the first line of standard input
    ///
    /// The secret is base32 in either case, in any groups, with or without padding. Or it is
    /// hexadecimal digits, also with 0x or colons. Or it is an otpauth:// link, whose digits,
    /// period, hash and counter apply. 32, 40, 64 or 128 hexadecimal digits are hexadecimal,
    /// although they could be base32. Only root may enroll a secret of less than 128 bits, and
    /// nobody one of less than 80.
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// Do not ask for a first code: the factor is verified when its key is written (root)
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// Also write the recovery codes to a new file that only its owner can read
    #[arg(long, value_name = "FILE", value_parser = file::path)]
    pub(crate) save: Option<PathBuf>,
    /// Change nothing, and succeed, if the user is enrolled already
    #[arg(long)]
    pub(crate) if_unenrolled: bool,
    /// Enroll the users in this file (-: standard input); each line is a name or a JSON object
    ///
    /// Keys of an object: user, name, issuer, algorithm, digits, period, secret (as with
    /// --secret-stdin). For a missing key the option of the command applies. Blank lines and lines
    /// that begin with # are skipped. The file is UTF-8 or UTF-16, with the line ends of any
    /// system. Prints a JSON object for each line. "result" is enrolled, pending (until its first
    /// code), planned, unchanged or failed. An invalid line fails alone.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "qr_file", "save", "secret_stdin"])]
    pub(crate) batch: Option<PathBuf>,
    /// Create a file (.pdf, .svg or .html) with a page to print for each user of the batch
    #[arg(long, value_name = "FILE", value_parser = file::path, requires = "batch",
          conflicts_with = "dry_run")]
    pub(crate) sheet: Option<PathBuf>,
    /// Change nothing, and print what the same command without this option would do
    #[arg(long, requires = "batch")]
    pub(crate) dry_run: bool,
    /// How to draw the QR code
    #[arg(long, value_enum, default_value_t = Qr::Auto)]
    pub(crate) qr: Qr,
    /// Also write the QR code to a new file (.png or .svg) that only its owner can read
    #[arg(long, value_name = "FILE", value_parser = file::path)]
    pub(crate) qr_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Algorithm {
    #[value(name = "SHA1")]
    Sha1,
    #[value(name = "SHA256")]
    Sha256,
    #[value(name = "SHA512")]
    Sha512,
}

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

/// Returns a parser of the numbers in `range`.
fn within(range: RangeInclusive<u32>) -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(i64::from(*range.start())..=i64::from(*range.end()))
}
