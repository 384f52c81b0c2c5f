//! What is said of an effect on all users.

use super::super::roll_out::Remark;
use super::phrases::{NO_EMPTY_PASSWORDS, root, root_fix};
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::sshd::config::effective::Effective;
use crate::host::sshd::config::trace::Trace;
use crate::host::sshd::ways::effect::{Effect, Proof};

/// Adds an effect on all users, with the line that causes it. `remark` says who is asked in a
/// block, if the effect is meant for the rest. It is then a note, if it is harmless.
pub(in super::super) fn for_all(
    effect: &Effect,
    config: &Effective,
    trace: &Trace,
    remark: Option<&Remark>,
    report: &mut Report,
) {
    let Judged { is_problem, finding, keywords } = judged(effect, config);
    let finding = match remark {
        Some(remark) => finding.remark(&remark.text),
        None => finding,
    };
    let finding = with_cause(finding, trace, &keywords);
    if is_problem && !remark.is_some_and(|remark| remark.is_harmless) {
        report.problems.push(finding);
    } else {
        report.notes.push(finding);
    }
}

/// Adds where the cause stands: the line that has one of the keywords, the option that sshd was
/// started with, or else the file.
fn with_cause(finding: Finding, trace: &Trace, keywords: &[&str]) -> Finding {
    if let Some(place) = trace.place(keywords) {
        finding.at(place)
    } else if let Some(keyword) = trace.option(keywords) {
        finding
            .remark(&format!("sshd was started with -o {keyword}"))
            .fix(format!("change that option: {OPTIONS}, and restart sshd"))
    } else if let Some(file) = &trace.file {
        finding.in_file(file.clone())
    } else {
        finding
    }
}

/// The finding for an effect.
struct Judged {
    is_problem: bool,
    finding: Finding,
    /// The keywords of sshd whose line may cause it.
    keywords: Vec<&'static str>,
}

