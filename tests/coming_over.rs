//! Coming over from the modules of others, and going back: the same codes to their module and to
//! ours.

mod homes;

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use tests::{JsonSchema, Machine, Seed, eventually, scaled};

/// What a person types, and what comes of it.
struct Answer {
    name: &'static str,
    text: String,
    /// True if the other module accepts it.
    theirs: bool,
    /// Why ours refuses it although the other one accepts it.
    stricter: Option<&'static str>,
}

fn both(name: &'static str, text: &str, is_right: bool) -> Answer {
    Answer { name, text: text.to_owned(), theirs: is_right, stricter: None }
}

fn ours_is_stricter(name: &'static str, text: &str, reason: &'static str) -> Answer {
    Answer { name, text: text.to_owned(), theirs: true, stricter: Some(reason) }
}

const USED: &str = "a code is accepted once, and none before it";
const UNKNOWN: &str = "nobody knows which of the present codes were used";

/// Returns the start of the present time step of 30 s, of which enough is left.
fn step() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut found = 0;
    eventually("a time step has ten seconds left", || {
        found = now();
        found % 30 < 20
    });
    found / 30 * 30
}

fn hotp(seed: &Seed, counter: u64) -> String {
    let mut oathtool = std::process::Command::new("oathtool");
    let out = oathtool.args(["--hotp", "--base32", "-c", &counter.to_string(), &seed.0]).output();
    String::from_utf8(out.unwrap().stdout).unwrap().trim().to_owned()
}

/// Types all answers at both services, and compares. Returns the cases in which ours is stricter.
#[track_caller]
fn compare(machine: &Machine, service: &str, user: &str, answers: &[Answer]) -> usize {
    let lines = answers.iter().flat_map(|answer| {
        ["totp", service].map(|service| format!("{service} {service} {user} {}\n", answer.text))
    });
    machine.write("/root/answers", &lines.collect::<String>());
    let results = machine.run("/opt/tests/pam -b /root/answers").stdout_ok();
    let accepted: Vec<_> = results.lines().map(|line| line.ends_with(" 0")).collect();
    assert_eq!(accepted.len(), answers.len() * 2, "{results}");
    for (answer, accepted) in answers.iter().zip(accepted.chunks(2)) {
        let [ours, theirs] = accepted else { unreachable!() };
        let expected = (answer.theirs && answer.stricter.is_none(), answer.theirs);
        assert_eq!((*ours, *theirs), expected, "{user} at {service}: {}", answer.name);
    }
    answers.iter().filter(|answer| answer.stricter.is_some()).count()
}

/// A state file of pam_google_authenticator.
struct GaUser {
    seed: Seed,
    is_hotp: bool,
    keeps_used: bool,
    window: bool,
    skew: i64,
    codes: [String; 2],
}

impl GaUser {
    fn numbered(number: u32) -> Self {
        Self {
            seed: Seed::numbered(7000 + number),
            is_hotp: number % 5 == 4,
            keeps_used: !number.is_multiple_of(3),
            window: number.is_multiple_of(2),
            skew: [0, 0, 2, -3][number as usize % 4],
            codes: [10, 11].map(|code| (code * 1_000_000 + number * 7919 % 1_000_000).to_string()),
        }
    }

    /// Returns the file of a user who used the code of `used`, in steps or presses.
    fn file(&self, used: u64) -> String {
        let mut text = format!("{}\n\" RATE_LIMIT 50 30\n", self.seed.0);
        if self.window {
            text.push_str("\" WINDOW_SIZE 3\n");
        }
        if self.is_hotp {
            text.push_str(&format!("\" HOTP_COUNTER {}\n", used + 1));
        } else {
            if self.keeps_used {
                text.push_str(&format!("\" DISALLOW_REUSE {used}\n"));
            }
            if self.skew != 0 {
                text.push_str(&format!("\" TIME_SKEW {}\n", self.skew));
            }
            text.push_str("\" TOTP_AUTH\n");
        }
        format!("{text}{}\n{}\n", self.codes[0], self.codes[1])
    }

    /// Returns the code of a number of time steps after that of the time `at`.
    fn code(&self, at: u64, steps: i64) -> String {
        self.seed.code_at(at.saturating_add_signed((steps + self.skew) * 30))
    }

