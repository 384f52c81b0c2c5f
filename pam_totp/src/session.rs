//! The login that libpam hands over: who, from where, and a way to ask. The only file that touches
//! the bindings' items and conversation.

use std::ffi::CStr;

use pam::constants::{PAM_ERROR_MSG, PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PamResultCode};
use pam::conv::Conv;
use pam::items::{AuthTok, RHost, RUser, Service, Tty, User};
use pam::module::PamHandle;
use pam::secret::SecretBytes;

use crate::authenticate::{Answer, Session};
use crate::outcome::Outcome;

/// A login of libpam.
pub(crate) struct PamSession<'a>(pub(crate) &'a mut PamHandle);

impl Session for PamSession<'_> {
    type Answer = SecretBytes;

    fn user(&mut self) -> Result<Vec<u8>, Outcome> {
        match self.0.get_user(None) {
            // Not UTF-8 is no reason to behave unlike for any other unknown name: read it below.
            Ok(_) | Err(PamResultCode::PAM_SYSTEM_ERR) => {}
            Err(PamResultCode::PAM_CONV_ERR | PamResultCode::PAM_CONV_AGAIN) => {
                return Err(Outcome::ConversationFailed);
            }
            Err(code) => return Err(Outcome::Misused(format!("no user name ({code:?})"))),
        }
        self.user_now().ok_or_else(|| Outcome::Misused("no user name".into()))
    }

    fn user_now(&self) -> Option<Vec<u8>> {
        self.0.get_item::<User<'_>>().ok().flatten().map(|user| user.to_bytes().to_vec())
    }

    fn context(&self) -> Vec<(&'static str, String)> {
        let service = self.0.get_item::<Service<'_>>().ok().flatten().map(|item| text(&item));
        let rhost = self.0.get_item::<RHost<'_>>().ok().flatten().map(|item| text(&item));
        let tty = self.0.get_item::<Tty<'_>>().ok().flatten().map(|item| text(&item));
        let ruser = self.0.get_item::<RUser<'_>>().ok().flatten().map(|item| text(&item));
        [("service", service), ("rhost", rhost), ("tty", tty), ("ruser", ruser)]
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    }

    fn first_pass(&self) -> Option<SecretBytes> {
        let token = self.0.get_item::<AuthTok<'_>>().ok().flatten();
        token.map(|token| token.to_owned_secret())
    }

    fn ask(&self, prompt: &str, echo: bool) -> Result<Option<SecretBytes>, Outcome> {
        let style = if echo { PAM_PROMPT_ECHO_ON } else { PAM_PROMPT_ECHO_OFF };
        self.conversation()?.send(style, prompt).map_err(|_| Outcome::ConversationFailed)
    }

    fn tell(&self, text: &str) {
        if let Ok(conversation) = self.conversation() {
            // Whether anybody reads it changes nothing.
            let _ = conversation.send(PAM_ERROR_MSG, text);
        }
    }
}

impl PamSession<'_> {
    fn conversation(&self) -> Result<Conv<'_>, Outcome> {
        self.0.get_item().ok().flatten().ok_or(Outcome::ConversationFailed)
    }
}

impl Answer for SecretBytes {
    fn text(&self) -> Option<&str> {
        self.as_str().ok()
    }
}

fn text(item: &CStr) -> String {
    item.to_string_lossy().into_owned()
}
