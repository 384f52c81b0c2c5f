use super::*;

/// Returns all commands with their names. A command of another has both names.
fn commands() -> Vec<(String, clap::Command)> {
    let mut all = Vec::new();
    for outer in Cli::clap().get_subcommands() {
        all.push((outer.get_name().to_owned(), outer.clone()));
        let name = |inner: &clap::Command| format!("{} {}", outer.get_name(), inner.get_name());
        all.extend(outer.get_subcommands().map(|inner| (name(inner), inner.clone())));
    }
    all
}

#[test]
fn the_command_line_is_consistent() {
    Cli::clap().debug_assert();
}

#[test]
fn every_command_and_flag_is_explained() {
    for (name, command) in commands() {
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{}", argument.get_id());
        }
    }
}

#[test]
fn the_manual_names_every_command_and_flag() {
    let manual = include_str!("../../../packaging/man/totpctl.1");
    for (name, command) in commands() {
        let section = manual.split(&format!("\n.Ss {name}\n")).nth(1);
        let section = section.unwrap_or_else(|| panic!("totpctl(1) lacks {name}"));
        let section = section.split("\n.S").next().unwrap();
        // PAM and systemd use the hidden flags; people do not type them.
        let typed = command.get_arguments().filter(|argument| !argument.is_hide_set());
        for flag in typed.filter_map(|argument| argument.get_long()) {
            let is_there = section.lines().any(|line| {
                line.strip_prefix(&format!(".It Fl -{flag}"))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            });
            assert!(is_there, "totpctl(1) lacks {name} --{flag}");
        }
    }
}
