//! Random histories.

use std::vec;
use std::vec::Vec;

use proptest::collection;
use proptest::prelude::*;

use crate::mark::tests::model::history::{Act, Crash, Cut, History, Item, Login};
use crate::mark::tests::model::rules::Rule;

pub(super) fn histories() -> impl Strategy<Value = History> {
    let skew = prop_oneof![3 => Just(1_u64), 1 => Just(10)];
    let random =
        (skew, collection::vec(item(), 1..40)).prop_map(|(skew, items)| History { skew, items });
    // What a rule is for, with something in between, and after it.
    let woven = (
        any::<prop::sample::Index>(),
        collection::vec((any::<prop::sample::Index>(), item()), 0..9),
    );
    let woven = woven.prop_map(|(rule, others)| {
        let mut history = rule.get(Rule::ALL).history();
        for (place, item) in others {
            history.items.insert(place.index(history.items.len() + 1), item);
        }
        history
    });
    prop_oneof![random, woven]
}

fn item() -> impl Strategy<Value = Item> {
    let cuts = prop_oneof![8 => Just(Vec::new()), 2 => collection::vec(cut(), 1..2), 1 => collection::vec(cut(), 2..4)];
    (act(), cuts).prop_map(|(act, cuts)| Item { act, cuts })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => Just(Act::Nothing),
        6 => Just(Act::Begin),
        1 => Just(Act::End),
        6 => prop::option::weighted(0.2, login()).prop_map(Act::Flush),
        14 => login().prop_map(Act::Login),
        3 => (login(), login()).prop_map(|(one, other)| Act::Both(one, other)),
        1 => login().prop_map(Act::FirstCode),
        1 => login().prop_map(Act::Resync),
        1 => Just(Act::Stop),
        1 => Just(Act::Backup),
        1 => Just(Act::Restore),
        2 => (0_usize..3).prop_map(Act::FailFlush),
        1 => any::<bool>().prop_map(Act::FailWitness),
        1 => any::<bool>().prop_map(Act::FailRows),
        5 => prop_oneof![
            (1_i64..40).prop_map(Act::Clock),
            (60_i64..130).prop_map(Act::Clock),
            prop::sample::select(vec![-2000, -1000, -95, -30, 1000, 2000, 86_400, -86_400])
                .prop_map(Act::Clock),
        ],
    ]
}

fn login() -> impl Strategy<Value = Login> {
    let ahead = prop_oneof![4 => Just(0_i64), 2 => -2_i64..2, 1 => -10_i64..5];
    let factor = prop_oneof![3 => Just(0_usize), 2 => 0_usize..5];
    (0_usize..2, factor, ahead, prop::bool::weighted(0.1))
        .prop_map(|(user, factor, ahead, is_wrong)| Login { user, factor, ahead, is_wrong })
}

fn cut() -> impl Strategy<Value = Cut> {
    let keep = prop_oneof![2 => Just(0_usize), 2 => 0_usize..4];
    let crash = prop_oneof![
        2 => Just(Crash::Kill),
        3 => keep.clone().prop_map(Crash::Power),
        2 => keep.clone().prop_map(Crash::Storage),
        1 => keep.prop_map(Crash::Move),
    ];
    (0_u32..6, crash).prop_map(|(after, crash)| Cut { after, crash })
}
