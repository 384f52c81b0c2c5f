//! The list of commands in groups, as `totpctl --help` prints it.

use clap::Command;

use crate::terminal::output;

/// Returns a template for the help of `command`: its commands stand in groups.
pub(super) fn help_template(command: &Command) -> String {
    let mut template = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (title, names) in GROUPS {
        template.push_str(&format!("\n{title}:\n"));
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            template.push_str(&entry(name, in_short(&about)));
        }
    }
    template + "\nOptions:\n{options}\n\n" + &textwrap::fill(FOOTER, output::columns()) + "\n"
}

/// Returns the first clause of what a command does. The title of its group says who may use it.
fn in_short(about: &str) -> &str {
    let clause = about.split([':', ';']).next().unwrap_or_default();
    clause.trim_end_matches(" (root)").trim_end_matches(" (administrators)")
}

/// Formats a command in lines that fit the terminal.
fn entry(name: &str, about: &str) -> String {
    let first = format!("  {name:NAME_COLUMNS$}");
    let rest = " ".repeat(NAME_COLUMNS + 2);
    let options = textwrap::Options::new(output::columns());
    let options = options.initial_indent(&first).subsequent_indent(&rest);
    textwrap::fill(about, options) + "\n"
}

const GROUPS: [(&str, &[&str]); 6] = [
    (
        "Your second factor",
        &[
            "enroll",
            "confirm",
            "show",
            "status",
            "recovery-codes",
            "rename",
            "remove",
            "trust",
            "verify",
        ],
    ),
    ("Users (administrators)", &["list", "set", "unlock", "resync"]),
    ("Other programs (root)", &["import", "export"]),
    (
        "Services that ask for a code (root)",
        &["doctor", "explain", "rules", "try", "enable", "disable"],
    ),
    ("The store (root)", &["backup", "restore", "rekey", "verify-store", "seal-key"]),
    ("Other", &["completions"]),
];
const NAME_COLUMNS: usize = 16;
const FOOTER: &str = "To get started: totpctl enroll. Help on a command: totpctl help COMMAND";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_is_in_one_group() {
        let mut command = Cli::clap();
        command.build();
        let grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let commands = command.get_subcommands().map(Command::get_name);
        let commands: Vec<_> = commands.filter(|name| *name != "help").collect();
        for name in &commands {
            assert_eq!(grouped.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        assert_eq!(grouped.len(), commands.len());
    }

    #[test]
    fn the_list_fits_80_columns() {
        let help = Cli::clap().term_width(80).render_help().to_string();
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(help.contains("  enroll          Create a factor\n"), "{help}");
        assert!(help.contains("  rekey           Seal every record under a new key"), "{help}");
    }
}
