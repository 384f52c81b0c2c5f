use super::*;
use crate::host::sshd::config::blocks;

fn accounts() -> Vec<Account> {
    crate::host::accounts::parse(
        "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/usr/sbin/nologin\n\
         carol:x:1002:1002::/:/usr/sbin/nologin\nadmin:x:1003:1003::/:/bin/sh\n",
        "root:x:0:\ncarol:x:1002:\nsftp:x:50:daemon,carol\nadmin:x:1003:\nwheel:x:10:root\n",
    )
}

fn classes(lines: &[&str]) -> Classes<'static> {
    let members = |group: &str| match group {
        "far" => vec!["carol".to_owned(), "dora".to_owned()],
        _ => Vec::new(),
    };
    let words: Vec<_> = lines.iter().map(|line| blocks::words(line)).collect();
    let words: Vec<_> = words.iter().map(|words| words[1..].to_vec()).collect();
    let listening = Listening { ports: vec!["22".into(), "24".into()], addresses: Vec::new() };
    Classes::new(words.leak(), &accounts(), &members, listening)
}

fn find(line: &str) -> Result<(Option<String>, bool), String> {
    let classes = classes(&[line]);
    let user = classes.purest_class(0, false);
    match &classes.faults[0] {
        Some(reason) => Err(reason.clone()),
        None => Ok((
            user.map(|(_, user)| user.connection.argument()),
            classes.purest_class(0, true).is_some(),
        )),
    }
}

/// Returns the blocks, the user and the address of each class of users other than root.
fn users(lines: &[&str]) -> Vec<String> {
    let classes = classes(lines).all;
    let text = |class: &Class| {
        let Connection { user, address, .. } = &class.connection;
        format!("{:?} {user} {address}", class.blocks)
    };
    classes.iter().filter(|class| !class.is_root).map(text).collect()
}

#[test]
fn a_user_whom_an_earlier_block_does_not_hold_is_found() {
    let usual = "192.0.2.1";
    for (lines, expected) in [
        // carol is in the group sftp, as daemon is.
        (
            &["Match User carol", "Match Group sftp"][..],
            &[("[1] daemon", usual), ("[0, 1] carol", usual)][..],
        ),
        (
            &["Match User carol", "Match User carol,admin"],
            &[("[1] admin", usual), ("[0, 1] carol", usual)],
        ),
        (
            &["Match User carol", "Match User carol,ghost"],
            &[("[1] ghost", usual), ("[0, 1] carol", usual)],
        ),
        // A directory knows more members than the file.
        (
            &["Match User carol", "Match User admin", "Match Group far,carol"],
            &[("[1] admin", usual), ("[2] dora", usual), ("[0, 2] carol", usual)],
        ),
        (
            &["Match Address 10.1.0.0/16", "Match Address 10.0.0.0/8"],
            &[("[1] somebody-else", "10.0.0.0"), ("[0, 1] somebody-else", "10.1.0.0")],
        ),
        // An earlier block excludes them, by their place or by their name.
        (
            &["Match Address *,!127.0.0.6", "Match Group sftp"],
            &[("[0] somebody-else", usual), ("[1] carol", "127.0.0.6"), ("[0, 1] carol", usual)],
        ),
        (
            &["Match Address 0.0.0.0/0", "Match User admin"],
            &[("[0] somebody-else", usual), ("[1] admin", "2001:db8::1"), ("[0, 1] admin", usual)],
        ),
        (
            &[
                "Match Host *,!LAN",
                "Match LocalAddress *,!10.0.0.1",
                "Match LocalPort 22",
                "Match User admin",
            ],
            &[
                ("[0] somebody-else", usual),
                ("[1] somebody-else", usual),
                ("[2] somebody-else", usual),
                ("[3] admin", usual),
                ("[0, 1] somebody-else", usual),
                ("[0, 2] somebody-else", usual),
                ("[0, 3] admin", usual),
                ("[1, 2] somebody-else", usual),
                ("[1, 3] admin", usual),
                ("[2, 3] admin", usual),
                ("[0, 1, 2] somebody-else", usual),
                ("[0, 1, 3] admin", usual),
                ("[0, 2, 3] admin", usual),
                ("[1, 2, 3] admin", usual),
                ("[0, 1, 2, 3] admin", usual),
            ],
        ),
        (&["Match User *,!ghost", "Match all"], &[("[1] ghost", usual), ("[0, 1] carol", usual)]),
        (
            &["Match Group *,!far", "Match Group far,wheel"],
            &[("[0] carol", usual), ("[1] dora", usual)],
        ),
        (
            &["Match User admin", "Match Address 10.0.0.0/8"],
            &[
                ("[0] admin", usual),
                ("[1] somebody-else", "10.0.0.0"),
                ("[0, 1] admin", "10.0.0.0"),
            ],
        ),
    ] {
        let found = users(lines);
        let expected: Vec<_> =
            expected.iter().map(|(user, address)| format!("{user} {address}")).collect();
        assert_eq!(found, expected, "{lines:?}");
    }
}

