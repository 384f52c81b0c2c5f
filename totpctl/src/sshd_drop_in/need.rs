//! Whether a list of `AuthenticationMethods` needs the lines of the drop-in. `sshd -t` looks only
//! at the lists outside of `Match` blocks.

use super::line::Line;
use crate::host::sshd::config::effective::{Effective, Pam};
use crate::host::sshd::config::method::Method;
use crate::host::sshd::survey::Survey;

/// Returns why the drop-in with these lines is needed, if it is. Needs root.
pub(super) fn reason(lines: &[Line]) -> Option<String> {
    let survey = |settings: &[String]| Survey::supposing(settings);
    let with = survey(&[]).ok()?;
    // It has the lines that sshd lacked: without one of them, the opposite is in effect.
    let settings = lines.iter().map(|line| line.opposite('=')).collect::<Vec<_>>();
    match survey(&settings) {
        Ok(without) => lost(&with, &without),
        Err(failure) => Some(failure.message),
    }
}

/// Compares the answers with and without the lines.
fn lost(with: &Survey, without: &Survey) -> Option<String> {
    let before = places(with);
    for (place, config) in places(without) {
        let Ok(config) = config else {
            return Some(format!("sshd does not tell whether the block at {place} needs it"));
        };
        let Some((_, Ok(old))) = before.iter().find(|(other, old)| *other == place && old.is_ok())
        else {
            continue;
        };
        if let Some(list) = lost_list(old, config) {
            return Some(format!(
                "{place} requires keyboard-interactive (AuthenticationMethods {list}), which this file turns on"
            ));
        }
    }
    let unasked = without.unasked.first();
    unasked.map(|connection| format!("sshd was not asked whether {connection} needs it"))
}

/// Returns a list that can be passed before, and not after.
fn lost_list<'a>(before: &Effective, after: &'a Effective) -> Option<&'a str> {
    let lists = after.lists.iter().flatten();
    let mut lost = lists.filter(|list| can_ask_for(before, list) && !can_ask_for(after, list));
    lost.next().map(String::as_str)
}

/// Reports whether sshd has the method that a list needs for PAM.
fn can_ask_for(config: &Effective, list: &str) -> bool {
    let methods = list.split(',').filter_map(Method::parse);
    let needs_pam = methods.into_iter().any(|method| method == Method::KeyboardInteractive);
    let can_ask = config.is_enabled(Method::KeyboardInteractive);
    !needs_pam || (can_ask && matches!(config.pam, Pam::Service(_)))
}

/// Returns each case with its place.
fn places(survey: &Survey) -> Vec<(String, Result<&Effective, &str>)> {
    let place = |(file, line): &(String, usize)| format!("{file}:{line}");
    let usual = survey.everybody.trace.place(&["AuthenticationMethods"]);
    let usual = usual.as_ref().map_or_else(|| "sshd_config".to_owned(), place);
    let mut found = vec![(usual, Ok(&survey.everybody.config))];
    for (block, cases) in &survey.blocks {
        let place = place(&block.place);
        match cases {
            Ok(cases) => {
                let both = [("", &cases.user), (" (root)", &cases.root)].into_iter();
                found.extend(both.filter_map(|(who, case)| {
                    Some((format!("{place}{who}"), Ok(&case.as_ref()?.config)))
                }));
            }
            Err(reason) => found.push((place, Err(reason.as_str()))),
        }
    }
    for overlap in &survey.overlaps {
        let blocks = overlap.blocks.iter().filter_map(|index| survey.blocks.get(*index));
        let places: Vec<_> = blocks.map(|(block, _)| place(&block.place)).collect();
        let who = if overlap.is_root { " (root)" } else { "" };
        found.push((format!("{}{who}", places.join(" with ")), Ok(&overlap.case.config)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_loses_its_method_is_found() {
        let key = "publickey,keyboard-interactive";
        let can = "usepam yes\nkbdinteractiveauthentication yes\n";
        let cannot = "usepam yes\nkbdinteractiveauthentication no\n";
        let no_pam = "usepam no\nkbdinteractiveauthentication yes\n";
        for (before, after, list, expected) in [
            (can, cannot, key, true),
            (can, no_pam, "keyboard-interactive:pam", true),
            (cannot, cannot, key, false),
            (can, can, key, false),
            (can, cannot, "publickey,password", false),
            (can, cannot, "any", false),
        ] {
            let config =
                |text: &str| Effective::parse(&format!("{text}authenticationmethods {list}\n"));
            let found = lost_list(&config(before), &config(after)).is_some();
            assert_eq!(found, expected, "{before} {after} {list}");
        }
    }
}
