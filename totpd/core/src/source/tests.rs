use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::*;

const PAGE: &str = include_str!("../../../../docs/reference/sources.md");

fn from(rhost: &str) -> Source {
    Source::locate(0, &Origin { rhost: Some(rhost), ..Origin::default() })
}

fn at(tty: &str) -> Source {
    let origin = Origin { service: Some("login"), tty: Some(tty), ..Origin::default() };
    Source::locate(0, &origin)
}

/// Returns the rows of the page's table, without its head.
fn rows() -> Vec<Vec<String>> {
    let table = PAGE.lines().skip_while(|line| !line.starts_with("| caller ")).skip(2);
    table
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
        })
        .collect()
}

#[test]
fn the_table_of_sources_is_what_the_daemon_does() {
    let callers = [("root", 0), ("user", 1000)];
    let rhosts: [(&str, &[Option<&str>]); 7] = [
        ("IPv4 address", &[Some("192.0.2.1"), Some("::ffff:192.0.2.1"), Some("::FFFF:C000:201")]),
        ("IPv6 address", &[Some("2001:db8:1:2::a"), Some("2001:DB8:1:2:ffff::b%eth0")]),
        ("link-local address", &[Some("fe80::a"), Some("fe80::a%eth0"), Some("fe80::a%3")]),
        (
            "loopback address",
            &[Some("127.0.0.1"), Some("127.255.0.9"), Some("::1"), Some("::ffff:127.0.0.1")],
        ),
        ("unspecified address", &[Some("0.0.0.0"), Some("::"), Some("::ffff:0.0.0.0")]),
        (
            "host name",
            &[
                Some("evil.example.org"),
                Some("localhost"),
                Some("ip6-localhost"),
                Some("UNKNOWN"),
                Some("192.0.2.1%eth0"),
                Some("192.0.2.1:50022"),
                Some("[2001:db8:1:2::a]:50022"),
            ],
        ),
        ("none", &[None, Some("")]),
    ];
    let rusers: [(&str, &[Option<&str>]); 2] =
        [("user name", &[Some("bob")]), ("none", &[None, Some("")])];
    let ttys: [(&str, &[Option<&str>]); 6] = [
        (
            "virtual console",
            &[Some("tty1"), Some("/dev/tty63"), Some("lxc/tty1"), Some("/dev/lxc/tty1")],
        ),
        ("serial line", &[Some("ttyS0"), Some("/dev/ttyS0"), Some("/dev/lxc/ttyS0")]),
        ("display", &[Some(":0"), Some(":0.0"), Some(":0.1")]),
        ("pseudo-terminal", &[Some("pts/3"), Some("/dev/pts/0"), Some("lxc/pts/0")]),
        (
            "made-up name",
            &[
                Some("ssh"),
                Some("ftp"),
                Some("dovecot"),
                Some("http"),
                Some("nodename"),
                Some("web"),
            ],
        ),
        ("none", &[None, Some("")]),
    ];
    let (rows, mut met) = (rows(), Vec::new());
    let mut examples = Vec::new();
    for (rhost_is, rhosts) in rhosts {
        for (ruser_is, rusers) in rusers {
            for (tty_is, ttys) in ttys {
                examples.push(([rhost_is, ruser_is, tty_is], rhosts, rusers, ttys));
            }
        }
    }
    for ([rhost_is, ruser_is, tty_is], rhosts, rusers, ttys) in examples {
        for (caller_is, caller) in callers {
            let is = [caller_is, rhost_is, ruser_is, tty_is];
            let fits = |row: &Vec<String>| {
                row.iter().zip(is).all(|(cell, word)| cell == "any" || cell == word)
            };
            let fitting: Vec<_> = rows.iter().filter(|row| fits(row)).collect();
            let [row] = fitting[..] else { panic!("{is:?} has these rows: {fitting:?}") };
            met.push(row.clone());
            for rhost in rhosts.iter().copied() {
                for ruser in rusers.iter().copied() {
                    for tty in ttys.iter().copied() {
                        let origin = Origin { service: Some("login"), rhost, ruser, tty };
                        let source = Source::locate(caller, &origin);
                        let known = if source.can_become_known() { "yes" } else { "no" };
                        let actual = [source.to_string(), known.to_owned()];
                        assert_eq!(actual, row[4..], "{caller} {origin:?}");
                    }
                }
            }
        }
    }
    assert!(rows.iter().all(|row| met.contains(row)), "a row that nothing fits");
    assert_eq!(met.len(), 2 * 7 * 2 * 6);
}

