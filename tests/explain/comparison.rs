//! Drawn rules and logins. A generator with a seed draws them, so a failure names the number that
//! draws it again.

use fastrand::Rng;
use serde_json::Value;
use tests::{JsonSchema, Machine, SSH, scaled};

use super::{FILE, rule};

/// The logins of one set of rules.
const LOGINS: u32 = 4;
/// The users. bob has no factor, and carol is in the group staff.
const USERS: [&str; 3] = ["alice", "bob", "carol"];
/// The networks of the sources of ssh. Each is a network namespace of its own.
const NETWORKS: [&str; 2] = ["10.77.1", "10.77.2"];

/// A login.
#[derive(Debug)]
struct Login {
    service: &'static str,
    user: &'static str,
    /// The network at ssh, and the user who asks at su.
    from: &'static str,
}

impl Login {
    fn draw(rng: &mut Rng) -> Self {
        let user = USERS[rng.usize(..3)];
        match rng.u8(..3) {
            0 => Self { service: "sudo", user, from: user },
            1 => {
                let others: Vec<_> = USERS.into_iter().filter(|other| *other != user).collect();
                Self { service: "su", user, from: others[rng.usize(..2)] }
            }
            _ => Self { service: "sshd", user, from: NETWORKS[rng.usize(..2)] },
        }
    }

    /// Returns what is asked of `totpctl explain`.
    fn arguments(&self) -> String {
        let Self { service, user, from } = self;
        match *service {
            "sshd" => format!("{user} sshd --from {from}.2"),
            service => format!("{user} {service} --as {from}"),
        }
    }

    /// Logs in with this answer. Returns what the person sees, with `in as USER` for one who is in.
    fn run(&self, machine: &Machine, answer: &str) -> String {
        let Self { service, user, from } = self;
        let typed = |command: &str| format!("/opt/tests/type-login - '{answer}' {command}");
        match *service {
            "sudo" => machine.run_as(user, &typed("sudo sh -c 'echo in as $SUDO_USER'")).text(),
            "su" => {
                machine.run_as(from, &typed(&format!("su {user} -c 'echo in as $(id -un)'"))).text()
            }
            _ => machine
                .run(&format!(
                    "export PROMPTS=$(mktemp) PASSWORD=- CODE='{answer}' SSH_ASKPASS=/opt/tests/askpass \
                     SSH_ASKPASS_REQUIRE=force
                     ip netns exec {from} {SSH} {user}@{from}.1 'echo in as $(id -un)'; cat $PROMPTS"
                ))
                .text(),
        }
    }
}

/// Draws rules. Some cannot stand together: then others are drawn.
fn draw_rules(rng: &mut Rng) -> String {
    let count = rng.usize(1..5);
    let one = |rng: &mut Rng, number: usize| {
        let mut keys = String::new();
        match rng.u8(..6) {
            0 => keys += "users = [\"alice\"]\n",
            1 => keys += "users = [\"b*\"]\n",
            2 => keys += "groups = [\"staff\"]\n",
            3 => keys += "users = [\"bob\"]\ngroups = [\"staff\", \"no-such-group\"]\n",
            _ => {}
        }
        match rng.u8(..5) {
            0 => keys += "services = [\"sshd\"]\n",
            1 => keys += "services = [\"su\", \"login\"]\n",
            2 => keys += "services = [\"su*\"]\n",
            _ => {}
        }
        match rng.u8(..5) {
            0 => keys += "from = [\"10.77.1.0/24\"]\n",
            1 => keys += "from = [\"::ffff:10.77.2.0/120\"]\n",
            2 => keys += "from = [\"local\"]\n",
            _ => {}
        }
        keys += match rng.u8(..8) {
            0 | 1 => "then = \"skip\"",
            2 => "then = \"deny\"",
            3 => "then = \"enroll-by 2100-01-01\"",
            4 => "then = \"enroll-by 2001-01-01T00:00:00+01:00\"",
            5 => "then = \"require\"\nmethods = [\"recovery\"]",
            6 => "then = \"require\"\nmethods = [\"hotp\"]",
            _ => "then = \"require\"",
        };
        rule(&format!("rule {number}"), &keys)
    };
    (0..count).map(|number| one(rng, number)).collect()
}

/// Makes the sources of ssh, and the services.
fn set_up(machine: &Machine) {
    machine.run("groupadd staff; usermod -aG staff carol").stdout_ok();
    machine.add_networks(&NETWORKS);
    machine
        .run("sed -i 's/^ListenAddress.*/ListenAddress 0.0.0.0/' /etc/ssh/sshd_config")
        .stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    machine.write(
        "/etc/sudoers",
        "ALL ALL=(ALL) ALL\nDefaults passwd_tries=1, lecture=never, timestamp_timeout=0\n",
    );
    machine.run("chmod 440 /etc/sudoers; rm -f /etc/sudoers.d/*; visudo -c").stdout_ok();
    for user in ["alice", "carol"] {
        machine.fresh_code(user);
    }
}

