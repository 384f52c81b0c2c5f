//! `totpctl enroll`: creates a factor, from the QR code to its first code.

use serde_json::{Map, Value, json};
use totpd_formats::import::Token;
use totpd_interface::{Dictionary, Error as DaemonError};
use zbus::Variant;
use zeroize::Zeroizing;

use self::existing_token::Parameters;
use self::qr_file::QrFile;
use self::without_code::Pending;
use crate::cli::Enroll;
use crate::client::{Client, details};
use crate::commands::confirm::verified;
use crate::commands::current_code::current_code;
use crate::commands::next_step::next_step;
use crate::error::Error;
use crate::pam::asking_services::asking_services;
use crate::terminal::recovery_codes::{self, NewFile};
use crate::terminal::{input, output};

pub(super) mod batch;
mod existing_token;
mod new_factor;
mod qr_file;
mod screen;
mod sheet;
mod verification;
mod without_code;

pub(super) fn run(user: &str, options: &Enroll, json: bool) -> Result<(), Error> {
    // Do all that can fail before the factor exists.
    if options.no_confirm && !options.secret_stdin && options.qr_file.is_none() {
        output::check_is_read("nobody would see the key; use a file or --qr-file")?;
    }
    let qr_file = options.qr_file.as_deref().map(QrFile::create).transpose()?;
    let save = options.save.as_deref().map(|path| NewFile::create("--save", path)).transpose()?;
    let client = Client::for_own_account(user)?;
    let token = if options.secret_stdin { Some(existing_token::read()?) } else { None };
    let code = current_code(&client, user)?;
    let request = request(options, token.as_ref(), &code)?;
    let reply = client.manager(async |totpd| match totpd.enroll(user, &request).await {
        Err(DaemonError::AlreadyEnrolled(_)) if options.if_unenrolled => Ok(None),
        other => other.map(Some),
    })?;
    let Some((factor, uri, details)) = reply else { return print_unchanged(user, json) };
    let (uri, details) = (Zeroizing::new(uri), details::object(&details));
    if options.no_confirm {
        let pending = Pending { user, factor: &factor, uri: &uri, details };
        pending.finish(&client, options, (qr_file, save), json)?;
        if !json {
            announce_next_step(user);
        }
        return Ok(());
    }
    let written = qr_file.map_or(Ok(()), |file| file.fill(&uri)).and_then(|()| match json {
        true => {
            let mut object = new_factor::pending(user, &factor, &uri, &details);
            object.extend(new_factor::verified(&details));
            output::json(&object.into())
        }
        false => {
            if let Some(replacement) = replacement(user, &details) {
                output::note(&replacement);
            }
            screen::show(&uri, options, &details)
        }
    });
    written.map_err(|error| {
        error.with_consequence(&format!(
            "factor {factor} is pending, and an earlier factor of {user} stays valid"
        ))
    })?;
    if json {
        output::note(&later(user, &factor));
        return Ok(());
    }
    confirm(&client, user, &factor, (options.secret_stdin, save))?;
    announce_next_step(user);
    Ok(())
}

/// Returns what becomes of the factors that the new one replaces. A person who reads it keeps the
/// old entry of the app.
fn replacement(user: &str, details: &Map<String, Value>) -> Option<String> {
    let replaced = details::texts(details, "replaces");
    if replaced.is_empty() {
        return None;
    }
    let (factors, they_stay) = match replaced.len() {
        1 => ("a factor".to_owned(), "It stays"),
        number => (format!("{number} factors"), "They stay"),
    };
    let (issuer, account) =
        (details::escape_text(details, "issuer"), details::escape_text(details, "account"));
    Some(format!(
        "{user} has {factors} already: {}. {they_stay} valid until the first code of the new one.\n\
         The new entry of the app is \"{issuer}: {account}\". Keep the old entry until then.\n",
        replaced.join(", ")
    ))
}

/// Reports that the user is enrolled already (`--if-unenrolled`).
fn print_unchanged(user: &str, json: bool) -> Result<(), Error> {
    if json {
        return output::json(&json!({ "user": user, "changed": false }));
    }
    output::note(&format!("{user} is enrolled already; nothing is changed."));
    Ok(())
}

/// Asks for the first code until it is right or the daemon removes the factor.
fn confirm(
    client: &Client,
    user: &str,
    factor: &str,
    (is_token, save): (bool, Option<NewFile>),
) -> Result<(), Error> {
    loop {
        let Some(code) = input::line("Code that the app shows: ")? else {
            return Err(Error::refused(later(user, factor)));
        };
        let reply =
            client.manager(async |totpd| match totpd.confirm(user, factor, &code).await {
                Err(DaemonError::InvalidCode(reason)) => Ok(Err(reason)),
                other => other.map(Ok),
            })?;
        match reply {
            Err(reason) => {
                output::note(&format!("totpctl: {reason}"));
                if reason.contains("The clock of your phone") {
                    output::note(match client.clock_is_synchronized() {
                        Some(true) => "The clock of this machine is synchronized.",
                        Some(false) => "The clock of this machine is not synchronized either.",
                        None => "Cannot tell whether the clock of this machine is synchronized.",
                    });
                    if is_token && nix::unistd::geteuid().is_root() {
                        output::note(&format!(
                            "If the clock of the token is wrong, run \"totpctl resync {user}\" with two \
                             codes in a row."
                        ));
                    }
                }
            }
            Ok(codes) => {
                output::note(&verified(user, factor, !asking_services().is_empty()));
                return recovery_codes::show(user, &codes, save);
            }
        }
    }
}

fn later(user: &str, factor: &str) -> String {
    format!(
        "factor {factor} of {user} is pending: give its first code with \"totpctl confirm {user}\" \
         before it expires"
    )
}

/// Names the next step to an administrator, after the first users.
fn announce_next_step(user: &str) {
    if nix::unistd::geteuid().is_root() && asking_services().is_empty() {
        output::note(&format!("Next: {}; then log in as {user}.", next_step()));
    }
}

fn request(
    options: &Enroll,
    token: Option<&Token>,
    code: &Zeroizing<String>,
) -> Result<Dictionary, Error> {
    let parameters = Parameters {
        is_hotp: options.hotp,
        algorithm: options.algorithm.map(|algorithm| algorithm.name()),
        digits: options.digits,
        period: options.period,
        counter: None,
    };
    let parameters = parameters.of_token(token).map_err(Error::Usage)?;
    // Options of the factor ask for a new one instead of a pending one.
    let new = options.no_confirm
        || token.is_some()
        || parameters != Parameters::default()
        || options.name.is_some();
    let others = [
        ("name", options.name.as_deref().map(Variant::from)),
        ("issuer", options.issuer.as_deref().map(Variant::from)),
        ("secret", token.map(|token| token.secret.to_vec().into())),
        ("code", (!code.is_empty()).then(|| code.as_str().into())),
        // totpctl draws it to fit the terminal.
        ("qr", Some(false.into())),
        ("if_unenrolled", options.if_unenrolled.then(|| true.into())),
        ("resume", (!new).then(|| true.into())),
    ];
    Ok(details::dictionary(parameters.entries().into_iter().chain(others)))
}
