//! What `totpctl doctor` says of one way in, for one user, beside what happens there.

use serde_json::Value;

/// Whether a way in was open without a right code, and with one.
pub type Real = (bool, bool);

/// A claim about one user.
#[derive(Debug)]
pub struct Claim {
    /// The way in, as doctor names it.
    pub door: String,
    /// Who uses it.
    pub user: String,
    /// Whether this user has a right code for the account that is asked for one.
    pub has_code: bool,
    /// The token of the JSON.
    code: String,
    /// Whether doctor says that this user is not asked.
    is_exception: bool,
}

impl Claim {
    /// Returns the claim. `code` is the token of the JSON, `is_exception` whether doctor names the
    /// user among those who are not asked.
    pub fn new(door: &str, user: &str, has_code: bool, code: &str, is_exception: bool) -> Self {
        let (door, user, code) = (door.to_owned(), user.to_owned(), code.to_owned());
        Self { door, user, has_code, code, is_exception }
    }

    /// Returns what doctor expects.
    fn expected(&self) -> Real {
        match (self.code.as_str(), self.is_exception) {
            ("asked", false) => (false, self.has_code),
            ("asked" | "unanswerable", true) | ("not-asked", _) => (true, true),
            ("unanswerable" | "closed", _) => (false, false),
            (other, _) => panic!("{self:?}: {other}"),
        }
    }

    /// Returns in words how reality differs, if it does.
    pub fn difference(&self, real: Real) -> Option<String> {
        let expected = self.expected();
        (real != expected).then(|| {
            let Self { door, user, code, is_exception, .. } = self;
            format!(
                "{door}, {user}: doctor says {code} (exception: {is_exception}), so in without a right code: \
                 {}, with one: {}; really {real:?}",
                expected.0, expected.1
            )
        })
    }
}

/// Returns the doors in the JSON of doctor.
pub fn doors(doctor: &Value) -> Vec<&Value> {
    doctor["doors"].as_array().expect("doors").iter().collect()
}

/// Returns a text of a door, empty if it has none.
pub fn text(door: &Value, key: &str) -> String {
    door[key].as_str().unwrap_or_default().to_owned()
}
