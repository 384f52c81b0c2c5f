//! A token of privacyIDEA, in whichever export it was.

use serde::Deserialize;

use crate::readers::draft::{ClockDrift, Draft, number};
use crate::readers::json::Loose;
use crate::readers::seed_text::Column;
use crate::reading::{Change, Reason};

/// A token. Its server knows more, which says nothing here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Token {
    #[serde(rename = "type", alias = "tokentype")]
    pub(super) kind: Loose,
    pub(super) serial: Loose,
    pub(super) description: Loose,
    #[serde(rename = "otpkey")]
    pub(super) seed: Loose,
    #[serde(rename = "otplen")]
    pub(super) digits: Loose,
    #[serde(rename = "count")]
    pub(super) counter: Loose,
    /// `login@realm`.
    pub(super) owner: Loose,
    pub(super) active: Loose,
    user: Option<User>,
    #[serde(rename = "info_list", alias = "tokeninfo")]
    pub(super) info: Option<Info>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    login: Loose,
}

/// What the server notes of a token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    #[serde(rename = "hashlib")]
    pub(super) algorithm: Loose,
    #[serde(rename = "timeStep")]
    pub(super) period: Loose,
    /// The seconds between the start of the step of the last code and its use.
    #[serde(rename = "timeShift")]
    pub(super) shift: Loose,
}

impl Token {
    /// Sets a value of the token by its name in the export.
    pub(super) fn set(&mut self, section: Option<&str>, name: &str, value: Option<String>) {
        let info = || Info::default();
        let place = match (section, name) {
            (None, "type" | "tokentype") => &mut self.kind,
            (None, "serial") => &mut self.serial,
            (None, "description") => &mut self.description,
            (None, "otpkey") => &mut self.seed,
            (None, "otplen") => &mut self.digits,
            (None, "count") => &mut self.counter,
            (None, "owner") => &mut self.owner,
            (None, "active") => &mut self.active,
            (Some("user"), "login") => &mut self.user.get_or_insert_with(User::default).login,
            (Some("info_list" | "tokeninfo"), "hashlib") => {
                &mut self.info.get_or_insert_with(info).algorithm
            }
            (Some("info_list" | "tokeninfo"), "timeStep") => {
                &mut self.info.get_or_insert_with(info).period
            }
            (Some("info_list" | "tokeninfo"), "timeShift") => {
                &mut self.info.get_or_insert_with(info).shift
            }
            _ => return,
        };
        *place = Loose(value);
    }

    /// Reports whether the token is TOTP or HOTP. Only those have a seed of a known form.
    pub(super) fn is_oath(&self) -> bool {
        let kind = self.kind.text().unwrap_or_default();
        kind.eq_ignore_ascii_case("totp") || kind.eq_ignore_ascii_case("hotp")
    }

    /// Returns the draft. `form` is that of all seeds.
    pub(super) fn draft(self, form: Column) -> Draft {
        let seed = self.seed.text().ok_or(Reason::NoSeed).and_then(|text| form.decode(text));
        let kind = self.kind.text().unwrap_or("token without a type").to_lowercase();
        let info = self.info.unwrap_or_default();
        let mut draft = Draft::new(&kind, seed);
        draft.label = self.serial.owned().or_else(|| self.description.owned()).unwrap_or_default();
        let login = self.user.and_then(|user| user.login.owned());
        draft.owner = login.or_else(|| login_of(self.owner.text()?));
        draft.algorithm = info.algorithm.owned();
        draft.digits = self.digits.owned();
        draft.period = info.period.owned();
        draft.counter = self.counter.owned();
        if self.active.text().is_some_and(|active| active.eq_ignore_ascii_case("false")) {
            draft.seed = Err(Reason::Disabled);
        }
        if kind == "totp" {
            // The server notes the step of the last code.
            draft.last_accepted = self.counter.text().and_then(number).filter(|step| *step > 0);
            if draft.last_accepted.is_none() {
                draft.changes.push(Change::UsedCodesUnknown);
            }
            draft.drift = drift(info.shift.text(), draft.period.as_deref());
        }
        draft
    }
}

/// Returns the drift. A code in the middle of its step was used half a step behind its start.
pub(crate) fn drift(shift: Option<&str>, period: Option<&str>) -> ClockDrift {
    let period = period.and_then(number).and_then(|period| i64::try_from(period).ok());
    let period = period.filter(|period| (1..=3600).contains(period)).unwrap_or(30);
    let seconds = shift.and_then(|text| text.parse::<f64>().ok()).filter(|shift| shift.is_finite());
    // A cast of a number that is too large gives the largest.
    let seconds = seconds.unwrap_or_default().ceil() as i64;
    ClockDrift::Seconds(seconds.saturating_add(period - 1))
}

/// Returns the login of `login@realm`; `n/a` is nobody.
fn login_of(owner: &str) -> Option<String> {
    let login = owner.rsplit_once('@').map_or(owner, |(login, _)| login);
    (login != "n/a").then(|| login.to_owned())
}
