//! Options of `totpctl enroll`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
pub(crate) struct Enroll {
    /// The user; by default whoever runs this
    pub(crate) user: Option<String>,
    /// What to call the factor, for example "Pixel"
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What the app shows above the code; by default the host name
    #[arg(long, value_name = "ISSUER")]
    pub(crate) issuer: Option<String>,
    /// The hash; many apps know SHA1 alone
    #[arg(long, value_enum, ignore_case = true)]
    pub(crate) algorithm: Option<Algorithm>,
    /// Digits of a code
    #[arg(long, value_parser = clap::value_parser!(u32).range(6..=8))]
    pub(crate) digits: Option<u32>,
    /// Seconds that a code lasts
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(15..=300),
          conflicts_with = "hotp")]
    pub(crate) period: Option<u32>,
    /// Make a factor that counts presses of a token instead of time
    #[arg(long)]
    pub(crate) hotp: bool,
    /// Read the secret of an existing token (base32) as the first line of standard input
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// Do not ask for a first code: the factor is good at once (root)
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// Also write the recovery codes to a new file that only its owner can read
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Leave a user alone who is enrolled already: that is no error then
    #[arg(long)]
    pub(crate) if_unenrolled: bool,
    /// Enroll the users in this file (-: standard input): a name, or an object of JSON, a line
    ///
    /// Keys of an object: user, name, issuer, algorithm, digits, period, secret (base32); the options of the command
    /// hold where it is silent. Prints an object of JSON for each line; a bad line is reported by its number
    /// and stops nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "qr_file", "save", "secret_stdin"])]
    pub(crate) batch: Option<PathBuf>,
    /// Make a new file (.pdf, .svg or .html) with a page to print for each user of the batch
    #[arg(long, value_name = "FILE", requires = "batch", conflicts_with = "dry_run")]
    pub(crate) sheet: Option<PathBuf>,
    /// Only say who would be enrolled
    #[arg(long, requires = "batch")]
    pub(crate) dry_run: bool,
    /// How to draw the QR code
    #[arg(long, value_enum, default_value_t = Qr::Auto)]
    pub(crate) qr: Qr,
    /// Also write the QR code to a new file (.png or .svg) that only its owner can read
    #[arg(long, value_name = "FILE")]
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

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Qr {
    /// What fits the terminal; nothing where the output is no terminal
    Auto,
    /// Half blocks, two rows of dots in a line of text
    Utf8,
    /// Coloured spaces
    Ansi,
    /// Number signs
    Ascii,
    /// No QR code, only the link and the key
    None,
}
