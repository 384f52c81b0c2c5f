//! A seed that a test chose, and its codes by an independent implementation (oathtool).

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// A seed in base32.
#[derive(Clone, Debug)]
pub struct Seed(pub String);

impl Seed {
    /// Returns the `number`th seed.
    pub fn numbered(number: u32) -> Self {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        // Any 32 characters that depend on the number will do.
        let mut state = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(ALPHABET[(state >> 59) as usize])
        };
        Self((0..32).map(|_| draw()).collect())
    }

    /// Returns the code of now.
    pub fn code(&self) -> String {
        self.code_after(0)
    }

    /// Returns the code of the next time step, which is right already.
    pub fn next_code(&self) -> String {
        self.code_after(30)
    }

    /// Returns the code of `seconds` from now.
    pub fn code_after(&self, seconds: i64) -> String {
        self.code_at(now().saturating_add_signed(seconds))
    }

    /// Returns the code of a time, in seconds since 1970.
    pub fn code_at(&self, time: u64) -> String {
        let out = Command::new("oathtool")
            .args(["--totp", "--base32", "--now", &format!("@{time}"), &self.0])
            .output()
            .expect("oathtool");
        assert!(out.status.success(), "{out:?}");
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// Returns the lines to type to enroll a token: its secret, and the code of the time step
    /// before. The next line is for a check after the end of that step.
    ///
    /// Both codes are of the same moment: across the end of a step they would lie two steps apart,
    /// and the second would use up the code of a login that follows.
    pub fn first_codes(&self) -> String {
        let now = now();
        format!("{}\n{}\n{}\n", self.0, self.code_at(now - 30), self.code_at(now))
    }

    /// Reports whether no two codes of the next minutes are equal. One pair of a million is, and the
    /// second one of a pair is refused as a used code (decision record 0028).
    pub fn has_distinct_codes(&self) -> bool {
        let start = format!("@{}", now() - 30);
        let out = Command::new("oathtool")
            .args(["--totp", "--base32", "--window", "20", "--now", &start, &self.0])
            .output()
            .expect("oathtool");
        let codes = String::from_utf8(out.stdout).unwrap();
        let distinct: BTreeSet<_> = codes.lines().collect();
        assert_eq!(codes.lines().count(), 21, "{codes}");
        distinct.len() == 21
    }

    /// Returns a code that is wrong now and for the next minutes.
    pub fn wrong_code(&self) -> String {
        let right: Vec<_> = (-4..=8).map(|step| self.code_after(step * 30)).collect();
        let wrong = (0..100).map(|n| format!("{n:06}")).find(|code| !right.contains(code));
        wrong.unwrap()
    }
}

/// Acts until an act began and ended in the same 30 s, and returns its result. Two programs that
/// read the clock one after the other then mean the same time step.
pub fn within_one_step<T>(mut act: impl FnMut() -> T) -> T {
    loop {
        let step = now() / 30;
        let result = act();
        if now() / 30 == step {
            return result;
        }
    }
}

fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the codes of a phone depend on its clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs()
}
