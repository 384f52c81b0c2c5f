//! The tokens of a script in JavaScript, without its comments. Pure.

/// A token, and its line, from 1.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) kind: TokenKind,
}

/// The kind of a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name, a keyword or a number, as written.
    Word(String),
    /// A string, without quotes and escapes.
    Text(String),
    /// A character of an operator or a bracket; `/` for a regular expression, too.
    Mark(char),
}

/// Splits a script. Comments and blanks are left out.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut found: Vec<Token> = Vec::new();
    while let Some(first) = reader.rest.chars().next() {
        let line = reader.line;
        let kind = match first {
            _ if reader.rest.starts_with("//") => {
                reader.take(|c| c != '\n');
                continue;
            }
            _ if reader.rest.starts_with("/*") => {
                let end = reader.rest.get(2..).and_then(|rest| rest.find("*/"));
                reader.advance(end.map_or(reader.rest.len(), |end| end + "/**/".len()));
                continue;
            }
            _ if first.is_whitespace() => {
                reader.advance(first.len_utf8());
                continue;
            }
            '"' | '\'' | '`' => TokenKind::Text(reader.text(first)),
            '/' if begins_expression(found.last()) => {
                reader.text('/');
                TokenKind::Mark('/')
            }
            _ if is_word(first) => TokenKind::Word(reader.take(is_word).to_owned()),
            mark => {
                reader.advance(mark.len_utf8());
                TokenKind::Mark(mark)
            }
        };
        found.push(Token { line, kind });
    }
    found
}

/// Reports whether `/` behind this token begins a regular expression, and is no division.
fn begins_expression(before: Option<&Token>) -> bool {
    match before.map(|token| &token.kind) {
        Some(TokenKind::Word(word)) => ["return", "typeof"].contains(&word.as_str()),
        Some(TokenKind::Text(_) | TokenKind::Mark(')' | ']' | '}')) => false,
        Some(TokenKind::Mark(_)) | None => true,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || ['_', '$', '\\'].contains(&c)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn advance(&mut self, bytes: usize) -> &'a str {
        let (passage, rest) = self.rest.split_at(bytes);
        self.line += passage.matches('\n').count();
        self.rest = rest;
        passage
    }

    fn take(&mut self, is_part: fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        self.advance(end)
    }

    /// Reads a string, or a regular expression. Only a template has several lines.
    fn text(&mut self, quote: char) -> String {
        let (mut text, mut is_escaped, mut in_class) = (String::new(), false, false);
        let end = self.rest.char_indices().skip(1).find_map(|(index, c)| {
            let is_end = match c {
                _ if is_escaped => false,
                '\n' => quote != '`',
                _ => c == quote && !in_class,
            };
            in_class = quote == '/' && !is_escaped && (c == '[' || (in_class && c != ']'));
            is_escaped = c == '\\' && !is_escaped;
            is_end.then_some(index)
        });
        let end = end.unwrap_or(self.rest.len());
        let inside = self.rest.get(1..end).unwrap_or_default();
        unescape(inside, &mut text);
        self.advance(end);
        if self.rest.starts_with(quote) {
            self.advance(quote.len_utf8());
        }
        text
    }
}

/// Adds a text without its escapes.
fn unescape(text: &str, plain: &mut String) {
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        plain.push_str(before);
        rest = match code(escape) {
            Some((c, after)) => {
                plain.push(c);
                after
            }
            None => {
                let mut letters = escape.chars();
                // A line that is continued has no break.
                plain.extend(letters.next().filter(|c| *c != '\n'));
                letters.as_str()
            }
        };
    }
    plain.push_str(rest);
}

/// Returns the character of an escape by its number, and the text behind it.
fn code(escape: &str) -> Option<(char, &str)> {
    let (digits, after) = match escape.strip_prefix("u{") {
        Some(inside) => inside.split_once('}')?,
        None if escape.starts_with('x') => escape.get(1..)?.split_at_checked(2)?,
        None if escape.starts_with('u') => escape.get(1..)?.split_at_checked(4)?,
        None => return None,
    };
    Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokens(text).into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn strings_comments_and_regular_expressions_end_where_they_do() {
        let word = |text: &str| TokenKind::Word(text.into());
        let string = |text: &str| TokenKind::Text(text.into());
        let mark = TokenKind::Mark;
        for (text, expected) in [
            ("a /* 'x */ b", vec![word("a"), word("b")]),
            ("'it\\'s' // c", vec![string("it's")]),
            ("'\\u0079\\u{65}\\x73'", vec![string("yes")]),
            ("\"open\nb", vec![string("open"), word("b")]),
            ("`two\nlines`", vec![string("two\nlines")]),
            ("(/[/'\"]\\//.x", vec![mark('('), mark('/'), mark('.'), word("x")]),
            ("a / b / 'c'", vec![word("a"), mark('/'), word("b"), mark('/'), string("c")]),
            ("/* open", vec![]),
            ("'é\\", vec![string("é")]),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
        assert_eq!(
            tokens("a\n/*\n*/ b").iter().map(|token| token.line).collect::<Vec<_>>(),
            [1, 3]
        );
    }
}
