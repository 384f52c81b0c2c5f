//! A first login: who passed the password and has no factor makes one right there.

use std::sync::Arc;

use totpd_interface::{Dictionary, Error, verdict};
use totpd_qr::Picture;

use crate::clock;
use crate::code::Code;
use crate::context::Context;
use crate::daemon::Daemon;
use crate::enrolment::{self, Confirmation, EnrolmentRules};
use crate::factor::Factor;
use crate::journal::{Entry, Priority, escaped, shortened};
use crate::locale;
use crate::login::offers::{Offers, Place};
use crate::manager::enrolling;
use crate::manager::new_factor::new_factor;
use crate::manager::recovering;
use crate::options::Options;
use crate::record::Record;
use crate::reply::Reply;
use crate::subject::Subject;
use crate::target::Target;
use crate::uri;

/// What to show `user`, if it exists and has no factor: one that waits for its first code, the same
/// for all who log in from that place meanwhile. Its key is shown at no other place: who logs in from
/// elsewhere gets a new factor, which takes the place of that one.
///
/// # Errors
/// As the contract has them.
pub(super) async fn offer(
    daemon: &Daemon,
    user: &str,
    context: &Context,
) -> Result<Option<Dictionary>, Error> {
    let target = daemon.target(user).await?;
    let Some(uid) = target.uid.filter(|_| daemon.config.self_service) else { return Ok(None) };
    let stored = daemon.told(daemon.store.read(target.subject.clone()).await)?;
    if stored.is_some_and(|record| record.is_enrolled()) {
        // As nearly everybody: there is nothing to write.
        return Ok(None);
    }
    let now = clock::now();
    let options = Options::parse(&Dictionary::new(), &daemon.config)?;
    let rules = daemon.config.enrolment.clone();
    let new = new_factor(options, now, rules.unverified_lifetime)?;
    let (offers, place) = (Arc::clone(&daemon.offers), Place::of(context));
    let offered = daemon
        .update(&target, move |record| choose(record, uid, &new, &offers, &place, now, &rules))
        .await?;
    let Some((factor, what)) = offered else { return Ok(None) };
    // Whoever saw the key is to be found, also who hung up then.
    let shown = shortened(user);
    let message = format!("unverified factor {what} at a login of {}", escaped(&shown));
    Entry::new(Priority::Notice, message)
        .with("TOTP_USER", &shown)
        .with("TOTP_FACTOR", factor.id.as_str())
        .with("TOTP_REASON", &format!("unverified factor {what} at a login"))
        .with("TOTP_RHOST", context.rhost.as_deref().unwrap_or_default())
        .with("TOTP_SERVICE", context.service.as_deref().unwrap_or_default())
        .write();
    let link = uri::otpauth(&factor, &enrolling::issuer(daemon, None), user);
    let text = screen(&link, &factor.seed.base32(), locale::speaks_utf8());
    let details = Reply::new()
        .with("prompt", text)
        .with("factor", factor.id.to_string())
        .with("uri", link.as_str().to_owned());
    Ok(Some(details.into()))
}

