//! What `sshd -T -ddd` reports while it reads its files: which files, which lines, which blocks.

use std::path::Path;

use glob::{MatchOptions, Pattern};

use super::blocks::FOLDER;

/// An `Include` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Include {
    pub(crate) file: String,
    pub(crate) line: usize,
    pattern: String,
}

impl Include {
    /// Reports whether its pattern selects this file.
    pub(crate) fn selects(&self, path: &Path) -> bool {
        let pattern = Path::new(FOLDER).join(&self.pattern);
        let options = MatchOptions {
            require_literal_separator: true,
            require_literal_leading_dot: true,
            ..MatchOptions::new()
        };
        let pattern = Pattern::new(&pattern.to_string_lossy());
        pattern.is_ok_and(|pattern| pattern.matches_path_with(path, options))
    }
}

/// The report of one call. sshd reads all lines first, then the blocks that match the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    /// The file with which it begins.
    pub(crate) file: Option<String>,
    /// All files that it read.
    pub(crate) files: Vec<String>,
    /// The patterns of its `Include` lines.
    pub(crate) includes: Vec<String>,
    /// Those lines with their places.
    include_lines: Vec<Include>,
    /// Whether each `Match` block matches the connection, in the order of the blocks.
    pub(crate) matched: Vec<bool>,
    /// The version of OpenSSH, as far as it is known.
    version: Option<(u32, u32)>,
    /// The lines that it obeys: keyword, file, line. The first line of a keyword is in effect.
    settings: Vec<(String, String, usize)>,
    /// The keywords that an option of the command line sets, in lower case. No line changes them.
    options: Vec<String>,
}

impl Trace {
    /// Reads the messages.
    pub(crate) fn parse(text: &str) -> Self {
        let mut trace = Self::default();
        let (mut in_blocks, mut of_blocks) = (false, Vec::new());
        // No "match found" follows a block whose file is included by a block that does not match.
        let mut pending = false;
        for line in text.lines() {
            let Some((level, message)) = line.split_once(": ") else { continue };
            if !level.starts_with("debug") {
                continue;
            }
            let message = message.trim();
            if let Some(file) = message.strip_prefix("load_server_config: filename ") {
                trace.files.push(file.to_owned());
            } else if let Some((place, pattern)) = message.split_once(": new include ") {
                trace.includes.push(pattern.to_owned());
                trace.include_lines.extend(parse_include(place, pattern));
            } else if let Some(version) = message.strip_prefix("sshd version OpenSSH_") {
                trace.version = parse_version(version);
            } else if message.starts_with("parse_server_config_depth: config reprocess config") {
                in_blocks = true;
            } else if in_blocks && message.starts_with("checking ") {
                // sshd says nothing more of a block for all.
                let criteria = message.strip_prefix("checking match for '");
                trace.matched.push(criteria.is_some_and(is_for_all));
                pending = criteria.is_some();
            } else if in_blocks && pending && message.starts_with("match found") {
                trace.matched.splice(trace.matched.len() - 1.., [true]);
            } else if let Some((place, setting)) = message.split_once(" setting ") {
                let Some((file, number)) = place.rsplit_once(':') else { continue };
                let keyword = setting.split([' ', '\t', '=']).next().unwrap_or_default();
                let Ok(number) = number.parse() else { continue };
                let setting = (keyword.to_ascii_lowercase(), file.to_owned(), number);
                match in_blocks {
                    true => of_blocks.push(setting),
                    false => trace.settings.push(setting),
                }
            }
        }
        trace.file = trace.files.first().cloned();
        of_blocks.append(&mut trace.settings);
        trace.settings = of_blocks;
        trace
    }

    /// Adds the keywords that options of the command line set.
    pub(crate) fn with_options(self, options: Vec<String>) -> Self {
        Self { options, ..self }
    }

