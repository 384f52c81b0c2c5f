//! The configuration that is in effect for a connection, as `sshd -T` prints it.

use super::access::Access;
use super::method::Method;
use crate::host::sshd::connections::places::Listening;

/// A configuration of sshd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effective {
    enabled: Vec<Method>,
    /// The lists of `AuthenticationMethods`; none if any method is enough.
    pub(crate) lists: Option<Vec<String>>,
    pub(crate) pam: Pam,
    pub(crate) root: RootLogin,
    /// `KerberosAuthentication`: the method password asks a KDC before PAM.
    pub(crate) kerberos: bool,
    /// `PermitEmptyPasswords`.
    pub(crate) empty_passwords: bool,
    /// False if no key can open it: it reads no file of keys, asks no program, and trusts no CA.
    pub(crate) accepts_keys: bool,
    pub(crate) access: Access,
    /// Why sshd drops each connection of this class, if it cannot read its lines.
    pub(crate) fault: Option<String>,
    /// `RefuseConnection` of OpenSSH 9.9 and later.
    pub(crate) refuses: bool,
    /// True if users without a shell can transfer files (`internal-sftp`).
    pub(crate) sftp_without_shell: bool,
    /// The keyword that turns on keyboard-interactive in this version.
    pub(crate) ask_keyword: &'static str,
    /// Where it listens.
    pub(crate) listening: Listening,
    /// The file with the number of its process, if it writes one.
    pub(crate) pid_file: Option<String>,
    /// The files of its keys.
    pub(crate) host_keys: Vec<String>,
}

/// The use of PAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pam {
    /// The PAM service that sshd uses.
    Service(String),
    /// `UsePAM no`.
    Off,
    /// This sshd is built without PAM.
    Missing,
}

impl Pam {
    /// Returns the PAM service that sshd uses, or would use with `UsePAM yes`.
    pub(crate) fn service(&self) -> &str {
        match self {
            Self::Service(name) => name,
            Self::Off | Self::Missing => USUAL_SERVICE,
        }
    }
}

/// The service that sshd uses if its configuration names none.
pub(crate) const USUAL_SERVICE: &str = "sshd";

/// `PermitRootLogin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RootLogin {
    Yes,
    /// `prohibit-password`, or `without-password` as it is also called.
    ProhibitPassword,
    ForcedCommandsOnly,
    No,
}

impl RootLogin {
    /// Returns the value, as the manual spells it.
    pub(crate) fn value(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::ProhibitPassword => "prohibit-password",
            Self::ForcedCommandsOnly => "forced-commands-only",
            Self::No => "no",
        }
    }
}

