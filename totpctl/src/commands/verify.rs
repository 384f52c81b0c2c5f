//! `totpctl verify`: verifies a code as a login does.

use serde_json::Value;
use totpd_interface::DictBuilder;
use totpd_interface::{Dictionary, verdict};

use crate::client::Client;
use crate::client::details;
use crate::error::Error;
use crate::terminal::{input, output};

pub(super) fn run(user: &str, json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let code = input::code("Verification code: ")?;
    let context: Dictionary = DictBuilder::new().with("service", "totpctl").into();
    let (verdict, details) =
        client.login(async |totpd| totpd.verify(user, &code, &context).await)?;
    let mut details = details::object(&details);
    let message = details::text(&details, "message");
    if json {
        details.insert("user".into(), user.into());
        details.insert("verdict".into(), verdict.as_str().into());
        output::json(&Value::from(details))?;
    }
    match verdict.as_str() {
        verdict::APPROVED if json => Ok(()),
        verdict::APPROVED => output::data("approved; this code is used up\n"),
        verdict::THROTTLED => Err(Error::reported(format!("throttled: {message}"))),
        _ => Err(Error::reported(
            "denied: the code is wrong, used, or older than the first valid one (see totpctl show)",
        )),
    }
}
