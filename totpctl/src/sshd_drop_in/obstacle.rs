//! Why a drop-in would not set its lines. sshd obeys the first line of a keyword. Pure.

use std::path::Path;

use super::content::{Content, FILE};
use super::line::Line;
use crate::host::sshd::config::trace::{Include, Trace};

/// Returns why the drop-in cannot set these lines, with the change to make. `present`: the file of
/// that name. `has_folder`: whether its folder exists.
pub(crate) fn obstacle(
    lines: &[Line],
    trace: &Trace,
    present: Option<&Content>,
    has_folder: bool,
) -> Option<String> {
    let texts: Vec<_> = lines.iter().map(|line| format!("\"{}\"", line.text(' '))).collect();
    let texts = texts.join(" and ");
    let option = lines.iter().find_map(|line| trace.option(&[line.keyword()]));
    if let Some(keyword) = option {
        return Some(format!(
            "sshd was started with -o {keyword}, which no file can change; change that option, and restart sshd"
        ));
    }
    let main = trace.file.as_deref().unwrap_or("sshd_config");
    let include = trace.include_of(Path::new(FILE)).filter(|_| trace.can_include());
    let Some(include) = include else {
        return Some(format!(
            "this sshd would not read {FILE}, because no line includes it; write {texts} in {main}, above any line \
             that says otherwise"
        ));
    };
    match present {
        Some(Content::Foreign) => {
            return Some(format!("totpctl did not write {FILE}; write {texts} there"));
        }
        Some(Content::Edited) => {
            return Some(format!("{FILE} was changed since totpctl wrote it; write {texts} there"));
        }
        None if !has_folder => {
            let folder = Path::new(FILE).parent().unwrap_or(Path::new("/")).display();
            return Some(format!("there is no folder {folder}; create it"));
        }
        Some(Content::Own(_)) | None => {}
    }
    lines.iter().find_map(|line| {
        let (file, number) = trace.place(&[line.keyword()])?;
        comes_before(&file, number, include).then(|| {
            format!(
                "sshd obeys the first line of a keyword, and {file}:{number} comes before {FILE}; write \"{}\" there",
                line.text(' ')
            )
        })
    })
}

/// Reports whether sshd reads a line before our file.
fn comes_before(file: &str, line: usize, include: &Include) -> bool {
    if file == include.file {
        return line < include.line;
    }
    // sshd reads the files of one Include line in the order of their names.
    include.selects(Path::new(file)) && file < FILE
}

#[cfg(test)]
mod tests {
    use super::*;

    const INCLUDES: &str = "\
debug2: load_server_config: filename /etc/ssh/sshd_config
debug2: /etc/ssh/sshd_config line 12: new include /etc/ssh/sshd_config.d/*.conf
debug2: load_server_config: filename /etc/ssh/sshd_config.d/05-early.conf
";

    fn found(setting: &str, present: Option<Content>) -> Option<String> {
        let trace = Trace::parse(&format!("{INCLUDES}{setting}\n"));
        obstacle(&[Line::Ask], &trace, present.as_ref(), true)
    }

    #[test]
    fn a_line_that_sshd_reads_before_is_named() {
        for (place, is_named) in [
            ("/etc/ssh/sshd_config.d/05-early.conf:2", true),
            ("/etc/ssh/sshd_config.d/50-redhat.conf:2", false),
            ("/etc/ssh/sshd_config:11", true),
            ("/etc/ssh/sshd_config:62", false),
        ] {
            let line = format!("debug3: {place} setting KbdInteractiveAuthentication no");
            let told = found(&line, None);
            assert_eq!(told.is_some_and(|told| told.contains(place)), is_named, "{place}");
        }
        let old = "debug3: /etc/ssh/sshd_config:3 setting ChallengeResponseAuthentication no";
        assert!(found(old, None).unwrap().contains("/etc/ssh/sshd_config:3"));
    }

    #[test]
    fn a_file_that_totpctl_did_not_write_is_left() {
        assert!(found("", Some(Content::Foreign)).unwrap().contains("did not write"));
        assert!(found("", Some(Content::Edited)).unwrap().contains("was changed since"));
        assert_eq!(found("", Some(Content::Own(vec![Line::Ask]))), None);
        assert_eq!(found("", None), None);
        let trace = Trace::parse(INCLUDES);
        let told = obstacle(&[Line::Ask], &trace, None, false).unwrap();
        assert!(told.contains("no folder /etc/ssh/sshd_config.d"), "{told}");
    }

    #[test]
    fn an_sshd_that_reads_no_drop_ins_is_told_apart() {
        let lines = [Line::AskOld, Line::NoPasswords];
        for text in [
            "debug2: load_server_config: filename /etc/ssh/sshd_config",
            "debug2: /etc/ssh/sshd_config line 1: new include /etc/ssh/other/*.conf",
        ] {
            let told = obstacle(&lines, &Trace::parse(text), None, true).unwrap();
            let named = "\"ChallengeResponseAuthentication yes\" and \"PasswordAuthentication no\"";
            assert!(told.contains(named) && told.contains("no line includes it"), "{told}");
        }
        let trace = Trace::parse(INCLUDES).with_options(vec!["UsePAM".into()]);
        let told = obstacle(&[Line::UsePam], &trace, None, true).unwrap();
        assert!(told.contains("-o UsePAM"), "{told}");
    }
}
