use std::io::{Read, Write};
use std::num::NonZeroU32;
use std::time::Instant;

use totpd_interface::PATH;
use totpd_interface::login::LoginContext;
use totpd_interface::wire::call::{Call, Way};
use totpd_store::conformance::run;
use zbus::message::Flags;

use super::*;
use crate::access::caller::Caller;
use crate::daemon::tests::daemon;
use crate::login::local::LocalLogin;
use crate::manage::Manager;

/// Returns the client of a connection, and what serves it until it ends.
fn connect() -> (UnixStream, impl Future<Output = io::Result<Option<Management>>>) {
    let daemon = Arc::new(daemon().0);
    let login = Arc::new(LocalLogin(Arc::clone(&daemon)));
    let services = Services { login, manager: Manager(daemon), store: None };
    let (client, server) = UnixStream::pair().unwrap();
    let handshake = Arc::new(Handshake::new([7; 16], Caller { uid: 0 }));
    let connection = Connection::new(server, handshake).unwrap();
    (client, connection.serve(services, Arc::default()))
}

/// Returns the bytes of a call that wants no answer.
fn ping() -> Vec<u8> {
    let call = zbus::Message::method_call(PATH, "Ping").interface("org.freedesktop.DBus.Peer");
    let call = call.with_flags(Flags::NO_REPLY_EXPECTED).build(&()).unwrap();
    call.data().bytes().to_vec()
}

const HELLO: &[u8] = b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n";

/// Returns the bytes of a question, as a module asks it.
fn question() -> Vec<u8> {
    let context = LoginContext::default();
    let call = Call::Begin { user: "no-such-user", context: &context };
    call.write(NonZeroU32::MIN, Way::Peer).unwrap()
}

#[test]
fn the_answer_to_a_module_is_the_end_of_the_connection() {
    run(async {
        let (mut client, service) = connect();
        client.write_all(&[HELLO, &question(), &question()].concat()).unwrap();
        // The client does not close, and nothing waits for that.
        let mut ended = Box::pin(service);
        let served = tokio::time::timeout(Duration::from_secs(1), &mut ended).await.unwrap();
        assert!(served.unwrap().is_none());
        drop(ended);
        let mut answers = Vec::new();
        client.read_to_end(&mut answers).unwrap();
        let prompts = answers.windows(17).filter(|text| *text == b"Verification code").count();
        assert_eq!(prompts, 1, "{answers:?}");
    });
}

#[test]
fn messages_without_an_end_do_not_hold_the_accepting_thread() {
    run(async {
        for (pings, is_held_up) in [(MESSAGES_PER_POLL - 1, false), (MESSAGES_PER_POLL, true)] {
            let (mut client, service) = connect();
            client.write_all(&[HELLO, &ping().repeat(pings as usize)].concat()).unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            let rest = blocking::poll_once(Box::pin(async { drop(service.await) }));
            assert_eq!(rest.is_some(), is_held_up, "{pings} calls");
        }
    });
}

#[test]
fn messages_without_an_end_do_not_hold_up_the_timeout() {
    run(async {
        let (mut client, service) = connect();
        client.write_all(HELLO).unwrap();
        let pings = ping().repeat(100);
        let sender = std::thread::spawn(move || while client.write_all(&pings).is_ok() {});
        let start = Instant::now();
        let result = tokio::time::timeout(Duration::from_millis(50), service).await;
        assert!(result.is_err() && start.elapsed() < Duration::from_secs(5), "too late");
        sender.join().unwrap();
    });
}
