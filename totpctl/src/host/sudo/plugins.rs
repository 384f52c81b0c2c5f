//! The plugins that sudo.conf names. Pure.

/// Returns the first line of a plugin that may decide who runs what, instead of sudoers, and what
/// there is to say about it.
pub(super) fn other_policy(settings: &str) -> Option<(usize, String)> {
    (1..).zip(settings.lines()).find_map(|(number, line)| {
        let mut words = line.split_whitespace();
        let keyword = words.next()?;
        if keyword.eq_ignore_ascii_case("Path") && words.next() == Some("plugin_dir") {
            let folder = words.next()?;
            return Some((number, format!("the plugins of sudo come from {folder}")));
        }
        Some(keyword).filter(|word| word.eq_ignore_ascii_case("Plugin"))?;
        let (name, file) = (words.next()?, words.next().unwrap_or_default());
        let is_of_sudoers =
            name.starts_with("sudoers_") && file.rsplit('/').next() == Some("sudoers.so");
        let is_known = is_of_sudoers || DECIDE_NOTHING.contains(&name);
        (!is_known).then(|| {
            (number, format!("the plugin {name} may decide who runs what, and who is asked"))
        })
    })
}

/// Plugins of sudo that only write records.
const DECIDE_NOTHING: [&str; 3] = ["audit_json", "python_audit", "python_io"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_that_is_not_of_sudoers_may_decide() {
        let usual = "# Plugin x y\nPlugin sudoers_policy sudoers.so sudoers_mode=0400\n\
                     Plugin sudoers_io /usr/libexec/sudo/sudoers.so\nPlugin audit_json audit_json.so\n";
        for (text, line) in [
            ("", None),
            (usual, None),
            ("Plugin python_policy python_plugin.so ModulePath=/x.py\n", Some(1)),
            ("\nplugin my_policy my.so\n", Some(2)),
            ("Plugin sudoers_policy /opt/other.so\n", Some(1)),
            ("Plugin pam_policy \\\n  x.so\n", Some(1)),
            ("Plugin\n", None),
            ("Path askpass /bin/x\nPath plugin_dir /opt\n", Some(2)),
        ] {
            assert_eq!(other_policy(text).map(|(line, _)| line), line, "{text}");
        }
    }
}
