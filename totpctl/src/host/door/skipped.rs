//! Settings of polkit and Cockpit by which a user is asked for nothing.

mod polkit_actions;
mod polkit_rules;
mod script;

use std::ffi::OsStr;
use std::path::Path;

use glob::glob;

use self::polkit_rules::{Grant, grants};
use crate::pam::files::read_file;
use crate::program;

/// Returns the users of Cockpit who give no password, and so no code.
pub(crate) fn cockpit_exceptions() -> Vec<String> {
    let mut found = exceptions(&["/etc/cockpit/cockpit.conf"], client_certificate);
    let ticket = |path: &str| format!("holders of a Kerberos ticket ({path})");
    found.extend(Some(COCKPIT_KEYTAB).filter(|path| Path::new(path).exists()).map(ticket));
    found
}

fn client_certificate(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let is_on = ["1", "true", "yes"].contains(&value.trim().to_ascii_lowercase().as_str());
    let is_it = key.trim().eq_ignore_ascii_case("ClientCertAuthentication") && is_on;
    is_it.then(|| "holders of a client certificate".to_owned())
}

/// Returns the rules, actions and authorizations by which polkit asks for nothing, or may.
pub(crate) fn polkit_exceptions() -> Vec<String> {
    let paths = RULE_FOLDERS
        .iter()
        .flat_map(|folder| glob(&format!("{folder}/*.rules")).into_iter().flatten());
    let mut found: Vec<_> = paths
        .flatten()
        .filter(|path| !is_known_rule(path))
        .flat_map(|path| rules_of_polkit(&path))
        .collect();
    found.extend(polkit_actions::exceptions(&actions_of_polkit()));
    // The distribution's own are in 10-vendor.d.
    let pkla =
        ["/etc/polkit-1/localauthority/*/*.pkla", "/var/lib/polkit-1/localauthority/[2-9]*/*.pkla"];
    found.extend(exceptions(&pkla, |line| {
        let (key, value) = line.split_once('=')?;
        let is_result = key.trim().starts_with("Result") && value.trim() == "yes";
        is_result.then(|| "actions that a rule allows".to_owned())
    }));
    found
}

/// Reports whether a distribution writes this file, and nobody becomes root by it.
fn is_known_rule(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    path.starts_with(DISTRIBUTIONS_RULES) && KNOWN_RULES.contains(&name)
}

fn rules_of_polkit(path: &Path) -> Vec<String> {
    let Ok(text) = read_file(path) else {
        return vec![format!("what a rule allows that cannot be read ({})", path.display())];
    };
    let phrase = |grant| match grant {
        Grant::Yes => "actions that a rule allows",
        Grant::Unclear => "what a rule may allow, so read it",
    };
    let found = grants(&text).into_iter();
    found.map(|(line, grant)| format!("{} ({}:{line})", phrase(grant), path.display())).collect()
}

/// Returns what polkit says of all actions. If it does not answer, nobody becomes root by it.
fn actions_of_polkit() -> String {
    let Ok(mut command) = program::find("pkaction") else { return String::new() };
    command.arg("--verbose");
    let output = program::output_within(command, program::ANSWER_TIMEOUT);
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

fn exceptions(patterns: &[&str], exception: fn(&str) -> Option<String>) -> Vec<String> {
    let paths = patterns.iter().flat_map(|pattern| glob(pattern).into_iter().flatten().flatten());
    paths.flat_map(|path| in_file(&path, exception)).collect()
}

/// Returns the exceptions in a file, each with its line.
fn in_file(path: &Path, exception: fn(&str) -> Option<String>) -> Vec<String> {
    let Ok(text) = read_file(path) else { return Vec::new() };
    let lines = text.lines().enumerate();
    let found = lines.filter_map(|(index, line)| {
        let line = line.trim_start();
        let is_comment = line.starts_with('#') || line.starts_with("//");
        let who = exception(line).filter(|_| !is_comment)?;
        Some(format!("{who} ({}:{})", path.display(), index + 1))
    });
    found.collect()
}

/// polkit reads them in this order, older ones only the first and the last.
const RULE_FOLDERS: [&str; 4] = [
    "/etc/polkit-1/rules.d",
    "/run/polkit-1/rules.d",
    "/usr/local/share/polkit-1/rules.d",
    DISTRIBUTIONS_RULES,
];
const DISTRIBUTIONS_RULES: &str = "/usr/share/polkit-1/rules.d";
/// Rules of Debian, Fedora, openSUSE and Arch.
const KNOWN_RULES: [&str; 12] = [
    "20-gnome-initial-setup.rules",
    "50-default.rules",
    "blueman.rules",
    "gnome-control-center.rules",
    "org.freedesktop.Flatpak.rules",
    "org.freedesktop.GeoClue2.rules",
    "org.freedesktop.NetworkManager.rules",
    "org.freedesktop.bolt.rules",
    "org.freedesktop.fwupd.rules",
    "org.freedesktop.packagekit.rules",
    "org.gtk.vfs.file-operations.rules",
    "systemd-networkd.rules",
];
const COCKPIT_KEYTAB: &str = "/etc/cockpit/krb5.keytab";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_certificate_stands_for_a_password() {
        assert!(client_certificate("clientcertauthentication = Yes").is_some());
        assert!(client_certificate("ClientCertAuthentication = no").is_none());
    }

    #[test]
    fn a_rule_of_polkit_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("10.rules");
        for (text, expected) in [
            ("// polkit.Result.YES\n  return polkit.Result.YES;\n", "actions that a rule allows"),
            ("\n  return polkit.spawn(['x']);\n", "what a rule may allow, so read it"),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(rules_of_polkit(&path), [format!("{expected} ({}:2)", path.display())]);
        }
        assert!(is_known_rule(Path::new("/usr/share/polkit-1/rules.d/50-default.rules")));
        assert!(!is_known_rule(Path::new("/etc/polkit-1/rules.d/50-default.rules")));
        assert!(!is_known_rule(Path::new("/usr/share/polkit-1/rules.d/60-image.rules")));
    }
}
