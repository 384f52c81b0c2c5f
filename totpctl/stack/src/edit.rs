//! The common changes to the stack of a service: the second factor goes behind the password, or out again.
//! No change is answered that [`look`] finds a way around.

use std::fmt;

use crate::code::Code;
use crate::control::Action;
use crate::line::{Kind, Line, Says, lines};
use crate::paths::{Finding, MOST_RULES, OURS, look};
use crate::run::Progress;
use crate::stack::{Place, Rule, Stack};

/// Why the file of a service is left alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// It asks, and can be entered without a code, or lets nobody in: a person has to look at it.
    Broken,
    /// It asks, or would go on to ask, by a line of another file.
    Elsewhere(Place),
    /// There is no place behind the password to which every login comes.
    NoPlace,
    /// It has no file, or none that libpam can read.
    NoStack,
    /// Lines are jumped over by their number, and there would be another number of them.
    Jumps(Place),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => {
                f.write_str("its stack is not as it should be; totpctl doctor says which line it is")
            }
            Self::Elsewhere(place) => write!(f, "it is {place} that asks for the code"),
            Self::NoPlace => f.write_str(
                "there is no place behind the password that every login comes to; write the line of \
                 pam_totp.so by hand, and have totpctl doctor look at it",
            ),
            Self::NoStack => {
                f.write_str("it has no lines of its own under auth that libpam can read")
            }
            Self::Jumps(place) => write!(
                f,
                "the line at {place} jumps over others by their number; change it by hand, and have \
                 totpctl doctor look at it"
            ),
        }
    }
}

/// The file of `service` with the second factor behind the password, asking with `args`; nothing if it
/// asks so already. Without `args` a line that is there is left as it is. `read` and `exists` are as in
/// [`Stack::of`] and [`look`].
///
/// # Errors
/// [`Refusal`] says why there is no such change.
pub fn enabled(
    service: &str,
    args: Option<&[String]>,
    read: &dyn Fn(&str) -> Option<String>,
    exists: &dyn Fn(&str) -> bool,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    let rules = rules(service, read)?;
    let now = look(&rules, exists);
    if let Some(place) = now.asks.first() {
        if !is_good(&now) {
            return Err(Refusal::Broken);
        }
        let Some(args) = args else { return Ok(None) };
        if place.file != service {
            return Err(Refusal::Elsewhere(place.clone()));
        }
        let changed = with_args(&text, &own, args);
        return Ok((changed != text).then_some(changed));
    }
    let ours = line("required", "pam_totp.so", args.unwrap_or_default());
    if rules.len() > MOST_RULES {
        return Err(Refusal::NoPlace);
    }
    let mut places: Vec<&Line> = own.iter().filter(|line| may_stand_behind(line)).collect();
    if !rules.iter().any(is_password) {
        // Nobody knows which line asks for the password, so it is all of them.
        places.reverse();
    }
    let mut looked_at = 0;
    for changed in places.into_iter().flat_map(|place| around(&text, place, &ours)) {
        let with = |name: &str| if name == service { Some(changed.clone()) } else { read(name) };
        let Stack::Rules(rules) = Stack::of(service, Kind::Auth, &with) else { continue };
        if !is_behind_the_password(&rules) || jump_over_ours(&rules).is_some() {
            continue;
        }
        if is_good(&look(&rules, exists)) {
            return Ok(Some(changed));
        }
        looked_at += 1;
        if looked_at == MOST_LOOKS {
            break;
        }
    }
    Err(Refusal::NoPlace)
}

