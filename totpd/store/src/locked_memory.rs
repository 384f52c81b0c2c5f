//! Memory that is kept out of swap.

/// Keeps the pages of `secret` out of swap until the process ends: other secrets may share them.
///
/// # Errors
/// Those of mlock(2), for example beyond `RLIMIT_MEMLOCK`.
pub(crate) fn lock_pages_of<T>(secret: &T) -> region::Result<()> {
    region::lock(std::ptr::from_ref(secret), size_of::<T>()).map(std::mem::forget)
}
