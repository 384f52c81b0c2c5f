use totpd_formats::reading::{Place, Reason};

use super::*;
use crate::commands::import::reader::parse;

/// Every host has these users.
const ROOT: u32 = 0;
const DAEMON: u32 = 1;
const BIN: u32 = 2;

fn factor() -> Outcome {
    let line = "{\"entry\":{\"place\":\"file\",\"owner\":null,\"label\":\"\",\"issuer\":\"\",\"factor\":{\"kind\":\
                \"totp\",\"period\":30,\"algorithm\":\"SHA1\",\"digits\":6,\
                \"seed\":\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\",\"ahead\":1}}}\n{\"end\":{\"entries\":1}}\n";
    let (entries, _) = parse(&mut line.as_bytes()).unwrap();
    entries.into_iter().next().unwrap().outcome
}

fn entry(owner: Option<&str>, label: &str) -> Entry {
    let (place, issuer) = (Place::Line(1), String::new());
    let owner = owner.map(ToOwned::to_owned);
    Entry { place, owner, label: label.to_owned(), issuer, outcome: factor() }
}

fn source(owner: u32, is_of_one_user: bool, entries: Vec<Entry>) -> Source {
    Source { file: "file".into(), owner, is_of_one_user, entries }
}

/// A person who answers these.
#[derive(Default)]
struct Person(Option<&'static str>, bool);

impl Chooser for Person {
    fn user_of(&mut self, _: &Source, _: &Entry) -> Result<Option<String>, Error> {
        Ok(self.0.map(ToOwned::to_owned))
    }

    fn is_of(&mut self, _: &str, _: &Source, _: &Entry) -> Result<bool, Error> {
        Ok(self.1)
    }
}

fn users_of(source: Source, matching: &Matching, person: &mut Person) -> Vec<String> {
    let (accounts, mut report) = (Accounts::default(), Report::new(false, false));
    let assigned = assign(vec![source], matching, &accounts, person, &mut report).unwrap();
    let times = assigned.iter().map(|one| format!("{}:{}", one.user, one.factors.len()));
    times.collect()
}

#[test]
fn the_owner_of_the_file_of_one_user_says_whose_it_is() {
    let users = |owner| {
        let source = source(owner, true, vec![entry(None, "root")]);
        users_of(source, &Matching::Names, &mut Person::default())
    };
    assert_eq!(users(DAEMON), ["daemon:1"]);
    assert_eq!(users(4_000_000_000), Vec::<String>::new(), "no such user");
}

#[test]
fn a_file_of_root_names_anybody_and_a_file_of_a_user_that_user_alone() {
    let entries =
        || vec![entry(Some("daemon"), ""), entry(Some("bin"), ""), entry(Some("daemon"), "")];
    let users =
        |owner| users_of(source(owner, false, entries()), &Matching::Names, &mut Person::default());
    assert_eq!(users(ROOT), ["daemon:2", "bin:1"]);
    assert_eq!(users(DAEMON), ["daemon:2"]);
    assert_eq!(users(BIN), ["bin:1"]);
}

#[test]
fn a_label_is_no_name_of_a_user() {
    let users = |person: &mut Person| {
        let entries = vec![entry(None, "daemon"), entry(None, "bin")];
        users_of(source(ROOT, false, entries), &Matching::Names, person)
    };
    assert_eq!(users(&mut Person::default()), Vec::<String>::new());
    assert_eq!(users(&mut Person(Some("bin"), false)), ["bin:2"], "a person says so");
    assert_eq!(users(&mut Person(Some("no-such-user"), false)), Vec::<String>::new());
}

#[test]
fn a_named_user_gets_the_only_entry_or_those_that_a_person_chooses() {
    let named = Matching::User("daemon".into());
    let users =
        |entries, person: &mut Person| users_of(source(ROOT, false, entries), &named, person);
    assert_eq!(users(vec![entry(None, "x")], &mut Person::default()), ["daemon:1"]);
    let several = || vec![entry(None, "x"), entry(None, "y")];
    assert_eq!(users(several(), &mut Person::default()), Vec::<String>::new());
    assert_eq!(users(several(), &mut Person(None, true)), ["daemon:2"]);
    let others = vec![entry(Some("bin"), ""), entry(Some("daemon"), "")];
    assert_eq!(users(others, &mut Person::default()), ["daemon:1"], "bin's stays");
}

#[test]
fn a_mapping_knows_names_and_labels() {
    let map = [("T-1", "daemon"), ("b", "bin"), ("gone", "no-such-user")];
    let map = map.into_iter().map(|(name, user)| (name.to_owned(), user.to_owned()));
    let entries = vec![
        entry(None, "T-1"),
        entry(Some("b"), "other"),
        entry(None, "unknown"),
        entry(None, "gone"),
    ];
    let source = source(ROOT, false, entries);
    let users = users_of(source, &Matching::Map(map.collect()), &mut Person::default());
    assert_eq!(users, ["daemon:1", "bin:1"]);
}

#[test]
fn an_entry_without_a_factor_is_nobodys() {
    let mut left = entry(Some("daemon"), "");
    left.outcome = Outcome::Left(Reason::Disabled);
    let users = users_of(source(ROOT, false, vec![left]), &Matching::Names, &mut Person::default());
    assert_eq!(users, Vec::<String>::new());
}
