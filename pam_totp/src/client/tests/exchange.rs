//! What the other end may send, over the private socket and as a bus.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU32;
use std::os::unix::net::UnixStream;
use std::thread;

use totpd_interface::login::LoginContext;
use zbus::Message;
use zbus::message::Builder;
use zbus::wire::{BE, Endian, LE};

use super::super::dbus::Bus;
use super::super::request::{self, RequestError, SERIAL, map_error};
use super::super::stream::Stream;
use super::*;

/// Returns the call of that serial, as zbus has it.
fn call(serial: u32) -> Message {
    let call = Message::method_call("/org/totpd/Totp1", "Begin").interface("org.totpd.Totp1.Login");
    call.serial(NonZeroU32::new(serial).unwrap()).build(&()).unwrap()
}

type WrittenDetails = std::collections::HashMap<&'static str, zbus::Variant<'static>>;

fn details() -> WrittenDetails {
    [("prompt", "Code: ".into()), ("digits", 8_u32.into())].into()
}

/// Returns the bytes of a reply to the call of that serial.
fn reply(serial: u32, endian: Endian, sender: Option<&str>, word: &str) -> Vec<u8> {
    let call = call(serial);
    let header = call.header();
    let answer = sent_by(Message::method_return(&header).endian(endian), sender);
    bytes(answer.build(&(word, details())))
}

fn error(serial: u32, sender: Option<&str>, name: &str) -> Vec<u8> {
    let call = call(serial);
    let header = call.header();
    bytes(sent_by(Message::error(&header, name), sender).build(&"why"))
}

fn sent_by<'a>(builder: Builder<'a>, sender: Option<&str>) -> Builder<'a> {
    match sender {
        Some(sender) => builder.sender(sender.to_owned()),
        None => builder,
    }
}

fn bytes(built: zbus::Result<Message>) -> Vec<u8> {
    built.unwrap().data().bytes().to_vec()
}

/// Returns a stream whose other end sends these pieces and closes.
fn stream(pieces: Vec<Vec<u8>>, time: Duration) -> Stream {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    thread::spawn(move || {
        for piece in pieces {
            if theirs.write_all(&piece).is_err() {
                return;
            }
        }
    });
    Stream::new(ours.into(), Instant::now() + time)
}

const LONG: Duration = Duration::from_secs(20);

fn read(pieces: Vec<Vec<u8>>) -> Result<Result<BeginReply, Outcome>, RequestError> {
    let (mut reply, mut result) = (None, Ok(()));
    stream(pieces, LONG).receive_reply(SERIAL, &mut |_, answer| {
        let mut reading = |word: &str, details: &Details<'_>| {
            reply = Some(begin_reply(word, details));
            Ok(())
        };
        let error = |name: &str, text: &str| RequestError::Fatal(map_error(name, text));
        result = request::read(answer, &mut reading, error);
    })?;
    result.map(|()| reply.unwrap())
}

fn receive(stream: &mut Stream) -> Result<(), RequestError> {
    stream.receive_reply(SERIAL, &mut |_, _| {})
}

fn prompt() -> BeginReply {
    BeginReply::Prompt { text: "Code: ".into(), digits: 8 }
}

#[test]
fn the_reply_to_the_call_is_found_among_others() {
    let signal = Message::signal("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameAcquired");
    let signal = bytes(signal.build(&":1.7"));
    for endian in [LE, BE] {
        let all = [
            signal.clone(),
            reply(2, endian, None, "skip"),
            error(3, None, "org.totpd.Totp1.Error.Internal"),
            reply(1, endian, None, "prompt"),
            reply(1, endian, None, "skip"),
        ]
        .concat();
        for size in [1, 7, all.len()] {
            let pieces = all.chunks(size).map(<[u8]>::to_vec).collect();
            assert_eq!(read(pieces).unwrap(), Ok(prompt()), "the first of two answers");
        }
    }
}

