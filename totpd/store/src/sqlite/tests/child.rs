//! Work on a store in a process of its own. A test can kill the process, and can make its calls
//! fail. The process is this very program, with one test picked.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// This program, set to run `test` (one that is ignored otherwise) on the store in `folder`.
pub(super) fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([&format!("sqlite::tests::{test}"), "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Returns the folder that a child works in. A program that was started by hand has none.
pub(super) fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test says it to its own child")]
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Returns the path of the library that makes calls fail (`tests/harness/faults.c`).
pub(super) fn faults() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_folder, library) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("faults.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/harness/faults.c");
        let built = Command::new("cc")
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .args([source, "-ldl"])
            .status();
        assert!(built.unwrap().success(), "faults.c does not compile");
        (folder, library)
    });
    library
}

const FOLDER: &str = "TOTPD_TEST_FOLDER";
