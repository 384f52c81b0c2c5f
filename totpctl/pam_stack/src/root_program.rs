//! Programs that run as root for every user.
//!
//! `pam_rootok` looks at the user of the program. In `su` that is the caller, and in these programs
//! it is root for everybody, so `pam_rootok` accepts everybody.

/// Reports whether the program of a service runs as root while it authenticates.
pub(crate) fn runs_as_root(service: &str) -> bool {
    service.starts_with("gdm-") || SERVICES.contains(&service)
}

/// The service names of servers, of `login` and of greeters. Screen lockers and programs such as
/// `su`, `sudo` and polkit's helper run as their callers.
const SERVICES: [&str; 27] = [
    "cockpit",
    "cosmic-greeter",
    "dovecot",
    "greetd",
    "imap",
    "lightdm",
    "login",
    "lxdm",
    "ly",
    "plasmalogin",
    "pop",
    "proftpd",
    "pure-ftpd",
    "remote",
    "rexec",
    "rlogin",
    "rsh",
    "sddm",
    "slim",
    "smtp",
    "sshd",
    "vmtoolsd",
    "vsftpd",
    "wdm",
    "webmin",
    "xdm",
    "xrdp-sesman",
];

#[cfg(test)]
mod tests {
    use crate::parse::Kind;
    use crate::stack::Stack;
    use crate::{Bypass, analyze};

    #[test]
    fn pam_rootok_accepts_everybody_in_a_program_of_root() {
        let text =
            "auth sufficient pam_rootok.so\nauth required pam_unix.so\nauth required pam_totp.so\n";
        for (service, is_open) in
            [("login", true), ("gdm-password", true), ("su", false), ("sudo", false)]
        {
            // libpam takes the lines of another file, but the program is the same.
            for file in [service, "other"] {
                let read = |name: &str| (name == file).then(|| text.to_owned());
                let Stack::Rules(rules) = Stack::parse(service, Kind::Auth, &read) else {
                    panic!()
                };
                let found = analyze(&rules, &|_| true);
                let modules = found.bypasses.iter().map(|bypass| match bypass {
                    Bypass::NotAsked { module, .. } => module.as_str(),
                    Bypass::Overruled { .. } => "",
                });
                let expected = if is_open { vec!["pam_rootok"] } else { Vec::new() };
                assert_eq!(modules.collect::<Vec<_>>(), expected, "{service} {file}");
                assert_eq!(found.skips_root.is_some(), !is_open, "{service} {file}");
            }
        }
    }
}
