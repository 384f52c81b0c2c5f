//! The secret of an existing token, and what its link says beside the options.

use totpd_formats::import::{Token, UriParameters};
use zbus::Variant;

use crate::error::Error;
use crate::terminal::{input, output};

/// The parameters of a factor that the command or a line names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Parameters<'a> {
    pub(super) is_hotp: bool,
    pub(super) algorithm: Option<&'a str>,
    pub(super) digits: Option<u32>,
    pub(super) period: Option<u32>,
    pub(super) counter: Option<u64>,
}

impl<'a> Parameters<'a> {
    /// Returns the parameters of a token from a link. What the link leaves open is as named, or
    /// else as apps assume it.
    ///
    /// # Errors
    /// A sentence if the link contradicts what is named.
    fn with_uri(self, uri: &UriParameters) -> Result<Self, String> {
        if self.is_hotp && !uri.is_hotp {
            return Err("the link is of a token that counts time, which contradicts --hotp".into());
        }
        if uri.is_hotp && self.period.is_some() {
            return Err("the link is of a token that counts presses, which has no period".into());
        }
        let algorithm = agreed(self.algorithm, uri.algorithm.map(|name| name.name()), "hash")?;
        let digits = agreed(self.digits, uri.digits, "number of digits")?;
        let period = agreed(self.period, uri.period.filter(|_| !uri.is_hotp), "period")?;
        Ok(Self {
            is_hotp: uri.is_hotp,
            algorithm: Some(algorithm.unwrap_or("SHA1")),
            digits: Some(digits.unwrap_or(6)),
            period: period.or((!uri.is_hotp).then_some(30)),
            counter: uri.counter,
        })
    }

    /// Returns the parameters of `token`.
    ///
    /// # Errors
    /// As [`Self::with_uri`].
    pub(super) fn of_token(self, token: Option<&Token>) -> Result<Self, String> {
        match token.and_then(|token| token.uri.as_ref()) {
            Some(uri) => self.with_uri(uri),
            None => Ok(self),
        }
    }

    /// Returns the entries of a request.
    pub(super) fn entries(self) -> [(&'static str, Option<Variant<'a>>); 5] {
        [
            ("kind", self.is_hotp.then(|| "hotp".into())),
            ("algorithm", self.algorithm.map(Variant::from)),
            ("digits", self.digits.map(Variant::from)),
            ("period", self.period.map(Variant::from)),
            ("counter", self.counter.map(Variant::from)),
        ]
    }
}

/// Reads the secret of a token from standard input or a prompt.
pub(super) fn read() -> Result<Token, Error> {
    let missing = "no secret on standard input (--secret-stdin); write it as the first line";
    let text = input::line("Secret of the token (base32, hexadecimal or otpauth:// link): ")?;
    let text = text.ok_or_else(|| Error::refused(missing))?;
    let token = Token::parse(&text).map_err(|error| Error::refused(error.to_string()))?;
    if token.is_short() && nix::unistd::geteuid().is_root() {
        output::note(&format!("Warning: {}.", short(&token)));
    }
    Ok(token)
}

/// Says that a secret is short.
pub(super) fn short(token: &Token) -> String {
    format!("the secret has only {} bits; at least 128 are recommended", token.secret.len() * 8)
}

fn agreed<T: Copy + PartialEq>(
    named: Option<T>,
    of_link: Option<T>,
    what: &str,
) -> Result<Option<T>, String> {
    match (named, of_link) {
        (Some(named), Some(other)) if named != other => Err(format!(
            "the link has another {what} than the options; leave out the option, or correct the link"
        )),
        (named, of_link) => Ok(of_link.or(named)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token::parse(text).unwrap()
    }

    #[test]
    fn a_link_brings_its_parameters_and_those_that_apps_assume() {
        let link = "otpauth://totp/h:a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (link, expected) in [
            (link.to_owned(), (false, "SHA1", 6, Some(30), None)),
            (
                format!("{link}&digits=8&period=60&algorithm=SHA256"),
                (false, "SHA256", 8, Some(60), None),
            ),
            (
                format!("{}&counter=7", link.replace("totp", "hotp")),
                (true, "SHA1", 6, None, Some(7)),
            ),
        ] {
            let found = Parameters::default().of_token(Some(&token(&link))).unwrap();
            let (is_hotp, algorithm, digits, period, counter) = expected;
            let expected = Parameters {
                is_hotp,
                algorithm: Some(algorithm),
                digits: Some(digits),
                period,
                counter,
            };
            assert_eq!(found, expected, "{link}");
        }
        let bare = Parameters { digits: Some(8), ..Parameters::default() };
        assert_eq!(bare.of_token(Some(&token("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))), Ok(bare));
    }

    #[test]
    fn a_link_that_contradicts_the_options_is_refused() {
        let link = token(
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBV&digits=6&period=30&algorithm=SHA1",
        );
        for (named, told) in [
            (Parameters { is_hotp: true, ..Parameters::default() }, "--hotp"),
            (Parameters { digits: Some(8), ..Parameters::default() }, "number of digits"),
            (Parameters { period: Some(60), ..Parameters::default() }, "period"),
            (Parameters { algorithm: Some("SHA256"), ..Parameters::default() }, "hash"),
        ] {
            let refused = named.of_token(Some(&link)).unwrap_err();
            assert!(refused.contains(told), "{refused}");
        }
        let same = Parameters { digits: Some(6), ..Parameters::default() };
        assert!(same.of_token(Some(&link)).is_ok());
    }
}
