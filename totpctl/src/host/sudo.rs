//! sudo as it is installed: its PAM services, and the files of its rules.

mod plugins;
pub(crate) mod services;
pub(crate) mod sudoers;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use self::plugins::other_policy;
use self::services::{UsedService, services};
use self::sudoers::{Callers, Files, Owner, Permissions, Place, Sudoers};
use super::{accounts, name_services};
use crate::pam::files::{path_of, read_file};
use crate::program;

/// sudo on this host.
pub(crate) struct Sudo {
    /// The PAM services, each with the command that uses it.
    pub(crate) services: Vec<UsedService>,
    /// Its rules; `None` if only root can read them.
    pub(crate) sudoers: Option<Sudoers>,
    /// The lines that sudo cannot read, with its words.
    pub(crate) faults: Vec<(Place, String)>,
    /// What sudo may read and doctor cannot, with the reason.
    pub(crate) unread: Vec<(Place, String)>,
    /// The reason why sudo says nothing about itself, if so.
    pub(crate) silence: Option<String>,
    /// The group whose members were exempt when sudo was built.
    pub(crate) exempt_group: Option<String>,
    /// Other programs of sudo on this host.
    pub(crate) others: Vec<String>,
}

impl Sudo {
    /// Looks at sudo, if it is installed. `has_stack` reports whether a PAM service has a stack.
    pub(crate) fn look(has_stack: &dyn Fn(&str) -> bool) -> Option<Self> {
        let path = program::path("sudo")?;
        let (version, silence) = match output("sudo", &["-V"]) {
            Ok((_, stdout, _)) => (stdout, None),
            Err(error) => (String::new(), Some(format!("sudo -V: {error}"))),
        };
        let is_rust = version.starts_with("sudo-rs");
        let has_login_service = || match is_rust {
            true => fs::read(&path).is_ok_and(|program| contains(&program, b"sudo-i")),
            false => has_stack("sudo-i"),
        };
        let mut services = services(&version);
        if services.is_empty() {
            services.push(UsedService::new("sudo", "sudo"));
            services.extend(has_login_service().then(|| UsedService::new("sudo -i", "sudo-i")));
        }
        let file = sudoers_path(&version, is_rust);
        let is_root = nix::unistd::geteuid().is_root();
        let rejected = is_root.then(|| visudo_faults(&file, is_rust)).flatten();
        let by_full_name = version.contains(FULL_NAME);
        let read = || read_sudoers(&file, rejected.as_deref().unwrap_or_default(), by_full_name);
        let sudoers = is_root.then(read);
        if let Some(sudoers) = &sudoers {
            services = services::of_users(services, sudoers, &has_login_service);
        }
        let own = sudoers.as_ref().map(|sudoers| sudoers.faults.clone()).unwrap_or_default();
        // Without visudo, this parser has the last word.
        let (mut faults, mut unread) = match rejected {
            Some(rejected) => {
                let is_told = |place: &Place| rejected.iter().any(|(known, _)| known == place);
                let unread = own.into_iter().filter(|(place, _)| !is_told(place)).collect();
                (rejected, unread)
            }
            None if is_rust && is_root => (own, vec![((file, 1), NO_VISUDO.to_owned())]),
            None => (own, Vec::new()),
        };
        if !is_rust {
            let settings = read_file(Path::new(SETTINGS)).unwrap_or_default();
            unread.extend(
                other_policy(&settings).map(|(line, words)| ((SETTINGS.to_owned(), line), words)),
            );
        }
        faults.retain(|((file, _), _)| {
            sudoers.as_ref().is_some_and(|sudoers| !sudoers.ignores_file(file))
        });
        let exempt = "Users in this group are exempt from password and PATH requirements: ";
        let exempt_group = version.lines().find_map(|line| line.strip_prefix(exempt));
        Some(Self {
            services,
            sudoers,
            faults,
            unread,
            silence,
            exempt_group: exempt_group.map(|group| group.trim().to_owned()),
            others: other_programs(&path),
        })
    }
}

/// Reports whether sudo uses a PAM service, also one that sudoers names.
pub(crate) fn uses_service(service: &str) -> bool {
    let sudo = Sudo::look(&|name| name == service);
    sudo.is_some_and(|sudo| sudo.services.iter().any(|used| used.name == service))
}

