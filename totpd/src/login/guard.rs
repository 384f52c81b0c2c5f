//! The account phase. A login at which no code was given continues only if it needs none.
//!
//! sshd asks PAM for no authentication after a key, but always whether the account may be used.

use totpd_core::authorization::Operation;
use totpd_core::policy::{Decision, Requirement};
use totpd_interface::Error;
use totpd_interface::login::{GuardReply, LoginContext};

use crate::access::caller::Caller;
use crate::access::login_context::login_source;
use crate::audit::event::{Event, LoginEvent, LoginOutcome, LoginScene};
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::host::clock;
use crate::login::exemption::{self, Standing};
use crate::login::ruling::{self, Scene};

/// Judges a login at which no code was given. What `Begin` lets in without a code continues. Root
/// alone may ask.
///
/// # Errors
/// [`Error::NotAuthorized`]. The other errors of the contract.
pub(super) async fn judge(
    daemon: &Daemon,
    caller: Caller,
    user: &str,
    context: &LoginContext,
) -> Result<GuardReply, Error> {
    caller.must_be_allowed(Operation::Guard)?;
    let account = daemon.account_for(caller, user).await?;
    let source = &login_source(context, caller.uid);
    let login = LoginScene { caller, account: &account, context, source };
    let Standing { is_unenrolled, record: mut stored } =
        exemption::standing(daemon, &account).await?;
    let record = |event: LoginEvent<'_>| daemon.audit.record(&Event::Login(event));
    let (mut requirement, mut is_in_doubt) = (Requirement::DEFAULT, false);
    let rulebook = ruling::rulebook(daemon, caller);
    if let Some(rulebook) = &rulebook {
        let now = daemon.judging_time(rulebook);
        let lane = caller.lane();
        let scene = Scene { account: &account, is_unenrolled, context, now, lane };
        let by_rules = ruling::decision(daemon, rulebook, scene, None).await;
        Decision { requirement, is_in_doubt, .. } = by_rules;
        let asking = ruling::asking(daemon, login, &requirement);
        let pass =
            stored.as_mut().and_then(|stored| daemon.let_by(&account.key, stored, asking.as_ref()));
        if let Some(passage) = ruling::passage(&requirement, pass, context, clock::now()) {
            let message = exemption::let_by(daemon, login, passage);
            return Ok(GuardReply { is_let_by: true, message });
        }
    }
    let rule = requirement.rule().map(|rule| &rule.name);
    if context.nullok && ruling::allows_nullok(&requirement) && is_unenrolled {
        let event = LoginEvent::new(login, LoginOutcome::Skipped, Reason::SkippedNotEnrolled);
        record(LoginEvent { rule, ..event });
        return Ok(GuardReply { is_let_by: true, message: None });
    }
    let (reason, message) = match requirement {
        Requirement::Deny(_) => (Reason::DeniedByRule, REFUSED.to_owned()),
        _ if is_unenrolled => (Reason::NotEnrolled, NO_FACTOR.to_owned()),
        _ => (Reason::CodeNotGiven, needs_code(context.service.as_deref())),
    };
    let event = LoginEvent::new(login, LoginOutcome::Denied, reason);
    record(LoginEvent { rule, is_in_doubt, ..event });
    Ok(GuardReply { is_let_by: false, message: Some(message) })
}

/// Returns the text for a user who has a factor. Only the text for ssh has two lines: cockpit puts
/// a text into JSON as it is.
fn needs_code(service: Option<&str>) -> String {
    match service {
        Some("sshd") => format!("{NEEDS_CODE}\n{HOW_BY_SSH}"),
        _ => NEEDS_CODE.to_owned(),
    }
}

const NEEDS_CODE: &str = "This login needs a second factor, and asked for none.";
const HOW_BY_SSH: &str = "Try: ssh -o PreferredAuthentications=keyboard-interactive";
const NO_FACTOR: &str = "You need a second factor here. Ask your administrator.";
const REFUSED: &str = "A rule refuses this login. Ask your administrator.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::prompt::MAX_COLUMNS;

    #[test]
    fn every_text_is_on_the_page_of_messages_and_short() {
        let page = include_str!("../../../docs/reference/messages.md");
        for text in [NEEDS_CODE, HOW_BY_SSH, NO_FACTOR, REFUSED] {
            assert!(page.contains(&format!("`{text}`")), "{text}");
            assert!(text.len() < MAX_COLUMNS, "{text}");
        }
    }

    #[test]
    fn a_text_outside_of_ssh_is_one_line_without_quotes() {
        for text in [&needs_code(Some("cockpit")), &needs_code(None), NO_FACTOR, REFUSED] {
            assert!(!text.contains(['\n', '"', '\\']), "{text}");
        }
        assert_eq!(needs_code(Some("sshd")).lines().count(), 2);
    }
}
