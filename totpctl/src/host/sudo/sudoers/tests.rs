use super::*;
use crate::host::accounts;

fn sudoers(files: &[(&str, &str)]) -> Sudoers {
    let read = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
    };
    let list = |folder: &str| {
        let inside =
            |name: &str| name.strip_prefix(folder)?.strip_prefix('/').map(ToOwned::to_owned);
        files.iter().filter_map(|(name, _)| inside(name)).collect()
    };
    Sudoers::read(
        "/etc/sudoers",
        &Files { rejected: &[], refusal: &|_| None, read: &read, list: &list, host: "h" },
    )
}

impl Sudoers {
    /// Returns what one file `/s` with this text means on `host`.
    pub(crate) fn of_text(text: &str, host: &str) -> Self {
        let read = |_: &str| Ok(text.to_owned());
        let list = |_: &str| Vec::new();
        Self::read(
            "/s",
            &Files { rejected: &[], refusal: &|_| None, read: &read, list: &list, host },
        )
    }
}

fn rules(text: &str) -> Sudoers {
    Sudoers::of_text(text, "web")
}

#[test]
fn included_files_are_read_in_order() {
    let found = sudoers(&[
        ("/etc/sudoers", "@include extra.%h\n#includedir /etc/sudoers.d\nDefaults !targetpw\n"),
        ("/etc/extra.h", "Defaults targetpw\n"),
        ("/etc/sudoers.d/20", "bob ALL=(ALL) NOPASSWD: ALL\n"),
        ("/etc/sudoers.d/10", "User_Alias OPS = alice, %ops\nOPS ALL = NOPASSWD: /bin/a, /bin/b\n"),
        ("/etc/sudoers.d/30.off", "carol ALL=NOPASSWD: ALL\n"),
        ("/etc/sudoers.d/40~", "carol ALL=NOPASSWD: ALL\n"),
    ]);
    let places: Vec<_> = found.exempt().iter().map(|exempt| exempt.place.clone()).collect();
    assert_eq!(places, [("/etc/sudoers.d/10".into(), 2), ("/etc/sudoers.d/20".into(), 1)]);
    assert_eq!(found.members(&found.exempt()[0].users), ["alice", "%ops"]);
    assert_eq!(found.exempt()[0].commands, ["/bin/a", "/bin/b"]);
    assert!(found.global("targetpw").is_some_and(|setting| setting.is_negated));
    assert_eq!(found.faults, []);
}

#[test]
fn the_last_line_for_a_user_on_this_host_counts() {
    for (text, expected) in [
        ("bob db1=(ALL) NOPASSWD: ALL\n", &[][..]),
        ("bob web=(ALL) NOPASSWD: ALL\n", &[1]),
        ("Host_Alias HERE = db, web\nbob HERE=(ALL) NOPASSWD: ALL\n", &[2]),
        ("bob 10.0.0.0/8=(ALL) NOPASSWD: ALL\n", &[1]),
        ("bob db=(ALL) ALL : web=(ALL) NOPASSWD: ALL\n", &[1]),
        ("bob ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) ALL\n", &[]),
        ("bob ALL=(ALL) ALL\nbob ALL=(ALL) NOPASSWD: ALL\n", &[2]),
        ("bob ALL=(ALL) NOPASSWD: ALL\nbob db=(ALL) ALL\n", &[1]),
        ("bob ALL=(ALL) NOPASSWD: ALL\nbob ALL=(www) ALL\n", &[1]),
        ("bob ALL=(ALL) NOPASSWD: ALL\nALL ALL=(ALL:ALL) ALL\n", &[]),
        ("bob ALL=(ALL) NOPASSWD: ALL\nALL,!bob ALL=(ALL) ALL\n", &[1]),
        ("bob ALL=(ALL:ALL) NOPASSWD: ALL\nbob ALL=(ALL) ALL\n", &[1]),
        ("bob ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) NOTAFTER=20200101000000Z ALL\n", &[1]),
        ("bob ALL=NOPASSWD: /a, /b\nbob ALL=(ALL) /a\n", &[1]),
        ("bob ALL=NOPASSWD: /a\nbob ALL=(ALL) /b, /a\n", &[]),
    ] {
        let found = rules(text);
        let lines: Vec<_> = found.exempt().iter().map(|exempt| exempt.place.1).collect();
        assert_eq!(lines, expected, "{text}");
    }
}

