//! zbus is the oracle: what this file reads, zbus reads too, and as the same.

use proptest::prelude::*;
use zbus::wire::{BE, LE};

use super::*;
use crate::arguments::Arguments;
use crate::dictionary::{InvalidEntry, MAX_ENTRIES, MAX_TEXT_BYTES};
use crate::login::{LoginContext, Nonce};
use crate::message;
use crate::variants::{DictBuilder, Dictionary};
use crate::wire::call::{Call, Way};
use crate::wire::message::tests::changes::{changed, changes};
use crate::wire::message::tests::{cases, dictionary, text};

/// A question, as far as the daemon looks at it.
#[derive(Debug, PartialEq)]
struct Seen {
    serial: u32,
    member: String,
    texts: Vec<String>,
    context: Result<LoginContext, InvalidEntry>,
}

fn seen(bytes: &[u8]) -> Option<Seen> {
    let question = Question::parse(bytes)?;
    let (member, texts) = match question.method {
        Method::Begin { user } => ("Begin", vec![user]),
        Method::Verify { user, code } => ("Verify", vec![user, code]),
        Method::CompleteEnrollment { token } => ("CompleteEnrollment", vec![token]),
        Method::Guard { user } => ("Guard", vec![user]),
        Method::PasswordChanged { user } => ("PasswordChanged", vec![user]),
    };
    Some(Seen {
        serial: question.serial.get(),
        member: member.to_owned(),
        texts: texts.into_iter().map(ToOwned::to_owned).collect(),
        context: LoginContext::parse(&question.context),
    })
}

/// Returns what zbus reads. The message is a call of `Login` without flags.
fn seen_by_zbus(bytes: &[u8]) -> Option<Seen> {
    let message = message::Message::new(bytes.to_vec()).ok()?;
    let header = message.header().ok()?;
    let is_plain = header.message_type() == zbus::message::Type::MethodCall
        && header.primary().flags().is_empty()
        && header.path()?.as_str() == PATH
        && header.interface()?.as_str() == LOGIN;
    let member = header.member().filter(|_| is_plain)?.to_string();
    let (texts, Arguments(entries)) = match member.as_str() {
        "Verify" => {
            let (user, code, entries) = message.body().ok()?;
            (vec![user, code], entries)
        }
        _ => {
            let (text, entries) = message.body().ok()?;
            (vec![text], entries)
        }
    };
    let context = LoginContext::parse(&entries);
    Some(Seen { serial: header.primary().serial_num().get(), member, texts, context })
}

fn context() -> impl Strategy<Value = LoginContext> {
    let texts = prop::array::uniform7(prop::option::of("[^\0]{1,12}"));
    let nonce = prop::option::of(any::<[u8; 16]>().prop_map(Nonce::new));
    (texts, nonce, any::<[bool; 5]>()).prop_map(|(texts, nonce, flags)| {
        let (
            [service, rhost, tty, ruser, user, factor, prompt],
            [nullok, enroll, forward_pass, quiet, show_names],
        ) = (texts, flags);
        LoginContext {
            service,
            rhost,
            tty,
            ruser,
            user,
            factor,
            nonce,
            nullok,
            enroll,
            forward_pass,
            quiet,
            show_names,
            prompt,
        }
    })
}

/// Returns the bytes of calls, as zbus writes them. Most are questions of a login.
fn call() -> impl Strategy<Value = Vec<u8>> {
    let member = prop_oneof![
        Just("Begin"),
        Just("Verify"),
        Just("CompleteEnrollment"),
        Just("Guard"),
        Just("PasswordChanged"),
        Just("Other")
    ];
    let header = (member, 0..9_u8, any::<bool>(), 1..9_u32);
    let entries = prop_oneof![
        context().prop_map(|context| context.write(crate::variants::write)),
        dictionary(),
    ];
    (header, text(), text(), entries).prop_map(
        |((member, odd, is_big, serial), user, code, entries)| {
            let path = if odd == 0 { "/org/totpd" } else { PATH };
            let call = zbus::Message::method_call(path, member);
            let call = call.interface(if odd == 1 { "org.totpd.Totp1.Manager" } else { LOGIN });
            let call =
                call.serial(NonZeroU32::new(serial).unwrap()).endian(if is_big { BE } else { LE });
            let call = match odd {
                2 => call.with_flags(zbus::message::Flags::NO_REPLY_EXPECTED),
                3 => call.destination(crate::SERVICE),
                4 => call.sender(":1.7"),
                _ => call,
            };
            let built = match (member, odd) {
                (_, 5) => call.build(&(user, 7_u32)),
                ("Verify", _) => call.build(&(user, code, entries)),
                _ => call.build(&(user, entries)),
            };
            built.unwrap().data().bytes().to_vec()
        },
    )
}

