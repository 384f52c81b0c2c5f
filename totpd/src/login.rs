//! Logins: the questions of PAM modules (`org.totpd.Totp1.Login`), and the code that answers them.

mod completion;
mod enrollment_screen;
mod exemption;
mod first_login;
mod guard;
pub(crate) mod local;
mod prompt;
mod reply;
mod ruling;
pub(crate) mod service;
