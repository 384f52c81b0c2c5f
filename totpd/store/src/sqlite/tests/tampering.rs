//! An attacker who can write the file and has no key. The store notices some of the changes, and
//! not all. `docs/reference/threat-model.md` says what noticing the others would need.

use super::folder::Folder;
use super::host::{Host, is_yes};
use crate::backend::StoreError;

/// A store with alice and bob, who have both used the code of `step`, and the tools to change it.
struct Tampered {
    folder: Folder,
    step: u64,
}

impl Tampered {
    fn new() -> Self {
        let folder = Folder::new();
        let host = Host::open(&folder.path()).unwrap();
        for name in ["alice", "bob"] {
            host.enroll(name).unwrap();
            host.confirm(name).unwrap();
        }
        host.wait(1);
        let step = host.step();
        drop(host);
        let tampered = Self { folder, step };
        // The rows as they were before the codes were used.
        tampered.sql("CREATE TABLE before AS SELECT * FROM record");
        let host = tampered.open();
        for name in ["alice", "bob"] {
            assert!(is_yes(&host.verify(name, step)));
        }
        drop(host);
        tampered
    }

    fn sql(&self, statements: &str) {
        self.folder.file().execute_batch(statements).unwrap();
    }

    fn open(&self) -> Host {
        let host = Host::open(&self.folder.path()).unwrap();
        host.at(self.step);
        host
    }

    fn is_corrupt(&self, host: &Host, name: &str) -> bool {
        matches!(host.verify(name, self.step + 1), Err(StoreError::Corrupt(_)))
    }
}

#[test]
fn rows_swapped_between_users_are_noticed() {
    let tampered = Tampered::new();
    tampered.sql(
        "UPDATE record SET subject = 'x' WHERE subject = 'alice'; \
         UPDATE record SET subject = 'alice' WHERE subject = 'bob'; \
         UPDATE record SET subject = 'bob' WHERE subject = 'x';",
    );
    let host = tampered.open();
    assert!(tampered.is_corrupt(&host, "alice") && tampered.is_corrupt(&host, "bob"));
}

#[test]
fn an_edited_row_is_noticed_and_harms_one_user() {
    let tampered = Tampered::new();
    // The status, the last step and the counters are in the sealed bytes: any of them.
    tampered.sql(
        "UPDATE record SET sealed = CAST(substr(sealed, 1, 60) || \
         CASE substr(sealed, 61, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(sealed, 62) AS BLOB) WHERE subject = 'alice'",
    );
    let host = tampered.open();
    assert!(tampered.is_corrupt(&host, "alice"));
    assert!(is_yes(&host.verify("bob", tampered.step + 1)));
}

#[test]
fn an_edited_key_id_is_noticed() {
    let tampered = Tampered::new();
    tampered.sql("UPDATE meta SET value = CAST('k-aaaaaaaa' AS BLOB) WHERE name = 'key'");
    assert!(tampered.folder.refusal().contains("k-aaaaaaaa"), "{}", tampered.folder.refusal());
    tampered.sql("DELETE FROM meta WHERE name = 'key'");
    assert!(tampered.folder.refusal().contains("is missing"), "{}", tampered.folder.refusal());
}

#[test]
fn an_old_row_that_returns_is_not_noticed() {
    let tampered = Tampered::new();
    tampered.sql("INSERT OR REPLACE INTO record SELECT * FROM before WHERE subject = 'alice'");
    let host = tampered.open();
    assert!(is_yes(&host.verify("alice", tampered.step)), "then the threat model can say more");
    assert!(!is_yes(&host.verify("bob", tampered.step)));
}

#[test]
fn a_deleted_row_is_not_noticed_and_lets_nobody_in() {
    let tampered = Tampered::new();
    tampered.sql("DELETE FROM record WHERE subject = 'alice'");
    let host = tampered.open();
    assert!(host.record("alice").unwrap().is_none(), "then the threat model can say more");
    assert!(!is_yes(&host.verify("alice", tampered.step + 1)));
}

#[test]
fn a_file_rolled_back_as_a_whole_is_not_noticed() {
    let tampered = Tampered::new();
    tampered.sql("DELETE FROM record; INSERT INTO record SELECT * FROM before");
    let host = tampered.open();
    for name in ["alice", "bob"] {
        assert!(is_yes(&host.verify(name, tampered.step)), "then the threat model can say more");
    }
}

/// An attacker who can write the file could have every built-in feature parse it. See
/// `.cargo/config.toml`.
#[test]
fn the_bundled_sqlite_has_no_unused_features() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    for statement in [
        "CREATE VIRTUAL TABLE t USING fts5(x)",
        "CREATE VIRTUAL TABLE t USING fts3(x)",
        "CREATE VIRTUAL TABLE t USING rtree(a, b, c)",
        "CREATE VIRTUAL TABLE t USING dbstat(main)",
        "SELECT json_array(1)",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT soundex('x')",
    ] {
        let error = connection.execute_batch(statement).unwrap_err().to_string();
        assert!(error.contains("no such"), "{statement}: {error}");
    }
}
