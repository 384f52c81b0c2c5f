//! No time step is accepted twice, also over restarts. A restart reads the sealed records.

use proptest::prelude::*;
use totpd_core::code::Code;
use totpd_core::factor::Kind;
use totpd_core::fixtures::{THROTTLE_RULES, code_of, enrolled, user};
use totpd_core::source::Source;
use totpd_core::verification::{Answer, Attempt, Methods, Rules, Verdict, verify};
use totpd_core::void_windows::VoidWindows;

use crate::record_format::{SealedSeeds, decode, encode};
use crate::sealer::tests::sealer;

const UID: u32 = 1000;

proptest! {
    /// No time step is ever accepted twice, and the last accepted one only grows. This holds over
    /// any interleaving of codes, sources and restarts. The times go forth and back.
    #[test]
    fn a_time_step_is_accepted_once(
        tries in prop::collection::vec(
            (0_u64..12, 0_u64..12, 0_u8..3, any::<bool>(), any::<bool>()),
            1..200,
        ),
        hotp in any::<bool>(),
    ) {
        let (_folder, sealer) = sealer();
        let key = user("alice");
        let rules = Rules { skew: 1, throttle: THROTTLE_RULES };
        let mut record = enrolled(UID);
        if hotp {
            record.factors[0].kind = Kind::Hotp;
        }
        let mut seeds = SealedSeeds::default();
        let mut accepted = Vec::new();
        for (step, clock, source, right, restart) in tries {
            let now = clock * 30 + 7;
            let code = if right {
                code_of(&record.factors[0], step)
            } else {
                Code::parse("000000").unwrap()
            };
            let source = Source::Uid(u32::from(source));
            let attempt = Attempt {
                answer: Answer::Code(code),
                methods: Methods::ALL,
                factor: None,
                service: None,
                source,
                uid: UID,
                now,
            };
            let (verdict, after) = verify(record, &attempt, &rules, &VoidWindows::NONE);
            record = after;
            if matches!(verdict, Verdict::Approved { .. }) {
                let last = record.factors[0].last_accepted.unwrap();
                prop_assert!(accepted.iter().all(|before| *before < last), "{accepted:?} {last}");
                accepted.push(last);
            }
            if restart {
                let sealed = encode(&record, &seeds, &key, &sealer).unwrap();
                (record, seeds) = decode(&sealed, &key, UID, &sealer).unwrap();
            }
        }
    }
}
