use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;

/// A configuration file and its folder of drop-ins, owned by the user who runs the test.
struct Files(tempfile::TempDir);

fn this_user() -> Owner {
    Owner::from_uid(nix::unistd::geteuid().as_raw())
}

impl Files {
    fn new(main: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        fs::write(files.main(), main).unwrap();
        files
    }

    fn main(&self) -> PathBuf {
        self.0.path().join("totpd.toml")
    }

    fn drop_in(self, name: &str, text: &str) -> Self {
        let folder = self.0.path().join("totpd.toml.d");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
        self
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&self.main(), this_user()).map(|(config, _)| config)
    }
}

#[test]
fn an_absent_file_means_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let (config, rules) = Config::load(&folder.path().join("totpd.toml"), this_user()).unwrap();
    assert!(rules.policy.is_empty());
    assert_eq!(config.issuer, "%h");
    assert!(config.self_service);
    assert_eq!((config.defaults.digits, config.defaults.period), (6, 30));
    assert_eq!(config.defaults.algorithm, Algorithm::Sha1);
    assert_eq!((config.enrollment.unverified_lifetime, config.enrollment.max_factors), (600, 1));
    assert_eq!(config.rules.skew, 1);
    assert_eq!(config.rules.throttle.free_failures, 3);
    assert_eq!(config.rules.throttle.first_wait, 30);
    assert_eq!(config.rules.throttle.longest_wait, 3600);
    assert_eq!(config.rules.throttle.lock_after, 100);
    assert_eq!(config.rules.throttle.known_source, 2_592_000);
}

#[test]
fn the_shipped_file_says_the_defaults() {
    let shipped = include_str!("../../../packaging/totpd.toml");
    let uncommented: String = shipped
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(uncommented.contains("\nlock_after = 100"));
    let shipped = Files::new(&uncommented).load().unwrap();
    let (defaults, _) = Config::from_fragment(Fragment::default()).unwrap();
    assert_eq!(format!("{shipped:?}"), format!("{defaults:?}"));
}

/// Checks the file of the design, to the letter, because other people's scripts write it so.
#[test]
fn the_file_of_the_design_is_accepted() {
    let config = Files::new(
        r#"
[enrollment]
issuer = "%h"              # %h: host name
self_service = true        # users may enroll themselves (polkit enroll-self)
algorithm = "SHA1"         # what every phone app understands
digits = 6
period = 30                # seconds
unverified_lifetime = "10m"
max_factors = 1
recovery_codes = 10

[verify]
skew = 1                   # time steps accepted on either side

[throttle]
free_failures = 3          # wrong codes before waiting starts
first_wait = "30s"         # doubles with each further one
longest_wait = "1h"
lock_after = 100           # wrong codes in a row; then only known sources get in, until `totpctl unlock`
known_source = "30d"       # an address that succeeded this recently has a budget of its own; "0" turns that off

[remember]
# sshd = "8h"              # the same user from the same address at the same service is not asked again

[policy]
# required_from = 2027-01-15 and other rules: see totpd.toml(5)

[store]
backend = "local"          # or "etcd"
"#,
    );
    assert_eq!(config.load().unwrap().enrollment.max_factors, 1);
    let off = Files::new("[throttle]\nknown_source = \"0\"\n").load().unwrap();
    assert_eq!(off.rules.throttle.known_source, 0);
}

#[test]
fn a_later_drop_in_wins_and_others_are_left_alone() {
    let config = Files::new("[enrollment]\ndigits = 8\nperiod = 60\n[verify]\nskew = 2\n")
        .drop_in("20-b.toml", "[enrollment]\nperiod = 45\n")
        .drop_in("10-a.toml", "[enrollment]\nperiod = 15\nalgorithm = \"SHA512\"\n")
        .drop_in("30-c.conf", "not toml at all")
        .load()
        .unwrap();
    assert_eq!((config.defaults.digits, config.defaults.period), (8, 45));
    assert_eq!(config.defaults.algorithm, Algorithm::Sha512);
    assert_eq!(config.rules.skew, 2);
}

