//! What a file of polkit's rules may allow without a password. Rules are JavaScript: the results
//! of functions are read, and what is not understood may be a yes. Pure.

use super::script::{Token, TokenKind, tokens};

/// What lines of a file may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// A rule that answers yes.
    Yes,
    /// A rule whose answer is not understood.
    Unclear,
}

/// Returns the lines that answer yes. Without one, returns the first that is not understood.
pub(super) fn grants(text: &str) -> Vec<(usize, Grant)> {
    let tokens = tokens(text);
    let mut yes: Vec<_> =
        tokens.iter().filter(|token| is_yes(token)).map(|token| token.line).collect();
    yes.dedup();
    if !yes.is_empty() {
        return yes.into_iter().map(|line| (line, Grant::Yes)).collect();
    }
    let mut before = None;
    for (index, token) in tokens.iter().enumerate() {
        let rest = tokens.get(index + 1..).unwrap_or_default();
        if is_unclear(before, token, rest) {
            return vec![(token.line, Grant::Unclear)];
        }
        before = Some(&token.kind);
    }
    Vec::new()
}

fn is_yes(token: &Token) -> bool {
    match &token.kind {
        TokenKind::Word(word) => word == "YES",
        TokenKind::Text(text) => text.eq_ignore_ascii_case("yes"),
        TokenKind::Mark(_) => false,
    }
}

/// Reports whether a result that is not understood begins with a token.
fn is_unclear(before: Option<&TokenKind>, token: &Token, rest: &[Token]) -> bool {
    match &token.kind {
        TokenKind::Word(word) if word == "return" => {
            // JavaScript ends the statement there.
            let is_empty = rest.first().is_none_or(|next| next.line != token.line);
            !is_empty && !is_harmless(expression(rest))
        }
        TokenKind::Word(word) => {
            ["eval", "Function"].contains(&word.as_str()) || word.contains('\\')
        }
        // An arrow function without braces returns its expression.
        TokenKind::Mark('>') => {
            let is_arrow = before == Some(&TokenKind::Mark('='));
            let has_body = rest.first().is_some_and(|next| next.kind == TokenKind::Mark('{'));
            is_arrow && !has_body && !is_harmless(expression(rest))
        }
        _ => false,
    }
}

/// Returns the tokens up to the end of the expression.
fn expression(tokens: &[Token]) -> &[Token] {
    let is_operator = |token: &Token| matches!(token.kind, TokenKind::Mark(mark) if mark != '}');
    let (mut depth, mut before) = (0_usize, None::<&Token>);
    let end = tokens.iter().position(|token| {
        let follows =
            |before: &Token| before.line == token.line || is_operator(token) || is_operator(before);
        let is_end = match token.kind {
            TokenKind::Mark(';' | ',' | ')' | ']' | '}') => depth == 0,
            _ => depth == 0 && !before.is_none_or(follows),
        };
        match token.kind {
            TokenKind::Mark('(' | '[' | '{') => depth += 1,
            TokenKind::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = Some(token);
        is_end
    });
    tokens.get(..end.unwrap_or(tokens.len())).unwrap_or_default()
}

/// Reports whether an expression has a value that is not yes.
fn is_harmless(tokens: &[Token]) -> bool {
    let marks = top_level_marks(tokens);
    if let Some((at, _)) = marks.iter().find(|(_, mark)| *mark == '?') {
        let parts = tokens.get(at + 1..).unwrap_or_default();
        // `a ?? b` and `a?.b` are no choice.
        let is_choice =
            !matches!(parts.first().map(|token| &token.kind), Some(TokenKind::Mark('?' | '.')));
        return is_choice && split(parts, &[':']).into_iter().all(is_harmless);
    }
    if marks.iter().any(|(_, mark)| ['|', '&'].contains(mark)) {
        return split(tokens, &['|', '&']).into_iter().all(is_harmless);
    }
    let is_comparison = |(at, mark): &(usize, char)| match mark {
        '<' | '>' => true,
        '=' => {
            matches!(tokens.get(at + 1).map(|next| &next.kind), Some(TokenKind::Mark('=')))
        }
        _ => false,
    };
    marks.iter().any(is_comparison) || is_harmless_value(tokens)
}

fn is_harmless_value(tokens: &[Token]) -> bool {
    let kinds: Vec<_> = tokens.iter().map(|token| &token.kind).collect();
    match kinds.as_slice() {
        [] | [TokenKind::Text(_)] | [TokenKind::Mark('!'), ..] => true,
        [TokenKind::Word(word)] => {
            ["null", "undefined", "true", "false"].contains(&word.as_str())
                || word.starts_with(|c: char| c.is_ascii_digit())
        }
        [TokenKind::Mark('['), .., TokenKind::Mark(']')] => closes_at_end(tokens),
        [.., TokenKind::Mark('.'), TokenKind::Word(last)] => {
            HARMLESS_RESULTS.contains(&last.as_str()) && is_chain(&kinds)
        }
        _ => {
            let Some(open) = kinds.iter().position(|kind| **kind == TokenKind::Mark('(')) else {
                return false;
            };
            let (name, _) = kinds.split_at(open);
            let (_, arguments) = tokens.split_at(open);
            let is_predicate = matches!(name.last(),
                Some(TokenKind::Word(name)) if PREDICATES.contains(&name.as_str()));
            is_predicate && is_chain(name) && closes_at_end(arguments)
        }
    }
}

/// Reports whether words and dots alternate.
fn is_chain(kinds: &[&TokenKind]) -> bool {
    kinds.iter().enumerate().all(|(index, kind)| match index % 2 {
        0 => matches!(kind, TokenKind::Word(_)),
        _ => **kind == TokenKind::Mark('.'),
    })
}

/// Reports whether the bracket that the tokens begin with is closed by the last of them.
fn closes_at_end(tokens: &[Token]) -> bool {
    let marks = top_level_marks(tokens);
    marks.first().is_some_and(|(at, _)| *at == 0)
        && marks.len() == 2
        && marks.last().is_some_and(|(at, _)| at + 1 == tokens.len())
        && !tokens.is_empty()
}

/// Returns the marks that are in no bracket, and the outermost brackets, with their places.
fn top_level_marks(tokens: &[Token]) -> Vec<(usize, char)> {
    let (mut depth, mut found) = (0_usize, Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        let TokenKind::Mark(mark) = token.kind else {
            continue;
        };
        if [')', ']', '}'].contains(&mark) {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            found.push((index, mark));
        }
        if ['(', '[', '{'].contains(&mark) {
            depth += 1;
        }
    }
    found
}

/// Splits at marks that are in no bracket.
fn split<'a>(tokens: &'a [Token], at: &[char]) -> Vec<&'a [Token]> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (index, mark) in top_level_marks(tokens) {
        if at.contains(&mark) {
            parts.extend(tokens.get(start..index));
            start = index + 1;
        }
    }
    parts.extend(tokens.get(start..));
    parts
}

