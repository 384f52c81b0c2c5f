//! The file of a user as a line of pam_google_authenticator.so names it.

use std::path::PathBuf;

/// A line of the module, as far as it says where the files are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct PamLine {
    /// `secret=`, or the default of the module.
    secret: String,
    /// `user=`: the name or uid of the user who reads all files.
    pub(super) reader: Option<String>,
    /// `allowed_perm=`: the greatest mode of a file.
    pub(super) mode: u32,
}

impl PamLine {
    /// Reads the options. Of two the last one counts, as for the module.
    pub(super) fn parse(args: &[String]) -> Self {
        let last = |key: &str| args.iter().rev().find_map(|arg| arg.strip_prefix(key));
        let mode = last("allowed_perm=").and_then(|mode| u32::from_str_radix(mode, 8).ok());
        Self {
            secret: last("secret=").unwrap_or("~/.google_authenticator").to_owned(),
            reader: last("user=").map(ToOwned::to_owned),
            mode: mode.unwrap_or(0o600),
        }
    }

    /// Returns the path of the file of a user, with `~`, `${HOME}` and `${USER}` replaced as the
    /// module does: a tilde counts at the start and behind a slash, and nothing that was put in is
    /// looked at again.
    ///
    /// `None` if the module finds no file: the home is no absolute path, or `user=` takes it away.
    pub(super) fn path(&self, user: &str, home: &str) -> Option<PathBuf> {
        let home = (home.starts_with('/') && self.reader.is_none()).then_some(home);
        if home.is_none() && self.reader.is_none() {
            return None;
        }
        let (mut path, mut rest, mut may_be_tilde) = (String::new(), self.secret.as_str(), true);
        while let Some(next) = rest.chars().next() {
            let replaced = if may_be_tilde && next == '~' {
                Some((home?, 1))
            } else if rest.starts_with("${HOME}") {
                Some((home?, 7))
            } else {
                rest.starts_with("${USER}").then_some((user, 7))
            };
            let length = match replaced {
                Some((text, length)) => {
                    path.push_str(text);
                    length
                }
                None => {
                    path.push(next);
                    next.len_utf8()
                }
            };
            may_be_tilde = replaced.is_none() && next == '/';
            rest = rest.get(length..).unwrap_or_default();
        }
        Some(path.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(options: &str) -> PamLine {
        PamLine::parse(&options.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_path_is_that_of_the_module() {
        for (options, home, expected) in [
            ("", "/home/alice", Some("/home/alice/.google_authenticator")),
            ("nullok", "/home/alice", Some("/home/alice/.google_authenticator")),
            ("secret=${HOME}/.ga", "/home/alice", Some("/home/alice/.ga")),
            ("secret=/var/ga/${USER}", "/home/alice", Some("/var/ga/alice")),
            ("secret=/var/ga/${USER}/~x", "/h", Some("/var/ga/alice//hx")),
            ("secret=a~b", "/h", Some("a~b")),
            ("secret=/ga/$USER", "/h", Some("/ga/$USER")),
            ("secret=~~", "/h", Some("/h~")),
            ("secret=~", "/home/${USER}", Some("/home/${USER}")),
            ("secret=/a secret=/b", "/h", Some("/b")),
            ("user=root secret=/var/ga/${USER}", "", Some("/var/ga/alice")),
            ("user=root", "/home/alice", None),
            ("user=root secret=${HOME}/x", "/home/alice", None),
            ("", "relative", None),
        ] {
            let expected = expected.map(PathBuf::from);
            assert_eq!(line(options).path("alice", home), expected, "{options}");
        }
    }

    #[test]
    fn the_other_options_are_read() {
        let line = line("user=root allowed_perm=0640");
        assert_eq!((line.reader.as_deref(), line.mode), (Some("root"), 0o640));
        assert_eq!(PamLine::parse(&[]).mode, 0o600);
    }
}
