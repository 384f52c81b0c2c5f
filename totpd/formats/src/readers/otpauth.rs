//! Links of the form `otpauth://`, one a line (the "Key URI Format" of the authenticator apps).

use crate::import::otpauth_uri::{EXPORT_SCHEME, SCHEME, parameters, percent_decoded, starts_with};
use crate::readers::draft::{Draft, short};
use crate::readers::seed_text::base32;
use crate::readers::text;
use crate::reading::{Change, Entry, Place, Reason, Refusal, Rules};

/// Reads all lines.
pub(super) fn read(
    bytes: &[u8],
    _rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<(), Refusal> {
    let text = text::decode(bytes)?;
    text::check_lines(text.as_str())?;
    for (number, line, is_whole) in text::lines(text.as_str()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut draft = draft(line);
        if !is_whole {
            draft.changes.push(Change::MayBeCut);
        }
        sink(draft.into_entry(Place::Line(number)));
    }
    Ok(())
}

fn draft(link: &str) -> Draft {
    if !starts_with(link, SCHEME) {
        let is_export = starts_with(link, EXPORT_SCHEME);
        let what =
            if is_export { "it is of the format otpauth-migration" } else { "it is no link" };
        return Draft::new("totp", Err(Reason::Malformed(what.to_owned())));
    }
    let rest = link.get(SCHEME.len()..).unwrap_or_default();
    let kind = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let mut draft = Draft::new(kind, Err(Reason::NoSeed));
    draft.changes.push(Change::UsedCodesUnknown);
    let label = rest.get(kind.len()..).unwrap_or_default().trim_start_matches('/');
    let label = percent_decoded(label.split(['?', '#']).next().unwrap_or_default());
    let (prefix, account) = label.split_once(':').unwrap_or(("", &label));
    account.trim().clone_into(&mut draft.label);
    prefix.trim().clone_into(&mut draft.issuer);
    match parameters(rest) {
        Ok(found) => found.iter().for_each(|(key, value)| set(&mut draft, key, value)),
        Err(error) => draft.seed = Err(Reason::Malformed(error.to_string())),
    }
    draft
}

fn set(draft: &mut Draft, key: &str, value: &str) {
    let text = || Some(value.to_owned());
    match key {
        "secret" if !value.trim().is_empty() => draft.seed = base32(value),
        "algorithm" => draft.algorithm = text(),
        "digits" => draft.digits = text(),
        "period" => draft.period = text(),
        "counter" => draft.counter = text(),
        "issuer" => {
            if !draft.issuer.is_empty() && draft.issuer != value.trim() {
                draft.changes.push(Change::IssuerDiffers);
            }
            value.trim().clone_into(&mut draft.issuer);
        }
        // An app of Steam or Yandex says so here, with the type of TOTP.
        "encoder" => draft.kind = short(value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use totpd_core::factor::Kind;
    use totpd_core::otp::Algorithm;

    use super::*;
    use crate::readers::tests::{entries_of, left_of};
    use crate::reading::{Format, Outcome};

    fn rules() -> Rules {
        Rules::at(0)
    }

    /// The example of the documented format, and variations of it.
    #[test]
    fn links_are_read_with_their_labels() {
        let text = "# exported\r\n\
            otpauth://totp/Example:alice@google.com?secret=JBSWY3DPEHPK3PXP&issuer=Example\r\n\r\n\
            otpauth://totp/ACME%20Co:%20john@example.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ\
            &issuer=ACME%20Co&algorithm=sha-256&digits=8&period=60\r\n\
            OTPAUTH://HOTP/bob%3Ax?secret=gezdgnbvgy3tqojq%3D&counter=7&issuer=Other&color=red\n";
        let entries = entries_of(Format::Otpauth, text.as_bytes(), &rules());
        let found: Vec<_> = entries
            .iter()
            .map(|entry| {
                let Outcome::Factor(factor) = &entry.outcome else { panic!("{entry:?}") };
                (
                    &*entry.issuer,
                    &*entry.label,
                    factor.kind,
                    factor.algorithm,
                    factor.digits,
                    factor.last_accepted,
                )
            })
            .collect();
        let (sha1, sha256) = (Algorithm::Sha1, Algorithm::Sha256);
        let totp = |period| Kind::Totp { period };
        assert_eq!(
            found,
            [
                ("Example", "alice@google.com", totp(30), sha1, 6, None),
                ("ACME Co", "john@example.com", totp(60), sha256, 8, None),
                ("Other", "x", Kind::Hotp, sha1, 6, Some(6)),
            ]
        );
        let Outcome::Factor(factor) = &entries[2].outcome else { panic!("left") };
        assert!(factor.changes.contains(&Change::IssuerDiffers));
        assert!(factor.changes.contains(&Change::ShortSeed(80)));
    }

    #[test]
    fn what_is_no_token_is_left_by_its_name() {
        let link = |rest: &str| {
            left_of(Format::Otpauth, format!("otpauth://{rest}\n").as_bytes(), &rules())
        };
        let text = ToOwned::to_owned;
        assert_eq!(link("steam/x?secret=JBSWY3DPEHPK3PXP"), Reason::NotOath(text("steam")));
        assert_eq!(link("motp/x?secret=JBSWY3DPEHPK3PXP"), Reason::NotOath(text("motp")));
        assert_eq!(
            link("totp/x?secret=JBSWY3DPEHPK3PXP&encoder=steam"),
            Reason::NotOath(text("steam"))
        );
        assert_eq!(link("totp/x?issuer=x"), Reason::NoSeed);
        assert_eq!(link("totp/x?secret="), Reason::NoSeed);
        assert_eq!(link("totp/x"), Reason::NoSeed);
        assert_eq!(link("hotp/x?secret=JBSWY3DPEHPK3PXP"), Reason::CounterUnknown);
        assert_eq!(
            link("hotp/x?secret=JBSWY3DPEHPK3PXP&counter=9223372036854775809"),
            Reason::CounterTooLarge
        );
        assert_eq!(link("totp/x?secret=JBSWY3DPEHPK3PXP&period=0"), Reason::Period(text("0")));
        assert_eq!(link("totp/x?secret=JBSWY3DPEHPK3PXP&digits=3"), Reason::Digits(text("3")));
        assert_eq!(
            link("totp/x?secret=JBSWY3DPEHPK3PXP&algorithm=MD5"),
            Reason::Algorithm(text("MD5"))
        );
        for rest in ["totp/x?secret=JBSWY3DPEHPK3PXP&secret=GEZDGNBV", "totp/x?secret=0000"] {
            assert!(
                matches!(link(rest), Reason::Malformed(_) | Reason::SeedUnreadable(_)),
                "{rest}"
            );
        }
        for line in
            ["otpauth-migration://offline?data=x", "JBSWY3DPEHPK3PXP", "https://example.com"]
        {
            let reason = left_of(Format::Otpauth, line.as_bytes(), &rules());
            assert!(matches!(reason, Reason::Malformed(_)), "{line}");
        }
    }
}
