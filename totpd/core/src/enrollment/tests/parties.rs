//! Explores all ways to a factor, and all parties that may interfere. A key that one party saw
//! never becomes the factor of another one without its confirmation. No party replaces a factor
//! that it does not know.

use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use super::*;
use crate::enrollment::first_login::complete;
use crate::moment::Moment;

/// A party that may know a key. All members of a party share what they know.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Party {
    /// Root, by hand or by a batch.
    Root,
    /// A user that polkit lets manage users.
    Manager,
    /// The user.
    Owner,
    /// A program with the uid of the user, or an attacker who knows the password.
    Malware,
    /// An attacker who does not know the password. Therefore no login succeeds.
    Stranger,
}

/// The callers of the manager interface, and the makers that they are.
const CALLERS: [(Party, Maker); 4] = [
    (Party::Root, Maker::Root),
    (Party::Manager, Maker::Uid(1001)),
    (Party::Owner, ALICE),
    (Party::Malware, ALICE),
];

/// The parties that log in, each in one authentication.
const LOGINS: [(Party, u8); 3] = [(Party::Owner, 1), (Party::Malware, 2), (Party::Stranger, 3)];

#[derive(Clone, Debug)]
enum Step {
    Enroll {
        caller: usize,
        resume: bool,
        confirmed: bool,
    },
    VerifyById(FactorId),
    Confirm {
        caller: usize,
        id: FactorId,
    },
    GuessOnceMore {
        caller: usize,
        id: FactorId,
    },
    RemoveAll {
        caller: usize,
    },
    Begin {
        login: usize,
    },
    FirstCode {
        login: usize,
        id: FactorId,
    },
    End {
        login: usize,
    },
    /// A restore of a backup that was made just now. A restore of an older one drops pending
    /// factors in the same way.
    Restore,
    WaitTenMinutes,
}

#[derive(Clone, Debug)]
struct State {
    record: Record,
    seen: BTreeMap<String, BTreeSet<Party>>,
    last_id: u8,
    now: u64,
}

impl State {
    fn new() -> Self {
        Self { record: with(Vec::new()), seen: BTreeMap::new(), last_id: 0, now: NOW }
    }

    fn knows(&self, party: Party, id: &FactorId) -> bool {
        self.seen.get(id.as_str()).is_some_and(|seen| seen.contains(&party))
    }

    fn shown_to(&mut self, party: Party, id: &FactorId) {
        self.seen.entry(id.to_string()).or_default().insert(party);
    }

    /// Returns the same state without the knowledge of factors that are gone. Their numbers are
    /// free again.
    fn forgotten(mut self) -> Self {
        let there: HashSet<_> =
            self.record.factors.iter().map(|factor| factor.id.to_string()).collect();
        self.seen.retain(|id, _| there.contains(id));
        let free = |number: &u8| !there.contains(id(number + 1).as_str());
        self.last_id = (0..250).find(free).unwrap_or(250);
        self
    }

    /// Returns everything that decides the future of the state. Two states with the same essence
    /// are one.
    fn essence(&self) -> String {
        let of = |record: &Record| {
            let mut factors: Vec<_> = record
                .factors
                .iter()
                .map(|factor| {
                    let status = match factor.status {
                        Status::AwaitsLogin { .. } => "awaits login",
                        Status::Unverified { .. } => "unverified",
                        _ => "verified",
                    };
                    // The nonce tells logins apart, and does not print itself.
                    let login = LOGINS
                        .iter()
                        .find(|(_, login)| factor.made_by == Maker::Login(nonce(*login)));
                    let seen = self.seen.get(factor.id.as_str());
                    format!("{} {login:?} {status} {seen:?}", factor.made_by)
                })
                .collect();
            factors.sort();
            factors.join("; ")
        };
        of(&self.record)
    }