/// Reports whether sudo allows a user anything. If sudo does not answer, it counts as allowed.
pub(crate) fn allows(user: &str) -> bool {
    match output("sudo", &["-n", "-l", "-U", user]) {
        Ok((_, stdout, stderr)) => {
            let is_refusal = |text: &str| text.contains(" is not allowed to run sudo on ");
            !is_refusal(&stdout) && !is_refusal(&stderr)
        }
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Returns the first file of rules that exists.
fn sudoers_path(version: &str, is_rust: bool) -> String {
    let told = version.lines().find_map(|line| line.strip_prefix("Sudoers path: "));
    let usual =
        if is_rust { "/etc/sudoers-rs:/etc/sudoers" } else { "/etc/sudoers:/usr/etc/sudoers" };
    let mut paths = told.unwrap_or(usual).trim().split(':');
    let path = paths.clone().find(|path| Path::new(path).exists()).or_else(|| paths.next());
    path.unwrap_or("/etc/sudoers").to_owned()
}

/// Returns other programs of sudo that make somebody root: that of Rust beside that of C, or the
/// other way round.
fn other_programs(path: &Path) -> Vec<String> {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let found = ["sudo-rs", "sudo.ws"].into_iter().filter_map(program::path);
    let is_other = |other: &PathBuf| {
        let is_setuid = fs::metadata(other).is_ok_and(|file| file.mode() & SETUID != 0);
        is_setuid && real(other) != real(path)
    };
    found.filter(is_other).map(|path| path.display().to_string()).collect()
}

/// Returns the name that the resolver has for this host. sudo goes by it with the setting `fqdn`.
fn full_name(host: &str) -> Option<String> {
    let (_, stdout, _) = output("getent", &["ahosts", "--", host]).ok()?;
    let name = stdout.lines().next()?.split_whitespace().nth(2)?;
    (name != host).then(|| name.to_owned())
}

fn read_sudoers(path: &str, rejected: &[(Place, String)], by_full_name: bool) -> Sudoers {
    let owner = Owner::parse(&read_file(Path::new(SETTINGS)).unwrap_or_default());
    let refusal = |path: &str| {
        // The caller tells that a file is missing.
        let file = fs::metadata(path).ok()?;
        Permissions { uid: file.uid(), gid: file.gid(), mode: file.mode() }.refusal(owner)
    };
    let read = |path: &str| read_file(Path::new(path));
    let list = |folder: &str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    // A directory may have groups that the files of this host do not have.
    let is_local = |source: &String| LOCAL_SOURCES.contains(&source.as_str());
    let has_all_groups = name_services::sources_of("group").iter().all(is_local);
    let callers = Callers { accounts: accounts::list_local(), has_all_groups };
    Sudoers::read(path, &Files { rejected, refusal: &refusal, read: &read, list: &list, host })
        .with_callers(callers)
        .with_other_name(by_full_name.then(|| full_name(host)).flatten())
}

/// Returns the lines that the visudo of this sudo calls wrong, if it is installed. Those of Rust
/// and of C read some lines differently.
fn visudo_faults(path: &str, is_rust: bool) -> Option<Vec<(Place, String)>> {
    let is_of_sudo = |name: &&str| {
        let version = output(name, &["-V"]);
        version.is_ok_and(|(_, stdout, _)| stdout.starts_with("visudo-rs") == is_rust)
    };
    let visudo = ["visudo", "visudo-rs", "visudo.ws"].into_iter().find(is_of_sudo)?;
    let (is_good, stdout, stderr) = output(visudo, &["-c", "-f", path]).ok()?;
    Some(if is_good { Vec::new() } else { faults(&format!("{stderr}{stdout}")) })
}

/// Reads `FILE:LINE:COLUMN: WORDS`, and `… FILE … near line LINE …` of versions before 1.9.
fn faults(text: &str) -> Vec<(Place, String)> {
    let mut found: Vec<(Place, String)> = Vec::new();
    for line in text.lines() {
        let line = line.trim_start_matches(">>> ").trim_end_matches(" <<<");
        let new = new_fault(line).or_else(|| {
            let (words, number) = line.split_once(" near line ")?;
            let path = words.split([' ', ':']).find(|word| word.starts_with('/'))?;
            Some(((path.to_owned(), number.trim().parse().ok()?), "syntax error".to_owned()))
        });
        found.extend(new.filter(|(place, words)| {
            !is_warning(words) && found.iter().all(|(known, _)| known != place)
        }));
    }
    found
}

/// Reports whether visudo only warns: sudo reads such a line.
fn is_warning(words: &str) -> bool {
    words.ends_with("referenced but not defined")
        || ["cycle in ", "unused "].iter().any(|start| words.starts_with(start))
}

fn new_fault(line: &str) -> Option<(Place, String)> {
    let (path, rest) = line.split_once(':').filter(|(path, _)| path.starts_with('/'))?;
    let (number, words) = rest.split_once(':')?;
    let number = number.parse().ok()?;
    // visudo adds a slash to the name of a folder that ends with one.
    let path = path.replace("//", "/");
    let words = words
        .split_once(':')
        .filter(|(column, _)| column.parse::<u32>().is_ok())
        .map_or(words, |(_, words)| words);
    Some(((path, number), words.trim().to_owned()))
}

/// Returns the directory that has rules of sudo too.
pub(crate) fn directory_of_rules() -> Option<String> {
    name_services::sources_of("sudoers")
        .into_iter()
        .find(|source| ["ldap", "sss"].contains(&source.as_str()))
}

/// Returns whether a program succeeded, and what it printed.
fn output(name: &str, args: &[&str]) -> io::Result<(bool, String, String)> {
    let mut command = program::find(name)?;
    command.args(args).stdin(Stdio::null());
    let result = program::output_within(command, program::ANSWER_TIMEOUT)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((result.status.success(), text(&result.stdout), text(&result.stderr)))
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Returns the commands of sudo whose PAM services have no file, each with the service, for root.
pub(crate) fn sudo_services_without_file() -> Vec<(String, String)> {
    let sudo = Sudo::look(&|name| path_of(name).is_some());
    let services = sudo.into_iter().flat_map(|sudo| sudo.services);
    let missing = services.filter(|used| path_of(&used.name).is_none());
    missing.map(|used| (used.command, used.name)).collect()
}

/// What `sudo -V` says of the setting `fqdn`.
const FULL_NAME: &str = "Require fully-qualified hostnames in the sudoers file";
const NO_VISUDO: &str = "sudo-rs reads some lines differently, and its visudo is not installed";
const SETTINGS: &str = "/etc/sudo.conf";
const SETUID: u32 = 0o4000;
/// The sources of groups that are files of this host.
const LOCAL_SOURCES: [&str; 5] = ["altfiles", "compat", "extrausers", "files", "systemd"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_visudo_name_a_line() {
        let expected = |words: &str| vec![(("/etc/sudoers".to_owned(), 3), words.to_owned())];
        for (text, words) in [
            (
                "/etc/sudoers:3:5: syntax error\nx y z\n    ^\n/etc/sudoers:3:5: syntax error\n",
                "syntax error",
            ),
            (
                ">>> /etc/sudoers: syntax error near line 3 <<<\nparse error in /etc/sudoers near line 3\n",
                "syntax error",
            ),
            ("/etc//sudoers:3:5: syntax error\n", "syntax error"),
            ("/etc/sudoers:3: unknown defaults entry\n", "unknown defaults entry"),
        ] {
            assert_eq!(faults(text), expected(words), "{text}");
        }
        for warning in [
            "Cmnd_Alias \"FOO\" referenced but not defined",
            "unused User_Alias \"FOO\"",
            "cycle in User_Alias \"FOO\"",
        ] {
            let text = format!("/etc/sudoers:3:5: {warning}\n");
            assert_eq!(faults(&text), [], "{warning}");
            let both = format!("{text}/etc/sudoers:3:9: syntax error\n");
            assert_eq!(faults(&both), expected("syntax error"), "{warning}");
        }
        assert!(faults("/etc/sudoers: bad permissions, should be mode 0440\n").is_empty());
    }
}