/// Returns the call of a module with this dictionary, as zbus writes it.
fn with(entries: Dictionary) -> Vec<u8> {
    let call = zbus::Message::method_call(PATH, "Begin").interface(LOGIN);
    call.build(&("alice", entries)).unwrap().data().bytes().to_vec()
}

#[test]
fn a_context_beyond_the_limits_is_left_to_zbus() {
    let many = |count| {
        let add = |built: DictBuilder, number| built.with(&format!("k{number:03}"), true);
        with((0..count).fold(DictBuilder::new(), add).into())
    };
    assert!(seen(&many(MAX_ENTRIES)).is_some() && seen(&many(MAX_ENTRIES + 1)).is_none());
    let long = |length| with(DictBuilder::new().with("rhost", "x".repeat(length).as_str()).into());
    let most = MAX_TEXT_BYTES - "rhost".len();
    assert!(seen(&long(most)).is_some() && seen(&long(most + 1)).is_none());
    let unwanted = with(DictBuilder::new().with("rhost", vec!["192.0.2.1"]).into());
    assert!(seen(&unwanted).is_none() && seen_by_zbus(&unwanted).is_some());
}

#[test]
fn no_code_and_no_token_is_printed() {
    let call = Call::Verify { user: "alice", code: "123456", context: &LoginContext::default() };
    let bytes = call.write(NonZeroU32::MIN, Way::Peer).unwrap();
    let printed = format!("{:?}", Question::parse(&bytes).unwrap());
    assert!(!printed.contains("123456") && !printed.contains("alice"), "{printed}");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_question_of_a_module_is_read_as_it_was_meant(
        context in context(),
        user in text(),
        code in text(),
        kind in 0..3_u8,
    ) {
        let (call, member) = match kind {
            0 => (Call::Begin { user: &user, context: &context }, "Begin"),
            1 => (Call::Verify { user: &user, code: &code, context: &context }, "Verify"),
            _ => {
                (Call::CompleteEnrollment { token: &user, context: &context }, "CompleteEnrollment")
            }
        };
        let bytes = call.write(NonZeroU32::MIN, Way::Peer).unwrap();
        let by_bus = call.write(NonZeroU32::MIN, Way::Bus).unwrap();
        prop_assert_eq!(seen(&by_bus), None);
        let texts = if kind == 1 { vec![user, code] } else { vec![user] };
        let meant = Seen { serial: 1, member: member.into(), texts, context: Ok(context) };
        prop_assert_eq!(seen(&bytes), Some(meant));
        prop_assert_eq!(seen(&bytes), seen_by_zbus(&bytes));
    }

    #[test]
    fn a_call_is_read_as_zbus_reads_it_or_left_to_zbus(bytes in call()) {
        prop_assert!(seen(&bytes).is_none_or(|read| Some(read) == seen_by_zbus(&bytes)));
    }

    #[test]
    fn a_changed_call_is_read_as_zbus_reads_it_or_left_to_zbus(
        bytes in call(),
        changes in changes(),
    ) {
        let changed = changed(bytes, &changes);
        let read = seen(&changed);
        let by_zbus = seen_by_zbus(&changed);
        prop_assert!(read.is_none() || read == by_zbus, "{read:?}\n{by_zbus:?}\n{changed:?}");
    }

    #[test]
    fn no_part_of_a_question_is_one(bytes in call(), place: prop::sample::Index) {
        prop_assert_eq!(seen(&bytes[..place.index(bytes.len())]), None);
        prop_assert_eq!(seen(&[&bytes, &[0][..]].concat()), None);
    }
}
