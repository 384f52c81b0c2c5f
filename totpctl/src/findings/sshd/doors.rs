//! The doors of ssh: its ways in, each with those who use it. Pure.

use crate::host::door::{CodeNeed, Door};
use crate::host::sshd::config::effective::Effective;
use crate::host::sshd::ways::way::Way;

/// Returns the door for what is not known.
pub(super) fn unknown_door(who: Option<&str>, reason: String) -> Door {
    door(who, CodeNeed::Unknown(reason))
}

/// Returns the door for users that sshd refuses before any answer counts.
pub(super) fn excluded_door(config: &Effective) -> Option<Door> {
    let keywords = config.access.keywords();
    (!keywords.is_empty()).then(|| {
        let keywords = keywords.join(" and ");
        let reason = format!("{keywords} refuses them, and sshd gives PAM a wrong answer");
        door(Some(&format!("users excluded by {keywords}")), CodeNeed::Closed(reason))
    })
}

fn door(who: Option<&str>, code: CodeNeed) -> Door {
    Door {
        name: "ssh".into(),
        service: None,
        who: who.map(str::to_owned),
        code,
        exceptions: Vec::new(),
    }
}

/// Returns the doors of everybody.
pub(super) fn all_doors(ways: Vec<Way>, config: &Effective) -> Vec<Door> {
    ways.into_iter().map(|way| way.door(config, None)).collect()
}

/// Returns the doors that differ from the usual ones, and those of usual ways that are not among
/// these. Why a closed one is closed makes no difference.
pub(super) fn other_doors(
    ways: Vec<Way>,
    usual: &[Way],
    config: &Effective,
    who: &str,
) -> Vec<Door> {
    let is_closed = |way: &Way| matches!(way.code, CodeNeed::Closed(_));
    let is_alike = |way: &Way, other: &Way| {
        way == other || (way.methods == other.methods && is_closed(way) && is_closed(other))
    };
    let is_missing = |way: &&Way| !ways.iter().any(|other| other.methods == way.methods);
    let missing = usual.iter().filter(is_missing).filter_map(|way| way.among(&ways));
    let missing: Vec<_> = missing.collect();
    let differs = |way: &Way| !usual.iter().any(|other| is_alike(way, other));
    let all = ways.into_iter().chain(missing);
    all.filter(differs).map(|way| way.door(config, Some(who))).collect()
}
