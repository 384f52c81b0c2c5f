//! Times, as people of this host read them.

/// Formats seconds since 1970 as local time, to the minute.
pub(crate) fn display_local(seconds: u64) -> String {
    display(seconds, "%Y-%m-%d %H:%M")
}

/// Formats seconds since 1970 as local time, to the second.
pub(crate) fn display_local_with_seconds(seconds: u64) -> String {
    display(seconds, "%Y-%m-%d %H:%M:%S")
}

/// Formats seconds since 1970 as the local time of day, to the second.
pub(crate) fn display_time_of_day(seconds: u64) -> String {
    display(seconds, "%H:%M:%S")
}

fn display(seconds: u64, format: &str) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map(|time| time.to_zoned(jiff::tz::TimeZone::system()))
        .map_or_else(|| format!("@{seconds}"), |time| time.strftime(format).to_string())
}