#[test]
fn the_page_names_every_serial_line() {
    for prefix in SERIAL_LINE_PREFIXES {
        assert!(PAGE.contains(&format!("`{prefix}`")), "{prefix}");
        assert_eq!(at(&format!("/dev/{prefix}12")).to_string(), format!("{prefix}12 (login)"));
    }
    for console in ["console", "/dev/console", "lxc/console", "/dev/lxc/console"] {
        assert_eq!(at(console).to_string(), "console (login)");
    }
}

#[test]
fn a_malformed_terminal_name_is_nowhere() {
    for tty in [
        "tty",
        "tty0",
        "tty64",
        "tty256",
        "tty1x",
        "tty+1",
        "tty 1",
        "ttyp0",
        "ttyS",
        "ttySx",
        "ttyS0x",
        "ttyS00000",
        "hvc",
        "console0",
        "null",
        ":",
        ":x",
        ":0.",
        ":0.x",
        ":.0",
        ":0.0.0",
        "host:0",
        "localhost:0.0",
        "/dev//dev/tty1",
        "/dev/",
        "lxc/",
        "lxc/lxc/tty1",
        "/lxc/tty1",
        "lxc/tty64",
        "lxc//dev/tty1",
        "//dev/tty1",
        "dev/tty1",
        "/tty1",
        "seat0",
    ] {
        assert_eq!(at(tty), Source::Nowhere, "{tty:?}");
    }
}

#[test]
fn a_malformed_address_is_a_host_name() {
    for rhost in ["fe80::1%", "%eth0", "192.0.2", "192.0.2.1:22", "[::2]", "2001:db8::/64", " ::2"]
    {
        assert_eq!(from(rhost), Source::Nowhere, "{rhost:?}");
    }
}

#[test]
fn a_network_is_one_source_and_its_neighbor_another() {
    assert_eq!(from("2001:db8:1:2::a"), from("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_ne!(from("2001:db8:1:2::a"), from("2001:db8:1:3::a"));
    assert_ne!(from("fe80::a"), from("fe80::b"));
    assert_eq!(from("febf::a").to_string(), "febf::a");
    assert_eq!(from("fec0::a").to_string(), "fec0::/64");
}

#[test]
fn a_terminal_is_a_source_for_one_service() {
    let origin = Origin { tty: Some("tty1"), ..Origin::default() };
    assert_eq!(Source::locate(0, &origin), Source::Nowhere);
    let gdm = Origin { service: Some("gdm-password"), ..origin };
    assert_ne!(Source::locate(0, &gdm), at("tty1"));
    assert_eq!(at("tty1"), at(":0"));
}

#[test]
fn a_hostile_service_or_user_name_is_escaped() {
    let origin = Origin { service: Some("x\ny"), tty: Some("tty1"), ..Origin::default() };
    assert_eq!(Source::locate(0, &origin).to_string(), "seat0 (x\\ny)");
    let origin = Origin { ruser: Some("x\ny"), ..Origin::default() };
    assert_eq!(Source::locate(0, &origin).to_string(), "local:x\\ny");
}

/// The variants as records had them before terminals and networks counted.
#[derive(Serialize)]
enum OldSource {
    Address(IpAddr),
    Local(String),
    Uid(u32),
    Nowhere,
}

#[test]
fn every_source_of_an_old_record_is_read() {
    let address = |text: &str| OldSource::Address(text.parse().unwrap());
    for (old, expected, known) in [
        (address("192.0.2.1"), "192.0.2.1", true),
        (address("2001:db8:1:2::a"), "2001:db8:1:2::/64", true),
        (address("fe80::a"), "fe80::a", true),
        (address("127.0.0.1"), "127.0.0.1", false),
        (address("::1"), "::/64", false),
        (OldSource::Local("bob".into()), "local:bob", true),
        (OldSource::Uid(1000), "uid:1000", true),
        (OldSource::Uid(0), "uid:0", false),
        (OldSource::Nowhere, "nowhere", false),
    ] {
        let bytes = postcard::to_allocvec(&old).unwrap();
        let read: Source = postcard::from_bytes(&bytes).unwrap();
        assert_eq!((&read.to_string()[..], read.can_become_known()), (expected, known));
    }
    let terminal = at("tty1");
    let bytes = postcard::to_allocvec(&terminal).unwrap();
    assert_eq!(postcard::from_bytes::<Source>(&bytes).unwrap(), terminal);
}
