//! The long form of a finding, from the page of the documentation.

use std::cmp::Reverse;

use serde_json::json;

use crate::error::Error;
use crate::findings::finding::FindingId;
use crate::terminal::output;

/// Prints what a finding means.
pub(super) fn print(token: &str, json: bool) -> Result<(), Error> {
    let id = FindingId::parse(token).ok_or_else(|| {
        Error::Usage(format!(
            "there is no finding {token:?}; totpctl doctor prints the id of each finding in brackets{}",
            similar_ids(token)
        ))
    })?;
    let explanation = explanation(id)
        .ok_or_else(|| Error::refused(format!("there is no explanation of {}", id.token())))?;
    if json {
        return output::json(&json!({ "id": id.token(), "explanation": explanation }));
    }
    output::data(&format!("{}\n\n{explanation}\n", id.token()))
}

/// Returns ids that share words with `token`, those with most of them first, as the end of a
/// sentence.
fn similar_ids(token: &str) -> String {
    let shared = |id: &FindingId| {
        let words = id.token().split('-').filter(|word| word.len() > 3);
        words.filter(|word| token.split('-').any(|other| other == *word)).count()
    };
    let mut found: Vec<_> = FindingId::ALL.iter().filter(|id| shared(id) > 0).collect();
    found.sort_by_key(|id| Reverse(shared(id)));
    let found: Vec<_> = found.iter().take(5).map(|id| id.token()).collect();
    if found.is_empty() { String::new() } else { format!("; similar ids: {}", found.join(", ")) }
}

/// Returns the section of a finding as plain text: the lines below its heading, with examples
/// indented.
fn explanation(id: FindingId) -> Option<String> {
    let (_, rest) = PAGE.split_once(&format!("\n### `{}`\n", id.token()))?;
    let mut in_example = false;
    let mut lines = Vec::new();
    for line in rest.lines() {
        match line {
            _ if line.starts_with("```") => in_example = !in_example,
            _ if in_example => lines.push(format!("    {line}")),
            _ if line.starts_with('#') => break,
            _ => lines.push(line.replace("**", "")),
        }
    }
    Some(lines.join("\n").trim_matches('\n').to_owned())
}

const PAGE: &str = include_str!("../../../../docs/reference/doctor.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_its_long_form() {
        for id in FindingId::ALL {
            let text = explanation(*id).unwrap_or_default();
            for part in ["What it means: ", "Why it matters: ", "What to do: ", "\n    "] {
                assert!(text.contains(part), "{} lacks {part:?}: {text:?}", id.token());
            }
        }
    }

    #[test]
    fn a_long_form_has_three_parts_in_order_and_an_example() {
        for id in FindingId::ALL {
            let text = explanation(*id).unwrap_or_default();
            let (before, rest) = text.split_once("What it means: ").unwrap();
            let (meaning, rest) = rest.split_once("\n\nWhy it matters: ").unwrap();
            let (reason, rest) = rest.split_once("\n\nWhat to do: ").unwrap();
            let (change, example) = rest.split_once("\n\n    ").unwrap();
            assert_eq!(before, "", "{}", id.token());
            for part in [meaning, reason, change, example] {
                assert!(part.split_whitespace().count() >= 2, "{}: {part:?}", id.token());
            }
            for part in [meaning, reason, change] {
                assert!(part.ends_with('.'), "{}: {part:?}", id.token());
            }
        }
    }

    #[test]
    fn a_finding_with_several_causes_names_all() {
        use FindingId as Id;
        for (id, causes) in [
            (Id::AcceptancesInvalid, &["read", "TOML", "change it", "key", "id", "date"][..]),
            (Id::FirstPassMissing, &["pam_env.so", "another line of `pam_totp.so`"]),
            (Id::InsecurePermissions, &["programs", "module", "stack", "configuration"]),
            (Id::NobodyCanLogIn, &["pam_deny.so", "missing", "control word"]),
            (
                Id::SshdNobodyCanLogIn,
                &[
                    "turns the method off",
                    "skips a list",
                    "`password`",
                    "empty password",
                    "KDC",
                    "device",
                    "PAM",
                ],
            ),
            (Id::SshdMatchNobodyCanLogIn, &["is off", "`password`", "empty password", "device"]),
            (Id::SshdConfigUnreadable, &["cannot read", "cannot be run", "within"]),
            (Id::SshdMatchUnknown, &["cannot find", "no answer"]),
            (Id::SshdRootCannotLogIn, &["prohibit-password", "forced-commands-only"]),
            (Id::SshdWithoutPam, &["UsePAM no", "built without PAM"]),
            (Id::StackAmbiguous, &["backslash", "1,000 bytes", "NUL", "2147483647", "16 files"]),
            (Id::StackNotChecked, &["not a regular file", "1 MiB", "closed"]),
            (Id::StackTooLong, &["400", "4096"]),
            (Id::StoreInSnapshot, &["snapshot", "filefrag"]),
            (Id::SudoAsksForOtherUser, &["rootpw", "runaspw", "targetpw", "Defaults@HOST"]),
            (Id::SudoNobodyBecomesRoot, &["root", "runas_default", "target"]),
            (Id::SudoServiceWithoutCode, &["sudo -i", "sudo -A", "pam_service"]),
            (Id::SudoSkipsCode, &["nullok", "enroll"]),
            (Id::SudoersException, &["NOPASSWD", "!authenticate", "exempt_group"]),
            (Id::SudoersNotChecked, &["Only root", "directory", "sudo -V", "1 MiB", "UTF-8"]),
            (Id::TotpdUnconfined, &["not loaded", "AppArmor without"]),
            (
                Id::UnitCannotStart,
                &["masked", "203", "226", "228", "243", "ends at its start", "systemctl"],
            ),
            (Id::UsersNotYetEnrolled, &["nullok", "enroll"]),
        ] {
            let text = explanation(id).unwrap_or_default();
            let (meaning, _) = text.split_once("Why it matters: ").unwrap();
            let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
            for cause in causes {
                assert!(meaning.contains(cause), "{} lacks {cause:?}: {meaning}", id.token());
            }
        }
    }

    #[test]
    fn the_page_explains_only_findings_that_exist() {
        let headings =
            PAGE.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
        let headings: Vec<_> = headings.collect();
        assert!(headings.is_sorted(), "{headings:?}");
        let mut tokens: Vec<_> = FindingId::ALL.iter().map(|id| id.token()).collect();
        tokens.sort_unstable();
        assert_eq!(headings, tokens);
    }

    #[test]
    fn an_explanation_is_plain_text() {
        let text = explanation(FindingId::StackSkipsCode).unwrap();
        assert!(!text.contains("```") && !text.contains("##") && !text.contains("**"), "{text}");
        assert_eq!(similar_ids("stack-skips"), similar_ids("stack-skips-x"));
        assert!(similar_ids("stack-skips").contains("stack-skips-code"));
        assert!(similar_ids("nonsense").is_empty());
    }
}
