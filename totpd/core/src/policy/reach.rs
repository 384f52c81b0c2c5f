//! What the rules come to at a service: who gets in without a code, and whether anybody can.

use alloc::vec::Vec;

use crate::policy::comparison::{Judge, World, groups, question};
use crate::policy::decision::decide;
use crate::policy::requirement::Requirement;
use crate::policy::rule::Rule;

/// What the rules come to at a service.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reach<'a> {
    /// The rules that let somebody in without a code, in no order.
    pub lets_by: Vec<&'a Rule>,
    /// The rules that refuse somebody, in no order.
    pub refuses: Vec<&'a Rule>,
    /// What holds for every login there, if it is the same for all.
    pub everybody: Option<Everybody>,
    /// The flag that users without a factor need none there now, all of them.
    pub lets_unenrolled_by: bool,
}

/// What holds for every login at a service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Everybody {
    /// None needs a code.
    LetBy,
    /// None succeeds.
    Refused,
}

/// Returns what the rules come to for the logins of `world`, for each of its services in order.
#[must_use]
pub fn reaches<'a>(judge: Judge<'a>, world: &World) -> Vec<Reach<'a>> {
    let mut reaches: Vec<Reach<'a>> = world.services.iter().map(|_| Reach::default()).collect();
    let mut fates = alloc::vec![Fate::default(); world.services.len()];
    for user in &world.users {
        let groups = groups(judge.policy, user);
        let services = world.services.iter().zip(reaches.iter_mut().zip(&mut fates));
        for ((_, service), (reach, fate)) in services {
            for (_, place) in &world.places {
                let question = question(user, service, *place, &groups, judge.now);
                let requirement = decide(judge.policy, &question, |_, _| {}).requirement;
                fate.add(&requirement, user.is_unenrolled);
                let (list, rule) = match requirement {
                    Requirement::Skip(rule) | Requirement::EnrollUntil(_, rule) => {
                        (&mut reach.lets_by, rule)
                    }
                    Requirement::Deny(rule) => (&mut reach.refuses, rule),
                    Requirement::Code(..) => continue,
                };
                if !list.iter().any(|known| known.name == rule.name) {
                    list.push(rule);
                }
            }
        }
    }
    for (reach, fate) in reaches.iter_mut().zip(fates) {
        reach.everybody = fate.of_all();
        reach.lets_unenrolled_by = !(fate.needs_factor || reach.lets_by.is_empty());
    }
    reaches
}

/// What logins need, so far.
#[derive(Clone, Default)]
struct Fate {
    logins: usize,
    skipped: usize,
    refused: usize,
    /// The flag that some without a factor need one.
    needs_factor: bool,
}

impl Fate {
    fn add(&mut self, requirement: &Requirement<'_>, is_unenrolled: bool) {
        self.logins += 1;
        match requirement {
            Requirement::Skip(_) => self.skipped += 1,
            Requirement::Deny(_) => self.refused += 1,
            Requirement::Code(..) | Requirement::EnrollUntil(..) => {}
        }
        let needs_none = matches!(requirement, Requirement::Skip(_) | Requirement::EnrollUntil(..));
        self.needs_factor |= is_unenrolled && !needs_none;
    }

    fn of_all(&self) -> Option<Everybody> {
        match self.logins {
            0 => None,
            all if all == self.skipped => Some(Everybody::LetBy),
            all if all == self.refused => Some(Everybody::Refused),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec;

    use super::*;
    use crate::policy::limits::Limits;
    use crate::policy::representatives::{named_users, place_holders, places, unnamed_users};
    use crate::policy::rule::{Deadline, Then};
    use crate::policy::rule_list::Policy;
    use crate::policy::tests::fixtures::{Spec, policy};

    /// Returns the rules that skip and those that refuse at sshd, and what holds for all.
    fn at_sshd(specs: &[Spec<'_>]) -> (Vec<String>, Vec<String>, Option<Everybody>, bool) {
        let (policy, none) = (policy(specs), Policy::default());
        let both = [&policy, &none];
        let mut users = unnamed_users(both);
        users.extend(place_holders(named_users(both)));
        let services = vec![("sudo".into(), "sudo".into()), ("sshd".into(), "sshd".into())];
        let world = World { users, services, places: places(both) };
        let reach = reaches(Judge { policy: &policy, now: 50 }, &world).remove(1);
        let names = |list: &[&Rule]| list.iter().map(|rule| rule.name.to_string()).collect();
        let Reach { lets_by, refuses, everybody, lets_unenrolled_by } = &reach;
        (names(lets_by), names(refuses), *everybody, *lets_unenrolled_by)
    }

    #[test]
    fn a_service_has_the_rules_that_decide_there_and_what_holds_for_all() {
        let require = Spec::new("require", Then::Require(Limits::NONE));
        let (skip, deny) = (Spec::new("skip", Then::Skip), Spec::new("deny", Then::Deny));
        let march = Spec::new("march", Then::EnrollBy(Deadline(100)));
        let past = Spec::new("past", Then::EnrollBy(Deadline(50)));
        let at = |spec: Spec<'static>, services| Spec { services, ..spec };
        let of_staff = Spec { groups: &["staff"], name: "staff", ..skip };
        let of_bob = Spec { users: &["bob"], name: "bob", ..skip };
        let office = Spec { from: &["10.0.0.0/8"], name: "office", ..skip };
        let (all, none) = (Some(Everybody::LetBy), Some(Everybody::Refused));
        for (specs, lets_by, refuses, everybody) in [
            (vec![], &[][..], &[][..], None),
            (vec![skip], &["skip"], &[], all),
            (vec![at(skip, &["ssh*"])], &["skip"], &[], all),
            (vec![at(skip, &["sudo"])], &[], &[], None),
            (vec![at(require, &["sshd"]), skip], &[], &[], None),
            (vec![of_staff], &["staff"], &[], None),
            (vec![of_bob], &["bob"], &[], None),
            (vec![office, of_staff], &["office", "staff"], &[], None),
            (vec![march], &["march"], &[], None),
            (vec![past], &[], &[], None),
            (vec![deny], &[], &["deny"], none),
            (vec![office, deny], &["office"], &["deny"], None),
            (vec![of_bob, skip], &["skip", "bob"], &[], all),
            (vec![Spec { users: &["root"], ..require }, deny], &[], &["deny"], None),
        ] {
            let (found_by, found_refusing, found, lets_unenrolled_by) = at_sshd(&specs);
            let is_meant = everybody == all
                || specs.iter().all(|spec| spec.name == march.name) && !specs.is_empty();
            assert_eq!(lets_unenrolled_by, is_meant, "{specs:?}");
            let mut found_by: Vec<&str> = found_by.iter().map(String::as_str).collect();
            found_by.sort_unstable();
            let mut lets_by = lets_by.to_vec();
            lets_by.sort_unstable();
            assert_eq!(found_by, lets_by, "{specs:?}");
            assert_eq!((&*found_refusing, found), (&*strings(refuses), everybody), "{specs:?}");
        }
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }
}
