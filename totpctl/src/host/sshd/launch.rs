//! How sshd is started on this host: by the process that listens, or else by its unit.

pub(crate) mod command_line;
pub(crate) mod listener;
pub(crate) mod process;
pub(crate) mod socket;
pub(crate) mod starter;
mod unit_file;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use self::command_line::CommandLine;
use self::process::listeners;
use self::starter::{Starter, starters};
use crate::program;

/// The command lines of sshd.
#[derive(Debug, Default)]
pub(crate) struct Launch {
    /// The one that is checked.
    pub(crate) checked: CommandLine,
    /// Others that listen, and are not checked.
    pub(crate) others: Vec<CommandLine>,
    /// What may start others, with options of their own.
    pub(crate) starters: Vec<Starter>,
}

impl Launch {
    /// Returns that of this host, which is looked up once in a run.
    pub(crate) fn of_host() -> &'static Self {
        static LAUNCH: OnceLock<Launch> = OnceLock::new();
        LAUNCH.get_or_init(|| {
            let running = listeners();
            let lines = running.iter().map(|listener| CommandLine::of_process(&listener.command));
            let system = program::path("sshd");
            let is_system = |line: &CommandLine| is_system(line, system.as_deref());
            let launch = Self::choose(lines.collect(), &is_system);
            let mut launch =
                launch.unwrap_or_else(|| Self { checked: of_unit(), ..Self::default() });
            launch.starters = starters(&FOLDERS, &UNITS);
            let known = [&launch.checked].into_iter().chain(&launch.others);
            let known: Vec<_> = known.map(|line| line.options.clone()).collect();
            launch.starters.retain(|starter| !known.contains(&starter.line.options));
            launch
        })
    }

    /// Reports whether a process with this command line reads the files of the one that is checked.
    pub(crate) fn reads_same_files(&self, command: &str) -> bool {
        let line = CommandLine::of_process(command);
        let is_file = |option: &&(char, String)| option.0 == 'f';
        let file = |line: &CommandLine| line.options.iter().rfind(is_file).cloned();
        file(&line) == file(&self.checked) && is_system(&line, program::path("sshd").as_deref())
    }

    /// Chooses the listener without options, or else the first. `is_system` reports whether the
    /// sshd of the system is its program. Returns nothing if none listens.
    fn choose(lines: Vec<CommandLine>, is_system: &dyn Fn(&CommandLine) -> bool) -> Option<Self> {
        let (own, foreign): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| is_system(line));
        let checked = own.iter().find(|line| line.options.is_empty()).or(own.first());
        let checked = match (checked, foreign.is_empty()) {
            (Some(line), _) => line.clone(),
            (None, false) => CommandLine::default(),
            (None, true) => return None,
        };
        let is_other = |line: &CommandLine| line.options != checked.options;
        let mut others: Vec<_> = own.into_iter().filter(is_other).chain(foreign).collect();
        others.dedup();
        Some(Self { checked, others, starters: Vec::new() })
    }
}

/// Reports whether the sshd of the system is the program of a process.
fn is_system(line: &CommandLine, system: Option<&Path>) -> bool {
    let path = Path::new(&line.program);
    let real = |path: &Path| fs::canonicalize(path).ok();
    !path.is_absolute() || system.and_then(real) == real(path)
}

/// Returns what the unit starts. Without a unit, the script of another init has the options in a
/// file.
fn of_unit() -> CommandLine {
    let read = |path: &str| fs::read_to_string(path).ok();
    let unit = UNITS.into_iter().find_map(|unit| {
        let file = FOLDERS.into_iter().find_map(|folder| read(&format!("{folder}/{unit}")))?;
        let drop_ins = FOLDERS.into_iter().rev().flat_map(|folder| {
            let files = glob::glob(&format!("{folder}/{unit}.d/*.conf")).into_iter().flatten();
            files.flatten().filter_map(|path| fs::read_to_string(path).ok())
        });
        Some([file].into_iter().chain(drop_ins).collect::<Vec<_>>())
    });
    let found = match unit {
        Some(texts) => unit_file::command(&texts, &read),
        None => FILES_OF_SCRIPTS
            .into_iter()
            .find_map(|file| unit_file::options_of_variable(&read(file)?, "SSHD_OPTS")),
    };
    found.unwrap_or_default()
}

/// In the order in which systemd looks for a unit.
const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
const UNITS: [&str; 4] = ["ssh.service", "sshd.service", "ssh@.service", "sshd@.service"];
const FILES_OF_SCRIPTS: [&str; 2] = ["/etc/default/ssh", "/etc/conf.d/sshd"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_listener_is_checked_and_others_are_named() {
        let line = |text: &str| {
            CommandLine::new(&text.split(' ').map(str::to_owned).collect::<Vec<_>>(), false)
        };
        let is_system = |line: &CommandLine| line.program == "sshd";
        let chosen = |texts: &[&str]| {
            let lines = texts.iter().map(|text| line(text)).collect();
            let told = |line: &CommandLine| format!("{} {}", line.program, line.words().join(" "));
            Launch::choose(lines, &is_system).map(|launch| {
                (
                    told(&launch.checked),
                    launch.others.iter().map(told).collect::<Vec<_>>().join(", "),
                )
            })
        };
        for (texts, expected) in [
            (&[][..], None),
            (&["sshd -D"], Some(("sshd ", ""))),
            (&["sshd -f x", "sshd -f x"], Some(("sshd -f x", ""))),
            (&["sshd -f x", "sshd -D"], Some(("sshd ", "sshd -f x"))),
            (&["sshd -f x", "sshd -f y"], Some(("sshd -f x", "sshd -f y"))),
            (&["/opt/sshd -D"], Some((" ", "/opt/sshd "))),
            (&["/opt/sshd -D", "sshd -p 1"], Some(("sshd -p 1", "/opt/sshd "))),
        ] {
            let found = chosen(texts);
            let found = found.as_ref().map(|(checked, others)| (checked.as_str(), others.as_str()));
            assert_eq!(found, expected, "{texts:?}");
        }
    }
}
