use zbus::wire::LE;

use super::*;
use crate::login::Nonce;
use crate::message::Message;
use crate::variants::Dictionary;
use crate::wire::MAX_MESSAGE;

const SERIAL: NonZeroU32 = NonZeroU32::new(7).unwrap();

fn context() -> LoginContext {
    LoginContext {
        service: Some("sshd".into()),
        rhost: Some("192.0.2.1".into()),
        nonce: Some(Nonce::new([7; 16])),
        nullok: true,
        prompt: Some("Älïçé: ".into()),
        ..LoginContext::default()
    }
}

#[test]
fn a_call_of_the_bus_has_the_bytes_of_zbus() {
    let by_zbus = |member, body: Option<(&str, u32)>| {
        let call = zbus::Message::method_call(BUS_PATH, member).interface(BUS_NAME);
        let call = call.destination(BUS_NAME).serial(SERIAL).endian(LE);
        let call = body.map_or_else(|| call.clone().build(&()), |body| call.clone().build(&body));
        call.unwrap().data().bytes().to_vec()
    };
    assert_eq!(Call::Hello.write(SERIAL, Way::Bus), Ok(by_zbus("Hello", None)));
    let start = by_zbus("StartServiceByName", Some((SERVICE, 0)));
    assert_eq!(Call::StartService.write(SERIAL, Way::Bus), Ok(start));
}

#[test]
fn zbus_reads_a_call_of_a_login_as_it_was_meant() {
    let context = &context();
    let begin = Call::Begin { user: "älice", context };
    let verify = Call::Verify { user: "älice", code: "123456", context };
    let completion = Call::CompleteEnrollment { token: "token", context };
    let guard = Call::Guard { user: "älice", context };
    let password = Call::PasswordChanged { user: "älice", context };
    for way in [Way::Bus, Way::Peer] {
        for call in [begin, verify, completion, guard, password] {
            let message = Message::new(call.write(SERIAL, way).unwrap()).unwrap();
            let header = message.header().unwrap();
            let names = [header.path().unwrap().as_str(), header.interface().unwrap().as_str()];
            assert_eq!(names, [PATH, LOGIN]);
            assert_eq!(header.member().unwrap().as_str(), call.member());
            let destination = header.destination().map(|name| name.as_str());
            assert_eq!(destination, (way == Way::Bus).then_some(SERVICE));
            assert_eq!(header.primary().serial_num(), SERIAL);
            let (texts, entries) = match call {
                Call::Verify { .. } => {
                    let (user, code, entries) = message.body().unwrap();
                    (vec![user, code], entries)
                }
                _ => {
                    let (text, entries): (String, Dictionary) = message.body().unwrap();
                    (vec![text], entries)
                }
            };
            let sent = match call {
                Call::Begin { user, .. }
                | Call::Guard { user, .. }
                | Call::PasswordChanged { user, .. } => vec![user],
                Call::Verify { user, code, .. } => vec![user, code],
                Call::CompleteEnrollment { token, .. } => vec![token],
                Call::Hello | Call::StartService => Vec::new(),
            };
            assert_eq!(texts, sent);
            assert_eq!(LoginContext::parse(&entries).as_ref(), Ok(context));
        }
    }
}

#[test]
fn a_text_with_a_zero_byte_and_a_call_too_long_are_refused() {
    let none = &LoginContext::default();
    let long = "x".repeat(MAX_MESSAGE);
    for user in ["a\0b", "\0", &long] {
        assert_eq!(Call::Begin { user, context: none }.write(SERIAL, Way::Peer), Err(Malformed));
    }
    let context = LoginContext { tty: Some("\0".into()), ..LoginContext::default() };
    let call = Call::Begin { user: "alice", context: &context };
    assert_eq!(call.write(SERIAL, Way::Peer), Err(Malformed));
    // The longest call that there can be: the rest of it takes 216 bytes.
    let fits = "x".repeat(MAX_MESSAGE - 256);
    let call = Call::Begin { user: &fits, context: none }.write(SERIAL, Way::Peer);
    assert!(call.is_ok_and(|call| call.len() <= MAX_MESSAGE));
}
