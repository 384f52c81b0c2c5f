use std::num::NonZeroU32;
use std::sync::Arc;

use serde::Serialize;
use totpd_interface::{DictBuilder, Dictionary};
use totpd_store::conformance::run;
use zbus::{DynamicType, OwnedVariant, Variant};

use super::*;
use crate::daemon::tests::daemon;
use crate::factors::enroll_options::KEYS;
use crate::login::local::LocalLogin;

/// Returns the methods that an interface describes, each with the signature of its arguments.
fn described(xml: &str) -> Vec<(String, String)> {
    let attribute = |line: &str, name: &str| {
        let value = line.split(&format!(" {name}=\"")).nth(1)?;
        Some(value.split('"').next().unwrap_or_default().to_owned())
    };
    let mut methods: Vec<(String, String)> = Vec::new();
    for line in xml.lines() {
        if line.contains("<method ") {
            methods.push((attribute(line, "name").unwrap(), String::new()));
        } else if line.contains("direction=\"in\"") {
            methods.last_mut().unwrap().1 += &attribute(line, "type").unwrap();
        }
    }
    methods
}

/// Returns the answer to a call of root with these arguments, as text.
fn answer(
    services: &Services,
    interface: &str,
    member: &str,
    arguments: &(impl Serialize + DynamicType),
) -> String {
    let call = zbus::Message::method_call(PATH, member).interface(interface);
    let call = call.build(arguments).unwrap();
    let received = Message::new(call.data().bytes().to_vec()).unwrap();
    let answer = run(services.answer(&received, &Origin::root())).unwrap().unwrap();
    let name = answer.header().error_name().map(ToString::to_string).unwrap_or_default();
    format!("{name}: {}", answer.body().deserialize::<String>().unwrap_or_default())
}

/// Returns the answer in a form that does not depend on who wrote it.
fn read(answer: Vec<u8>) -> (String, String, Dictionary) {
    let answer = Message::new(answer).unwrap();
    let header = answer.header().unwrap();
    assert_eq!(header.reply_serial(), NonZeroU32::new(7));
    match header.error_name() {
        Some(name) => (name.to_string(), answer.body().unwrap(), Dictionary::new()),
        None => {
            let (word, details) = answer.body().unwrap();
            (String::new(), word, details)
        }
    }
}

#[test]
fn a_question_has_the_same_answer_with_and_without_zbus() {
    let daemon = Arc::new(daemon().0);
    let login = Arc::new(LocalLogin(Arc::clone(&daemon)));
    let services = Services { login, manager: Manager(daemon), store: None };
    let with = |key: &str, value: Variant<'_>| -> Dictionary {
        DictBuilder::new().with("tty", "ssh").with(key, value).into()
    };
    let good = with("service", "sshd".into());
    let wrong_type = with("service", true.into());
    let no_nonce = with("nonce", "x".into());
    let unwanted_type = with("service", vec!["sshd"].into());
    let entry = |key: usize| (format!("k{key}"), OwnedVariant::from(true));
    let too_many = (0..40).map(entry).collect();
    for (context, is_question) in [
        (&good, true),
        (&wrong_type, true),
        (&no_nonce, true),
        (&unwanted_type, false),
        (&too_many, false),
    ] {
        for member in ["Begin", "Verify", "CompleteEnrollment", "Other"] {
            let call = zbus::Message::method_call(PATH, member).interface(LOGIN);
            let call = call.serial(NonZeroU32::new(7).unwrap());
            let call = match member {
                "Verify" => call.build(&("no-such-user", "000000", context)),
                _ => call.build(&("no-such-user", context)),
            };
            let bytes = call.unwrap().data().bytes().to_vec();
            let is_read = Question::parse(&bytes).is_some();
            assert_eq!(is_read, is_question && member != "Other", "{member} {context:?}");
            let by_zbus =
                run(services.answer(&Message::new(bytes.clone()).unwrap(), &Origin::root()));
            let by_zbus = by_zbus.unwrap().unwrap().data().bytes().to_vec();
            let answer = match run(services.answer_login(&bytes, &Origin::root())).unwrap() {
                LoginAnswer::ToModule(answer) if is_read => answer,
                LoginAnswer::ToOther(Some(answer)) if !is_read => answer,
                other => panic!("{member} {context:?}: {other:?}"),
            };
            assert_eq!(read(answer), read(by_zbus), "{member} {context:?}");
        }
    }
}

#[test]
fn a_message_that_zbus_does_not_understand_ends_the_connection() {
    let daemon = Arc::new(daemon().0);
    let login = Arc::new(LocalLogin(Arc::clone(&daemon)));
    let services = Services { login, manager: Manager(daemon), store: None };
    let call = zbus::Message::method_call(PATH, "Begin").interface(LOGIN);
    let call = call.build(&("alice", Dictionary::new())).unwrap().data().bytes().to_vec();
    let answer = |bytes: &[u8]| run(services.answer_login(bytes, &Origin::root()));
    assert!(matches!(answer(&call), Ok(LoginAnswer::ToModule(_))));
    // The second byte is the kind, the fourth the version of the protocol.
    for (place, byte, result) in
        [(1, 9, Err(Malformed)), (3, 2, Err(Malformed)), (1, 4, Ok(LoginAnswer::ToOther(None)))]
    {
        let mut changed = call.clone();
        changed[place] = byte;
        assert_eq!(answer(&changed), result, "{place}");
    }
    assert_eq!(answer(&call[..call.len() - 1]), Err(Malformed));
}

#[test]
fn every_described_method_is_served_with_its_signature() {
    let daemon = Arc::new(daemon().0);
    let login = Arc::new(LocalLogin(Arc::clone(&daemon)));
    let services = Services { login, manager: Manager(daemon), store: None };
    for (interface, xml, count) in
        [(LOGIN, include_str!("login.xml"), 4), (MANAGER, include_str!("manager.xml"), 19)]
    {
        let methods = described(xml);
        assert_eq!(methods.len(), count, "{interface}");
        for (member, takes) in methods {
            // No method takes a boolean.
            let refusal = answer(&services, interface, &member, &true);
            let wanted = if takes.is_empty() { "nothing" } else { &takes };
            assert!(
                refusal.starts_with("org.freedesktop.DBus.Error.InvalidArgs: ")
                    && refusal.contains(&format!("it takes {wanted}")),
                "{interface}.{member} takes {wanted}: {refusal}"
            );
        }
        let unknown = answer(&services, interface, "NoSuchMethod", &true);
        assert!(unknown.starts_with("org.freedesktop.DBus.Error.UnknownMethod"), "{unknown}");
    }
    let wrong = answer(&services, LOGIN, "CompleteEnrollment", &true);
    assert!(wrong.contains("it takes sa{sv}"), "{wrong}");
}

/// The Rust comment of `Enroll` refers to these two.
#[test]
fn the_options_of_enroll_are_described() {
    let page = include_str!("../../../docs/reference/dbus-api.md");
    let table = page.split("\nOptions of `Enroll`.").nth(1).unwrap();
    let table = table.split("\nThe details are").next().unwrap();
    let xml = include_str!("manager.xml");
    let options = xml.split("The options are:").nth(1).unwrap();
    let options = options.split("The details are the parameters").next().unwrap();
    for key in KEYS.map(|key| format!("`{key}`")) {
        assert!(table.contains(&key), "dbus-api.md lacks {key}");
        assert!(options.contains(&key), "manager.xml lacks {key}");
    }
}
