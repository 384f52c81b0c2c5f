//! The findings for the effects of sshd's configuration.

use super::rest::Remark;
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::sshd::config::effective::{Effective, RootLogin};
use crate::host::sshd::config::method::Method;
use crate::host::sshd::config::trace::Trace;
use crate::host::sshd::ways::effect::{Effect, Proof};

/// Adds an effect on all users, with the line that causes it. `remark` says who is asked in a
/// block, if the effect is meant for the rest. It is then a note, if it is harmless.
pub(super) fn for_all(
    effect: &Effect,
    config: &Effective,
    trace: &Trace,
    remark: Option<&Remark>,
    report: &mut Report,
) {
    let ask = config.ask_keyword;
    let lists = "AuthenticationMethods";
    let key_and_code = format!("write {lists} publickey,keyboard-interactive");
    let ask_first = format!(
        "run totpctl enable sshd --write-sshd, or write {ask} yes in sshd_config, before any line or drop-in that says no"
    );
    let (is_problem, finding, keywords) = match effect {
        Effect::NobodyCanLogIn(reason) => (
            true,
            Finding::new(
                FindingId::SshdNobodyCanLogIn,
                format!("sshd lets nobody in: {reason}"),
            )
            .fix(match config.lists {
                Some(_) => format!("{key_and_code} or {lists} keyboard-interactive, and {ask} yes"),
                None if config.tries_empty_password_first() => NO_EMPTY_PASSWORDS.into(),
                None => ask_first,
            }),
            match config.lists {
                Some(_) => vec![lists, "PasswordAuthentication"],
                None if config.tries_empty_password_first() => vec!["PermitEmptyPasswords"],
                None => vec![ask, "PasswordAuthentication"],
            },
        ),
        Effect::CannotAsk => (
            true,
            Finding::new(FindingId::SshdCannotAsk, format!("sshd cannot ask for a code, because {ask} is no"))
                .fix(ask_first),
            vec![ask],
        ),
        Effect::EmptyPasswordFirst => (
            true,
            Finding::new(
                FindingId::SshdCannotAsk,
                "sshd cannot ask for a code: with PermitEmptyPasswords yes it tries an empty password first, and then \
                 drops each login by keyboard-interactive",
            )
            .fix(NO_EMPTY_PASSWORDS),
            vec!["PermitEmptyPasswords"],
        ),
        Effect::CodeAlone => (
            true,
            Finding::new(
                FindingId::SshdCodeAlone,
                "a code alone lets a user in: the stack checks no password, and sshd requires no key",
            )
            .fix(format!("{key_and_code}, or put the password before the line of pam_totp.so")),
            vec![lists],
        ),
        Effect::ServiceWithoutCode(service) => (
            true,
            Finding::new(
                FindingId::SshdServiceWithoutCode,
                format!("sshd uses the PAM service {service:?} (PAMServiceName), which asks for no code"),
            )
            .fix(format!("run totpctl enable {service}")),
            vec!["PAMServiceName"],
        ),
        Effect::Alone(proof) => {
            let (id, what, keyword) = alone(*proof);
            let fix = match proof {
                Proof::Kerberos => "write KerberosAuthentication no, and have PAM ask the KDC (pam_krb5, pam_sss)".into(),
                Proof::Key => {
                    format!("to require key and code, {key_and_code}; to refuse keys, write {lists} keyboard-interactive")
                }
                _ => format!("to require a code too, {key_and_code}, or turn it off with {keyword} no"),
            };
            (false, Finding::new(id, format!("{what} is enough")).fix(fix), vec![keyword])
        }
        Effect::MethodsWithoutCode(list) => (
            false,
            Finding::new(
                FindingId::SshdMethodsWithoutCode,
                format!("{lists} {list} asks for no code"),
            )
            .fix(format!("to require a code too, write {lists} {list},keyboard-interactive")),
            vec![lists],
        ),
        Effect::NoPam => (
            true,
            Finding::new(FindingId::SshdWithoutPam, "sshd does not use PAM")
                .fix("run totpctl enable sshd --write-sshd, or write UsePAM yes in sshd_config"),
            vec!["UsePAM"],
        ),
        Effect::PamMissing => (
            true,
            Finding::new(FindingId::SshdWithoutPam, "this sshd is built without PAM, so it never asks for a code")
                .fix("install an sshd that has PAM (openssh-server-pam on Alpine)"),
            Vec::new(),
        ),
        Effect::PasswordCannotAnswer => (
            false,
            Finding::new(
                FindingId::SshdPasswordCannotAnswer,
                "the ssh method \"password\" cannot be answered with a code: sshd sends the password to every \
                 prompt; a client that tries this method first is refused",
            )
            .fix("write PasswordAuthentication no"),
            vec!["PasswordAuthentication"],
        ),
        Effect::PasswordAlone => (
            true,
            Finding::new(
                FindingId::SshdPasswordAlone,
                format!("PasswordAuthentication is no, but passwords alone let users in: {ask} is yes, and \
                         the stack of sshd asks for no code"),
            )
            .fix(format!("write {ask} no and reload sshd, or run totpctl enable sshd")),
            vec![ask],
        ),
        Effect::RootCannotLogIn(permit) => (
            false,
            Finding::new(FindingId::SshdRootCannotLogIn, root(*permit, config)).fix(root_fix(config)),
            vec!["PermitRootLogin", lists],
        ),
    };
    let is_problem = is_problem && !remark.is_some_and(|remark| remark.is_harmless);
    let finding = match remark {
        Some(remark) => finding.remark(&remark.text),
        None => finding,
    };
    let finding = match trace.place(&keywords) {
        Some(place) => finding.at(place),
        None if let Some(keyword) = trace.option(&keywords) => finding
            .remark(&format!("sshd was started with -o {keyword}"))
            .fix(format!("change that option: {OPTIONS}, and restart sshd")),
        None => match &trace.file {
            Some(file) => finding.in_file(file.clone()),
            None => finding,
        },
    };
    if is_problem { report.problems.push(finding) } else { report.notes.push(finding) }
}

