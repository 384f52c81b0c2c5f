//! `totpctl explain`: which rule decides about a login, what PAM gets, and what the person sees.

mod words;

use serde_json::{Map, Value, json};
use totpd_interface::login::COMBINED_PROMPT;
use totpd_interface::{Dictionary, JudgedRule, ModuleOption};

use self::words::page;
use crate::cli::Explain;
use crate::client::{Client, details};
use crate::error::Error;
use crate::pam::asking_line::{Asking, AskingLine};
use crate::pam::files;
use crate::terminal::output;

pub(super) fn run(options: &Explain, json: bool) -> Result<(), Error> {
    let asking = Asking::of(&options.service, &files::read);
    let login = login(options, &asking);
    let client = Client::connect()?;
    let reply = client.manager(async |totpd| totpd.explain(&options.user, &login).await)?;
    let explained = with_rules(details::object(&reply.0), reply.1);
    match json {
        true => output::json(&object(explained, &asking)),
        false => output::lines(&page(&explained, &asking)),
    }
}

/// Returns what the module of the service would send, as far as it is known.
fn login(options: &Explain, asking: &Asking) -> Dictionary {
    let from = options.from.as_deref();
    let rhost = from.filter(|from| *from != "local");
    // su and sudo name the user who asks, and sshd a terminal of this name.
    let is_local = from == Some("local");
    let caller = options.caller.as_deref().or(is_local.then_some(options.user.as_str()));
    let tty = if rhost.is_some() { "ssh" } else { "/dev/pts/0" };
    let line = match asking {
        Asking::Line(line) => line.read_options(),
        Asking::NoLine | Asking::NoStack => Vec::new(),
    };
    let has = |option| line.contains(&option).then_some(true);
    let words = line.iter().find_map(|option| match option {
        ModuleOption::Prompt(words) => Some(*words),
        _ => None,
    });
    let combined = has(ModuleOption::ForwardPass).map(|_| COMBINED_PROMPT);
    details::dictionary([
        ("service", Some(options.service.as_str().into())),
        ("rhost", rhost.map(Into::into)),
        ("ruser", caller.map(Into::into)),
        ("tty", Some(tty.into())),
        ("prompt", words.or(combined).map(Into::into)),
        ("nullok", has(ModuleOption::Nullok).map(Into::into)),
        ("enroll", has(ModuleOption::Enroll).map(Into::into)),
        ("forward_pass", has(ModuleOption::ForwardPass).map(Into::into)),
        ("quiet", has(ModuleOption::Quiet).map(Into::into)),
        ("show_names", has(ModuleOption::ShowNames).map(Into::into)),
        ("at", options.at.map(Into::into)),
    ])
}

/// Adds the rules that the daemon looked at.
fn with_rules(mut explained: Map<String, Value>, rules: Vec<JudgedRule>) -> Map<String, Value> {
    let object = |(name, place, then, judgment, condition, why): JudgedRule| {
        let entries = [
            ("name", name),
            ("place", place),
            ("then", then),
            ("judgment", judgment),
            ("condition", condition),
            ("why", why),
        ];
        // A rule that fits lacks no condition.
        let known =
            entries.into_iter().filter(|(key, text)| *key != "condition" || !text.is_empty());
        known.map(|(key, text)| (key.to_owned(), text.into())).collect::<Map<_, Value>>()
    };
    explained.insert("rules".into(), rules.into_iter().map(object).map(Value::from).collect());
    explained
}

/// Returns what the daemon says, and the line that asks.
fn object(mut explained: Map<String, Value>, asking: &Asking) -> Value {
    let line = match asking {
        Asking::Line(AskingLine { place, options, denies, lets_nobody_by }) => {
            let (file, line) = files::locate(place);
            json!({
                "file": file,
                "line": line,
                "options": options,
                "denies": denies,
                "lets_nobody_by": lets_nobody_by,
            })
        }
        Asking::NoLine | Asking::NoStack => Value::Null,
    };
    explained.insert("asking_line".into(), line);
    explained.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::output::undescribed_keys;

    fn explain(from: Option<&str>, caller: Option<&str>) -> Explain {
        let (user, service) = ("alice".into(), "sudo".into());
        let (from, caller) = (from.map(Into::into), caller.map(Into::into));
        Explain { user, service, from, caller, at: None }
    }

    fn line(options: &[&str]) -> Asking {
        let options = options.iter().map(ToString::to_string).collect();
        let place = pam_stack::Place { file: "/etc/pam.d/sudo".into(), line: 2 };
        Asking::Line(AskingLine { place, options, denies: None, lets_nobody_by: true })
    }

    #[test]
    fn a_login_is_sent_as_the_module_sends_it() {
        for (from, caller, options, expected) in [
            (None, None, &[][..], r#"{"service":"sudo","tty":"/dev/pts/0"}"#),
            (
                Some("10.1.2.3"),
                None,
                &["nullok", "prompt=Code:"],
                r#"{"nullok":true,"prompt":"Code:","rhost":"10.1.2.3","service":"sudo","tty":"ssh"}"#,
            ),
            (
                Some("local"),
                None,
                &["forward_pass"],
                r#"{"forward_pass":true,"prompt":"Password and verification code: ","ruser":"alice","service":"sudo","tty":"/dev/pts/0"}"#,
            ),
            (None, Some("bob"), &[], r#"{"ruser":"bob","service":"sudo","tty":"/dev/pts/0"}"#),
        ] {
            let sent = details::object(&login(&explain(from, caller), &line(options)));
            assert_eq!(Value::from(sent).to_string(), expected);
        }
    }

    #[test]
    fn the_line_is_in_the_object_and_the_schema_has_it() {
        let object = object(Map::new(), &line(&["nullok"]));
        let lacks = undescribed_keys("asking_line", &object["asking_line"]);
        assert_eq!(lacks, ["schema"], "{object}");
    }
}
