//! The arguments, as totpctl writes them: `--KEY=VALUE` alone.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use totpd_formats::reading::{Format, Rules};

use crate::home_file::HomeFile;
use crate::identity::Identity;

/// What the process is to do.
#[derive(Debug)]
pub struct Arguments {
    /// The format of the file.
    pub format: Format,
    /// What the reader is told beside the bytes.
    pub rules: Rules,
    /// The user that the process becomes.
    pub identity: Identity,
    /// True if the first line of standard input is the passphrase.
    pub has_passphrase: bool,
    /// The file in a home; without it standard input has the bytes.
    pub home_file: Option<HomeFile>,
}

impl Arguments {
    /// Reads the arguments; `None` if totpctl did not write them.
    #[must_use]
    pub fn parse(arguments: &[OsString]) -> Option<Self> {
        let (mut format, mut identity, mut path) = (None, None, None);
        let (mut owner, mut mode) = (None, 0o600);
        let (mut rules, mut has_passphrase) = (Rules::at(0), false);
        for argument in arguments {
            let (key, value) = split(argument)?;
            let text = || value.to_str();
            match key {
                b"--format" => format = Some(Format::from_name(text()?)?),
                b"--now" => rules.now = text()?.parse().ok()?,
                b"--utc-offsets" => {
                    let offsets = text()?.split(',').filter(|offset| !offset.is_empty());
                    rules.utc_offsets =
                        offsets.map(|offset| offset.parse().ok()).collect::<Option<_>>()?;
                }
                b"--digits" => rules.oath_digits = Some(text()?.parse().ok()?),
                b"--window" => rules.oath_window = text()?.parse().ok()?,
                b"--period" => rules.period = Some(text()?.parse().ok()?),
                b"--as" => identity = Some(Identity::parse(text()?)?),
                b"--passphrase" => has_passphrase = true,
                b"--file" => path = Some(PathBuf::from(value)),
                b"--owner" => owner = Some(text()?.parse().ok()?),
                b"--mode" => mode = u32::from_str_radix(text()?, 8).ok()?,
                _ => return None,
            }
        }
        let home_file = match (path, owner) {
            (Some(path), Some(owner)) => Some(HomeFile { path, owner, mode }),
            (None, None) => None,
            _ => return None,
        };
        let (format, identity) = (format?, identity?);
        if identity.is_root() && home_file.is_none() {
            return None;
        }
        Some(Self { format, rules, identity, has_passphrase, home_file })
    }
}

fn split(argument: &OsStr) -> Option<(&[u8], &OsStr)> {
    let bytes = argument.as_bytes();
    let end = bytes.iter().position(|byte| *byte == b'=')?;
    let (key, value) = bytes.split_at(end);
    Some((key, OsStr::from_bytes(value.get(1..)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Option<Arguments> {
        Arguments::parse(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_arguments_of_totpctl_are_read() {
        let arguments =
            parse(&["--format=oath", "--now=7", "--utc-offsets=3600,-7200", "--as=65534:65534:"]);
        let arguments = arguments.unwrap();
        assert_eq!((arguments.format, arguments.rules.now), (Format::Oath, 7));
        assert_eq!(arguments.rules.utc_offsets, [3600, -7200]);
        assert!(arguments.home_file.is_none() && !arguments.has_passphrase);
        let home = parse(&[
            "--format=google-authenticator",
            "--as=1000:1000:27",
            "--file=/home/a=b/x",
            "--owner=1000",
            "--mode=0640",
        ]);
        let home = home.unwrap().home_file.unwrap();
        assert_eq!((home.owner, home.mode), (1000, 0o640));
        assert_eq!(home.path, PathBuf::from("/home/a=b/x"));
    }

    #[test]
    fn all_other_arguments_are_refused() {
        for arguments in [
            &["oath"][..],
            &["--format=oath"],
            &["--as=65534:65534:"],
            &["--format=steam", "--as=65534:65534:"],
            &["--format=oath", "--as=0:0:"],
            &["--format=oath", "--as=65534:65534:", "--file=/x"],
            &["--format=oath", "--as=65534:65534:", "--other=x"],
        ] {
            assert!(parse(arguments).is_none(), "{arguments:?}");
        }
    }
}