    /// Returns the first of these keywords that is set, if an option of the command line sets it.
    pub(crate) fn option<'a>(&self, keywords: &[&'a str]) -> Option<&'a str> {
        let keyword = *keywords.iter().find(|keyword| self.is_set(keyword))?;
        self.is_option(keyword).then_some(keyword)
    }

    fn is_option(&self, keyword: &str) -> bool {
        let words = spellings(keyword);
        let is_it = |option: &String| words.iter().any(|word| option.eq_ignore_ascii_case(word));
        self.options.iter().any(is_it)
    }

    fn is_set(&self, keyword: &str) -> bool {
        self.is_option(keyword) || self.setting(keyword).is_some()
    }

    fn setting(&self, keyword: &str) -> Option<&(String, String, usize)> {
        let words = spellings(keyword);
        let is_wanted = |found: &str| words.iter().any(|word| found.eq_ignore_ascii_case(word));
        self.settings.iter().find(|(found, ..)| is_wanted(found))
    }

    /// Reports whether this version has the keyword `Include`, which OpenSSH 8.2 brought. One that
    /// reads several files has it.
    pub(crate) fn can_include(&self) -> bool {
        self.files.len() > 1 || self.version.is_none_or(|version| version >= (8, 2))
    }

    /// Returns the first line that includes this file.
    pub(crate) fn include_of(&self, file: &Path) -> Option<&Include> {
        self.include_lines.iter().find(|include| include.selects(file))
    }

    /// Returns the file and the line that set the first of these keywords that is set. Returns
    /// nothing if an option of the command line sets it.
    pub(crate) fn place(&self, keywords: &[&str]) -> Option<(String, usize)> {
        let keyword = keywords.iter().find(|keyword| self.is_set(keyword))?;
        let (_, file, line) = self.setting(keyword).filter(|_| !self.is_option(keyword))?;
        // sshd names its main file so when it reads the blocks.
        let file = if file == "reprocess config" { self.file.clone()? } else { file.clone() };
        Some((file, *line))
    }
}

/// Reads a place, as `FILE line NUMBER`.
fn parse_include(place: &str, pattern: &str) -> Option<Include> {
    let (file, line) = place.rsplit_once(" line ")?;
    let line = line.parse().ok()?;
    Some(Include { file: file.to_owned(), line, pattern: pattern.to_owned() })
}

/// Reports whether the criteria, and what sshd writes after them, begin with `all`.
fn is_for_all(criteria: &str) -> bool {
    let word =
        criteria.split(|letter: char| letter.is_whitespace() || "'#=".contains(letter)).next();
    word.is_some_and(|word| word.trim_matches('"').eq_ignore_ascii_case("all"))
}

/// Returns a keyword and the older words that sshd still takes for it. It reports a line by the
/// word that the line has.
fn spellings(keyword: &str) -> Vec<&str> {
    let older: &[&str] = match keyword {
        "KbdInteractiveAuthentication" => {
            &["ChallengeResponseAuthentication", "SkeyAuthentication"]
        }
        "ChallengeResponseAuthentication" => &["SkeyAuthentication"],
        "PubkeyAuthentication" => &["DSAAuthentication"],
        _ => &[],
    };
    [keyword].into_iter().chain(older.iter().copied()).collect()
}

