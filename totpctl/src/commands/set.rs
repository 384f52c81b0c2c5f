//! `totpctl set` and `totpctl rename`: changes name, purpose and restrictions of a factor.

use serde_json::json;
use zbus::Variant;

use crate::cli::Set;
use crate::client::{Client, details};
use crate::commands::current_code::current_code;
use crate::commands::last_factor::{Fate, Loss, ask, lost};
use crate::commands::named_factor;
use crate::error::Error;
use crate::terminal::{input, output};

mod services;

pub(super) fn rename(
    user: &str,
    factor: Option<&str>,
    name: &str,
    json: bool,
) -> Result<(), Error> {
    change(
        user,
        factor,
        [("name", Some(name.into()))],
        Vec::new(),
        (Restriction::None, false),
        json,
    )
}

pub(super) fn run(user: &str, options: &Set, json: bool) -> Result<(), Error> {
    let time = |text: &Option<String>| text.as_deref().map(seconds).transpose();
    let (not_before, not_after) = (time(&options.not_before)?, time(&options.not_after)?);
    let services = options.services.as_deref().map(services::parse).transpose()?;
    if !options.yes {
        ask_about_unknown(services.as_deref().unwrap_or_default())?;
    }
    let now = jiff::Timestamp::now().as_second().try_into().unwrap_or_default();
    let restriction = match &services {
        _ if options.disable || is_outside(not_before, not_after, now) => Restriction::Unusable,
        Some(services) => Restriction::To(services.clone()),
        None => Restriction::None,
    };
    let restriction = (restriction, !options.yes);
    let advice = services.as_deref().map(services::advice).unwrap_or_default();
    let disabled = options.disable.then_some(true).or(options.enable.then_some(false));
    let changes = [
        ("purpose", options.purpose.as_deref().map(Variant::from)),
        ("services", services.map(Variant::from)),
        ("not_before", not_before.map(Variant::from)),
        ("not_after", not_after.map(Variant::from)),
        ("disabled", disabled.map(Variant::from)),
    ];
    if changes.iter().all(|(_, value)| value.is_none()) {
        return Err(Error::Usage("no change given; see totpctl set --help".into()));
    }
    change(user, options.factor.as_deref(), changes, advice, restriction, json)
}

/// Asks whether a person means services that this host does not have. They may be installed later.
/// A script is only told.
fn ask_about_unknown(names: &[String]) -> Result<(), Error> {
    let unknown = services::unknown(names);
    if unknown.is_empty() || !input::is_terminal() {
        return Ok(());
    }
    output::note(&services::sentence(&unknown));
    match input::confirm("Go on? [y/N] ")? {
        true => Ok(()),
        false => Err(Error::refused("nothing is changed")),
    }
}

/// Reports whether the given limits exclude `now`. 0 is no limit. All are in seconds since 1970.
fn is_outside(not_before: Option<u64>, not_after: Option<u64>, now: u64) -> bool {
    not_before.is_some_and(|start| start > now)
        || not_after.is_some_and(|end| end != 0 && end <= now)
}

/// What a change takes from a factor.
enum Restriction {
    None,
    /// Its codes are no longer valid.
    Unusable,
    /// It is valid for these services only; for all, if there are none.
    To(Vec<String>),
}

impl Restriction {
    /// Returns the services by which the user could no longer log in.
    fn lost(&self, client: &Client, user: &str, factor: &str) -> Result<Vec<String>, Error> {
        let fate = match self {
            Self::None => return Ok(Vec::new()),
            Self::Unusable => Fate::Unusable,
            Self::To(services) => Fate::ValidFor(services),
        };
        lost(client, user, Loss { factor: Some(factor), fate })
    }
}

/// `asks`: whether to ask before the user loses a service.
fn change<'v>(
    user: &str,
    factor: Option<&str>,
    changes: impl IntoIterator<Item = (&'static str, Option<Variant<'v>>)>,
    mut advice: Vec<String>,
    (restriction, asks): (Restriction, bool),
    json: bool,
) -> Result<(), Error> {
    let changes = details::dictionary(changes);
    let client = Client::for_own_account(user)?;
    let factor = named_factor::factor(&client, user, factor)?;
    let lost = restriction.lost(&client, user, &factor)?;
    if asks {
        ask(user, &lost, "nothing is changed")?;
    }
    let code = current_code(&client, user)?;
    client.manager(async |totpd| totpd.set_factor(user, &factor, &changes, &code).await)?;
    if !lost.is_empty() {
        advice.insert(0, format!("{user} can no longer log in by: {}.", output::names(&lost)));
    }
    if json {
        return output::json(
            &json!({ "user": user, "factor": factor, "changed": true, "advice": advice }),
        );
    }
    output::note(&format!("Factor {factor} of {user} is changed."));
    advice.iter().for_each(|sentence| output::note(sentence));
    Ok(())
}

/// Parses a day or a minute in local time to seconds since 1970. An empty text is 0: no limit.
fn seconds(text: &str) -> Result<u64, Error> {
    if text.is_empty() {
        return Ok(0);
    }
    let time = text.parse::<jiff::civil::DateTime>().or_else(|_| {
        text.parse::<jiff::civil::Date>()
            .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
    });
    let zoned = time.ok().and_then(|time| time.to_zoned(jiff::tz::TimeZone::system()).ok());
    let seconds = zoned.and_then(|time| u64::try_from(time.timestamp().as_second()).ok());
    seconds.filter(|seconds| *seconds > 0).ok_or_else(|| {
        Error::Usage(format!(
            "cannot parse the time {text:?}; write 2027-01-15 or \"2027-01-15 12:00\""
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_exclude_the_present_before_the_first_second_and_from_the_end_on() {
        for (not_before, not_after, expected) in [
            (None, None, false),
            (Some(0), Some(0), false),
            (Some(5), None, false),
            (Some(6), None, true),
            (None, Some(5), true),
            (None, Some(6), false),
        ] {
            assert_eq!(
                is_outside(not_before, not_after, 5),
                expected,
                "{not_before:?} {not_after:?}"
            );
        }
    }

    #[test]
    fn a_day_or_a_minute_is_a_time() {
        assert_eq!(seconds("").unwrap(), 0);
        let day = seconds("2027-01-15").unwrap();
        assert_eq!(seconds("2027-01-15 12:00").unwrap(), day + 12 * 3600);
        assert_eq!(seconds("2027-01-15T12:00").unwrap(), day + 12 * 3600);
        for text in ["tomorrow", "2027-13-01", "15.1.2027", "1960-01-01"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
