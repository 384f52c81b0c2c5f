//! Functions of other libraries that std calls to print a panic and its stack trace, and for
//! nothing else in the module. The module prints neither, but std cannot be built without them.
//!
//! So the module has its own ones, hidden from all other libraries, and each fails. Through libc it
//! reads no environment variable and writes to no standard stream, not even by a mistake. The
//! compiler sees that no stack frame is ever visited, and leaves out all that would print one: half
//! of the module.

use std::ffi::c_int;

/// Defines these functions in the module. Its unit tests need the real ones, so this is a macro.
#[macro_export]
macro_rules! absent_functions {
    () => {
        mod absent {
            use std::ffi::{c_char, c_int, c_void};
            use std::ptr::null_mut;

            ::libpam::absent_functions! {
                // Returns the code for a stack that has no frame.
                _Unwind_Backtrace(*const c_void, *mut c_void) -> c_int = 5;
                getcwd(*mut c_char, usize) -> *mut c_char = null_mut();
                getenv(*const c_char) -> *mut c_char = null_mut();
                gettid() -> c_int = 0;
                write(c_int, *const c_void, usize) -> isize = -1;
                writev(c_int, *const c_void, c_int) -> isize = -1;
            }
        }
    };
    ($($name:ident($($argument:ty),*) -> $result:ty = $failure:expr;)*) => {
        $(
            std::arch::global_asm!(concat!(".hidden ", stringify!($name)));

            #[unsafe(no_mangle)]
            extern "C" fn $name($(_: $argument),*) -> $result {
                ::libpam::absent::fail();
                $failure
            }
        )*
    };
}

unsafe extern "C" {
    safe fn __errno_location() -> *mut c_int;
}

/// Sets the error of an absent function.
#[doc(hidden)]
pub fn fail() {
    // SAFETY: The pointer is valid, and no other thread has it (errno(3)).
    unsafe { *__errno_location() = NOT_IMPLEMENTED };
}

/// `ENOSYS` of Linux.
const NOT_IMPLEMENTED: c_int = 38;
