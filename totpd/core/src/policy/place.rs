//! The place of a login, and the places that rules name.

use core::fmt;
use core::net::IpAddr;

use crate::policy::fit::Fit;
use crate::policy::network::{InvalidNetwork, Network};
use crate::source::{self, Origin, Source};

/// The place of a login, as far as root's program says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The remote end has this address.
    Address(IpAddr),
    /// The program names no remote end, and a user or terminal of this machine.
    Local {
        /// Whether a person sits at this machine.
        at_seat: Fit,
    },
    /// The remote end is a host name, or an address that many people share. It may be anywhere.
    Nowhere,
    /// The program says nothing. Many network services set neither remote end nor terminal
    /// (OpenVPN, saslauthd, FreeRADIUS), so it may be anywhere, or here.
    Unsaid,
}

/// A place that a rule names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlacePattern {
    /// All addresses of a network.
    Network(Network),
    /// Logins of users and terminals of this machine.
    Local,
    /// Logins of a person who sits at this machine.
    Seat,
}

impl Place {
    /// Returns the place of a login of root's program. `at_seat` counts on this machine.
    ///
    /// The owner of a reverse zone chooses the host name, so a host name proves nothing.
    #[must_use]
    pub fn locate(origin: &Origin<'_>, at_seat: Fit) -> Self {
        let Some(rhost) = origin.rhost.filter(|rhost| !rhost.is_empty()) else {
            return match Source::locate(ROOT, origin) {
                Source::Local(_) | Source::Terminal { .. } => Self::Local { at_seat },
                Source::Address(_) | Source::Uid(_) | Source::Nowhere => Self::Unsaid,
            };
        };
        let address = source::parse_address(rhost).filter(|address| !source::is_shared(*address));
        address.map_or(Self::Nowhere, |address| Self::Address(address.to_canonical()))
    }
}

impl PlacePattern {
    /// Parses `local`, `seat`, or a network.
    ///
    /// # Errors
    /// [`InvalidNetwork`] if it is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidNetwork> {
        match text {
            "local" => Ok(Self::Local),
            "seat" => Ok(Self::Seat),
            network => Network::parse(network).map(Self::Network),
        }
    }

    pub(super) fn fit(&self, place: Place) -> Fit {
        match (self, place) {
            (Self::Network(network), Place::Address(address)) => network.contains(address).into(),
            // It has an address, and that may be in this network.
            (Self::Network(_), Place::Nowhere) | (_, Place::Unsaid) => Fit::Unknown,
            (Self::Local, Place::Local { .. }) => Fit::Yes,
            (Self::Seat, Place::Local { at_seat }) => at_seat,
            (Self::Network(_), Place::Local { .. })
            | (Self::Local | Self::Seat, Place::Address(_) | Place::Nowhere) => Fit::No,
        }
    }

    /// Reports whether every place that fits `other` fits.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network(wide), Self::Network(narrow)) => wide.covers(narrow),
            (Self::Local, Self::Local | Self::Seat) | (Self::Seat, Self::Seat) => true,
            _ => false,
        }
    }
}

/// Writes the pattern as a rule has it.
impl fmt::Display for PlacePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Local => f.write_str("local"),
            Self::Seat => f.write_str("seat"),
        }
    }
}

/// The only caller whose word about the origin counts.
const ROOT: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_place_and_a_host_name_is_nowhere() {
        let local = Place::Local { at_seat: Fit::Yes };
        let address = |text: &str| Place::Address(text.parse().unwrap());
        for (rhost, expected) in [
            (None, local),
            (Some(""), local),
            (Some("192.0.2.1"), address("192.0.2.1")),
            (Some("::ffff:192.0.2.1"), address("192.0.2.1")),
            (Some("fe80::1%eth0"), address("fe80::1")),
            (Some("2001:db8::1"), address("2001:db8::1")),
            (Some("localhost"), Place::Nowhere),
            (Some("office.example.org"), Place::Nowhere),
            (Some("10.0.0.1.example.org"), Place::Nowhere),
            (Some("127.0.0.1"), Place::Nowhere),
            (Some("::1"), Place::Nowhere),
            (Some("::ffff:127.0.0.1"), Place::Nowhere),
            (Some("0.0.0.0"), Place::Nowhere),
            (Some("UNKNOWN"), Place::Nowhere),
            (Some(" 192.0.2.1"), Place::Nowhere),
            (Some("192.0.2.1:22"), Place::Nowhere),
            (Some("10.0.0.1%lo"), Place::Nowhere),
        ] {
            let origin = Origin { rhost, ruser: Some("alice"), ..Origin::default() };
            assert_eq!(Place::locate(&origin, Fit::Yes), expected, "{rhost:?}");
        }
    }

    #[test]
    fn without_a_remote_end_only_a_user_or_terminal_of_this_machine_is_local() {
        let local = Place::Local { at_seat: Fit::Unknown };
        let openvpn = Origin { service: Some("openvpn"), ..Origin::default() };
        for (ruser, tty, expected) in [
            (None, None, Place::Unsaid),
            (Some(""), Some(""), Place::Unsaid),
            (None, Some("pts/3"), Place::Unsaid),
            (None, Some("dovecot"), Place::Unsaid),
            (None, Some(":10"), Place::Unsaid),
            (None, Some("tty1"), local),
            (None, Some(":0"), local),
            (None, Some("ttyS0"), local),
            (Some("bob"), None, local),
            (Some("bob"), Some("pts/3"), local),
        ] {
            for rhost in [None, Some("")] {
                let origin = Origin { rhost, ruser, tty, ..openvpn };
                assert_eq!(Place::locate(&origin, Fit::Unknown), expected, "{origin:?}");
            }
        }
    }

    #[test]
    fn only_a_login_without_a_remote_end_is_local() {
        let [network, local, seat] =
            ["10.0.0.0/8", "local", "seat"].map(|text| PlacePattern::parse(text).unwrap());
        let inside = Place::Address([10, 0, 0, 1].into());
        let outside = Place::Address([192, 0, 2, 1].into());
        let here = |at_seat| Place::Local { at_seat };
        for (place, fits) in [
            (inside, [Fit::Yes, Fit::No, Fit::No]),
            (outside, [Fit::No, Fit::No, Fit::No]),
            (here(Fit::No), [Fit::No, Fit::Yes, Fit::No]),
            (here(Fit::Unknown), [Fit::No, Fit::Yes, Fit::Unknown]),
            (here(Fit::Yes), [Fit::No, Fit::Yes, Fit::Yes]),
            (Place::Nowhere, [Fit::Unknown, Fit::No, Fit::No]),
            (Place::Unsaid, [Fit::Unknown; 3]),
        ] {
            assert_eq!([network, local, seat].map(|pattern| pattern.fit(place)), fits, "{place:?}");
        }
    }

    #[test]
    fn local_covers_the_seat() {
        let [network, local, seat] =
            ["10.0.0.0/8", "local", "seat"].map(|text| PlacePattern::parse(text).unwrap());
        assert!(local.covers(&seat) && !seat.covers(&local) && seat.covers(&seat));
        assert!(network.covers(&network) && !network.covers(&local) && !local.covers(&network));
    }
}