/// Returns the two numbers at the start of `8.4p1 Debian-5` or `9.2, OpenSSL 3.0`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let text = text.split([',', ' ', 'p']).next()?;
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "\
debug2: load_server_config: filename /usr/etc/ssh/sshd_config
debug2: load_server_config: done config len = 185
debug2: parse_server_config_depth: config /usr/etc/ssh/sshd_config len 185
debug2: /usr/etc/ssh/sshd_config line 1: new include /etc/ssh/sshd_config.d/*.conf
debug2: /usr/etc/ssh/sshd_config line 1: including /etc/ssh/sshd_config.d/a.conf
debug2: load_server_config: filename /etc/ssh/sshd_config.d/a.conf
debug3: /etc/ssh/sshd_config.d/a.conf:2 setting PasswordAuthentication no
debug3: checking syntax for 'Match User git'
debug3: /usr/etc/ssh/sshd_config:4 setting PasswordAuthentication yes
debug3: checking syntax for 'Match Address 10.0.0.0/8' on line 9
debug1: sshd version OpenSSH_9.2, OpenSSL 3.0.19 27 Jan 2026
debug2: parse_server_config_depth: config reprocess config len 185
debug3: checking match for 'User git' user git host h addr 10.1.1.1 laddr (null) lport 0
debug3: match not found
debug3: checking match for 'Address 10.0.0.0/8' user git host h addr 10.1.1.1 laddr (null) lport 0 on line 9
debug3: match found on line 9
debug3: reprocess config:10 setting AuthenticationMethods publickey
debug3: checking syntax for 'Match all'
Nonsense: debug
";

    #[test]
    fn files_lines_and_blocks_are_read() {
        let trace = Trace::parse(TRACE);
        assert_eq!(trace.file.as_deref(), Some("/usr/etc/ssh/sshd_config"));
        assert_eq!(trace.files.len(), 2);
        assert_eq!(trace.includes, ["/etc/ssh/sshd_config.d/*.conf"]);
        let include = |file: &str| trace.include_of(Path::new(file)).map(|include| include.line);
        assert_eq!(include("/etc/ssh/sshd_config.d/z.conf"), Some(1));
        assert_eq!(include("/etc/ssh/sshd_config.d/.z.conf"), None);
        assert_eq!(include("/etc/ssh/sshd_config.d/x/z.conf"), None);
        assert_eq!(trace.matched, [false, true, false]);
        let place = |keyword: &str| trace.place(&[keyword]);
        let drop_in = ("/etc/ssh/sshd_config.d/a.conf".to_owned(), 2);
        assert_eq!(place("passwordauthentication"), Some(drop_in));
        let block = ("/usr/etc/ssh/sshd_config".to_owned(), 10);
        assert_eq!(place("AuthenticationMethods"), Some(block));
        assert_eq!(place("usepam"), None);
        assert_eq!((trace.version, trace.can_include()), (Some((9, 2)), true));
        assert_eq!(Trace::parse(""), Trace::default());
        let trace =
            trace.with_options(vec!["passwordauthentication".into(), "skeyauthentication".into()]);
        assert_eq!(trace.place(&["PasswordAuthentication"]), None);
        assert_eq!(trace.option(&["PasswordAuthentication"]), Some("PasswordAuthentication"));
        assert_eq!(
            trace.option(&["UsePAM", "KbdInteractiveAuthentication"]),
            Some("KbdInteractiveAuthentication")
        );
        assert_eq!(trace.option(&["AuthenticationMethods", "PasswordAuthentication"]), None);
    }

    #[test]
    fn a_block_for_all_matches_without_a_word_of_it() {
        let connection = "user git host h addr 10.1.1.1 laddr (null) lport 0";
        for (criteria, expected) in [
            ("all", true),
            ("ALL # the rest", true),
            ("\"all\"", true),
            ("User all", false),
            ("Group allies", false),
            ("allies", false),
        ] {
            let text = format!(
                "debug2: parse_server_config_depth: config reprocess config len 185\n\
                 debug3: checking match for '{criteria}' {connection}\n\
                 debug3: reprocess config:6 setting X11Forwarding no\n\
                 debug3: checking match for 'User bob' {connection}\n\
                 debug3: match not found\n"
            );
            assert_eq!(Trace::parse(&text).matched, [expected, false], "{criteria}");
        }
        // A file that a block includes is not read if the block does not match.
        let text = "debug2: parse_server_config_depth: config reprocess config len 185\n\
                    debug3: checking syntax for 'Match all'\n";
        assert_eq!(Trace::parse(text).matched, [false]);
    }

    #[test]
    fn the_first_keyword_is_placed_by_any_of_its_words() {
        let trace = |lines: &[&str]| {
            let place = |(index, line)| format!("debug3: /c:{} setting {line}\n", index + 1);
            Trace::parse(&lines.iter().enumerate().map(place).collect::<String>())
        };
        let keywords = ["KbdInteractiveAuthentication", "PasswordAuthentication"];
        for (lines, expected) in [
            (&["PasswordAuthentication no", "KbdInteractiveAuthentication no"][..], Some(2)),
            (&["PasswordAuthentication no", "ChallengeResponseAuthentication no"], Some(2)),
            (&["PasswordAuthentication no", "skeyauthentication no"], Some(2)),
            (&["ChallengeResponseAuthentication no", "KbdInteractiveAuthentication yes"], Some(1)),
            (&["UsePAM yes", "PasswordAuthentication no"], Some(2)),
            (&["UsePAM yes"], None),
        ] {
            let line = trace(lines).place(&keywords).map(|(_, line)| line);
            assert_eq!(line, expected, "{lines:?}");
        }
        // Before OpenSSH 8.7 the new word was a keyword of its own.
        let both =
            trace(&["KbdInteractiveAuthentication no", "ChallengeResponseAuthentication no"]);
        assert_eq!(both.place(&["ChallengeResponseAuthentication"]), Some(("/c".into(), 2)));
        assert_eq!(
            trace(&["DSAAuthentication yes"]).place(&["PubkeyAuthentication"]).unwrap().1,
            1
        );
    }

    #[test]
    fn an_old_version_has_no_include() {
        for (version, can_include) in [
            ("8.0p1, OpenSSL 1.1.1k  FIPS 25 Mar 2021", false),
            ("7.9p1 Debian-10+deb10u2, OpenSSL 1.1.1n", false),
            ("8.2, OpenSSL 1.1.1f", true),
            ("10.0, OpenSSL 3.5", true),
            ("unknown", true),
        ] {
            let trace = Trace::parse(&format!("debug1: sshd version OpenSSH_{version}\n"));
            assert_eq!(trace.can_include(), can_include, "{version}");
        }
    }
}
