//! PAM module that asks a person for a code and totpd for a verdict.
//!
//! It holds no secret and decides nothing: without a verdict it denies. It is a guest in setuid
//! programs. It uses one thread and reads no environment. It leaves no descriptor or signal handler
//! behind. It writes nothing to standard output or error.

#![expect(
    missing_docs,
    reason = "the entry points, which a macro of the bindings makes, have none"
)]

use std::alloc::System;
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use pam::constants::{PAM_DELETE_CRED, PAM_SILENT, PamFlag, PamResultCode};
use pam::module::{PamHandle, PamHooks};
use zeroizing_alloc::ZeroAlloc;

use crate::authenticate::authenticate;
use crate::client::Client;
use crate::credentials::{LoginEnd as _, complete_enrollment};
use crate::options::Options;
use crate::outcome::Outcome;
use crate::session::PamSession;

mod account;
mod authenticate;
mod client;
mod credentials;
mod jitter;
mod nonce;
mod options;
mod outcome;
mod password;
mod session;
mod stand_ins;
mod token;
mod trial_log;

/// Codes and passwords pass through this module: its memory, not that of its host, is zeroed when
/// it is freed.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

struct Totp;

pam::pam_hooks!(Totp);

impl PamHooks for Totp {
    fn sm_authenticate(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guard(|| {
            let mut session = PamSession(handle);
            // What an earlier attempt in this handle left would count for the login of the next
            // user.
            let _ = session.take_token();
            let _ = session.take_mark();
            session.forget_let_in();
            let options = match Options::parse(&args) {
                Ok(Options { guard: true, .. }) => return misplaced_guard("auth"),
                Ok(options) => options.silenced_by(flags & PAM_SILENT != 0),
                Err(reason) => return Outcome::Misconfigured(reason),
            };
            let client = Client { timeout: options.timeout };
            let outcome = authenticate(&mut session, &client, &options);
            if !outcome.lets_in() {
                drop(session.take_token());
                drop(session.take_mark());
            } else if !(options.nullok && matches!(outcome, Outcome::Skipped)) {
                // A guard may not have the nullok of this line.
                session.remember_let_in();
            }
            outcome
        })
    }

    /// Succeeds, so a stack may name the module under `account` too. With `guard` it refuses a
    /// login at which no code was given, and otherwise has no objection.
    fn acct_mgmt(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        guard(|| match Options::parse(&args) {
            Ok(options) if options.guard => {
                let options = options.silenced_by(flags & PAM_SILENT != 0);
                let client = Client { timeout: options.timeout };
                account::check(&PamSession(handle), &client, &options)
            }
            Ok(_) => Outcome::Approved,
            Err(reason) => Outcome::Misconfigured(reason),
        })
    }

    /// Completes an enrollment of this login, and succeeds. If the only module of a stack returned
    /// `PAM_IGNORE`, libpam would deny a login that succeeded.
    fn sm_setcred(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        set_hook(Box::new(|_| {}));
        // A bug here must not deny a login that succeeded.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            // sudo renews credentials.
            if flags & PAM_DELETE_CRED == 0 {
                let mut session = PamSession(handle);
                session.record_login();
                let options = Options::parse(&args).unwrap_or_default();
                let options = options.silenced_by(flags & PAM_SILENT != 0);
                let client = Client { timeout: options.timeout };
                complete_enrollment(&mut session, &client, options.quiet);
            }
        }));
        PamResultCode::PAM_SUCCESS
    }

    /// Tells the daemon of a changed password. Nothing here keeps one from being changed: no fault
    /// of a line, no daemon that is away, and no bug.
    fn sm_chauthtok(handle: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        set_hook(Box::new(|_| {}));
        let _ = catch_unwind(AssertUnwindSafe(|| {
            // libpam calls each module twice, and the first time nothing is changed yet.
            if flags & PAM_PRELIM_CHECK != 0 {
                return;
            }
            // doctor names a fault of the line.
            let options = Options::parse(&args).unwrap_or_default();
            let client = Client { timeout: options.timeout };
            password::tell(&PamSession(handle), &client);
        }));
        PamResultCode::PAM_IGNORE
    }

    fn sm_open_session(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        guard(no_sessions)
    }

    fn sm_close_session(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        guard(no_sessions)
    }
}

/// The flag of the first of the two calls for a change of a password, which the bindings lack.
const PAM_PRELIM_CHECK: PamFlag = 0x4000;

fn misplaced_guard(kind: &str) -> Outcome {
    Outcome::Misconfigured(format!(
        "guard has no function under \"{kind}\"; use it under \"account\""
    ))
}

fn no_sessions() -> Outcome {
    let reason = "pam_totp has no function under \"session\"; use it under \"auth\"";
    Outcome::Misconfigured(reason.to_owned())
}

/// Runs `work`. A panic in it denies the login. The panic neither ends the host nor prints.
fn guard(work: impl FnOnce() -> Outcome) -> PamResultCode {
    // This library has its own copy of std, so panics of the host are not affected. The default
    // hook prints, and reads the environment.
    set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Outcome::Internal("internal error: panic; please report it".into()));
    outcome.report();
    outcome.into()
}
