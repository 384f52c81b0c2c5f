//! The result of libpam for each stack, for any results of its modules.

use std::fmt::Write as _;

use super::*;

#[test]
fn libpam_returns_what_is_predicted_for_every_stack_and_result() {
    let machine = Machine::new();
    // The generator is the test's own, so each run tries the same.
    let mut state = 20_261_125_u64;
    let mut random = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    let mut predicted = Vec::new();
    let (mut all, mut calls) = (String::new(), String::new());
    // Stacks with a file "other" of their own share its name. The test tries them one after the
    // other.
    let (with_other, without): (Vec<_>, Vec<_>) =
        cases().into_iter().partition(|case| case.files.contains_key("other"));
    let mut try_out = |case: &Case, number: usize, random: &mut dyn FnMut() -> usize| {
        let modules = case.files.values().map(|text| text.matches(".so").count()).sum::<usize>();
        let choices = RESULTS.len();
        // The test tries every combination if these are few, or else as many at random.
        let every =
            choices.checked_pow(u32::try_from(modules).unwrap()).filter(|n| *n <= MAX_COMBINATIONS);
        let mut turn = number;
        let files = rewritten(case, predicted.len(), &mut |_| match every {
            Some(_) => {
                let result = turn % choices;
                turn /= choices;
                RESULTS[result]
            }
            None => RESULTS[random() % choices],
        });
        let service = format!("c{}", predicted.len());
        let expected = match stack(&service, &files) {
            // libpam crashes in these, or not, by how many files it may open.
            Stack::IncludeCycle(_) | Stack::TooLong(_) | Stack::Ambiguous(..) => return 0,
            Stack::Unreadable(_) => ReturnCode::ABORT,
            Stack::Rules(rules) => run(&rules, returned),
        };
        for (name, text) in files {
            let _ = write!(all, "@@@ {name}\n{text}");
        }
        let _ = writeln!(calls, "{} {service} root x", case.name);
        predicted.push((case.name.clone(), expected.number()));
        // This is the number of the other combinations.
        every.unwrap_or(if case.generated { FEW } else { MAX_COMBINATIONS }) - 1
    };
    for case in &without {
        let mut number = 0;
        while number < try_out(case, number, &mut random) {
            number += 1;
        }
    }
    let mut differ = compare(&machine, &all, &calls, &predicted);
    let count = predicted.len();
    let mut runs = count;
    for case in &with_other {
        let modules = case.files.values().map(|text| text.matches(".so").count()).sum::<usize>();
        for number in 0..RESULTS.len().pow(u32::try_from(modules).unwrap()) {
            let mut turn = number;
            let files = rewritten(case, 0, &mut |_| {
                let result = turn % RESULTS.len();
                turn /= RESULTS.len();
                RESULTS[result]
            });
            let Stack::Rules(rules) = stack("c0", &files) else { panic!("{}", case.name) };
            let expected = run(&rules, returned).number();
            machine.run("rm -f /etc/pam.d/c0").stdout_ok();
            let text: String =
                files.iter().map(|(name, text)| format!("@@@ {name}\n{text}")).collect();
            let call = format!("{} c0 root x\n", case.name);
            differ.extend(compare(&machine, &text, &call, &[(case.name.clone(), expected)]));
            runs += 1;
        }
    }
    println!("{runs} combinations of stacks and results, {} predicted wrongly", differ.len());
    assert!(differ.is_empty(), "{:#?}", &differ[..differ.len().min(10)]);
    assert!(runs > 3000, "{runs}");
}

/// Returns the results of libpam that differ from the prediction.
fn compare(
    machine: &Machine,
    files: &str,
    calls: &str,
    predicted: &[(String, usize)],
) -> Vec<String> {
    let lines = logins(machine, files, calls);
    assert_eq!(lines.len(), predicted.len(), "{lines:?}");
    lines
        .iter()
        .zip(predicted)
        .enumerate()
        .filter_map(|(number, (line, (name, expected)))| {
            let verdict = line.split_whitespace().nth(2).unwrap();
            (verdict != expected.to_string())
                .then(|| format!("{name} c{number}: {expected} predicted, {verdict} returned"))
        })
        .collect()
}

/// Combinations of one stack. `FEW` is for one of many similar stacks.
const MAX_COMBINATIONS: usize = 400;
const FEW: usize = 60;
