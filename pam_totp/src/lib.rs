//! PAM module that asks a person for a code and totpd for a verdict.
//!
//! It holds no secret and decides nothing: without a verdict it denies. It is a guest in setuid
//! programs. It uses one thread and reads no environment. It leaves no descriptor or signal handler
//! behind. It writes nothing to standard output or error.

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
mod jitter;
mod nonce;
mod options;
mod outcome;
mod session;
mod token;
mod trial_log;

/// Codes and passwords pass through this module: its memory, not that of its host, is zeroed when
/// it is freed.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

struct Totp;

nonstick::pam_export!(Totp);

impl<Handle: ModuleClient> PamModule<Handle> for Totp {
    fn authenticate(handle: &mut Handle, args: Vec<&CStr>, flags: AuthnFlags) -> Result<()> {
        guard(|| {
            let mut session = PamSession(handle);
            // A token of an earlier attempt in this handle would count for the login of the next
            // user.
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

    /// Succeeds, so a stack may name the module under `account` too.
    fn account_management(_: &mut Handle, args: Vec<&CStr>, _: AuthnFlags) -> Result<()> {
        guard(|| match Options::parse(&args) {
            Ok(_) => Outcome::Approved,
            Err(reason) => Outcome::Misconfigured(reason),
        })
    }

    /// Completes an enrollment of this login, and succeeds. If the only module of a stack returned
    /// `PAM_IGNORE`, libpam would deny a login that succeeded.
    fn set_credentials(
        handle: &mut Handle,
        args: Vec<&CStr>,
        action: CredAction,
        flags: BaseFlags,
    ) -> Result<()> {
        set_hook(Box::new(|_| {}));
        // A bug here must not deny a login that succeeded.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            // sudo renews credentials.
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
    Outcome::Misconfigured(format!(
        "pam_totp has no function under \"{kind}\"; use it under \"auth\""
    ))
}

/// Runs `work`. A panic in it denies the login. The panic neither ends the host nor prints.
fn guard(work: impl FnOnce() -> Outcome) -> Result<()> {
    // This library has its own copy of std, so panics of the host are not affected. The default
    // hook prints, and reads the environment.
    set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Outcome::Internal("internal error: panic; please report it".into()));
    outcome.report();
    outcome.into()
}
