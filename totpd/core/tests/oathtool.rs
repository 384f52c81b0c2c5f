//! Agreement with an independent implementation on random seeds, times and parameters.
#![allow(clippy::disallowed_methods, reason = "tests run programs")]

use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use totpd_core::otp::{Algorithm, code_at, time_step};
use totpd_core::seed::Seed;

#[test]
fn a_thousand_random_codes_are_those_of_oathtool() {
    let any = (
        prop::collection::vec(any::<u8>(), 16..=64),
        0_u64..4_000_000_000,
        prop::sample::select(Algorithm::ALL.to_vec()),
        6_u8..=8,
        prop::sample::select(vec![15_u32, 30, 60, 90, 300]),
        any::<bool>(),
    );
    // The same thousand each time.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { cases: 1000, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, rng)
        .run(&any, |(bytes, now, algorithm, digits, period, hotp)| {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let seed = Seed::new(bytes).unwrap();
            let mut oathtool = Command::new("oathtool");
            oathtool.args(["-d", &digits.to_string()]);
            let ours = if hotp {
                oathtool.args(["--hotp", "-c", &now.to_string()]);
                code_at(&seed, Algorithm::Sha1, now, digits)
            } else {
                let (kind, at) = (algorithm.name().to_lowercase(), format!("@{now}"));
                oathtool.args([&format!("--totp={kind}"), "-s", &period.to_string(), "-N", &at]);
                code_at(&seed, algorithm, time_step(now, period), digits)
            };
            let theirs = oathtool.arg(&hex).output().expect("oathtool");
            let theirs = String::from_utf8(theirs.stdout).unwrap();
            let ours = format!("{ours:0width$}", width = usize::from(digits));
            prop_assert_eq!(theirs.trim(), ours);
            Ok(())
        })
        .unwrap();
}
