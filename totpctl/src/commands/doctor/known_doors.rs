//! The programs that make somebody a user or root, besides sshd and sudo.

/// A way in that doctor looks for.
pub(super) struct KnownDoor {
    /// What a person calls it.
    pub(super) name: &'static str,
    /// Its PAM service; empty if it uses none.
    pub(super) service: &'static str,
    /// The programs that open it. With none, it exists if its service has a file.
    pub(super) programs: &'static [&'static str],
    /// What decides.
    pub(super) kind: Kind,
}

/// What decides whether a way in asks for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its program never authenticates anybody.
    NeverAsks,
    /// The `auth` stack of its service, in a program with a single prompt.
    OnePrompt,
    /// The `auth` stack of its service.
    Stack,
}

const fn stack(
    name: &'static str,
    service: &'static str,
    programs: &'static [&'static str],
) -> KnownDoor {
    KnownDoor { name, service, programs, kind: Kind::Stack }
}

const fn one_prompt(name: &'static str, service: &'static str) -> KnownDoor {
    KnownDoor { name, service, programs: &[], kind: Kind::OnePrompt }
}

const fn never(
    name: &'static str,
    service: &'static str,
    programs: &'static [&'static str],
) -> KnownDoor {
    KnownDoor { name, service, programs, kind: Kind::NeverAsks }
}

/// All of them.
pub(super) const KNOWN: &[KnownDoor] = &[
    stack("su", "su", &["su"]),
    stack("su -", "su-l", &["su"]),
    stack("doas", "doas", &["doas"]),
    // A ticket of Kerberos is enough, and sudo asks for more.
    never("ksu", "", &["ksu"]),
    stack("pkexec and run0", "polkit-1", &["pkttyagent", "pkexec"]),
    stack("machinectl shell", "polkit-1", &["machinectl"]),
    stack("login", "login", &["login"]),
    stack("machinectl login", "login", &["machinectl"]),
    stack("remote login", "remote", &[]),
    stack("rlogin", "rlogin", &[]),
    never("rsh", "rsh", &[]),
    // A key is enough, also where it is built with PAM.
    never("Dropbear", "", &["dropbear"]),
    never("rescue mode", "", &["sulogin"]),
    stack("Cockpit", "cockpit", &[]),
    // Greeters.
    stack("GDM, password", "gdm-password", &[]),
    stack("GDM, fingerprint", "gdm-fingerprint", &[]),
    stack("GDM, smart card", "gdm-smartcard", &[]),
    stack("GDM, smart card", "gdm-smartcard-pkcs11-exclusive", &[]),
    stack("GDM, smart card", "gdm-smartcard-sssd-exclusive", &[]),
    stack("GDM, smart card or password", "gdm-smartcard-sssd-or-password", &[]),
    stack("GDM, PIN", "gdm-pin", &[]),
    stack("GDM, switchable", "gdm-switchable-auth", &[]),
    stack("LightDM", "lightdm", &[]),
    stack("SDDM", "sddm", &[]),
    stack("LXDM", "lxdm", &[]),
    stack("XDM", "xdm", &[]),
    stack("WDM", "wdm", &[]),
    stack("SLiM", "slim", &[]),
    stack("ly", "ly", &[]),
    stack("greetd", "greetd", &[]),
    stack("COSMIC greeter", "cosmic-greeter", &[]),
    stack("Plasma login", "plasmalogin", &[]),
    one_prompt("xrdp", "xrdp-sesman"),
    // Screen lockers: ways into a session.
    stack("screen lock of KDE", "kde", &[]),
    stack("screen lock of KDE, fingerprint", "kde-fingerprint", &[]),
    stack("screen lock of KDE, smart card", "kde-smartcard", &[]),
    stack("screen lock of Cinnamon", "cinnamon-screensaver", &[]),
    stack("screen lock of MATE", "mate-screensaver", &[]),
    stack("screen lock of Xfce", "xfce4-screensaver", &[]),
    stack("XScreenSaver", "xscreensaver", &["xscreensaver"]),
    stack("vlock", "vlock", &["vlock"]),
    stack("physlock", "physlock", &[]),
    one_prompt("hyprlock", "hyprlock"),
    one_prompt("i3lock", "i3lock"),
    one_prompt("swaylock", "swaylock"),
    // Servers that ask PAM for a password.
    one_prompt("vsftpd", "vsftpd"),
    one_prompt("ProFTPD", "proftpd"),
    one_prompt("Pure-FTPd", "pure-ftpd"),
    one_prompt("Dovecot", "dovecot"),
    one_prompt("IMAP (saslauthd)", "imap"),
    one_prompt("POP (saslauthd)", "pop"),
    one_prompt("SMTP (saslauthd)", "smtp"),
    one_prompt("VMware guest operations", "vmtoolsd"),
    one_prompt("Webmin", "webmin"),
    // They run what a user, or who wrote as the user, left there.
    never("cron", "cron", &["cron"]),
    never("cron", "crond", &["crond"]),
    never("at", "atd", &["atd"]),
    // Who may use their sockets is root.
    never("Docker (group docker)", "", &["dockerd"]),
    never("LXD (group lxd)", "", &["lxd"]),
    never("Incus (group incus-admin)", "", &["incusd"]),
];

/// Reports whether the program of a service never authenticates anybody, whatever its stack says.
pub(super) fn never_asks(service: &str) -> bool {
    let mut doors = KNOWN.iter().filter(|door| !door.service.is_empty());
    doors.any(|door| door.service == service && door.kind == Kind::NeverAsks)
}

/// Reports whether the program of a service has a single prompt.
pub(in crate::commands) fn has_one_prompt(service: &str) -> bool {
    KNOWN.iter().any(|door| door.service == service && door.kind == Kind::OnePrompt)
}

/// The services of those that make somebody root.
pub(super) const TO_ROOT: [&str; 4] = ["polkit-1", "su", "su-l", "doas"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::pam::families::FAMILIES;

    #[test]
    fn each_door_is_listed_once() {
        let names: BTreeSet<_> = KNOWN.iter().map(|door| (door.name, door.service)).collect();
        assert_eq!(names.len(), KNOWN.len());
        let services: BTreeSet<_> = KNOWN.iter().map(|door| door.service).collect();
        for service in FAMILIES.iter().copied().flatten().filter(|name| !name.starts_with("sudo")) {
            assert!(services.contains(service), "{service}");
        }
        assert!(TO_ROOT.iter().all(|service| services.contains(service)));
    }
}
