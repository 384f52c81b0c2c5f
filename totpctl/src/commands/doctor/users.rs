//! The users of this host without a factor, denied by services that ask for a code.

use std::collections::HashSet;
use std::fs;

use super::finding::FindingId;
use super::report::Report;
use crate::client::{Client, details};
use crate::error::Error;

/// Adds the users who cannot log in. `denies_unenrolled`: whether a service denies users without a
/// factor.
pub(super) fn check(client: &Client, denies_unenrolled: bool, report: &mut Report) {
    let enrolled = match enrolled(client) {
        Ok(enrolled) => enrolled,
        Err(error) => {
            report.note(
                FindingId::EnrolledUnknown,
                format!("cannot list the enrolled users: {error}"),
            );
            return;
        }
    };
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let without: Vec<_> =
        people(&passwd).into_iter().filter(|name| !enrolled.contains(name)).collect();
    if !denies_unenrolled || without.is_empty() {
        return;
    }
    let named = without.iter().take(MAX_NAMED_USERS).cloned().collect::<Vec<_>>().join(", ");
    let more = match without.len().saturating_sub(MAX_NAMED_USERS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message =
        format!("services that ask for a code deny users without a factor: {named}{more}");
    if enrolled.is_empty() {
        report.problem(
            FindingId::NobodyEnrolled,
            format!("{message}; no user is enrolled, so run totpctl enroll USER"),
        );
    } else {
        report.note(FindingId::UsersWithoutFactor, message);
    }
}

/// Returns all users who have a factor.
pub(crate) fn enrolled(client: &Client) -> Result<HashSet<String>, Error> {
    let (mut after, mut enrolled) = (String::new(), HashSet::new());
    loop {
        let page = client.manager(async |totpd| totpd.list_users(&after, PAGE_SIZE).await)?;
        for user in &page {
            let user = details::object(user);
            after = details::text(&user, "user");
            if details::flag(&user, "enrolled") {
                enrolled.insert(after.clone());
            }
        }
        if page.len() < PAGE_SIZE as usize {
            return Ok(enrolled);
        }
    }
}

/// Returns root and the local users with a shell. Users of a directory are not counted.
fn people(passwd: &str) -> Vec<String> {
    let has_a_shell = |shell: &str| !shell.ends_with("/nologin") && !shell.ends_with("/false");
    passwd
        .lines()
        .filter_map(|line| {
            let fields: Vec<_> = line.split(':').collect();
            let [name, _, uid, .., shell] = fields.as_slice() else { return None };
            let uid: u32 = uid.parse().ok()?;
            let person = uid == 0 || (1000..60_000).contains(&uid);
            (person && has_a_shell(shell)).then(|| (*name).to_owned())
        })
        .collect()
}

const PAGE_SIZE: u32 = 500;
const MAX_NAMED_USERS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_have_a_shell() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/:/usr/sbin/nologin\n\
                      alice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001::/:/bin/false\n\
                      nobody:x:65534:65534::/:/bin/sh\nbroken\n";
        assert_eq!(people(passwd), ["root", "alice"]);
    }
}
