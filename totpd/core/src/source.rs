//! The source of a login attempt. The whole table is in docs/reference/sources.md.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize};

/// The source of an attempt, as far as the daemon can trust it.
///
/// Records on disk hold sources, so new variants go to the end.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Source {
    /// The remote end: an IPv4 address, a link-local IPv6 address, or the /64 of another IPv6
    /// address.
    Address(#[serde(deserialize_with = "deserialize_network")] IpAddr),
    /// This machine, and the user who runs the program (PAM_RUSER, as `su` and `sudo` set it).
    Local(String),
    /// A process with this uid that called the daemon directly.
    Uid(u32),
    /// A host name, an address that many people share, or nothing. It never becomes a known source.
    Nowhere,
    /// A terminal of this machine, for one service.
    Terminal {
        /// `seat0`, or the name of a serial line.
        terminal: Box<str>,
        /// The PAM service.
        service: Box<str>,
    },
}

/// The origin of a login, as the PAM module reports it. An empty text counts as none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    /// The PAM service.
    pub service: Option<&'a str>,
    /// The remote host (PAM_RHOST).
    pub rhost: Option<&'a str>,
    /// The user who runs the program (PAM_RUSER).
    pub ruser: Option<&'a str>,
    /// The terminal (PAM_TTY).
    pub tty: Option<&'a str>,
}

impl Source {
    /// Returns the source of a login. `caller` is the uid that the kernel or the bus reports.
    /// `origin` counts only if root sent it.
    #[must_use]
    pub fn locate(caller: u32, origin: &Origin<'_>) -> Self {
        let [service, rhost, ruser, tty] = [origin.service, origin.rhost, origin.ruser, origin.tty]
            .map(|text| text.filter(|text| !text.is_empty()));
        if caller != 0 {
            return Self::Uid(caller);
        }
        match (rhost, ruser) {
            // The owner of a reverse zone chooses the host name, so a host name proves nothing.
            (Some(rhost), _) => parse_address(rhost).map_or(Self::Nowhere, Self::from_address),
            (None, Some(ruser)) => Self::Local(ruser.to_owned()),
            (None, None) => match (tty.and_then(terminal), service) {
                (Some(terminal), Some(service)) => {
                    Self::Terminal { terminal: terminal.into(), service: service.into() }
                }
                _ => Self::Nowhere,
            },
        }
    }

    /// Reports whether a right code makes this source a known one.
    ///
    /// Older records also hold `uid:0` and loopback addresses. These are no longer sources of
    /// logins.
    #[must_use]
    pub fn can_become_known(&self) -> bool {
        match self {
            Self::Address(address) => !is_shared(*address),
            Self::Uid(uid) => *uid != 0,
            Self::Nowhere => false,
            Self::Local(_) | Self::Terminal { .. } => true,
        }
    }

    fn from_address(address: IpAddr) -> Self {
        let address = network(address);
        if is_shared(address) { Self::Nowhere } else { Self::Address(address) }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) if !address.is_unicast_link_local() => {
                write!(f, "{address}/64")
            }
            Self::Address(address) => write!(f, "{address}"),
            Self::Local(user) => write!(f, "local:{}", user.escape_debug()),
            Self::Uid(uid) => write!(f, "uid:{uid}"),
            Self::Nowhere => f.write_str("nowhere"),
            Self::Terminal { terminal, service } => {
                write!(f, "{} ({})", terminal.escape_debug(), service.escape_debug())
            }
        }
    }
}

/// Reports whether `tty` names a serial line, or a console that a hypervisor provides like one.
#[must_use]
pub fn is_serial_line(tty: &str) -> bool {
    let name = strip_dev(tty);
    name == "console" || SERIAL_LINE_PREFIXES.iter().any(|prefix| is_numbered(name, prefix))
}

/// Returns the name of the terminal or seat of this machine. A pseudo-terminal is neither.
fn terminal(tty: &str) -> Option<&str> {
    let name = strip_dev(tty);
    let virtual_console = name.strip_prefix("tty").filter(|number| is_number(number));
    if virtual_console.is_some_and(|number| matches!(number.parse(), Ok(1..=63_u8)))
        || is_local_display(name)
    {
        return Some("seat0");
    }
    is_serial_line(name).then_some(name)
}

/// Reports whether `name` is `:0`, or `:0.0` with a screen. VNC and xrdp, which serve the network,
/// use other numbers.
fn is_local_display(name: &str) -> bool {
    name == ":0" || is_numbered(name, ":0.")
}

fn is_numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(is_number)
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the name of a terminal without `/dev/`. LXC has the terminals of a container in
/// `/dev/lxc/`, under the names that a machine has.
#[must_use]
pub fn strip_dev(tty: &str) -> &str {
    let name = tty.strip_prefix("/dev/").unwrap_or(tty);
    name.strip_prefix("lxc/").unwrap_or(name)
}

/// Parses an address. sshd may append the zone of an IPv6 address: `fe80::1%eth0`.
pub(crate) fn parse_address(rhost: &str) -> Option<IpAddr> {
    match rhost.split_once('%') {
        Some((address, zone)) if !zone.is_empty() => {
            address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        _ => rhost.parse().ok(),
    }
}

/// Returns the part of an address that stays the same for one host. The spelling of its socket does
/// not matter.
///
/// A host with privacy extensions (RFC 8981) takes a new IPv6 address each day, in the same /64.
/// All link-local addresses share one /64, so such an address counts whole. Such an address does
/// not change. Its zone does not count, because names of interfaces change.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_unicast_link_local() => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::from([a, b, c, d, 0, 0, 0, 0]))
        }
        address => address,
    }
}

/// Reports whether many people share the address: proxies (sslh, a web server, Tor) connect from a
/// loopback address.
pub(crate) fn is_shared(address: IpAddr) -> bool {
    match network(address) {
        IpAddr::V4(address) => address.is_loopback() || address.is_unspecified(),
        // `::` and `::1` are in this network, and no host has an address in it.
        IpAddr::V6(network) => network.is_unspecified(),
    }
}

/// Reads an address. Older records hold whole IPv6 addresses.
fn deserialize_network<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IpAddr, D::Error> {
    IpAddr::deserialize(deserializer).map(network)
}

/// Names of serial lines without their number: of UARTs (by driver), of USB, and of hypervisors.
const SERIAL_LINE_PREFIXES: [&str; 19] = [
    "ttyS",
    "ttyUSB",
    "ttyACM",
    "ttyGS",
    "ttyAMA",
    "ttyAML",
    "ttyLP",
    "ttyMSM",
    "ttyO",
    "ttyPS",
    "ttySAC",
    "ttySTM",
    "ttyTHS",
    "ttyUL",
    "ttymxc",
    "ttysclp",
    "hvc",
    "sclp_line",
    "xvc",
];

#[cfg(test)]
mod tests;
