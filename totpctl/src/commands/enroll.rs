//! `totpctl enroll`: creates a factor, from the QR code to its first code.

use std::path::Path;

use serde_json::{Map, Value, json};
use totpd_interface::{Dictionary, Error as DaemonError};
use zbus::Variant;
use zeroize::Zeroizing;

use crate::cli::{Enroll, Qr};
use crate::client::Client;
use crate::client::details;
use crate::commands::current_code::current_code;
use crate::error::Error;
use crate::terminal::recovery_codes::{self, NewFile};
use crate::terminal::{base32, input, output, qr};

pub(super) mod batch;
mod sheet;

pub(super) fn run(user: &str, options: &Enroll, json: bool) -> Result<(), Error> {
    // Do all that can fail before the factor exists.
    let qr_file = options.qr_file.as_deref().map(QrFile::create).transpose()?;
    let save = options.save.as_deref().map(|path| NewFile::create("--save", path)).transpose()?;
    let client = Client::connect_for(user)?;
    let secret = if options.secret_stdin { Some(read_secret()?) } else { None };
    let code = current_code(&client, user)?;
    let request = request(options, secret, &code);
    let reply = client.manager(async |totpd| match totpd.enroll(user, &request).await {
        Err(DaemonError::AlreadyEnrolled(_)) if options.if_unenrolled => Ok(None),
        other => other.map(Some),
    })?;
    let Some((factor, uri, details)) = reply else { return unchanged(user, json) };
    let (uri, details) = (Zeroizing::new(uri), details::object(&details));
    if let Some(qr_file) = qr_file {
        qr_file.fill(&uri)?;
    }
    let codes = details::texts(&details, "recovery_codes");
    if json {
        output::json(&json!({
            "user": user,
            "factor": factor,
            "uri": uri.as_str(),
            "secret": base32::secret_of_uri(&uri),
            "recovery_codes": codes,
            "usable_from": details::number(&details, "usable_from"),
            "replaces": details::texts(&details, "replaces"),
            "changed": true,
        }))?;
        if let Some(save) = save.filter(|_| !codes.is_empty()) {
            save.fill(recovery_codes::format_page(user, &codes).as_bytes())?;
        }
        if !options.no_confirm {
            output::note(&later(user, &factor));
        }
        return Ok(());
    }
    if let Some(replacement) = replacement(user, &details) {
        output::note(&replacement);
    }
    show(&uri, options, &details)?;
    if options.no_confirm {
        output::note(&match details::number(&details, "usable_from") {
            None => format!("Factor {factor} of {user} is verified: its codes are valid at once."),
            Some(from) => format!(
                "Factor {factor} of {user} is verified: its codes are valid from {} on. Earlier ones\n\
                 may have been used elsewhere, and are denied.",
                output::time_of_day(from)
            ),
        });
        return recovery_codes::show(user, &codes, save);
    }
    confirm(&client, user, &factor, (options.secret_stdin, save))
}

/// Returns what becomes of the factors that the new one replaces. A person who reads it keeps the
/// old entry of the app.
fn replacement(user: &str, details: &Map<String, Value>) -> Option<String> {
    let replaced = details::texts(details, "replaces");
    if replaced.is_empty() {
        return None;
    }
    let (factors, stay) = match replaced.len() {
        1 => ("a factor".to_owned(), "stays"),
        number => (format!("{number} factors"), "stay"),
    };
    let (issuer, account) =
        (details::escaped(details, "issuer"), details::escaped(details, "account"));
    Some(format!(
        "{user} has {factors} already ({}), which {stay} valid until the first code of the new one.\n\
         The new entry of the app is \"{issuer}: {account}\". Keep the old entry until then.\n",
        replaced.join(", ")
    ))
}

/// Reports that the user is enrolled already (`--if-unenrolled`).
fn unchanged(user: &str, json: bool) -> Result<(), Error> {
    if json {
        return output::json(&json!({ "user": user, "changed": false }));
    }
    output::note(&format!("{user} is enrolled already; nothing is changed."));
    Ok(())
}

