//! The lines by which a wrong password ends a file of many services that continues after it now.

use crate::control::Action;
use crate::dispatch::run;
use crate::explore::analyze;
use crate::never_accepting_modules::never_accepts;
use crate::parse::{Directive, Kind, Line, parse_lines_of};
use crate::password::is_password;
use crate::return_code::ReturnCode;
use crate::stack::{Rule, Stack};

/// The lines to write in a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EndingLines {
    /// The number and the new text of each line that changes.
    pub replaced: Vec<(usize, String)>,
    /// The number of the line behind which [`PERMIT`] has to stand, if it has to. The passwords
    /// jump there.
    pub permit_behind: Option<usize>,
}

/// Returns the lines by which a wrong password ends the stack in a file with this text. A right
/// password continues to the lines of the services. `exists` reports whether a module is installed.
///
/// Returns nothing if there are no such lines, or if they would accept or deny other logins than
/// the present ones, or if a line of the second factor behind them would not do all that it has to.
#[must_use]
pub fn ending_lines(text: &str, exists: &dyn Fn(&str) -> bool) -> Option<EndingLines> {
    let own = parse_lines_of(text, Kind::Auth)?;
    let before = rules(text)?;
    let is_module = |line: &Line| {
        matches!(line.directive, Directive::Module { .. }) && line.number == line.last
    };
    if !own.iter().all(is_module) || own.len() != before.len() || before.iter().any(Rule::is_factor)
    {
        return None;
    }
    let last = before.iter().rposition(is_password)?;
    let deny = before.iter().rposition(|rule| rule.module() == "pam_deny");
    let found = match deny {
        Some(deny) if deny > last => jumps_behind(text, &own, &before, deny)?,
        Some(_) => return None,
        None => all_requisite(text, &own, &before)?,
    };
    (is_same_to_users(&before, &found, text) && is_safe(&found, text, exists)).then_some(found)
}

/// Lets the success of each password jump to the line behind that of `pam_deny`.
fn jumps_behind(text: &str, own: &[Line], rules: &[Rule], deny: usize) -> Option<EndingLines> {
    let mut replaced = Vec::new();
    for (at, (line, rule)) in own.iter().zip(rules).enumerate() {
        let success = rule.control.action(ReturnCode::SUCCESS);
        if is_password(rule) {
            let ends = matches!(success, Action::Done | Action::Jump(_));
            let word = format!("[success={} default=ignore]", deny - at);
            replaced.push((line.number, ends.then(|| with_word(text, line, &word))??));
        } else if at == deny {
            replaced.push((line.number, with_word(text, line, "requisite")?));
        }
    }
    let permit_behind = own.get(deny).map(|line| line.number);
    Some(EndingLines { replaced, permit_behind })
}

/// Makes all passwords `requisite`.
fn all_requisite(text: &str, own: &[Line], rules: &[Rule]) -> Option<EndingLines> {
    let mut replaced = Vec::new();
    for (line, rule) in own.iter().zip(rules).filter(|(_, rule)| is_password(rule)) {
        let counts = rule.control.action(ReturnCode::SUCCESS) == Action::Ok
            && rule.control.action(ReturnCode::AUTH_ERR) == Action::Bad;
        replaced.push((line.number, counts.then(|| with_word(text, line, "requisite"))??));
    }
    Some(EndingLines { replaced, permit_behind: None })
}

/// Returns a line with another control word.
fn with_word(text: &str, line: &Line, word: &str) -> Option<String> {
    let Directive::Module { path, args, .. } = &line.directive else { return None };
    let raw = text.split('\n').nth(line.number - 1)?;
    let dash = if raw.trim_start().starts_with('-') { "-" } else { "" };
    let mut new = format!("{dash}auth {word} {path}");
    for arg in args {
        let has_blank = arg.contains([' ', '\t']);
        new.push_str(&if has_blank { format!(" [{arg}]") } else { format!(" {arg}") });
    }
    Some(new)
}

impl EndingLines {
    /// Returns the text with these lines.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let mut changed = String::with_capacity(text.len());
        for (number, line) in (1..).zip(text.lines()) {
            let new = self.replaced.iter().find(|(replaced, _)| *replaced == number);
            changed.push_str(new.map_or(line, |(_, new)| new));
            changed.push('\n');
            if self.permit_behind == Some(number) {
                changed.extend([PERMIT, "\n"]);
            }
        }
        changed
    }
}

fn rules(text: &str) -> Option<Vec<Rule>> {
    match Stack::parse("file", Kind::Auth, &|name| (name == "file").then(|| text.to_owned())) {
        Stack::Rules(rules) => Some(rules),
        _ => None,
    }
}

/// Reports whether the new lines accept the same logins as the present ones, for any results of the
/// modules.
fn is_same_to_users(before: &[Rule], found: &EndingLines, text: &str) -> bool {
    let Some(after) = rules(&found.apply(text)) else { return false };
    let is_free = |rule: &&Rule| !is_fixed(rule) && !never_accepts(rule);
    let free: Vec<_> = before.iter().filter(is_free).map(|rule| rule.place.line).collect();
    let exponent = u32::try_from(free.len()).unwrap_or(u32::MAX);
    let Some(count) = RESULTS.len().checked_pow(exponent).filter(|count| *count <= MAX_RUNS) else {
        return false;
    };
    (0..count).all(|number| {
        let result = |rule: &Rule, line: usize| match rule.module() {
            "pam_deny" => ReturnCode::AUTH_ERR,
            "pam_permit" => ReturnCode::SUCCESS,
            _ => {
                let at = free.iter().position(|free| *free == line);
                let digit = at.map(|at| number / RESULTS.len().pow(u32::try_from(at).unwrap_or(0)));
                let digit = digit.and_then(|digit| RESULTS.get(digit % RESULTS.len()));
                digit.copied().unwrap_or(ReturnCode::IGNORE)
            }
        };
        let is_moved = |line: usize| found.permit_behind.is_some_and(|permit| line > permit);
        let now = run(before, |rule| result(rule, rule.place.line));
        let then = run(&after, |rule| {
            let line = rule.place.line;
            result(rule, line - usize::from(is_moved(line)))
        });
        (now == ReturnCode::SUCCESS) == (then == ReturnCode::SUCCESS)
    })
}

