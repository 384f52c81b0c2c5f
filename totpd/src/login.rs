//! Logins: what PAM modules ask (`org.totpd.Totp1.Login`), and what answers them.

mod completion;
mod enrollment_screen;
mod first_login;
pub(crate) mod local;
mod prompt;
mod reply;
pub(crate) mod service;
