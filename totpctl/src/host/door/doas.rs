//! doas: the users that its rules let pass without a password (doas.conf(5)).

mod rule;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;

use glob::glob;

use self::rule::{Rule, exempt, rules};
use crate::host::accounts;
use crate::pam::files::read_file;
use crate::program;

/// What the rules of doas mean for the code.
pub(crate) enum Doas {
    /// It allows nobody: why.
    AllowsNobody(String),
    /// The users who are not asked, each as a phrase.
    NotAsked(Vec<String>),
}

impl Doas {
    /// Reads the rules of doas, and asks it whether it can read them.
    pub(crate) fn look() -> Self {
        let paths = FILES.iter().flat_map(|pattern| glob(pattern).into_iter().flatten().flatten());
        let paths: Vec<_> = paths.collect();
        if paths.is_empty() {
            return Self::AllowsNobody("doas has no rules, and allows nobody".into());
        }
        if let Some(reason) = paths.iter().find_map(|path| fault(path)) {
            return Self::AllowsNobody(reason);
        }
        let mut all = Vec::new();
        for path in &paths {
            let text = read_file(path).unwrap_or_default();
            let place = |rule: &Rule| format!("{}:{}", path.display(), rule.line);
            all.extend(rules(&text).into_iter().map(|rule| (place(&rule), rule)));
        }
        Self::NotAsked(exempt(&all, &accounts::list_local()))
    }
}

/// Returns why doas refuses everybody by this file, if it does.
fn fault(path: &Path) -> Option<String> {
    let file = fs::metadata(path).ok()?;
    let path = path.to_str()?;
    if file.uid() != 0 || file.mode() & WRITABLE_BY_OTHERS != 0 {
        return Some(format!("doas allows nobody, because users other than root can write {path}"));
    }
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let mut doas = program::find("doas").ok()?;
    doas.args(["-C", path]).stdin(Stdio::null());
    let output = program::output_within(doas, program::ANSWER_TIMEOUT).ok()?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    (!output.status.success() && said.contains("syntax error"))
        .then(|| format!("doas allows nobody, because it cannot read {path}: {said}"))
}

const WRITABLE_BY_OTHERS: u32 = 0o022;
const FILES: [&str; 2] = ["/etc/doas.conf", "/etc/doas.d/*.conf"];
