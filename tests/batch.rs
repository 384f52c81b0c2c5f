//! Many users at once.

use std::collections::HashSet;

use tests::{Machine, Seed, pam, scaled};

fn names(count: u32) -> String {
    (0..count).map(|n| format!("crowd{n}\n")).collect()
}

#[test]
fn a_killed_batch_continues_and_enrolls_each_user_once() {
    let machine = Machine::new();
    machine.with_trouble_in_nss();
    let count = scaled(10_000, 2000);
    machine.write("/root/names", &names(count));
    let batch = "totpctl enroll --batch /root/names --no-confirm --if-unenrolled";
    // The same script kills the batch, so a fast machine is not done before.
    machine.run(&format!(
        "{batch} > /root/first 2> /root/errors & pid=$!
         until [ $(wc -l < /root/first) -ge 100 ]; do kill -0 $pid || exit 1; done; kill -KILL $pid; ! wait $pid"
    )).stdout_ok();
    machine.run(&format!("{batch} > /root/second")).stdout_ok();
    let secrets = |file: &str| -> Vec<(String, String)> {
        let lines = machine.run(&format!("cat {file}")).stdout_ok();
        lines
            .lines()
            .filter(|line| line.contains("\"result\":\"enrolled\"") && line.ends_with('}'))
            .map(|line| {
                let user = line.split("\"user\":\"").nth(1).unwrap().split('"').next().unwrap();
                let factor = line.split("\"factor\":\"").nth(1).unwrap().split('"').next().unwrap();
                (user.to_owned(), factor.to_owned())
            })
            .collect()
    };
    let (before, after) = (secrets("/root/first"), secrets("/root/second"));
    // A user whose key was printed and not verified before the kill gets the same key again.
    let both: HashSet<_> = before.iter().chain(&after).collect();
    assert_eq!(both.len(), count as usize, "nobody has two keys");
    let listed = machine.run("totpctl --json list").stdout_ok();
    assert_eq!(listed.lines().count(), count as usize);
    // The keys that were printed before the kill are valid.
    for (user, factor) in before.iter().step_by(100) {
        let state = machine.run(&format!("totpctl --json show {user}")).stdout_ok();
        assert!(state.contains(factor), "{user} {factor}: {state}");
    }
    let third = machine.run(batch).stdout_ok();
    assert_eq!(third.matches("\"changed\":false").count(), count as usize);
}

#[test]
fn a_bad_line_is_named_and_stops_nobody() {
    let machine = Machine::new();
    let lines = "alice\n\nno-such-user\n{\"user\":\"bob\",\"digits\":8,\"name\":\"Token\"}\n\
                 {\"user\":\"carol\",\"digits\":9}\n{\"user\":\"carol\",\"color\":1}\nalice\n\
                 \u{1}\u{2}\n{\"user\":\"carol\"}";
    let ran =
        machine.run_with_input("totpctl enroll --batch - --no-confirm --if-unenrolled", lines);
    assert_eq!(ran.status, 1, "{ran:#?}");
    assert!(ran.stderr.contains("4 lines failed; all others succeeded"), "{ran:#?}");
    let results: Vec<_> = ran
        .stdout
        .lines()
        .map(|line| {
            let number = line.split("\"line\":").nth(1).unwrap().split(',').next().unwrap();
            let result = line.split("\"result\":\"").nth(1).unwrap().split('"').next().unwrap();
            format!("{number} {result}")
        })
        .collect();
    let expected = [
        "1 enrolled",
        "3 failed",
        "4 enrolled",
        "5 failed",
        "6 failed",
        "7 unchanged",
        "8 failed",
        "9 enrolled",
    ];
    assert_eq!(results, expected, "{ran:#?}");
    let bob = machine.run("totpctl show bob").stdout_ok();
    assert!(bob.contains("Token") && bob.contains("8 digits"), "{bob}");
    // A dry run shows the changes without making them.
    machine.run("totpctl remove alice").stdout_ok();
    let planned = machine
        .run_with_input("totpctl enroll --batch - --dry-run --if-unenrolled", "alice\nbob\n")
        .stdout_ok();
    assert!(planned.contains("\"planned\"") && planned.contains("\"unchanged\""), "{planned}");
    assert!(machine.run("totpctl --json show alice").stdout_ok().contains("\"factors\":[]"));
    for alone in ["--dry-run", "--dry-run --no-confirm", "--sheet /tmp/sheet.pdf"] {
        let refused = machine.run(&format!("totpctl enroll alice {alone}"));
        assert!(refused.status == 2 && refused.stderr.contains("need --batch"), "{refused:#?}");
    }
    assert!(machine.run("totpctl --json show alice").stdout_ok().contains("\"factors\":[]"));
    let missing = machine.run("totpctl enroll --batch /no/such/file");
    assert!(missing.status == 1 && missing.stderr.contains("/no/such/file"), "{missing:#?}");
}

