//! The programs that make somebody a user or root, besides sshd and sudo.

use crate::pam::files::path_of;
use crate::program;

/// A way in that doctor looks for.
pub(crate) struct KnownDoor {
    /// What a person calls it.
    pub(crate) name: &'static str,
    /// Its PAM service; empty if it uses none.
    pub(crate) service: &'static str,
    /// The programs that open it. With none, it exists if its service has a file.
    pub(crate) programs: &'static [&'static str],
    /// What decides.
    pub(crate) kind: Kind,
}

/// What decides whether a way in asks for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
pub(crate) const KNOWN: &[KnownDoor] = &[
    stack("su", "su", &["su"]),
    stack("su -", "su-l", &["su"]),
    stack("doas", "doas", &["doas"]),
    // A ticket of Kerberos is enough, and sudo asks for more.
    never("ksu", "", &["ksu"]),
    stack(POLKIT, "polkit-1", &["pkttyagent", "pkexec"]),
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

/// Its name is that of the programs that this host has ([`programs_of_polkit`]).
pub(crate) const POLKIT: &str = "polkit";

/// Returns the programs that make somebody root by polkit, as a phrase. `has` reports whether one
/// is installed. All but pkexec ask systemd.
pub(crate) fn programs_of_polkit(has_systemd: bool, has: &dyn Fn(&str) -> bool) -> String {
    let pkexec = has("pkexec").then_some("pkexec");
    // run0 is another name of systemd-run.
    let of_systemd = ["run0", "systemd-run"].into_iter().find(|name| has_systemd && has(name));
    match pkexec.into_iter().chain(of_systemd).collect::<Vec<_>>().as_slice() {
        [] => POLKIT.to_owned(),
        programs => programs.join(" and "),
    }
}

/// Reports whether the program of a service never authenticates anybody, whatever its stack says.
pub(crate) fn never_asks(service: &str) -> bool {
    let mut doors = KNOWN.iter().filter(|door| !door.service.is_empty());
    doors.any(|door| door.service == service && door.kind == Kind::NeverAsks)
}

/// Reports whether the program of a service has a single prompt.
pub(crate) fn has_one_prompt(service: &str) -> bool {
    KNOWN.iter().any(|door| door.service == service && door.kind == Kind::OnePrompt)
}

/// Returns the services of installed programs that have no file of their own.
pub(crate) fn services_without_file() -> Vec<String> {
    let known = KNOWN.iter().filter(|known| !known.service.is_empty());
    let installed =
        known.filter(|known| known.programs.iter().any(|name| program::path(name).is_some()));
    let missing = installed.filter(|known| path_of(known.service).is_none());
    let mut names: Vec<_> = missing
        .filter(|known| known.kind != Kind::NeverAsks)
        .map(|known| known.service.to_owned())
        .collect();
    names.dedup();
    names
}

/// The services of those that make somebody root.
pub(crate) const TO_ROOT: [&str; 4] = ["polkit-1", "su", "su-l", "doas"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::pam::families::FAMILIES;

    #[test]
    fn the_door_of_polkit_is_named_by_its_programs() {
        for (has_systemd, programs, expected) in [
            (true, &["pkexec", "run0", "systemd-run"][..], "pkexec and run0"),
            (true, &["pkexec", "systemd-run"], "pkexec and systemd-run"),
            (true, &["run0", "systemd-run"], "run0"),
            (false, &["pkexec", "run0", "systemd-run"], "pkexec"),
            (false, &[], "polkit"),
        ] {
            let has = |name: &str| programs.contains(&name);
            assert_eq!(programs_of_polkit(has_systemd, &has), expected);
        }
    }

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
