//! A host whose stacks and sudoers are drawn.

use fastrand::Rng;
use serde_json::Value;
use tests::claim::{Claim, Real, doors, text};

use crate::ssh_doors::computer::Computer;

/// The services. Each lets one account become another. bob has no factor, and alice and bob may use
/// sudo.
const SERVICES: [&str; 4] = ["sudo", "sudo-i", "su", "su-l"];

/// A host.
#[derive(Debug)]
pub(super) struct SudoSetup {
    /// What draws it again.
    #[expect(dead_code, reason = "a failure prints it")]
    number: u64,
    stacks: Vec<(&'static str, String)>,
    sudoers: &'static str,
    is_root_enrolled: bool,
}

impl SudoSetup {
    /// Draws a host.
    pub(super) fn draw(number: u64) -> Self {
        let mut rng = Rng::with_seed(number);
        let stacks = SERVICES.map(|service| {
            let ours = "auth required pam_totp.so nodelay";
            let password = "auth requisite pam_unix.so nodelay";
            let before = if service.starts_with("su-") || service == "su" {
                "auth sufficient pam_rootok.so\n"
            } else {
                ""
            };
            let auth = match rng.u8(..6) {
                0 => format!("{password}\n"),
                1 => format!("{password}\n{ours} nullok\n"),
                2 => format!("auth sufficient pam_unix.so nodelay\n{ours}\n"),
                3 => format!(
                    "{password}\nauth [success=1 default=ignore] pam_succeed_if.so quiet user = bob\n{ours}\n\
                     auth required pam_permit.so\n"
                ),
                _ => format!("{password}\n{ours}\n"),
            };
            let rest = "account required pam_unix.so\nsession required pam_permit.so\n";
            (service, format!("{before}{auth}{rest}"))
        });
        let sudoers = [
            "",
            "",
            "%ops ALL=(ALL) NOPASSWD: ALL\n",
            "Defaults:bob !authenticate\n",
            "Defaults targetpw\n",
            "Defaults rootpw\n",
        ][rng.usize(..6)];
        Self { number, stacks: stacks.into(), sudoers, is_root_enrolled: rng.bool() }
    }

    /// Returns what was drawn, a text for each choice.
    pub(super) fn kinds(&self) -> Vec<String> {
        let stacks = self.stacks.iter().map(|(_, stack)| stack.clone());
        let root = format!("root has a factor: {}", self.is_root_enrolled);
        stacks.chain([self.sudoers.to_owned(), root]).collect()
    }

    /// Makes a machine into this host.
    pub(super) fn set_up(&self, machine: &impl Computer) {
        for (service, stack) in &self.stacks {
            machine.write(&format!("/etc/pam.d/{service}"), stack);
        }
        machine
            .run("groupadd -f ops && usermod -aG ops bob && echo root:rootpw | chpasswd")
            .stdout_ok();
        machine.write(
            "/etc/sudoers",
            &format!("alice ALL=(ALL) ALL\nbob ALL=(ALL) ALL\n{}", self.sudoers),
        );
        machine.run("chmod 440 /etc/sudoers; rm -f /etc/sudoers.d/*; visudo -c").stdout_ok();
        machine.fresh_code("alice");
        // Another such host may have enrolled root.
        match self.is_root_enrolled {
            true => drop(machine.fresh_code("root")),
            false => drop(machine.run("totpctl remove root --yes")),
        }
    }

    /// Returns what doctor says, for each user and each way in, with the service of the way in.
    pub(super) fn claims(&self, doctor: &Value) -> Vec<(Claim, &'static str)> {
        let doors = doors(doctor);
        let mut claims = Vec::new();
        for service in SERVICES {
            let door = doors.iter().find(|door| text(door, "service") == service);
            let door = door.unwrap_or_else(|| panic!("no {service}: {doctor:#}"));
            let exceptions = door["exceptions"].to_string();
            for user in ["alice", "bob"] {
                let asked = self.account(service, user);
                let has_code = asked == "alice" || (asked == "root" && self.is_root_enrolled);
                let is_exception = (exceptions.contains("without a factor") && !has_code)
                    || (exceptions.contains("pam_succeed_if") && asked == "bob")
                    || (exceptions.contains("ops") && user == "bob")
                    || (exceptions.contains("bob") && user == "bob");
                let code = text(door, "code");
                let name = text(door, "door");
                claims.push((Claim::new(&name, user, has_code, &code, is_exception), service));
            }
        }
        claims
    }

    /// Returns whose password and code a program asks for.
    fn account(&self, service: &str, user: &str) -> String {
        let of_root = self.sudoers.contains("targetpw") || self.sudoers.contains("rootpw");
        if service.starts_with("sudo") && of_root { "root".into() } else { user.to_owned() }
    }

    /// Uses the way in that is claimed, with a wrong code and with a right one.
    pub(super) fn uses(&self, machine: &impl Computer, claim: &Claim, service: &str) -> Real {
        let wrong = self.enters(machine, &claim.user, service, "000000");
        let right = match claim.has_code {
            false => wrong,
            true => {
                let code = machine.fresh_code(&self.account(service, &claim.user));
                self.enters(machine, &claim.user, service, &code)
            }
        };
        (wrong, right)
    }

    fn enters(&self, machine: &impl Computer, user: &str, service: &str, code: &str) -> bool {
        let account = self.account(service, user);
        machine.run(&format!("totpctl unlock {account}"));
        // su asks for the target: carol becomes that account.
        let (caller, command, wanted) = match service {
            "sudo" => (user, "sudo -k id -un".to_owned(), "root"),
            "sudo-i" => (user, "sudo -k -i id -un".to_owned(), "root"),
            "su" => ("carol", format!("su {user} -c 'id -un'"), user),
            _ => ("carol", format!("su - {user} -c 'id -un'"), user),
        };
        let ran = machine
            .run_as(caller, &format!("/opt/tests/type-login '{account}pw' '{code}' {command}"));
        ran.stdout.lines().any(|line| line.trim() == wanted)
    }
}