    fn answers(&self, at: u64) -> Vec<Answer> {
        let [scratch, other] = [&*self.codes[0], "12345678"];
        let mut answers = vec![both("wrong", &self.seed.wrong_code(), false)];
        if self.is_hotp {
            let code = |counter| hotp(&self.seed, counter);
            answers.push(both("used before", &code(41), false));
            answers.push(both("next", &code(42), true));
            answers.push(both("the same again", &code(42), false));
            answers.push(both("a press later", &code(44), true));
        } else if self.keeps_used {
            answers.push(both("used before", &self.code(at, -1), false));
            answers.push(both("right", &self.code(at, 0), true));
            answers.push(both("the same again", &self.code(at, 0), false));
            answers.push(both("the next", &self.code(at, 1), true));
            answers.push(both("far", &self.code(at, 30), false));
        } else {
            answers.push(ours_is_stricter("right", &self.code(at, 0), UNKNOWN));
            answers.push(ours_is_stricter("the same again", &self.code(at, 0), USED));
            answers.push(ours_is_stricter("the next", &self.code(at, 1), UNKNOWN));
            answers.push(both("far", &self.code(at, 30), false));
        }
        answers.push(both("scratch", scratch, true));
        answers.push(both("the same scratch", scratch, false));
        answers.push(both("no scratch", other, false));
        answers
    }
}

#[test]
fn google_authenticators_users_come_over_and_go_back() {
    let machine = Machine::new();
    machine.with_trouble_in_nss();
    machine.run("mkdir -m 700 /root/ga").stdout_ok();
    // Without this option, the module skips a press at each wrong code.
    let options = "user=root secret=/root/ga/${USER} no_increment_hotp";
    machine.service("ga", &format!("auth required pam_google_authenticator.so {options}\n"));
    let users: Vec<_> = (0..scaled(500, 20)).map(GaUser::numbered).collect();
    let mut stricter = 0;
    for (number, user) in users.iter().enumerate() {
        let (name, at) = (format!("crowd{number}"), step());
        let used = at / 30;
        let used = if user.is_hotp { 41 } else { used.saturating_add_signed(user.skew) - 1 };
        machine.write(&format!("/root/ga/{name}"), &user.file(used));
        let import = format!(
            "chmod 600 /root/ga/{name}; totpctl import google-authenticator /root/ga/{name} --user {name}"
        );
        let imported = machine.run(&import);
        assert_eq!(imported.status, 0, "{imported:#?}");
        let again = machine.run(&import).stdout_ok();
        assert!(again.contains("unchanged"), "{again}");
        // In the same step, with a file as fresh as the import.
        if step() != at {
            continue;
        }
        stricter += compare(&machine, "ga", &name, &user.answers(at));
        if user.keeps_used || user.is_hotp {
            goes_back_to_google_authenticator(&machine, &name, user, at);
        }
    }
    assert!(stricter > 0);
}

/// After the export, the module refuses what was used here at the time `at`, and accepts the next
/// press.
fn goes_back_to_google_authenticator(machine: &Machine, name: &str, user: &GaUser, at: u64) {
    let export = format!(
        "rm -f /root/out; totpctl export google-authenticator {name} --output /root/out && stat -c %a /root/out && \
         cp /root/out /root/ga/{name}"
    );
    let exported = machine.run(&export);
    assert!(exported.stdout_ok().ends_with("600\n"));
    let result = |text: &str| machine.pam("ga", name, text).run().rc;
    if user.is_hotp {
        assert_ne!(result(&hotp(&user.seed, 44)), 0, "{name}: a used code opens again");
        assert_eq!(result(&hotp(&user.seed, 45)), 0, "{name}: the next press");
        return;
    }
    for steps in [0, 1] {
        assert_ne!(result(&user.code(at, steps)), 0, "{name}: a used code opens again");
    }
}

#[test]
fn oaths_users_come_over_and_go_back() {
    let machine = Machine::new();
    machine.with_trouble_in_nss();
    machine.service("oath", "auth required pam_oath.so usersfile=/root/users.oath window=1\n");
    let count = scaled(500, 20);
    let seeds: Vec<_> = (0..count).map(|number| Seed::numbered(9000 + number)).collect();
    let is_hotp = |number: usize| number % 4 == 3;
    let file: String = seeds
        .iter()
        .enumerate()
        .map(|(number, seed)| {
            let hex = HEXLOWER.encode(&BASE32_NOPAD.decode(seed.0.as_bytes()).unwrap());
            match is_hotp(number) {
                true => format!(
                    "HOTP/E/6\tcrowd{number}\t-\t{hex}\t41\t{}\t2026-01-15T12:00:00L\n",
                    hotp(seed, 41)
                ),
                false => format!("HOTP/T30/6\tcrowd{number}\t-\t{hex}\n"),
            }
        })
        .collect();
    machine.write("/root/users.oath", &file);
    let imported =
        machine.run("chmod 600 /root/users.oath; totpctl --json import oath /root/users.oath");
    let objects = JsonSchema::of_totpctl().check("import", &imported.stdout);
    assert_eq!((imported.status, objects.len()), (0, count as usize), "{imported:#?}");
    let again = machine.run("totpctl import oath /root/users.oath").stdout_ok();
    assert_eq!(again.matches("unchanged").count(), count as usize, "{again}");
    for (number, seed) in seeds.iter().enumerate() {
        let (name, at) = (format!("crowd{number}"), step());
        let answers = match is_hotp(number) {
            true => vec![
                both("wrong", &seed.wrong_code(), false),
                both("used before", &hotp(seed, 41), false),
                both("next", &hotp(seed, 42), true),
                both("the same again", &hotp(seed, 42), false),
            ],
            false => vec![
                both("wrong", &seed.wrong_code(), false),
                both("right", &seed.code_at(at), true),
                both("the same again", &seed.code_at(at), false),
                both("the one before", &seed.code_at(at - 30), false),
                both("the next", &seed.code_at(at + 30), true),
                both("far", &seed.code_at(at + 300), false),
            ],
        };
        compare(&machine, "oath", &name, &answers);
    }
    let exported = machine.run("totpctl --json export oath --output /root/back.oath");
    let objects = JsonSchema::of_totpctl().check("export", &exported.stdout);
    assert_eq!((exported.status, objects.len()), (0, count as usize), "{exported:#?}");
    machine.run("cp /root/back.oath /root/users.oath").stdout_ok();
    for (number, seed) in seeds.iter().enumerate().take(10) {
        let at = step();
        let used = if is_hotp(number) { hotp(seed, 42) } else { seed.code_at(at) };
        let result = machine.pam("oath", &format!("crowd{number}"), &used).run();
        assert_ne!(result.rc, 0, "crowd{number}: a used code opens again");
    }
}

