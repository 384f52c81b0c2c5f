//! The rules of the design, each with a history that goes wrong without it.

use std::vec;
use std::vec::Vec;

use crate::mark::tests::model::history::{Act, Crash, Cut, History, Item, Login};

macro_rules! rules {
    ($($(#[$what:meta])* $name:ident,)*) => {
        /// A rule of the design.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Rule { $($(#[$what])* $name,)* }

        impl Rule {
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

rules! {
    // What leans.
    OnlyInTheMark,
    OnlyTimeBased,
    OnlyShortPeriods,
    NotAheadOfTheClock,
    /// A drift makes the step lie outside of the window.
    NoDrift,
    NoDriftBefore,
    NoDriftAfter,
    WrongCodesWait,
    // The order of marks.
    MarkIsDurableFirst,
    NobodyLeansWhileAMarkIsMade,
    NobodyLeansAfterTheEnd,
    RestorationEndsTheMark,
    // The witness.
    WitnessComesBeforeTheAnswer,
    WitnessIsInOrder,
    FailedWitnessStops,
    EmptiedBehindTheLast,
    MissingWitnessIsVoid,
    WitnessIsCompared,
    WitnessIsOfTheRun,
    // A start.
    StartReadsTheDisk,
    WindowAndEndAreOne,
    // A failed flush.
    FailureIsWitnessed,
    FailedStays,
    WindowIsVoidAtOnce,
    FailureReachesThoseInFlight,
    // Void windows.
    WindowHasTheSkew,
    TheStepDecides,
    WindowsAreKept,
    RestorationTakesWindowsAlong,
    FirstCodesAsk,
    ResyncAsks,
}

impl Rule {
    /// Returns the shortest history that is known to go wrong without the rule. It is right with
    /// it.
    pub(super) fn history(self) -> History {
        let skew = match self {
            Self::FailureIsWitnessed
            | Self::FailedStays
            | Self::FailureReachesThoseInFlight
            | Self::WindowHasTheSkew => 10,
            _ => 1,
        };
        let durable_mark = [happens(Act::Begin), happens(Act::Flush(None))];
        let before = match self {
            Self::MarkIsDurableFirst => vec![happens(Act::Begin)],
            _ => durable_mark.into(),
        };
        History { skew, items: [before, self.items()].concat() }
    }

    fn items(self) -> Vec<Item> {
        let (alice, bob) = (login(0, 0, 0), login(1, 0, 0));
        let both = |one, other| happens(Act::Both(one, other));
        match self {
            Self::OnlyInTheMark => vec![clock(95), yes(alice), power(0), yes(alice)],
            Self::OnlyTimeBased => vec![yes(login(1, 4, 0)), power(0), yes(login(1, 4, 0))],
            Self::OnlyShortPeriods => vec![yes(login(1, 1, 0)), power(0), yes(login(1, 1, 0))],
            Self::NotAheadOfTheClock => {
                vec![clock(60), yes(login(0, 0, 1)), power(0), clock(30), yes(alice)]
            }
            Self::NoDrift => vec![yes(login(1, 2, -1)), power(0), yes(login(1, 2, -1))],
            Self::NoDriftBefore => three_times(login(1, 3, 1)),
            Self::NoDriftAfter => three_times(login(0, 0, -1)),
            Self::WrongCodesWait => vec![yes(Login { is_wrong: true, ..alice }), power(0)],
            Self::MarkIsDurableFirst | Self::MissingWitnessIsVoid => {
                vec![yes(alice), power(0), yes(alice)]
            }
            Self::NobodyLeansWhileAMarkIsMade => vec![
                clock(-1000),
                happens(Act::Begin),
                clock(1010),
                yes(alice),
                power(1),
                yes(alice),
            ],
            Self::NobodyLeansAfterTheEnd => {
                vec![happens(Act::End), yes(alice), power(1), yes(alice)]
            }
            Self::RestorationEndsTheMark => vec![
                clock(-2000),
                happens(Act::Restore),
                clock(2010),
                yes(alice),
                power(0),
                yes(alice),
            ],
            Self::WitnessComesBeforeTheAnswer | Self::WitnessIsCompared => {
                vec![yes(alice), crash(Crash::Storage(0)), yes(alice)]
            }
            Self::WitnessIsInOrder => {
                vec![both(alice, bob), crash(Crash::Storage(1)), yes(bob)]
            }
            Self::FailedWitnessStops => vec![
                happens(Act::FailWitness(false)),
                yes(alice),
                crash(Crash::Storage(0)),
                yes(alice),
            ],
            Self::EmptiedBehindTheLast => {
                vec![yes(alice), happens(Act::Flush(Some(bob))), crash(Crash::Storage(0)), yes(bob)]
            }
            Self::WitnessIsOfTheRun => vec![yes(alice), crash(Crash::Move(0)), yes(alice)],
            Self::StartReadsTheDisk => vec![
                yes(alice),
                happens(Act::FailFlush(0)),
                // Killed before it can say that the flush failed.
                cut(Act::Flush(None), &[(0, Crash::Kill)]),
                clock(95),
                happens(Act::Begin),
                happens(Act::Flush(None)),
                yes(alice),
                power(0),
                yes(alice),
            ],
            Self::WindowAndEndAreOne => vec![
                yes(alice),
                cut(Act::Nothing, &[(0, Crash::Power(0)), (1, Crash::Power(1))]),
                yes(alice),
            ],
            Self::FailureIsWitnessed | Self::FailedStays => vec![
                yes(bob),
                yes(alice),
                happens(Act::FailFlush(0)),
                happens(Act::FailRows(true)),
                happens(Act::Flush(None)),
                clock(95),
                // It has a later step than the one that the witness named.
                yes(alice),
                crash(Crash::Kill),
                yes(login(1, 0, -3)),
            ],
            Self::FailureReachesThoseInFlight => vec![
                yes(bob),
                happens(Act::FailFlush(0)),
                happens(Act::FailRows(true)),
                both(login(1, 4, 0), alice),
                clock(95),
                yes(alice),
                crash(Crash::Kill),
                yes(login(1, 0, -3)),
            ],
            Self::WindowIsVoidAtOnce => {
                vec![yes(bob), happens(Act::FailFlush(0)), happens(Act::Flush(None)), yes(bob)]
            }
            Self::WindowHasTheSkew => vec![yes(login(1, 0, -10)), power(0), yes(login(1, 0, -10))],
            Self::TheStepDecides => {
                vec![clock(60), yes(bob), power(0), clock(30), yes(login(1, 0, -1))]
            }
            Self::WindowsAreKept => {
                vec![yes(bob), power(0), clock(1000), clock(-1000), yes(bob)]
            }
            Self::RestorationTakesWindowsAlong => {
                vec![yes(bob), power(0), clock(-2000), happens(Act::Restore), clock(2000), yes(bob)]
            }
            Self::FirstCodesAsk => vec![yes(bob), power(0), happens(Act::FirstCode(bob))],
            Self::ResyncAsks => vec![yes(bob), power(0), happens(Act::Resync(bob))],
        }
    }
}

fn three_times(login: Login) -> Vec<Item> {
    vec![yes(login), clock(30), yes(login), clock(30), yes(login), power(0)]
}

/// A right code of the present step.
fn login(user: usize, factor: usize, ahead: i64) -> Login {
    Login { user, factor, ahead, is_wrong: false }
}

fn yes(login: Login) -> Item {
    happens(Act::Login(login))
}

fn clock(seconds: i64) -> Item {
    happens(Act::Clock(seconds))
}

fn power(keep: usize) -> Item {
    crash(Crash::Power(keep))
}

fn crash(crash: Crash) -> Item {
    cut(Act::Nothing, &[(0, crash)])
}

fn happens(act: Act) -> Item {
    cut(act, &[])
}

fn cut(act: Act, cuts: &[(u32, Crash)]) -> Item {
    let cuts = cuts.iter().map(|(after, crash)| Cut { after: *after, crash: *crash }).collect();
    Item { act, cuts }
}