/// Returns an answer that is right if any is: a code of the app, or on paper.
fn answer(machine: &Machine, user: &str, explained: &Value) -> String {
    let counts =
        |method: &str| explained["methods"].as_array().unwrap().iter().any(|m| m == method);
    if user == "bob" {
        return "000000".into();
    }
    if counts("recovery") && !counts("totp") {
        let codes = machine.run(&format!("totpctl --json recovery-codes {user}")).stdout_ok();
        let codes: Value = serde_json::from_str(&codes).unwrap();
        return codes["recovery_codes"][0].as_str().unwrap().to_owned();
    }
    machine.fresh_code(user)
}

/// Explains a login, logs in, and returns what differs.
fn compare(machine: &Machine, schema: &JsonSchema, login: &Login) -> Option<String> {
    let user = login.user;
    let explain = format!("totpctl unlock {user}; totpctl --json explain {}", login.arguments());
    let explained = schema.check("explain", &machine.run(&explain).stdout_ok()).remove(0);
    let answer = answer(machine, user, &explained);
    machine.run(": > /run/log.txt").stdout_ok();
    let seen = login.run(machine, &answer);
    let log = machine.log();
    let last = |key: &str| {
        let mut values = log.lines().filter_map(|line| line.strip_prefix(key));
        values.next_back().unwrap_or_default().to_owned()
    };
    let word = |key: &str| explained[key].as_str().unwrap_or_default().to_owned();
    let opens = matches!(explained["pam"].as_str(), Some("PAM_SUCCESS" | "PAM_IGNORE"));
    let reason = match (word("reason").as_str(), last("TOTP_REASON=").as_str()) {
        // Both are right answers, and the explanation does not know which one the person takes.
        ("code-accepted", "recovery-code-accepted") => "recovery-code-accepted".to_owned(),
        (reason, _) => reason.to_owned(),
    };
    let asks = explained["asks"] == true;
    let shows = word("shows");
    let facts = [
        ("gets in", opens.to_string(), seen.contains(&format!("in as {user}")).to_string()),
        ("asks", asks.to_string(), seen.contains("Verification code").to_string()),
        ("reason", reason, last("TOTP_REASON=")),
        ("rule", word("rule"), last("TOTP_RULE=")),
        // sshd keeps messages to itself.
        (
            "shows",
            shows.clone(),
            match login.service {
                "sshd" if !asks => shows.clone(),
                _ if seen.contains(shows.trim_end()) => shows.clone(),
                _ => seen.clone(),
            },
        ),
    ];
    let differing = facts.iter().filter(|(_, told, real)| told != real);
    let differing: Vec<_> = differing
        .map(|(what, told, real)| format!("{what}: told {told:?}, really {real:?}"))
        .collect();
    (!differing.is_empty())
        .then(|| format!("{login:?}: {}\n{explained}\n{seen}\n{log}", differing.join("; ")))
}

#[test]
fn an_explanation_equals_what_a_login_then_does() {
    let machine = Machine::new();
    let schema = JsonSchema::of_totpctl();
    set_up(&machine);
    let (mut number, mut differences) = (0, Vec::new());
    let mut outcomes = std::collections::BTreeMap::<String, u32>::new();
    let count = scaled(200, 60) / LOGINS;
    let mut sets = 0;
    while sets < count {
        number += 1;
        let mut rng = Rng::with_seed(number);
        let rules = draw_rules(&mut rng);
        machine.write(FILE, &rules);
        let reloaded = machine.run("totpctl rules reload");
        if reloaded.status != 0 {
            assert!(reloaded.stderr.contains("can never decide"), "{reloaded:#?}\n{rules}");
            continue;
        }
        sets += 1;
        for service in ["sshd", "su", "sudo"] {
            let option = ["", " nullok"][rng.usize(..2)];
            machine.service(
                service,
                &format!(
                    "auth required pam_totp.so nodelay{option}\nauth required pam_permit.so\n\
                     account required pam_permit.so\nsession required pam_permit.so\n"
                ),
            );
        }
        for _ in 0..LOGINS {
            let login = Login::draw(&mut rng);
            let difference = compare(&machine, &schema, &login);
            *outcomes.entry(login.service.into()).or_default() += 1;
            differences.extend(difference.map(|text| format!("number {number}: {text}\n{rules}")));
        }
    }
    println!("{sets} sets of rules: {outcomes:?}");
    assert!(differences.is_empty(), "{}:\n{}", differences.len(), differences.join("\n---\n"));
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
}
