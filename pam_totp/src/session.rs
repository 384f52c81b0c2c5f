//! The login as libpam has it. No other file touches the items and the conversation of the
//! bindings.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use nonstick::items::{Items, ItemsMut};
use nonstick::{
    ConversationAdapter, EnvironMap as _, EnvironMapMut as _, ErrorCode, ModuleClient, Result,
};
use totpd_interface::login::{LoginContext, truncate};

use crate::authenticate::{Answer, Session};
use crate::credentials::{LoginEnd, Token};
use crate::outcome::Outcome;
use crate::token;
use crate::trial_log;

/// A login of libpam.
pub(crate) struct PamSession<'a, Client>(pub(crate) &'a mut Client);

impl<Client: ModuleClient> Session for PamSession<'_, Client> {
    type Answer = Secret;

    fn user(&mut self) -> std::result::Result<Vec<u8>, Outcome> {
        match self.0.username(None) {
            Ok(user) => Ok(user.into_vec()),
            Err(ErrorCode::ConversationError) => Err(Outcome::ConversationFailed),
            Err(code) => Err(Outcome::Internal(format!("cannot get the user name: {code:?}"))),
        }
    }

    fn current_user(&self) -> Option<Vec<u8>> {
        self.0.items().user().ok().flatten().map(OsString::into_vec)
    }

    fn context(&self) -> LoginContext {
        let items = self.0.items();
        LoginContext {
            service: text_of(items.service()),
            rhost: text_of(items.remote_host()),
            tty: text_of(items.tty_name()),
            ruser: text_of(items.remote_user()),
            ..LoginContext::default()
        }
    }

    fn first_pass(&self) -> Option<Secret> {
        self.0.authtok_item().ok().flatten().map(Secret)
    }

    fn ask(&mut self, prompt: &str, echo: bool) -> std::result::Result<Secret, Outcome> {
        let answer = if echo { self.0.prompt(prompt) } else { self.ask_masked(prompt) };
        answer.map(Secret).map_err(|_| Outcome::ConversationFailed)
    }

    fn set_authtok(&mut self, password: &[u8]) -> std::result::Result<(), Outcome> {
        let password = OsString::from_vec(password.to_vec());
        let set = self.0.items_mut().set_authtok(Some(&password));
        set.map_err(|code| {
            Outcome::Internal(format!("cannot pass the password to later modules: {code:?}"))
        })
    }

    fn show_error(&self, text: &str) {
        // A failure to show it changes nothing.
        self.0.error_msg(text);
    }

    fn store_token(&mut self, token: &str) -> std::result::Result<(), Outcome> {
        let error = || {
            Outcome::Internal(
                "cannot store the token of the new factor in the PAM environment".into(),
            )
        };
        let tty = text_of(self.0.items().tty_name());
        let deposit = token::deposit(token, tty.as_deref()).ok_or_else(error)?;
        self.0.environ_mut().insert(TOKEN_VARIABLE, &deposit);
        let is_stored =
            self.0.environ().get(TOKEN_VARIABLE).is_some_and(|stored| *stored == *deposit);
        if is_stored { Ok(()) } else { Err(error()) }
    }
}

impl<Client: ModuleClient> LoginEnd for PamSession<'_, Client> {
    fn take_token(&mut self) -> Token {
        let Some(deposit) = self.0.environ_mut().remove(TOKEN_VARIABLE) else { return Token::None };
        let token = String::from_utf8(deposit.into_vec()).ok().and_then(token::withdraw);
        token.map_or(Token::Lost, Token::Here)
    }

    fn context(&self) -> LoginContext {
        let user = text_of(self.0.items().user());
        LoginContext { user, ..Session::context(self) }
    }

    fn inform(&self, text: &str) {
        // A failure to show it changes nothing.
        self.0.info_msg(text);
    }
}

impl<Client: ModuleClient> PamSession<'_, Client> {
    /// Records the login; see [`trial_log`].
    pub(crate) fn record_login(&self) {
        let items = self.0.items();
        let [service, user, ruser] = [items.service(), items.user(), items.remote_user()]
            .map(|item| text_of(item).unwrap_or_default());
        trial_log::record_login(&service, &user, &ruser);
    }

    /// Asks for an answer that is not shown while it is typed. libpam asks, because it zeroes the
    /// answer of the host, which the conversation of the bindings does not. libpam stores a copy
    /// for later modules in place of the earlier password, so the earlier one is restored.
    fn ask_masked(&mut self, prompt: &str) -> Result<OsString> {
        let before = self.0.authtok_item()?.map(Secret);
        self.0.items_mut().set_authtok(None)?;
        let answer = self.0.authtok(Some(prompt.as_ref())).map(Secret);
        let before = before.as_ref().map(|Secret(before)| before.as_os_str());
        self.0.items_mut().set_authtok(before)?;
        answer.map(|Secret(answer)| answer)
    }
}

/// The typed answer of a person. It is never printed. It is zeroed when it is freed, like all
/// memory of this module.
pub(crate) struct Secret(OsString);

impl Answer for Secret {
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Returns an item that the host has set, as far as the daemon keeps it.
fn text_of(item: Result<Option<OsString>>) -> Option<String> {
    Some(truncate(&item.ok()??.to_string_lossy()))
}

/// The variable of the PAM environment that leads to the token of a new factor. The PAM environment
/// is that of the future session, not of this process.
const TOKEN_VARIABLE: &str = "PAM_TOTP_TOKEN";