fn is_fixed(rule: &Rule) -> bool {
    ["pam_deny", "pam_permit"].contains(&rule.module())
}

/// Reports whether a line of the second factor behind the file asks after the right password alone,
/// and skips all users without a factor if it has `nullok`.
fn is_safe(found: &EndingLines, text: &str, exists: &dyn Fn(&str) -> bool) -> bool {
    ["", " nullok"].iter().all(|options| {
        let whole = format!("{}auth required pam_totp.so{options}\n", found.apply(text));
        let Some(rules) = rules(&whole) else { return false };
        let analysis = analyze(&rules, exists);
        let skips = analysis.skips_unenrolled && !analysis.denies_unenrolled_root;
        analysis.can_succeed
            && analysis.bypasses.is_empty()
            && analysis.after_wrong_password.is_empty()
            && analysis.jumps_past_end.is_empty()
            && skips != options.is_empty()
            && !analysis.skips_strangers
    })
}

/// The line to which a right password jumps. It accepts users that `nullok` skips.
pub const PERMIT: &str = "auth required pam_permit.so";
/// What modules return, as far as usual lines tell it apart.
const RESULTS: [ReturnCode; 3] = [ReturnCode::SUCCESS, ReturnCode::AUTH_ERR, ReturnCode::IGNORE];
const MAX_RUNS: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of Fedora: profile local or sssd of authselect, with or without faillock.
    fn fedora(sssd: bool, faillock: bool) -> String {
        let user = "auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n";
        let local = "auth [default=1 ignore=ignore success=ok] pam_localuser.so\n";
        [
            (true, "auth required pam_env.so\nauth required pam_faildelay.so delay=2000000\n"),
            (faillock, "auth required pam_faillock.so preauth silent\n"),
            (sssd, user),
            (sssd, local),
            (true, "auth        sufficient     pam_unix.so nullok\n"),
            (sssd, user),
            (sssd, "auth sufficient pam_sss.so forward_pass\n"),
            (faillock, "auth required pam_faillock.so authfail\n"),
            (true, "auth required pam_deny.so\n\naccount required pam_unix.so\n"),
        ]
        .into_iter()
        .filter_map(|(wanted, text)| wanted.then_some(text))
        .collect()
    }

    #[test]
    fn the_jumps_of_fedoras_files_land_behind_pam_deny() {
        for (sssd, faillock, jumps, deny) in [
            (false, false, &[(3, 1)][..], 4),
            (false, true, &[(4, 2)], 6),
            (true, false, &[(5, 3), (7, 1)], 8),
            (true, true, &[(6, 4), (8, 2)], 10),
        ] {
            let text = fedora(sssd, faillock);
            let found = ending_lines(&text, &|_| true).expect(&text);
            assert_eq!(found.permit_behind, Some(deny), "{text}");
            let modules = ["pam_unix.so nullok", "pam_sss.so forward_pass"];
            let mut expected: Vec<_> = jumps
                .iter()
                .zip(modules)
                .map(|((line, over), module)| {
                    (*line, format!("auth [success={over} default=ignore] {module}"))
                })
                .collect();
            expected.push((deny, "auth requisite pam_deny.so".to_owned()));
            assert_eq!(found.replaced, expected, "{text}");
        }
    }

    #[test]
    fn what_would_shut_users_out_is_not_the_same_to_users() {
        let text = fedora(true, true);
        let before = rules(&text).unwrap();
        let right = ending_lines(&text, &|_| true).unwrap();
        assert!(is_same_to_users(&before, &right, &text));
        // The lines of the advice that totpctl had before.
        for (from, to) in [("success=4", "success=2"), ("success=2", "success=1")] {
            let mut wrong = right.clone();
            for (_, line) in &mut wrong.replaced {
                *line = line.replace(from, to);
            }
            assert!(!is_same_to_users(&before, &wrong, &text), "{to}");
        }
    }

    #[test]
    fn only_a_file_that_is_understood_gets_lines() {
        let required = "auth required pam_env.so\nauth required pam_unix.so try_first_pass\n";
        let found = ending_lines(required, &|_| true).unwrap();
        let expected = (2, "auth requisite pam_unix.so try_first_pass".to_owned());
        assert_eq!((found.replaced, found.permit_behind), (vec![expected], None));
        for text in [
            // A finger would be enough.
            "auth sufficient pam_fprintd.so\nauth sufficient pam_unix.so\nauth required pam_deny.so\n",
            "auth sufficient pam_unix.so\n",
            "auth include other-auth\nauth sufficient pam_unix.so\nauth required pam_deny.so\n",
            "auth sufficient \\\n pam_unix.so\nauth required pam_deny.so\n",
            "auth required pam_unix.so\nauth required pam_totp.so\n",
            "auth required pam_deny.so\n",
        ] {
            assert_eq!(ending_lines(text, &|_| true), None, "{text}");
        }
    }
}
