//! Reads codes and secrets from standard input or a prompt, never from an argument.

use std::io::{self, BufRead, IsTerminal, Write};

use zeroize::Zeroizing;

use crate::error::Error;

/// Reports whether a person can answer: the input is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Reads a line, after a prompt if the input is a terminal. Returns nothing at the end of the
/// input.
pub(crate) fn line(prompt: &str) -> Result<Option<Zeroizing<String>>, Error> {
    if io::stdin().is_terminal() {
        write!(io::stderr(), "{prompt}").map_err(Error::from)?;
    }
    let mut text = Zeroizing::new(String::with_capacity(MAX_LINE_BYTES));
    let unreadable =
        |error: io::Error| Error::refused(format!("cannot read standard input: {error}"));
    let read = io::stdin().lock().read_line(&mut text).map_err(unreadable)?;
    if read == 0 {
        return Ok(None);
    }
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(Some(text))
}

/// Reads a code.
pub(crate) fn code(prompt: &str) -> Result<Zeroizing<String>, Error> {
    line(prompt)?.ok_or_else(|| Error::refused("no code on standard input; write it as one line"))
}

/// Reads a passphrase, without echo on a terminal. With `twice` it has to be typed twice.
pub(crate) fn passphrase(prompt: &str, twice: bool) -> Result<Zeroizing<String>, Error> {
    if !io::stdin().is_terminal() {
        return line(prompt)?.ok_or_else(|| {
            Error::refused("no passphrase on standard input; write it as the first line")
        });
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|error| Error::refused(format!("cannot read the passphrase: {error}")))
    };
    let first = ask(prompt)?;
    if twice && *ask("Repeat the passphrase: ")? != *first {
        return Err(Error::refused("the two passphrases differ"));
    }
    Ok(first)
}

/// Asks a yes-or-no question. Without a terminal the answer is no.
pub(crate) fn confirm(question: &str) -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let answer = line(question)?;
    Ok(answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes")))
}

/// Returns `user`, or the login name of the caller.
pub(crate) fn user_or_caller(user: Option<&str>) -> Result<String, Error> {
    if let Some(user) = user {
        return Ok(user.to_owned());
    }
    let uid = nix::unistd::getuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => Ok(user.name),
        _ => Err(Error::refused(format!("there is no user with uid {uid}; name a user"))),
    }
}

/// The limit of a line. The buffer never grows, so it leaves no copy of a secret.
const MAX_LINE_BYTES: usize = 1024;
