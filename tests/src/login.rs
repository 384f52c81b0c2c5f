//! Logging in: through libpam by a program of the test's own, and through OpenSSH.

use crate::machine::{Machine, Output};
use crate::ssh::SSH;

impl Machine {
    /// Describes a login through a PAM service by a program of the test's own.
    pub fn pam(&self, service: &str, user: &str, answer: &str) -> PamCall<'_> {
        PamCall::new(self, service, user, answer)
    }

    /// Describes a login through OpenSSH.
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

/// The result of a login through libpam.
#[derive(Debug)]
pub struct PamResult {
    /// The code that libpam returned to the program (of the last of several logins).
    pub rc: i32,
    /// The number of successful logins among several.
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

    /// Sets the remote address of the login.
    pub fn from(self, address: &str) -> Self {
        self.with(&format!("-h {address}"))
    }

    /// Sets the terminal of the login, as the program names it.
    pub fn terminal(self, name: &str) -> Self {
        self.with(&format!("-t {name}"))
    }

    /// Makes `count` authentications in one process, one after another.
    pub fn repeat(self, count: impl std::fmt::Display) -> Self {
        self.with(&format!("-n {count}"))
    }

    /// Makes each of those from the next of `count` addresses.
    pub fn addresses(self, count: u32) -> Self {
        self.with(&format!("-H {count}"))
    }

    /// Starts `count` processes at once, which all hand in the answer at the same moment.
    pub fn processes(self, count: u32) -> Self {
        self.with(&format!("-p {count}"))
    }

    /// Replaces the answer of the conversation with an act: `cancel`, `null`, `nothing`, `switch`.
    pub fn conversation(self, mode: &str) -> Self {
        self.with(&format!("-c {mode}"))
    }

    /// Adds account management and credentials after a success.
    pub fn with_account(self) -> Self {
        self.with("-a")
    }

    /// Reports the leftovers in the text: threads, descriptors, memory, signals, environment.
    pub fn report_leftovers(self) -> Self {
        self.with("-g")
    }

    /// Reads the answer from the file that it names.
    pub fn answer_in_file(self) -> Self {
        self.with("-f")
    }

    /// Hands in 000000 first, and then the answer from a child that is forked with the module
    /// loaded.
    pub fn after_fork(self) -> Self {
        self.with("-F")
    }

    /// Runs the login under seccomp. With "kill" the process ends if it starts another process, or
    /// changes the action of a signal. It also ends if it looks at its own limits. With "socket" it
    /// gets no sockets of `AF_UNIX`.
    pub fn seccomp(self, mode: &str) -> Self {
        self.with(&format!("-P {mode}"))
    }

    /// Logs in, and returns the code of libpam. The code is 128 or more if the process was killed.
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

/// The result of a login through OpenSSH.
#[derive(Debug)]
pub struct SshResult {
    /// True if a command ran on the other side.
    pub got_in: bool,
    /// The questions to the person.
    pub prompts: Vec<String>,
    pub ran: Output,
}

impl<'a> SshCall<'a> {
    fn new(machine: &'a Machine, user: &str, code: &str) -> Self {
        let password = format!("{user}pw");
        Self { machine, user: user.into(), code: code.into(), password }
    }

    /// Sets another password than the right one.
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
