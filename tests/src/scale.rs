//! How much is tried of what only scale distinguishes.

/// `full` times `TEST_SCALE` (a tenth by default, as for each push; `make test-nightly` says 1),
/// and `least` at least.
///
/// # Panics
///
/// If `TEST_SCALE` is no number.
pub fn scaled(full: u32, least: u32) -> u32 {
    #[expect(clippy::disallowed_methods, reason = "the one who runs the tests says how much")]
    let scale = std::env::var("TEST_SCALE").map_or(0.1, |scale| scale.parse().expect("a number"));
    ((f64::from(full) * scale) as u32).max(least)
}
