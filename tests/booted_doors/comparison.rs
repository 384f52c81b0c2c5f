//! The count of compared uses, and all differences.

use serde_json::Value;
use tests::claim::{Claim, doors, text};

use super::doors_host::DoorsHost;

/// One use of a way in.
pub(super) struct Use<'a> {
    /// The way in, as doctor names it.
    pub(super) door: &'a str,
    /// The phrases of `who` that are this user, the most special last. All users are "".
    pub(super) who: &'a [&'a str],
    /// Who comes in, in words.
    pub(super) user: &'a str,
    /// Whose password and code is asked for.
    pub(super) account: &'a str,
    /// What a phrase of `exceptions` has that is meant for this user.
    pub(super) names: &'a [&'a str],
    /// True if another line refuses this user.
    pub(super) is_refused: bool,
    /// Tries to come in with this code.
    pub(super) enter: &'a dyn Fn(&str) -> bool,
}

impl Use<'_> {
    /// A use by a user whose own code is asked for, and who is in no group.
    pub(super) const BY_EVERYBODY: Use<'static> = Use {
        door: "",
        who: &[""],
        user: "",
        account: "",
        names: &[],
        is_refused: false,
        enter: &|_| false,
    };
}

/// A comparison of what doctor says with what happens.
pub(super) struct Comparison {
    name: String,
    setting: String,
    uses: u32,
    differences: Vec<String>,
}

impl Comparison {
    /// Begins one.
    pub(super) fn new(suite: &str, kind: &str) -> Self {
        let name = format!("{kind} on {suite}");
        Self { name, setting: String::new(), uses: 0, differences: Vec::new() }
    }

    /// Names the configuration of the uses that follow.
    pub(super) fn setting(&mut self, name: &str) {
        name.clone_into(&mut self.setting);
    }

    /// Uses a way in, with a wrong code and with a right one.
    pub(super) fn add(&mut self, host: &DoorsHost, doctor: &Value, tried: &Use<'_>) {
        let Use { door: name, who, user, account, names, is_refused, enter } = *tried;
        let all = doors(doctor);
        let is_it =
            |door: &&Value, who: &str| text(door, "door") == name && text(door, "who") == who;
        let found = who.iter().rev().find_map(|who| all.iter().find(|door| is_it(door, who)));
        let door = found.unwrap_or_else(|| panic!("{}: no {name}: {doctor:#}", self.setting));
        let exceptions = door["exceptions"].as_array().unwrap();
        let has_code = host.has_factor(account);
        let is_exception = exceptions.iter().filter_map(Value::as_str).any(|phrase| {
            (phrase.contains("users without a factor") && !has_code)
                || names.iter().any(|name| phrase.contains(name))
        });
        let code = if is_refused { "closed".to_owned() } else { text(door, "code") };
        let claim = Claim::new(name, user, has_code, &code, is_exception);
        host.unlock(account);
        let wrong = enter("000000");
        let right = match has_code {
            false => wrong,
            true => {
                let code = host.fresh_code(account);
                host.unlock(account);
                enter(&code)
            }
        };
        let difference = claim.difference((wrong, right));
        self.count(difference.map(|difference| format!("{difference}\n{door:#}")));
    }

    /// Compares a service that is no way in by itself, used with a wrong code.
    pub(super) fn add_service(&mut self, service: &str, asks: bool, is_in: bool) {
        let difference =
            format!("{service}: doctor says that it asks: {asks}; in with a wrong code: {is_in}");
        self.count((asks == is_in).then_some(difference));
    }

    fn count(&mut self, difference: Option<String>) {
        self.uses += 1;
        let setting = &self.setting;
        self.differences.extend(difference.map(|difference| format!("{setting}: {difference}")));
    }

    /// Prints how many uses were compared.
    ///
    /// # Panics
    ///
    /// If one of them differs.
    pub(super) fn finish(self) {
        let Self { name, uses, differences, .. } = self;
        println!("{name}: {uses} uses compared with doctor, {} differ", differences.len());
        assert!(uses > 0 && differences.is_empty(), "{name}:\n{}", differences.join("\n"));
    }
}
