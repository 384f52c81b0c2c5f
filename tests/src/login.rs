//! Logging in: through libpam by a program of the test's own, and through OpenSSH.

use crate::SSH;
use crate::machine::{Machine, Output};

impl Machine {
    /// A login through a PAM service by a program of the test's own.
    pub fn pam(&self, service: &str, user: &str, answer: &str) -> PamCall<'_> {
        PamCall::new(self, service, user, answer)
    }

    /// A login through OpenSSH.
    pub fn ssh(&self, user: &str, code: &str) -> SshCall<'_> {
        SshCall::new(self, user, code)
    }
}

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
    fn new(machine: &'a Machine, service: &str, user: &str, answer: &str) -> Self {
        let what = format!("'{service}' '{user}' '{answer}'");
        Self { machine, options: String::new(), what }
    }

    /// From this remote address.
    pub fn from(self, address: &str) -> Self {
        self.with(&format!("-h {address}"))
    }

    /// At this terminal, as the program says.
    pub fn terminal(self, name: &str) -> Self {
        self.with(&format!("-t {name}"))
    }

    /// So many authentications in one process, one after another.
    pub fn repeat(self, count: impl std::fmt::Display) -> Self {
        self.with(&format!("-n {count}"))
    }

    /// Each of those from the next one of so many addresses.
    pub fn addresses(self, count: u32) -> Self {
        self.with(&format!("-H {count}"))
    }

    /// So many processes at once, which all hand in the answer at the same moment.
    pub fn processes(self, count: u32) -> Self {
        self.with(&format!("-p {count}"))
    }

    /// The conversation does this instead of an answer: `cancel`, `null`, `nothing`, `switch`.
    pub fn conversation(self, mode: &str) -> Self {
        self.with(&format!("-c {mode}"))
    }

    /// With account management and credentials after a success.
    pub fn with_account(self) -> Self {
        self.with("-a")
    }

    /// The text says what was left behind: threads, descriptors, memory, signals, environment.
    pub fn report_leftovers(self) -> Self {
        self.with("-g")
    }

    /// The answer is the name of a file that holds it.
    pub fn answer_in_file(self) -> Self {
        self.with("-f")
    }

    /// Hands in 000000 first, and then the answer from a child that is forked with the module
    /// loaded.
    pub fn after_fork(self) -> Self {
        self.with("-F")
    }

    /// Under seccomp. "kill": the process ends if it starts another, changes what a signal does, or
    /// looks at its own limits. "socket": it gets no sockets of `AF_UNIX`.
    pub fn seccomp(self, mode: &str) -> Self {
        self.with(&format!("-P {mode}"))
    }

    /// Logs in, and returns the code of libpam; 128 and more if the process was killed.
    pub fn status(self) -> i32 {
        let Self { machine, options, what } = self.with("-x");
        machine.run(&format!("/opt/tests/pam {options} {what}")).status
    }

    /// Adds an option of the program (`tests/harness/pam.c`).
    fn with(mut self, option: &str) -> Self {
        self.options.push_str(option);
        self.options.push(' ');
        self
    }

    /// Logs in.
    #[track_caller]
    pub fn run(self) -> PamResult {
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
    pub ran: Output,
}

impl<'a> SshCall<'a> {
    fn new(machine: &'a Machine, user: &str, code: &str) -> Self {
        let password = format!("{user}pw");
        Self { machine, user: user.into(), code: code.into(), password }
    }

    /// With another password than the right one.
    pub fn password(mut self, password: &str) -> Self {
        self.password = password.into();
        self
    }

    /// Logs in.
    pub fn run(self) -> SshResult {
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