#[test]
fn an_invalid_value_is_refused_by_file_line_and_key() {
    for (text, line, words) in [
        ("[enrollment]\nperiode = 30\n", 2, "periode"),
        ("[enrolement]\nperiod = 30\n", 1, "enrolement"),
        ("[enrollment]\n\nperiod = 14\n", 3, "period: 14 is not in 15 to 300"),
        ("[enrollment]\nperiod = 301\n", 2, "period: 301"),
        ("[enrollment]\nperiod = -1\n", 2, "period: -1"),
        ("[enrollment]\nperiod = \"30\"\n", 2, "period: invalid type"),
        ("[enrollment]\ndigits = 9\n", 2, "digits: 9 is not in 6 to 8"),
        ("[enrollment]\nalgorithm = \"MD5\"\n", 2, "MD5"),
        ("[enrollment]\nmax_factors = 0\n", 2, "max_factors: 0"),
        ("[enrollment]\nissuer = \"a:b\"\n", 2, "issuer"),
        ("[enrollment]\nunverified_lifetime = \"1s\"\n", 2, "unverified_lifetime: 1 seconds"),
        ("[enrollment]\nunverified_lifetime = \"soon\"\n", 2, "no length of time"),
        ("[verify]\nskew = 11\n", 2, "skew: 11"),
        ("[throttle]\nlock_after = 101\n", 2, "lock_after: 101"),
        ("[throttle]\nfirst_wait = \"0\"\n", 2, "first_wait"),
        ("[remember]\nsshd = \"8h\"\n", 2, "sshd"),
        ("[store]\nbackend = \"etcd\"\n", 2, "not in this version"),
        ("[store]\nbackend = \"mysql\"\n", 2, "unknown backend"),
        ("[store]\nmark = \"no\"\n", 2, "mark: invalid type: string \"no\", expected a boolean"),
        ("[store]\nmark = 0\n", 2, "mark: invalid type: integer `0`, expected a boolean"),
        ("\n[store]\nbackend = \"local\"\nmark = \n", 4, "mark: "),
        ("[store]\nmark = true\nmark = false\n", 3, "duplicate key"),
        ("[store]\nmarks = false\n", 2, "marks: unknown field"),
        ("[verify]\nskew = 1\nmark = false\n", 3, "mark: unknown field"),
        ("mark = false\n", 1, "mark: unknown field"),
        ("store.mark = 1.5\n", 1, "store.mark: invalid type: floating point"),
        ("[verify]\nskew = 1\nskew = 2\n", 3, "duplicate key"),
        ("[verify\n", 1, ""),
        ("\u{0}\u{1}", 1, ""),
    ] {
        let error = Files::new(text).load().unwrap_err().to_string();
        assert!(error.contains(&format!("totpd.toml:{line}: ")), "{text:?}: {error}");
        assert!(error.contains(words), "{text:?}: {error}");
    }
}

#[test]
fn a_fault_in_a_drop_in_names_the_drop_in() {
    let files = Files::new("").drop_in("10-a.toml", "nonsense = 1\n");
    let error = files.load().unwrap_err().to_string();
    assert!(error.contains("totpd.toml.d/10-a.toml:1: "), "{error}");
}

