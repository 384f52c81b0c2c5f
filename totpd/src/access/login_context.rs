//! What a PAM module says about the login, and what of it is believed.

use totpd_core::factor::LoginNonce;
use totpd_core::source::{Origin, Source, is_serial_line};
use totpd_interface::{Dictionary, Error};
use zbus::OwnedVariant;

/// The context of `Begin` and `Verify`.
#[derive(Debug, Default)]
pub struct Context {
    /// The PAM service.
    pub service: Option<String>,
    /// The remote end: an address, or a name that says nothing.
    pub rhost: Option<String>,
    /// The terminal.
    pub tty: Option<String>,
    /// The user who asks, where that is another than the one asked for.
    pub ruser: Option<String>,
    /// Whom the login is for, at its end. A program may have put in the user that it becomes (sudo).
    pub user: Option<String>,
    /// The only factor that counts.
    pub factor: Option<String>,
    /// What the module drew for this authentication, where a user may make a factor at it.
    pub nonce: Option<LoginNonce>,
    /// Whether the administrator lets a user in who has no factor (module option `nullok`).
    pub nullok: bool,
    /// Whether a user without a factor shall make one at this login (module option `enroll`).
    pub enroll: bool,
    /// Whether the program wants nothing shown but prompts (module option `quiet`).
    pub quiet: bool,
    /// Whether the prompt names the factors (module option `show_names`).
    pub show_names: bool,
    /// The words of the prompt (module option `prompt=`).
    pub prompt: Option<String>,
}

impl Context {
    /// Reads the keys that are known, and ignores all others.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a known key has a value of a wrong type.
    pub fn parse(dictionary: &Dictionary) -> Result<Self, Error> {
        let text = |key: &str| {
            let value = dictionary.get(key).map(|value| text(key, value)).transpose()?;
            Ok::<_, Error>(value.filter(|text| !text.is_empty()))
        };
        let flag = |key: &str| match dictionary.get(key).map(|value| value.downcast_ref::<bool>()) {
            None => Ok(false),
            Some(given) => given.map_err(|_| wrong_type(key, "a boolean")),
        };
        Ok(Self {
            service: text("service")?,
            rhost: text("rhost")?,
            tty: text("tty")?,
            ruser: text("ruser")?,
            user: text("user")?,
            factor: text("factor")?,
            nonce: text("nonce")?.map(|text| nonce(&text)).transpose()?,
            nullok: flag("nullok")?,
            enroll: flag("enroll")?,
            quiet: flag("quiet")?,
            show_names: flag("show_names")?,
            prompt: text("prompt")?,
        })
    }

    /// What is left of it where the caller is not root: nothing that says where it comes from.
    #[must_use]
    pub fn of_an_ordinary_caller(self) -> Self {
        let nobody = Self::default();
        Self { factor: self.factor, nullok: self.nullok, prompt: self.prompt, ..nobody }
    }

    /// Whether the program behind it shows a prompt of many lines as it is: one at a terminal, or ssh.
    #[must_use]
    pub fn is_at_a_terminal(&self) -> bool {
        let tty = self.tty.as_deref().unwrap_or_default();
        let name = tty.strip_prefix("/dev/").unwrap_or(tty);
        name == "ssh" || name.starts_with("tty") || name.starts_with("pts/") || is_serial_line(name)
    }

    /// Where the attempt comes from. `caller` is the uid that the bus vouches for; of anybody but
    /// root nothing else is believed.
    #[must_use]
    pub fn source(&self, caller: u32) -> Source {
        let origin = Origin {
            service: self.service.as_deref(),
            rhost: self.rhost.as_deref(),
            ruser: self.ruser.as_deref(),
            tty: self.tty.as_deref(),
        };
        Source::locate(caller, &origin)
    }
}

fn text(key: &str, value: &OwnedVariant) -> Result<String, Error> {
    value
        .downcast_ref::<&str>()
        .map(|text| text.chars().take(LONGEST).collect())
        .map_err(|_| wrong_type(key, "a string"))
}

fn nonce(text: &str) -> Result<LoginNonce, Error> {
    LoginNonce::parse(text).ok_or_else(|| wrong_type("nonce", "32 hexadecimal digits"))
}

fn wrong_type(key: &str, wanted: &str) -> Error {
    Error::InvalidArgument(format!("{key} must be {wanted}"))
}

/// Characters of a value that are kept: it goes into the journal and into records.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use zbus::Variant;

    use super::*;

    fn dictionary(entries: &[(&str, &str)]) -> Dictionary {
        let owned = |text: &str| Variant::from(text.to_owned()).try_into_owned().unwrap();
        entries.iter().map(|(key, value)| ((*key).to_owned(), owned(value))).collect()
    }

    #[test]
    fn root_says_where_a_login_comes_from_and_others_are_their_uid() {
        let terminal = Source::Terminal { terminal: "seat0".into(), service: "login".into() };
        for (entries, expected) in [
            (&[("rhost", "192.0.2.1")][..], Source::Address([192, 0, 2, 1].into())),
            (&[("rhost", ""), ("ruser", "bob")], Source::Local("bob".into())),
            (&[("service", "login"), ("tty", "/dev/tty1")], terminal),
            (&[], Source::Nowhere),
        ] {
            let context = Context::parse(&dictionary(entries)).unwrap();
            assert_eq!(context.source(0), expected, "{entries:?}");
            assert_eq!(context.source(1000), Source::Uid(1000), "{entries:?}");
        }
    }

    #[test]
    fn only_terminals_and_ssh_show_many_lines() {
        for (tty, shows) in [
            ("ssh", true),
            ("/dev/pts/3", true),
            ("pts/3", true),
            ("tty1", true),
            ("/dev/ttyS0", true),
            ("console", true),
            ("/dev/hvc0", true),
            ("sclp_line0", true),
            ("xvc0", true),
            ("ttysclp0", true),
            (":0", false),
            ("ftp", false),
            ("dovecot", false),
            ("", false),
        ] {
            let context = Context::parse(&dictionary(&[("tty", tty)])).unwrap();
            assert_eq!(context.is_at_a_terminal(), shows, "{tty}");
        }
    }

    #[test]
    fn unknown_keys_are_ignored() {
        let context = dictionary(&[("service", "sshd"), ("color", "red")]);
        assert_eq!(Context::parse(&context).unwrap().service.as_deref(), Some("sshd"));
    }

    #[test]
    fn a_value_of_a_wrong_type_is_refused_and_a_long_one_cut() {
        let number = Variant::from(7_u32).try_into_owned().unwrap();
        for key in
            ["service", "rhost", "tty", "ruser", "factor", "nonce", "nullok", "enroll", "prompt"]
        {
            let wrong = [(key.to_owned(), number.try_clone().unwrap())].into();
            assert!(matches!(Context::parse(&wrong), Err(Error::InvalidArgument(_))), "{key}");
        }
        let long = Context::parse(&dictionary(&[("tty", &"é".repeat(5000))])).unwrap();
        assert_eq!(long.tty.unwrap().chars().count(), LONGEST);
    }
}
