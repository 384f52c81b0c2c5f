//! The users that a line of sudoers exempts (`NOPASSWD`), without those that later lines ask.

use std::slice;

use super::Sudoers;
use super::alias_line::AliasKind;
use super::callers::Share;
use super::hosts::is_this_host;
use super::lines::Place;
use super::rules::{Command, Grant};

/// Users who are asked for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exempt {
    /// The users and groups, without aliases. `!` stands before those that a later line asks.
    pub(crate) users: Vec<String>,
    /// The commands as the line names them.
    pub(crate) commands: Vec<String>,
    /// True if a later line may ask some of these users, and the names do not tell.
    pub(crate) may_be_asked: bool,
    /// All that the line exempts, with the targets of each command. Other lines may change it.
    pub(crate) extent: String,
    /// The line.
    pub(crate) place: Place,
}

impl Sudoers {
    /// Returns the users that sudo does not ask on this host, in order. Of the lines for a user,
    /// the last one counts.
    pub(crate) fn exempt(&self) -> Vec<Exempt> {
        let grants = self.grants.iter().enumerate();
        grants.filter_map(|(index, grant)| self.exempt_by(grant, index + 1)).collect()
    }

    /// Returns the users that a line exempts, without those that a line from `later` on asks.
    fn exempt_by(
        &self,
        (users, grant, place): &(Vec<String>, Grant, Place),
        later: usize,
    ) -> Option<Exempt> {
        if self.is_here(grant) == Some(false) {
            return None;
        }
        let mut users = self.members(users);
        let mut commands: Vec<_> =
            grant.exempt.iter().flat_map(|command| self.allowed_commands(command)).collect();
        let mut may_be_asked = false;
        for (others, grant, _) in self.grants.iter().skip(later) {
            let is_here = self.is_here(grant);
            let is_asked = |command: &Command| self.asks_for(grant, command);
            if is_here == Some(false) || !commands.iter().any(is_asked) {
                continue;
            }
            let others = self.members(others);
            let shares = users.iter().filter(|user| !user.starts_with('!'));
            let shares: Vec<_> = shares.map(|user| self.callers.share(user, &others)).collect();
            if !commands.iter().all(is_asked) {
                // It asks all of them for some of the commands.
                if is_here == Some(true) && shares.iter().all(|share| *share == Share::All) {
                    commands.retain(|command| !is_asked(command));
                }
                continue;
            }
            let is_part = |share: &Share| *share != Share::These(Vec::new());
            if is_here.is_none() {
                may_be_asked |= shares.iter().any(is_part);
                continue;
            }
            may_be_asked |= shares.contains(&Share::Unknown);
            let mut asked = Vec::new();
            let mut shares = shares.into_iter();
            users.retain(|user| {
                user.starts_with('!')
                    || match shares.next() {
                        Some(Share::All) => false,
                        Some(Share::These(names)) => {
                            asked.extend(names.into_iter().map(|name| format!("!{name}")));
                            true
                        }
                        _ => true,
                    }
            });
            asked.retain(|name| !users.contains(name));
            users.extend(asked);
        }
        let has_users = users.iter().any(|user| !user.starts_with('!'));
        (has_users && !commands.is_empty()).then(|| Exempt {
            extent: self.extent(&users, &commands, may_be_asked),
            users,
            commands: commands.into_iter().map(|command| command.name).collect(),
            may_be_asked,
            place: place.clone(),
        })
    }

    fn extent(&self, users: &[String], commands: &[Command], may_be_asked: bool) -> String {
        let defaults = self.scoped_or_global("runas_default");
        let defaults: Vec<_> = defaults.filter_map(|setting| setting.value.as_deref()).collect();
        let default = if defaults.is_empty() { "root".to_owned() } else { defaults.join("|") };
        let command =
            |command: &Command| format!("({}) {}", command.targets.text(&default), command.name);
        let commands: Vec<_> = commands.iter().map(command).collect();
        let may = if may_be_asked { " may" } else { "" };
        format!("{}{may}: {}", users.join(", "), commands.join(", "))
    }

    /// Returns what a command of a line allows. A negated alias allows the members that it negates.
    fn allowed_commands(&self, command: &Command) -> Vec<Command> {
        if !command.name.starts_with('!') {
            return vec![command.clone()];
        }
        let names = self.aliases.expand(AliasKind::Command, slice::from_ref(&command.name));
        let names = names.into_iter().filter(|name| !name.starts_with('!'));
        names.map(|name| Command { name, targets: command.targets.clone() }).collect()
    }

    /// Reports whether sudo asks nobody for a password, by a line for all users and commands.
    pub(crate) fn exempts_everybody(&self) -> bool {
        // A later line may ask a user again.
        self.last_here().is_some_and(|(users, grant, _)| {
            self.members(users) == ["ALL"]
                && grant.exempt.iter().any(|command| command.name == "ALL")
        })
    }

    /// Reports whether sudo asks somebody for a password though a setting turns that off.
    pub(crate) fn turns_password_on(&self) -> bool {
        // A later line may leave it off.
        self.last_here().is_some_and(|(users, grant, _)| {
            let is_asked = |user: &String| !user.starts_with('!') && user != "root" && user != "#0";
            grant.turned_on.iter().any(|command| !self.allowed_commands(command).is_empty())
                && self.is_here(grant) == Some(true)
                && self.members(users).iter().any(is_asked)
        })
    }

    /// Returns the last line that may be for this host, and allows something.
    fn last_here(&self) -> Option<&(Vec<String>, Grant, Place)> {
        let allows = |grant: &Grant| {
            grant.granted.iter().any(|name| !self.allowed_commands(name).is_empty())
        };
        let mut lines = self.grants.iter();
        lines.rfind(|(_, grant, _)| self.is_here(grant) != Some(false) && allows(grant))
    }

    /// Reports whether a line asks for a password before a command, as far as the names tell.
    fn asks_for(&self, grant: &Grant, command: &Command) -> bool {
        let members = |command: &Command| {
            let names = self.aliases.expand(AliasKind::Command, slice::from_ref(&command.name));
            let targets = command.targets.clone();
            names.into_iter().map(move |name| Command { name, targets: targets.clone() })
        };
        let asked: Vec<_> = grant.asked.iter().flat_map(members).collect();
        members(command).all(|command| asked.iter().any(|asked| asked.includes(&command)))
    }

    /// Returns whether a line is for this host, if its names tell.
    fn is_here(&self, grant: &Grant) -> Option<bool> {
        is_this_host(&self.aliases.expand(AliasKind::Host, &grant.hosts), &self.hosts)
    }
}
