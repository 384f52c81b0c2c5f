//! Who of this host has no factor, and is shut out where one is asked for.

use std::collections::HashSet;
use std::fs;

use super::report::Report;
use crate::client::Client;
use crate::client::details;

/// Adds who would not get in. `refuses`: whether a service asks that lets nobody by.
pub(super) fn check(client: &Client, refuses: bool, report: &mut Report) {
    let enrolled = match enrolled(client) {
        Ok(enrolled) => enrolled,
        Err(failure) => {
            report.notes.push(format!("who is enrolled is not known: {failure}"));
            return;
        }
    };
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let without: Vec<_> =
        people(&passwd).into_iter().filter(|name| !enrolled.contains(name)).collect();
    if !refuses || without.is_empty() {
        return;
    }
    let named = without.iter().take(MAX_NAMED_USERS).cloned().collect::<Vec<_>>().join(", ");
    let more = match without.len().saturating_sub(MAX_NAMED_USERS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let told = format!("shut out where a code is asked for, without a factor: {named}{more}");
    if enrolled.is_empty() {
        report.problems.push(format!("{told}; nobody is enrolled: totpctl enroll USER"));
    } else {
        report.notes.push(told);
    }
}

/// Who has a factor.
pub(crate) fn enrolled(client: &Client) -> Result<HashSet<String>, crate::error::Error> {
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

/// The local users that have a shell, root among them. Those of a directory are not counted.
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
