//! PAM module that asks a person for a code and totpd for a verdict.
//!
//! It holds no secret and decides nothing: every way to not reach a verdict is a refusal. It is a
//! guest in other people's setuid programs: one thread, no environment, no descriptor or signal
//! handler left, nothing on standard output or error.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use pam::constants::{PAM_SILENT, PamFlag, PamResultCode};
use pam::module::{PamHandle, PamHooks};

use crate::authenticate::authenticate;
use crate::options::Options;
use crate::outcome::Outcome;
use crate::session::PamSession;
use crate::totpd::SystemBus;

mod authenticate;
mod log;
mod options;
mod outcome;
mod session;
mod totpd;

struct Totp;

#[allow(missing_docs, reason = "the entry points of libpam are described in pam_sm_*(3)")]
mod entry_points {
    use super::Totp;
    pam::pam_hooks!(Totp);
}

impl PamHooks for Totp {
    fn sm_authenticate(pamh: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guarded(pamh, |pamh| {
            let options = match Options::parse(&args) {
                Ok(options) => options.silenced_by(flags & PAM_SILENT != 0),
                Err(why) => return Outcome::Misused(why),
            };
            let bus = SystemBus { timeout: options.timeout };
            authenticate(&mut PamSession(pamh), &bus, &options)
        })
    }

    /// Succeeds, so that a stack may name the module under `account` too.
    fn acct_mgmt(pamh: &mut PamHandle, args: Vec<&CStr>, _flags: PamFlag) -> PamResultCode {
        guarded(pamh, |_| match Options::parse(&args) {
            Ok(_) => Outcome::Approved,
            Err(why) => Outcome::Misused(why),
        })
    }

    /// Succeeds: `PAM_IGNORE` from the only module of a stack makes libpam refuse a login that
    /// succeeded.
    fn sm_setcred(_pamh: &mut PamHandle, _args: Vec<&CStr>, _flags: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }

    fn sm_chauthtok(pamh: &mut PamHandle, _args: Vec<&CStr>, _flags: PamFlag) -> PamResultCode {
        guarded(pamh, |_| unsupported("password"))
    }

    fn sm_open_session(pamh: &mut PamHandle, _args: Vec<&CStr>, _flags: PamFlag) -> PamResultCode {
        guarded(pamh, |_| unsupported("session"))
    }

    fn sm_close_session(pamh: &mut PamHandle, _args: Vec<&CStr>, _flags: PamFlag) -> PamResultCode {
        guarded(pamh, |_| unsupported("session"))
    }
}

fn unsupported(kind: &str) -> Outcome {
    Outcome::Misused(format!("it does nothing under \"{kind}\": use it under \"auth\""))
}

/// Runs `work` so that a bug in it refuses the login, and neither ends the host nor prints.
fn guarded(pamh: &mut PamHandle, work: impl FnOnce(&mut PamHandle) -> Outcome) -> PamResultCode {
    // This library has a copy of std of its own: the host's panics are not touched. The hook that
    // std brings prints, and asks the environment whether it should say more.
    set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(|| work(pamh)))
        .unwrap_or_else(|_| Outcome::Misused("internal error (panic); please report it".into()));
    outcome.report();
    outcome.into()
}