#[test]
fn contradictions_are_refused_by_file_and_line_of_each_key() {
    for (text, drop_in, lines, words) in [
        ("\n[throttle]\nfirst_wait = \"2h\"\n", "", "M:3: ", "is longer than longest_wait"),
        ("[throttle]\nlongest_wait = \"1s\"\n", "", "M:2: ", "is longer than longest_wait"),
        ("throttle.free_failures = 5\nthrottle.lock_after = 4\n", "", "M:1 and M:2: ", "above"),
        ("throttle = { free_failures = 5, lock_after = 4 }\n", "", "M:1: ", "is above lock_after"),
        ("[throttle]\nlock_after = 9\n", "[throttle]\nlock_after = 2\n", "D:2: ", "is above"),
        (
            "[throttle]\nfree_failures = 5\nfirst_wait = \"2h\"\n",
            "[verify]\nskew = 1\n[throttle]\nlongest_wait = \"1h\"\n",
            "M:3 and D:4: ",
            "lower the first or raise the second",
        ),
    ] {
        let files = Files::new(text).drop_in("10-a.toml", drop_in);
        let main = files.main().display().to_string();
        let lines = lines.replace('D', "M.d/10-a.toml").replace('M', &main);
        let error = files.load().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{lines}[throttle] ")), "{text:?}: {error}");
        assert!(error.contains(words), "{text:?}: {error}");
    }
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    for (place, mode) in [
        ("totpd.toml", 0o666),
        ("totpd.toml", 0o664),
        ("totpd.toml", 0o646),
        ("totpd.toml.d", 0o775),
        ("totpd.toml.d/a.toml", 0o664),
        ("", 0o777),
        ("", 0o1777),
    ] {
        let files = Files::new("").drop_in("a.toml", "");
        fs::set_permissions(files.0.path().join(place), fs::Permissions::from_mode(mode)).unwrap();
        let error = files.load().unwrap_err().to_string();
        assert!(error.contains(&format!("mode {mode:04o}")), "{error}");
        assert!(error.contains(place), "{error}");
        fs::set_permissions(files.0.path(), fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn a_link_is_followed_through_folders_that_only_the_owner_can_write() {
    let elsewhere = tempfile::tempdir().unwrap();
    let (open, kept) = (elsewhere.path().join("open"), elsewhere.path().join("kept"));
    for (folder, mode) in [(&open, 0o777), (&kept, 0o755)] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("real.toml"), "[verify]\nskew = 2\n").unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    }
    symlink(kept.join("real.toml"), open.join("on.toml")).unwrap();
    symlink("../kept", kept.join("same")).unwrap();
    for (target, through) in [
        (open.join("real.toml"), Some(&open)),
        (open.join("on.toml"), Some(&open)),
        (open.join("../kept/real.toml"), Some(&open)),
        (kept.join("real.toml"), None),
        (kept.join("same/real.toml"), None),
    ] {
        let files = Files::new("");
        fs::remove_file(files.main()).unwrap();
        symlink(&target, files.main()).unwrap();
        match (files.load(), through) {
            (Ok(config), None) => assert_eq!(config.rules.skew, 2),
            (Err(error), Some(through)) => {
                let words = format!("the link leads through {}, which", through.display());
                assert!(error.to_string().contains(&words), "{error}");
            }
            (loaded, _) => panic!("{}: {loaded:?}", target.display()),
        }
    }
}

#[test]
fn a_hidden_file_is_no_configuration_and_is_named() {
    let files = Files::new("").drop_in(".#a.toml", "no toml").drop_in(".toml", "no toml");
    symlink("me@host.4711:1", files.0.path().join("totpd.toml.d/.#b.toml")).unwrap();
    let (_, rules) = Config::load(&files.main(), this_user()).unwrap();
    let warnings = rules.warnings_of_files();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].contains(".#a.toml: it is ignored, because its name begins with a dot"));
}

#[test]
fn a_configuration_has_a_size_that_memory_has_room_for() {
    let half = format!("#{}\n", "x".repeat(MAX_BYTES as usize / 2));
    let files = Files::new(&half);
    files.load().unwrap();
    let error = files.drop_in("10-b.toml", &half).load().unwrap_err().to_string();
    let words = "10-b.toml: with it, the configuration has more than 16 MiB";
    assert!(error.contains(words), "{error}");
    let files = Files::new("");
    fs::File::create(files.main()).unwrap().set_len(1 << 40).unwrap();
    assert!(files.load().unwrap_err().to_string().contains("totpd.toml: with it"));
}