#[test]
fn the_users_of_a_class_are_known() {
    let found = classes(&["Match User admin,ghost", "Match LocalPort 2222", "Match Phase moon"]);
    assert_eq!(found.faults, [None, None, Some("phase is not supported".into())]);
    let names = |class: &Class| {
        class.accounts.iter().map(|account| account.name.clone()).collect::<Vec<_>>()
    };
    let [named, others, root, both] = &found.all[..] else { panic!("{:#?}", found.all) };
    assert_eq!((names(named), named.has_others), (vec!["admin".into()], true));
    assert!(root.is_root && root.blocks == [1]);
    assert_eq!((names(others), others.has_others), (vec!["carol".into(), "daemon".into()], true));
    assert!(both.connection.argument().ends_with("lport=2222"), "{both:#?}");
    assert_eq!(found.purest_class(1, false), Some((1, others)));
}

#[test]
fn root_is_of_the_class_with_the_fewest_blocks() {
    for (lines, expected) in [
        (&["Match User *,!root", "Match Address 10.0.0.0/8"][..], &[][..]),
        (&["Match Address 192.0.2.0/24"], &[]),
        (&["Match Group wheel", "Match User root"], &[0, 1]),
        (&["Match Address 0.0.0.0/0", "Match LocalPort 22"], &[]),
    ] {
        let classes = classes(lines);
        assert_eq!(classes.root.blocks, expected, "{lines:?}");
    }
}

#[test]
fn too_many_places_are_left_out() {
    let hosts = (0..16).map(|number| format!("Match Host h{number},*.x{number}"));
    let addresses = (0..80).map(|number| format!("Match Address 10.{number}.0.0/16"));
    let lines: Vec<_> = hosts.chain(addresses).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    assert!(classes(&lines).left_out.is_some());
    assert!(classes(&lines[..20]).left_out.is_none());
}

#[test]
fn a_connection_matches_its_block() {
    let usual = |user: &str| {
        format!("user={user},host=remote.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22")
    };
    let somebody = usual(SOMEBODY);
    for (line, user, root) in [
        ("Match User git", Some(usual("git")), false),
        ("match user !root,adm?*,bob", Some(usual("admin")), false),
        ("match user !admin,adm?*,bob", Some(usual("admxx")), false),
        ("Match User root", None, true),
        ("Match User *", Some(usual("carol")), true),
        ("Match Group sftp", Some(usual("carol")), false),
        ("Match Group *,!carol", Some(usual("admin")), true),
        ("Match Group wheel", None, true),
        ("Match Group far", Some(usual("dora")), false),
        ("Match Group sftp User d*", Some(usual("daemon")), false),
        (
            "Match Address 192.168.0.0/24,10.* Host *.example.org # in here",
            Some(
                somebody
                    .replace("remote.invalid", "x.example.org")
                    .replace("192.0.2.1", "192.168.0.0"),
            ),
            true,
        ),
        (
            "Match Address 10.0.0.0/8,!10.0.0.0/9",
            Some(somebody.replace("192.0.2.1", "10.128.0.0")),
            true,
        ),
        ("Match Address *,!192.168.0.0/16", Some(somebody.clone()), true),
        (
            "Match Address 2001:db8:7::/48",
            Some(somebody.replace("192.0.2.1", "2001:db8:7::")),
            true,
        ),
        (
            "Match LocalPort=2222 LocalAddress \"10.0.0.*\"",
            Some(somebody.replace("192.0.2.2", "10.0.0.1").replace("=22", "=2222")),
            true,
        ),
        ("Match all", Some(somebody.clone()), true),
        ("Match RDomain vrf1,vrf2", Some(format!("{somebody},rdomain=vrf1")), true),
        ("Match version OpenSSH_1*", Some(somebody.clone()), true),
        ("Match invalid-user", None, false),
    ] {
        assert_eq!(find(line), Ok((user, root)), "{line}");
    }
    for (line, expected) in [
        ("Match Group none", "no member of group none is known"),
        ("Match Group admin User carol", "no member of group admin is known"),
        ("Match Phase moon", "phase is not supported"),
        ("Match User !root", "it matches no user"),
        ("Match Address !10.0.0.0/8", "address !10.0.0.0/8 matches nothing"),
        ("Match User", "the line is incomplete"),
    ] {
        assert_eq!(find(line), Err(expected.to_owned()), "{line}");
    }
}
