//! What sshd makes of its own configuration, by its own word (`sshd -T`).

use std::path::Path;
use std::process::{Command, Stdio};

use super::Report;

/// Adds what stands between the stack of sshd and whoever logs in.
pub(super) fn look_at(report: &mut Report) {
    let Some(sshd) =
        ["/usr/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|path| Path::new(path).exists())
    else {
        return;
    };
    if !nix::unistd::geteuid().is_root() {
        report.notes.push("what sshd itself is told is looked at for root alone".into());
        return;
    }
    let told = Command::new(sshd).arg("-T").stdin(Stdio::null()).output();
    let told = match told {
        Ok(told) if told.status.success() => String::from_utf8_lossy(&told.stdout).into_owned(),
        Ok(told) => {
            let why = String::from_utf8_lossy(&told.stderr);
            let why = why.lines().next().unwrap_or("it says nothing").to_owned();
            report.wrong.push(format!("sshd cannot read its configuration (sshd -T): {why}"));
            return;
        }
        Err(error) => {
            report.notes.push(format!("{sshd} -T cannot be run: {error}"));
            return;
        }
    };
    judge(&told, report);
}

/// Why sshd could ask nobody for a code, whatever its stack says.
pub(crate) fn what_is_wrong() -> Option<String> {
    let mut report = Report::default();
    look_at(&mut report);
    (!report.wrong.is_empty()).then(|| report.wrong.join("; "))
}

/// What follows from the words of `sshd -T`. Blocks of `Match` may say otherwise for some.
fn judge(told: &str, report: &mut Report) {
    let value = |key: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        line.unwrap_or_default().trim()
    };
    if value("usepam") == "no" {
        report.wrong.push("sshd asks PAM for nothing: write UsePAM yes in sshd_config".into());
        return;
    }
    let methods = value("authenticationmethods");
    let any = methods.is_empty() || methods == "any";
    if value("kbdinteractiveauthentication") == "no" {
        report.wrong.push(
            "sshd cannot ask for a code: write KbdInteractiveAuthentication yes in sshd_config, where \
             no drop-in that comes before says no"
                .into(),
        );
        return;
    }
    if any && value("pubkeyauthentication") == "yes" {
        report.notes.push(
            "a key alone gets in: for key and code write AuthenticationMethods \
             publickey,keyboard-interactive"
                .into(),
        );
    }
    let without =
        |list: &&str| !list.contains("keyboard-interactive") && !list.contains("password");
    if let Some(list) = methods.split(' ').find(|list| !any && without(list)) {
        report.notes.push(format!("AuthenticationMethods {list} asks for no code"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_the_question_away_is_wrong_and_a_key_alone_is_told() {
        let key = "usepam yes\nkbdinteractiveauthentication yes\npubkeyauthentication yes\n";
        for (told, wrong, notes) in [
            ("usepam no\nkbdinteractiveauthentication yes\n", 1, 0),
            ("usepam yes\nkbdinteractiveauthentication no\n", 1, 0),
            ("usepam yes\nkbdinteractiveauthentication yes\npubkeyauthentication no\n", 0, 0),
            (&*format!("{key}authenticationmethods any\n"), 0, 1),
            (&*format!("{key}authenticationmethods publickey,keyboard-interactive\n"), 0, 0),
            (&*format!("{key}authenticationmethods publickey keyboard-interactive\n"), 0, 1),
        ] {
            let mut report = Report::default();
            judge(told, &mut report);
            assert_eq!((report.wrong.len(), report.notes.len()), (wrong, notes), "{told}");
        }
    }
}
