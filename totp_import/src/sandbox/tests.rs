//! A program in the place of the reader opens nothing, connects to nothing and starts nothing.
#![allow(clippy::disallowed_methods, reason = "the test starts itself")]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;

/// What somebody would try who took the reader over.
const ATTEMPTS: [(&str, fn()); 17] = [
    ("open a file", || drop(File::open("/etc/passwd"))),
    ("make a file", || drop(File::create("/tmp/of-the-reader"))),
    ("look at a file", || drop(fs::metadata("/etc/passwd"))),
    ("list a folder", || drop(fs::read_dir("/"))),
    ("follow a link", || drop(fs::read_link("/proc/self/exe"))),
    ("remove a file", || drop(fs::remove_file("/tmp/of-the-reader"))),
    ("change the folder", || drop(std::env::set_current_dir("/"))),
    ("connect over the network", || drop(TcpStream::connect("127.0.0.1:22"))),
    ("wait for connections", || drop(TcpListener::bind("127.0.0.1:0"))),
    ("send a packet", || drop(UdpSocket::bind("127.0.0.1:0"))),
    ("connect to the daemon", || drop(UnixStream::connect("/run/totpd/private"))),
    ("write to the journal", || drop(UnixDatagram::unbound())),
    ("make a pipe", || drop(nix::unistd::pipe())),
    ("start a program", || drop(Command::new("/bin/true").spawn())),
    ("start a thread", || drop(std::thread::Builder::new().spawn(|| ()))),
    ("kill a process", || assert!(kill(Pid::parent(), Signal::SIGTERM).is_ok())),
    ("become root", || assert!(nix::unistd::setuid(nix::unistd::Uid::from_raw(0)).is_ok())),
];

/// Runs this test again, in a process of its own that makes the attempt of this name.
fn attempt(name: &str, input: &[u8]) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "sandbox::tests::in_the_sandbox",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("ATTEMPT", name)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
#[ignore = "the part of the tests below that runs in a process of its own"]
fn in_the_sandbox() {
    let name = std::env::var("ATTEMPT").unwrap();
    // The threads of the harness have more memory than the reader may have.
    enter_within(1 << 30).unwrap();
    match ATTEMPTS.iter().find(|(known, _)| *known == name) {
        Some((_, attempt)) => attempt(),
        None if name == "take memory" => {
            drop(std::hint::black_box(vec![1_u8; 1 << 30]));
        }
        None => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).unwrap();
            bytes.make_ascii_uppercase();
            std::io::stdout().write_all(&bytes).unwrap();
        }
    }
    std::process::exit(7);
}

#[test]
fn it_reads_what_is_open_and_writes_what_comes_of_it() {
    let output = attempt("read and write", b"hostile bytes");
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("HOSTILE BYTES"));
}

#[test]
fn every_attempt_is_its_end() {
    for (name, _) in ATTEMPTS {
        let output = attempt(name, b"");
        assert_eq!(output.status.signal(), Some(libc::SIGSYS), "{name}: {output:?}");
    }
}

#[test]
fn it_takes_no_more_memory_than_it_may() {
    let output = attempt("take memory", b"");
    assert_ne!(output.status.code(), Some(7), "{output:?}");
}
