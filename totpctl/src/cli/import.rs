//! Options of `totpctl import`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap_complete::engine::ArgValueCandidates;
use totpd_formats::reading::Format;

use super::{candidates, file};

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The format of the files
    #[arg(value_parser = formats())]
    pub(crate) format: Format,
    /// The files
    #[arg(value_name = "FILE", value_parser = file::path, required_unless_present = "all_homes")]
    pub(crate) files: Vec<PathBuf>,
    /// The user whose factors these are
    #[arg(long, value_name = "USER", conflicts_with = "map",
          add = ArgValueCandidates::new(candidates::users))]
    pub(crate) user: Option<String>,
    /// A file with a line NAME USER for each entry: its name in the other program, and the user
    #[arg(long, value_name = "FILE", value_parser = file::path)]
    pub(crate) map: Option<PathBuf>,
    /// Read the file of every user where the line of pam_google_authenticator.so has it
    #[arg(long, conflicts_with_all = ["files", "user", "map"])]
    pub(crate) all_homes: bool,
    /// Replace the factors that users have already
    #[arg(long)]
    pub(crate) replace: bool,
    /// Deny all codes that the other program may accept now, because it stays in use
    #[arg(long)]
    pub(crate) still_in_use: bool,
    /// The digits of a code, where the usersfile of pam_oath does not say it (digits= of its line)
    #[arg(long, value_parser = clap::value_parser!(u8).range(6..=8))]
    pub(crate) digits: Option<u8>,
    /// The codes that pam_oath accepts on either side (window= of its line)
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=1000))]
    pub(crate) window: u64,
    /// How long a code lasts in seconds, where the list of a vendor does not say it
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(15..=300))]
    pub(crate) period: Option<u32>,
    /// Only show what the import would do
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn formats() -> impl clap::builder::TypedValueParser<Value = Format> {
    let names = PossibleValuesParser::new(Format::ALL.map(Format::name));
    names.try_map(|name| Format::from_name(&name).ok_or("no such format"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::{Cli, Command};

    #[test]
    fn files_or_all_homes_are_imported() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        for (line, is_valid) in [
            ("totpctl import oath file", true),
            ("totpctl import oath one other --map names --replace", true),
            ("totpctl import google-authenticator --all-homes --dry-run", true),
            ("totpctl import oath", false),
            ("totpctl import steam file", false),
            ("totpctl import oath file --user alice --map names", false),
            ("totpctl import google-authenticator file --all-homes", false),
        ] {
            assert_eq!(parse(line).is_ok(), is_valid, "{line}");
        }
        let Some(Command::Import(import)) = parse("totpctl import oath file").unwrap().command
        else {
            panic!("another command");
        };
        assert_eq!(import.format.name(), "oath");
    }
}
