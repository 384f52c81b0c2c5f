//! YAML, as far as privacyIDEA writes it: a list of maps, with maps and lists in them.

use crate::readers::json::MAX_ITEMS;
use crate::readers::privacyidea::token::Token;
use crate::readers::text;
use crate::reading::Refusal;

/// Returns the tokens of a list of maps.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    text::check_lines(text)?;
    let mut tokens = Vec::new();
    let mut section = None;
    let mut lines = text::lines(text);
    while let Some((number, line, _)) = lines.next() {
        if line.trim().is_empty() || line.starts_with(['#', '%']) || matches!(line, "---" | "...") {
            continue;
        }
        let (indent, line) = match line.strip_prefix("- ") {
            Some(first) if tokens.len() <= MAX_ITEMS => {
                tokens.push(Token::default());
                (2, first)
            }
            Some(_) => break,
            None => (line.len() - line.trim_start_matches(' ').len(), line.trim_start_matches(' ')),
        };
        let Some(token) = tokens.last_mut() else {
            return Err(Refusal::Syntax(format!("line {number} is of no token")));
        };
        let Some((name, value)) = pair(line) else { continue };
        let value = scalar(value, || lines.next().map(|(_, line, _)| line))
            .ok_or_else(|| Refusal::Syntax(format!("the text of line {number} has no end")))?;
        match (indent, &section) {
            (2, _) => {
                section = (value.is_none()).then(|| name.to_owned());
                token.set(None, name, value);
            }
            (4, Some(section)) => token.set(Some(section), name, value),
            _ => {}
        }
    }
    Ok(tokens)
}

/// Divides `name: value`. What continues the line before is none.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_name =
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c));
    (is_name && (value.is_empty() || value.starts_with(' '))).then(|| (name, value.trim()))
}

/// Reads a value; `Some(None)` if it is nothing. A text in quotes continues in the next lines.
fn scalar<'a>(value: &str, mut next: impl FnMut() -> Option<&'a str>) -> Option<Option<String>> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        let is_nothing = matches!(value, "" | "null" | "~" | "{}" | "[]")
            || value.starts_with(['&', '*', '!', '|', '>']);
        return Some((!is_nothing).then(|| value.to_owned()));
    };
    let mut text = String::new();
    let mut rest = value.get(1..)?.to_owned();
    for _ in 0..MAX_TEXT_LINES {
        let mut chars = rest.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\'' if quote == c && chars.next_if_eq(&'\'').is_some() => text.push(c),
                c if quote == c => return Some(Some(text)),
                '\\' if quote == '"' => text.extend(chars.next()),
                c => text.push(c),
            }
        }
        rest = next()?.trim_start().to_owned();
        text.push(' ');
    }
    None
}

/// A description has a few.
const MAX_TEXT_LINES: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_quotes_hide_what_looks_like_a_name() {
        let text = "---\n- count: 0\n  description: 'it''s\n    otpkey: \"no\"\n\n    end'\n  otpkey: \"ab\\\"c\"\n  serial: S1\n\
                    - serial: S2\n  otpkey: null\n  list:\n  - otpkey: no\n";
        let tokens = tokens(text).unwrap();
        let found: Vec<_> =
            tokens.iter().map(|token| (token.serial.text(), token.seed.text())).collect();
        // A list in a map stands as deep as the map's names; privacyIDEA has no maps in it.
        assert_eq!(found[..2], [(Some("S1"), Some("ab\"c")), (Some("S2"), None)]);
        assert_eq!(tokens[0].description.text(), Some("it's otpkey: \"no\"  end"));
    }

    #[test]
    fn a_text_without_end_is_refused() {
        assert!(tokens("- serial: 'S1\n  otpkey: x\n").is_err());
        assert!(tokens(&format!("- serial: 'S1\n{}", "x\n".repeat(1000))).is_err());
        assert!(tokens("serial: S1\n").is_err());
    }
}
