//! The proof of a caller before it changes factors, parsed and ready to be judged.

use totpd_core::code::Code;
use totpd_core::management::Reauthentication;
use totpd_core::recovery_codes::RecoveryCode;
use totpd_core::source::Source;
use totpd_core::verification::{Attempt, Methods};
use totpd_interface::Error;

use crate::access::caller::Caller;
use crate::daemon::Daemon;
use crate::host::clock;
use crate::manage::authorization::AuthorizedCaller;

/// Checks that `code` has the form of a code, before anybody is asked for a password.
///
/// # Errors
/// [`Error::InvalidCode`] if neither an app nor a paper shows such a code. Root shows none.
pub(crate) fn check_form(caller: Caller, code: &str) -> Result<(), Error> {
    let is_code = || Code::parse(code).is_some() || RecoveryCode::parse(code).is_some();
    if caller.is_root() || code.is_empty() || is_code() {
        return Ok(());
    }
    let message = "that is no code: type the digits of your app, or a recovery code";
    Err(Error::InvalidCode(message.into()))
}

/// Returns the proof of `caller` by `code`. The code may be empty, or a recovery code.
///
/// # Errors
/// The errors of [`Daemon::classify_answer`].
pub(crate) async fn reauthentication(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    code: &str,
) -> Result<Reauthentication, Error> {
    if !caller.is_own {
        return Ok(Reauthentication::NotNeeded);
    }
    let source = Source::Uid(caller.caller.uid);
    let attempt = Attempt {
        answer: daemon.classify_answer(&caller.account, code, &source).await?,
        methods: Methods::ALL,
        factor: None,
        service: None,
        source,
        uid: caller.account.current_uid(),
        now: clock::now(),
    };
    let rules = daemon.config.rules.clone();
    let attempt = Box::new(attempt);
    Ok(Reauthentication::CurrentCode { attempt, is_given: !code.is_empty(), rules })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_may_send_what_is_no_code() {
        for (code, is_code) in [
            ("", true),
            ("123456", true),
            ("123 456", true),
            ("0000-0000-0000-0000", true),
            ("bobpw", false),
            ("12345", false),
            (" ", false),
        ] {
            assert_eq!(check_form(Caller { uid: 1000 }, code).is_ok(), is_code, "{code:?}");
            assert!(check_form(Caller { uid: 0 }, code).is_ok(), "{code:?}");
        }
    }
}