#[test]
fn an_unreadable_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("totpd.toml");
    fs::create_dir(&file).unwrap();
    let error = Config::load(&file, this_user()).unwrap_err().to_string();
    assert!(error.contains("cannot read "), "{error}");
    fs::remove_dir(&file).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", &file).unwrap();
    assert!(Config::load(&file, this_user()).unwrap_err().to_string().contains("cannot read "));
    let not_text = Files::new("");
    fs::write(not_text.main(), [0xff, 0xfe]).unwrap();
    assert!(not_text.load().unwrap_err().to_string().contains("cannot read "));
}

/// A key that a reload cannot change is named. A new key that nobody compares fails here.
#[test]
fn what_needs_a_restart_is_named_key_by_key() {
    let defaults = Files::new("").load().unwrap();
    assert_eq!(defaults.differing_keys(&defaults), [""; 0]);
    let shipped = include_str!("../../../packaging/totpd.toml");
    let mut table = "";
    let mut compared = 0;
    for line in shipped.lines() {
        if let Some(name) = line.strip_prefix("#[").and_then(|line| line.strip_suffix(']')) {
            table = name;
        }
        let Some(key) = line.strip_prefix('#').and_then(|line| line.split_once(" = ")) else {
            continue;
        };
        let (key, value) = match (table, key.0) {
            ("enrollment", "algorithm") => ("algorithm", "\"SHA256\""),
            ("enrollment", "issuer") => ("issuer", "\"Other\""),
            ("enrollment", "self_service") => ("self_service", "false"),
            ("enrollment", "unverified_lifetime") => ("unverified_lifetime", "\"11m\""),
            ("enrollment", key @ ("digits" | "recovery_codes" | "max_factors")) => (key, "8"),
            ("enrollment", "period") => ("period", "60"),
            ("verify", "skew") => ("skew", "2"),
            ("throttle", key @ ("free_failures" | "lock_after")) => (key, "50"),
            ("throttle", key @ ("first_wait" | "longest_wait" | "known_source")) => {
                (key, "\"45m\"")
            }
            ("store", "mark") => ("mark", "false"),
            // A later version has other values.
            ("store", "backend") => continue,
            other => panic!("a new key: {other:?}"),
        };
        let text = format!("[{table}]\n{key} = {value}\n");
        let other = Files::new(&text).load().unwrap();
        assert_eq!(defaults.differing_keys(&other), [format!("{table}.{key}")], "{text}");
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
}

#[test]
fn a_draft_stands_for_the_file_of_its_name() {
    let rule = |name: &str| {
        format!("[[rule]]\nname = \"{name}\"\nusers = [\"{name}\"]\nthen = \"deny\"\n")
    };
    let files =
        Files::new(&rule("main")).drop_in("10-a.toml", &rule("a")).drop_in("30-c.toml", &rule("c"));
    let load = |path: &str, text: &str| {
        let draft = Draft { path: path.into(), text: text.into() };
        let loaded = Config::load_with(&files.main(), this_user(), Some(&draft));
        let names = |rules: RuleSet| -> Vec<String> {
            rules.policy.rules().map(|rule| rule.name.to_string()).collect()
        };
        loaded.map(|(_, rules)| names(rules)).map_err(|error| error.to_string())
    };
    for (path, expected) in [
        ("/root/10-a.toml", &["main", "new", "c"][..]),
        ("20-b.toml", &["main", "a", "new", "c"]),
        ("./totpd.toml", &["new", "a", "c"]),
        ("40-d.toml", &["main", "a", "c", "new"]),
    ] {
        assert_eq!(load(path, &rule("new")).unwrap(), expected, "{path}");
    }
    let error = load("/root/10-a.toml", "[[rule]]\nform = 1\n").unwrap_err();
    assert!(error.starts_with("/root/10-a.toml:2: "), "{error}");
    fs::remove_file(files.main()).unwrap();
    assert_eq!(load("totpd.toml", &rule("new")).unwrap(), ["new", "a", "c"]);
}
