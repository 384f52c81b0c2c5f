//! What both wordings say: that of everybody, and that of the users of a block.

use crate::host::sshd::config::effective::{Effective, RootLogin};
use crate::host::sshd::config::method::Method;

/// Returns why root cannot log in.
pub(super) fn root(permit: RootLogin, is_guarded: bool, config: &Effective) -> String {
    let reason = match &config.lists {
        _ if is_guarded => "the guard refuses a key without a code, and ",
        Some(_) => "AuthenticationMethods requires an answer to PAM, and ",
        None => "",
    };
    let value = permit.value();
    format!(
        "root cannot log in: {reason}with PermitRootLogin {value} sshd gives PAM a wrong answer, whatever root types"
    )
}

/// Returns the change to make, after which root still needs a key.
pub(super) fn root_fix(is_guarded: bool, config: &Effective) -> String {
    let lists = config.lists.iter().flatten();
    let mut usable = lists.filter(|list| config.disabled_method(list).is_none()).peekable();
    let has_key =
        |list: &String| list.split(',').any(|name| Method::parse(name) == Some(Method::PublicKey));
    // With a list that a key completes, the guard refuses before the code.
    if !is_guarded && usable.peek().is_some() && usable.all(has_key) {
        return "if root is to log in, write PermitRootLogin yes; AuthenticationMethods still requires a key"
            .into();
    }
    let key = match config.is_enabled(Method::PublicKey) {
        true => "",
        false => "PubkeyAuthentication yes, ",
    };
    format!(
        "if root is to log in, write {key}PermitRootLogin yes and {KEY_AND_CODE} in a block \"Match User root\"; \
         PermitRootLogin yes by itself would let root in without a key"
    )
}

/// Returns what key and code also need for root. With the default, sshd gives PAM a wrong answer
/// for root, so a root with a key would be shut out.
pub(super) fn for_root(config: &Effective) -> &'static str {
    match config.root {
        RootLogin::ProhibitPassword => {
            ", and for root also PermitRootLogin yes (enroll root first)"
        }
        RootLogin::Yes | RootLogin::ForcedCommandsOnly | RootLogin::No => "",
    }
}

pub(super) const LISTS: &str = "AuthenticationMethods";
pub(super) const KEY_AND_CODE: &str = "AuthenticationMethods publickey,keyboard-interactive";
pub(super) const NO_EMPTY_PASSWORDS: &str = "write PermitEmptyPasswords no";
