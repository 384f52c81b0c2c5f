//! A way to have functions of other libraries in this one.

use std::ffi::{c_int, c_long};

/// Defines functions in the place of those of other libraries that have these names. They are
/// hidden from all other libraries. Each returns the value behind it.
///
/// The names and the types are those that the callers expect: std and the unwinder of GCC. The unit
/// tests of a library need the real functions.
#[macro_export]
macro_rules! stand_ins {
    ($($name:ident($($argument:tt: $kind:ty),*) -> $result:ty = $value:expr;)*) => {
        $(
            std::arch::global_asm!(concat!(".hidden ", stringify!($name)));

            #[unsafe(no_mangle)]
            extern "C" fn $name($($argument: $kind),*) -> $result {
                $value
            }
        )*
    };
}

unsafe extern "C" {
    safe fn __errno_location() -> *mut c_int;
    fn syscall(number: c_long, ...) -> c_long;
}

/// Closes a descriptor, as close(2) of libc does, but for the points of cancellation.
pub fn close_descriptor(descriptor: c_int) -> c_int {
    // SAFETY: The call takes a number and touches no memory. Who calls this owns the descriptor, as
    // with the function of libc.
    let result = unsafe { syscall(libc::SYS_close, descriptor) };
    if result == 0 { 0 } else { -1 }
}

/// Ends this process and all its threads at once.
pub fn exit_process() -> ! {
    loop {
        // SAFETY: The call takes a number and touches no memory.
        unsafe { syscall(libc::SYS_exit_group, ABORTED) };
    }
}

/// Sets the error of a function that is absent, and returns its `result`.
pub fn failed<T>(result: T) -> T {
    // SAFETY: The pointer is valid, and no other thread has it (errno(3)).
    unsafe { *__errno_location() = NOT_IMPLEMENTED };
    result
}

/// The status of a process that SIGABRT ended, as a shell has it.
const ABORTED: c_int = 134;
/// `ENOSYS` of Linux.
const NOT_IMPLEMENTED: c_int = 38;
