//! What is read: codes and secrets, from standard input or a prompt, never from an argument.

use std::io::{self, BufRead, IsTerminal, Write};

use zeroize::Zeroizing;

use crate::error::Error;

/// Asks for a line, with a prompt where a person is there to read it; nothing at the end of the
/// input.
pub(crate) fn line(prompt: &str) -> Result<Option<Zeroizing<String>>, Error> {
    if io::stdin().is_terminal() {
        write!(io::stderr(), "{prompt}").map_err(Error::from)?;
    }
    let mut text = Zeroizing::new(String::with_capacity(MAX_LINE_BYTES));
    let unreadable =
        |error: io::Error| Error::refused(format!("standard input cannot be read: {error}"));
    let read = io::stdin().lock().read_line(&mut text).map_err(unreadable)?;
    if read == 0 {
        return Ok(None);
    }
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(Some(text))
}

/// Asks for a code.
pub(crate) fn code(prompt: &str) -> Result<Zeroizing<String>, Error> {
    line(prompt)?.ok_or_else(|| Error::refused("no code was given on standard input"))
}

/// Asks for a passphrase, unseen at a terminal; with `twice`, until it was typed alike twice.
pub(crate) fn passphrase(prompt: &str, twice: bool) -> Result<Zeroizing<String>, Error> {
    if !io::stdin().is_terminal() {
        return line(prompt)?
            .ok_or_else(|| Error::refused("no passphrase was given on standard input"));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|error| Error::refused(format!("no passphrase can be read: {error}")))
    };
    let first = ask(prompt)?;
    if twice && *ask("The same again: ")? != *first {
        return Err(Error::refused("the two passphrases differ"));
    }
    Ok(first)
}

/// Asks whether to go on. Without a terminal nobody can answer, and that is a no.
pub(crate) fn confirmed(question: &str) -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let answer = line(question)?;
    Ok(answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes")))
}

/// The login name of whoever runs this, if no other was given.
pub(crate) fn user_or_caller(user: Option<&str>) -> Result<String, Error> {
    if let Some(user) = user {
        return Ok(user.to_owned());
    }
    let uid = nix::unistd::getuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => Ok(user.name),
        _ => Err(Error::refused(format!("there is no user with uid {uid}: name one"))),
    }
}

/// Never grown, so that no copy of a secret is left behind.
const MAX_LINE_BYTES: usize = 1024;