#[test]
fn a_later_line_for_a_group_asks_its_members() {
    let passwd = "bob:x:1001:1001::/home/bob:/bin/sh\neve:x:1002:1002::/home/eve:/bin/sh\n";
    let accounts = accounts::parse(passwd, "bob:x:1001:\nsudo:x:27:bob\n");
    for (text, expected) in [
        ("bob ALL=(ALL) NOPASSWD: ALL\n%sudo ALL=(ALL:ALL) ALL\n", &[][..]),
        ("bob ALL=NOPASSWD: ALL\n%sudo ALL=ALL\n", &[]),
        ("bob ALL=(root) NOPASSWD: ALL\n%sudo ALL=(root, www) ALL\n", &[]),
        ("#1001 ALL=(ALL) NOPASSWD: ALL\n%bob ALL=(ALL:ALL) ALL\n", &[]),
        ("eve ALL=(ALL) NOPASSWD: ALL\n%sudo ALL=(ALL:ALL) ALL\n", &["eve: ALL"]),
        ("bob, eve ALL=(ALL) NOPASSWD: ALL\n%sudo ALL=(ALL:ALL) ALL\n", &["eve: ALL"]),
        ("%sudo ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) ALL\n", &["%sudo !bob: ALL"]),
        ("%sudo ALL=(ALL) NOPASSWD: ALL\neve, root ALL=(ALL) ALL\n", &["%sudo: ALL"]),
        ("%sudo ALL=NOPASSWD: ALL\n%adm ALL=(ALL) ALL\n", &["%sudo !%adm: ALL"]),
        ("zoe ALL=NOPASSWD: ALL\n%sudo ALL=(ALL) ALL\n", &["zoe: ALL (may)"]),
        ("bob ALL=NOPASSWD: ALL\n+ng ALL=(ALL) ALL\n", &["bob: ALL (may)"]),
        ("bob ALL=NOPASSWD: ALL\nbob 192.0.2.0/24=(ALL) ALL\n", &["bob: ALL (may)"]),
        ("bob ALL=NOPASSWD: ALL\n%sudo db=(ALL) ALL\n", &["bob: ALL"]),
        ("bob ALL=NOPASSWD: ALL\n%sudo ALL=(www) ALL\n", &["bob: ALL"]),
        ("bob ALL=NOPASSWD: /a, /b\n%sudo ALL=(ALL) /a\n", &["bob: /b"]),
        ("bob ALL=NOPASSWD: RUN\nCmnd_Alias RUN = /a\nbob ALL=(ALL) /a\n", &[]),
        ("bob ALL=NOPASSWD: ALL\n%sudo ALL=(ALL) ALL\nbob ALL=NOPASSWD: /a\n", &["bob: /a"]),
    ] {
        let callers = Callers { accounts: accounts.clone(), has_all_groups: true };
        let found = rules(text).with_callers(callers).exempt().into_iter().map(|exempt| {
            let may = if exempt.may_be_asked { " (may)" } else { "" };
            format!("{}: {}{may}", exempt.users.join(" "), exempt.commands.join(" "))
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn a_line_that_visudo_calls_wrong_does_not_count() {
    for (text, line, words, users, settings) in [
        ("Def\\\naults !authenticate\n", 2, "syntax error", &[][..], &[][..]),
        ("Defaults !authenticate, foo bar\n", 1, "syntax error", &[], &[]),
        ("Defaults \\\n!authenticate, rootpw\n", 2, "syntax error", &[], &[]),
        (
            "Defaults foo, !authenticate\n",
            1,
            "unknown defaults entry \"foo\"",
            &[],
            &["authenticate"],
        ),
        (
            "Defaults timestamp_timeout=abc, rootpw\n",
            1,
            "value \"abc\" is invalid for option \"timestamp_timeout\"",
            &[],
            &["rootpw"],
        ),
        ("a ALL=NOPASSWD: ALL, foo\n", 1, "expected a fully-qualified path name", &[], &[]),
        ("a ALL=CWD=x NOPASSWD: ALL\n", 1, "values for \"CWD\" must start with /", &[], &[]),
        ("a ALL=NOPASSWD: ALL : foo\n", 1, "syntax error", &["a"], &[]),
        ("a ALL=NOPASSWD: ALL : ALL=foo\n", 1, "expected a path", &["a"], &[]),
        ("a ALL=NOPASSWD: ALL\na ALL=(ALL) ALL, foo\n", 2, "expected a path", &["a"], &[]),
        ("a ALL=NOPASSWD: ALL\nfoo bar\n", 2, "syntax error", &["a"], &[]),
        ("User_Alias A = b c\nA ALL=NOPASSWD: ALL\n", 1, "syntax error", &["A"], &[]),
        (
            "User_Alias A = b\nUser_Alias A = root\nA ALL=NOPASSWD: ALL\n",
            2,
            "Alias \"A\" already defined",
            &["b"],
            &[],
        ),
    ] {
        let read = |_: &str| Ok(text.to_owned());
        let rejected = [(("/s".to_owned(), line), words.to_owned())];
        let files = Files {
            rejected: &rejected,
            refusal: &|_| None,
            read: &read,
            list: &|_| Vec::new(),
            host: "web",
        };
        let found = Sudoers::read("/s", &files);
        let exempt: Vec<_> = found.exempt().into_iter().flat_map(|exempt| exempt.users).collect();
        let in_force =
            ["authenticate", "rootpw"].into_iter().filter(|name| found.global(name).is_some());
        assert_eq!(exempt, users, "{text}");
        assert_eq!(in_force.collect::<Vec<_>>(), settings, "{text}");
    }
}

#[test]
fn a_loop_and_a_missing_file_are_told() {
    let found = sudoers(&[("/etc/sudoers", "@include /etc/sudoers\n@include /gone\n")]);
    let loops = "too many files of sudoers include each other, here /etc/sudoers";
    assert_eq!(found.faults[0].1, loops);
    let last = found.faults.last().map(|(_, reason)| reason.as_str());
    assert_eq!(last, Some("cannot read /gone: no such file"));
    let aliases = sudoers(&[("/etc/sudoers", "User_Alias A = B : B = A\nA ALL=NOPASSWD: ALL\n")]);
    assert!(aliases.members(&["A".to_owned()]).len() <= 2);
    // sudo finds nobody in them.
    assert_eq!(aliases.exempt(), []);
}

#[test]
fn a_line_depends_on_the_aliases_that_it_names() {
    let rules = "User_Alias OPS = alice, SOME : SOME = bob\nCmnd_Alias RUN = /bin/a --b=c\n\
                 Host_Alias OTHER = h\nOPS ALL=NOPASSWD: RUN\nDefaults:OPS !authenticate\n\
                 carol ALL=NOPASSWD: ALL\n";
    let found = sudoers(&[("/etc/sudoers", rules)]);
    let at = |line| found.aliases_at(&("/etc/sudoers".into(), line));
    let users = "User_Alias OPS = alice, SOME : SOME = bob";
    let commands = "Cmnd_Alias RUN = /bin/a --b=c";
    assert_eq!(at(4), Some(format!("{users}\n{commands}")));
    assert_eq!(at(5).as_deref(), Some(users));
    assert_eq!((at(6), at(9)), (None, None));
    let chain = "User_Alias A = B\nUser_Alias B = A, x\nA ALL=NOPASSWD: ALL\n";
    let found = sudoers(&[("/etc/sudoers", chain)]);
    let expected = "User_Alias A = B\nUser_Alias B = A, x";
    assert_eq!(found.aliases_at(&("/etc/sudoers".into(), 3)).as_deref(), Some(expected));
}

#[test]
fn what_cannot_be_read_is_told() {
    for (line, expected) in [
        ("@include /gone", "cannot read /gone: no such file"),
        (" #include /etc/a", "versions of sudo differ on a blank before #include"),
        ("@include /etc/a b", "more than one name is included"),
        ("@includedir /d", "the name of /d/caf\u{fffd} is not UTF-8"),
        ("bob ALL=/bin/a ^x{1,2}$", "a regular expression has a comma or a colon"),
        ("Cmnd_Alias A = ^/bin/a{1,2}$", "a regular expression has a comma or a colon"),
        ("bob a b=(ALL) ALL", "its hosts cannot be read"),
    ] {
        let files =
            [("/etc/sudoers", line), ("/etc/a", ""), ("/d/caf\u{fffd}", ""), ("/d/a.\u{fffd}", "")];
        let faults = sudoers(&files).faults;
        assert_eq!(faults, [(("/etc/sudoers".to_owned(), 1), expected.to_owned())], "{line}");
    }
}

#[test]
fn a_line_that_cannot_be_read_is_told() {
    let found = sudoers(&[("/etc/sudoers", "\nalice everything\nbob ALL=(ALL NOPASSWD: ALL\n")]);
    let places: Vec<_> = found.faults.iter().map(|((_, line), _)| *line).collect();
    assert_eq!(places, [2, 3]);
}

#[test]
fn a_scope_has_the_members_of_its_aliases() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    for (line, expected) in [
        ("Defaults rootpw", Scope::All),
        ("Defaults:OPS,%adm rootpw", Scope::Users(names(&["alice", "bob", "%adm"]))),
        ("Defaults>OPS rootpw", Scope::Targets(names(&["operator"]))),
        ("Defaults!OPS rootpw", Scope::Commands(names(&["/bin/a", "/bin/b"]))),
        ("Defaults@OPS rootpw", Scope::Hosts(names(&["web", "db"]))),
        ("Defaults:!OPS rootpw", Scope::Users(names(&["!alice", "!bob"]))),
    ] {
        let found = rules(&format!(
            "{line}\nUser_Alias OPS = alice, bob\nRunas_Alias OPS = operator\n\
             Cmnd_Alias OPS = /bin/a, /bin/b\nHost_Alias OPS = web, db\n"
        ));
        assert_eq!(found.scope(&found.settings[0]), expected, "{line}");
        assert_eq!(found.faults, [], "{line}");
    }
}

#[test]
fn a_setting_for_this_host_is_for_everybody() {
    for (scope, expected) in [
        ("", Reach::Everybody),
        ("@web", Reach::Everybody),
        ("@ALL", Reach::Everybody),
        ("@db", Reach::Nobody),
        ("@10.0.0.0/8", Reach::Some),
        (":alice", Reach::Some),
        (":ALL", Reach::Everybody),
        (">root", Reach::Some),
        ("!/bin/a", Reach::Some),
    ] {
        let found = rules(&format!("Defaults{scope} rootpw\n"));
        assert_eq!(found.reach(&found.settings[0]), expected, "{scope}");
    }
}

#[test]
fn a_setting_that_a_later_line_takes_back_is_not_in_force() {
    for (text, expected) in [
        ("Defaults rootpw\n", &[1][..]),
        ("Defaults rootpw\nDefaults !rootpw\n", &[]),
        ("Defaults:a rootpw\nDefaults !rootpw\n", &[]),
        ("Defaults>a rootpw\nDefaults !rootpw\n", &[1]),
        ("Defaults!/a rootpw\nDefaults:b !rootpw\n", &[1]),
        ("Defaults:a rootpw\nDefaults:a !rootpw\n", &[]),
        ("Defaults:a rootpw\nDefaults:b !rootpw\n", &[1]),
        ("Defaults !rootpw\nDefaults:a rootpw\n", &[2]),
        ("Defaults rootpw\nDefaults@db !rootpw\n", &[1]),
        ("Defaults rootpw\nDefaults@web !rootpw\n", &[]),
        ("Defaults!ALL rootpw\nDefaults !rootpw\n", &[1]),
        ("Defaults>ALL !rootpw\nDefaults rootpw\n", &[]),
        ("Defaults!ALL !rootpw\nDefaults>a rootpw\n", &[]),
        ("Defaults rootpw\nDefaults@web.other.example !rootpw\n", &[1]),
    ] {
        let found = rules(text);
        let lines: Vec<_> =
            found.in_force("rootpw", false).iter().map(|(_, one)| one.place.1).collect();
        assert_eq!(lines, expected, "{text}");
    }
}

#[test]
fn only_a_space_and_a_tab_are_blanks() {
    for blank in ["\u{a0}", "\u{2003}", "\u{85}", "\u{b}", "\u{c}"] {
        for (all, later) in [
            ("ALL", format!("{blank}bob ALL=(ALL) ALL")),
            ("ALL", format!("bob{blank} ALL=(ALL) ALL")),
            ("ALL", format!("bob web{blank}=(ALL) ALL")),
            ("/bin/id", format!("bob ALL=(ALL) /bin/id{blank}")),
        ] {
            let found = rules(&format!("bob ALL=(ALL) NOPASSWD: {all}\n{later}\n")).exempt();
            assert_eq!(found.len(), 1, "{later:?} {found:?}");
        }
    }
    assert_eq!(rules("bob ALL=(ALL) NOPASSWD: ALL\n \tbob\tALL=(ALL) ALL \n").exempt(), []);
}

#[test]
fn a_host_may_have_two_names() {
    let names = |text: &str| rules(text).with_other_name(Some("box.example.org".to_owned()));
    for (text, expected) in [
        ("bob box=(ALL) NOPASSWD: ALL\n", Some(false)),
        ("bob web=(ALL) NOPASSWD: ALL\n", Some(false)),
        ("bob box.example.org=(ALL) NOPASSWD: ALL\n", Some(false)),
        ("bob db=(ALL) NOPASSWD: ALL\n", None),
        ("bob ALL=(ALL) NOPASSWD: ALL\nbob web=(ALL) ALL\n", Some(true)),
        ("bob ALL=(ALL) NOPASSWD: ALL\nbob web, box=(ALL) ALL\n", None),
    ] {
        let found = names(text).exempt();
        assert_eq!(found.first().map(|exempt| exempt.may_be_asked), expected, "{text}");
    }
    for (line, count) in [("Defaults@box !authenticate", 1), ("Defaults@db !authenticate", 0)] {
        assert_eq!(names(line).in_force("authenticate", true).len(), count, "{line}");
    }
}
