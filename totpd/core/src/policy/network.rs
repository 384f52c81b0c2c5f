//! Networks of addresses, as rules write them.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::source;

/// A network of IPv4 or IPv6. An address or a network that IPv6 maps from IPv4 counts as the IPv4
/// that it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    address: Bits,
    prefix: u8,
}

/// An address as a number. The two kinds are never equal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Bits {
    V4(u32),
    V6(u128),
}

/// The reason why a text is no network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InvalidNetwork {
    /// It is no address, or no prefix of its length.
    Syntax,
    /// The address has bits that the prefix leaves to hosts. This is the network without them.
    HostBits(Network),
    /// It is a loopback network. Proxies connect from there, so nobody knows who comes from it.
    Loopback,
}

impl Network {
    /// Parses `10.0.0.0/8`, `2001:db8::/32`, or an address, which is a network of one.
    ///
    /// # Errors
    /// [`InvalidNetwork`] if it is none, or if no login can be in it.
    pub fn parse(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((address, prefix)) => (address, Some(prefix)),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork::Syntax)?;
        let bits = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let prefix = match prefix {
            None => bits,
            Some(text) => {
                parse_prefix(text).filter(|prefix| *prefix <= bits).ok_or(InvalidNetwork::Syntax)?
            }
        };
        let network = Self { address: Bits::of(address), prefix }.without_host_bits();
        if network.address != Bits::of(address) {
            return Err(InvalidNetwork::HostBits(network));
        }
        let network = network.canonical();
        let is_loopback = match network.address() {
            IpAddr::V4(address) => {
                (address.is_loopback() && network.prefix >= 8)
                    || (address.is_unspecified() && network.prefix == 32)
            }
            address @ IpAddr::V6(_) => source::is_shared(address) && network.prefix >= 64,
        };
        if is_loopback { Err(InvalidNetwork::Loopback) } else { Ok(network) }
    }

    /// Reports whether the address is in the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = Bits::of(address.to_canonical());
        // A prefix of IPv6 may be longer than an address of IPv4 is.
        address.is_like(self.address) && Self { address, ..*self }.without_host_bits() == *self
    }

    /// Returns the first and the last address.
    #[must_use]
    pub fn ends(&self) -> [IpAddr; 2] {
        let last = match self.address {
            Bits::V4(bits) => {
                Bits::V4(bits | !mask(u32::MAX, 32 - u32::from(self.prefix), u32::checked_shl))
            }
            Bits::V6(bits) => {
                Bits::V6(bits | !mask(u128::MAX, 128 - u32::from(self.prefix), u128::checked_shl))
            }
        };
        [self.address(), Self { address: last, ..*self }.address()]
    }

    /// Reports whether every address of `other` is in the network.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.address.is_like(other.address)
            && self.prefix <= other.prefix
            && Self { prefix: self.prefix, ..*other }.without_host_bits() == *self
    }

    fn without_host_bits(self) -> Self {
        let address = match self.address {
            Bits::V4(bits) => {
                Bits::V4(bits & mask(u32::MAX, 32 - u32::from(self.prefix), u32::checked_shl))
            }
            Bits::V6(bits) => {
                Bits::V6(bits & mask(u128::MAX, 128 - u32::from(self.prefix), u128::checked_shl))
            }
        };
        Self { address, ..self }
    }

    /// Returns a network that IPv6 maps from IPv4 as the one that it is mapped from.
    fn canonical(self) -> Self {
        match (self.address().to_canonical(), self.address, self.prefix.checked_sub(96)) {
            (IpAddr::V4(address), Bits::V6(_), Some(prefix)) => {
                Self { address: Bits::V4(address.to_bits()), prefix }
            }
            _ => self,
        }
    }

    fn address(&self) -> IpAddr {
        match self.address {
            Bits::V4(bits) => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            Bits::V6(bits) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}

impl Bits {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6(address.to_bits()),
        }
    }

    /// Reports whether both are of IPv4, or both of IPv6.
    fn is_like(self, other: Self) -> bool {
        matches!((self, other), (Self::V4(_), Self::V4(_)) | (Self::V6(_), Self::V6(_)))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.prefix)
    }
}

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str(
                "it is no network; write \"10.0.0.0/8\", \"2001:db8::/32\", \"local\" or one address",
            ),
            Self::HostBits(network) => {
                write!(f, "it has bits behind its prefix; write \"{network}\" or one address")
            }
            Self::Loopback => f.write_str(
                "no rule can name a loopback network, because proxies connect from it; remove it",
            ),
        }
    }
}

fn mask<T: Default>(all: T, host_bits: u32, shift: impl Fn(T, u32) -> Option<T>) -> T {
    // A shift by all bits leaves none.
    shift(all, host_bits).unwrap_or_default()
}