/// The file of `service` without the second factor; nothing if it asks for none.
///
/// # Errors
/// [`Refusal`] says why there is no such change.
pub fn disabled(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    let before = rules(service, read)?;
    if let Some(place) = jump_over_ours(&before) {
        return Err(Refusal::Jumps(place));
    }
    let mut gone = vec![false; text.lines().count()];
    for line in own.iter().filter(|line| is_ours(&line.says)) {
        for index in line.number - 1..line.last {
            if let Some(gone) = gone.get_mut(index) {
                *gone = true;
            }
        }
    }
    let mut after = String::with_capacity(text.len());
    for (line, gone) in text.split_inclusive('\n').zip(&gone) {
        match line.split_once(WAS_INCLUDE) {
            _ if *gone => {}
            Some((substack, rest)) => {
                after.push_str(&substack.trim_end().replacen("substack", "include", 1));
                after.push_str(rest);
            }
            None => after.push_str(line),
        }
    }
    let without = |name: &str| if name == service { Some(after.clone()) } else { read(name) };
    let left = rules(service, &without)?;
    match left.iter().find(|rule| rule.module() == OURS) {
        Some(rule) => Err(Refusal::Elsewhere(rule.place.clone())),
        None => Ok((after != text).then_some(after)),
    }
}

fn own_lines(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, Vec<Line>), Refusal> {
    let text = read(service).ok_or(Refusal::NoStack)?;
    let own = lines(&text).ok_or(Refusal::NoStack)?;
    Ok((text, own))
}

fn rules(service: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Rule>, Refusal> {
    match Stack::of(service, Kind::Auth, read) {
        Stack::Rules(rules) if !rules.is_empty() => Ok(rules),
        _ => Err(Refusal::NoStack),
    }
}

fn is_good(found: &Finding) -> bool {
    !found.asks.is_empty() && found.opens && found.around.is_empty() && !found.too_long
}

fn may_stand_behind(line: &Line) -> bool {
    match &line.says {
        Says::All(_) => true,
        Says::Include { kind, .. } | Says::Module { kind, .. } => *kind == Kind::Auth,
        Says::Wrong { .. } => false,
    }
}

fn is_ours(says: &Says) -> bool {
    matches!(says, Says::Module { path, .. } if path.rsplit('/').next() == Some("pam_totp.so"))
}

/// Modules that ask for a password, or take the one that was asked for.
fn is_password(rule: &Rule) -> bool {
    [
        "pam_unix",
        "pam_sss",
        "pam_winbind",
        "pam_ldap",
        "pam_krb5",
        "pam_systemd_home",
        "pam_himmelblau",
    ]
    .contains(&rule.module())
}

fn is_behind_the_password(rules: &[Rule]) -> bool {
    let ours = rules.iter().position(|rule| rule.module() == OURS);
    let password = rules.iter().rposition(is_password);
    password.is_none_or(|password| ours.is_some_and(|ours| password < ours))
}

/// A line before the second factor that jumps beyond it: with another number of lines it would lead
/// elsewhere.
fn jump_over_ours(rules: &[Rule]) -> Option<Place> {
    let ours = rules.iter().position(|rule| rule.module() == OURS)?;
    rules.iter().take(ours).enumerate().find_map(|(at, rule)| {
        let jumps = |code: &Code| matches!(rule.control.action(*code), Action::Jump(_));
        let beyond = Code::all().filter(jumps).any(|code| {
            let mut progress = Progress::new();
            progress.at = at;
            progress.go_on(rules, code);
            progress.at > ours
        });
        beyond.then(|| rule.place.clone())
    })
}

/// The text with `ours` behind `place`: as it is, and with an `include` that what is in it may end made a
/// `substack`, which ends no more than itself.
fn around(text: &str, place: &Line, ours: &str) -> Vec<String> {
    let put = |text: &str| {
        let mut changed = String::with_capacity(text.len() + ours.len() + 1);
        for (index, line) in text.split_inclusive('\n').enumerate() {
            changed.push_str(line);
            if index + 1 == place.last {
                if !line.ends_with('\n') {
                    changed.push('\n');
                }
                changed.push_str(ours);
            }
        }
        changed
    };
    let mut changed = vec![put(text)];
    if let Says::Include { substack: false, .. } = place.says
        && place.number == place.last
    {
        let mut with_substack = String::with_capacity(text.len() + 32);
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let (bare, end) = line.strip_suffix('\n').map_or((line, ""), |bare| (bare, "\n"));
            match index + 1 == place.number && !bare.contains('#') {
                true => {
                    let substack = bare.replacen("include", "substack", 1);
                    with_substack.push_str(&format!("{substack}{WAS_INCLUDE}{end}"));
                }
                false => with_substack.push_str(line),
            }
        }
        if with_substack != text {
            changed.push(put(&with_substack));
        }
    }
    changed
}