#[test]
fn who_is_enrolled_is_left_unless_replaced() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let seed = Seed::numbered(9500);
    let hex = HEXLOWER.encode(&BASE32_NOPAD.decode(seed.0.as_bytes()).unwrap());
    let line = |user: &str| format!("HOTP/T30/6 {user} - {hex}\n");
    let text = [line("alice"), line("no-such-user"), "HOTP/T15/6 bob - 00\n".into()].concat();
    machine.write("/root/users", &text);
    let left = machine.run("totpctl import oath /root/users");
    assert_eq!(left.status, 1, "{left:#?}");
    for part in ["alice: the user is enrolled already", "no user \"no-such-user\""] {
        assert!(left.stderr.contains(part), "{left:#?}");
    }
    let before = machine.run("totpctl --json show alice").stdout_ok();
    machine.write("/root/users", &line("alice"));
    let planned = machine.run("totpctl import oath /root/users --replace --dry-run").stdout_ok();
    assert!(planned.contains("alice: would be imported in the place of f-"), "{planned}");
    assert_eq!(machine.run("totpctl --json show alice").stdout_ok(), before);
    machine.run("totpctl import oath /root/users --replace").stdout_ok();
    assert_ne!(machine.run("totpctl --json show alice").stdout_ok(), before);
    // What a user wrote says nothing about others.
    let users = machine.run(
        "cp /root/users /home/bob/users && chown bob /home/bob/users && chmod 600 /home/bob/users && \
         totpctl import oath /home/bob/users --replace",
    );
    assert_eq!(users.status, 1, "{users:#?}");
    assert!(users.stderr.contains("a file of a user has factors of that user alone"), "{users:#?}");
    let denied = machine.run_as("alice", "totpctl import oath /root/users");
    assert_eq!(denied.status, 4, "{denied:#?}");
    let call = machine.call("alice", "org.totpd.Totp1.Manager.Export", "alice");
    assert!(call.text().contains("NotAuthorized"), "{call:#?}");
    let by_root = machine.call("root", "org.totpd.Totp1.Manager.Export", "alice");
    assert!(by_root.text().contains("private socket alone"), "{by_root:#?}");
}

#[test]
fn a_killed_import_has_each_user_wholly_or_not_at_all() {
    let machine = Machine::new();
    machine.with_trouble_in_nss();
    // So many that the import is at work when it is killed.
    let count = scaled(30_000, 6000);
    let lines = (0..count).map(|number| format!("HOTP/T30/6 crowd{number} - {number:040x}\n"));
    machine.write("/root/users", &lines.collect::<String>());
    machine
        .run(
            "totpctl import oath /root/users > /root/first 2>/dev/null & pid=$!
         until [ $(wc -l < /root/first) -ge 60 ]; do kill -0 $pid || exit 1; done
         kill -KILL $pid $(pgrep -x totpd); ! wait $pid",
        )
        .stdout_ok();
    let first = machine.run("totpctl --json list | wc -l").stdout_ok();
    let first: u32 = first.trim().parse().unwrap();
    assert!((60..count).contains(&first), "{first}");
    let second = machine.run("totpctl import oath /root/users").stdout_ok();
    assert_eq!(second.matches(": imported before").count(), first as usize);
    assert_eq!(second.lines().count(), count as usize);
    let listed = machine.run("totpctl --json list").stdout_ok();
    assert_eq!(listed.matches("\"status\":\"verified\"").count(), count as usize);
}
