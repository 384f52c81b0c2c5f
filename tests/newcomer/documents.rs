//! Help, manual pages and documents, as a newcomer reads them.

use tests::Machine;

/// One word for one thing, in all that an administrator reads.
#[test]
fn help_and_manual_pages_use_plain_words() {
    let machine = Machine::new();
    let mut pages = machine
        .run(
            "totpctl --help; totpctl --help | sed -n 's/^  \\([a-z-]*\\)  .*/\\1/p' | while read -r name; do
             echo \"== $name\"; totpctl help $name || exit 1; done
             for page in totpctl.1 totpd.toml.5 pam_totp.8 totpd.8; do echo \"== $page\"
             cat /usr/share/man/man*/$page || exit 1; done",
        )
        .stdout_ok();
    assert!(pages.contains("== verify\n") && pages.contains("== enable\n"), "{pages}");
    pages.push_str(include_str!("../../packaging/deb/templates"));
    let pages = pages.to_lowercase();
    let words = pages.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words = format!(" {} ", words.collect::<Vec<_>>().join(" "));
    for unclear in
        ["enrol", "enrolment", "enrols", "opens the door", "what it returned", "synchronised"]
    {
        let before = words.split_once(&format!(" {unclear} ")).map(|(before, _)| before);
        let near = before.map(|before| before.rsplitn(10, ' ').collect::<Vec<_>>());
        assert_eq!(near, None, "{unclear}");
    }
}

/// The steps of the README that take a code are numbered, since each takes another one. The manual
/// page has the values that the help has.
#[test]
fn the_documents_say_what_a_newcomer_needs() {
    let readme = include_str!("../../README.md");
    let install = readme.split("\n## Install\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let numbers: Vec<_> = install.split("(code ").skip(1).map(|rest| &rest[..2]).collect();
    assert_eq!(numbers, ["1)", "2)", "3)"]);
    assert!(install.contains("Three steps take a code; a code works once"), "{install}");
    // With ssh.socket no service runs at first. A reload ends the one that runs later: it cannot
    // bind the address of the socket.
    for page in [
        readme,
        include_str!("../../docs/admin/install.md"),
        include_str!("../../docs/admin/deploy.md"),
    ] {
        assert!(
            !page.contains("systemctl reload ssh") && !page.contains("reload-or-restart ssh"),
            "{page}"
        );
    }
    assert!(install.contains("systemctl try-restart ssh"), "{install}");
    let programs = include_str!("../../docs/admin/programs.md");
    assert!(
        programs.contains("It gives every prompt the password, so nobody passes"),
        "{programs}"
    );

    let machine = Machine::new();
    let help = machine.run("totpctl help enroll").stdout_ok();
    let qr = help.split("--qr <").nth(1).expect(&help).split("--qr-file").next().unwrap();
    let man = include_str!("../../packaging/man/totpctl.1");
    let man =
        man.split(".It Fl -qr Ar qr\n").nth(1).unwrap().split(".It Fl -qr-file").next().unwrap();
    let values: Vec<_> = man.lines().filter_map(|line| line.strip_prefix(".It Li ")).collect();
    assert_eq!(values, ["auto", "utf8", "ansi", "ascii", "none"]);
    for value in values {
        let is_listed = qr.lines().any(|line| line.trim().starts_with(&format!("- {value}:")));
        assert!(is_listed, "{value}: {qr}");
        machine.run(&format!("totpctl enroll bob --no-confirm --qr {value}")).stdout_ok();
    }
}