/// Adds an effect on the users that a block matches. A bypass there may be intended and is a note.
/// A block that lets nobody in is a problem.
pub(super) fn for_match(
    place: &(String, usize),
    criteria: &str,
    effect: &Effect,
    config: &Effective,
    report: &mut Report,
) {
    let finding = |id, message: String| {
        Finding::new(id, format!("Match {criteria} {message}")).at(place.clone())
    };
    report.notes.push(match effect {
        Effect::NobodyCanLogIn(reason) => {
            let problem =
                finding(FindingId::SshdMatchNobodyCanLogIn, format!("lets nobody in: {reason}"));
            let ask = config.ask_keyword;
            report.problems.push(problem.fix(match config.lists {
                _ if config.fault.is_some() => "correct that line".to_owned(),
                Some(_) => {
                    format!(
                        "use keyboard-interactive in AuthenticationMethods there, with {ask} yes"
                    )
                }
                None if config.tries_empty_password_first() => {
                    format!("{NO_EMPTY_PASSWORDS} there")
                }
                None => format!("write {ask} yes there"),
            }));
            return;
        }
        Effect::PasswordAlone => {
            let ask = config.ask_keyword;
            let problem = finding(
                FindingId::SshdMatchPasswordAlone,
                format!("lets users in by passwords alone, although PasswordAuthentication is no: {ask} is yes"),
            );
            report.problems.push(problem.fix(format!("write {ask} no there and reload sshd, or run totpctl enable sshd")));
            return;
        }
        // UsePAM applies to all users.
        Effect::NoPam | Effect::PamMissing | Effect::CannotAsk => finding(
            FindingId::SshdMatchCannotAsk,
            format!("cannot be asked for a code ({} no)", config.ask_keyword),
        )
        .fix(format!("to ask for a code, write {} yes there", config.ask_keyword)),
        Effect::EmptyPasswordFirst => {
            finding(FindingId::SshdMatchCannotAsk, "cannot be asked for a code (PermitEmptyPasswords yes)".into())
                .fix(format!("to ask for a code, {NO_EMPTY_PASSWORDS} there"))
        }
        Effect::CodeAlone => {
            finding(FindingId::SshdMatchCodeAlone, "lets users in by a code alone".into())
                .fix("to require a key too, write AuthenticationMethods publickey,keyboard-interactive there")
        }
        Effect::ServiceWithoutCode(service) => finding(
            FindingId::SshdMatchServiceWithoutCode,
            format!("uses the PAM service {service:?}, which asks for no code"),
        )
        .fix(format!("run totpctl enable {service}")),
        Effect::Alone(proof) => {
            let (id, what, change) = match proof {
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
            };
            finding(id, format!("accepts {what}"))
                .fix(format!("to require a code, write {change} there"))
        }
        Effect::MethodsWithoutCode(list) => finding(
            FindingId::SshdMatchMethodsWithoutCode,
            format!("asks for no code: AuthenticationMethods {list}"),
        )
        .fix(format!("to require a code, write AuthenticationMethods {list},keyboard-interactive there")),
        Effect::PasswordCannotAnswer => finding(
            FindingId::SshdMatchPasswordCannotAnswer,
            "offers the method password, which cannot answer for a code".into(),
        )
        .fix("write PasswordAuthentication no there"),
        Effect::RootCannotLogIn(permit) => finding(
            FindingId::SshdMatchRootCannotLogIn,
            format!("applies to root: {}", root(*permit, config)),
        )
        .fix(root_fix(config)),
    });
}

/// Returns the finding, the phrase and the keyword for a proof that needs no code.
fn alone(proof: Proof) -> (FindingId, &'static str, &'static str) {
    match proof {
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
    }
}

fn root(permit: RootLogin, config: &Effective) -> String {
    let reason = match &config.lists {
        Some(_) => "AuthenticationMethods requires an answer to PAM, and ",
        None => "",
    };
    let value = permit.value();
    format!(
        "root cannot log in: {reason}with PermitRootLogin {value} sshd gives PAM a wrong answer, whatever root types"
    )
}

/// Returns the change to make, after which root still needs a key.
fn root_fix(config: &Effective) -> String {
    let lists = config.lists.iter().flatten();
    let mut usable = lists.filter(|list| config.disabled_method(list).is_none()).peekable();
    let has_key =
        |list: &String| list.split(',').any(|name| Method::parse(name) == Some(Method::PublicKey));
    if usable.peek().is_some() && usable.all(has_key) {
        return "if root is to log in, write PermitRootLogin yes; AuthenticationMethods still requires a key"
            .into();
    }
    let key = match config.is_enabled(Method::PublicKey) {
        true => "",
        false => "PubkeyAuthentication yes, ",
    };
    format!(
        "if root is to log in, write {key}PermitRootLogin yes and AuthenticationMethods \
         publickey,keyboard-interactive in a block \"Match User root\"; PermitRootLogin yes by itself would let \
         root in without a key"
    )
}

const OPTIONS: &str = "it stands in the unit of sshd, or in SSHD_OPTS of /etc/default/ssh";
const NO_EMPTY_PASSWORDS: &str = "write PermitEmptyPasswords no";
