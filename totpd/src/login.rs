//! Logins: the questions of PAM modules (`org.totpd.Totp1.Login`), and the code that answers them.

mod completion;
pub(crate) mod course;
mod enrollment_screen;
mod exemption;
mod first_login;
mod guard;
pub(crate) mod local;
pub(crate) mod outlook;
mod password;
pub(crate) mod prompt;
mod reply;
pub(crate) mod ruling;
pub(crate) mod service;
pub(crate) mod why;
