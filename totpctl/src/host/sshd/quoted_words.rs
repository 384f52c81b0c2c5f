//! Words of a line, of which quotes keep some together: sshd, systemd and shells all do this.

/// Splits a line at the separators. Unless it is `None`, `comment` at the start of a word ends the
/// line.
pub(super) fn split(
    line: &str,
    is_separator: fn(char) -> bool,
    comment: Option<char>,
) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match letter {
            '"' | '\'' if quote.is_none() => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            _ if quote == Some(letter) => quote = None,
            _ if quote.is_none() && word.is_none() && comment == Some(letter) => break,
            _ if quote.is_none() && is_separator(letter) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}
