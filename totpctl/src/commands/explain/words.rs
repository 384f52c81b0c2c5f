//! The explanation of a login in words.

use serde_json::{Map, Value};

use crate::client::details;
use crate::host::local_time::display_local;
use crate::pam::asking_line::{Asking, AskingLine};
use crate::pam::files;
use crate::terminal::output;

/// Returns the explanation as lines.
pub(super) fn page(explained: &Map<String, Value>, asking: &Asking) -> String {
    let text = |key| details::escape_text(explained, key);
    let at = display_local(details::number(explained, "at").unwrap_or_default());
    let mut lines = vec![
        format!("{} at {} from {}, {at}", text("user"), text("service"), text("from")),
        decision(explained),
    ];
    if details::flag(explained, "in_doubt") {
        lines.push("Nobody can tell whether a rule fits, so the stricter result holds.".into());
    }
    lines.extend(remembered(explained));
    lines.push(pam(explained));
    lines.push(shown(explained));
    lines.extend(line(explained, asking));
    let rules: Vec<_> = details::objects(explained, "rules").map(rule).collect();
    if !rules.is_empty() {
        lines.push("Rules, up to the one that decides:".into());
        lines.extend(rules);
    }
    lines.join("\n") + "\n"
}

/// Returns what the rules say.
fn decision(explained: &Map<String, Value>) -> String {
    let what = match details::text(explained, "requirement").as_str() {
        "skip" => "No code is needed".to_owned(),
        "deny" => "Nobody gets in".to_owned(),
        "enroll" => {
            let until = details::number(explained, "deadline").unwrap_or_default();
            format!("No code is needed before {}, without a factor", display_local(until))
        }
        _ => "A code is needed".to_owned(),
    };
    match details::escape_text(explained, "rule").as_str() {
        "" => format!("{what}: no rule fits."),
        rule => format!("{what}: the rule \"{rule}\" decides."),
    }
}

/// Returns what is remembered of earlier logins, and what would be of this one.
fn remembered(explained: &Map<String, Value>) -> Option<String> {
    let number = |key| details::number(explained, key);
    if let Some(until) = number("remembered_until") {
        let until = display_local(until);
        return Some(match number("connections") {
            None => {
                format!("But an earlier code is remembered until {until}, so none is needed now.")
            }
            Some(left) => format!(
                "But a burst is open until {until}, for {}, so no code is needed now.",
                output::count(left, "connection")
            ),
        });
    }
    if details::flag(explained, "unremembered") {
        return Some(
            "The rule remembers logins, but not this one: it comes from no address that is one host's."
                .into(),
        );
    }
    let remember = number("remember").map(|seconds| {
        format!("is remembered for {} from there at this service", output::duration(seconds))
    });
    let burst = number("burst")
        .map(|seconds| format!("also opens further connections for {}", output::duration(seconds)));
    let effects: Vec<_> = [remember, burst].into_iter().flatten().collect();
    (!effects.is_empty()).then(|| format!("A right code {}.", effects.join(", and ")))
}

/// Returns what the module returns to libpam.
fn pam(explained: &Map<String, Value>) -> String {
    let pam = details::escape_text(explained, "pam");
    let sentence = details::escape_text(explained, "sentence");
    let reason = details::text(explained, "reason");
    let methods = details::texts(explained, "methods").join(", ");
    match pam.as_str() {
        "PAM_SUCCESS" if reason == "factor-shown-at-login" => {
            "PAM gets PAM_SUCCESS for the first code of a new factor, and PAM_AUTH_ERR otherwise."
                .into()
        }
        "PAM_SUCCESS" => {
            format!(
                "PAM gets PAM_SUCCESS for a right code ({methods}), and PAM_AUTH_ERR otherwise."
            )
        }
        "PAM_IGNORE" => format!("PAM gets PAM_IGNORE: {sentence}."),
        _ => format!("PAM gets {pam} for every answer: {sentence}."),
    }
}

/// Returns what the person sees.
fn shown(explained: &Map<String, Value>) -> String {
    let shows = details::escape_text(explained, "shows");
    match (shows.as_str(), details::flag(explained, "asks")) {
        ("", true) => "The person sees the key of a new factor.".into(),
        ("", false) => "The person sees nothing.".into(),
        (shows, _) => format!("The person sees: {}", shows.trim_end()),
    }
}

/// Returns what the stack of the service makes of it.
fn line(explained: &Map<String, Value>, asking: &Asking) -> Vec<String> {
    let service = details::escape_text(explained, "service");
    let line = match asking {
        Asking::NoStack => {
            return vec![format!("There is no PAM service {service} here: see /etc/pam.d.")];
        }
        Asking::NoLine => {
            return vec![format!(
                "But {service} asks for no code: it has no line of pam_totp.so. Next: totpctl enable \
                 {service}"
            )];
        }
        Asking::Line(line) => line,
    };
    let AskingLine { place, options, denies, lets_nobody_by } = line;
    let options = match options.as_slice() {
        [] => "without options".to_owned(),
        options => format!("with {}", totpd_journal::escape::escape(&options.join(" "))),
    };
    let mut lines = vec![format!("The line that asks: {}, {options}.", files::display(place))];
    if let Some(reason) = denies {
        lines.push(format!("But that line denies every login: {reason}."));
    }
    if *lets_nobody_by && details::text(explained, "pam") == "PAM_IGNORE" {
        lines.push(
            "But PAM_IGNORE lets nobody in here, because no other line accepts. Behind a password or a key, \
             add \"auth required pam_permit.so\" after that line."
                .into(),
        );
    }
    lines
}

