//! Which logins have a source that may be remembered.

use core::net::IpAddr;

use crate::policy::Place;
use crate::remembered::Bond;

/// Returns the bond of a login at `place`, as root's program says it. There is none without an
/// address that is one host's, or without a service.
///
/// The user or terminal of this machine is no source here: whatever runs as that user would pass. A
/// link-local address may be another host on each interface.
#[must_use]
pub fn bond(place: Place, service: Option<&str>) -> Option<Bond> {
    let service = service.filter(|service| !service.is_empty())?;
    let Place::Address(address) = place else { return None };
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    (!is_link_local).then(|| Bond { address, service: service.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Fit;
    use crate::source::Origin;

    fn found(rhost: Option<&str>, service: Option<&str>) -> Option<Bond> {
        let origin = Origin { rhost, ruser: Some("alice"), tty: Some("tty1"), service };
        bond(Place::locate(&origin, Fit::Yes), service)
    }

    #[test]
    fn only_an_address_of_one_host_is_a_source() {
        for (rhost, address) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("2001:DB8:0::1", Some("2001:db8::1")),
            ("127.0.0.1", None),
            ("127.9.9.9", None),
            ("::1", None),
            ("::", None),
            ("0.0.0.0", None),
            ("::ffff:127.0.0.1", None),
            ("fe80::1%eth0", None),
            ("169.254.1.1", None),
            ("localhost", None),
            ("office.example.org", None),
            ("10.0.0.1.example.org", None),
            ("UNKNOWN", None),
            ("192.0.2.1 ", None),
            ("", None),
        ] {
            let bond = found(Some(rhost), Some("sshd"));
            let expected = address.map(|address| address.parse().unwrap());
            assert_eq!(bond.map(|bond| bond.address), expected, "{rhost:?}");
        }
        assert_eq!(found(None, Some("sudo")), None, "a user or terminal of this machine");
        assert_eq!(found(Some("192.0.2.1"), None), None);
        assert_eq!(found(Some("192.0.2.1"), Some("")), None);
    }

    #[test]
    fn each_spelling_of_a_service_is_another_one_and_each_address_too() {
        let of = |rhost, service| found(Some(rhost), Some(service)).unwrap();
        let one = of("192.0.2.1", "sshd");
        assert_eq!(one, of("::ffff:192.0.2.1", "sshd"));
        for other in [of("192.0.2.1", "sshd2"), of("192.0.2.1", "SSHD"), of("192.0.2.2", "sshd")] {
            assert_ne!(one, other);
        }
        assert_ne!(of("192.0.2.1", "sudo"), of("192.0.2.1", "sudo-i"));
        assert_ne!(of("2001:db8::1", "sshd"), of("2001:db8::2", "sshd"), "of one /64");
    }
}
