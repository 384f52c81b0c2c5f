//! What a person sees of a new factor: link, instruction, QR code and key.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::cli::Enroll;
use crate::client::details;
use crate::error::Error;
use crate::host::local_time;
use crate::terminal::qr::{self, Drawing, Qr};
use crate::terminal::{base32, output};

/// Prints the new factor. The QR code and the key come last, so both stay in sight above the prompt
/// on a screen of 24 lines.
pub(super) fn show(uri: &str, options: &Enroll, details: &Map<String, Value>) -> Result<(), Error> {
    let kind = match details::number(details, "period") {
        Some(period) => format!("time based, {period} s"),
        None => "counter based".into(),
    };
    let algorithm = details::text(details, "algorithm");
    let digits = details::number(details, "digits").unwrap_or(6);
    output::data(&secret_text(&[
        "Link: ",
        uri,
        &format!("\n      ({kind}, {algorithm}, {digits} digits)\n"),
    ]))?;
    let key = secret_text(&["Key:  ", &base32::group(base32::secret_of_uri(uri)), "\n"]);
    // The token of an existing secret needs no QR code, unless the user asks for one.
    let drawing = match (options.secret_stdin, options.qr) {
        (true, Qr::Auto) => Drawing::Unwanted,
        (_, style) => qr::draw(uri, style, &key)?,
    };
    if let Some(expires) = details::number(details, "expires") {
        let still = if details::flag(details, "resumed") { "still " } else { "" };
        output::note(&format!(
            "\n{} The factor is {still}pending until {}; Ctrl-C does not remove it.\n",
            instruction(&drawing, options.secret_stdin),
            local_time::display_local(expires)
        ));
    }
    if let Drawing::Drawn(drawn) = &drawing {
        output::data(drawn)?;
    }
    output::data(&key)
}

/// Returns what to do, in true words.
fn instruction(drawing: &Drawing, has_token: bool) -> String {
    let by_hand = "Type the key into the authenticator app, then type the code that the app shows.";
    match drawing {
        _ if has_token => "Type the code that the token shows.".into(),
        Drawing::Drawn(_) => {
            "Scan the QR code with the authenticator app, or type the key into it. Then type the code \
             that the app shows."
                .into()
        }
        Drawing::NoRoom { columns, rows, utf8 } => {
            let utf8 = match utf8 {
                Some((columns, rows)) => format!(", or {columns}x{rows} in a UTF-8 locale"),
                None => String::new(),
            };
            format!(
                "The QR code does not fit here (it needs {columns}x{rows}{utf8}). Type the key into the \
                 authenticator app, open the link, make the window larger, or use --qr-file code.png. \
                 Then type the code that the app shows."
            )
        }
        Drawing::NoTerminal => {
            format!("Without a terminal no QR code is drawn (--qr utf8 draws one). {by_hand}")
        }
        Drawing::Unwanted => by_hand.into(),
    }
}

/// Joins texts. The buffer never grows, so it leaves no copy of the key.
fn secret_text(parts: &[&str]) -> Zeroizing<String> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut text = Zeroizing::new(String::with_capacity(length));
    parts.iter().for_each(|part| text.push_str(part));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_is_mentioned_to_be_scanned_only_if_there_is_one() {
        let no_room = |utf8| Drawing::NoRoom { columns: 82, rows: 43, utf8 };
        for (drawing, told) in [
            (Drawing::Drawn(Zeroizing::default()), "Scan the QR code"),
            (no_room(None), "does not fit here (it needs 82x43)"),
            (no_room(Some((41, 23))), "(it needs 82x43, or 41x23 in a UTF-8 locale)"),
            (Drawing::NoTerminal, "--qr utf8"),
            (Drawing::Unwanted, "Type the key"),
        ] {
            let text = instruction(&drawing, false);
            assert!(text.contains(told), "{text}");
            assert_eq!(text.contains("Scan"), matches!(drawing, Drawing::Drawn(_)), "{text}");
            assert!(text.to_lowercase().contains("type the key"), "{text}");
        }
        assert_eq!(instruction(&Drawing::Unwanted, true), "Type the code that the token shows.");
    }
}
