//! PAM module that asks a person for a code and totpd for a verdict.
//!
//! It holds no secret and decides nothing: every way to not reach a verdict is a refusal. It is a
//! guest in other people's setuid programs: one thread, no environment, no descriptor or signal
//! handler left, nothing on standard output or error.

use std::alloc::System;
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use nonstick::{
    AuthnFlags, AuthtokAction, AuthtokFlags, BaseFlags, CredAction, ModuleClient, PamModule, Result,
};
use zeroizing_alloc::ZeroAlloc;

use crate::authenticate::authenticate;
use crate::client::Client;
use crate::credentials::{LoginEnd as _, complete_enrollment};
use crate::options::Options;
use crate::outcome::Outcome;
use crate::session::PamSession;

mod authenticate;
mod client;
mod credentials;
mod nonce;
mod options;
mod outcome;
mod session;
mod token;
mod trial_log;

/// Codes and passwords pass through here: memory of this module, not of its host, is wiped when it
/// is freed.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

struct Totp;

nonstick::pam_export!(Totp);

impl<Handle: ModuleClient> PamModule<Handle> for Totp {
    fn authenticate(handle: &mut Handle, args: Vec<&CStr>, flags: AuthnFlags) -> Result<()> {
        guard(|| {
            let mut session = PamSession(handle);
            // A token that an earlier try left in this handle would be good for the next user's login.
            let _ = session.take_token();
            let options = match Options::parse(&args) {
                Ok(options) => options.silenced_by(flags.contains(AuthnFlags::SILENT)),
                Err(reason) => return Outcome::Misconfigured(reason),
            };
            let client = Client { timeout: options.timeout };
            let outcome = authenticate(&mut session, &client, &options);
            if !outcome.lets_in() {
                let _ = session.take_token();
            }
            outcome
        })
    }

    /// Succeeds, so that a stack may name the module under `account` too.
    fn account_management(_: &mut Handle, args: Vec<&CStr>, _: AuthnFlags) -> Result<()> {
        guard(|| match Options::parse(&args) {
            Ok(_) => Outcome::Approved,
            Err(reason) => Outcome::Misconfigured(reason),
        })
    }

    /// Makes a factor good that was made at this login, and succeeds: `PAM_IGNORE` from the only module
    /// of a stack makes libpam refuse a login that succeeded.
    fn set_credentials(
        handle: &mut Handle,
        args: Vec<&CStr>,
        action: CredAction,
        flags: BaseFlags,
    ) -> Result<()> {
        set_hook(Box::new(|_| {}));
        // A bug in here is no reason to refuse who was let in.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            // sudo has them made anew.
            if action != CredAction::Delete {
                PamSession(handle).record_login();
                let options = Options::parse(&args).unwrap_or_default();
                let options = options.silenced_by(flags.contains(BaseFlags::SILENT));
                let client = Client { timeout: options.timeout };
                complete_enrollment(&mut PamSession(handle), &client, options.quiet);
            }
        }));
        Ok(())
    }

    fn change_authtok(
        _: &mut Handle,
        _: Vec<&CStr>,
        _: AuthtokAction,
        _: AuthtokFlags,
    ) -> Result<()> {
        guard(|| unsupported("password"))
    }

    fn open_session(_: &mut Handle, _: Vec<&CStr>, _: BaseFlags) -> Result<()> {
        guard(|| unsupported("session"))
    }

    fn close_session(_: &mut Handle, _: Vec<&CStr>, _: BaseFlags) -> Result<()> {
        guard(|| unsupported("session"))
    }
}

fn unsupported(kind: &str) -> Outcome {
    Outcome::Misconfigured(format!("it does nothing under \"{kind}\": use it under \"auth\""))
}

/// Runs `work` so that a bug in it refuses the login, and neither ends the host nor prints.
fn guard(work: impl FnOnce() -> Outcome) -> Result<()> {
    // This library has a copy of std of its own: the host's panics are not touched. The hook that
    // std brings prints, and asks the environment whether it should say more.
    set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Outcome::Internal("internal error (panic); please report it".into()));
    outcome.report();
    outcome.into()
}
