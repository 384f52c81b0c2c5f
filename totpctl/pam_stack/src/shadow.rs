//! Shadow mode: the lines of this module around the line of another one, which decides.

use crate::factor::{SHADOW, SHADOW_END};
use crate::place::Place;
use crate::stack::Rule;

/// Modules that ask for a code of an app, and take one that another module asked for.
pub const OTHER_CODE_MODULES: [&str; 2] = ["pam_google_authenticator", "pam_oath"];

/// The state of shadow mode in a stack.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Shadow {
    /// No line of it.
    Absent,
    /// Its lines stand around the line of this module, which is at this place.
    Whole {
        /// The module that decides.
        module: String,
        /// Its line.
        place: Place,
    },
    /// This line of it does not stand as it must, for this reason.
    Broken(Place, &'static str),
}

/// Finds the lines of shadow mode.
#[must_use]
pub fn shadow(rules: &[Rule]) -> Shadow {
    let Some(at) = rules.iter().position(Rule::is_shadow) else { return Shadow::Absent };
    let Some(first) = rules.get(at) else { return Shadow::Absent };
    let broken = |reason| Shadow::Broken(first.place.clone(), reason);
    let (Some(other), Some(last)) = (rules.get(at + 1), rules.get(at + 2)) else {
        return broken(NOT_AROUND);
    };
    if !first.has(SHADOW) || !last.has(SHADOW_END) || !is_other_code(other) {
        return broken(NOT_AROUND);
    }
    if let Some(third) = rules.iter().skip(at + 3).find(|rule| rule.is_shadow()) {
        return Shadow::Broken(third.place.clone(), ONCE);
    }
    if !other.has("use_first_pass") {
        return Shadow::Broken(other.place.clone(), ASKS_ITSELF);
    }
    if [first, last].iter().any(|rule| rule.word != "optional") {
        return broken(NOT_OPTIONAL);
    }
    Shadow::Whole { module: other.module().to_owned(), place: other.place.clone() }
}

/// Reports whether it is the line of another module that asks for a code of an app.
#[must_use]
pub fn is_other_code(rule: &Rule) -> bool {
    OTHER_CODE_MODULES.contains(&rule.module())
}

const NOT_AROUND: &str = "one line with shadow stands right before the module that decides, and one with shadow_end \
                          right behind it";
const ONCE: &str = "one line with shadow and one with shadow_end are enough";
const ASKS_ITSELF: &str = "the module that decides needs use_first_pass, or it asks a second time";
const NOT_OPTIONAL: &str =
    "the lines with shadow and shadow_end are optional, or their faults would decide";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::analyze;
    use crate::parse::Kind;
    use crate::stack::Stack;

    fn rules(text: &str) -> Vec<Rule> {
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!("{text}") };
        rules
    }

    #[test]
    fn lines_that_stand_as_they_must_are_known() {
        let unix = "auth requisite pam_unix.so\n";
        let ask = "auth optional pam_totp.so shadow\n";
        let ga = "auth required pam_google_authenticator.so use_first_pass\n";
        let end = "auth optional pam_totp.so shadow_end\n";
        for (text, line) in [
            (format!("{unix}{ask}{ga}{end}"), None),
            (format!("{unix}{ask}auth required pam_oath.so use_first_pass\n{end}"), None),
            (format!("{unix}{ask}{end}"), Some(2)),
            (format!("{unix}{ask}{ga}"), Some(2)),
            (format!("{unix}{ga}{end}"), Some(3)),
            (format!("{unix}{ask}{ga}{unix}{end}"), Some(2)),
            (format!("{unix}{ask}{}{end}", ga.replace(" use_first_pass", "")), Some(3)),
            (format!("{unix}{}{ga}{end}", ask.replace("optional", "required")), Some(2)),
            (format!("{unix}{ask}{ga}{end}{ask}{ga}{end}"), Some(5)),
        ] {
            match (shadow(&rules(&text)), line) {
                (Shadow::Whole { place, .. }, None) => assert_eq!(place.line, 3, "{text}"),
                (Shadow::Broken(place, _), Some(line)) => assert_eq!(place.line, line, "{text}"),
                (found, _) => panic!("{found:?} {text}"),
            }
        }
        assert_eq!(shadow(&rules(unix)), Shadow::Absent);
        assert_eq!(shadow(&rules("auth required pam_totp.so\n")), Shadow::Absent);
    }

    #[test]
    fn a_line_of_shadow_mode_is_none_that_asks_for_a_code_of_its_own() {
        let text = "auth requisite pam_unix.so\nauth optional pam_totp.so shadow\n\
                    auth required pam_google_authenticator.so use_first_pass\n\
                    auth optional pam_totp.so shadow_end\n";
        let found = analyze(&rules(text), &|_| true);
        assert!(found.factor_lines.is_empty() && found.can_succeed);
        // Alone it lets nobody in.
        let found = analyze(&rules("auth optional pam_totp.so shadow\n"), &|_| true);
        assert!(!found.can_succeed);
    }
}
