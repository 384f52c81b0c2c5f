//! Text that fits the columns of a terminal.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use super::command;

/// Wraps each line at words to `columns`. Continuations are indented under a line that is indented
/// or begins with a label, as `totpctl: `. Commands, and words that are longer than a line, stay
/// whole, so that they can be copied.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    text.split_inclusive('\n').map(|line| fit_line(line, columns)).collect()
}

fn fit_line(line: &str, columns: usize) -> String {
    let (bare, end) = match line.strip_suffix('\n') {
        Some(bare) => (bare, "\n"),
        None => (line, ""),
    };
    let words = bare.trim_start_matches(' ');
    let indent = bare.len() - words.len();
    let is_labeled = words.split(' ').next().is_some_and(|first| first.ends_with(':'));
    let hang = if indent > 0 || is_labeled { INDENT } else { 0 };
    let (first, rest) = (" ".repeat(indent), " ".repeat(indent + hang));
    let options = Options::new(columns)
        .initial_indent(&first)
        .subsequent_indent(&rest)
        .break_words(false)
        .word_separator(WordSeparator::Custom(command::words))
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::fill(words, options) + end
}

/// How far a continuation stands behind its line.
const INDENT: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_at_words() {
        let text = "totpctl: cannot do that: it is late; try again tomorrow\n";
        let expected = "totpctl: cannot do that:\n  it is late; try again\n  tomorrow\n";
        assert_eq!(fit(text, 25), expected);
        let text = "sshd: asks\n  problem: it is not so good as it looks\nplain words of a text";
        let expected =
            "sshd: asks\n  problem: it is not so\n    good as it looks\nplain words of a text";
        assert_eq!(fit(text, 25), expected);
        assert_eq!(fit("plain words of a text", 12), "plain words\nof a text");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let text = "  note: ".to_owned() + &"some word or other ".repeat(20) + "\n\nend\n";
        for columns in 20..120 {
            let fitted = fit(&text, columns);
            assert!(fitted.lines().all(|line| line.chars().count() <= columns), "{fitted}");
            assert!(fitted.ends_with("\n\nend\n"), "{fitted}");
        }
    }

    #[test]
    fn a_command_is_never_wrapped() {
        let text = "  * To keep it, log in with a code from another terminal, without a key: \
                    ssh -o PubkeyAuthentication=no USER@localhost\n";
        let expected = "  * To keep it, log in with a code from another\n    terminal, without a key:\n    \
                        ssh -o PubkeyAuthentication=no USER@localhost\n";
        assert_eq!(fit(text, 50), expected);
        assert!(fit(text, 20).contains("\n    ssh -o PubkeyAuthentication=no USER@localhost\n"));
    }

    #[test]
    fn what_fits_and_long_words_stay_as_they_are() {
        let text = "  two  blanks \n\ntotpctl: /a/path/that/is/longer/than/the/line\n";
        assert_eq!(fit(text, 80), text.replace(" \n", "\n"));
        let fitted = fit("a https://host/a/long/path b\n", 10);
        assert_eq!(fitted, "a\nhttps://host/a/long/path\nb\n");
    }
}
