//! `totpctl enroll`: a new factor, from the QR code to its first code.

use std::path::Path;

use serde_json::{Map, Value, json};
use totpd_interface::{Dictionary, Error as DaemonError};
use zbus::Variant;
use zeroize::Zeroizing;

use crate::cli::Enroll;
use crate::client::Client;
use crate::client::details;
use crate::commands::current_code::current_code;
use crate::error::Error;
use crate::terminal::recovery_codes::{self, NewFile};
use crate::terminal::{base32, input, output, qr};

pub(super) mod batch;
mod sheet;

pub(super) fn run(user: &str, options: &Enroll, json: bool) -> Result<(), Error> {
    // Everything that can go wrong by itself comes before the factor is made.
    let picture = options.qr_file.as_deref().map(QrFile::create).transpose()?;
    let save = options.save.as_deref().map(|path| NewFile::create("--save", path)).transpose()?;
    let client = Client::connect()?;
    let secret = if options.secret_stdin { Some(given_secret()?) } else { None };
    let code = current_code(&client, user)?;
    let asked = dictionary(options, secret, &code);
    let made = client.manager(async |totpd| match totpd.enroll(user, &asked).await {
        Err(DaemonError::AlreadyEnrolled(_)) if options.if_unenrolled => Ok(None),
        other => other.map(Some),
    })?;
    let Some((factor, uri, details)) = made else { return unchanged(user, json) };
    let (uri, details) = (Zeroizing::new(uri), details::object(&details));
    if let Some(picture) = picture {
        picture.fill(&uri)?;
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
    show(&uri, options, &details)?;
    if options.no_confirm {
        output::note(&match details::number(&details, "usable_from") {
            None => format!("Factor {factor} of {user} is verified: its codes are good at once."),
            Some(from) => format!(
                "Factor {factor} of {user} is verified: its codes are good from {} on. Earlier ones\n\
                 may have been used elsewhere, and are refused.",
                output::time_of_day(from)
            ),
        });
        return recovery_codes::show(user, &codes, save);
    }
    confirm(&client, user, &factor, save)
}

/// Says that nothing was done, because `--if-unenrolled` has it so.
fn unchanged(user: &str, json: bool) -> Result<(), Error> {
    if json {
        return output::json(&json!({ "user": user, "changed": false }));
    }
    output::note(&format!("{user} is enrolled already; nothing is changed."));
    Ok(())
}

/// Shows the new factor: the link and the key, what to do now, and last the QR code, so that it is whole
/// above the prompt on a screen of 24 lines.
fn show(uri: &str, options: &Enroll, details: &Map<String, Value>) -> Result<(), Error> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_OUTPUT_BYTES));
    text.push_str("Link: ");
    text.push_str(uri);
    text.push_str("\nKey:  ");
    text.push_str(&base32::group(base32::secret_of_uri(uri)));
    let lasts = match details::number(details, "period") {
        Some(period) => format!("time based, {period} s"),
        None => "counter based".into(),
    };
    let (algorithm, digits) =
        (details::text(details, "algorithm"), details::number(details, "digits"));
    text.push_str(&format!("\n      ({lasts}, {algorithm}, {} digits)\n\n", digits.unwrap_or(6)));
    output::data(&text)?;
    if let Some(expires) = details::number(details, "expires") {
        let again = if details::flag(details, "resumed") { "still " } else { "" };
        output::note(&format!(
            "Scan the QR code with the authenticator app, then type the code that the app\n\
             shows. The factor {again}waits for it until {}: Ctrl-C changes\n\
             nothing but that.\n",
            output::time(expires)
        ));
    }
    match qr::text(uri, options.qr)? {
        Some(drawn) => output::data(&Zeroizing::new(drawn)),
        None => Ok(()),
    }
}

/// Asks for the first code until it is right or the daemon drops the factor.
fn confirm(client: &Client, user: &str, factor: &str, save: Option<NewFile>) -> Result<(), Error> {
    loop {
        let Some(code) = input::line("Code that the app shows: ")? else {
            return Err(Error::refused(later(user, factor)));
        };
        let answer =
            client.manager(async |totpd| match totpd.confirm(user, factor, &code).await {
                Err(DaemonError::InvalidCode(why)) => Ok(Err(why)),
                other => other.map(Ok),
            })?;
        match answer {
            Err(why) => {
                output::note(&format!("totpctl: {why}"));
                if why.contains("The clock of your phone") {
                    output::note(match client.clock_is_synchronized() {
                        Some(true) => "The clock of this machine is synchronized.",
                        Some(false) => "The clock of this machine is not synchronized either.",
                        None => "Whether the clock of this machine is right is not known here.",
                    });
                }
            }
            Ok(codes) => {
                output::note(&format!(
                    "Factor {factor} of {user} is verified: it opens the door from now on.\n\
                     This code is used up; the next login needs the next one."
                ));
                return recovery_codes::show(user, &codes, save);
            }
        }
    }
}

fn later(user: &str, factor: &str) -> String {
    format!(
        "factor {factor} of {user} is made, and not verified yet: give its first code with \
         \"totpctl confirm {user}\" before it expires"
    )
}

fn given_secret() -> Result<Zeroizing<Vec<u8>>, Error> {
    let missing = "no secret was given on standard input (--secret-stdin)";
    let text = input::line("Secret of the token (base32): ")?;
    base32::parse(&text.ok_or_else(|| Error::refused(missing))?)
}

fn dictionary(
    options: &Enroll,
    secret: Option<Zeroizing<Vec<u8>>>,
    code: &Zeroizing<String>,
) -> Dictionary {
    // Whoever says what the factor shall be wants a new one.
    let new = options.no_confirm
        || options.hotp
        || secret.is_some()
        || options.algorithm.is_some()
        || options.digits.is_some()
        || options.period.is_some()
        || options.name.is_some();
    let kind = options.hotp.then_some("hotp");
    let entries = [
        ("name", options.name.as_deref().map(Variant::from)),
        ("issuer", options.issuer.as_deref().map(Variant::from)),
        ("algorithm", options.algorithm.map(|algorithm| algorithm.name().into())),
        ("digits", options.digits.map(Variant::from)),
        ("period", options.period.map(Variant::from)),
        ("kind", kind.map(Variant::from)),
        ("secret", secret.map(|secret| secret.to_vec().into())),
        ("code", (!code.is_empty()).then(|| code.as_str().into())),
        ("confirmed", options.no_confirm.then(|| true.into())),
        // It is drawn here, as it fits the terminal.
        ("qr", Some(false.into())),
        ("if_unenrolled", options.if_unenrolled.then(|| true.into())),
        ("resume", (!new).then(|| true.into())),
    ];
    let given = entries
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.try_into_owned().ok()?)));
    given.collect()
}

/// The file of the QR code.
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

/// Never grown, so that no copy of the key is left behind.
const MAX_OUTPUT_BYTES: usize = 256 * 1024;
