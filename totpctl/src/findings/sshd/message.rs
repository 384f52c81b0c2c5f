//! The findings for the effects of sshd's configuration. `wording` has the table of what they say.

mod phrases;
mod wording;

use self::wording::{Advice, Severity, Wording, wording};
use super::roll_out::Remark;
use crate::findings::finding::Finding;
use crate::findings::report::Report;
use crate::host::sshd::config::effective::Effective;
use crate::host::sshd::config::trace::Trace;
use crate::host::sshd::ways::effect::Effect;

/// Adds an effect on all users, with the line that causes it. `remark` says who is asked in a
/// block, if the effect is meant for the rest. It is then a note, if it is harmless.
pub(super) fn for_all(
    effect: &Effect,
    config: &Effective,
    trace: &Trace,
    remark: Option<&Remark>,
    report: &mut Report,
) {
    let Wording { severity, keywords, everybody, .. } = wording(effect, config);
    let Advice { id, message, fix } = everybody;
    let finding = Finding::new(id, message).fix(fix);
    let finding = match remark {
        Some(remark) => finding.remark(&remark.text),
        None => finding,
    };
    let finding = with_cause(finding, trace, &keywords);
    if severity.is_problem_for_all() && !remark.is_some_and(|remark| remark.is_harmless) {
        report.problems.push(finding);
    } else {
        report.notes.push(finding);
    }
}

/// Adds an effect on the users that a block matches. A bypass there may be intended and is a note.
/// A block that lets nobody in is a problem, and so is one that lets passwords alone in.
pub(super) fn for_match(
    place: &(String, usize),
    criteria: &str,
    effect: &Effect,
    config: &Effective,
    report: &mut Report,
) {
    let Wording { severity, block: Advice { id, message, fix }, .. } = wording(effect, config);
    let finding =
        Finding::new(id, format!("Match {criteria} {message}")).at(place.clone()).fix(fix);
    match severity {
        Severity::Problem => report.problems.push(finding),
        Severity::ProblemForAll | Severity::Note => report.notes.push(finding),
    }
}

/// Adds where the cause stands: the line that has one of the keywords, the option that sshd was
/// started with, or else the file.
fn with_cause(finding: Finding, trace: &Trace, keywords: &[&str]) -> Finding {
    if let Some(place) = trace.place(keywords) {
        finding.at(place)
    } else if let Some(keyword) = trace.option(keywords) {
        finding
            .remark(&format!("sshd was started with -o {keyword}"))
            .fix(format!("change that option: {OPTIONS}, and restart sshd"))
    } else if let Some(file) = &trace.file {
        finding.in_file(file.clone())
    } else {
        finding
    }
}

const OPTIONS: &str = "it stands in the unit of sshd, or in SSHD_OPTS of /etc/default/ssh";
