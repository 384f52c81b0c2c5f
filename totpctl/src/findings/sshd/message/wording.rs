//! What is said of an effect: of everybody, and beside it of the users of a `Match` block.

use super::phrases::{KEY_AND_CODE, LISTS, NO_EMPTY_PASSWORDS, for_root, root, root_fix};
use crate::findings::finding::FindingId;
use crate::host::sshd::config::effective::Effective;
use crate::host::sshd::ways::effect::{Effect, Proof};
use crate::sshd_drop_in::content::COMMAND;

/// Both wordings of an effect.
pub(super) struct Wording {
    pub(super) severity: Severity,
    /// The keywords of sshd whose line may cause it.
    pub(super) keywords: Vec<&'static str>,
    pub(super) everybody: Advice,
    /// Its message begins behind the criteria of the block.
    pub(super) block: Advice,
}

/// How bad an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Note,
    /// A problem, in a block too.
    Problem,
    /// A problem; in a block a note.
    ProblemForAll,
}

impl Severity {
    pub(super) fn is_problem_for_all(self) -> bool {
        self != Self::Note
    }
}

/// What a finding says.
pub(super) struct Advice {
    pub(super) id: FindingId,
    pub(super) message: String,
    /// The change to make.
    pub(super) fix: String,
}

fn says(id: FindingId, message: impl Into<String>, fix: impl Into<String>) -> Advice {
    Advice { id, message: message.into(), fix: fix.into() }
}

