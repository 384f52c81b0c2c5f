//! Portable Symmetric Key Container (RFC 6030), not encrypted.

use std::fmt::Write as _;

use data_encoding::BASE64;
use totpd_core::factor::{Factor, Kind};
use zeroize::Zeroizing;

use crate::civil_time;
use crate::export::exported::{Exported, Note};

/// Returns a container of factors with their users. It holds the seeds as they are.
///
/// `Counter` is the next one, and `Time` the last step that was used.
#[must_use]
pub fn pskc(factors: &[(&str, &Factor)]) -> Exported {
    // The buffer never grows, so it leaves no copy of a seed behind.
    let room = factors.iter().map(|(user, _)| MAX_PACKAGE_BYTES + 6 * user.len()).sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(room + MAX_PACKAGE_BYTES));
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(text, "<KeyContainer Version=\"1.0\" xmlns=\"{NAMESPACE}\">");
    let mut notes = Vec::new();
    for (user, factor) in factors {
        write_package(&mut text, user, factor);
        if !factor.restrictions.services.is_empty() {
            notes.push(Note::SettingLost("the list of services"));
        }
    }
    text.push_str("</KeyContainer>\n");
    Exported { text, notes }
}

fn write_package(text: &mut String, user: &str, factor: &Factor) {
    let (kind, id) = (factor.kind.name(), factor.id.as_str());
    let _ =
        writeln!(text, "  <KeyPackage>\n    <Key Id=\"{id}\" Algorithm=\"{NAMESPACE}:{kind}\">");
    let suite = factor.algorithm.name();
    let _ = writeln!(
        text,
        "      <AlgorithmParameters>\n        <Suite>HMAC-{suite}</Suite>\n        \
         <ResponseFormat Length=\"{}\" Encoding=\"DECIMAL\"/>\n      </AlgorithmParameters>",
        factor.digits
    );
    let seed = Zeroizing::new(BASE64.encode(factor.seed.bytes()));
    text.push_str("      <Data>\n");
    write_value(text, "Secret", &seed);
    let last = factor.last_accepted;
    match factor.kind {
        Kind::Hotp => {
            let next = last.map_or(0, |last| last.saturating_add(1));
            write_value(text, "Counter", &next.to_string());
        }
        Kind::Totp { period } => {
            write_value(text, "Time", &last.unwrap_or(0).to_string());
            write_value(text, "TimeInterval", &period.to_string());
            write_value(text, "TimeDrift", &factor.drift.steps().to_string());
        }
    }
    let _ = writeln!(text, "      </Data>\n      <UserId>{}</UserId>", escaped(user));
    let times = [
        ("StartDate", factor.restrictions.not_before),
        ("ExpiryDate", factor.restrictions.not_after),
    ];
    text.push_str("      <Policy>\n");
    for (name, time) in times {
        if let Some(time) =
            time.and_then(|time| i64::try_from(time).ok()).filter(|time| *time < YEAR_10000)
        {
            let _ = writeln!(text, "        <{name}>{}Z</{name}>", civil_time::format(time));
        }
    }
    text.push_str(
        "        <KeyUsage>OTP</KeyUsage>\n      </Policy>\n    </Key>\n  </KeyPackage>\n",
    );
}

fn write_value(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "        <{name}><PlainValue>{value}</PlainValue></{name}>");
}

/// Writes what XML has signs for as entities.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const NAMESPACE: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
/// A package has some 900 bytes beside the user.
const MAX_PACKAGE_BYTES: usize = 1500;
const YEAR_10000: i64 = 253_402_300_800;

#[cfg(test)]
mod tests {
    use totpd_core::factor::Restrictions;
    use totpd_core::fixtures::verified;
    use totpd_core::seed::Seed;

    use super::*;

    #[test]
    fn the_text_never_grows() {
        let restrictions = Restrictions {
            not_before: Some(u64::MAX),
            not_after: Some(1),
            ..Restrictions::default()
        };
        let seed = Seed::new(vec![7; 64]).unwrap();
        let factor =
            Factor { restrictions, seed, ..verified(Kind::Totp { period: 300 }, Some(u64::MAX)) };
        let user = "<&>".repeat(85);
        let exported = pskc(&[(&user, &factor), (&user, &factor)]);
        let room = 2 * (MAX_PACKAGE_BYTES + 6 * user.len()) + MAX_PACKAGE_BYTES;
        assert_eq!(exported.text.capacity(), room);
        assert!(exported.text.contains("<ExpiryDate>1970-01-01T00:00:01Z</ExpiryDate>"));
        assert!(!exported.text.contains("StartDate"));
    }
}
