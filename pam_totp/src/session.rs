//! The login as libpam has it. No other file touches the items and the conversation of the
//! bindings.

use std::ffi::{CStr, CString};
use std::time::Duration;

use pam::constants::{
    PAM_ERROR_MSG, PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PAM_TEXT_INFO, PamMessageStyle,
    PamResultCode,
};
use pam::conv::Conv;
use pam::items::{AuthTok, RHost, RUser, Service, Tty, User};
use pam::module::{PamHandle, PamResult};
use pam::secret::SecretBytes;
use rustix::process::getuid;
use totpd_interface::TrialEvent;
use totpd_interface::login::{LoginContext, truncate};

use crate::account::Entrance;
use crate::authenticate::{Answer, Session};
use crate::credentials::{LoginEnd, Token};
use crate::outcome::Outcome;
use crate::password::PasswordChange;
use crate::trial_log::TrialLog;
use crate::{nonce, token};

/// A login of libpam.
pub(crate) struct PamSession<'a>(pub(crate) &'a mut PamHandle);

impl Session for PamSession<'_> {
    type Answer = SecretBytes;

    fn user(&mut self) -> Result<Vec<u8>, Outcome> {
        let error = |code| Outcome::Internal(format!("cannot get the user name: {code:?}"));
        match self.0.get_user(None) {
            Err(PamResultCode::PAM_CONV_ERR) => Err(Outcome::ConversationFailed),
            // The bindings take no name that is not UTF-8. libpam has it as an item now.
            Ok(_) | Err(PamResultCode::PAM_SYSTEM_ERR) => {
                self.current_user().ok_or_else(|| error(PamResultCode::PAM_SYSTEM_ERR))
            }
            Err(code) => Err(error(code)),
        }
    }

    fn current_user(&self) -> Option<Vec<u8>> {
        let user = self.0.get_item::<User<'_>>().ok()??;
        Some(user.to_bytes().to_vec())
    }

    fn context(&self) -> LoginContext {
        LoginContext {
            service: text_of(self.0.get_item().map(|item: Option<Service<'_>>| item.map(|s| s.0))),
            rhost: text_of(self.0.get_item().map(|item: Option<RHost<'_>>| item.map(|s| s.0))),
            tty: self.tty(),
            ruser: text_of(self.0.get_item().map(|item: Option<RUser<'_>>| item.map(|s| s.0))),
            ..LoginContext::default()
        }
    }

    fn first_pass(&self) -> Option<SecretBytes> {
        let password = self.0.get_item::<AuthTok<'_>>().ok()??;
        Some(password.to_owned_secret())
    }

    /// The bindings zero the answer of the host before they free it.
    fn ask(&mut self, prompt: &str, echo: bool) -> Result<SecretBytes, Outcome> {
        let style = if echo { PAM_PROMPT_ECHO_ON } else { PAM_PROMPT_ECHO_OFF };
        self.converse(style, prompt).ok().flatten().ok_or(Outcome::ConversationFailed)
    }

    fn set_authtok(&mut self, password: &[u8]) -> Result<(), Outcome> {
        let error = |reason: &str| {
            Outcome::Internal(format!("cannot pass the password to later modules: {reason}"))
        };
        let password = CString::new(password).map_err(|_| error("it has a zero byte"))?;
        libpam::set_authtok(self.0, &password).map_err(|code| error(&format!("{code:?}")))
    }

    fn show_error(&self, text: &str) {
        // A failure to show it changes nothing.
        let _ = self.converse(PAM_ERROR_MSG, text);
    }

    fn show_info(&self, text: &str) {
        // A failure to show it changes nothing.
        let _ = self.converse(PAM_TEXT_INFO, text);
    }

    fn note_app_code(&mut self) {
        let Some(log) = TrialLog::open() else { return };
        let Some(mark) = nonce::random().map(|mark| mark.to_string()) else { return };
        let [service, user] =
            [Session::context(self).service, self.user_text()].map(Option::unwrap_or_default);
        log.append(&TrialEvent::Approved { mark: &mark, service: &service, user: &user });
        // Without it, this login counts as one without a code.
        let _ = self.put_variable(MARK_VARIABLE, &mark);
    }

    fn store_token(&mut self, token: &str) -> Result<(), Outcome> {
        let error = || {
            Outcome::Internal(
                "cannot store the token of the new factor in the PAM environment".into(),
            )
        };
        let deposit = token::deposit(token, self.tty().as_deref()).ok_or_else(error)?;
        self.put_variable(TOKEN_VARIABLE, &deposit).ok_or_else(error)
    }

    fn delay_failure(&mut self, time: Duration) {
        // Without the delay, the daemon still limits how often codes are tried.
        let _ = libpam::delay_failure(self.0, time);
    }
}

impl Entrance for PamSession<'_> {
    fn let_in_user(&self) -> Option<Vec<u8>> {
        libpam::kept(self.0).map(|user| user.to_bytes().to_vec())
    }

    fn is_roots(&self) -> bool {
        getuid().is_root()
    }
}

impl PasswordChange for PamSession<'_> {
    fn user(&self) -> Option<Vec<u8>> {
        self.current_user()
    }

    fn context(&self) -> LoginContext {
        Session::context(self)
    }
}

impl LoginEnd for PamSession<'_> {
    fn take_token(&mut self) -> Token {
        match self.take_variable(TOKEN_VARIABLE) {
            None => Token::None,
            Some(deposit) => deposit.and_then(token::withdraw).map_or(Token::Lost, Token::Here),
        }
    }

    fn context(&self) -> LoginContext {
        LoginContext { user: self.user_text(), ..Session::context(self) }
    }

    fn inform(&self, text: &str) {
        self.show_info(text);
    }
}

impl PamSession<'_> {
    /// Remembers in the handle that this module let in the present user. Without memory the guard
    /// asks the daemon.
    pub(crate) fn remember_let_in(&mut self) {
        let user = self.current_user().and_then(|user| CString::new(user).ok());
        let _ = libpam::keep(self.0, user);
    }

    /// Forgets which user this module let in earlier in this handle.
    pub(crate) fn forget_let_in(&mut self) {
        if libpam::kept(self.0).is_some() {
            let _ = libpam::keep(self.0, None);
        }
    }

    /// Removes and returns the mark of a login with the code of an app; see [`TrialEvent`]. It must
    /// not reach the session.
    pub(crate) fn take_mark(&mut self) -> Option<String> {
        self.take_variable(MARK_VARIABLE).flatten()
    }

    /// Records the login, while a trial runs.
    pub(crate) fn record_login(&mut self) {
        let mark = self.take_mark();
        let Some(log) = TrialLog::open() else { return };
        let LoginContext { service, ruser, .. } = Session::context(self);
        let [mark, service, user, ruser] =
            [mark, service, self.user_text(), ruser].map(Option::unwrap_or_default);
        log.append(&TrialEvent::Entered {
            mark: &mark,
            service: &service,
            user: &user,
            ruser: &ruser,
        });
    }

    fn put_variable(&mut self, name: &CStr, value: &str) -> Option<()> {
        let variable = [name.to_bytes(), b"=", value.as_bytes()].concat();
        libpam::put_variable(self.0, &CString::new(variable).ok()?).ok()
    }

    /// Removes a variable of the PAM environment and returns it, if it is set: its text, or nothing
    /// if it is none.
    fn take_variable(&mut self, name: &CStr) -> Option<Option<String>> {
        let value = libpam::variable(self.0, name)?.to_str().ok().map(ToOwned::to_owned);
        // It is set, so that only a lack of memory can keep it there.
        let _ = libpam::put_variable(self.0, name);
        Some(value)
    }

    fn tty(&self) -> Option<String> {
        text_of(self.0.get_item().map(|item: Option<Tty<'_>>| item.map(|tty| tty.0)))
    }

    fn user_text(&self) -> Option<String> {
        text_of(self.0.get_item().map(|item: Option<User<'_>>| item.map(|user| user.0)))
    }

    fn converse(&self, style: PamMessageStyle, text: &str) -> PamResult<Option<SecretBytes>> {
        let conversation = self.0.get_item::<Conv<'_>>()?.ok_or(PamResultCode::PAM_CONV_ERR)?;
        conversation.send(style, text)
    }
}

/// The typed answer of a person. It is never printed, and zeroed when it is dropped.
impl Answer for SecretBytes {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Returns an item that the host has set, as far as the daemon keeps it.
fn text_of(item: PamResult<Option<&CStr>>) -> Option<String> {
    Some(truncate(&item.ok()??.to_string_lossy()))
}

/// The variable of the PAM environment that leads to the token of a new factor. The PAM environment
/// is that of the future session, not of this process.
const TOKEN_VARIABLE: &CStr = c"PAM_TOTP_TOKEN";
/// The variable of the PAM environment with the mark of a login during a trial.
const MARK_VARIABLE: &CStr = c"PAM_TOTP_MARK";