/// The text with other options in the lines of the second factor.
fn with_args(text: &str, own: &[Line], args: &[String]) -> String {
    let mut changed = String::with_capacity(text.len());
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let is_in = |line: &&Line| line.number <= number && number <= line.last;
        match own.iter().find(is_in).map(|line| (line, &line.says)) {
            Some((found, Says::Module { kind: Kind::Auth, word, path, args: old, .. }))
                if is_ours(&found.says) && old != args =>
            {
                if found.number == number {
                    changed.push_str(&line(word, path, args));
                }
            }
            _ => changed.push_str(raw),
        }
    }
    changed
}

/// A line for `auth`.
fn line(word: &str, path: &str, args: &[String]) -> String {
    let word = if word.contains('=') { format!("[{word}]") } else { word.to_owned() };
    let mut line = format!("auth    {word}    {path}");
    for arg in args {
        let blank = arg.contains([' ', '\t']);
        line.push_str(&if blank { format!(" [{arg}]") } else { format!(" {arg}") });
    }
    line.push('\n');
    line
}

/// Behind a line that was an `include` before, so that it can be one again.
const WAS_INCLUDE: &str = " # totpctl: was include";
/// Places that are looked at, each by every way through the stack.
const MOST_LOOKS: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::stack::What;
    use Stack::Rules;

    const DEBIAN: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n\
                          auth required pam_permit.so\n";
    const FEDORA: &str = "auth required pam_env.so\nauth sufficient pam_unix.so nullok\n\
                          auth required pam_deny.so\n";

    fn files(own: &str) -> impl Fn(&str) -> Option<String> {
        let files = HashMap::from([
            ("x", own.to_owned()),
            ("common-auth", DEBIAN.to_owned()),
            ("system-auth", FEDORA.to_owned()),
            ("profile", format!("{DEBIAN}auth required pam_totp.so nullok\n")),
        ]);
        move |name| files.get(name).cloned()
    }

    fn enable(own: &str, args: Option<&[&str]>) -> Result<Option<String>, Refusal> {
        let args: Option<Vec<String>> =
            args.map(|args| args.iter().map(|arg| (*arg).to_owned()).collect());
        enabled("x", args.as_deref(), &files(own), &|_| true)
    }

    #[test]
    fn it_goes_behind_the_password_and_out_again_without_a_trace() {
        let debian = "# sshd\n@include common-auth\naccount required pam_nologin.so\n";
        let su = "auth sufficient pam_rootok.so\n@include common-auth\nauth optional pam_group.so";
        let fedora = "auth\tinclude\tsystem-auth\naccount include system-auth\n";
        let one_file = "auth required pam_unix.so";
        let continued = "auth required \\\n pam_unix.so\nauth optional pam_group.so\n";
        let other = "auth required pam_vendor.so\nauth optional pam_group.so\n";
        for (own, expected) in [
            (debian, "# sshd\n@include common-auth\n+\naccount required pam_nologin.so\n"),
            (
                su,
                "auth sufficient pam_rootok.so\n@include common-auth\n+\nauth optional pam_group.so",
            ),
            (
                fedora,
                "auth\tsubstack\tsystem-auth # totpctl: was include\n+\naccount include system-auth\n",
            ),
            (one_file, "auth required pam_unix.so\n+\n"),
            (continued, "auth required \\\n pam_unix.so\n+\nauth optional pam_group.so\n"),
            (other, "auth required pam_vendor.so\nauth optional pam_group.so\n+\n"),
        ] {
            let with = enable(own, None).unwrap().unwrap();
            assert_eq!(with, expected.replace('+', "auth    required    pam_totp.so"), "{own}");
            assert_eq!(enable(&with, None), Ok(None), "a second time changes nothing: {own}");
            let without = disabled("x", &files(&with)).unwrap().unwrap();
            assert_eq!(without.trim_end(), own.trim_end(), "{own}");
            assert_eq!(disabled("x", &files(&without)), Ok(None));
        }
    }

    #[test]
    fn options_are_written_where_they_are_said_and_left_where_they_are_not() {
        let own = "@include common-auth\n";
        let with = enable(own, Some(&["nullok", "prompt=Your code: "])).unwrap().unwrap();
        let line = "auth    required    pam_totp.so nullok [prompt=Your code: ]";
        assert_eq!(with, format!("@include common-auth\n{line}\n"));
        assert_eq!(enable(&with, None), Ok(None));
        assert_eq!(enable(&with, Some(&["nullok", "prompt=Your code: "])), Ok(None));
        let bare = enable(&with, Some(&[])).unwrap().unwrap();
        assert_eq!(bare, "@include common-auth\nauth    required    pam_totp.so\n");
        let jumps = "@include common-auth\nauth [success=ok \\\n default=die] pam_totp.so echo\n";
        let changed = enable(jumps, Some(&[])).unwrap().unwrap();
        // A line that was continued is one line then.
        assert!(
            changed.ends_with("auth    [success=ok   default=die]    pam_totp.so\n"),
            "{changed}"
        );
    }

    #[test]
    fn what_needs_a_person_is_left_alone() {
        let jumping = "auth [success=2 default=ignore] pam_unix.so\nauth [success=1 default=ignore] \
                       pam_sss.so\nauth requisite pam_deny.so\n";
        // Behind the last line every way comes to it, and no jump leads beyond.
        let with = enable(jumping, None).unwrap().unwrap();
        assert!(with.ends_with("pam_deny.so\nauth    required    pam_totp.so\n"), "{with}");
        let beyond = "auth [success=1 default=ignore] pam_succeed_if.so\nauth required pam_totp.so\n\
                      auth required pam_unix.so\n";
        assert!(
            matches!(disabled("x", &files(beyond)), Err(Refusal::Jumps(place)) if place.line == 1)
        );
        for (own, expected) in [
            ("auth sufficient pam_unix.so\nauth required pam_totp.so\n", Refusal::Broken),
            ("auth sufficient pam_unix.so\n", Refusal::NoPlace),
            ("auth sufficient pam_unix.so\nauth required pam_deny.so\n", Refusal::NoPlace),
            ("auth include nowhere \\", Refusal::NoStack),
            ("account required pam_unix.so\n", Refusal::NoStack),
            ("@include gone\n", Refusal::NoStack),
        ] {
            assert_eq!(enable(own, None), Err(expected), "{own}");
        }
        let profile = "@include profile\n";
        assert_eq!(enable(profile, None), Ok(None));
        for refused in [enable(profile, Some(&[])), disabled("x", &files(profile))] {
            let Err(Refusal::Elsewhere(place)) = refused else { panic!("{refused:?}") };
            assert_eq!(place.to_string(), "profile:4");
        }
        assert_eq!(disabled("y", &files("")), Err(Refusal::NoStack));
    }

    #[test]
    fn whatever_comes_out_has_no_way_around() {
        for own in [DEBIAN, "@include common-auth\n", "auth include system-auth\n", FEDORA] {
            let Ok(Some(with)) = enable(own, None) else { continue };
            let read = files(&with);
            let Rules(rules) = Stack::of("x", Kind::Auth, &read) else { panic!() };
            assert!(is_good(&look(&rules, &|_| true)), "{with}");
            assert!(matches!(&rules.last().unwrap().what, What::Module { .. }));
        }
    }
}
