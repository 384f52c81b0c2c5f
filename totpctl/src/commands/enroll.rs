//! `totpctl enroll`: a new factor, from the QR code to its first code.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use totpd_interface::{Dictionary, Error};
use zbus::Variant;
use zeroize::Zeroizing;

use crate::bus::Bus;
use crate::cli::Enroll;
use crate::commands::current_code;
use crate::failure::Failure;
use crate::qr::Picture;
use crate::{input, json, output, secret};

pub(super) fn run(user: &str, options: &Enroll, json: bool) -> Result<(), Failure> {
    // Everything that can go wrong by itself comes before the factor is made.
    let file = options.qr_file.as_deref().map(PictureFile::make).transpose()?;
    let bus = Bus::connect()?;
    let secret = if options.secret_stdin { Some(given_secret()?) } else { None };
    let code = current_code(&bus, user)?;
    let asked = dictionary(options, secret, &code);
    let (factor, uri, details) = bus.manager(async |totpd| totpd.enroll(user, &asked).await)?;
    let uri = Zeroizing::new(uri);
    let picture = Picture::of(&uri)?;
    if let Some(file) = file {
        file.fill(&picture)?;
    }
    if json {
        output::json(&json!({
            "user": user,
            "factor": factor,
            "uri": uri.as_str(),
            "secret": secret::of_uri(&uri),
            "recovery_codes": [],
        }))?;
        if !options.no_confirm {
            output::note(&later(user, &factor));
        }
        return Ok(());
    }
    show(&uri, &picture, options, &json::object(&details))?;
    if options.no_confirm {
        output::note(&format!("Factor {factor} of {user} is verified: it opens the door at once."));
        return Ok(());
    }
    confirm(&bus, user, &factor)
}

/// Shows the new factor: the QR code, the link and the key.
fn show(
    uri: &str,
    picture: &Picture,
    options: &Enroll,
    details: &Map<String, Value>,
) -> Result<(), Failure> {
    let mut text = Zeroizing::new(String::with_capacity(LARGEST_SCREEN));
    if let Some(drawn) = picture.text(options.qr) {
        text.push_str("Scan this with the authenticator app of the phone:\n\n");
        text.push_str(&drawn);
        text.push('\n');
    }
    text.push_str("Link: ");
    text.push_str(uri);
    text.push_str("\nKey:  ");
    text.push_str(&secret::in_groups(secret::of_uri(uri)));
    let lasts = match json::number(details, "period") {
        Some(period) => format!("time based, {period} s"),
        None => "counter based".into(),
    };
    let (algorithm, digits) = (json::text(details, "algorithm"), json::number(details, "digits"));
    text.push_str(&format!("\n      ({lasts}, {algorithm}, {} digits)\n\n", digits.unwrap_or(6)));
    output::data(&text)
}

/// Asks for the first code until it is right or the daemon drops the factor.
fn confirm(bus: &Bus, user: &str, factor: &str) -> Result<(), Failure> {
    loop {
        let Some(code) = input::line("Code that the app shows: ")? else {
            return Err(Failure::refused(later(user, factor)));
        };
        let answer = bus.manager(async |totpd| match totpd.confirm(user, factor, &code).await {
            Err(Error::BadCode(why)) => Ok(Err(why)),
            other => other.map(Ok),
        })?;
        match answer {
            Err(why) => output::note(&format!("totpctl: {why}")),
            Ok(_) => {
                output::note(&format!(
                    "Factor {factor} of {user} is verified: it opens the door from now on.\n\
                     This code is used up; the next login needs the next one."
                ));
                return Ok(());
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

fn given_secret() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let missing = "no secret was given on standard input (--secret-stdin)";
    let text = input::line("Secret of the token (base32): ")?;
    secret::parse(&text.ok_or_else(|| Failure::refused(missing))?)
}

fn dictionary(
    options: &Enroll,
    secret: Option<Zeroizing<Vec<u8>>>,
    code: &Zeroizing<String>,
) -> Dictionary {
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
    ];
    let given = entries
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.try_into_owned().ok()?)));
    given.collect()
}

/// The file of the QR code. It is made before the factor, and goes again if that is not made.
struct PictureFile {
    path: PathBuf,
    file: Option<File>,
    format: Format,
}

#[derive(Clone, Copy)]
enum Format {
    Png,
    Svg,
}

impl PictureFile {
    fn make(path: &Path) -> Result<Self, Failure> {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("png") => Format::Png,
            Some("svg") => Format::Svg,
            _ => {
                let path = path.display();
                return Err(Failure::Usage(format!(
                    "--qr-file {path}: the name must end in .png or .svg"
                )));
            }
        };
        // Never over a file that is there, nor through a link.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::AlreadyExists => "it exists already: name a new file".into(),
                _ => error.to_string(),
            };
            Failure::refused(format!("--qr-file {}: {why}", path.display()))
        })?;
        Ok(Self { path: path.to_path_buf(), file: Some(file), format })
    }

    fn fill(mut self, picture: &Picture) -> Result<(), Failure> {
        let Some(file) = &self.file else { return Ok(()) };
        let written = match self.format {
            Format::Png => picture.png(io::BufWriter::new(file)),
            Format::Svg => picture.svg(io::BufWriter::new(file)),
        };
        written.map_err(|error| {
            Failure::refused(format!(
                "--qr-file {} cannot be written: {error}",
                self.path.display()
            ))
        })?;
        self.file = None;
        Ok(())
    }
}

impl Drop for PictureFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Never grown, so that no copy of the key is left behind.
const LARGEST_SCREEN: usize = 256 * 1024;
