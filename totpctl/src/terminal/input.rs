//! What is read: codes and secrets, from standard input or a prompt, never from an argument.

use std::io::{self, BufRead, IsTerminal, Write};

use zeroize::Zeroizing;

use crate::error::Failure;

/// Asks for a line, with a prompt where a person is there to read it; nothing at the end of the
/// input.
pub(crate) fn line(prompt: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    if io::stdin().is_terminal() {
        write!(io::stderr(), "{prompt}").map_err(Failure::from)?;
    }
    let mut text = Zeroizing::new(String::with_capacity(LONGEST));
    let unreadable =
        |error: io::Error| Failure::refused(format!("standard input cannot be read: {error}"));
    let read = io::stdin().lock().read_line(&mut text).map_err(unreadable)?;
    if read == 0 {
        return Ok(None);
    }
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(Some(text))
}

/// Asks for a code.
pub(crate) fn code(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    line(prompt)?.ok_or_else(|| Failure::refused("no code was given on standard input"))
}

/// Asks for a passphrase, unseen at a terminal; with `twice`, until it was typed alike twice.
pub(crate) fn passphrase(prompt: &str, twice: bool) -> Result<Zeroizing<String>, Failure> {
    if !io::stdin().is_terminal() {
        return line(prompt)?
            .ok_or_else(|| Failure::refused("no passphrase was given on standard input"));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|error| Failure::refused(format!("no passphrase can be read: {error}")))
    };
    let first = ask(prompt)?;
    if twice && *ask("The same again: ")? != *first {
        return Err(Failure::refused("the two passphrases differ"));
    }
    Ok(first)
}

/// Asks whether to go on. Without a terminal nobody can answer, and that is a no.
pub(crate) fn confirmed(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let answer = line(question)?;
    Ok(answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes")))
}

/// The login name of whoever runs this, if no other was given.
pub(crate) fn user_or_caller(user: Option<&str>) -> Result<String, Failure> {
    if let Some(user) = user {
        return Ok(user.to_owned());
    }
    let uid = nix::unistd::getuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => Ok(user.name),
        _ => Err(Failure::refused(format!("there is no user with uid {uid}: name one"))),
    }
}

/// Never grown, so that no copy of a secret is left behind.
const LONGEST: usize = 1024;
