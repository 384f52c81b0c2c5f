//! A line of the usersfile of pam_oath.

use std::fmt::Write as _;

use totpd_core::factor::{Factor, Kind};
use totpd_core::otp::{code_at, time_step};
use zeroize::Zeroizing;

use crate::civil_time;
use crate::export::exported::{Exported, Note, Unwritable, check_algorithm, lost_restrictions};

/// Returns the line of a factor of `user` at `now` (seconds since 1970). Local time is `utc_offset`
/// seconds ahead of UTC.
///
/// The module keeps one used code. Of TOTP it accepts the others of its window again, so a note
/// says until when.
///
/// # Errors
/// [`Unwritable`] if the module has no codes like those of the factor.
pub fn oath(
    factor: &Factor,
    user: &str,
    now: u64,
    utc_offset: i32,
) -> Result<Exported, Unwritable> {
    check_algorithm(factor)?;
    if user.is_empty() || user.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Unwritable::UserName);
    }
    let seed = factor.seed.bytes();
    if seed.len() > MAX_SEED_BYTES {
        return Err(Unwritable::SeedTooLong(seed.len()));
    }
    let mut notes = lost_restrictions(factor);
    let (kind, counter) = match factor.kind {
        Kind::Hotp => ("E".to_owned(), factor.last_accepted.unwrap_or(0)),
        Kind::Totp { period: period @ (30 | 60) } => {
            note_totp(factor, period, now, &mut notes)?;
            (format!("T{period}"), 0)
        }
        Kind::Totp { period } => return Err(Unwritable::Period(period)),
    };
    if factor.digits != 6 {
        notes.push(Note::DigitsInPamLine(factor.digits));
    }
    // The buffer never grows, so it leaves no copy of the seed behind.
    let mut text = Zeroizing::new(String::with_capacity(MAX_LINE_BYTES));
    let _ = write!(text, "HOTP/{kind}/{}\t{user}\t-\t", factor.digits);
    for byte in seed {
        let _ = write!(text, "{byte:02x}");
    }
    let _ = write!(text, "\t{counter}");
    if let Some(last) = factor.last_accepted {
        let code = code_at(&factor.seed, factor.algorithm, last, factor.digits);
        let local = i64::try_from(now).unwrap_or_default().saturating_add(utc_offset.into());
        let width = usize::from(factor.digits);
        let _ = write!(text, "\t{code:0width$}\t{}L", civil_time::format(local));
    }
    text.push('\n');
    Ok(Exported { text, notes })
}

/// Notes what the module cannot know of TOTP.
fn note_totp(
    factor: &Factor,
    period: u32,
    now: u64,
    notes: &mut Vec<Note>,
) -> Result<(), Unwritable> {
    let drift = factor.drift.steps();
    if u64::from(drift.unsigned_abs()) > WINDOW {
        return Err(Unwritable::Drift(drift));
    }
    if drift != 0 {
        notes.push(Note::DriftLost);
    }
    let Some(last) = factor.last_accepted else { return Ok(()) };
    // The window has passed it as a whole from then on. After another code the module forgets it.
    let until = last.saturating_add(WINDOW + 1).saturating_mul(u64::from(period));
    if time_step(now, period) <= last.saturating_add(WINDOW) {
        notes.push(Note::UsedCodesOpen { until });
    }
    Ok(())
}

/// Steps on either side, if the PAM line says nothing.
const WINDOW: u64 = 5;
const MAX_SEED_BYTES: usize = 32;
const MAX_LINE_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use totpd_core::factor::Drift;
    use totpd_core::fixtures::verified;
    use totpd_core::seed::Seed;

    use super::*;

    const HEX: &str = "3132333435363738393031323334353637383930";
    /// 2026-11-27T23:30:10Z.
    const NOW: u64 = 1_795_822_210;

    #[test]
    fn the_last_code_and_counter_are_written() {
        for (last, columns) in [
            (None, "0"),
            (Some(0), "0\t755224\t2026-11-28T00:30:10L"),
            (Some(5), "5\t254676\t2026-11-28T00:30:10L"),
        ] {
            let exported = oath(&verified(Kind::Hotp, last), "alice", NOW, 3600).unwrap();
            assert_eq!(*exported.text, format!("HOTP/E/6\talice\t-\t{HEX}\t{columns}\n"));
            assert_eq!(exported.notes, []);
        }
        // RFC 6238 appendix B: 2005-03-18T01:58:29Z.
        let mut factor = verified(Kind::Totp { period: 30 }, Some(37_037_036));
        factor.digits = 8;
        let exported = oath(&factor, "alice", 1_111_111_200, -3600).unwrap();
        assert_eq!(
            *exported.text,
            format!("HOTP/T30/8\talice\t-\t{HEX}\t0\t07081804\t2005-03-18T01:00:00L\n")
        );
        let open = Note::UsedCodesOpen { until: 37_037_042 * 30 };
        assert!(exported.notes.contains(&open), "{:?}", exported.notes);
        assert!(
            exported.notes[0].to_string().contains("until 2005-03-18T02:01:00Z"),
            "{}",
            exported.notes[0]
        );
        let later = oath(&factor, "alice", 37_037_042 * 30, 0).unwrap();
        assert!(!later.notes.contains(&open));
    }

    #[test]
    fn what_the_module_cannot_hold_is_said() {
        let totp = |period| verified(Kind::Totp { period }, None);
        let refusal = |factor: &Factor, user: &str| oath(factor, user, NOW, 0).unwrap_err();
        assert_eq!(refusal(&totp(45), "alice"), Unwritable::Period(45));
        assert_eq!(refusal(&totp(30), "a b"), Unwritable::UserName);
        assert_eq!(refusal(&totp(30), ""), Unwritable::UserName);
        let long = Factor { seed: Seed::new(vec![7; 33]).unwrap(), ..totp(30) };
        assert_eq!(refusal(&long, "alice"), Unwritable::SeedTooLong(33));
        let slow = Factor { drift: Drift::from_steps(6), ..totp(30) };
        assert_eq!(refusal(&slow, "alice"), Unwritable::Drift(6));
        let near = Factor { drift: Drift::from_steps(5), ..totp(30) };
        assert_eq!(oath(&near, "alice", NOW, 0).unwrap().notes, [Note::DriftLost]);
    }
}
