//! One key of a container.

use totpd_core::otp::time_step;

use crate::civil_time::parse_with_zone;
use crate::readers::draft::{ClockDrift, Draft, number, short};
use crate::readers::pskc::element::Element;
use crate::readers::pskc::protection::Protection;
use crate::readers::pskc::secret::{seed, signed, value};
use crate::reading::{Change, Reason, Rules};

/// Returns the draft of the key of a package.
pub(super) fn draft(package: &Element, protection: &Protection, rules: &Rules) -> Draft {
    let mut keys = package.children("Key");
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Draft::new("package without a key", Err(Reason::NoSeed));
    };
    let algorithm = key.attribute("Algorithm").unwrap_or_default();
    let kind = algorithm.rsplit([':', '#', '/']).next().unwrap_or_default();
    let data = key.find(&["Data"]);
    let bytes = data.map_or(Err(Reason::NoSeed), |data| seed(data, protection));
    let mut draft = Draft::new(kind, bytes);
    let name = key.text(&["FriendlyName"]);
    let serial = package.text(&["DeviceInfo", "SerialNo"]).or_else(|| key.attribute("Id"));
    draft.label = name.or(serial).unwrap_or_default().to_owned();
    draft.issuer = key.text(&["Issuer"]).unwrap_or_default().to_owned();
    let user = key.text(&["UserId"]).or_else(|| package.text(&["DeviceInfo", "UserId"]));
    draft.owner = user.map(user_of);
    draft.kind = draft.kind.to_lowercase();
    let state = State { key, data, package, protection, rules };
    if let Err(reason) = state.read(&mut draft) {
        draft.seed = Err(reason);
    }
    draft
}

/// Returns the user of a name of LDAP (`UID=jsmith,DC=example`), or the name as it is.
fn user_of(name: &str) -> String {
    let first = name.split(',').next().unwrap_or_default();
    match first.split_once('=') {
        Some((attribute, user)) if attribute.trim().eq_ignore_ascii_case("uid") => {
            user.trim().to_owned()
        }
        _ => name.to_owned(),
    }
}

/// What stands around the seed of a key.
struct State<'a> {
    key: &'a Element,
    data: Option<&'a Element>,
    package: &'a Element,
    protection: &'a Protection,
    rules: &'a Rules,
}

impl State<'_> {
    fn read(&self, draft: &mut Draft) -> Result<(), Reason> {
        self.read_parameters(draft)?;
        self.read_policy(draft)?;
        // privacyIDEA gives TOTP a counter, and its drift in seconds.
        let is_from_privacyidea = self.key.is_lower_case() && draft.issuer == "privacyIDEA";
        if draft.kind != "totp" {
            draft.counter = self.value("Counter")?;
            return Ok(());
        }
        draft.period = self.value("TimeInterval")?;
        if let Some(text) = self.value("TimeDrift")?.filter(|text| text != "None") {
            let drift = signed(&text).ok_or_else(|| malformed("TimeDrift"))?;
            draft.drift = if is_from_privacyidea {
                ClockDrift::Seconds(drift.ceil() as i64 + period(draft) - 1)
            } else {
                ClockDrift::Steps(drift as i64)
            };
        }
        let last = if is_from_privacyidea { self.value("Counter")? } else { self.value("Time")? };
        let last = match last {
            None => 0,
            Some(text) => number(&text).ok_or_else(|| malformed("Time"))?,
        };
        let latest = time_step(
            self.rules.now.saturating_add(DAY),
            u32::try_from(period(draft)).unwrap_or(30),
        );
        match last {
            0 => draft.changes.push(Change::UsedCodesUnknown),
            // Seconds instead of steps, or what no clock has seen.
            _ if last > latest => draft.changes.push(Change::FutureCodesLeft(1)),
            _ => draft.last_accepted = Some(last),
        }
        Ok(())
    }

    fn read_parameters(&self, draft: &mut Draft) -> Result<(), Reason> {
        let Some(parameters) = self.key.find(&["AlgorithmParameters"]) else { return Ok(()) };
        if let Some(suite) = parameters.find(&["Suite"]) {
            let name = parameters.text(&["Suite"]).or_else(|| suite.attribute("hashalgo"));
            draft.algorithm = name.map(ToOwned::to_owned);
        }
        let Some(format) = parameters.find(&["ResponseFormat"]) else { return Ok(()) };
        draft.digits = format.attribute("Length").map(ToOwned::to_owned);
        let encoding = format.attribute("Encoding").unwrap_or("DECIMAL");
        if !encoding.eq_ignore_ascii_case("DECIMAL") {
            return Err(Reason::Malformed(format!("its codes are {}", short(encoding))));
        }
        let check = format.attribute("CheckDigits").unwrap_or("false");
        if !matches!(check, "false" | "0") {
            return Err(Reason::Malformed("its codes have check digits".to_owned()));
        }
        Ok(())
    }

    fn read_policy(&self, draft: &mut Draft) -> Result<(), Reason> {
        let policy = self.key.find(&["Policy"]);
        let device = self.package.find(&["DeviceInfo"]);
        let time = |name: &str| {
            let text = [policy, device].into_iter().flatten().find_map(|part| part.text(&[name]));
            let read = text.map(|text| parse_with_zone(text).ok_or_else(|| malformed(name)));
            read.transpose()
        };
        (draft.not_before, draft.not_after) = (time("StartDate")?, time("ExpiryDate")?);
        let Some(policy) = policy else { return Ok(()) };
        let mut usages = policy.children("KeyUsage").filter_map(|usage| usage.text(&[])).peekable();
        if usages.peek().is_some() && !usages.any(|usage| usage.eq_ignore_ascii_case("OTP")) {
            return Err(Reason::Malformed("its policy allows no codes".to_owned()));
        }
        for name in ["PINPolicy", "NumberOfTransactions"] {
            if policy.find(&[name]).is_some() {
                draft.changes.push(Change::SettingLeft(name.to_owned()));
            }
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Result<Option<String>, Reason> {
        self.data.map_or(Ok(None), |data| value(data, name, self.protection))
    }
}

fn period(draft: &Draft) -> i64 {
    let period = draft.period.as_deref().and_then(number).filter(|period| *period > 0);
    period.and_then(|period| i64::try_from(period).ok()).unwrap_or(30)
}

fn malformed(name: &str) -> Reason {
    Reason::Malformed(format!("its {name} cannot be read"))
}

const DAY: u64 = 86_400;
