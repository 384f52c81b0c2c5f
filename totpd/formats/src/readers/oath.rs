//! The usersfile of pam_oath: a token a line.
//!
//! ```text
//! HOTP/T30/6  alice  -  3132…  0  123456  2026-11-27T23:59:59L
//! ```
//!
//! Type, user, password, seed, and what the module writes itself: the counter, the last code and
//! its local time, without a zone.

use totpd_core::code::DIGITS;
use totpd_core::otp::{Algorithm, code_at, time_step};
use totpd_core::seed::Seed;

use crate::civil_time;
use crate::readers::draft::{Draft, number, short};
use crate::readers::seed_text::hexadecimal;
use crate::readers::text;
use crate::reading::{Change, Entry, Outcome, Place, Reason, Refusal, Rules};

/// Reads all lines.
pub(super) fn read(
    bytes: &[u8],
    rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<(), Refusal> {
    let text = text::decode(bytes)?;
    text::check_lines(text.as_str())?;
    for (number, line, is_whole) in text::lines(text.as_str()) {
        let mut words = line.split([' ', '\t', '\r']).filter(|word| !word.is_empty());
        let Some(kind) = words.next().filter(|kind| !kind.starts_with('#')) else { continue };
        let line = Line {
            kind,
            user: words.next(),
            password: words.next(),
            seed: words.next(),
            counter: words.next(),
            last_code: words.next(),
            last_time: words.next(),
        };
        let mut entry = line.draft(rules).into_entry(Place::Line(number));
        if let (Outcome::Factor(factor), false) = (&mut entry.outcome, is_whole) {
            factor.changes.push(Change::MayBeCut);
        }
        sink(entry);
    }
    Ok(())
}

/// The columns of a line.
struct Line<'a> {
    kind: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
    seed: Option<&'a str>,
    counter: Option<&'a str>,
    last_code: Option<&'a str>,
    last_time: Option<&'a str>,
}

impl Line<'_> {
    fn draft(&self, rules: &Rules) -> Draft {
        let seed = self.seed.ok_or(Reason::NoSeed).and_then(hexadecimal);
        let mut draft = Draft::new("totp", seed);
        draft.owner = self.user.map(ToOwned::to_owned);
        draft.ahead = rules.oath_window;
        if self.password.is_some_and(|password| !matches!(password, "-" | "+")) {
            draft.changes.push(Change::PasswordLeft);
        }
        if let Err(reason) = self.read(&mut draft, rules) {
            draft.seed = Err(reason);
        }
        draft
    }

    fn read(&self, draft: &mut Draft, rules: &Rules) -> Result<(), Reason> {
        let (period, digits) = parse_kind(self.kind)?;
        self.set_digits(draft, digits, rules)?;
        let counter = match self.counter {
            None => 0,
            Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                number(text).ok_or(Reason::CounterTooLarge)?
            }
            Some(_) => return Err(Reason::Malformed("its counter is no number".to_owned())),
        };
        let Some(period) = period else {
            "hotp".clone_into(&mut draft.kind);
            // The counter is the one that was used last, as soon as one was.
            let next = counter.checked_add(u64::from(self.last_code.is_some()));
            draft.counter = Some(next.ok_or(Reason::CounterTooLarge)?.to_string());
            return Ok(());
        };
        draft.period = Some(period.to_string());
        if self.last_code.is_some() {
            draft.last_accepted = Some(self.last_step(draft, period, rules)?);
        }
        Ok(())
    }

    /// Sets the digits. The module does not hold a code to those of the type; a code that it
    /// accepted shows them.
    fn set_digits(&self, draft: &mut Draft, digits: u8, rules: &Rules) -> Result<(), Reason> {
        let accepted = match self.last_code {
            None => None,
            Some(code) => {
                let length = u8::try_from(code.len()).ok().filter(|length| DIGITS.contains(length));
                let is_code = code.bytes().all(|byte| byte.is_ascii_digit());
                let malformed = || Reason::Malformed("its last code is no code".to_owned());
                Some(length.filter(|_| is_code).ok_or_else(malformed)?)
            }
        };
        let found = accepted.or(rules.oath_digits).unwrap_or(digits);
        draft.digits = Some(found.to_string());
        if accepted.is_some() && found != digits {
            draft.changes.push(Change::DigitsOfLastCode(found));
        }
        Ok(())
    }

    /// Returns the step of the last code: the one near its time that has this code. If none has,
    /// all steps up to that time count as used.
    fn last_step(&self, draft: &mut Draft, period: u32, rules: &Rules) -> Result<u64, Reason> {
        let window = rules.oath_window;
        let latest = time_step(rules.now, period).saturating_add(window);
        let times = match self.last_time {
            None => Vec::new(),
            Some(text) => possible_times(text, rules)
                .ok_or_else(|| Reason::Malformed("the time of its last code is none".to_owned()))?,
        };
        let steps = times.iter().map(|time| time_step(*time, period));
        let seed = draft.seed.as_ref().ok().and_then(|bytes| Seed::new(bytes.to_vec()));
        if let (Some(seed), Some(code)) = (&seed, self.last_code) {
            let digits = u8::try_from(code.len()).unwrap_or_default();
            let code = number(code).unwrap_or(u64::MAX);
            let has_code =
                |step: &u64| u64::from(code_at(seed, Algorithm::Sha1, *step, digits)) == code;
            let near = |step: u64| step.saturating_sub(window)..=step.saturating_add(window);
            let found = steps.clone().take(MAX_ZONES).flat_map(near).filter(has_code);
            if let Some(step) = found.max() {
                return Ok(step.min(latest));
            }
        }
        draft.changes.push(Change::LastCodeByTime);
        Ok(steps.max().map_or(latest, |step| step.saturating_add(window).min(latest)))
    }
}

/// Returns the times that a local time can mean, none of them in the future.
fn possible_times(text: &str, rules: &Rules) -> Option<Vec<u64>> {
    let (local, _) = civil_time::parse(text).filter(|(_, rest)| *rest == "L")?;
    let every_zone: Vec<i32> = (-12..=14).map(|hours| hours * 3600).collect();
    let offsets = if rules.utc_offsets.is_empty() { &every_zone } else { &rules.utc_offsets };
    let times = offsets.iter().filter_map(|offset| u64::try_from(local - i64::from(*offset)).ok());
    // The clock may have been set since, by a little.
    Some(times.filter(|time| *time <= rules.now.saturating_add(3600)).collect())
}

/// Returns the period, if it is not HOTP, and the digits of a type. The module knows no others.
fn parse_kind(kind: &str) -> Result<(Option<u32>, u8), Reason> {
    let skipped = || Reason::SkippedThere(short(kind));
    let mut parts = kind.split('/');
    let is_hotp = parts.next() == Some("HOTP");
    let period = match parts.next() {
        None | Some("E") => None,
        Some("T30") => Some(30),
        Some("T60") => Some(60),
        Some(_) => return Err(skipped()),
    };
    let digits = match parts.next() {
        None => 6,
        Some("6") => 6,
        Some("7") => 7,
        Some("8") => 8,
        Some(_) => return Err(skipped()),
    };
    if is_hotp && parts.next().is_none() { Ok((period, digits)) } else { Err(skipped()) }
}

/// A zone has few offsets.
const MAX_ZONES: usize = 30;

#[cfg(test)]
mod tests;