/// Members of `polkit.Result` by which polkit asks or denies.
const HARMLESS_RESULTS: [&str; 6] =
    ["AUTH_ADMIN", "AUTH_ADMIN_KEEP", "AUTH_SELF", "AUTH_SELF_KEEP", "NO", "NOT_HANDLED"];
/// Functions whose value is true or false.
const PREDICATES: [&str; 6] =
    ["endsWith", "includes", "isInGroup", "isInNetGroup", "startsWith", "test"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_answers_yes_is_found_however_it_is_written() {
        for (rule, line) in [
            ("polkit.addRule(function(a, s) {\n  return polkit.Result.YES;\n});", 2),
            ("polkit.addRule(function(a,s){ if (s.isInGroup('sudo')) return \"yes\"; });", 1),
            ("var R = polkit.Result;\npolkit.addRule(function(a, s) { return R.YES })", 2),
            ("var x = /[\"']/;\nreturn polkit.Result['YES']", 2),
            ("return '\\x79es'", 1),
            ("return `yes`", 1),
            ("a = 4 / 2; // 'x\nreturn 'yes' /* no */", 2),
            ("/* a\n b */ polkit.addRule((a, s) => polkit.Result.YES)", 2),
        ] {
            assert_eq!(grants(rule), [(line, Grant::Yes)], "{rule}");
        }
    }

    #[test]
    fn an_answer_that_is_not_understood_may_be_a_yes() {
        for rule in [
            "return polkit.spawn(['/usr/bin/x'])",
            "return answer;",
            "return 'y' + 'es'",
            "return (polkit.Result.NO)(x)",
            "return polkit.Result[name]",
            "return a.id == 'x' ? y : polkit.Result.NO",
            "return polkit.Result.NO || x ||\n y",
            "return x ?? polkit.Result.NO",
            "polkit.addRule((a, s) => f(a))",
            "eval(x)",
            "return a.id == 'x' && answer",
        ] {
            assert_eq!(grants(rule), [(1, Grant::Unclear)], "{rule}");
        }
    }

    #[test]
    fn a_rule_that_asks_or_denies_is_none() {
        for rule in [
            "// return polkit.Result.YES;\n/* return 'yes'; */",
            "/*\n * polkit.Result.YES\n */",
            "return;",
            "return\nf()",
            "polkit.addAdminRule(function(a, s) {\n    return ['unix-group:sudo', f(x)];\n});",
            "return polkit.Result.AUTH_ADMIN_KEEP; }",
            "return R.NO\nx = f()",
            "return a.id == f('x') || !s.local && s.isInGroup('x');",
            "return s.active ? polkit.Result.NO :\n  null;",
            "polkit.addRule((a, s) => { return polkit.Result.NOT_HANDLED })",
            "s.some((x) => x == 'b')",
            "polkit.log('/* yes it is')",
        ] {
            assert_eq!(grants(rule), [], "{rule}");
        }
    }
}
