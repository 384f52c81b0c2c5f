//! The reply to `Introspect`: the contract as D-Bus describes it.

use totpd_interface::PATH;

/// Returns the description of the object at `path`, or `None` if there is none. The object is the
/// daemon's own, or one on the way to it. `Store` is on the private socket alone.
pub(crate) fn introspect(path: &str, is_private: bool) -> Option<String> {
    let inside = if path == PATH {
        let store = if is_private { include_str!("store.xml") } else { "" };
        let (login, manager) = (include_str!("login.xml"), include_str!("manager.xml"));
        format!("{login}{manager}{store}{}", include_str!("bus.xml"))
    } else {
        let folder = if path == "/" { "" } else { path };
        let below = PATH.strip_prefix(folder)?.strip_prefix('/')?;
        let child = below.split('/').next()?;
        format!("  <node name=\"{child}\"/>\n")
    };
    Some(format!("{DOCTYPE}<node>\n{inside}</node>\n"))
}

const DOCTYPE: &str = "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n \
                       \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_above_the_object_is_described() {
        for (path, child) in [("/", "org"), ("/org", "totpd"), ("/org/totpd", "Totp1")] {
            assert!(
                introspect(path, false).unwrap().contains(&format!("<node name=\"{child}\"/>"))
            );
        }
        for path in ["/org/tot", "/other", "/org/totpd/Totp1/x"] {
            assert_eq!(introspect(path, false), None, "{path}");
        }
    }

    #[test]
    fn the_store_is_described_on_the_private_socket_alone() {
        assert!(!introspect(PATH, false).unwrap().contains("Totp1.Store"));
        assert!(introspect(PATH, true).unwrap().contains("Totp1.Store"));
    }
}
