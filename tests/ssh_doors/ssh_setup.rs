//! A host with an ssh server whose configuration and stack are drawn.

use fastrand::Rng;
use serde_json::Value;
use tests::SSH;
use tests::claim::{Claim, Real, doors, text};

use super::computer::Computer;

/// The users. bob has no factor.
const USERS: [&str; 3] = ["alice", "bob", "root"];

/// What a stack wants typed at a prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Typed {
    /// Password and code at a prompt each.
    Apart,
    /// Both as one word.
    Joined,
    /// The code, and no password.
    CodeAlone,
}

/// A host.
#[derive(Debug)]
pub(super) struct SshSetup {
    /// What draws it again.
    #[expect(dead_code, reason = "a failure prints it")]
    number: u64,
    config: String,
    /// The criteria of the one Match block, and the users that it matches.
    block: Option<(&'static str, &'static [&'static str])>,
    stack: String,
    typed: Typed,
    /// The users that AllowUsers or DenyUsers excludes.
    excluded: &'static [&'static str],
}

const METHODS: [&str; 8] = [
    "any",
    "publickey",
    "publickey,keyboard-interactive",
    "keyboard-interactive",
    "publickey,password",
    "password",
    "publickey keyboard-interactive",
    "publickey,keyboard-interactive:pam password",
];

/// Reports whether a list of `AuthenticationMethods` has only methods that are turned on.
fn can_start(config: &str) -> bool {
    let is_off = |keyword: &str| config.contains(&format!("{keyword} no\n"));
    let is_on = |method: &str| match method {
        "password" => !is_off("PasswordAuthentication"),
        "publickey" => !is_off("PubkeyAuthentication"),
        "any" => true,
        _ => !is_off("KbdInteractiveAuthentication"),
    };
    let lists = config.lines().find_map(|line| line.strip_prefix("AuthenticationMethods "));
    lists.unwrap_or("any").split(' ').any(|list| list.split(',').all(is_on))
}

impl SshSetup {
    /// Draws a host.
    pub(super) fn draw(number: u64) -> Self {
        let mut rng = Rng::with_seed(number);
        let settings = |rng: &mut Rng| {
            let mut text = String::new();
            for keyword in
                ["PasswordAuthentication", "KbdInteractiveAuthentication", "PubkeyAuthentication"]
            {
                let value = if rng.u8(..4) == 0 { "no" } else { "yes" };
                text.push_str(&format!("{keyword} {value}\n"));
            }
            text.push_str(&format!(
                "AuthenticationMethods {}\n",
                METHODS[rng.usize(..METHODS.len())]
            ));
            let root = ["yes", "prohibit-password", "no"][rng.usize(..3)];
            text.push_str(&format!("PermitRootLogin {root}\n"));
            text
        };
        // sshd does not start if it has to skip all lists.
        let mut config = settings(&mut rng);
        while !can_start(&config) {
            config = settings(&mut rng);
        }
        let (access, excluded): (_, &[_]) = match rng.u8(..5) {
            0 => ("AllowUsers alice bob\n", &["root"]),
            1 => ("DenyUsers bob\n", &["bob"]),
            _ => ("", &[]),
        };
        config.push_str(access);
        let block: Option<(_, &[_])> = match rng.u8(..5) {
            0 => Some(("User bob", &["bob"])),
            1 => Some(("Group ops", &["bob"])),
            2 => Some(("Address 127.0.0.0/8", &["alice", "bob", "root"])),
            3 => Some(("Address 10.0.0.0/8", &[])),
            _ => None,
        };
        if let Some((criteria, _)) = block {
            // OpenSSH 9.2 takes "any" for a second list if a line above has one.
            let block = settings(&mut rng).replace("AuthenticationMethods any\n", "");
            config.push_str(&format!("Match {criteria}\n{block}"));
        }
        let ours = "auth required pam_totp.so nodelay";
        let password = "auth requisite pam_unix.so nodelay";
        let (stack, typed) = match rng.u8(..7) {
            0 => (format!("{ours}\n"), Typed::CodeAlone),
            1 => (format!("{password}\n{ours} nullok\n"), Typed::Apart),
            2 => (
                format!("{ours} forward_pass\nauth required pam_unix.so use_first_pass nodelay\n"),
                Typed::Joined,
            ),
            3 => (
                format!(
                    "{password}\nauth [success=1 default=ignore] pam_succeed_if.so quiet user = bob\n{ours}\n\
                     auth required pam_permit.so\n"
                ),
                Typed::Apart,
            ),
            _ => (format!("{password}\n{ours}\n"), Typed::Apart),
        };
        let guard = match rng.u8(..3) {
            0 => "account required pam_totp.so guard\n",
            1 if stack.contains("nullok") => "account required pam_totp.so guard nullok\n",
            _ => "",
        };
        let stack =
            format!("{stack}{guard}account required pam_unix.so\nsession required pam_permit.so\n");
        Self { number, config, block, stack, typed, excluded }
    }

