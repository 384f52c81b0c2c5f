//! `needs.toml` has a line for each file of tests, and it says all that the file needs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The uses in a file, and the need of each.
const USES: [(&str, &str); 7] = [
    ("Machine::", "machine"),
    ("::with_programs()", "programs"),
    ("/opt/tests/libpam-totp.deb", "packages"),
    ("/opt/tests/authselect-", "authselect"),
    ("Host::", "hosts"),
    ("-doors\"", "doors"),
    ("Kernel::", "kernel"),
];

/// Returns the sources of a file of tests: its own and those in the folder of its name.
fn sources(name: &str) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = fs::read_to_string(tests.join(format!("{name}.rs"))).unwrap();
    for entry in fs::read_dir(tests.join(name)).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}

#[test]
fn each_file_of_tests_is_run_and_says_what_it_needs() {
    let table = include_str!("needs.toml").split_once("\n[needs]\n").unwrap().1;
    let lines = table.split("\n\n").next().unwrap().lines();
    let table: BTreeMap<_, _> = lines.map(|line| line.split_once(" = ").unwrap()).collect();
    let modules: Vec<_> = include_str!("main.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(table.keys().eq(&modules), "needs.toml and main.rs name the same files");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(tests).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(name == "main" || modules.contains(&name), "{name}.rs is not run");
        }
    }
    for (name, needs) in table {
        if name == "needs" {
            continue;
        }
        let text = sources(name);
        for (used, need) in USES {
            let is_said = needs.trim_matches('"').split(' ').any(|word| word == need);
            assert!(is_said || !text.contains(used), "{name} uses {used} and needs {need}");
        }
    }
}
