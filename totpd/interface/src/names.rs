//! The names on the bus, and the two addresses of the daemon.

/// The well-known name that activates the daemon.
pub const SERVICE: &str = "org.totpd.Totp1";
/// The one object that the daemon serves.
pub const PATH: &str = "/org/totpd/Totp1";
/// The interface that the daemon serves to PAM modules, on the bus and on the private socket.
pub const LOGIN: &str = "org.totpd.Totp1.Login";
/// The interface that the daemon serves to totpctl and other front ends, on both ways too.
pub const MANAGER: &str = "org.totpd.Totp1.Manager";
/// The interface that the daemon serves to root on the private socket alone. Descriptors pass
/// there.
pub const STORE: &str = "org.totpd.Totp1.Store";
/// The names of errors of the daemon start with this.
pub const ERROR_PREFIX: &str = "org.totpd.Totp1.Error.";
/// The first words of a refusal, if polkit would ask the caller for a password and cannot.
pub const AUTHENTICATION_NEEDED: &str = "authentication is needed";
/// The only bus that clients and the daemon use. It is a constant because the caller of a setuid
/// program controls every environment variable. `DBUS_SYSTEM_BUS_ADDRESS` is one of them.
pub const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";
/// The socket of that bus.
pub const SYSTEM_BUS_SOCKET: &str = "/run/dbus/system_bus_socket";

/// The socket on which the daemon serves root without a bus: D-Bus peer to peer, mode 0600.
pub const PRIVATE_SOCKET: &str = "/run/totpd/private";