/// Returns a rule, and why it fits or not.
fn rule(rule: &Map<String, Value>) -> String {
    let text = |key| details::escape_text(rule, key);
    let place = match text("place").as_str() {
        "" => String::new(),
        place => format!(" ({place})"),
    };
    match details::text(rule, "judgment").as_str() {
        "fits" => format!("  {}{place}: it fits: {}", text("name"), text("then")),
        _ => format!("  {}{place}: {}", text("name"), text("why")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn explained(more: Value) -> Map<String, Value> {
        let mut explained = json!({
            "user": "alice", "service": "sshd", "from": "10.1.2.3", "at": 0, "rule": "office",
            "requirement": "skip", "in_doubt": false, "pam": "PAM_IGNORE", "asks": false,
            "reason": "skipped-by-rule", "sentence": "no code is needed here", "methods": [],
            "rules": [
                {"name": "always", "place": "/f:2", "then": "require", "judgment": "misfits",
                 "condition": "services", "why": "it is for sudo, and not for sshd"},
                {"name": "office", "place": "/f:9", "then": "skip", "judgment": "fits", "why": "it fits"},
            ],
        });
        explained.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        explained.as_object().unwrap().clone()
    }

    fn asking(lets_nobody_by: bool) -> Asking {
        let place = pam_stack::Place { file: "/etc/pam.d/sshd".into(), line: 2 };
        let options = vec!["quiet".into()];
        Asking::Line(AskingLine { place, options, denies: None, lets_nobody_by })
    }

    #[test]
    fn a_page_says_what_decides_and_why_each_earlier_rule_does_not_fit() {
        let text = page(&explained(json!({})), &asking(false));
        for line in [
            "No code is needed: the rule \"office\" decides.\n",
            "PAM gets PAM_IGNORE: no code is needed here.\n",
            "The person sees nothing.\n",
            "The line that asks: /etc/pam.d/sshd:2, with quiet.\n",
            "  always (/f:2): it is for sudo, and not for sshd\n",
            "  office (/f:9): it fits: skip\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("But"), "{text}");
    }

    #[test]
    fn a_page_names_what_the_stack_makes_of_it() {
        let alone = page(&explained(json!({})), &asking(true));
        assert!(alone.contains("PAM_IGNORE lets nobody in here"), "{alone}");
        let code = json!({
            "requirement": "code", "rule": "", "pam": "PAM_SUCCESS", "asks": true, "rules": [],
            "shows": "Verification code: ", "methods": ["totp", "recovery"], "in_doubt": true,
        });
        let text = page(&explained(code), &asking(true));
        for line in [
            "A code is needed: no rule fits.\n",
            "PAM gets PAM_SUCCESS for a right code (totp, recovery), and PAM_AUTH_ERR otherwise.\n",
            "The person sees: Verification code:\n",
            "so the stricter result holds.\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("But") && !text.contains("Rules"), "{text}");
        let none = page(&explained(json!({})), &Asking::NoLine);
        assert!(none.contains("totpctl enable sshd"), "{none}");
        assert!(page(&explained(json!({})), &Asking::NoStack).contains("no PAM service sshd"));
    }

    #[test]
    fn a_page_tells_what_is_remembered() {
        let code = |more: Value| {
            let mut keys = json!({"requirement": "code"});
            keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            page(&explained(keys), &asking(false))
        };
        for (more, expected) in [
            (json!({"remembered_until": 0}), "But an earlier code is remembered until "),
            (json!({"remembered_until": 0, "connections": 3}), ", for 3 connections, so no code"),
            (json!({"unremembered": true}), "but not this one: it comes from no address"),
            (json!({"remember": 3600}), "A right code is remembered for 60 min from there"),
            (
                json!({"remember": 60, "burst": 20}),
                "at this service, and also opens further connections for 20 s.\n",
            ),
        ] {
            let text = code(more);
            assert!(text.contains(expected), "{expected}{text}");
        }
        assert!(!code(json!({})).contains("remember"));
    }

    #[test]
    fn a_page_tells_a_refusal_and_a_deadline() {
        for (more, expected) in [
            (
                json!({"requirement": "deny", "pam": "PAM_AUTH_ERR", "sentence": "nobody gets in here"}),
                "Nobody gets in: the rule \"office\" decides.\nPAM gets PAM_AUTH_ERR for every answer: nobody gets in here.\n",
            ),
            (
                json!({"requirement": "enroll", "deadline": 0, "shows": "Enroll"}),
                ", without a factor: the rule \"office\" decides.\n",
            ),
            (
                json!({"pam": "PAM_SUCCESS", "reason": "factor-shown-at-login", "asks": true}),
                "The person sees the key of a new factor.\n",
            ),
        ] {
            let text = page(&explained(more), &asking(false));
            assert!(text.contains(expected), "{expected}{text}");
        }
    }
}