#[test]
fn a_scanner_reads_sheets_and_only_their_owner_can() {
    let machine = Machine::with_programs();
    for (form, to_picture) in [
        ("svg", "rsvg-convert -w 1000 -o /tmp/page.png /root/sheet.svg"),
        ("pdf", "pdftoppm -png -r 120 -singlefile /root/sheet.pdf /tmp/page"),
        (
            "html",
            "sed -n 's/.*\\(<svg.*<\\/svg>\\).*/\\1/p' /root/sheet.html | head -n 1 > /tmp/one.svg && \
             rsvg-convert -b white -w 1000 -o /tmp/page.png /tmp/one.svg",
        ),
    ] {
        let batch = machine
            .run_with_input(
                &format!("totpctl enroll --batch - --no-confirm --sheet /root/sheet.{form}"),
                "alice\n",
            )
            .stdout_ok();
        assert_eq!(machine.run(&format!("stat -c %a /root/sheet.{form}")).stdout_ok(), "600\n");
        machine.run(to_picture).stdout_ok();
        let link = machine.run("zbarimg --quiet --raw /tmp/page.png").stdout_ok();
        assert!(batch.contains(&format!("\"uri\":\"{}\"", link.trim())), "{form}: {link} {batch}");
        machine.run("totpctl remove alice; rm /tmp/page.png").stdout_ok();
    }
    let text = machine.run("pdftotext /root/sheet.pdf -").stdout_ok();
    assert!(text.contains("Second factor of alice") && text.contains("[ ] "), "{text}");
    let wrong =
        machine.run_with_input("totpctl enroll --batch - --sheet /root/sheet.doc", "alice\n");
    assert!(wrong.status == 2 && wrong.stderr.contains(".pdf, .svg or .html"), "{wrong:#?}");
    assert!(
        machine.run("totpctl --json show alice").stdout_ok().contains("\"factors\":[]"),
        "made nothing"
    );
}

/// A line of a batch that ends the same in a dry run and in earnest.
#[derive(Debug, Eq, PartialEq)]
struct Judged {
    line: u64,
    result: String,
    message: Option<String>,
}

#[test]
fn a_dry_run_says_what_the_same_command_then_does() {
    let lines = "alice\nbob\nno-such-user\n{\"user\":\"carol\",\"digits\":9}\nbob\n";
    for flags in [
        "",
        "--if-unenrolled",
        "--no-confirm",
        "--no-confirm --if-unenrolled",
        "--no-confirm --hotp",
    ] {
        let machine = Machine::new();
        let factor = machine.run("totpctl --json enroll alice --no-confirm").stdout_ok();
        let factor: serde_json::Value = serde_json::from_str(&factor).unwrap();
        let batch = format!("totpctl enroll --batch - {flags}");
        let before = machine.run("totpctl --json list").stdout_ok();
        let dry = machine.run_with_input(&format!("{batch} --dry-run"), lines);
        assert_eq!(machine.run("totpctl --json list").stdout_ok(), before, "{flags}");
        let done = machine.run_with_input(&batch, lines);
        let objects = |text: &str| -> Vec<serde_json::Value> {
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let judged = |object: &serde_json::Value| Judged {
            line: object["line"].as_u64().unwrap(),
            result: object["planned"].as_str().or(object["result"].as_str()).unwrap().to_owned(),
            message: object["error"]["message"].as_str().map(ToOwned::to_owned),
        };
        let (planned, real) = (objects(&dry.stdout), objects(&done.stdout));
        let [planned_lines, real_lines] =
            [&planned, &real].map(|all| all.iter().map(judged).collect::<Vec<_>>());
        assert_eq!(planned_lines, real_lines, "{flags}: {dry:#?} {done:#?}");
        assert_eq!((dry.status, real.len()), (done.status, 5), "{flags}");
        match flags.contains("if-unenrolled") {
            true => assert_eq!(planned[0]["result"], "unchanged", "{flags}"),
            false => assert_eq!(planned[0]["replaces"][0], factor["factor"], "{flags}"),
        }
    }
}

#[test]
fn a_dry_run_names_what_is_refused() {
    let machine = Machine::new();
    machine.write("/etc/totpd/totpd.toml", "[enrollment]\nmax_factors = 2\n");
    let secret = r#"{"user":"alice","secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}"#;
    let batch = "totpctl enroll --batch - --no-confirm";
    machine.run_with_input(batch, secret).stdout_ok();
    let same = machine.run_with_input(&format!("{batch} --dry-run"), secret);
    assert!(same.status == 1 && same.stdout.contains("has the same secret"), "{same:#?}");
    machine.run_with_input(batch, "alice").stdout_ok();
    let full = machine.run_with_input(&format!("{batch} --dry-run"), "alice");
    assert!(full.status == 1 && full.stdout.contains("no room for another factor"), "{full:#?}");
    let call = "gdbus call --system -d org.totpd.Totp1 -o /org/totpd/Totp1 -m \
                org.totpd.Totp1.Manager.Enroll alice";
    let code = machine.run(&format!("{call} \"{{'dry_run': <true>, 'code': <'123456'>}}\""));
    assert!(code.status != 0 && code.stderr.contains("InvalidArgument"), "{code:#?}");
}

#[test]
fn a_user_is_enrolled_by_one_line_of_a_batch() {
    let machine = Machine::new();
    let lines = "bob\nalice\nbob\n{\"user\":\"alice\",\"digits\":8}\n";
    for flags in ["", "--no-confirm", "--no-confirm --sheet /root/sheet.html", "--dry-run"] {
        let ran = machine.run_with_input(&format!("totpctl enroll --batch - {flags}"), lines);
        assert_eq!(ran.status, 1, "{flags}: {ran:#?}");
        let objects: Vec<serde_json::Value> =
            ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let failed = objects.iter().map(|object| object["result"] == "failed");
        assert_eq!(failed.collect::<Vec<_>>(), [false, false, true, true], "{flags}: {ran:#?}");
        for (object, line) in [(&objects[2], 1), (&objects[3], 2)] {
            let message = object["error"]["message"].as_str().unwrap();
            assert!(message.contains(&format!("in line {line} already")), "{flags}: {message}");
        }
        if flags.contains("no-confirm") {
            for object in &objects[..2] {
                let code = Seed(object["secret"].as_str().unwrap().to_owned()).code();
                let user = object["user"].as_str().unwrap();
                assert_eq!(machine.pam("totp", user, &code).run().rc, pam::SUCCESS, "{flags}");
            }
        }
    }
}
