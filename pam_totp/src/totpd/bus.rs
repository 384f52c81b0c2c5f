//! A question over the system bus: for programs that are not root's, and where there is no private
//! socket.

use std::io;
use std::time::Instant;

use totpd_interface::{Error, LoginProxy, SYSTEM_BUS};
use zbus::connection::Builder;

use super::{Answer, Question, Trouble};

/// Asks, and waits for the answer until the deadline.
pub(super) fn ask(question: &Question<'_>, deadline: Instant) -> Result<Answer, Trouble> {
    // A runtime for each question: no thread and no descriptor of it outlives this in the host.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| Trouble::Lasting(Error::Bus(error.into())))?;
    let exchange = async {
        let connection =
            Builder::address(SYSTEM_BUS).build().await.map_err(|error| trouble(error, false))?;
        let totpd = LoginProxy::new(&connection).await.map_err(|error| trouble(error, false))?;
        let answer = match question {
            Question::Begin(user, context) => totpd.begin(user, context).await,
            Question::Verify(user, code, context) => totpd.verify(user, code, context).await,
        };
        answer.map_err(|error| match error {
            Error::Bus(error) => trouble(error, true),
            other => Trouble::Lasting(other),
        })
    };
    runtime.block_on(async {
        tokio::time::timeout_at(deadline.into(), exchange).await.unwrap_or(Err(Trouble::TooLate))
    })
}

/// What an error means for the next try. `sent`: whether the question was sent.
fn trouble(error: zbus::Error, sent: bool) -> Trouble {
    let lost = if sent { Trouble::AnswerLost } else { Trouble::NotHeard };
    match name(&error).as_deref() {
        // dbus-daemon serves 256 connections of a user, and all logins are root's.
        Some("org.freedesktop.DBus.Error.LimitsExceeded") => return Trouble::NotHeard,
        // The daemon ended while it had the question.
        Some("org.freedesktop.DBus.Error.NoReply") => return lost,
        _ => {}
    }
    match &error {
        zbus::Error::InputOutput(io) => match io.kind() {
            io::ErrorKind::WouldBlock => Trouble::NotHeard,
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof => lost,
            _ => Trouble::Lasting(Error::Bus(error)),
        },
        _ => Trouble::Lasting(Error::Bus(error)),
    }
}

/// The name of an error that another program sent.
fn name(error: &zbus::Error) -> Option<String> {
    match error {
        zbus::Error::FDO(error) => Some(zbus::DBusError::name(error.as_ref()).to_string()),
        zbus::Error::MethodError(name, ..) => Some(name.to_string()),
        _ => None,
    }
}
