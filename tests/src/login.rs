//! Logging in: through libpam by a program of the test's own, and through OpenSSH.

use crate::SSH;
use crate::machine::{Machine, Ran};

/// A login through libpam that is being described.
pub struct PamCall<'a> {
    machine: &'a Machine,
    options: String,
    what: String,
}

/// What came of it.
#[derive(Debug)]
pub struct PamResult {
    /// The code that libpam returned to the program (of the last of several logins).
    pub rc: i32,
    /// How many of several logins succeeded.
    pub yes: u32,
    /// Milliseconds that all of them took.
    pub ms: u64,
    /// Prompts and messages.
    pub shown: Vec<String>,
    /// All that the program printed.
    pub text: String,
}

impl<'a> PamCall<'a> {
    pub(crate) fn new(machine: &'a Machine, service: &str, user: &str, answer: &str) -> Self {
        let what = format!("'{service}' '{user}' '{answer}'");
        Self { machine, options: String::new(), what }
    }

    /// Adds an option of the program (`tests/harness/pam.c`).
    pub fn with(mut self, option: &str) -> Self {
        self.options.push_str(option);
        self.options.push(' ');
        self
    }

    /// From this remote address.
    pub fn from(self, address: &str) -> Self {
        self.with(&format!("-h {address}"))
    }

    /// Logs in.
    #[track_caller]
    pub fn go(self) -> PamResult {
        let ran = self.machine.run(&format!("/opt/tests/pam {} {}", self.options, self.what));
        let last = ran.stdout.lines().last().unwrap_or_default().to_owned();
        let number = |key: &str| {
            let value = last.split_whitespace().find_map(|word| word.strip_prefix(key));
            value.and_then(|value| value.parse::<i64>().ok()).unwrap_or_else(|| panic!("{ran:#?}"))
        };
        PamResult {
            rc: i32::try_from(number("rc=")).unwrap(),
            yes: u32::try_from(number("yes=")).unwrap(),
            ms: u64::try_from(number("ms=")).unwrap(),
            shown: ran
                .stdout
                .lines()
                .filter_map(|line| line.strip_prefix("shown: "))
                .map(ToOwned::to_owned)
                .collect(),
            text: ran.text(),
        }
    }
}

/// A login through OpenSSH that is being described.
pub struct SshCall<'a> {
    machine: &'a Machine,
    user: String,
    code: String,
    password: String,
}

/// What came of it.
#[derive(Debug)]
pub struct SshResult {
    /// Whether a command ran on the other side.
    pub got_in: bool,
    /// What the person was asked.
    pub prompts: Vec<String>,
    pub ran: Ran,
}

impl<'a> SshCall<'a> {
    pub(crate) fn new(machine: &'a Machine, user: &str, code: &str) -> Self {
        let password = format!("{user}pw");
        Self { machine, user: user.into(), code: code.into(), password }
    }

    /// With another password than the right one.
    pub fn password(mut self, password: &str) -> Self {
        self.password = password.into();
        self
    }

    /// Logs in.
    pub fn go(self) -> SshResult {
        let Self { user, code, password, .. } = &self;
        let ran = self.machine.run(&format!(
            "export PROMPTS=$(mktemp) PASSWORD='{password}' CODE='{code}' \
             SSH_ASKPASS=/opt/tests/askpass SSH_ASKPASS_REQUIRE=force; \
             {SSH} '{user}@127.0.0.1' 'echo in as $(id -un)'; \
             cat $PROMPTS >&2"
        ));
        SshResult {
            got_in: ran.stdout.trim() == format!("in as {user}"),
            prompts: ran
                .stderr
                .lines()
                .filter(|line| line.starts_with('('))
                .map(ToOwned::to_owned)
                .collect(),
            ran,
        }
    }
}
