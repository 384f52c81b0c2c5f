//! The second word of a line: what each result of a module does to the stack.

use crate::return_code::Code;

/// What a result does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// The stack fails, and goes on.
    Bad,
    /// The stack, or substack, fails and ends here.
    Die,
    /// The stack, or substack, ends here, unless it has failed before.
    Done,
    /// Nothing.
    Ignore,
    /// So many lines are passed over.
    Jump(u32),
    /// The stack succeeds so far, unless it has failed before.
    Ok,
    /// All that was so far in this substack is forgotten.
    Reset,
}

/// What each result of a module does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Control {
    actions: [Action; Code::COUNT],
    /// Why it is not what was meant, where libpam could not read it: everything is bad then.
    pub fault: Option<&'static str>,
}

impl Control {
    /// As libpam reads a control word, or what stands in brackets.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let bracketed = match text.to_ascii_lowercase().as_str() {
            "required" => "success=ok new_authtok_reqd=ok ignore=ignore default=bad",
            "requisite" => "success=ok new_authtok_reqd=ok ignore=ignore default=die",
            "optional" => "success=ok new_authtok_reqd=ok default=ignore",
            "sufficient" => "success=done new_authtok_reqd=done default=ignore",
            _ => text,
        };
        let mut said = [None; Code::COUNT];
        match read(bracketed, &mut said) {
            // What is not said is bad.
            Ok(()) => Self { actions: said.map(|said| said.unwrap_or(Action::Bad)), fault: None },
            Err(fault) => Self { fault: Some(fault), ..Self::bad() },
        }
    }

    /// Everything is bad.
    #[must_use]
    pub fn bad() -> Self {
        Self { actions: [Action::Bad; Code::COUNT], fault: None }
    }

    /// What this result does.
    #[must_use]
    pub fn action(&self, code: Code) -> Action {
        self.actions.get(code.number()).copied().unwrap_or(Action::Bad)
    }
}

fn read(text: &str, said: &mut [Option<Action>; Code::COUNT]) -> Result<(), &'static str> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(is_space);
        if rest.is_empty() {
            return Ok(());
        }
        let (code, after) = match Code::at_start_of(rest) {
            Some((code, after)) => (Some(code), after),
            None => (None, rest.strip_prefix("default").ok_or("no such result")?),
        };
        let after = after.trim_start_matches(is_space);
        let after = after.strip_prefix('=').ok_or("= is missing")?;
        let (action, after) = action(after.trim_start_matches(is_space))?;
        match code {
            Some(code) => {
                if let Some(place) = said.get_mut(code.number()) {
                    *place = Some(action);
                }
            }
            None => {
                for place in said.iter_mut().filter(|place| place.is_none()) {
                    *place = Some(action);
                }
            }
        }
        rest = after;
    }
}

/// The action at the start of a text, and what comes after it.
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
        Ok(0) => Err("a jump over no line"),
        Ok(jump) => Ok((Action::Jump(jump), after)),
        Err(_) => Err("no such action"),
    }
}

/// What isspace(3) takes for space.
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
        assert_eq!(jump.action(Code::SUCCESS), Action::Jump(2));
        assert_eq!(jump.action(Code::AUTH_ERR), Action::Ignore);
        assert_eq!(Control::parse("success=ok").action(Code::AUTH_ERR), Action::Bad);
    }

    #[test]
    fn what_cannot_be_read_is_bad_altogether() {
        for text in
            ["requird", "binding", "success", "success=", "success=maybe", "success=0", "=ok", "99"]
        {
            let control = Control::parse(text);
            assert!(control.fault.is_some(), "{text}");
            assert!(Code::all().all(|code| control.action(code) == Action::Bad), "{text}");
        }
    }
}
