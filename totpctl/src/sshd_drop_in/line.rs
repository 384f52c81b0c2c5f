//! The lines by which sshd can ask for a code. Pure.

use crate::host::sshd::config::effective::{Effective, Pam};
use crate::host::sshd::config::method::Method;

/// A line of the drop-in, in the order of the file.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Line {
    /// sshd uses PAM.
    UsePam,
    /// PAM may ask questions.
    Ask,
    /// The same for OpenSSH before 8.7.
    AskOld,
    /// Nobody is asked by the method `password`, which cannot be answered with a code.
    NoPasswords,
}

impl Line {
    pub(crate) const ALL: [Self; 4] = [Self::UsePam, Self::Ask, Self::AskOld, Self::NoPasswords];

    pub(crate) fn keyword(self) -> &'static str {
        match self {
            Self::UsePam => "UsePAM",
            Self::Ask => "KbdInteractiveAuthentication",
            Self::AskOld => "ChallengeResponseAuthentication",
            Self::NoPasswords => "PasswordAuthentication",
        }
    }

    /// Returns the line as sshd reads it. `between`: a blank, or `=` on a command line.
    pub(crate) fn text(self, between: char) -> String {
        let value = if self == Self::NoPasswords { "no" } else { "yes" };
        format!("{}{between}{value}", self.keyword())
    }

    /// Returns what sshd does without the line, where it lacks it.
    pub(crate) fn opposite(self, between: char) -> String {
        let value = if self == Self::NoPasswords { "yes" } else { "no" };
        format!("{}{between}{value}", self.keyword())
    }

    pub(crate) fn is_in_effect(self, config: &Effective) -> bool {
        match self {
            Self::UsePam => matches!(config.pam, Pam::Service(_)),
            Self::Ask | Self::AskOld => config.is_enabled(Method::KeyboardInteractive),
            Self::NoPasswords => !config.is_enabled(Method::Password),
        }
    }
}

/// What the drop-in is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose {
    /// The method `password` cannot be answered by anybody who logs in.
    pub(crate) asks_everybody: bool,
    /// The administrator wants all lines, and not only those without which sshd cannot ask.
    pub(crate) is_demanded: bool,
}

/// Returns the lines that sshd lacks.
pub(crate) fn missing(config: &Effective, purpose: Purpose) -> Vec<Line> {
    let ask = match config.ask_keyword == Line::AskOld.keyword() {
        true => Line::AskOld,
        false => Line::Ask,
    };
    // An sshd without PAM has no such keyword.
    let can_use_pam = config.pam != Pam::Missing;
    let mut lines = vec![Line::UsePam, ask];
    lines.retain(|line| can_use_pam && !line.is_in_effect(config));
    // A list that needs the method would let nobody in without it.
    let is_required =
        config.lists.iter().flatten().any(|list| {
            list.split(',').any(|method| Method::parse(method) == Some(Method::Password))
        });
    let is_wanted = purpose.asks_everybody && (purpose.is_demanded || !lines.is_empty());
    if can_use_pam && is_wanted && !is_required && !Line::NoPasswords.is_in_effect(config) {
        lines.push(Line::NoPasswords);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing_in(config: &str, asks_everybody: bool, is_demanded: bool) -> Vec<String> {
        let lines = missing(&Effective::parse(config), Purpose { asks_everybody, is_demanded });
        lines.into_iter().map(|line| line.text(' ')).collect()
    }

    #[test]
    fn only_the_lines_that_sshd_lacks_are_written() {
        let stock = "usepam yes\nkbdinteractiveauthentication no\npasswordauthentication yes\n";
        let all = ["KbdInteractiveAuthentication yes", "PasswordAuthentication no"];
        assert_eq!(missing_in(stock, true, false), all);
        // Users without a factor may still need the method password.
        assert_eq!(missing_in(stock, false, true), &all[..1]);
        let can_ask = stock.replace("authentication no", "authentication yes");
        assert!(missing_in(&can_ask, true, false).is_empty());
        assert_eq!(missing_in(&can_ask, true, true), &all[1..]);
        let required = format!("{stock}authenticationmethods publickey,password\n");
        assert_eq!(missing_in(&required, true, true), &all[..1]);
        let old = "usepam no\nchallengeresponseauthentication no\npasswordauthentication no\n";
        let lines = ["UsePAM yes", "ChallengeResponseAuthentication yes"];
        assert_eq!(missing_in(old, true, true), lines);
        assert!(missing_in("passwordauthentication yes\n", true, true).is_empty(), "no PAM");
    }
}
