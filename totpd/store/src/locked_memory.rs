//! Memory that is kept out of swap.

/// Keeps the pages that `secret` is in out of swap, for ever: others may come to lie in them.
///
/// # Errors
/// Where the kernel refuses, as it does beyond `RLIMIT_MEMLOCK`.
pub(crate) fn lock_pages_of<T>(secret: &T) -> region::Result<()> {
    region::lock(std::ptr::from_ref(secret), size_of::<T>()).map(std::mem::forget)
}