    /// Returns all possible next steps of all parties.
    fn steps(&self) -> Vec<Step> {
        let mut steps = vec![Step::Restore, Step::WaitTenMinutes];
        let ids: Vec<_> = self.record.factors.iter().map(|factor| factor.id.clone()).collect();
        for (caller, (party, maker)) in CALLERS.iter().enumerate() {
            let manages = matches!(party, Party::Root | Party::Manager);
            let proves = self.record.verified().any(|id| self.knows(*party, id));
            if manages || proves || !self.record.is_enrolled() {
                for resume in [false, true] {
                    steps.push(Step::Enroll { caller, resume, confirmed: false });
                }
            }
            if manages || proves || !self.record.is_enrolled() {
                steps.push(Step::RemoveAll { caller });
            }
            if *maker == Maker::Root {
                steps.push(Step::Enroll { caller, resume: false, confirmed: true });
            }
            for id in &ids {
                if self.knows(*party, id) {
                    steps.push(Step::Confirm { caller, id: id.clone() });
                }
                steps.push(Step::GuessOnceMore { caller, id: id.clone() });
            }
        }
        steps.extend(ids.iter().map(|id| Step::VerifyById(id.clone())));
        for (login, (party, _)) in LOGINS.iter().enumerate() {
            steps.push(Step::Begin { login });
            for id in ids.iter().filter(|id| self.knows(*party, id)) {
                steps.push(Step::FirstCode { login, id: id.clone() });
            }
            // libpam asks for the credentials of no stranger.
            if *party != Party::Stranger {
                steps.push(Step::End { login });
            }
        }
        steps
    }

    /// Returns the state after a step, and the party that took it.
    fn after(&self, step: &Step, rules: &EnrollmentRules) -> (Self, Option<Party>) {
        let mut next = self.clone();
        let now = next.now;
        let code = |record: &Record, id: &FactorId| {
            let factor = record.factors.iter().find(|factor| factor.id == *id).unwrap();
            code_of(factor, now / 30)
        };
        let party = match step {
            Step::Enroll { caller, resume, confirmed } => {
                let (party, maker) = CALLERS[*caller];
                next.last_id += 1;
                let expires = now + 600;
                let status = match confirmed {
                    true => Status::Verified,
                    false => Status::Unverified { expires, wrong_codes: 4 },
                };
                let new = Factor { made_by: maker, created: now, ..factor(next.last_id, status) };
                let asked = Request { resume: *resume, ..request(new) };
                let (enrolled, record) = enroll(next.record, &asked, now, rules);
                next.record = record;
                if let Ok((factor, _)) = enrolled {
                    next.shown_to(party, &factor.id);
                }
                party
            }
            Step::VerifyById(id) => {
                let verify = Some(id.to_string());
                let asked = Request { verify, ..request(factor(255, Status::Verified)) };
                let (enrolled, record) = enroll(next.record, &asked, now, rules);
                next.record = record;
                if let Ok((factor, _)) = enrolled {
                    // The answer has the key in it.
                    next.shown_to(Party::Root, &factor.id);
                }
                Party::Root
            }
            Step::Confirm { caller, id } => {
                let (party, maker) = CALLERS[*caller];
                let code = code(&next.record, id);
                confirm(
                    &mut next.record,
                    maker,
                    id.as_str(),
                    &code,
                    Moment { now, voids: &VoidWindows::NONE },
                    rules,
                    &THROTTLE,
                );
                party
            }
            Step::GuessOnceMore { caller, id } => {
                let (party, maker) = CALLERS[*caller];
                let wrong = Code::parse("00000000").unwrap();
                confirm(
                    &mut next.record,
                    maker,
                    id.as_str(),
                    &wrong,
                    Moment { now, voids: &VoidWindows::NONE },
                    rules,
                    &THROTTLE,
                );
                party
            }
            Step::RemoveAll { caller } => {
                let (party, maker) = CALLERS[*caller];
                remove(&mut next.record, "", maker, now);
                party
            }
            Step::Begin { login } => {
                let (party, number) = LOGINS[*login];
                next.last_id += 1;
                let status = Status::Unverified { expires: now + 600, wrong_codes: 2 };
                let made_by = Maker::Login(nonce(number));
                let new = Factor { made_by, created: now, ..factor(next.last_id, status) };
                let (offered_factor, record) = offer(next.record, 1000, &new, now, rules);
                next.record = record;
                if let Some(factor) = offered_factor {
                    next.shown_to(party, &factor.id);
                }
                party
            }
            Step::FirstCode { login, id } => {
                let (party, number) = LOGINS[*login];
                let code = code(&next.record, id);
                let digest = login_token(number, id).digest("sshd");
                let _ = prove(
                    &mut next.record,
                    (nonce(number), 1000),
                    id.as_str(),
                    &code,
                    digest,
                    Moment { now, voids: &VoidWindows::NONE },
                    rules,
                );
                party
            }
            Step::End { login } => {
                let (party, number) = LOGINS[*login];
                let of_login = |factor: &&Factor| factor.made_by == Maker::Login(nonce(number));
                let ids: Vec<_> =
                    next.record.factors.iter().filter(of_login).map(|f| f.id.clone()).collect();
                for id in ids {
                    let digest = login_token(number, &id).digest("sshd");
                    complete(&mut next.record, &id, &digest, now, rules);
                }
                party
            }
            Step::Restore => {
                restore(&mut next.record, now);
                return (next, None);
            }
            Step::WaitTenMinutes => {
                next.now += 600;
                expire(&mut next.record, next.now);
                return (next, None);
            }
        };
        // A restart at each step: nothing is kept but the record.
        next.record = Record { uid: 1000, ..next.record.clone() };
        (next, Some(party))
    }
}

