//! The only file that reads the wall clock.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Returns seconds since 1970 as local time, to the minute.
#[must_use]
pub(crate) fn display_local(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    let time = time.map(|time| time.to_zoned(jiff::tz::TimeZone::system()));
    time.map_or_else(|| format!("@{seconds}"), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
}

/// Reports whether systemd-timesyncd has synchronized the clock of this machine. Other programs do
/// not say it where this process may look.
#[must_use]
pub(crate) fn is_known_to_be_synchronized() -> bool {
    std::path::Path::new("/run/systemd/timesync/synchronized").exists()
}

/// Returns milliseconds since the first call, by a clock that nobody sets.
#[must_use]
pub(crate) fn monotonic_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Returns seconds since 1970. A clock that is set before 1970 reads 0, and no code is right then.
#[must_use]
pub(crate) fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "this is the clock file")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
