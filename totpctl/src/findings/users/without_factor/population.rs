//! The users of this host, by their factors.

use std::collections::BTreeSet;

use crate::client::Client;
use crate::error::Error;
use crate::findings::users::admission::Admission;
use crate::findings::users::asking::Asking;
use crate::findings::users::factor_holder::{Holder, holders, now};
use crate::host::people::{People, people};
use crate::terminal::output;

/// The ways in that ask for no code.
pub(crate) struct OtherWays<'a> {
    /// The methods of ssh that ask nobody for a code.
    pub(crate) open: Vec<&'a str>,
    /// Reports whether the program of a service lets some users in without a code of that service.
    pub(crate) has_one: &'a dyn Fn(&str) -> bool,
    /// Reports whether sshd itself refuses root.
    pub(crate) refuses_root: &'a dyn Fn() -> bool,
}

/// The users of this host without a factor.
#[derive(Default)]
pub(crate) struct WithoutFactor {
    /// The number of users who have a factor whose codes are valid now, for the service.
    pub(crate) enrolled: usize,
    /// The number of users who have a factor whose codes are valid now, for any service.
    pub(crate) enrolled_anywhere: usize,
    /// The names of those users.
    pub(crate) usable: Vec<String>,
    /// The names of users who have factors, and none whose codes are valid now.
    pub(crate) unusable: Vec<String>,
    /// The names of those who have none.
    pub(crate) names: Vec<String>,
    /// The sources of users that cannot be listed, as `/etc/nsswitch.conf` names them.
    pub(crate) uncounted: Vec<String>,
    /// All who have factors.
    pub(crate) holders: Vec<Holder>,
}

impl WithoutFactor {
    /// Asks the daemon who is enrolled. A factor counts if its codes are valid for `service`, or
    /// for any service.
    pub(crate) fn read(client: &Client, service: Option<&str>) -> Result<Self, Error> {
        let People { people, uncounted } = people();
        let names = people.into_iter().map(|person| person.name).collect();
        Ok(Self::new(holders(client)?, names, uncounted, service, now()))
    }

    pub(super) fn new(
        holders: Vec<Holder>,
        mut names: Vec<String>,
        uncounted: Vec<String>,
        service: Option<&str>,
        now: u64,
    ) -> Self {
        let known: BTreeSet<_> = holders.iter().map(|holder| holder.name.as_str()).collect();
        names.retain(|name| !known.contains(name.as_str()));
        let (usable, unusable): (Vec<_>, Vec<_>) =
            holders.iter().partition(|holder| holder.is_valid(service, now));
        let names_of = |holders: Vec<&Holder>| -> Vec<_> {
            holders.into_iter().map(|holder| holder.name.clone()).collect()
        };
        let (usable, unusable) = (names_of(usable), names_of(unusable));
        let enrolled_anywhere = holders.iter().filter(|holder| holder.is_valid(None, now)).count();
        let enrolled = usable.len();
        Self { enrolled, enrolled_anywhere, usable, unusable, names, uncounted, holders }
    }

    /// Returns who gets in by a service.
    pub(crate) fn admission(&self, asking: &Asking) -> Admission {
        let has_uncounted = !self.uncounted.is_empty();
        Admission::new(asking, &self.holders, &self.names, has_uncounted, now())
    }

    /// Returns whose factors belong to another uid than the account has, each as a phrase.
    pub(super) fn of_other_uids(&self) -> Vec<String> {
        let phrase = |holder: &Holder| {
            let (record, account) = holder.differing?;
            Some(format!("{} (uid {account}, enrolled as {record})", holder.name))
        };
        self.holders.iter().filter_map(phrase).collect()
    }

    /// Removes the names of users who cannot log in anyway, and returns them.
    pub(crate) fn set_aside(&mut self, cannot_log_in: impl Fn(&str) -> bool) -> Vec<String> {
        let (removed, names) =
            std::mem::take(&mut self.names).into_iter().partition(|name| cannot_log_in(name));
        self.names = names;
        removed
    }

    /// Says how many users are enrolled, and how many of them for `service`, if that differs.
    pub(crate) fn enrolled_phrase(&self, service: &str) -> String {
        let count = self.enrolled_anywhere as u64;
        let verb = if count == 1 { "is" } else { "are" };
        let of_service = match self.enrolled == self.enrolled_anywhere {
            true => String::new(),
            false => {
                format!(", {} of them with a factor that is valid for {service}", self.enrolled)
            }
        };
        format!("{} {verb} enrolled{of_service}", output::count(count, "user"))
    }

    /// Returns the first names, the number of all, and whose users are not counted.
    pub(crate) fn description(&self) -> String {
        let uncounted = match self.uncounted.as_slice() {
            [] => String::new(),
            sources => format!("; not counted: users of {}", sources.join(", ")),
        };
        format!("{}{uncounted}", output::names(&self.names))
    }
}
