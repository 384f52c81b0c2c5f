//! Days, as the file of acceptances has them.

use toml_edit::Datetime;

/// Returns a day as TOML writes it.
pub(in super::super) fn to_toml(day: jiff::civil::Date) -> Datetime {
    let date = toml_edit::Date {
        year: day.year().unsigned_abs(),
        month: day.month().unsigned_abs(),
        day: day.day().unsigned_abs(),
    };
    Datetime { date: Some(date), time: None, offset: None }
}

/// Returns the day of a date without a time.
///
/// # Errors
/// Says how to write a date.
pub(super) fn from_toml(value: &Datetime) -> Result<jiff::civil::Date, String> {
    let expected = || format!("{value} is no date; write 2027-01-15");
    let Datetime { date: Some(date), time: None, offset: None } = value else {
        return Err(expected());
    };
    date.to_string().parse().map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_survives_the_file() {
        let day = jiff::civil::date(2027, 1, 15);
        assert_eq!(to_toml(day).to_string(), "2027-01-15");
        assert_eq!(from_toml(&to_toml(day)), Ok(day));
        let time: Datetime = "2027-01-15T12:00:00".parse().unwrap();
        assert!(from_toml(&time).unwrap_err().contains("write 2027-01-15"));
    }
}