fn login_token(number: u8, id: &FactorId) -> LoginToken {
    LoginToken::new([number; 16], id.clone(), UserName::parse("alice").unwrap())
}

fn check(before: &State, step: &Step, after: &State, party: Option<Party>) {
    for id in after.record.verified() {
        let seen = &after.seen[id.as_str()];
        assert_eq!(seen.len(), 1, "{id} is known to {seen:?} after {step:?} of {before:#?}");
        assert!(!seen.contains(&Party::Stranger), "{step:?} {before:#?}");
        let is_new = !before.record.verified().any(|old| old == id);
        if let Some(party) = party.filter(|_| is_new) {
            assert!(seen.contains(&party), "{party:?} verified {id} by {step:?}: {before:#?}");
        }
    }
    let Some(party) = party else { return };
    let root_waits = |state: &State| {
        state.record.factors.iter().any(|f| f.is_pending() && f.made_by == Maker::Root)
    };
    let ends_it = !matches!(party, Party::Root) && root_waits(before) && !root_waits(after);
    assert!(!ends_it, "{party:?} ended what root began by {step:?}: {before:#?}");
    let gone = before.record.verified().any(|id| !after.record.verified().any(|now| now == id));
    // A current code of any factor is enough.
    let proves = before.record.verified().any(|id| before.knows(party, id));
    let may = matches!(party, Party::Root | Party::Manager) || proves;
    assert!(!gone || may, "{party:?} ended a factor by {step:?}: {before:#?}");
}

/// Goes through all states there are; how many.
fn explore(rules: &EnrollmentRules) -> usize {
    let mut known = HashSet::from([State::new().essence()]);
    let mut open = VecDeque::from([State::new()]);
    while let Some(state) = open.pop_front() {
        for step in state.steps() {
            let (next, party) = state.after(&step, rules);
            check(&state, &step, &next, party);
            if known.insert(next.essence()) {
                open.push_back(next.forgotten());
            }
        }
    }
    known.len()
}

#[test]
fn no_key_that_one_party_saw_becomes_anothers_factor() {
    for max_factors in [1, 2] {
        let states = explore(&EnrollmentRules { max_factors, ..RULES });
        std::println!("{states} states with max_factors = {max_factors}");
        assert!(states > 100, "the model goes nowhere: {states}");
    }
}
