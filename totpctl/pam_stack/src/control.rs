//! The second word of a line: the effect of each result of its module on the stack.

use crate::return_code::ReturnCode;

/// The effect of a result.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// The stack fails and continues.
    Bad,
    /// The stack or substack fails and ends here.
    Die,
    /// The stack or substack ends here, unless it has failed before.
    Done,
    /// No effect.
    Ignore,
    /// Skips this number of lines.
    Jump(u32),
    /// The stack succeeds so far, unless it has failed before.
    Ok,
    /// Discards the state of this substack.
    Reset,
}

/// The effect of each result of a module.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Control {
    actions: [Action; ReturnCode::COUNT],
    /// The reason why libpam cannot read the control word, if so. Every result is then bad.
    pub fault: Option<&'static str>,
}

impl Control {
    /// Parses a control word, or the text in brackets, as libpam does.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let bracketed = match text.to_ascii_lowercase().as_str() {
            "required" => "success=ok new_authtok_reqd=ok ignore=ignore default=bad",
            "requisite" => "success=ok new_authtok_reqd=ok ignore=ignore default=die",
            "optional" => "success=ok new_authtok_reqd=ok default=ignore",
            "sufficient" => "success=done new_authtok_reqd=done default=ignore",
            _ => text,
        };
        let mut actions = [None; ReturnCode::COUNT];
        match read(bracketed, &mut actions) {
            // A result that is not listed is bad.
            Ok(()) => {
                Self { actions: actions.map(|action| action.unwrap_or(Action::Bad)), fault: None }
            }
            Err(fault) => Self { fault: Some(fault), ..Self::bad() },
        }
    }

    /// Returns the control under which every result is bad.
    #[must_use]
    pub fn bad() -> Self {
        Self { actions: [Action::Bad; ReturnCode::COUNT], fault: None }
    }

    /// Returns the effect of a result.
    #[must_use]
    pub fn action(&self, code: ReturnCode) -> Action {
        self.actions.get(code.number()).copied().unwrap_or(Action::Bad)
    }
}

fn read(text: &str, actions: &mut [Option<Action>; ReturnCode::COUNT]) -> Result<(), &'static str> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(is_space);
        if rest.is_empty() {
            return Ok(());
        }
        let (code, after) = match ReturnCode::at_start_of(rest) {
            Some((code, after)) => (Some(code), after),
            None => (None, rest.strip_prefix("default").ok_or("unknown result")?),
        };
        let after = after.trim_start_matches(is_space);
        let after = after.strip_prefix('=').ok_or("= is missing")?;
        let (action, after) = action(after.trim_start_matches(is_space))?;
        match code {
            Some(code) => {
                if let Some(place) = actions.get_mut(code.number()) {
                    *place = Some(action);
                }
            }
            None => {
                for place in actions.iter_mut().filter(|place| place.is_none()) {
                    *place = Some(action);
                }
            }
        }
        rest = after;
    }
}

/// Splits the action off the start of a text.
fn action(text: &str) -> Result<(Action, &str), &'static str> {
    for (name, action) in [
        ("ignore", Action::Ignore),
        ("ok", Action::Ok),
        ("done", Action::Done),
        ("bad", Action::Bad),
        ("die", Action::Die),
        ("reset", Action::Reset),
    ] {
        if let Some(after) = text.strip_prefix(name) {
            return Ok((action, after));
        }
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, after) = text.split_at(end);
    match digits.parse() {
        Ok(0) => Err("a jump over 0 lines"),
        Ok(jump) if jump <= MAX_JUMP => Ok((Action::Jump(jump), after)),
        Err(_) if digits.is_empty() => Err("unknown action"),
        _ => Err(JUMP_OVERFLOW),
    }
}

/// libpam counts in an `int`, and earlier versions do not look whether it overflows: 4294967297 is
/// a jump over one line for them, and 4294967294 is `done`.
const MAX_JUMP: u32 = i32::MAX.unsigned_abs();
/// The fault of a control word whose meaning depends on the version of libpam.
pub(crate) const JUMP_OVERFLOW: &str =
    "versions of libpam read a jump over more than 2147483647 lines differently";

/// Reports what isspace(3) does in the C locale.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_brackets_mean_the_same() {
        let brackets = "[success=ok new_authtok_reqd=ok ignore=ignore default=die]";
        let inside = brackets.trim_matches(['[', ']']);
        assert_eq!(Control::parse("REQUISITE"), Control::parse(inside));
        let jump = Control::parse("success=2 default = ignore");
        assert_eq!(jump.action(ReturnCode::SUCCESS), Action::Jump(2));
        assert_eq!(jump.action(ReturnCode::AUTH_ERR), Action::Ignore);
        assert_eq!(Control::parse("success=ok").action(ReturnCode::AUTH_ERR), Action::Bad);
    }

    #[test]
    fn a_jump_that_overflows_is_no_other_fault() {
        for (count, fault) in [
            ("2147483647", None),
            ("2147483648", Some(JUMP_OVERFLOW)),
            ("4294967297", Some(JUMP_OVERFLOW)),
            ("99999999999999999999", Some(JUMP_OVERFLOW)),
        ] {
            let control = Control::parse(&format!("success={count} default=bad"));
            assert_eq!(control.fault, fault, "{count}");
        }
    }

    #[test]
    fn every_result_of_an_unreadable_control_is_bad() {
        for text in
            ["requird", "binding", "success", "success=", "success=maybe", "success=0", "=ok", "99"]
        {
            let control = Control::parse(text);
            assert!(control.fault.is_some(), "{text}");
            assert!(ReturnCode::all().all(|code| control.action(code) == Action::Bad), "{text}");
        }
    }
}
