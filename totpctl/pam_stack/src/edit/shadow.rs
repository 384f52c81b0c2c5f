//! Puts the lines of shadow mode around the line of another module, takes them away, and puts a
//! line of this module in their place. A comment before them keeps the line of the other module.

use super::lines::{line, own_lines};
use super::refusal::Refusal;
use super::safety::{is_safe, jump_over, rules};
use crate::control::Action;
use crate::explore::analyze;
use crate::factor::{FACTOR_FILE, FACTOR_MODULE, SHADOW, SHADOW_END};
use crate::parse::{Directive, Kind, Line, parse_lines};
use crate::place::Place;
use crate::return_code::ReturnCode;
use crate::shadow::{OTHER_CODE_MODULES, is_other_code};
use crate::stack::Rule;

/// Returns the file of `service` in shadow mode; nothing if it is so already. A line of this module
/// that stands in the place of the other one goes.
///
/// # Errors
/// [`Refusal`] if there is no safe change.
pub fn shadow(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Refusal> {
    if rules(service, read)?.iter().any(Rule::is_shadow) {
        return Ok(None);
    }
    let before = unshadow(service, read)?;
    let with = |name: &str| match &before {
        Some(before) if name == service => Some(before.clone()),
        _ => read(name),
    };
    let (text, own) = own_lines(service, &with)?;
    let rules = rules(service, &with)?;
    if let Some(rule) = rules.iter().find(|rule| rule.is_factor()) {
        return Err(Refusal::Elsewhere(rule.place.clone()));
    }
    let (number, args) = other_line(service, &own, &rules)?;
    let at = rules.iter().position(|rule| rule.place.file == service && rule.place.line == number);
    if let Some(place) = at.and_then(|at| jump_over(&rules, at)) {
        return Err(Refusal::Jumps(place));
    }
    let old = text.lines().nth(number - 1).unwrap_or_default();
    let bare = old.split('#').next().unwrap_or(old).trim_end();
    let new = [
        format!("{MARK}{old}\n"),
        line("auth   ", "optional", FACTOR_FILE, &options(&args)),
        format!("{bare} use_first_pass\n"),
        line("auth   ", "optional", FACTOR_FILE, &[SHADOW_END.to_owned()]),
    ];
    Ok(Some(replaced(&text, number, 1, &new.concat())))
}

/// Returns the file of `service` as it was before shadow mode, and before [`switch`]; nothing if it
/// has neither.
///
/// # Errors
/// [`Refusal`] if its lines are not as they were written.
pub fn unshadow(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    match Kept::find(&text, &own)? {
        Some(kept) => {
            let old = format!("{}\n", kept.old);
            Ok(Some(replaced(&text, kept.number, 1 + kept.lines, &old)))
        }
        None => match rules(service, read)?.iter().find(|rule| rule.is_shadow()) {
            Some(rule) => Err(Refusal::ByHand(rule.place.clone())),
            None => Ok(None),
        },
    }
}

/// Returns the file of `service` with a line of this module, with the options `args`, in the place
/// of the other module and of the lines of shadow mode. If it is so already, it returns nothing.
///
/// # Errors
/// [`Refusal`] if there is no safe change.
pub fn switch(
    service: &str,
    args: &[String],
    read: &dyn Fn(&str) -> Option<String>,
    exists: &dyn Fn(&str) -> bool,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    let Some(kept) = Kept::find(&text, &own)? else { return Err(Refusal::NotShadowed) };
    if kept.lines == 1 {
        return Ok(None);
    }
    let old = parse_lines(&format!("{}\n", kept.old)).unwrap_or_default();
    let Some(Directive::Module { word, .. }) = old.into_iter().next().map(|line| line.directive)
    else {
        return Err(Refusal::NotShadowed);
    };
    let new = format!("{MARK}{}\n{}", kept.old, line("auth   ", &word, FACTOR_FILE, args));
    let after = replaced(&text, kept.number, 1 + kept.lines, &new);
    let with = |name: &str| if name == service { Some(after.clone()) } else { read(name) };
    match is_safe(&analyze(&rules(service, &with)?, exists)) {
        true => Ok(Some(after)),
        false => Err(Refusal::WouldBeBroken),
    }
}

/// The comment that keeps the line of the other module, and the lines that took its place.
struct Kept {
    /// The number of the comment.
    number: usize,
    /// The line that it keeps.
    old: String,
    /// The number of lines behind it: three in shadow mode, and one after a switch.
    lines: usize,
}

impl Kept {
    fn find(text: &str, own: &[Line]) -> Result<Option<Self>, Refusal> {
        let mut marks = text.lines().enumerate();
        let Some((index, old)) =
            marks.find_map(|(index, line)| Some((index, line.strip_prefix(MARK)?)))
        else {
            return Ok(None);
        };
        let number = index + 1;
        let part = |number| {
            let line = own.iter().find(|line| line.number == number && line.last == number)?;
            Part::of(&line.directive)
        };
        let lines = match [1, 2, 3].map(|after| part(number + after)) {
            [Some(Part::Ask), Some(Part::Other), Some(Part::End)] => 3,
            [Some(Part::Decide), _, _] => 1,
            _ => return Err(Refusal::Torn(number)),
        };
        Ok(Some(Self { number, old: old.to_owned(), lines }))
    }
}

/// A line behind the comment.
enum Part {
    /// This module asks for the other one.
    Ask,
    /// This module decides.
    Decide,
    /// This module restores the password.
    End,
    /// The other module.
    Other,
}

impl Part {
    fn of(directive: &Directive) -> Option<Self> {
        let Directive::Module { kind: Kind::Auth, path, args, .. } = directive else { return None };
        let has = |option: &str| args.iter().any(|arg| arg == option);
        match module(path) {
            FACTOR_MODULE if has(SHADOW) => Some(Self::Ask),
            FACTOR_MODULE if has(SHADOW_END) => Some(Self::End),
            FACTOR_MODULE => Some(Self::Decide),
            other => OTHER_CODE_MODULES.contains(&other).then_some(Self::Other),
        }
    }
}

/// Returns the number and the options of the only line of another module that
/// asks for codes.
fn other_line(
    service: &str,
    own: &[Line],
    rules: &[Rule],
) -> Result<(usize, Vec<String>), Refusal> {
    let mut others = rules.iter().filter(|rule| is_other_code(rule));
    let rule = others.next().ok_or(Refusal::NoOtherModule)?;
    if let Some(second) = others.next() {
        return Err(Refusal::Unshadowable(second.place.clone(), "is the second line of its kind"));
    }
    let refuse = |reason| Err(Refusal::Unshadowable(rule.place.clone(), reason));
    let Place { file, line: number } = &rule.place;
    let found = own.iter().find(|line| line.number == *number).filter(|_| file == service);
    let Some(Line { last, directive: Directive::Module { args, .. }, .. }) = found else {
        return refuse(
            "is in a file that other services include; move it to the file of the service",
        );
    };
    if last != number {
        return refuse("continues on the next line; write it on one");
    }
    if args.iter().any(|arg| TAKES_ANSWERS.contains(&arg.as_str())) {
        return refuse("takes or hands on a password, and shadow mode does so itself");
    }
    let jumps = |code| matches!(rule.control.action(code), Action::Jump(_));
    if ReturnCode::all().any(jumps) {
        return refuse("jumps over a number of lines");
    }
    Ok((*number, args.clone()))
}

/// Returns the options of the line in front: it asks as the other module does.
fn options(args: &[String]) -> Vec<String> {
    let mut options = vec![SHADOW.to_owned(), "timeout=2".to_owned()];
    let echoes = ["echo_verification_code", "echo-verification-code"];
    if args.iter().any(|arg| echoes.contains(&arg.as_str())) {
        options.push("echo".to_owned());
    }
    let prompt = args.iter().find_map(|arg| arg.strip_prefix("authtok_prompt="));
    options.extend(prompt.map(|prompt| format!("prompt={prompt}")));
    options
}

/// Returns the text with `new` in the place of `count` lines from line `number`.
fn replaced(text: &str, number: usize, count: usize, new: &str) -> String {
    let mut changed = String::with_capacity(text.len() + new.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index + 1 == number {
            changed.push_str(new);
        }
        if !(number..number + count).contains(&(index + 1)) {
            changed.push_str(line);
        }
    }
    changed
}

fn module(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.strip_suffix(".so").unwrap_or(name)
}

/// The comment before the lines. The line that it keeps comes back byte for byte.
const MARK: &str = "# totpctl shadow, was: ";
/// Options with which the other module does not ask for a code alone.
const TAKES_ANSWERS: [&str; 3] = ["forward_pass", "try_first_pass", "use_first_pass"];

#[cfg(test)]
mod tests;
