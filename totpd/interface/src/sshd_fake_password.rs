//! The text that sshd puts in the place of an answer. The daemon takes it as
//! `TypedAnswer::BlockedBySshd`, which is no guess (`typed_answer.rs`).

/// Reports whether `answer` is the text that OpenSSH sends to PAM in place of what the person
/// typed. sshd does so for a user that no answer lets in: PermitRootLogin, AllowUsers and the like
/// forbid it, or there is no such user. The text is as long as the answer.
#[must_use]
pub fn is_sshd_fake_password(answer: &[u8]) -> bool {
    let mut expected = SSHD_FAKE_PASSWORD.iter().cycle();
    !answer.is_empty() && answer.iter().all(|byte| Some(byte) == expected.next())
}

/// The text, which sshd repeats or cuts (`fake_password` in its auth-pam.c).
const SSHD_FAKE_PASSWORD: &[u8] = b"\x08\n\r\x7fINCORRECT";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fake_password_has_the_length_of_any_answer() {
        for length in 1..=64 {
            let sent: Vec<u8> = SSHD_FAKE_PASSWORD.iter().copied().cycle().take(length).collect();
            assert!(is_sshd_fake_password(&sent), "{length}");
            let mut typed = sent.clone();
            typed[length - 1] ^= 1;
            assert!(!is_sshd_fake_password(&typed), "{length}");
        }
        for typed in ["", "123456", "INCORRECT", "\n", "IN", "password\u{8}\n\r\u{7f}IN"] {
            assert!(!is_sshd_fake_password(typed.as_bytes()), "{typed:?}");
        }
    }
}