/// Returns the wordings of an effect. A row for each of them.
pub(super) fn wording(effect: &Effect, config: &Effective) -> Wording {
    let ask = config.ask_keyword;
    let row = |severity, keywords: &[&'static str], everybody, block| Wording {
        severity,
        keywords: keywords.to_vec(),
        everybody,
        block,
    };
    // UsePAM applies to all users.
    let block_cannot_ask = || {
        says(
            FindingId::SshdMatchCannotAsk,
            format!("cannot be asked for a code ({ask} no)"),
            format!("to ask for a code, write {ask} yes there"),
        )
    };
    match effect {
        Effect::NobodyCanLogIn(reason) => {
            let (keywords, fix) = way_in(config);
            row(
                Severity::Problem,
                &keywords,
                says(FindingId::SshdNobodyCanLogIn, format!("sshd lets nobody in: {reason}"), fix),
                says(
                    FindingId::SshdMatchNobodyCanLogIn,
                    format!("lets nobody in: {reason}"),
                    way_into_block(config),
                ),
            )
        }
        Effect::PasswordAlone => row(
            Severity::Problem,
            &[ask],
            says(
                FindingId::SshdPasswordAlone,
                format!(
                    "passwords alone let users in: {ask} is yes although PasswordAuthentication is no, and the \
                     stack asks for no code"
                ),
                format!("write {ask} no and reload sshd, or run totpctl enable sshd"),
            ),
            says(
                FindingId::SshdMatchPasswordAlone,
                format!(
                    "lets users in by passwords alone, although PasswordAuthentication is no: {ask} is yes"
                ),
                format!("write {ask} no there and reload sshd, or run totpctl enable sshd"),
            ),
        ),
        Effect::NoPam => row(
            Severity::ProblemForAll,
            &["UsePAM"],
            says(
                FindingId::SshdWithoutPam,
                "sshd does not use PAM",
                format!("run {COMMAND}, or write UsePAM yes in sshd_config"),
            ),
            block_cannot_ask(),
        ),
        Effect::PamMissing => row(
            Severity::ProblemForAll,
            &[],
            says(
                FindingId::SshdWithoutPam,
                "this sshd is built without PAM, so it never asks for a code",
                "install an sshd that has PAM (openssh-server-pam on Alpine)",
            ),
            block_cannot_ask(),
        ),
        Effect::CannotAsk => row(
            Severity::ProblemForAll,
            &[ask],
            says(
                FindingId::SshdCannotAsk,
                format!("sshd cannot ask for a code, because {ask} is no"),
                ask_first(config),
            ),
            block_cannot_ask(),
        ),
        Effect::EmptyPasswordFirst => row(
            Severity::ProblemForAll,
            &["PermitEmptyPasswords"],
            says(
                FindingId::SshdCannotAsk,
                "sshd cannot ask for a code: with PermitEmptyPasswords yes it tries an empty password, then drops \
                 each login by keyboard-interactive",
                NO_EMPTY_PASSWORDS,
            ),
            says(
                FindingId::SshdMatchCannotAsk,
                "cannot be asked for a code (PermitEmptyPasswords yes)",
                format!("to ask for a code, {NO_EMPTY_PASSWORDS} there"),
            ),
        ),
        Effect::CodeAlone => row(
            Severity::ProblemForAll,
            &[LISTS],
            says(
                FindingId::SshdCodeAlone,
                "a code alone lets a user in: the stack checks no password, and sshd requires no key",
                format!("write {KEY_AND_CODE}, or put the password before the line of pam_totp.so"),
            ),
            says(
                FindingId::SshdMatchCodeAlone,
                "lets users in by a code alone",
                format!("to require a key too, write {KEY_AND_CODE} there"),
            ),
        ),
        Effect::ServiceWithoutCode(service) => row(
            Severity::ProblemForAll,
            &["PAMServiceName"],
            says(
                FindingId::SshdServiceWithoutCode,
                format!(
                    "sshd uses the PAM service {service:?} (PAMServiceName), which asks for no code"
                ),
                format!("run totpctl enable {service}"),
            ),
            says(
                FindingId::SshdMatchServiceWithoutCode,
                format!("uses the PAM service {service:?}, which asks for no code"),
                format!("run totpctl enable {service}"),
            ),
        ),
        Effect::Alone(proof) => {
            let (keyword, everybody, block) = alone(*proof, config);
            row(Severity::Note, &[keyword], everybody, block)
        }
        Effect::GuardEndsLogins => row(
            Severity::Problem,
            &[LISTS],
            says(
                FindingId::SshdGuardEndsLogins,
                "the guard disconnects clients that offer a key or a ticket, unless a rule or nullok lets the user by",
                format!("write {KEY_AND_CODE}"),
            ),
            says(
                FindingId::SshdMatchGuardEndsLogins,
                "lets in by a key or ticket alone; the guard refuses, unless a rule or nullok lets the user by",
                format!("write {KEY_AND_CODE} there"),
            ),
        ),
        Effect::MethodsWithoutCode(list) => row(
            Severity::Note,
            &[LISTS],
            says(
                FindingId::SshdMethodsWithoutCode,
                format!("{LISTS} {list} asks for no code"),
                format!("to require a code too, write {LISTS} {list},keyboard-interactive"),
            ),
            says(
                FindingId::SshdMatchMethodsWithoutCode,
                format!("asks for no code: {LISTS} {list}"),
                format!("to require a code, write {LISTS} {list},keyboard-interactive there"),
            ),
        ),
        Effect::PasswordCannotAnswer { is_for_all } => row(
            Severity::Note,
            &["PasswordAuthentication"],
            says(
                FindingId::SshdPasswordCannotAnswer,
                "the ssh method \"password\" cannot be answered with a code: sshd sends the password to every \
                 prompt; a client that tries this method first is refused",
                // The command leaves the method on where users without a factor may use it.
                match is_for_all {
                    true => format!("run {COMMAND}, or write PasswordAuthentication no"),
                    false => "write PasswordAuthentication no".to_owned(),
                },
            ),
            says(
                FindingId::SshdMatchPasswordCannotAnswer,
                "offers the method password, which cannot answer for a code",
                "write PasswordAuthentication no there",
            ),
        ),
        Effect::RootCannotLogIn { permit, is_guarded } => row(
            Severity::Note,
            &["PermitRootLogin", LISTS],
            says(
                FindingId::SshdRootCannotLogIn,
                root(*permit, *is_guarded, config),
                root_fix(*is_guarded, config),
            ),
            says(
                FindingId::SshdMatchRootCannotLogIn,
                format!("applies to root: {}", root(*permit, *is_guarded, config)),
                root_fix(*is_guarded, config),
            ),
        ),
    }
}

