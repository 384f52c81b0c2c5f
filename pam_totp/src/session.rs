//! The login that libpam hands over: who, from where, and a way to ask. The only file that touches
//! the bindings' items and conversation.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use nonstick::items::{Items, ItemsMut};
use nonstick::{
    ConversationAdapter, EnvironMap as _, EnvironMapMut as _, ErrorCode, ModuleClient, Result,
};

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
            Err(code) => Err(Outcome::Internal(format!("no user name ({code:?})"))),
        }
    }

    fn current_user(&self) -> Option<Vec<u8>> {
        self.0.items().user().ok().flatten().map(OsString::into_vec)
    }

    fn context(&self) -> Vec<(&'static str, String)> {
        let items = self.0.items();
        [
            ("service", items.service()),
            ("rhost", items.remote_host()),
            ("tty", items.tty_name()),
            ("ruser", items.remote_user()),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, text(&value.ok()??))))
        .collect()
    }

    fn first_pass(&self) -> Option<Secret> {
        self.0.authtok_item().ok().flatten().map(Secret)
    }

    fn ask(&mut self, prompt: &str, echo: bool) -> std::result::Result<Secret, Outcome> {
        let answer = if echo { self.0.prompt(prompt) } else { self.masked(prompt) };
        answer.map(Secret).map_err(|_| Outcome::ConversationFailed)
    }

    fn set_authtok(&mut self, password: &[u8]) -> std::result::Result<(), Outcome> {
        let password = OsString::from_vec(password.to_vec());
        let set = self.0.items_mut().set_authtok(Some(&password));
        set.map_err(|code| {
            Outcome::Internal(format!("the password cannot be handed on ({code:?})"))
        })
    }

    fn show_error(&self, text: &str) {
        // Whether anybody reads it changes nothing.
        self.0.error_msg(text);
    }

    fn store_token(&mut self, token: &str) -> std::result::Result<(), Outcome> {
        let lost = || Outcome::Internal("libpam does not keep the token of a new factor".into());
        let tty = self.0.items().tty_name().ok().flatten().map(|tty| text(&tty));
        let held = token::deposit(token, tty.as_deref()).ok_or_else(lost)?;
        self.0.environ_mut().insert(TOKEN_VARIABLE, &held);
        let is_stored = self.0.environ().get(TOKEN_VARIABLE).is_some_and(|stored| *stored == *held);
        if is_stored { Ok(()) } else { Err(lost()) }
    }
}

impl<Client: ModuleClient> LoginEnd for PamSession<'_, Client> {
    fn take_token(&mut self) -> Token {
        let Some(held) = self.0.environ_mut().remove(TOKEN_VARIABLE) else { return Token::None };
        let token = String::from_utf8(held.into_vec()).ok().and_then(token::withdraw);
        token.map_or(Token::Lost, Token::Here)
    }

    fn context(&self) -> Vec<(&'static str, String)> {
        let mut items = Session::context(self);
        let user = self.0.items().user().ok().flatten();
        items.extend(user.map(|user| ("user", text(&user))));
        items
    }

    fn inform(&self, text: &str) {
        // Whether anybody reads it changes nothing.
        self.0.info_msg(text);
    }
}

impl<Client: ModuleClient> PamSession<'_, Client> {
    /// Notes who got in; see [`trial_log`].
    pub(crate) fn record_login(&self) {
        let items = self.0.items();
        let [service, user, ruser] = [items.service(), items.user(), items.remote_user()]
            .map(|item| item.ok().flatten().map(|item| text(&item)).unwrap_or_default());
        trial_log::record_login(&service, &user, &ruser);
    }

    /// An answer that is not shown while it is typed. libpam asks, because libpam wipes the answer
    /// that the host gave, which the bindings' own conversation does not. It keeps a copy for later
    /// modules, in the place of the earlier one: that is put back.
    fn masked(&mut self, prompt: &str) -> Result<OsString> {
        let before = self.0.authtok_item()?.map(Secret);
        self.0.items_mut().set_authtok(None)?;
        let answer = self.0.authtok(Some(prompt.as_ref())).map(Secret);
        let before = before.as_ref().map(|Secret(before)| before.as_os_str());
        self.0.items_mut().set_authtok(before)?;
        answer.map(|Secret(answer)| answer)
    }
}

/// What a person typed. It prints as nothing, and like all memory of this module it is wiped when
/// it is freed.
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

fn text(item: &OsString) -> String {
    item.to_string_lossy().chars().take(MAX_ITEM_CHARS).collect()
}

/// The variable of the PAM environment that leads to the token of a new factor. That is the environment of a
/// session that is being made, not of a process.
const TOKEN_VARIABLE: &str = "PAM_TOTP_TOKEN";
/// Characters of an item: as many as the daemon keeps.
const MAX_ITEM_CHARS: usize = 256;
