//! The order of the services of NSS. glibc tells that one is down only if it is the last one of its
//! line.

use std::fs;
use std::path::Path;

/// What nsswitch.conf says.
#[derive(Debug)]
pub(crate) struct Order {
    file: &'static str,
    text: String,
}

/// The line of a database.
struct Line<'a> {
    number: usize,
    /// The services, each with the flag that libc says so if it is down.
    services: Vec<(&'a str, bool)>,
}

impl Order {
    /// Returns the order of this machine.
    pub(crate) fn read() -> Self {
        let file = FILES.into_iter().find(|path| Path::new(path).is_file()).unwrap_or(FILES[0]);
        Self { file, text: fs::read_to_string(file).unwrap_or_default() }
    }

    /// Reports whether these databases ask services that can be down, or can take long.
    pub(crate) fn asks_directories(&self, databases: &[&str]) -> bool {
        databases.iter().any(|database| self.directories(database).next().is_some())
    }

    /// Returns the line at which an outage would not show, and why, for each of these databases.
    /// Memberships are in `group`, and in `initgroups` if that line is there.
    pub(crate) fn hidden_outages(&self, databases: &[&str]) -> Vec<(String, String)> {
        let found = databases.iter().filter_map(|database| match *database {
            INITGROUPS => self.hidden_membership(),
            database => self.hidden_outage(database),
        });
        found.map(|(line, message)| (self.place(line), message)).collect()
    }

    /// Returns the line for which nscd answers, and why an outage does not show, for each of these
    /// databases.
    pub(crate) fn answered_by_nscd(&self, databases: &[&str]) -> Vec<(String, String)> {
        let found = databases.iter().filter_map(|database| {
            let (number, directory) = self.directories(database).next()?;
            Some((
                self.place(number),
                format!(
                    "{database}: nscd answers for {directory} and hides its outages, so a name that it does not find \
                     counts as unknown; hide /run/nscd from totpd, or stop nscd"
                ),
            ))
        });
        found.collect()
    }

    fn hidden_outage(&self, database: &str) -> Option<(usize, String)> {
        let line = self.line(database)?;
        let mut services = line.services.iter();
        // The last one is asked last, so libc says what it says.
        let (hidden, _) = services.find(|(service, is_told)| !is_told && can_be_down(service))?;
        let (word, _) = services.next()?;
        let what = if database == "passwd" { "user" } else { "group" };
        let message = format!(
            "{database}: while {hidden} is down, {word} says that there is no such {what}, and rules believe it; \
             write {hidden} last"
        );
        Some((line.number, message))
    }

    /// getgrouplist(3) never tells of a service that is down. So its outage shows only if the line
    /// `group` tells of it.
    fn hidden_membership(&self) -> Option<(usize, String)> {
        let group = self.line("group").map(|line| line.services).unwrap_or_default();
        let last = group.len().saturating_sub(1);
        let tells = |(index, (service, is_told)): (usize, &(&str, bool)), of: &str| {
            *service == of && (*is_told || index == last)
        };
        let is_told = |service: &str| group.iter().enumerate().any(|each| tells(each, service));
        let (number, hidden) =
            self.directories(INITGROUPS).find(|(_, service)| !is_told(service))?;
        let message = format!(
            "{INITGROUPS}: while {hidden} is down, nobody is a member of its groups, and rules believe it; write \
             {hidden} last in the line group too"
        );
        Some((number, message))
    }

    /// Returns the services of the line of `database` that can be down, each with the number of the
    /// line.
    fn directories(&self, database: &str) -> impl Iterator<Item = (usize, &str)> {
        let line = self.line(database);
        line.into_iter().flat_map(|line| {
            let down = line.services.into_iter().filter(|(service, _)| can_be_down(service));
            down.map(move |(service, _)| (line.number, service))
        })
    }

    fn line(&self, database: &str) -> Option<Line<'_>> {
        self.text.lines().enumerate().find_map(|(index, line)| {
            let (name, services) = line.split('#').next()?.split_once(':')?;
            let is_it = name.trim() == database;
            is_it.then(|| Line { number: index + 1, services: services_of(services) })
        })
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.file)
    }
}

