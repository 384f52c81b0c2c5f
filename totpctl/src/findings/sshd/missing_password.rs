//! The users who have no password, although sshd requires one after their key.

use crate::findings::finding::{Finding, FindingId};
use crate::host::people::people;
use crate::host::shadow::Shadow;
use crate::host::sshd::ways::password_after_key::ShutUser;
use crate::host::sshd::{self, ShutOut};
use crate::terminal::output;

/// Who would need a password for a login by ssh, and has none.
pub(crate) struct Missing {
    finding: Finding,
    /// Whether they are root, a user with a factor, or all who may log in.
    pub(crate) is_problem: bool,
    /// Their names.
    pub(crate) names: Vec<String>,
}

impl Missing {
    /// Looks for such users, as root. `read` returns the files of PAM, as they will be.
    /// `is_enrolled` reports whether a user has a factor.
    pub(crate) fn find(
        read: &dyn Fn(&str) -> Option<String>,
        is_enrolled: &dyn Fn(&str) -> bool,
    ) -> Option<Self> {
        let shadow = Shadow::of_host();
        let names: Vec<_> = people().people.into_iter().map(|person| person.name).collect();
        let lacking: Vec<_> = names.iter().filter_map(|name| shadow.lacking(name)).collect();
        let ShutOut { users: shut, place } = sshd::shut_without_password(read, &lacking)?;
        let everywhere = shut.iter().filter(|user| user.scope.is_none()).count();
        let matters = |name: &str| name == "root" || is_enrolled(name);
        let is_problem = everywhere == names.len() || shut.iter().any(|user| matters(&user.name));
        let phrase = |user: &ShutUser| match &user.scope {
            Some(scope) => format!("{} ({scope})", user.name),
            None => user.name.clone(),
        };
        let phrases: Vec<_> = shut.iter().map(phrase).collect();
        let finding = Finding::new(FindingId::SshdPasswordMissing, message(&phrases))
            .fix(FIX)
            .lists(&phrases);
        let finding = match place {
            Some(place) => finding.at(place),
            None => finding,
        };
        let names = shut.into_iter().map(|user| user.name).collect();
        Some(Self { finding, is_problem, names })
    }

    pub(crate) fn into_finding(self) -> Finding {
        self.finding
    }

    /// Returns what is wrong, and the change to make.
    pub(crate) fn sentence(&self) -> String {
        self.finding.sentence()
    }
}

fn message(names: &[String]) -> String {
    format!(
        "sshd requires a password after the key (pam_unix in the stack), so users without one cannot log in: {}",
        output::names(names)
    )
}

const FIX: &str = "give them a password (passwd USER), or ask for the code alone: in /etc/pam.d/sshd, replace \
                   \"@include common-auth\" by \"auth required pam_totp.so\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_are_counted() {
        assert!(
            message(&["root".into(), "dana".into()]).ends_with("cannot log in: root, dana (2)")
        );
    }
}
