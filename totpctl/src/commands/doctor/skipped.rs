//! Settings of polkit and Cockpit by which a user is asked for nothing.

use std::path::Path;

use glob::glob;

use crate::pam::files::read_file;

/// Returns the users of Cockpit who give no password, and so no code.
pub(super) fn cockpit_exceptions() -> Vec<String> {
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

/// Returns the rules of the administrator by which polkit asks for nothing.
pub(super) fn polkit_exceptions() -> Vec<String> {
    let patterns = ["/etc/polkit-1/rules.d/*.rules", "/usr/local/share/polkit-1/rules.d/*.rules"];
    let mut found = exceptions(&patterns, |line| {
        line.contains("polkit.Result.YES").then(|| "actions that a rule allows".to_owned())
    });
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
    fn a_comment_is_no_rule() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("10.rules");
        std::fs::write(&path, "// polkit.Result.YES\n  return polkit.Result.YES;\n").unwrap();
        let found = in_file(&path, |line| line.contains("YES").then(|| "x".to_owned()));
        assert_eq!(found, [format!("x ({}:2)", path.display())]);
    }
}
