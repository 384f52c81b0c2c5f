//! What is said of an effect on the users of a `Match` block.

use super::phrases::{NO_EMPTY_PASSWORDS, root, root_fix};
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::sshd::config::effective::Effective;
use crate::host::sshd::ways::effect::{Effect, Proof};

/// Adds an effect on the users that a block matches. A bypass there may be intended and is a note.
/// A block that lets nobody in is a problem, and so is one that lets passwords alone in, or whose
/// users a guard disconnects.
pub(in super::super) fn for_match(
    place: &(String, usize),
    criteria: &str,
    effect: &Effect,
    config: &Effective,
    report: &mut Report,
) {
    let (id, message, fix) = judged(effect, config);
    let finding =
        Finding::new(id, format!("Match {criteria} {message}")).at(place.clone()).fix(fix);
    match effect {
        Effect::NobodyCanLogIn(_) | Effect::PasswordAlone | Effect::GuardEndsLogins => {
            report.problems.push(finding);
        }
        _ => report.notes.push(finding),
    }
}

/// Returns the finding for an effect: its id, what it says of the block, and the change to make. A
/// row for each of them.
fn judged(effect: &Effect, config: &Effective) -> (FindingId, String, String) {
    let ask = config.ask_keyword;
    match effect {
        Effect::NobodyCanLogIn(reason) => (
            FindingId::SshdMatchNobodyCanLogIn,
            format!("lets nobody in: {reason}"),
            way_in(config),
        ),
        Effect::PasswordAlone => (
            FindingId::SshdMatchPasswordAlone,
            format!(
                "lets users in by passwords alone, although PasswordAuthentication is no: {ask} is yes"
            ),
            format!("write {ask} no there and reload sshd, or run totpctl enable sshd"),
        ),
        // UsePAM applies to all users.
        Effect::NoPam | Effect::PamMissing | Effect::CannotAsk => (
            FindingId::SshdMatchCannotAsk,
            format!("cannot be asked for a code ({ask} no)"),
            format!("to ask for a code, write {ask} yes there"),
        ),
        Effect::EmptyPasswordFirst => (
            FindingId::SshdMatchCannotAsk,
            "cannot be asked for a code (PermitEmptyPasswords yes)".into(),
            format!("to ask for a code, {NO_EMPTY_PASSWORDS} there"),
        ),
        Effect::CodeAlone => (
            FindingId::SshdMatchCodeAlone,
            "lets users in by a code alone".into(),
            "to require a key too, write AuthenticationMethods publickey,keyboard-interactive there".into(),
        ),
        Effect::ServiceWithoutCode(service) => (
            FindingId::SshdMatchServiceWithoutCode,
            format!("uses the PAM service {service:?}, which asks for no code"),
            format!("run totpctl enable {service}"),
        ),
        Effect::Alone(proof) => {
            let (id, what, change) = alone(*proof);
            (id, format!("accepts {what}"), format!("to require a code, write {change} there"))
        }
        Effect::GuardEndsLogins => (
            FindingId::SshdMatchGuardEndsLogins,
            "lets in by a key or a ticket alone, and the guard ends each such connection".into(),
            "write AuthenticationMethods publickey,keyboard-interactive there".into(),
        ),
        Effect::MethodsWithoutCode(list) => (
            FindingId::SshdMatchMethodsWithoutCode,
            format!("asks for no code: AuthenticationMethods {list}"),
            format!("to require a code, write AuthenticationMethods {list},keyboard-interactive there"),
        ),
        Effect::PasswordCannotAnswer => (
            FindingId::SshdMatchPasswordCannotAnswer,
            "offers the method password, which cannot answer for a code".into(),
            "write PasswordAuthentication no there".into(),
        ),
        Effect::RootCannotLogIn(permit) => (
            FindingId::SshdMatchRootCannotLogIn,
            format!("applies to root: {}", root(*permit, config)),
            root_fix(config),
        ),
    }
}

/// Returns the change after which somebody can log in.
fn way_in(config: &Effective) -> String {
    let ask = config.ask_keyword;
    match config.lists {
        _ if config.fault.is_some() => "correct that line".to_owned(),
        Some(_) => {
            format!("use keyboard-interactive in AuthenticationMethods there, with {ask} yes")
        }
        None if config.tries_empty_password_first() => format!("{NO_EMPTY_PASSWORDS} there"),
        None => format!("write {ask} yes there"),
    }
}

/// Returns the finding, the phrase and the change for a proof that needs no code.
fn alone(proof: Proof) -> (FindingId, &'static str, &'static str) {
    match proof {
        Proof::Gssapi => (
            FindingId::SshdMatchGssapiAlone,
            "a Kerberos ticket alone",
            "AuthenticationMethods gssapi-with-mic,keyboard-interactive",
        ),
        Proof::Hostbased => (
            FindingId::SshdMatchHostbasedAlone,
            "a trusted host alone",
            "HostbasedAuthentication no",
        ),
        Proof::Kerberos => (
            FindingId::SshdMatchKerberosAlone,
            "a Kerberos password alone",
            "KerberosAuthentication no",
        ),
        Proof::Key => (
            FindingId::SshdMatchKeyAlone,
            "a key alone",
            "AuthenticationMethods publickey,keyboard-interactive",
        ),
    }
}
