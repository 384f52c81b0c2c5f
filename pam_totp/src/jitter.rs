//! Random delays: logins that failed together must not retry together.

use std::time::Duration;

use crate::nonce;

/// Returns `time`, up to a quarter longer or shorter.
pub(crate) fn add_jitter(time: Duration) -> Duration {
    time / 1000 * (750 + random_per_mille() / 2)
}

/// Returns a random part of `time`.
pub(crate) fn random_part(time: Duration) -> Duration {
    time / 1000 * random_per_mille()
}

/// Returns 0 to 999. Without randomness the delays do not vary, which harms nobody.
fn random_per_mille() -> u32 {
    let bytes = nonce::random().map_or([0; 16], |nonce| nonce.bytes());
    u32::try_from(u128::from_ne_bytes(bytes) % 1000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_quarter_and_varies() {
        let two = Duration::from_secs(2);
        let times: Vec<_> = (0..200).map(|_| add_jitter(two)).collect();
        assert!(times.iter().all(|time| (1500..=2500).contains(&time.as_millis())), "{times:?}");
        assert!(times.iter().any(|time| time.as_millis() < 1800));
        assert!(times.iter().any(|time| time.as_millis() > 2200));
    }

    #[test]
    fn a_retry_interval_is_any_part_of_the_whole() {
        let whole = Duration::from_millis(200);
        let pauses: Vec<_> = (0..200).map(|_| random_part(whole).as_millis()).collect();
        assert!(pauses.iter().all(|ms| *ms < 200), "{pauses:?}");
        assert!(pauses.iter().any(|ms| *ms < 60) && pauses.iter().any(|ms| *ms > 140));
    }
}