fn problem(
    id: FindingId,
    message: impl Into<String>,
    fix: impl Into<String>,
    keywords: &[&'static str],
) -> Judged {
    let finding = Finding::new(id, message).fix(fix);
    Judged { is_problem: true, finding, keywords: keywords.to_vec() }
}

fn note(
    id: FindingId,
    message: impl Into<String>,
    fix: impl Into<String>,
    keywords: &[&'static str],
) -> Judged {
    Judged { is_problem: false, ..problem(id, message, fix, keywords) }
}

/// Returns the finding for an effect. A row for each of them.
fn judged(effect: &Effect, config: &Effective) -> Judged {
    let ask = config.ask_keyword;
    match effect {
        Effect::NobodyCanLogIn(reason) => nobody_can_log_in(reason, config),
        Effect::CannotAsk => problem(
            FindingId::SshdCannotAsk,
            format!("sshd cannot ask for a code, because {ask} is no"),
            ask_first(config),
            &[ask],
        ),
        Effect::EmptyPasswordFirst => problem(
            FindingId::SshdCannotAsk,
            "sshd cannot ask for a code: with PermitEmptyPasswords yes it tries an empty password, then drops \
             each login by keyboard-interactive",
            NO_EMPTY_PASSWORDS,
            &["PermitEmptyPasswords"],
        ),
        Effect::CodeAlone => problem(
            FindingId::SshdCodeAlone,
            "a code alone lets a user in: the stack checks no password, and sshd requires no key",
            format!("{KEY_AND_CODE}, or put the password before the line of pam_totp.so"),
            &[LISTS],
        ),
        Effect::ServiceWithoutCode(service) => problem(
            FindingId::SshdServiceWithoutCode,
            format!(
                "sshd uses the PAM service {service:?} (PAMServiceName), which asks for no code"
            ),
            format!("run totpctl enable {service}"),
            &["PAMServiceName"],
        ),
        Effect::Alone(proof) => alone(*proof),
        Effect::GuardEndsLogins => problem(
            FindingId::SshdGuardEndsLogins,
            "the guard disconnects each client that offers a key or a ticket, before it comes to the code",
            KEY_AND_CODE,
            &[LISTS],
        ),
        Effect::MethodsWithoutCode(list) => note(
            FindingId::SshdMethodsWithoutCode,
            format!("{LISTS} {list} asks for no code"),
            format!("to require a code too, write {LISTS} {list},keyboard-interactive"),
            &[LISTS],
        ),
        Effect::NoPam => problem(
            FindingId::SshdWithoutPam,
            "sshd does not use PAM",
            "run totpctl enable sshd --write-sshd, or write UsePAM yes in sshd_config",
            &["UsePAM"],
        ),
        Effect::PamMissing => problem(
            FindingId::SshdWithoutPam,
            "this sshd is built without PAM, so it never asks for a code",
            "install an sshd that has PAM (openssh-server-pam on Alpine)",
            &[],
        ),
        Effect::PasswordCannotAnswer => note(
            FindingId::SshdPasswordCannotAnswer,
            "the ssh method \"password\" cannot be answered with a code: sshd sends the password to every \
             prompt; a client that tries this method first is refused",
            "write PasswordAuthentication no",
            &["PasswordAuthentication"],
        ),
        Effect::PasswordAlone => problem(
            FindingId::SshdPasswordAlone,
            format!(
                "passwords alone let users in: {ask} is yes although PasswordAuthentication is no, and the \
                 stack asks for no code"
            ),
            format!("write {ask} no and reload sshd, or run totpctl enable sshd"),
            &[ask],
        ),
        Effect::RootCannotLogIn(permit) => note(
            FindingId::SshdRootCannotLogIn,
            root(*permit, config),
            root_fix(config),
            &["PermitRootLogin", LISTS],
        ),
    }
}

fn nobody_can_log_in(reason: &str, config: &Effective) -> Judged {
    let ask = config.ask_keyword;
    let (fix, keywords) = match config.lists {
        Some(_) => (
            format!("{KEY_AND_CODE} or {LISTS} keyboard-interactive, and {ask} yes"),
            vec![LISTS, "PasswordAuthentication"],
        ),
        None if config.tries_empty_password_first() => {
            (NO_EMPTY_PASSWORDS.to_owned(), vec!["PermitEmptyPasswords"])
        }
        None => (ask_first(config), vec![ask, "PasswordAuthentication"]),
    };
    problem(FindingId::SshdNobodyCanLogIn, format!("sshd lets nobody in: {reason}"), fix, &keywords)
}

/// Returns the finding for a proof that needs no code.
fn alone(proof: Proof) -> Judged {
    let (id, what, keyword) = match proof {
        Proof::Gssapi => {
            (FindingId::SshdGssapiAlone, "a Kerberos ticket alone (gssapi)", "GSSAPIAuthentication")
        }
        Proof::Hostbased => (
            FindingId::SshdHostbasedAlone,
            "a trusted host alone (hostbased)",
            "HostbasedAuthentication",
        ),
        Proof::Kerberos => {
            (FindingId::SshdKerberosAlone, "a Kerberos password alone", "KerberosAuthentication")
        }
        Proof::Key => (FindingId::SshdKeyAlone, "a key alone", "PubkeyAuthentication"),
    };
    let fix = match proof {
        Proof::Kerberos => {
            "write KerberosAuthentication no, and have PAM ask the KDC (pam_krb5, pam_sss)".into()
        }
        Proof::Key => format!(
            "to require key and code, {KEY_AND_CODE}; to refuse keys, write {LISTS} keyboard-interactive"
        ),
        _ => format!("to require a code too, {KEY_AND_CODE}, or turn it off with {keyword} no"),
    };
    note(id, format!("{what} is enough"), fix, &[keyword])
}

/// Returns the change after which sshd can ask.
fn ask_first(config: &Effective) -> String {
    let ask = config.ask_keyword;
    format!(
        "run totpctl enable sshd --write-sshd, or write {ask} yes in sshd_config, before any line or drop-in that \
         says no"
    )
}

const LISTS: &str = "AuthenticationMethods";
const KEY_AND_CODE: &str = "write AuthenticationMethods publickey,keyboard-interactive";
const OPTIONS: &str = "it stands in the unit of sshd, or in SSHD_OPTS of /etc/default/ssh";
