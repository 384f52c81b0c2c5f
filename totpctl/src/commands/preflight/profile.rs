//! The advice to use a profile, where a line in the file of a service cannot ask.

use crate::error::Error;
use crate::pam::files::read;

/// Adds to the advice to use a profile what keeps sshd from asking after it, if something does.
/// `problems` returns that for these files of PAM.
pub(super) fn advice(error: Error, problems: &dyn Fn(&Stacks) -> Option<String>) -> Error {
    let stacks = |file: &str| match file {
        "sshd" => Some(LIKE_A_PROFILE.to_owned()),
        other => read(other),
    };
    match problems(&stacks) {
        Some(problems) => Error::refused(format!("{error}. Before that: {problems}")),
        None => error,
    }
}

/// Returns the text of a file of PAM.
type Stacks = dyn Fn(&str) -> Option<String>;

/// A stack of sshd, as profiles write it.
const LIKE_A_PROFILE: &str = "auth requisite pam_unix.so\nauth required pam_totp.so nullok\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_sshd_from_asking_comes_before_a_profile() {
        let told = |problems: &dyn Fn(&Stacks) -> Option<String>| {
            advice(Error::refused("use a profile"), problems).to_string()
        };
        // sshd is judged by a stack that asks.
        let of_sshd = |stacks: &Stacks| stacks("sshd").filter(|text| text.contains("pam_totp.so"));
        let expected = format!("use a profile. Before that: {LIKE_A_PROFILE}");
        assert_eq!(told(&of_sshd), expected);
        assert_eq!(told(&|_| None), "use a profile");
    }
}
