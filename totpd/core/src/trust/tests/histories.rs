//! Histories of logins, against a separate reckoning of who gave a code when.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// So many seconds pass, and somebody sets the wall clock by so many.
    Wait(u64, i64),
    /// A login from this host at this service, with a right code if it is asked.
    Login { host: u8, service: bool, is_right: bool },
    /// Something ends all of it.
    End,
    /// The host starts again.
    Boot,
}

fn step() -> impl Strategy<Value = Step> {
    let login = (0_u8..3, any::<bool>(), prop::bool::weighted(0.7));
    prop_oneof![
        3 => (0_u64..40, -5000_i64..5000, prop::bool::weighted(0.2))
            .prop_map(|(passed, set, is_set)| Step::Wait(passed, if is_set { set } else { 0 })),
        6 => login.prop_map(|(host, service, is_right)| Step::Login { host, service, is_right }),
        1 => Just(Step::End),
        1 => Just(Step::Boot),
    ]
}

/// A code that was given, and how many connections came after it in the burst.
struct Given {
    host: u8,
    service: bool,
    at: u64,
    boot: u8,
    followers: u32,
}

proptest! {
    /// Nobody passes without a right code of the same user, source and service in the time, by a
    /// clock that nobody sets. A burst opens twenty connections at most.
    #[test]
    fn who_is_let_by_gave_a_code_in_time(
        steps in prop::collection::vec(step(), 1..120),
        remember in prop::option::of(60_u64..120),
        burst in prop::option::of(1_u64..30),
    ) {
        let limits = limits(remember, burst);
        let (mut record, mut bursts, key) = (enrolled(ALICE), Bursts::default(), user("alice"));
        let (mut uptime, mut wall, mut boot) = (500_u64, 1_000_000_u64, 0_u8);
        let mut given: Vec<Given> = Vec::new();
        for step in steps {
            match step {
                Step::Wait(passed, set) => {
                    uptime += passed;
                    wall = (wall + passed).saturating_add_signed(set);
                }
                Step::End => {
                    record.trust.end();
                    given.clear();
                }
                Step::Boot => {
                    // The clock of the host may show anything then, and memory is empty.
                    (boot, bursts) = (boot + 1, Bursts::default());
                }
                Step::Login { host, service, is_right } => {
                    let place = Place::Address([192, 0, 2, host].into());
                    let service_name = if service { "sshd" } else { "cockpit" };
                    let boot_id = BootId::from_random([boot; 16]);
                    let asking = Asking {
                        bond: super::bond(place, Some(service_name)).unwrap(),
                        clocks: Clocks { now: wall, uptime, boot: boot_id },
                        ..asking(host, 0, limits)
                    };
                    let before = record.clone();
                    let found = bursts.find(&key, &asking.bond);
                    let pass = judge(&mut record, found, &asking, &THROTTLE_RULES);
                    prop_assert_eq!(&record.trust, &before.trust, "it renews nothing");
                    let last = given.iter_mut().rev().find(|one| {
                        one.host == host && one.service == service && one.boot == boot
                    });
                    match pass {
                        None if is_right => {
                            let verdict = approved(&record);
                            if let Some(burst) = grant(&mut record, &verdict, &asking) {
                                bursts.open(&key, burst, &asking.clocks);
                            }
                            let at = uptime;
                            given.push(Given { host, service, at, boot, followers: 0 });
                        }
                        None => {
                            let refused = Verdict::Denied(Reason::NoMatch);
                            prop_assert!(grant(&mut record, &refused, &asking).is_none());
                            prop_assert_eq!(&record.trust, &before.trust);
                        }
                        Some(pass) => {
                            let last = last.expect("somebody gave a code");
                            let passed = uptime - last.at;
                            match pass {
                                Pass::Remembered { .. } => {
                                    prop_assert!(passed < remember.unwrap());
                                }
                                Pass::Burst { .. } => {
                                    bursts.count(&key, &asking.bond);
                                    last.followers += 1;
                                    prop_assert!(passed < burst.unwrap() && last.followers <= 20);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
