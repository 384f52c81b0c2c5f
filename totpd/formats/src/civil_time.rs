//! Dates and times of day, as seconds since 1970.

/// Writes seconds since 1970 as `2026-11-27T23:59:59`, without a zone.
pub(crate) fn format(time: i64) -> String {
    let (days, second) = (time.div_euclid(86_400), time.rem_euclid(86_400));
    // The inverse of `days_since_1970`. A cycle of the calendar has 400 years.
    let days = days + DAYS_TO_1970;
    let (cycle, day) = (days.div_euclid(DAYS_OF_CYCLE), days.rem_euclid(DAYS_OF_CYCLE));
    let leap_days = day / 1460 - day / 36_524 + day / 146_096;
    let year = (day - leap_days) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = cycle * 400 + year + carry;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Reads `2026-11-27T23:59:59` and its shorter form `20261127235959`. What follows the seconds is
/// returned too.
#[cfg(feature = "readers")]
pub(crate) fn parse(text: &str) -> Option<(i64, &str)> {
    let is_compact = text.as_bytes().get(4).is_some_and(u8::is_ascii_digit);
    let mut numbers = [0_i64; 6];
    let mut rest = text;
    let widths = [4, 2, 2, 2, 2, 2].into_iter().zip(["", "-", "-", "T", ":", ":"]);
    for (number, (width, separator)) in numbers.iter_mut().zip(widths) {
        if !is_compact {
            rest = rest.strip_prefix(separator)?;
        }
        let (digits, after) = rest.split_at_checked(width)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        (*number, rest) = (digits.parse().ok()?, after);
    }
    let [year, month, day, hour, minute, second] = numbers;
    let is_date = (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
    // 60 is a leap second.
    let is_time = hour < 24 && minute < 60 && second <= 60;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    (is_date && is_time).then_some((seconds, rest))
}

/// Reads a time of ISO 8601 or of LDAP with its zone (`Z`, `+01:00`, `+0100`); UTC without one.
#[cfg(feature = "readers")]
pub(crate) fn parse_with_zone(text: &str) -> Option<u64> {
    let (seconds, rest) = parse(text.trim())?;
    let zone = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let offset = match zone {
        "" | "Z" => 0,
        _ => {
            let (sign, digits) = zone.split_at_checked(1)?;
            let digits = digits.replace(':', "");
            let (hours, minutes) = digits.split_at_checked(2)?;
            let digits = [hours, minutes].map(|text| text.parse::<u16>().ok().map(i64::from));
            let [Some(hours), Some(minutes)] = digits else { return None };
            let offset = (hours * 60 + minutes) * 60;
            match sign {
                "+" => offset,
                "-" => -offset,
                _ => return None,
            }
        }
    };
    u64::try_from(seconds - offset).ok()
}

#[cfg(feature = "readers")]
fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Counts the days of the Gregorian calendar. March is the first month, so that the day of leap
/// years is the last one.
#[cfg(feature = "readers")]
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - DAYS_TO_1970
}

/// From 1 March of the year 0 to 1 January 1970.
const DAYS_TO_1970: i64 = 719_468;
const DAYS_OF_CYCLE: i64 = 146_097;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_from_1970() {
        for (text, expected) in [
            ("1970-01-01T00:00:00", 0),
            ("2000-02-29T23:59:60", 951_868_800),
            ("2026-11-27T23:30:00", 1_795_822_200),
            ("20261127233000", 1_795_822_200),
            ("1969-12-31T23:59:59", -1),
            ("2038-01-19T03:14:08", 2_147_483_648),
        ] {
            assert_eq!(parse(text), Some((expected, "")), "{text}");
        }
        assert_eq!(parse("2026-11-27T23:30:00L"), Some((1_795_822_200, "L")));
    }

    #[test]
    fn a_written_time_is_read_again() {
        for time in (-70_000_000_000..70_000_000_000).step_by(123_456_789) {
            let text = format(time);
            if !(1000..10_000)
                .contains(&text.split('-').next().unwrap().parse::<i64>().unwrap_or(0))
            {
                continue;
            }
            assert_eq!(parse(&text), Some((time, "")), "{text}");
        }
        for (time, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_868_799, "2000-02-29T23:59:59"),
            (1_709_164_800, "2024-02-29T00:00:00"),
            (1_735_689_599, "2024-12-31T23:59:59"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(format(time), text);
        }
    }

    #[test]
    fn a_zone_is_reckoned_with() {
        for (text, expected) in [
            ("2026-11-27T23:30:00Z", Some(1_795_822_200)),
            ("20261127233000Z", Some(1_795_822_200)),
            ("20261127233000.5Z", Some(1_795_822_200)),
            ("2026-11-28T00:30:00+01:00", Some(1_795_822_200)),
            ("2026-11-27T18:30:00-0500", Some(1_795_822_200)),
            ("2026-11-27T23:30:00", Some(1_795_822_200)),
            ("1960-01-01T00:00:00Z", None),
            ("2026-11-27T23:30:00 CET", None),
        ] {
            assert_eq!(parse_with_zone(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13-01T00:00:00",
            "2026-02-29T00:00:00",
            "2026-04-31T00:00:00",
            "2026-01-00T00:00:00",
            "2026-01-01T24:00:00",
            "2026-01-01T00:60:00",
            "2026-01-01T00:00:61",
            "-026-01-01T00:00:00",
            "2026:01-01T00:00:00",
            "2026-01-01 00:00:00",
            "２０２６-01-01T00:00:00",
            "2026-01-01T00:00:",
            "2026-01-01T00:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