#[test]
fn what_is_no_reply_lets_nobody_in() {
    let whole = reply(1, LE, None, "skip");
    let mut long = whole.clone();
    long[4..8].copy_from_slice(&(64_u32 * 1024).to_le_bytes());
    let mut version = whole.clone();
    version[3] = 2;
    let mut kind = whole.clone();
    kind[1] = 0;
    for junk in [long, version, kind, b"x".repeat(100), vec![0; 16]] {
        assert!(matches!(read(vec![junk]), Err(RequestError::Fatal(Outcome::Unavailable(_)))));
    }
    let error = error(1, None, "org.totpd.Totp1.Error.Throttled");
    assert!(matches!(read(vec![error]), Err(RequestError::Fatal(Outcome::Internal(_)))));
    for length in 0..whole.len() {
        let lost = read(vec![whole[..length].to_vec()]);
        assert!(matches!(lost, Err(RequestError::ReplyLost)), "{length}");
    }
    assert!(matches!(read(vec![reply(2, LE, None, "skip")]), Err(RequestError::ReplyLost)));
}

/// Returns a signal of some other user with a body of so many bytes. It names the serial of the
/// call.
fn signal_of(body: usize) -> Vec<u8> {
    let call = call(1);
    let header = call.header();
    let text = "x".repeat(body.checked_sub(5).unwrap());
    let mut signal = bytes(sent_by(Message::method_return(&header), Some(":1.66")).build(&text));
    signal[1] = 4;
    signal
}

#[test]
fn a_message_of_another_user_is_discarded_whatever_its_length() {
    let mut malformed = signal_of(100);
    malformed[3] = 2;
    let mut unreadable = signal_of(100);
    unreadable[16..24].fill(255);
    let mut wide = [&b"l\x04\0\x01\0\0\0\0\x01\0\0\0"[..], &70_000_u32.to_le_bytes()].concat();
    wide.resize(16 + 70_000, 0);
    let long_error = {
        let call = call(2);
        bytes(Message::error(&call.header(), "a.B").build(&"x".repeat(70_000)))
    };
    let signals =
        [signal_of(70_000), signal_of(60_000), signal_of(100_000_000), malformed, unreadable, wide];
    for foreign in signals.into_iter().chain([long_error]) {
        let length = foreign.len();
        let both = [foreign, reply(1, LE, Some(":1.9"), "prompt")];
        assert_eq!(read(both.to_vec()).unwrap(), Ok(prompt()), "{length} bytes before the reply");
        assert_eq!(read(vec![both.concat()]).unwrap(), Ok(prompt()), "{length} bytes in one piece");
    }
}

#[test]
fn a_message_of_another_user_takes_no_memory() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let peer = thread::spawn(move || {
        theirs.write_all(&signal_of(20_000_000)).unwrap();
        theirs.write_all(&reply(1, LE, None, "prompt")).unwrap();
    });
    let mut stream = Stream::new(ours.into(), Instant::now() + LONG);
    receive(&mut stream).unwrap();
    peer.join().unwrap();
    assert!(stream.input_capacity() < 64 * 1024, "{} bytes", stream.input_capacity());
}

#[test]
fn a_flood_of_messages_of_other_users_ends_at_the_deadline() {
    for body in [5, 200, 70_000, 1 << 20] {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let deadline = Instant::now() + Duration::from_millis(100);
        let flood = thread::spawn(move || {
            let signal = signal_of(body);
            while theirs.write_all(&signal).is_ok() {}
        });
        let lost = receive(&mut Stream::new(ours.into(), deadline));
        assert!(matches!(lost, Err(RequestError::Timeout)), "{body}");
        assert!(Instant::now() >= deadline);
        // The stream is closed now, and so the flood ends.
        flood.join().unwrap();
    }
}

#[test]
fn a_reply_that_is_too_long_is_refused_before_its_body_comes() {
    let call = call(1);
    let header = call.header();
    let long = bytes(Message::method_return(&header).build(&"x".repeat(70_000)));
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(&long[..200]).unwrap();
    let refused = receive(&mut Stream::new(ours.into(), Instant::now() + LONG));
    assert!(matches!(refused, Err(RequestError::Fatal(Outcome::Unavailable(_)))));
}

