//! Whether a finding is accepted now.

use jiff::civil::Date;

use super::document::Acceptance;
use super::subject::Subject;

/// What the acceptances say of a finding.
#[derive(Debug, Eq, PartialEq)]
pub(in super::super) enum Judgment<'a> {
    /// None is about it.
    Open,
    /// This one accepts it.
    Accepted(&'a Acceptance),
    /// This one accepted it until a day that is over.
    Expired(&'a Acceptance),
    /// This one accepted another text of the line.
    Changed(&'a Acceptance),
    /// This one accepted the same text at another line.
    Moved(&'a Acceptance),
}

/// Judges a finding. An acceptance holds for one line of one service, while its text is the same,
/// and up to its last day. `found`: what all findings are about. If the text that was accepted is
/// elsewhere now, a line at its place is a new one.
pub(in super::super) fn judge<'a>(
    subject: &Subject,
    acceptances: &'a [Acceptance],
    today: Date,
    found: &[Subject],
) -> Judgment<'a> {
    let about = |acceptance: &&Acceptance| {
        (acceptance.id, &acceptance.service, &acceptance.file)
            == (subject.id, &subject.service, &subject.file)
    };
    let is_expired = |acceptance: &Acceptance| acceptance.until.is_some_and(|day| day < today);
    let same: Vec<_> =
        acceptances.iter().filter(|one| about(one) && is_same(one, subject)).collect();
    if let Some(found) = same.iter().find(|acceptance| !is_expired(acceptance)) {
        return Judgment::Accepted(found);
    }
    if let Some(found) = same.first() {
        return Judgment::Expired(found);
    }
    let has_text = |acceptance: &Acceptance, subject: &Subject| {
        acceptance.sha256.as_ref() == Some(&subject.sha256)
    };
    let mut candidates = acceptances.iter().filter(about);
    if let Some(same_text) = candidates.clone().find(|acceptance| has_text(acceptance, subject)) {
        // At the same line, another module is the cause.
        return match same_text.line == subject.line {
            true => Judgment::Changed(same_text),
            false => Judgment::Moved(same_text),
        };
    }
    let is_elsewhere = |acceptance: &Acceptance| {
        found.iter().any(|other| {
            (acceptance.id, &acceptance.service, &acceptance.file)
                == (other.id, &other.service, &other.file)
                && has_text(acceptance, other)
        })
    };
    let changed =
        candidates.find(|acceptance| acceptance.line == subject.line && !is_elsewhere(acceptance));
    changed.map_or(Judgment::Open, Judgment::Changed)
}

fn is_same(acceptance: &Acceptance, subject: &Subject) -> bool {
    let has_text = acceptance.sha256.as_ref().is_none_or(|sha256| *sha256 == subject.sha256);
    let has_module = acceptance.module.is_none() || acceptance.module == subject.module;
    acceptance.line == subject.line && has_text && has_module
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::findings::finding::FindingId;

    fn subject(line: usize, sha256: &str) -> Subject {
        Subject {
            id: FindingId::StackSkipsCode,
            service: Some("sshd".into()),
            file: Some("/etc/pam.d/sshd".into()),
            line: Some(line),
            module: Some("pam_yubico".into()),
            sha256: sha256.into(),
        }
    }

    #[test]
    fn an_acceptance_holds_for_one_text_at_one_line_until_a_day() {
        let accept = |until| {
            let made = date(2026, 11, 26);
            [Acceptance::new(subject(3, "aa"), "meant", "alice".into(), made, until)]
        };
        let (limited, unlimited) = (accept(Some(date(2027, 1, 15))), accept(None));
        let judged = |subject: &Subject, day| judge(subject, &limited, day, &[]);
        let same = subject(3, "aa");
        assert_eq!(judged(&same, date(2027, 1, 15)), Judgment::Accepted(&limited[0]));
        assert_eq!(judged(&same, date(2027, 1, 16)), Judgment::Expired(&limited[0]));
        assert_eq!(
            judge(&same, &unlimited, date(2099, 1, 1), &[]),
            Judgment::Accepted(&unlimited[0])
        );
        let today = date(2026, 11, 27);
        for changed in
            [subject(3, "bb"), Subject { module: Some("pam_u2f".into()), ..subject(3, "aa") }]
        {
            assert_eq!(judged(&changed, today), Judgment::Changed(&limited[0]), "{changed:?}");
        }
        assert_eq!(judged(&subject(4, "aa"), today), Judgment::Moved(&limited[0]));
        // A new line before the accepted one.
        let found = [subject(3, "bb"), subject(4, "aa")];
        let judgments = found.each_ref().map(|one| judge(one, &limited, today, &found));
        assert_eq!(judgments, [Judgment::Open, Judgment::Moved(&limited[0])]);
        // A new line in the place of the accepted one.
        let found = [subject(3, "bb"), subject(4, "cc")];
        let judgments = found.each_ref().map(|one| judge(one, &limited, today, &found));
        assert_eq!(judgments, [Judgment::Changed(&limited[0]), Judgment::Open]);
        for other in [
            subject(4, "bb"),
            Subject { service: Some("sudo".into()), ..subject(3, "aa") },
            Subject { service: None, ..subject(3, "aa") },
            Subject { file: Some("/etc/pam.d/common-auth".into()), ..subject(3, "aa") },
            Subject { id: FindingId::StackOverrulesCode, ..subject(3, "aa") },
        ] {
            assert_eq!(judged(&other, today), Judgment::Open, "{other:?}");
        }
    }

    #[test]
    fn an_acceptance_without_a_digest_holds_for_every_message() {
        let host = |sha256: &str| Subject {
            id: FindingId::ClockNotSynchronized,
            service: None,
            file: None,
            line: None,
            module: None,
            sha256: sha256.into(),
        };
        let made = date(2026, 11, 26);
        let mut accepted = Acceptance::new(host("aa"), "container", "root".into(), made, None);
        let is_accepted = |accepted: &Acceptance, sha256| {
            let list = [accepted.clone()];
            matches!(judge(&host(sha256), &list, made, &[]), Judgment::Accepted(_))
        };
        assert!(is_accepted(&accepted, "aa") && !is_accepted(&accepted, "bb"));
        accepted.sha256 = None;
        assert!(is_accepted(&accepted, "bb"));
    }
}
