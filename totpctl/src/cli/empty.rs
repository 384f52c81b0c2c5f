//! Empty words on the command line. A script that passes an empty variable means no user, and no
//! factor; it does not mean all of them.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command};

/// Fails if a word of the command line is empty where it names something.
pub(super) fn refuse(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    command.build();
    refuse_in(command, matches)
}

fn refuse_in(command: &Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let of_command = command.get_arguments().find(|argument| {
        let may_be_empty = argument.get_long().is_some_and(|long| MAY_BE_EMPTY.contains(&long));
        !may_be_empty && is_empty(matches, argument.get_id().as_str())
    });
    if let Some(argument) = of_command {
        let told = sentence(command.get_name(), argument);
        return Err(command.clone().error(ErrorKind::InvalidValue, told));
    }
    match matches.subcommand() {
        Some((name, inner)) => match command.find_subcommand(name) {
            Some(command) => refuse_in(command, inner),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

/// Reports whether one of the words of this argument is empty. The new name of `rename`, which is
/// the last word, may be.
fn is_empty(matches: &ArgMatches, id: &str) -> bool {
    let Ok(Some(words)) = matches.try_get_raw(id) else { return false };
    let mut words: Vec<_> = words.collect();
    if id == "words" {
        words.pop();
    }
    words.iter().any(|word| word.is_empty())
}

fn sentence(command: &str, argument: &Arg) -> String {
    let name = match argument.get_long() {
        Some(long) => format!("--{long}"),
        None if argument.get_id() == "words" => "USER".into(),
        None => match argument.get_value_names() {
            Some([name, ..]) => name.to_string(),
            _ => argument.get_id().as_str().to_uppercase(),
        },
    };
    match (command, argument.get_id().as_str()) {
        ("remove", "factor") => {
            format!("{name} is empty; name a factor, or leave the option out to remove all")
        }
        (_, "factor") => format!("{name} is empty; name a factor, or leave the option out"),
        (_, "user" | "words") => format!("{name} is empty; name a user"),
        _ => format!("{name} is empty; give it a value"),
    }
}

/// Options for which an empty word has a meaning: none, no limit, or all.
const MAY_BE_EMPTY: [&str; 7] =
    ["issuer", "name", "not-after", "not-before", "option", "purpose", "services"];

#[cfg(test)]
mod tests {
    use crate::cli::Cli;

    /// Returns what is said of a command line. `_` stands for an empty word.
    fn refused(line: &str) -> Option<String> {
        let word = |word: &str| if word == "_" { "".into() } else { word.into() };
        let error = Cli::parse_words(line.split(' ').map(word).collect()).err()?;
        assert!(error.use_stderr());
        let text = error.to_string();
        text.lines().next().map(|line| line.trim_start_matches("error: ").to_owned())
    }

    #[test]
    fn an_empty_word_stands_for_nobody_and_not_for_all() {
        for (line, expected) in [
            (
                "remove alice --factor _",
                "--factor is empty; name a factor, or leave the option out to remove all",
            ),
            ("remove _", "USER is empty; name a user"),
            ("remove alice --factor f-a --yes --factor=", "cannot be used multiple times"),
            ("set alice --factor _ --disable", "--factor is empty; name a factor, or leave"),
            ("set _ --disable", "USER is empty; name a user"),
            ("confirm alice --factor _", "--factor is empty"),
            ("resync alice --factor _", "--factor is empty"),
            ("rename --factor _ alice Pixel", "--factor is empty"),
            ("rename _ Pixel", "USER is empty; name a user"),
            ("enroll _", "USER is empty"),
            ("show _", "USER is empty"),
            ("verify _", "USER is empty"),
            ("recovery-codes _", "USER is empty"),
            ("unlock _", "USER is empty"),
            ("enable _", "SERVICE is empty; give it a value"),
            ("disable _", "SERVICE is empty"),
            ("try _", "SERVICE is empty"),
            ("doctor _", "SERVICE is empty"),
            ("doctor --explain _", "--explain is empty"),
            ("doctor accept _ --reason r", "ID is empty"),
            ("doctor accept clock-unknown --reason r --service _", "--service is empty"),
            ("doctor accept --remove _", "--remove is empty"),
            ("restore /b --fingerprint _", "--fingerprint is empty"),
        ] {
            let told = refused(&format!("totpctl {line}"));
            assert!(told.as_ref().is_some_and(|told| told.contains(expected)), "{line}: {told:?}");
        }
    }

    #[test]
    fn an_empty_word_that_means_none_is_taken() {
        for line in [
            "remove alice",
            "set alice --services _",
            "set alice --purpose _ --not-before _ --not-after _",
            "rename alice _",
            "rename _",
            "enroll alice --name _",
            "enable sshd --option _",
        ] {
            assert_eq!(refused(&format!("totpctl {line}")), None, "{line}");
        }
    }
}
