//! The options of the PAM module, as the administrator wrote them behind its name. The module and
//! totpctl read them by the same function, so a line that one accepts is good for the other.

use std::fmt;
use std::time::Duration;

/// One option of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ModuleOption<'a> {
    /// `debug`: logs requests and replies, but never a code.
    Debug,
    /// `echo`: shows the code while it is typed.
    Echo,
    /// `enroll`: a user without a factor makes one at this login.
    Enroll,
    /// `forward_pass`: the answer is password and code; the password goes to later modules.
    ForwardPass,
    /// `guard`: refuses a login at which no code was given. For a line under `account`.
    Guard,
    /// `nodelay`: does not delay a refusal.
    Nodelay,
    /// `nullok`: a user without a factor needs no code.
    Nullok,
    /// `prompt=TEXT`: the text of the prompt.
    Prompt(&'a str),
    /// `quiet`: shows nothing but the prompt.
    Quiet,
    /// `show_names`: the prompt names the factors of the user.
    ShowNames,
    /// `timeout=SECONDS` (1 to 60): how long the daemon may take for each request.
    Timeout(Duration),
    /// `try_first_pass`: tries the answer to an earlier module as a code, and asks if it is wrong.
    TryFirstPass,
    /// `use_first_pass`: tries the answer to an earlier module as a code, and never asks.
    UseFirstPass,
}