/// Parses a prefix as people write it: without a sign and without a zero before it.
fn parse_prefix(text: &str) -> Option<u8> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| is_number && is_plain)
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    use super::*;

    /// Returns the network, or the word for what is wrong with the text.
    fn parsed(text: &str) -> String {
        match Network::parse(text) {
            Ok(network) => network.to_string(),
            Err(InvalidNetwork::HostBits(network)) => format!("host bits of {network}"),
            Err(InvalidNetwork::Loopback) => "loopback".into(),
            Err(InvalidNetwork::Syntax) => "syntax".into(),
        }
    }

    #[test]
    fn a_text_is_a_network_or_is_refused_with_a_reason() {
        for (text, expected) in [
            ("", "syntax"),
            ("/", "syntax"),
            ("/8", "syntax"),
            ("10.0.0.0/", "syntax"),
            ("10.0.0.0/33", "syntax"),
            ("10.0.0.0/+8", "syntax"),
            ("10.0.0.0/-1", "syntax"),
            ("10.0.0.0/08", "syntax"),
            ("10.0.0.0/8/8", "syntax"),
            ("10.0.0/8", "syntax"),
            ("010.0.0.0/8", "syntax"),
            ("10.0.0.0 /8", "syntax"),
            ("example.org", "syntax"),
            ("::/129", "syntax"),
            ("fe80::1%eth0", "syntax"),
            ("[::1]", "syntax"),
            ("10.0.0.0-10.0.0.9", "syntax"),
            ("10.0.0.0/255.0.0.0", "syntax"),
            ("10.0.0.0/８", "syntax"),
            ("10.1.2.3/8", "host bits of 10.0.0.0/8"),
            ("10.1.2.3/0", "host bits of 0.0.0.0/0"),
            ("192.0.2.1/31", "host bits of 192.0.2.0/31"),
            ("2001:db8::1/64", "host bits of 2001:db8::/64"),
            ("::ffff:10.0.0.0/80", "host bits of ::/80"),
            ("127.0.0.1", "loopback"),
            ("127.0.0.0/8", "loopback"),
            ("127.9.0.0/16", "loopback"),
            ("::1", "loopback"),
            ("::", "loopback"),
            ("::/64", "loopback"),
            ("0.0.0.0", "loopback"),
            ("::ffff:127.0.0.1", "loopback"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("126.0.0.0/7", "126.0.0.0/7"),
            ("::/63", "::/63"),
            ("128.0.0.0/8", "128.0.0.0/8"),
            ("192.0.2.1", "192.0.2.1/32"),
        ] {
            assert_eq!(parsed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_write_instead() {
        for (text, words) in [
            ("office", "write \"10.0.0.0/8\""),
            ("10.1.2.3/8", "write \"10.0.0.0/8\""),
            ("127.0.0.1", "remove it"),
        ] {
            let said = Network::parse(text).unwrap_err().to_string();
            assert!(said.contains(words), "{text}: {said}");
        }
    }

    #[test]
    fn a_network_contains_its_addresses_in_every_spelling() {
        for (network, address, is_inside) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:0:0/96", "192.0.2.1", true),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.1", false),
            ("::/0", "::ffff:192.0.2.1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8::1", "2001:db8::1", true),
            ("2001:db8::1/128", "2001:db8::2", false),
        ] {
            let parsed = Network::parse(network).unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), is_inside, "{network} {address}");
        }
    }

    #[test]
    fn networks_of_all_lengths_contain_no_address_of_the_other_kind() {
        let networks = |address: &str, bits: u8| -> Vec<Network> {
            let address = Bits::of(address.parse().unwrap());
            (0..=bits).map(|prefix| Network { address, prefix }.without_host_bits()).collect()
        };
        let (four, six) = (networks("203.0.113.5", 32), networks("2001:db8::5", 128));
        for (network, other) in four.iter().flat_map(|four| six.iter().map(move |six| (four, six)))
        {
            assert!(network.ends().iter().all(|end| network.contains(*end)), "{network}");
            assert!(other.ends().iter().all(|end| other.contains(*end)), "{other}");
            assert!(!network.contains(other.address()), "{network} {other}");
            assert!(!other.contains(network.address()), "{other} {network}");
            assert!(!network.covers(other) && !other.covers(network), "{network} {other}");
        }
    }

    #[test]
    fn a_wide_network_covers_narrow_ones() {
        for (wide, narrow, covers) in [
            ("10.0.0.0/8", "10.1.0.0/16", true),
            ("10.1.0.0/16", "10.0.0.0/8", false),
            ("10.0.0.0/8", "10.0.0.0/8", true),
            ("0.0.0.0/0", "10.0.0.1", true),
            ("::/0", "10.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.0/112", true),
        ] {
            let [wide, narrow] = [wide, narrow].map(|text| Network::parse(text).unwrap());
            assert_eq!(wide.covers(&narrow), covers, "{wide} {narrow}");
        }
    }
}
