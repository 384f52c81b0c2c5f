//! The trusted part of the context of a login, and the source of the login.

use totpd_core::source::{Origin, Source, is_serial_line, strip_dev};
use totpd_interface::Error;
use totpd_interface::dictionary::DictReader;
use totpd_interface::login::LoginContext;

use crate::access::caller::Caller;

/// Reads a context, as far as the daemon trusts `caller`. The daemon trusts root in everything.
///
/// # Errors
/// [`Error::InvalidArgument`] if a known key has a value of a wrong type.
pub(crate) fn trusted_context(
    dictionary: &impl DictReader,
    caller: Caller,
) -> Result<LoginContext, Error> {
    let context = LoginContext::parse(dictionary)?;
    Ok(if caller.is_root() { context } else { remove_claims(context) })
}

/// Returns the trusted part of a context from a caller that is not root. It has nothing about the
/// source of the login.
fn remove_claims(context: LoginContext) -> LoginContext {
    let nothing = LoginContext::default();
    let LoginContext { factor, nullok, prompt, .. } = context;
    LoginContext { factor, nullok, prompt, ..nothing }
}

/// Reports whether the program behind `context` shows a prompt of many lines unchanged. That is a
/// program at a terminal, or ssh.
pub(crate) fn is_at_terminal(context: &LoginContext) -> bool {
    let tty = context.tty.as_deref().unwrap_or_default();
    let name = strip_dev(tty);
    name == "ssh" || name.starts_with("tty") || name.starts_with("pts/") || is_serial_line(name)
}

/// Returns the source of the login. `caller` is the uid that the bus or the kernel vouches for. If
/// it is not root, the daemon trusts nothing else.
#[must_use]
pub fn login_source(context: &LoginContext, caller: u32) -> Source {
    Source::locate(caller, &origin(context))
}

/// Returns the origin of the login, as `context` says it.
pub(crate) fn origin(context: &LoginContext) -> Origin<'_> {
    Origin {
        service: context.service.as_deref(),
        rhost: context.rhost.as_deref(),
        ruser: context.ruser.as_deref(),
        tty: context.tty.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use totpd_interface::{DictBuilder, Dictionary};

    use super::*;

    fn context(entries: &[(&str, &str)]) -> LoginContext {
        let add = |built: DictBuilder, (key, value): &(&str, &str)| built.with(key, *value);
        let built = entries.iter().fold(DictBuilder::new(), add);
        trusted_context(&Dictionary::from(built), Caller { uid: 0 }).unwrap()
    }

    #[test]
    fn an_ordinary_caller_is_not_believed_about_its_origin() {
        let details = Dictionary::from(
            DictBuilder::new()
                .with("rhost", "192.0.2.1")
                .with("service", "sshd")
                .with("tty", "pts/1")
                .with("ruser", "root")
                .with("enroll", true)
                .with("show_names", true)
                .with("factor", "f-aaaaaaaa")
                .with("prompt", "Token: ")
                .with("nullok", true),
        );
        let of_root = trusted_context(&details, Caller { uid: 0 }).unwrap();
        assert_eq!(of_root.rhost.as_deref(), Some("192.0.2.1"));
        assert!(of_root.enroll && of_root.show_names && of_root.nullok);
        let of_other = trusted_context(&details, Caller { uid: 1 }).unwrap();
        let expected = LoginContext {
            factor: Some("f-aaaaaaaa".into()),
            prompt: Some("Token: ".into()),
            nullok: true,
            ..LoginContext::default()
        };
        assert_eq!(of_other, expected);
    }

    #[test]
    fn root_names_the_source_and_others_are_their_uid() {
        let terminal = Source::Terminal { terminal: "seat0".into(), service: "login".into() };
        for (entries, expected) in [
            (&[("rhost", "192.0.2.1")][..], Source::Address([192, 0, 2, 1].into())),
            (&[("rhost", ""), ("ruser", "bob")], Source::Local("bob".into())),
            (&[("service", "login"), ("tty", "/dev/tty1")], terminal),
            (&[], Source::Nowhere),
        ] {
            let context = context(entries);
            assert_eq!(login_source(&context, 0), expected, "{entries:?}");
            assert_eq!(login_source(&context, 1000), Source::Uid(1000), "{entries:?}");
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
            ("lxc/tty1", true),
            ("/dev/lxc/console", true),
            (":0", false),
            ("ftp", false),
            ("dovecot", false),
            ("", false),
        ] {
            assert_eq!(is_at_terminal(&context(&[("tty", tty)])), shows, "{tty}");
        }
    }
}
