//! The reload of the rules while the daemon runs.

use std::path::Path;

use totpd_store::Owner;
use totpd_store::mutex::lock;

use crate::audit::condition::Condition;
use crate::config::{CONFIG_FILE, Config, ConfigError, RuleSet};
use crate::daemon::Daemon;

/// The result of a reload.
#[derive(Debug)]
pub(crate) struct Reloaded {
    /// The rules that are in force now.
    pub(crate) rules: RuleSet,
    /// The keys whose value differs from that of the running daemon. They change at a restart.
    pub(crate) needs_restart: Vec<&'static str>,
}

impl Reloaded {
    /// Returns what may be wrong with the rules, by file and line, and reports it. It asks NSS,
    /// which may take long.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.rules.warnings();
        for warning in &warnings {
            Condition::RulesDoubtful.entry(warning.clone()).write();
        }
        warnings
    }
}

impl Daemon {
    /// Reads the configuration again, and puts its rules in force. All else stays as it is. The
    /// journal has the result.
    ///
    /// # Errors
    /// [`ConfigError`], with file, line and key. Then the rules of before stay in force.
    pub(crate) fn reload(&self) -> Result<Reloaded, ConfigError> {
        self.reload_from(Path::new(CONFIG_FILE), Owner::ROOT)
    }

    fn reload_from(&self, file: &Path, owner: Owner) -> Result<Reloaded, ConfigError> {
        // Of two reloads, the one that read last is to be the one that holds.
        let _alone = lock(&self.reloads);
        let (config, rules) = Config::load(file, owner).inspect_err(|error| {
            let message = format!("cannot reload: {error}; the rules of before stay in force");
            Condition::RulesNotReloaded.entry(message).write();
        })?;
        let needs_restart = self.config.differing_keys(&config);
        let count = rules.policy.rules().count();
        self.enforce(rules.clone());
        let message = match count {
            0 => "reloaded: no rule is in force".to_owned(),
            1 => "reloaded: 1 rule is in force".to_owned(),
            count => format!("reloaded: {count} rules are in force"),
        };
        Condition::RulesReloaded.entry(message).write();
        if !needs_restart.is_empty() {
            let message = format!(
                "only rules change while totpd runs; restart it for: {}",
                needs_restart.join(", ")
            );
            Condition::RestartNeeded.entry(message).write();
        }
        Ok(Reloaded { rules, needs_restart })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::daemon::tests::daemon;

    const RULE: &str = "[[rule]]\nname = \"all\"\nthen = \"deny\"\n";

    #[test]
    fn a_bad_file_leaves_the_rules_of_before_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("totpd.toml");
        let owner = Owner::from_uid(nix::unistd::geteuid().as_raw());
        let daemon = daemon().0;
        let names = || -> Vec<String> {
            let rulebook = daemon.rulebook();
            rulebook.policy().rules().map(|rule| rule.name.to_string()).collect()
        };
        fs::write(&file, RULE).unwrap();
        let before = daemon.rulebook();
        assert!(daemon.reload_from(&file, owner).unwrap().needs_restart.is_empty());
        assert_eq!(names(), ["all"]);
        assert!(before.policy().is_empty(), "a login that began before keeps what it has");
        fs::write(&file, format!("{RULE}form = [\"local\"]\n")).unwrap();
        let error = daemon.reload_from(&file, owner).unwrap_err().to_string();
        assert!(error.contains("totpd.toml:4: ") && error.contains("form"), "{error}");
        assert_eq!(names(), ["all"]);
        fs::write(&file, "[verify]\nskew = 5\n").unwrap();
        assert_eq!(daemon.reload_from(&file, owner).unwrap().needs_restart, ["verify.skew"]);
        assert_eq!((names().len(), daemon.config.rules.skew), (0, 1));
        fs::remove_file(&file).unwrap();
        assert!(daemon.reload_from(&file, owner).unwrap().needs_restart.is_empty());
    }
}