/// Prints the new factor: link, key and instructions. It prints the QR code last, so all of it fits
/// above the prompt on a screen of 24 lines.
fn show(uri: &str, options: &Enroll, details: &Map<String, Value>) -> Result<(), Error> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_OUTPUT_BYTES));
    text.push_str("Link: ");
    text.push_str(uri);
    text.push_str("\nKey:  ");
    text.push_str(&base32::group(base32::secret_of_uri(uri)));
    let kind = match details::number(details, "period") {
        Some(period) => format!("time based, {period} s"),
        None => "counter based".into(),
    };
    let (algorithm, digits) =
        (details::text(details, "algorithm"), details::number(details, "digits"));
    text.push_str(&format!("\n      ({kind}, {algorithm}, {} digits)\n\n", digits.unwrap_or(6)));
    output::data(&text)?;
    // The token of an existing secret needs no QR code, unless the user asks for one.
    let drawn = match (options.secret_stdin, options.qr) {
        (true, Qr::Auto) => None,
        (_, style) => qr::text(uri, style)?.map(Zeroizing::new),
    };
    if let Some(expires) = details::number(details, "expires") {
        let step = match (options.secret_stdin, &drawn) {
            (true, _) => "Type the code that the token shows.",
            (false, Some(_)) => {
                "Scan the QR code with the authenticator app, then type the code that the app\nshows."
            }
            (false, None) => {
                "Type the key into the authenticator app, then type the code that the app\nshows."
            }
        };
        let still = if details::flag(details, "resumed") { "still " } else { "" };
        output::note(&format!(
            "{step} The factor is {still}pending until {}: Ctrl-C does not\nremove it.\n",
            output::time(expires)
        ));
    }
    match drawn {
        Some(drawn) => output::data(&drawn),
        None => Ok(()),
    }
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
                output::note(&format!(
                    "Factor {factor} of {user} is verified: logins ask for its codes from now on.\n\
                     This code is used; the next login needs the next one."
                ));
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

fn read_secret() -> Result<Zeroizing<Vec<u8>>, Error> {
    let missing = "no secret on standard input (--secret-stdin); write it as the first line";
    let text = input::line("Secret of the token (base32): ")?;
    base32::parse(&text.ok_or_else(|| Error::refused(missing))?)
}

fn request(
    options: &Enroll,
    secret: Option<Zeroizing<Vec<u8>>>,
    code: &Zeroizing<String>,
) -> Dictionary {
    // Options of the factor ask for a new one instead of a pending one.
    let new = options.no_confirm
        || options.hotp
        || secret.is_some()
        || options.algorithm.is_some()
        || options.digits.is_some()
        || options.period.is_some()
        || options.name.is_some();
    let kind = options.hotp.then_some("hotp");
    details::dictionary([
        ("name", options.name.as_deref().map(Variant::from)),
        ("issuer", options.issuer.as_deref().map(Variant::from)),
        ("algorithm", options.algorithm.map(|algorithm| algorithm.name().into())),
        ("digits", options.digits.map(Variant::from)),
        ("period", options.period.map(Variant::from)),
        ("kind", kind.map(Variant::from)),
        ("secret", secret.map(|secret| secret.to_vec().into())),
        ("code", (!code.is_empty()).then(|| code.as_str().into())),
        ("confirmed", options.no_confirm.then(|| true.into())),
        // totpctl draws it to fit the terminal.
        ("qr", Some(false.into())),
        ("if_unenrolled", options.if_unenrolled.then(|| true.into())),
        ("resume", (!new).then(|| true.into())),
    ])
}

/// The file of the QR code (`--qr-file`).
struct QrFile {
    file: NewFile,
    is_png: bool,
}

impl QrFile {
    fn create(path: &Path) -> Result<Self, Error> {
        let is_png = match path.extension().and_then(|extension| extension.to_str()) {
            Some("png") => true,
            Some("svg") => false,
            _ => {
                let path = path.display();
                return Err(Error::Usage(format!(
                    "--qr-file {path}: the name must end in .png or .svg"
                )));
            }
        };
        Ok(Self { file: NewFile::create("--qr-file", path)?, is_png })
    }

    fn fill(self, uri: &str) -> Result<(), Error> {
        let picture = qr::encode(uri)?;
        let mut content = Zeroizing::new(Vec::with_capacity(MAX_OUTPUT_BYTES));
        if self.is_png {
            qr::png(&picture, &mut *content)?;
        } else {
            content.extend_from_slice(qr::svg(&picture).as_bytes());
        }
        self.file.fill(&content)
    }
}

/// The limit of the output. The buffer never grows, so it leaves no copy of the key.
const MAX_OUTPUT_BYTES: usize = 256 * 1024;
