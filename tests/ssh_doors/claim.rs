//! What doctor says of one way in, for one user.

/// The ways in without a right code, and with one, that were open.
pub(super) type Real = (bool, bool);

/// A claim about one user.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) door: String,
    pub(super) user: String,
    /// The token of the JSON.
    code: String,
    /// Whether doctor says that this user is not asked.
    is_exception: bool,
}

impl Claim {
    pub(super) fn new(door: &str, user: &str, code: &str, is_exception: bool) -> Self {
        Self { door: door.into(), user: user.into(), code: code.into(), is_exception }
    }

    /// Returns what doctor expects.
    fn expected(&self) -> Real {
        match (self.code.as_str(), self.is_exception) {
            // A user without a factor has no right code.
            ("asked", false) => (false, self.user != "bob"),
            ("asked", true) | ("not-asked", _) => (true, true),
            ("unanswerable", true) => (true, true),
            ("unanswerable" | "closed", _) => (false, false),
            (other, _) => panic!("{self:?}: {other}"),
        }
    }

    /// Returns in words how reality differs, if it does.
    pub(super) fn difference(&self, real: Real) -> Option<String> {
        let expected = self.expected();
        (real != expected).then(|| {
            let Self { door, user, code, is_exception } = self;
            format!(
                "{door}, {user}: doctor says {code} (exception: {is_exception}), so in without a code: {}, \
                 with one: {}; really {real:?}",
                expected.0, expected.1
            )
        })
    }
}