/// Returns the keyword and both wordings of a proof that needs no code.
fn alone(proof: Proof, config: &Effective) -> (&'static str, Advice, Advice) {
    let everybody = |id, what: &str, fix: String| says(id, format!("{what} is enough"), fix);
    let block = |id, what: &str, change: &str| {
        says(id, format!("accepts {what}"), format!("to require a code, write {change} there"))
    };
    let both_or_off = |keyword: &str| {
        format!("to require a code too, write {KEY_AND_CODE}, or turn it off with {keyword} no")
    };
    match proof {
        Proof::Gssapi => (
            "GSSAPIAuthentication",
            everybody(
                FindingId::SshdGssapiAlone,
                "a Kerberos ticket alone (gssapi)",
                both_or_off("GSSAPIAuthentication"),
            ),
            block(
                FindingId::SshdMatchGssapiAlone,
                "a Kerberos ticket alone",
                "AuthenticationMethods gssapi-with-mic,keyboard-interactive",
            ),
        ),
        Proof::Hostbased => (
            "HostbasedAuthentication",
            everybody(
                FindingId::SshdHostbasedAlone,
                "a trusted host alone (hostbased)",
                both_or_off("HostbasedAuthentication"),
            ),
            block(
                FindingId::SshdMatchHostbasedAlone,
                "a trusted host alone",
                "HostbasedAuthentication no",
            ),
        ),
        Proof::Kerberos => (
            "KerberosAuthentication",
            everybody(
                FindingId::SshdKerberosAlone,
                "a Kerberos password alone",
                "write KerberosAuthentication no, and have PAM ask the KDC (pam_krb5, pam_sss)"
                    .into(),
            ),
            block(
                FindingId::SshdMatchKerberosAlone,
                "a Kerberos password alone",
                "KerberosAuthentication no",
            ),
        ),
        Proof::Key => (
            "PubkeyAuthentication",
            everybody(
                FindingId::SshdKeyAlone,
                "a key alone",
                format!(
                    "to require key and code, write {KEY_AND_CODE}{}; to refuse keys, write {LISTS} keyboard-interactive",
                    for_root(config)
                ),
            ),
            block(FindingId::SshdMatchKeyAlone, "a key alone", KEY_AND_CODE),
        ),
    }
}

/// Returns the keywords, and the change after which somebody can log in.
fn way_in(config: &Effective) -> (Vec<&'static str>, String) {
    let ask = config.ask_keyword;
    match config.lists {
        Some(_) => (
            vec![LISTS, "PasswordAuthentication"],
            format!("write {KEY_AND_CODE} or {LISTS} keyboard-interactive, and {ask} yes"),
        ),
        None if config.tries_empty_password_first() => {
            (vec!["PermitEmptyPasswords"], NO_EMPTY_PASSWORDS.to_owned())
        }
        None => (vec![ask, "PasswordAuthentication"], ask_first(config)),
    }
}

/// Returns the change after which a user that a block matches can log in.
fn way_into_block(config: &Effective) -> String {
    let ask = config.ask_keyword;
    match config.lists {
        _ if config.fault.is_some() => "correct that line".to_owned(),
        Some(_) => format!("use keyboard-interactive in {LISTS} there, with {ask} yes"),
        None if config.tries_empty_password_first() => format!("{NO_EMPTY_PASSWORDS} there"),
        None => format!("write {ask} yes there"),
    }
}

/// Returns the change after which sshd can ask.
fn ask_first(config: &Effective) -> String {
    let ask = config.ask_keyword;
    format!(
        "run {COMMAND}, or write {ask} yes in sshd_config, before any line or drop-in that says no"
    )
}
