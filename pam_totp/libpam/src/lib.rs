//! The calls of libpam that pam-bindings lacks. All unsafe code of the project is here.
//!
//! A [`PamHandle`] is opaque. pam-bindings makes one reference to it of the pointer that libpam
//! hands to the module, and that pointer is valid until the hook returns. So a reference is a valid
//! handle of libpam, and no other thread has it, because the type is not `Send`.
//! Each function here passes such a reference on, and pointers that libpam does not keep.

#![deny(unsafe_op_in_unsafe_fn)]

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::time::Duration;

use pam::constants::PamResultCode;
use pam::items::ItemType;
use pam::module::{PamHandle, PamResult};

pub use stand_in::{close_descriptor, exit_process, failed};

mod stand_in;

/// What libpam calls with data that it drops.
type End = unsafe extern "C" fn(*mut PamHandle, *mut c_void, c_int);

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_set_item(pamh: *mut PamHandle, item_type: c_int, item: *const c_void) -> c_int;
    fn pam_fail_delay(pamh: *mut PamHandle, usec: c_uint) -> c_int;
    fn pam_putenv(pamh: *mut PamHandle, name_value: *const c_char) -> c_int;
    fn pam_getenv(pamh: *mut PamHandle, name: *const c_char) -> *const c_char;
    fn pam_set_data(h: *mut PamHandle, name: *const c_char, data: *mut c_void, end: End) -> c_int;
    fn pam_get_data(h: *const PamHandle, name: *const c_char, data: *mut *const c_void) -> c_int;
}

/// Sets the item `PAM_AUTHTOK`: the password that later modules take. libpam copies it, and wipes
/// the copy before it frees it.
///
/// # Errors
/// The code of libpam.
pub fn set_authtok(handle: &mut PamHandle, password: &CStr) -> PamResult<()> {
    let item = password.as_ptr().cast();
    // SAFETY: The handle is valid (see above). `item` points to a string that ends in a zero byte,
    // as this item must be, and lives until the call returns. libpam copies it (pam_set_item(3)).
    checked(unsafe { pam_set_item(ptr::from_mut(handle), ItemType::AuthTok as c_int, item) })
}

/// Asks libpam to wait about `time` before it tells the host that the login failed. It waits once,
/// for the longest time that a module of the stack asked for, and not at all after a success. The
/// host may wait in another way, or not (pam_fail_delay(3)). A time over 71 minutes is cut.
///
/// # Errors
/// The code of libpam.
pub fn delay_failure(handle: &mut PamHandle, time: Duration) -> PamResult<()> {
    let microseconds = c_uint::try_from(time.as_micros()).unwrap_or(c_uint::MAX);
    // SAFETY: The handle is valid (see above), and the other argument is a number.
    checked(unsafe { pam_fail_delay(ptr::from_mut(handle), microseconds) })
}

/// Sets a variable of the PAM environment by `NAME=VALUE`, or removes it by `NAME`.
///
/// # Errors
/// The code of libpam. To remove a variable that is not set is one.
pub fn put_variable(handle: &mut PamHandle, name_value: &CStr) -> PamResult<()> {
    // SAFETY: The handle is valid (see above). The string lives until the call returns. libpam
    // copies it (pam_putenv(3)).
    checked(unsafe { pam_putenv(ptr::from_mut(handle), name_value.as_ptr()) })
}

/// Returns a variable of the PAM environment. `None`: it is not set.
#[must_use]
pub fn variable<'a>(handle: &'a PamHandle, name: &CStr) -> Option<&'a CStr> {
    // SAFETY: The handle is valid (see above). libpam changes nothing of it in this call, so that a
    // pointer made of a shared reference serves. The string lives until the call returns.
    let value = unsafe { pam_getenv(ptr::from_ref(handle).cast_mut(), name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: A pointer that is not null points into a string of libpam that ends in a zero byte
    // (pam_getenv(3)). It lives until the variable is set again or the handle ends. Both need the
    // handle exclusively, or end the hook, and the result borrows the handle.
    Some(unsafe { CStr::from_ptr(value) })
}

/// Keeps a text in the handle, in place of an earlier one. `None` removes it.
///
/// # Errors
/// The code of libpam. Then the earlier text stays, and this one leaks.
pub fn keep(handle: &mut PamHandle, text: Option<CString>) -> PamResult<()> {
    let data = text.map_or(ptr::null_mut(), CString::into_raw).cast();
    // SAFETY: The handle is valid (see above). libpam copies the name. It hands `data` to `release`
    // once, and no later than at the end of the handle: this library is loaded until then.
    checked(unsafe { pam_set_data(ptr::from_mut(handle), KEPT.as_ptr(), data, release) })
}

/// Returns the text that [`keep`] keeps.
#[must_use]
pub fn kept(handle: &PamHandle) -> Option<&CStr> {
    let mut data = ptr::null();
    // SAFETY: The handle is valid (see above). The other pointers live until the call returns.
    checked(unsafe { pam_get_data(handle, KEPT.as_ptr(), &raw mut data) }).ok()?;
    // SAFETY: Only `keep` uses this name, in every version of the module: for null, or a text that
    // lives until `keep` has the handle exclusively, or the handle ends.
    (!data.is_null()).then(|| unsafe { CStr::from_ptr(data.cast()) })
}

unsafe extern "C" fn release(_: *mut PamHandle, data: *mut c_void, _: c_int) {
    // SAFETY: What is not null is of `into_raw` in `keep`, and libpam has dropped it.
    drop((!data.is_null()).then(|| unsafe { CString::from_raw(data.cast()) }));
}

/// The name of the text. Each module of a stack chooses names of its own.
const KEPT: &CStr = c"pam_totp_let_in";

fn checked(code: c_int) -> PamResult<()> {
    match PamResultCode::try_from(code) {
        Ok(PamResultCode::PAM_SUCCESS) => Ok(()),
        Ok(code) => Err(code),
        Err(_) => Err(PamResultCode::PAM_SYSTEM_ERR),
    }
}