impl<'a> ModuleOption<'a> {
    /// The options without a value.
    pub const FLAGS: [(&'static str, ModuleOption<'static>); 11] = [
        ("debug", ModuleOption::Debug),
        ("echo", ModuleOption::Echo),
        ("enroll", ModuleOption::Enroll),
        ("forward_pass", ModuleOption::ForwardPass),
        ("guard", ModuleOption::Guard),
        ("nodelay", ModuleOption::Nodelay),
        ("nullok", ModuleOption::Nullok),
        ("quiet", ModuleOption::Quiet),
        ("show_names", ModuleOption::ShowNames),
        ("try_first_pass", ModuleOption::TryFirstPass),
        ("use_first_pass", ModuleOption::UseFirstPass),
    ];
    /// The names of the options with a value.
    pub const VALUED: [&'static str; 2] = ["prompt", "timeout"];

    /// Reads the options of a line.
    ///
    /// # Errors
    /// All faults of the line. The module denies every login for any of them, because a misspelled
    /// option must not weaken security.
    pub fn parse_line(args: &[&'a str]) -> Result<Vec<Self>, Vec<OptionFault<'a>>> {
        let mut options = Vec::new();
        let mut faults = Vec::new();
        for arg in args {
            match Self::parse(arg) {
                Ok(option) => options.push(option),
                Err(fault) => faults.push(fault),
            }
        }
        let conflict = CONFLICTS
            .iter()
            .find(|(one, other, _)| options.contains(one) && options.contains(other));
        faults.extend(conflict.map(|(_, _, reason)| OptionFault::Conflict(reason)));
        if options.contains(&Self::Guard) && !options.iter().all(Self::is_for_guard) {
            faults.push(OptionFault::Conflict(GUARD_ASKS_NOTHING));
        }
        if faults.is_empty() { Ok(options) } else { Err(faults) }
    }

    /// Reports whether a line with `guard` may have the option. The others are about a prompt.
    fn is_for_guard(&self) -> bool {
        matches!(self, Self::Debug | Self::Guard | Self::Nullok | Self::Quiet | Self::Timeout(_))
    }

    fn parse(arg: &'a str) -> Result<Self, OptionFault<'a>> {
        // Both read bytes that are not UTF-8 as this character.
        if arg.contains(char::REPLACEMENT_CHARACTER) {
            return Err(OptionFault::Invalid { option: arg, rule: "must be UTF-8" });
        }
        let flag = || Self::FLAGS.iter().find(|(name, _)| *name == arg).map(|(_, option)| *option);
        match arg.split_once('=') {
            None => flag().ok_or(OptionFault::Unknown(arg)),
            Some(("prompt", text)) => Ok(Self::Prompt(text)),
            Some(("timeout", seconds)) => {
                let seconds = seconds.parse().ok().filter(|seconds| (1..=60).contains(seconds));
                seconds
                    .map(|seconds| Self::Timeout(Duration::from_secs(seconds)))
                    .ok_or(OptionFault::Invalid { option: arg, rule: "must be 1 to 60 seconds" })
            }
            Some(_) => Err(OptionFault::Unknown(arg)),
        }
    }
}

/// The reason why the module denies every login through a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OptionFault<'a> {
    /// The module has no such option.
    Unknown(&'a str),
    /// The value of an option is out of its range.
    Invalid {
        /// The option, as it was written.
        option: &'a str,
        /// What it must be, as the end of a sentence.
        rule: &'static str,
    },
    /// Two options of the line exclude each other, for this reason.
    Conflict(&'static str),
}

impl fmt::Display for OptionFault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(option) => write!(f, "unknown option {option:?}; see pam_totp(8)"),
            Self::Invalid { option, rule } => write!(f, "{option} {rule}"),
            Self::Conflict(reason) => f.write_str(reason),
        }
    }
}

/// Options that exclude each other, with the reason.
const CONFLICTS: [(ModuleOption<'_>, ModuleOption<'_>, &str); 3] = [
    (
        ModuleOption::Enroll,
        ModuleOption::ForwardPass,
        "enroll needs its own prompt, and forward_pass has one for everything",
    ),
    (
        ModuleOption::ShowNames,
        ModuleOption::ForwardPass,
        "forward_pass asks before the password is checked, and show_names would tell strangers the names",
    ),
    (
        ModuleOption::Nullok,
        ModuleOption::ForwardPass,
        "forward_pass asks before the password is checked, and nullok would tell strangers who has no factor",
    ),
];

/// The reason why an option does not stand beside `guard`.
const GUARD_ASKS_NOTHING: &str =
    "guard asks for nothing, and goes with debug, nullok, quiet and timeout alone";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_line_is_found() {
        let faults = |args: &[&'static str]| ModuleOption::parse_line(args).unwrap_err();
        assert_eq!(
            faults(&["nulok", "timeout=61", "echo", "enroll", "forward_pass"]),
            [
                OptionFault::Unknown("nulok"),
                OptionFault::Invalid { option: "timeout=61", rule: "must be 1 to 60 seconds" },
                OptionFault::Conflict(CONFLICTS[0].2),
            ]
        );
        for option in ["timeout=5s", "timeout=", "timeout=-1", "timeout=18446744073709551616"] {
            let line = faults(&["timeout=5", option]);
            let expected = format!("{option} must be 1 to 60 seconds");
            assert_eq!(line.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
        }
        let not_utf8 = faults(&["prompt=caf\u{fffd}"]);
        assert_eq!(not_utf8[0].to_string(), "prompt=caf\u{fffd} must be UTF-8");
    }

    #[test]
    fn a_guard_has_no_option_of_a_prompt() {
        let line = ["guard", "nullok", "quiet", "timeout=7", "debug"];
        assert_eq!(ModuleOption::parse_line(&line).map(|options| options.len()), Ok(line.len()));
        let of_guard = |name: &&str| line.contains(name);
        let flags = ModuleOption::FLAGS.map(|(name, _)| name);
        for option in flags.iter().filter(|name| !of_guard(name)).chain(&["prompt=x"]) {
            let faults = ModuleOption::parse_line(&["guard", option]).unwrap_err();
            assert_eq!(faults, [OptionFault::Conflict(GUARD_ASKS_NOTHING)], "{option}");
        }
    }

    #[test]
    fn the_ends_of_the_range_of_seconds_are_good() {
        for seconds in [1, 60] {
            let option = format!("timeout={seconds}");
            let expected = ModuleOption::Timeout(Duration::from_secs(seconds));
            assert_eq!(ModuleOption::parse_line(&[&option]), Ok(vec![expected]));
        }
    }
}
