use std::sync::Arc;

use serde::Serialize;
use totpd_store::conformance::run;
use zbus::DynamicType;

use super::*;
use crate::daemon::tests::daemon;
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

#[test]
fn every_described_method_is_served_with_its_signature() {
    let daemon = Arc::new(daemon().0);
    let login = Arc::new(LocalLogin(Arc::clone(&daemon)));
    let services = Services { login, manager: Manager(daemon), store: None };
    for (interface, xml, count) in
        [(LOGIN, include_str!("login.xml"), 2), (MANAGER, include_str!("manager.xml"), 10)]
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
