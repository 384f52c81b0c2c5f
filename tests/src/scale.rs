//! The scale of the tests whose result depends on scale.

/// Returns `full` times `TEST_SCALE`, and `least` at least. `TEST_SCALE` is a tenth by default, as
/// for each push. `make test-nightly` sets it to 1.
///
/// # Panics
///
/// If `TEST_SCALE` is no number.
pub fn scaled(full: u32, least: u32) -> u32 {
    #[expect(clippy::disallowed_methods, reason = "the one who runs the tests says how much")]
    let scale = std::env::var("TEST_SCALE").map_or(0.1, |scale| scale.parse().expect("a number"));
    ((f64::from(full) * scale) as u32).max(least)
}