impl Effective {
    /// Reads the output of `sshd -T`. What it does not name is off: this sshd is built without it.
    pub(crate) fn parse(text: &str) -> Self {
        let values = |key: &'static str| {
            text.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix(' '))
        };
        let value = |key| values(key).next().map(str::trim);
        let is = |key, word: &str| value(key) == Some(word);
        let words = |key| values(key).flat_map(str::split_whitespace).map(Into::into).collect();
        let has_method = |method: Method| match method {
            Method::PublicKey => is("pubkeyauthentication", "yes"),
            // sshd turns both on with one keyword; the key exchange has another.
            Method::GssapiKeyex | Method::GssapiWithMic => is("gssapiauthentication", "yes"),
            Method::Hostbased => is("hostbasedauthentication", "yes"),
            Method::KeyboardInteractive => is("kbdinteractiveauthentication", "yes"),
            Method::Password => is("passwordauthentication", "yes"),
            // sshd always turns it on; PermitEmptyPasswords says what comes of it.
            Method::EmptyPassword => true,
        };
        let mut enabled: Vec<_> =
            Method::ALL.into_iter().filter(|method| has_method(*method)).collect();
        if !is("gssapikeyexchange", "yes") {
            enabled.retain(|method| *method != Method::GssapiKeyex);
        }
        let lists: Vec<String> = words("authenticationmethods");
        let any = lists.is_empty() || lists == ["any"];
        let service = value("pamservicename").unwrap_or(USUAL_SERVICE);
        Self {
            enabled,
            lists: (!any).then_some(lists),
            pam: match value("usepam") {
                // libpam reads the name in lower case.
                Some("yes") => Pam::Service(service.to_ascii_lowercase()),
                Some(_) => Pam::Off,
                None => Pam::Missing,
            },
            root: match value("permitrootlogin") {
                Some("yes") => RootLogin::Yes,
                Some("no") => RootLogin::No,
                Some("forced-commands-only") => RootLogin::ForcedCommandsOnly,
                _ => RootLogin::ProhibitPassword,
            },
            kerberos: is("kerberosauthentication", "yes"),
            empty_passwords: is("permitemptypasswords", "yes"),
            accepts_keys: !is("authorizedkeysfile", "none")
                || ["authorizedkeyscommand", "trustedusercakeys"]
                    .into_iter()
                    .any(|key| value(key).is_some_and(|value| value != "none")),
            access: Access {
                allow_users: words("allowusers"),
                deny_users: words("denyusers"),
                allow_groups: words("allowgroups"),
                deny_groups: words("denygroups"),
            },
            fault: None,
            refuses: is("refuseconnection", "yes"),
            sftp_without_shell: ["forcecommand", "subsystem sftp"].into_iter().any(|key| {
                value(key).is_some_and(|command| command.split(' ').next() == Some("internal-sftp"))
            }),
            // OpenSSH before 8.7 lists this keyword, which turns on keyboard-interactive.
            ask_keyword: match value("challengeresponseauthentication") {
                Some(_) => "ChallengeResponseAuthentication",
                None => Method::KeyboardInteractive.keyword(),
            },
            listening: parse_listening(text),
            pid_file: value("pidfile").filter(|file| *file != "none").map(ToOwned::to_owned),
            host_keys: values("hostkey").map(|file| file.trim().to_owned()).collect(),
        }
    }

    /// Returns that of connections for which sshd cannot read its lines. Nothing else is known.
    pub(crate) fn faulty(reason: String) -> Self {
        Self { fault: Some(reason), ..Self::parse("") }
    }

    /// Reports whether a method is turned on.
    pub(crate) fn is_enabled(&self, method: Method) -> bool {
        self.enabled.contains(&method)
    }

    /// Reports whether sshd tries an empty password in PAM before any other method: each client
    /// asks for the method `none` first. After that refusal `pam_setcred` fails, and sshd drops a
    /// login by keyboard-interactive.
    pub(crate) fn tries_empty_password_first(&self) -> bool {
        let can_try = self.empty_passwords && self.is_enabled(Method::Password);
        can_try && self.lists.is_none() && matches!(self.pam, Pam::Service(_))
    }

    /// Returns the keyword that turns a method on in this version.
    pub(crate) fn keyword(&self, method: Method) -> &'static str {
        match method {
            Method::KeyboardInteractive => self.ask_keyword,
            other => other.keyword(),
        }
    }

    /// Returns the first method of a list that is turned off. sshd skips such a list.
    pub(crate) fn disabled_method(&self, list: &str) -> Option<Method> {
        let methods = list.split(',').filter_map(Method::parse);
        methods.into_iter().find(|method| !self.is_enabled(*method))
    }
}

