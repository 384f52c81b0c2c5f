//! A setting of sudoers, and its scope (`Defaults:alice`, `Defaults@host`).

use super::alias_line::AliasKind;
use super::aliases::Aliases;
use super::hosts::is_this_host;
use super::lines::Place;

/// A setting (`Defaults`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The users, hosts, commands or targets that it is for, as the line writes them (`:alice`);
    /// nothing if it is for all.
    pub(crate) scope: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// Its value; `None` for a flag.
    pub(crate) value: Option<String>,
    /// True if it is turned off (`!name`).
    pub(crate) is_negated: bool,
    /// The line.
    pub(crate) place: Place,
}

/// The callers of a setting on this host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    /// Everybody.
    Everybody,
    /// Some users, targets or commands; or it may be for another host.
    Some,
    /// Nobody: it is for other hosts.
    Nobody,
}

/// The names of a scope, with aliases replaced by their members.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    /// Everybody.
    All,
    /// Users who run these commands.
    Commands(Vec<String>),
    /// Users on these hosts.
    Hosts(Vec<String>),
    /// Users who become these.
    Targets(Vec<String>),
    /// These users and groups.
    Users(Vec<String>),
}

impl Setting {
    /// Returns the scope, as the line says.
    pub(super) fn scope_of(&self, aliases: &Aliases) -> Scope {
        let Some((sign, list)) = self.scope.as_deref().and_then(|scope| scope.split_at_checked(1))
        else {
            return Scope::All;
        };
        let names: Vec<_> = list.split(',').map(ToOwned::to_owned).collect();
        match sign {
            "!" => Scope::Commands(aliases.expand(AliasKind::Command, &names)),
            ">" => Scope::Targets(aliases.expand(AliasKind::RunAs, &names)),
            "@" => Scope::Hosts(aliases.expand(AliasKind::Host, &names)),
            _ => Scope::Users(aliases.expand(AliasKind::User, &names)),
        }
    }

    /// Returns the callers on the host with these names.
    pub(super) fn reach(&self, aliases: &Aliases, names: &[String]) -> Reach {
        let members = match self.scope_of(aliases) {
            Scope::All => return Reach::Everybody,
            Scope::Hosts(hosts) => {
                return match is_this_host(&hosts, names) {
                    Some(true) => Reach::Everybody,
                    Some(false) => Reach::Nobody,
                    None => Reach::Some,
                };
            }
            Scope::Commands(members) | Scope::Targets(members) | Scope::Users(members) => members,
        };
        match members.as_slice() {
            [all] if all == "ALL" => Reach::Everybody,
            _ => Reach::Some,
        }
    }

    /// Returns when sudo applies it: those for targets after the others, those for commands last.
    pub(super) fn stage(&self) -> u8 {
        match self.scope.as_ref().and_then(|scope| scope.chars().next()) {
            Some('>') => 1,
            Some('!') => 2,
            _ => 0,
        }
    }
}