fn services_of(mut text: &str) -> Vec<(&str, bool)> {
    let mut services: Vec<(&str, bool)> = Vec::new();
    loop {
        text = text.trim_start();
        if let Some(rest) = text.strip_prefix('[') {
            let (actions, after) = rest.split_once(']').unwrap_or((rest, ""));
            let mut actions = actions.split_whitespace().map(str::to_ascii_lowercase);
            // Then libc stops there, and says so.
            let tells = actions.any(|one| one == "unavail=return" || one == "!success=return");
            if let Some((_, is_told)) = services.last_mut() {
                *is_told |= tells;
            }
            text = after;
            continue;
        }
        let end = text.find(|c: char| c.is_whitespace() || c == '[').unwrap_or(text.len());
        if end == 0 {
            return services;
        }
        services.push((&text[..end], false));
        text = &text[end..];
    }
}

fn can_be_down(service: &str) -> bool {
    !NEVER_DOWN.contains(&service)
}

const FILES: [&str; 2] = ["/etc/nsswitch.conf", "/usr/etc/nsswitch.conf"];
/// The database of the memberships of a user. Without its line, that is `group`.
pub(crate) const INITGROUPS: &str = "initgroups";
/// Services that read files, or say what systemd itself has.
const NEVER_DOWN: [&str; 7] =
    ["altfiles", "compat", "db", "extrausers", "files", "mymachines", "systemd"];

#[cfg(test)]
mod tests {
    use super::*;

    fn order(text: &str) -> Order {
        Order { file: "/nss", text: text.to_owned() }
    }

    #[test]
    fn a_directory_that_is_not_the_last_one_hides_its_outage() {
        for (text, expected) in [
            ("", None),
            ("group: files\n", None),
            ("group: files systemd sss\n", None),
            ("group: files systemd\n", None),
            ("passwd: files sss systemd\n", None),
            (
                "# group: sss files\ngroup: files sss systemd\n",
                Some((2, "while sss is down, systemd")),
            ),
            ("group:ldap files # sss\n", Some((1, "while ldap is down, files"))),
            ("group: sss [NOTFOUND=return] systemd\n", Some((1, "while sss is down, systemd"))),
            ("group: sss [ UNAVAIL=return ] systemd\n", None),
            ("group: sss [NOTFOUND=return UNAVAIL=return] systemd\n", None),
            ("group: sss[!SUCCESS=return] files\n", None),
            (
                "group: files [SUCCESS=merge] sss [SUCCESS=merge] systemd\n",
                Some((1, "while sss is down")),
            ),
            ("group: files winbind sss\n", Some((1, "while winbind is down, sss"))),
        ] {
            same(&order(text).hidden_outages(&["group"]), expected, text);
        }
    }

    #[test]
    fn memberships_of_a_line_of_their_own_hide_an_outage_that_no_group_shows() {
        for (text, expected) in [
            ("group: files dir\n", None),
            ("group: files\ninitgroups: files\n", None),
            ("group: files dir\ninitgroups: dir files\n", None),
            ("group: dir [UNAVAIL=return] files\ninitgroups: dir files\n", None),
            ("initgroups: dir files\n", Some((1, "while dir is down, nobody is a member"))),
            ("group: files\ninitgroups: files dir\n", Some((2, "while dir is down, nobody"))),
            ("group: dir files\ninitgroups: dir [UNAVAIL=return] files\n", Some((2, "while dir"))),
        ] {
            same(&order(text).hidden_outages(&[INITGROUPS]), expected, text);
        }
    }

    #[test]
    fn only_a_line_with_a_directory_can_take_long_or_be_hidden_by_nscd() {
        let local = order("passwd: files systemd\ngroup: compat [NOTFOUND=return] files\n");
        let all = ["passwd", "group", INITGROUPS];
        assert!(!local.asks_directories(&all) && local.answered_by_nscd(&all).is_empty());
        let with = order("passwd: files\ngroup: files sss\n");
        assert!(with.asks_directories(&all) && !with.asks_directories(&["passwd"]));
        same(&with.answered_by_nscd(&all), Some((2, "group: nscd answers for sss and hides")), "");
        assert!(order("initgroups: ldap\n").asks_directories(&all));
    }

    fn same(found: &[(String, String)], expected: Option<(usize, &str)>, text: &str) {
        match (found, expected) {
            ([(place, message)], Some((number, words))) => {
                let is_there = *place == format!("/nss:{number}") && message.contains(words);
                assert!(is_there, "{text}: {place}: {message}");
            }
            (found, expected) => {
                assert!(found.is_empty() && expected.is_none(), "{text}: {found:?}")
            }
        }
    }
}