#[test]
fn the_line_that_accepts_the_authentication_has_at_most_256_bytes() {
    let line = |length: usize| [b"OK ", &vec![b'a'; length - 5][..], b"\r\n"].concat();
    for (sent, is_ok) in [
        (b"OK 1234deadbeef\r\nl".to_vec(), true),
        (line(256), true),
        (line(257), false),
        (line(100_000), false),
        (b"REJECTED EXTERNAL\r\n".to_vec(), false),
        (b"ERROR\r\nOK 1\r\n".to_vec(), false),
    ] {
        for size in [1, 7, sent.len()] {
            let pieces = sent.chunks(size).map(<[u8]>::to_vec).collect();
            let answer = stream(pieces, LONG).wait_for_ok();
            match is_ok {
                true => answer.unwrap(),
                false => assert!(matches!(answer, Err(RequestError::Fatal(_))), "{}", sent.len()),
            }
        }
    }
    // The other end waits: the stream does not.
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(&[b'a'; 256]).unwrap();
    let refused = Stream::new(ours.into(), Instant::now() + LONG).wait_for_ok();
    assert!(matches!(refused, Err(RequestError::Fatal(_))));
}

#[test]
fn half_a_reply_at_the_deadline_is_a_timeout() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let whole = reply(1, LE, None, "skip");
    theirs.write_all(&whole[..whole.len() / 2]).unwrap();
    let deadline = Instant::now() + Duration::from_millis(100);
    let lost = receive(&mut Stream::new(ours.into(), deadline));
    assert!(matches!(lost, Err(RequestError::Timeout)));
    assert!(Instant::now() >= deadline);
}

/// Asks a bus that lets this process in and then sends `answer`.
fn ask_bus(answer: Vec<u8>) -> Result<BeginReply, RequestError> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let bus = thread::spawn(move || {
        let mut heard = Vec::new();
        let mut hear = |until: &[u8]| {
            let mut byte = [0];
            while !heard.windows(until.len()).any(|part| part == until) {
                theirs.read_exact(&mut byte).unwrap();
                heard.push(byte[0]);
            }
            theirs.try_clone().unwrap()
        };
        let hello = reply_of_bus(2);
        hear(b"Hello\0").write_all(&[b"OK 1234deadbeef\r\n".to_vec(), hello].concat()).unwrap();
        hear(b"alice\0").write_all(&answer).unwrap();
    });
    let stream = Stream::new(ours.into(), Instant::now() + LONG);
    let context = &LoginContext::default();
    let mut reply = None;
    let mut reading = |word: &str, details: &Details<'_>| {
        reply = Some(begin_reply(word, details)?);
        Ok(())
    };
    let asked = Bus::enter(stream)?.ask(&Call::Begin { user: "alice", context }, &mut reading);
    bus.join().unwrap();
    asked.map(|()| reply.unwrap())
}

fn reply_of_bus(serial: u32) -> Vec<u8> {
    let call = call(serial);
    let header = call.header();
    bytes(sent_by(Message::method_return(&header), Some(BUS_SENDER)).build(&":1.5"))
}

const BUS_SENDER: &str = "org.freedesktop.DBus";

#[test]
fn a_reply_over_the_bus_has_a_sender_that_may_answer() {
    let answer = |sender| ask_bus(reply(1, LE, sender, "prompt"));
    assert_eq!(answer(Some(":1.9")).unwrap(), prompt());
    for sender in [None, Some(BUS_SENDER)] {
        let refused = answer(sender);
        assert!(matches!(refused, Err(RequestError::Fatal(Outcome::Unavailable(_)))), "{sender:?}");
    }
}

#[test]
fn an_error_over_the_bus_says_whether_to_ask_again() {
    let ask = |sender, name: &str| match ask_bus(error(1, sender, name)) {
        Ok(_) => panic!("{name} is a reply"),
        Err(error) => error,
    };
    let (bus, daemon) = (Some(BUS_SENDER), Some(":1.9"));
    let limit = ask(bus, "org.freedesktop.DBus.Error.LimitsExceeded");
    assert!(matches!(limit, RequestError::NotDelivered));
    let limit = ask(daemon, "org.totpd.Totp1.Error.LimitsExceeded");
    assert!(matches!(limit, RequestError::NotDelivered));
    let lost = ask(bus, "org.freedesktop.DBus.Error.NoReply");
    assert!(matches!(lost, RequestError::ReplyLost));
    let unknown = ask(bus, "org.freedesktop.DBus.Error.ServiceUnknown");
    assert!(matches!(unknown, RequestError::Fatal(Outcome::Unavailable(_))));
    let throttled = ask(daemon, "org.totpd.Totp1.Error.Throttled");
    assert!(matches!(throttled, RequestError::Fatal(Outcome::Internal(_))));
    assert!(matches!(ask_bus(Vec::new()), Err(RequestError::ReplyLost)));
}