    /// Returns what was drawn, a text for each choice.
    pub(super) fn kinds(&self) -> Vec<String> {
        let lines = self.config.lines().take_while(|line| !line.starts_with("Match "));
        let block = format!("Match {}", self.block.map_or("nobody", |(criteria, _)| criteria));
        lines.map(ToOwned::to_owned).chain([block, self.stack.clone()]).collect()
    }

    /// Makes a machine or another such host into this host. alice and root have a factor, and
    /// everybody a key.
    pub(super) fn set_up(&self, machine: &impl Computer) {
        machine.write("/etc/pam.d/sshd", &self.stack);
        machine.write(
            "/etc/ssh/sshd_config",
            &format!(
                "ListenAddress 127.0.0.1\nUsePAM yes\nUseDNS no\nMaxStartups 1000\nMaxAuthTries 20\n{}",
                self.config
            ),
        );
        machine
            .run(
                "groupadd -f ops && usermod -aG ops bob && echo root:rootpw | chpasswd
                 mkdir -p /root/.ssh && chmod 700 /root/.ssh
                 [ -e /root/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
                 for home in /root ~alice ~bob; do
                   mkdir -p $home/.ssh
                   cp /root/.ssh/id_ed25519.pub $home/.ssh/authorized_keys
                 done
                 chown -R alice: ~alice/.ssh; chown -R bob: ~bob/.ssh",
            )
            .stdout_ok();
        assert_eq!(machine.restart_sshd(), "", "{self:#?}");
        for user in ["alice", "root"] {
            machine.fresh_code(user);
        }
    }

    /// Returns what doctor says, for each user and each way in.
    pub(super) fn claims(&self, doctor: &Value) -> Vec<Claim> {
        let doors: Vec<_> = doors(doctor)
            .into_iter()
            .filter(|door| text(door, "door").starts_with("ssh"))
            .collect();
        let mut claims = Vec::new();
        for user in USERS {
            // What holds for this user, the most special last.
            let mut groups = vec![String::new()];
            if user == "root" {
                groups.push("root".into());
            }
            if let Some((criteria, matched)) = self.block
                && matched.contains(&user)
            {
                groups.push(match user {
                    "root" => format!("root, Match {criteria}"),
                    _ => format!("Match {criteria}"),
                });
            }
            let mut of_user: Vec<&Value> = Vec::new();
            for group in &groups {
                if group.contains("Match ") {
                    let in_block = || doors.iter().filter(|door| text(door, "who") == *group);
                    // A client that tries a list from outside of the block gets in by a part of it.
                    of_user.retain(|door| !in_block().any(|part| is_part(part, door)));
                }
                for door in doors.iter().filter(|door| text(door, "who") == *group) {
                    of_user.retain(|other| other["door"] != door["door"]);
                    of_user.push(door);
                }
            }
            for door in of_user {
                let exceptions = door["exceptions"].to_string();
                let is_exception = user == "bob"
                    && (exceptions.contains("without a factor")
                        || exceptions.contains("pam_succeed_if"));
                let code = match self.excluded.contains(&user) {
                    true => "closed".to_owned(),
                    false => text(door, "code"),
                };
                let has_code = user != "bob";
                claims.push(Claim::new(&text(door, "door"), user, has_code, &code, is_exception));
            }
        }
        claims
    }

    /// Uses the way in that is claimed, with a wrong code and with a right one.
    pub(super) fn uses(&self, machine: &impl Computer, claim: &Claim) -> Real {
        let methods = claim.door.strip_prefix("ssh, ").unwrap_or_else(|| panic!("{claim:?}"));
        let methods = methods.replace(":pam", "");
        let wrong = self.enters(machine, &claim.user, &methods, "000000");
        let right = match claim.has_code {
            false => wrong,
            true => {
                let code = machine.fresh_code(&claim.user);
                self.enters(machine, &claim.user, &methods, &code)
            }
        };
        (wrong, right)
    }

    fn enters(&self, machine: &impl Computer, user: &str, methods: &str, code: &str) -> bool {
        let password = match self.typed {
            Typed::Apart => format!("{user}pw"),
            Typed::Joined => format!("{user}pw{code}"),
            Typed::CodeAlone => code.to_owned(),
        };
        let key = if methods.contains("publickey") { "yes" } else { "no" };
        machine.run(&format!("totpctl unlock {user}"));
        let ran = machine.run(&format!(
            "export PASSWORD='{password}' CODE='{code}' SSH_ASKPASS=/opt/tests/askpass \
             SSH_ASKPASS_REQUIRE=force; \
             {SSH} -o PreferredAuthentications={methods} -o PubkeyAuthentication={key} \
             -i /root/.ssh/id_ed25519 {user}@127.0.0.1 'echo in as $(id -un)'"
        ));
        ran.stdout.trim() == format!("in as {user}")
    }
}

/// Reports whether all methods of one way in by ssh are among those of another.
fn is_part(part: &Value, whole: &Value) -> bool {
    let methods = |door: &Value| -> Vec<String> {
        let door = text(door, "door");
        let methods = door.strip_prefix("ssh, ").unwrap_or(&door);
        methods.split(',').map(ToOwned::to_owned).collect()
    };
    let whole = methods(whole);
    methods(part).iter().all(|method| whole.contains(method))
}