/// Reads the lines `port PORT` and `listenaddress ADDRESS:PORT`.
fn parse_listening(text: &str) -> Listening {
    let (mut ports, mut addresses) = (Vec::new(), Vec::new());
    let add = |list: &mut Vec<String>, value: &str| {
        if !list.iter().any(|other| other == value) {
            list.push(value.to_owned());
        }
    };
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("port"), Some(port)) => add(&mut ports, port),
            (Some("listenaddress"), Some(value)) => {
                let Some((address, port)) = value.rsplit_once(':') else { continue };
                add(&mut ports, port);
                let address = address.trim_matches(['[', ']']);
                if !["0.0.0.0", "::"].contains(&address) {
                    add(&mut addresses, address);
                }
            }
            _ => {}
        }
    }
    if ports.is_empty() {
        ports.push("22".to_owned());
    }
    Listening { ports, addresses }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_several_versions_is_read() {
        // OpenSSH 8.4 of Debian 11, in part.
        let old = Effective::parse(
            "port 2222\nport 22\nlistenaddress [::]:2222\nlistenaddress 10.0.0.1:24\nusepam yes\npermitrootlogin without-password\npubkeyauthentication yes\n\
             gssapiauthentication yes\ngssapikeyexchange no\npasswordauthentication yes\n\
             kbdinteractiveauthentication no\nchallengeresponseauthentication no\nallowusers alice\n\
             allowusers bob@10.0.0.0/8\nsubsystem sftp /usr/lib/openssh/sftp-server\n\
             authenticationmethods any\nforcecommand none\npidfile /run/sshd.pid\n\
             hostkeyagent none\nhostkey /etc/ssh/a\nhostkey /etc/ssh/b\n",
        );
        assert_eq!(old.ask_keyword, "ChallengeResponseAuthentication");
        assert_eq!(old.root, RootLogin::ProhibitPassword);
        assert_eq!(old.listening.ports, ["2222", "22", "24"]);
        assert_eq!(
            (&old.listening.addresses[..], &old.lists),
            (&["10.0.0.1".to_owned()][..], &None)
        );
        assert_eq!((old.pid_file.as_deref(), old.host_keys.len()), (Some("/run/sshd.pid"), 2));
        assert_eq!(old.access.allow_users, ["alice", "bob@10.0.0.0/8"]);
        assert!(old.is_enabled(Method::GssapiWithMic) && !old.is_enabled(Method::GssapiKeyex));
        assert!(!old.is_enabled(Method::KeyboardInteractive) && !old.sftp_without_shell);
        // OpenSSH 10.0, in part, with a keyword that is not known yet.
        let new = Effective::parse(
            "usepam yes\npamservicename SSH-in\nkbdinteractiveauthentication yes\n\
             pubkeyauthentication yes\nauthenticationmethods publickey,keyboard-interactive:pam hostbased\n\
             pidfile none\nforcecommand internal-sftp -d /in\nbrandnewoption 7\npermitrootlogin no\n",
        );
        assert_eq!(new.pam, Pam::Service("ssh-in".into()));
        assert_eq!(new.lists.as_ref().map(Vec::len), Some(2));
        assert_eq!(new.disabled_method("publickey,keyboard-interactive:pam"), None);
        assert_eq!(new.disabled_method("hostbased"), Some(Method::Hostbased));
        assert!(new.sftp_without_shell && new.root == RootLogin::No);
        assert_eq!((&new.pid_file, new.host_keys.len()), (&None, 0));
        assert_eq!(new.ask_keyword, "KbdInteractiveAuthentication");
        assert_eq!(Effective::parse("usepam no\n").pam, Pam::Off);
        assert!(!new.refuses && Effective::parse("refuseconnection yes\n").refuses);
        for (text, expected) in [
            ("authorizedkeysfile .ssh/authorized_keys\n", true),
            (
                "authorizedkeysfile none\nauthorizedkeyscommand none\ntrustedusercakeys none\n",
                false,
            ),
            ("authorizedkeysfile none\nauthorizedkeyscommand /bin/keys\n", true),
            ("authorizedkeysfile none\ntrustedusercakeys /etc/ssh/ca\n", true),
        ] {
            assert_eq!(Effective::parse(text).accepts_keys, expected, "{text}");
        }
        assert_eq!(Effective::parse("permitrootlogin yes\n").pam, Pam::Missing);
    }
}
