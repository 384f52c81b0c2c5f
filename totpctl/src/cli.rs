//! The command line, from which help and completions are made.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Manage the second factors of users: the codes that a phone app shows.
///
/// Without USER a command means whoever runs it. root may manage everybody; a user may enrol,
/// inspect and remove its own factors, and is asked for a current code where it has one.
///
/// Exit status: 0 done; 1 refused or failed (wrong code, no such user); 2 usage; 3 totpd or the
/// system bus cannot be reached; 4 not authorised.
#[derive(Debug, Parser)]
#[command(name = "totpctl", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    /// Print JSON: one object, or for lists one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a factor: show the QR code for a phone app and ask for the first code
    ///
    /// An old factor keeps working until the new one is confirmed by its first code. Scan the QR
    /// code with the app, then type the code that the app shows.
    Enroll(Enroll),
    /// Give the first code of a new factor later (on standard input, or when asked)
    Confirm {
        /// The user; by default whoever runs this
        user: Option<String>,
        /// The factor; by default the one that waits for its first code
        #[arg(long, value_name = "ID")]
        factor: Option<String>,
    },
    /// Test a code as a login would; it counts, and is used up
    Verify {
        /// The user; by default whoever runs this
        user: Option<String>,
    },
    /// Show the factors and the wrong codes of a user, but never a seed
    Show {
        /// The user; by default whoever runs this
        user: Option<String>,
    },
    /// List all enrolled users (root)
    List,
    /// Remove a factor, or all factors of a user
    Remove {
        /// The user; by default whoever runs this
        user: Option<String>,
        /// The factor; by default all of them
        #[arg(long, value_name = "ID")]
        factor: Option<String>,
    },
    /// Forget the wrong codes of a user, who can then try again at once (root)
    Unlock {
        /// The user
        user: String,
    },
    /// Find the counter of a token that counts presses, by two codes that it shows in a row (root)
    ///
    /// Needed after a restore, and for a token that was pressed too often unseen. The codes are read
    /// from standard input or asked for; both are used up.
    Resync {
        /// The user; by default whoever runs this
        user: Option<String>,
        /// The factor; by default the only one that counts presses
        #[arg(long, value_name = "ID")]
        factor: Option<String>,
    },
    /// Copy all users with their seeds into one sealed file, which `age` can open too (root)
    ///
    /// Logins go on meanwhile. Without --recipient a passphrase seals it, which is asked for or is
    /// the first line of standard input. FILE must not exist.
    Backup {
        /// The file to make
        file: PathBuf,
        /// Seal it for the holder of this age identity instead of a passphrase (may be repeated)
        #[arg(long, value_name = "age1…")]
        recipient: Vec<String>,
    },
    /// Put a backup in the place of the store (root)
    ///
    /// It shows first what it would do. Every code that may have been used before is taken for used:
    /// users wait for the next code but one. Tokens that count presses are to be resynchronised.
    Restore {
        /// The backup
        file: PathBuf,
        /// A file with the age identity that opens it, instead of a passphrase
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
        /// Replace a store that has users
        #[arg(long)]
        replace: bool,
        /// Only show what would be done
        #[arg(long)]
        dry_run: bool,
        /// Do not ask whether to go on
        #[arg(long, conflicts_with = "dry_run")]
        yes: bool,
    },
    /// Seal every record under a new key, which makes the old one useless (root)
    ///
    /// Logins go on meanwhile. With a systemd credential totpd.key the new key is that one.
    Rekey,
    /// Read and unseal every record, and name each that is damaged (root)
    VerifyStore,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_is_explained() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{}", argument.get_id());
            }
        }
    }
}
