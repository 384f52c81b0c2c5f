//! What is said of a trial that ended.

use serde_json::{Map, Value, json};

use crate::findings::sshd::password_alone;
use crate::host::sshd::question::supposes;
use crate::pam::files::read;
use crate::sshd_drop_in::content::FILE;
use crate::trial::state::{Edit, Trial};

/// Says how a trial ended, whether passwords alone now let users in by ssh, and where the edits of
/// other programs are.
pub(super) fn outcome_and_danger(trial: &Trial) -> String {
    let is_reverted = trial.kept_by.is_none() && trial.services.iter().any(|name| name == "sshd");
    // What was supposed of sshd holds no more.
    let danger = if is_reverted && !supposes() { password_alone(&read) } else { None };
    let danger = danger.map(|sentence| format!(" {sentence}")).unwrap_or_default();
    format!("{}{danger}{}", outcome(trial), edits(trial))
}

/// Says how a trial ended, and where the edits of other programs are.
pub(super) fn outcome_and_edits(trial: &Trial) -> String {
    format!("{}{}", outcome(trial), edits(trial))
}

fn outcome(trial: &Trial) -> String {
    let services = trial.services.join(", ");
    let of_sshd = match (trial.reloads_sshd, &trial.reload) {
        (true, Some(reload)) => format!(" {FILE} is as before, and {reload}."),
        (true, None) => format!(" {FILE} is as before."),
        (false, _) => String::new(),
    };
    match (&trial.kept_by, &trial.failed) {
        (Some(user), _) => format!("{services}: the change is kept, {user} logged in with a code."),
        (None, Some(reason)) => {
            format!("{services}: reverted, the trial could not start: {reason}")
        }
        (None, None) => {
            let warning =
                trial.warning.as_ref().map(|told| format!(" {told}.")).unwrap_or_default();
            format!("{services}: reverted, nobody logged in with a code.{of_sshd}{warning}")
        }
    }
}

/// Returns a paragraph for each edit that the end of the trial replaced.
fn edits(trial: &Trial) -> String {
    trial.edited.iter().map(|edit| format!("\n{}", paragraph(trial, edit))).collect()
}

fn paragraph(trial: &Trial, Edit { path, kept }: &Edit) -> String {
    let file = path.display().to_string();
    let Some(kept) = kept else {
        return format!(
            "{file} was edited during the trial. The edit is lost, because it could not be saved."
        );
    };
    let kept = kept.display();
    let existed = trial.files.iter().any(|tried| tried.path == *path && tried.existed);
    let look = match existed {
        true => format!("diff {file} {kept}"),
        false => format!("cat {kept}"),
    };
    let reload = match file == FILE {
        true => ", then reload sshd",
        false => "",
    };
    format!(
        "{file} was edited during the trial. The edited file is saved, with the tried lines in it.\n  To see your \
         edit: {look}\n  To put it back, with the tried lines{reload}: cp {kept} {file}"
    )
}

pub(super) fn object(trial: &Trial) -> Map<String, Value> {
    let edit = |edit: &Edit| json!({ "file": edit.path, "saved": edit.kept });
    Map::from_iter([
        ("services".to_owned(), json!(trial.services)),
        ("changed".to_owned(), trial.kept_by.is_some().into()),
        ("kept_by".to_owned(), json!(trial.kept_by)),
        ("failed".to_owned(), json!(trial.failed)),
        ("started".to_owned(), trial.started.into()),
        ("ends".to_owned(), trial.ends.into()),
        ("warning".to_owned(), json!(trial.warning)),
        ("edited".to_owned(), trial.edited.iter().map(edit).collect()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::output::undescribed_keys;
    use crate::trial::state::Tried;

    fn trial(existed: bool, kept: Option<&str>) -> Trial {
        let path = || "/etc/pam.d/sshd".into();
        Trial {
            services: vec!["sshd".into()],
            files: vec![Tried { path: path(), existed, text: String::new() }],
            edited: vec![Edit { path: path(), kept: kept.map(Into::into) }],
            ..Trial::default()
        }
    }

    #[test]
    fn an_edit_is_told_with_the_commands_that_put_it_back() {
        let kept = Some("/var/lib/totpctl/sshd.edited");
        let text = outcome_and_edits(&trial(true, kept));
        let expected = "sshd: reverted, nobody logged in with a code.
/etc/pam.d/sshd was edited during the trial. The edited file is saved, with the tried lines in it.
  To see your edit: diff /etc/pam.d/sshd /var/lib/totpctl/sshd.edited
  To put it back, with the tried lines: cp /var/lib/totpctl/sshd.edited /etc/pam.d/sshd";
        assert_eq!(text, expected);
        let text = outcome_and_edits(&trial(false, kept));
        assert!(text.contains("edit: cat /var/lib/totpctl/sshd.edited\n"), "{text}");
        let text = outcome_and_edits(&trial(true, None));
        assert!(text.ends_with("The edit is lost, because it could not be saved."), "{text}");
        let phrase = Some("sshd still obeys the lines of the trial".to_owned());
        let warned = outcome_and_edits(&Trial { warning: phrase, ..trial(true, None) });
        assert!(
            warned.contains("with a code. sshd still obeys the lines of the trial."),
            "{warned}"
        );
        let none = Trial { edited: Vec::new(), ..trial(true, None) };
        assert_eq!(outcome_and_edits(&none), "sshd: reverted, nobody logged in with a code.");
    }

    #[test]
    fn an_ended_trial_is_an_object_of_the_schema() {
        let object = Value::from(object(&trial(true, None)));
        let keys: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
        let schema = include_str!("../../../../docs/reference/totpctl.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let described = &schema["$defs"]["trial"]["properties"];
        assert!(keys.iter().all(|key| described.get(key).is_some()), "{keys:?}");
        assert!(!undescribed_keys("try", &object).contains(&"edited".to_owned()));
    }
}