/// Which factor is shown, if any, and what the journal says of it: the one that waits, if that was shown at this
/// place, or else `new`.
fn choose(
    record: Record,
    uid: u32,
    new: &Factor,
    offers: &Offers,
    place: &Place,
    now: u64,
    rules: &EnrolmentRules,
) -> (Option<(Factor, &'static str)>, Record) {
    if record.is_enrolled() {
        // Also where it is another's: the name is no way to a door that it opened once.
        return (None, record);
    }
    let mut record = match record.uid == uid {
        true => record,
        false => Record { throttle: record.throttle, ..Record::new(uid) },
    };
    let what = match enrolment::waiting(&record, now).cloned() {
        Some(waiting) if offers.were_at(&waiting.id, place) => {
            return (Some((waiting, "shown again")), record);
        }
        Some(_) => "made in place of one that was shown elsewhere",
        None => "made",
    };
    if enrolment::add(&mut record, new.clone(), rules).is_err() {
        return (None, record);
    }
    let expires = now.saturating_add(rules.unverified_lifetime);
    offers.note(new.id.clone(), place.clone(), expires, now);
    (Some((new.clone(), what)), record)
}

/// The verdict on a first code, its details, and what the journal says.
///
/// # Errors
/// As the contract has them.
pub(super) async fn judge(
    daemon: &Daemon,
    target: &Target,
    factor: &str,
    code: &str,
) -> Result<(&'static str, Dictionary, &'static str), Error> {
    let again = |why: &str| Reply::new().with("message", wrapped(why)).into();
    let Some(code) = Code::parse(code) else {
        return Ok((verdict::DENIED, Dictionary::new(), "not a code"));
    };
    let told = enrolling::first_code(daemon, target, factor, code).await?;
    let outcome = enrolling::outcome(&told);
    Ok(match told {
        Confirmation::Verified => {
            let codes = recovering::first_recovery_codes(daemon, target).await?;
            if let Subject::User(name) = &target.subject {
                daemon.watchers.factors_changed(target.uid_now(), name.as_str());
            }
            let keep = (!codes.is_empty()).then(|| to_keep(&codes));
            let details = Reply::new().with("method", "totp").with_some("keep", keep);
            (verdict::APPROVED, details.into(), outcome)
        }
        Confirmation::Wrong { diagnosis, .. } => {
            let why = format!("Wrong code. {}", enrolling::words(&diagnosis));
            (verdict::DENIED, again(&why), outcome)
        }
        Confirmation::Dropped | Confirmation::Expired | Confirmation::NotWaiting => {
            (verdict::DENIED, Dictionary::new(), outcome)
        }
    })
}

/// The prompt: 80 columns and 24 lines at most. Without UTF-8, or where the code would not fit, the key
/// alone.
fn screen(link: &str, key: &str, utf8: bool) -> String {
    let key = in_groups(key);
    let picture = Picture::of(link, QR_MARGIN).ok();
    let drawn = picture
        .filter(|picture| utf8 && picture.width() <= COLUMNS && picture.width() <= 2 * QR_LINES)
        .map(|picture| picture.half_blocks());
    match drawn {
        Some(drawn) => {
            format!("{SCAN}\n{drawn}Key: {key}\n{FIRST_CODE}")
        }
        None => format!("{TYPE}\n\n  {key}\n\n{FIRST_CODE}"),
    }
}

/// The last prompt: recovery codes, two in a line.
fn to_keep(codes: &[String]) -> String {
    let mut text = format!("{KEEP}\n\n");
    for pair in codes.chunks(2) {
        text.push_str(&format!("  {}\n", pair.join("   ")));
    }
    text.push_str(&format!("\n{RETURN}"));
    text
}

fn in_groups(key: &str) -> String {
    let groups: Vec<_> = key.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join(" ")
}

/// Lines of less than 60 columns.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 58 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

const SCAN: &str = "Scan this with the authenticator app of your phone:";
const TYPE: &str = "Add this key to the authenticator app of your phone:";
const FIRST_CODE: &str = "Code that the app shows: ";
const KEEP: &str = "Keep these on paper. Each is good once, without the phone:";
const RETURN: &str = "Press Return when you have them: ";
/// Where a program cannot show it.
pub(super) const ELSEWHERE: &str = "You have no second factor yet. Run: totpctl enroll";
const COLUMNS: usize = 80;
/// Lines of a terminal, without the three of text.
const QR_LINES: usize = 21;
/// With which a phone reads a code from a screen all the same (ISO/IEC 18004 asks for four).
const QR_MARGIN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::tests::verified;
    use crate::factor::{FactorId, Kind, Status};
    use crate::throttle::Source;

    const LINK: &str =
        "otpauth://totp/totp-test:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=totp-test";

    #[test]
    fn a_key_is_shown_again_at_its_place_alone_and_never_to_who_has_a_factor() {
        let rules = EnrolmentRules { unverified_lifetime: 600, max_factors: 1, skew: 1 };
        let factor = |number| Factor {
            id: FactorId::from_random([number; 5]),
            status: Status::Unverified { expires: 30_600, wrong_codes: 0 },
            created: 30_000,
            ..verified(Kind::Totp { period: 30 }, None)
        };
        let place =
            |rhost: &str| Place::of(&Context { rhost: Some(rhost.into()), ..Context::default() });
        let (home, elsewhere) = (place("192.0.2.1"), place("192.0.2.2"));
        let offers = Offers::default();
        let choose = |record, uid, new, place, now| {
            choose(record, uid, &factor(new), &offers, place, now, &rules)
        };
        let shown =
            |chosen: Option<(Factor, &'static str)>| chosen.map(|(factor, what)| (factor.id, what));
        let mut fresh = Record::new(1000);
        fresh.throttle.fail(&Source::Unplaced, 5);
        let (chosen, record) = choose(fresh, 1000, 1, &home, 30_000);
        assert_eq!(shown(chosen), Some((factor(1).id, "made")));
        let (chosen, record) = choose(record, 1000, 2, &home, 30_001);
        assert_eq!(shown(chosen), Some((factor(1).id, "shown again")));
        let (chosen, record) = choose(record, 1000, 3, &elsewhere, 30_002);
        let told = "made in place of one that was shown elsewhere";
        assert_eq!(shown(chosen), Some((factor(3).id, told)));
        assert_eq!(record.factors.len(), 1);
        let (chosen, record) = choose(record, 1000, 4, &home, 30_003);
        assert_eq!(shown(chosen), Some((factor(4).id, told)));
        // Another account of that name: nothing of the old one is left but its wrong codes.
        let (chosen, mut record) = choose(record, 1001, 5, &home, 30_004);
        assert_eq!(shown(chosen), Some((factor(5).id, "made")));
        assert_eq!((record.uid, record.throttle.strangers().failures()), (1001, 1));
        record.factors[0].status = Status::Verified;
        for uid in [1001, 1000] {
            assert!(choose(record.clone(), uid, 6, &home, 30_005).0.is_none(), "{uid}");
        }
        record.factors[0].status = Status::Disabled;
        assert!(choose(record, 1001, 6, &home, 30_006).0.is_none(), "disabled is enrolled");
    }

    #[test]
    fn a_screen_has_80_columns_and_24_lines_at_most() {
        for (link, utf8, has_a_picture) in [
            (LINK, true, true),
            (LINK, false, false),
            (&*format!("{LINK}{}", "x".repeat(100)), true, false),
        ] {
            let text = screen(link, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", utf8);
            assert!(text.lines().count() <= 24, "{}", text.lines().count());
            assert!(text.lines().all(|line| line.chars().count() <= 80));
            assert_eq!(text.contains('█'), has_a_picture);
            assert!(text.contains("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"));
            assert!(text.is_ascii() != has_a_picture);
        }
    }

    #[test]
    fn every_text_is_on_the_page_of_messages_and_short() {
        let page = include_str!("../../../docs/messages.md");
        for text in [SCAN, TYPE, FIRST_CODE, KEEP, RETURN, ELSEWHERE] {
            assert!(page.contains(&format!("`{text}`")), "{text}");
            assert!(text.len() < 60, "{text}");
        }
    }

    #[test]
    fn long_reasons_are_wrapped() {
        let text = wrapped("word ".repeat(40).trim_end());
        let lengths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(lengths, [54, 54, 54, 34]);
        assert_eq!(wrapped(&"w".repeat(80)).len(), 80, "a word stays whole");
    }
}
