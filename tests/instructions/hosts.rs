//! The commands of the pages, on booted hosts.

use tests::{Host, Output, SSH, eventually};

use super::{Block, Outcome, blocks};
use crate::systemd::{enrolled, fresh};

mod key_and_code;

const PACKAGE: &str = "/opt/tests/libpam-totp.deb";
const PASSPHRASE: &str = "a long passphrase\n";
/// Somebody who holds an age identity.
const HOLDER: &str = "age1qrdyu5avezhzc0302qqqcsttt0nfejakwqtydhrvy4mvna5u5dlsff9wwj";

/// Runs the blocks of a page that a host runs.
fn follow(host: &Host, page: &str) {
    let blocks = blocks();
    let is_run = |row: &(&str, &str, Outcome)| row.2 == Outcome::Run;
    let wanted = blocks.iter().filter(|block| block.page == page && block.rows().any(is_run));
    for block in wanted {
        if block.text.starts_with("@include common-auth\n") {
            has_lines_of(host, &block.text);
            continue;
        }
        if block.text.starts_with("note: ") {
            doctor_names(host, &block.text);
            continue;
        }
        // A person has files of users at hand, and none from before.
        let folder = format!("/root/{page}-{}", block.line);
        host.run(&format!("mkdir {folder} && printf 'alice\\ncarol\\n' > {folder}/users.txt"))
            .stdout_ok();
        if block.text.starts_with("- hosts: ") {
            play(host, &folder, &block.text);
            continue;
        }
        for line in block.text.lines() {
            let command = line.split(" #").next().unwrap_or_default().trim();
            // What stands alone behind a number sign belongs to the line before it.
            if !command.is_empty() && !command.starts_with('#') {
                println!("{page}:{}: {command}", block.line);
                // Some day a day of the pages is over.
                obey(host, &folder, &command.replace("2027-06-30", "$(date -d '1 year' +%F)"));
            }
        }
    }
}

/// Does what a person does with one line.
fn obey(host: &Host, folder: &str, command: &str) {
    let words: Vec<_> = command.split_whitespace().collect();
    let ran = match words.as_slice() {
        ["totpctl", "enroll"] => enroll_itself(host, "bob"),
        ["totpctl", "enroll", user] => {
            let typed = format!("/opt/tests/type-enrollment '' '' right totpctl enroll {user}");
            host.run(&typed)
        }
        ["totpctl", "enroll", "--batch", "-", ..] => host.run_with_input(command, "alice\ncarol\n"),
        ["totpctl", "try", service, "--no-options"] => {
            enroll_those_who_are_left(host, command);
            return keep(host, service, command);
        }
        ["totpctl", "try", service, ..] => return keep(host, service, command),
        ["totpctl", "backup", _] => host.run_with_input(command, PASSPHRASE),
        // An existing file is never touched.
        ["totpctl", "backup", file, "--recipient", _] => {
            host.run(&command.replace(file, "/root/for-a-holder.age").replace("age1…", HOLDER))
        }
        ["totpctl", "restore", ..] => {
            let options = command.replace("[--identity FILE] [--fingerprint F]", "");
            host.run_with_input(&options.replace(['[', ']'], ""), PASSPHRASE)
        }
        ["totpctl", "resync", user, ..] => resync(host, user, command),
        ["totpctl", _, user, "--factor", ..] => host.run(&with_factor(host, user, command)),
        ["systemctl", "edit", "totpd"] => host.run(
            "mkdir -p /etc/systemd/system/totpd.service.d && \
             printf '[Service]\\nLoadCredentialEncrypted=totpd.key\\n' \
             > /etc/systemd/system/totpd.service.d/override.conf && systemctl daemon-reload",
        ),
        // The test has the package that this makes.
        ["make", "deb", ..] => host.run(&format!(
            "cd {folder} && mkdir -p target/deb && cp {PACKAGE} target/deb/libpam-totp_0_all.deb && \
             make() {{ :; }} && {command}"
        )),
        // On lines of their own, so that a command in the background is all that is left there.
        _ => host.run(&format!("cd {folder} || exit 1\n{command}")),
    };
    assert_eq!(ran.status, 0, "{command}: {ran:#?}");
}

/// Enrolls a user at its own terminal, as polkit allows after the password.
fn enroll_itself(host: &Host, user: &str) -> Output {
    host.run(&format!(
        "/opt/tests/type-enrollment {user}pw '' right setpriv --reuid {user} --regid {user} \
         --init-groups totpctl enroll"
    ))
}

/// Tries a service, and logs in with a code from elsewhere.
fn keep(host: &Host, service: &str, command: &str) {
    host.run(&format!("rm -f /root/tried; setsid {command} >/root/tried 2>&1 </dev/null &"))
        .stdout_ok();
    let told = || host.run("cat /root/tried").stdout;
    eventually("the trial has begun", || {
        let told = told();
        assert!(!told.contains("not changed"), "{command}: {told}");
        told.contains("Enabled until")
    });
    let code = fresh(host, "alice");
    match service {
        "sshd" => assert!(host.ssh("alice", &code), "{}", told()),
        "sudo" => {
            let typed = format!(
                "/opt/tests/type-enrollment alicepw {code} x setpriv --reuid alice --regid alice \
                 --init-groups sudo -k true"
            );
            assert_eq!(host.run(&typed).status, 0, "{}", told());
        }
        _ => panic!("{command}: how does a person log in?"),
    }
    eventually("the change is kept", || told().contains("the change is kept"));
}

/// Tries to drop an option while bob would be shut out, and enrolls bob and carol.
fn enroll_those_who_are_left(host: &Host, command: &str) {
    let refused = host.run(command);
    assert!(refused.status == 1 && refused.stderr.contains("bob"), "{command}: {refused:#?}");
    host.run_with_input(BATCH, "bob\ncarol\n").stdout_ok();
}

const BATCH: &str = "totpctl enroll --batch - --no-confirm --if-unenrolled";

/// Checks that doctor names the users of the page as the page says it.
fn doctor_names(host: &Host, block: &str) {
    host.run("totpctl remove bob --yes; totpctl remove carol --yes");
    host.run_with_input(BATCH, "root\n").stdout_ok();
    let shown = host.run("totpctl doctor").stdout;
    assert!(shown.contains(block.trim_end()), "{block}: {shown}");
}

/// Runs a play of the page with the role of the package.
fn play(host: &Host, folder: &str, play: &str) {
    host.write(&format!("{folder}/site.yml"), play);
    let ran = host.run(&format!(
        "cd {folder} && cp -r /opt/tests/ansible/roles . && cp /etc/totpd/accepted.toml . && \
         ansible-playbook -i localhost, -c local -e totp_package={PACKAGE} site.yml"
    ));
    assert!(ran.status == 0 && ran.stdout.contains("failed=0 "), "{ran:#?}");
}

/// Gives two codes in a row of a token that the test has.
fn resync(host: &Host, user: &str, command: &str) -> Output {
    let seed = enrolled(host, user, 2);
    let codes = format!("{}\n{}\n", seed.code(), seed.next_code());
    host.run_with_input(&with_factor(host, user, command), &codes)
}

/// Returns a command for the factor that the user has, beside those that are pending.
fn with_factor(host: &Host, user: &str, command: &str) -> String {
    let show = format!(
        "totpctl --json show {user} | python3 -c 'import json, sys; print(next(factor[\"factor\"] for factor in \
         json.load(sys.stdin)[\"factors\"] if factor[\"status\"] != \"unverified\"))'"
    );
    command.replace("f-aeaqcaib", host.run(&show).stdout_ok().trim())
}

/// Checks that the services have the lines that a person would write by hand.
fn has_lines_of(host: &Host, block: &str) {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for service in ["sshd", "sudo", "sudo-i"] {
        let lines = host.run(&format!("grep -A1 '^@include common-auth' /etc/pam.d/{service}"));
        assert_eq!(words(&lines.stdout_ok()), words(block), "{service}");
    }
}

/// The seed of alice.
const NUMBER: u32 = 1;

/// Returns a host as Debian installs it, without what other tests set.
fn plain(suite: &str) -> Host {
    let host = Host::boot(suite);
    host.run(
        "rm /etc/ssh/sshd_config.d/10-test.conf && systemctl restart ssh && usermod -aG sudo alice",
    )
    .stdout_ok();
    host
}

#[test]
fn the_readme_protects_a_host_with_an_ssh_service() {
    let host = plain("bookworm");
    follow(&host, "README.md");
    follow(&host, "install.md");
    assert!(!host.ssh("alice", "000000") && host.ssh("alice", &fresh(&host, "alice")));
    take_out(&host);
}

/// Returns the block that starts like this.
fn block(page: &str, start: &str) -> Block {
    let is_wanted = |block: &Block| block.page == page && block.text.starts_with(start);
    blocks().into_iter().find(is_wanted).unwrap_or_else(|| panic!("{page}: {start}"))
}

/// Follows README's way back, after which a password is enough, and the package is gone.
fn take_out(host: &Host) {
    for line in block("README.md", "totpctl disable sudo ").text.lines() {
        let command = line.split(" #").next().unwrap_or_default().trim();
        obey(host, "/root", &command.replace("apt remove", "apt-get remove -y"));
    }
    let password = "/opt/tests/type-enrollment alicepw '' x";
    let in_as = |command: &str| host.run(&format!("{password} {command}")).stdout;
    let ssh = in_as(&format!("{SSH} alice@127.0.0.1 'echo in as $(id -un)'"));
    assert!(ssh.contains("in as alice"), "{ssh}");
    host.run("test ! -e /usr/bin/totpctl && ! grep -r pam_totp /etc/pam.d").stdout_ok();
}

/// The sshd of Debian 13 knows penalties.
fn the_penalties_of_the_page(host: &Host) {
    let file = "/etc/ssh/sshd_config.d/20-penalties.conf";
    host.write(file, &block("deploy.md", &format!("# {file}")).text);
    let effective = host.run("sshd -t && sshd -T").stdout_ok();
    let expected = "persourcepenaltyexemptlist 192.0.2.0/24,2001:db8::/32";
    assert!(effective.lines().any(|line| line == expected), "{effective}");
    host.run(&format!("rm {file}")).stdout_ok();
}

#[test]
fn the_readme_protects_a_host_with_an_ssh_socket() {
    let host = plain("trixie");
    host.run(
        "systemctl disable --now ssh.service; systemctl enable --now ssh.socket; rm -rf /run/sshd",
    )
    .stdout_ok();
    // A connection has started the service, so there is one to restart.
    let password = "/opt/tests/type-enrollment alicepw '' x";
    let ssh = host.run(&format!("{password} {SSH} alice@127.0.0.1 'echo in as $(id -un)'"));
    assert!(ssh.stdout.contains("in as alice"), "{ssh:#?}");
    // A session that is open outlives each restart of sshd. One with a key needs no code.
    host.run(&format!(
        "mkdir -p /root/.ssh ~alice/.ssh && ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && \
         cp /root/.ssh/id_ed25519.pub ~alice/.ssh/authorized_keys && chown -R alice: ~alice/.ssh && \
         (setsid {SSH} alice@127.0.0.1 'echo $$ > open; exec sleep 3600' </dev/null >/dev/null 2>&1 &)"
    ))
    .stdout_ok();
    eventually("a session is open", || host.run("test -s ~alice/open").status == 0);
    follow(&host, "README.md");
    assert!(!host.ssh("alice", "000000") && host.ssh("alice", &fresh(&host, "alice")));
    the_penalties_of_the_page(&host);
    take_out(&host);
    host.run("kill -0 $(cat ~alice/open) && pgrep -f '^ssh .*exec sleep 3600'").stdout_ok();
}

#[test]
fn the_pages_for_administrators_do_what_they_say() {
    let host = plain("bookworm");
    host.run(&format!("apt-get install -y {PACKAGE}")).stdout_ok();
    host.run("printf 'KbdInteractiveAuthentication yes\\n' > /etc/ssh/sshd_config.d/10-totp.conf && systemctl restart ssh")
        .stdout_ok();
    enrolled(&host, "alice", NUMBER);
    // The page accepts a finding.
    host.run(
        "totpctl enable sudo --option nullok && \
         echo 'bob ALL=(root) NOPASSWD: /usr/bin/true' > /etc/sudoers.d/backup",
    )
    .stdout_ok();
    follow(&host, "deploy.md");
    host.run("for user in alice bob carol; do totpctl remove $user --yes; done");
    enrolled(&host, "alice", NUMBER);
    follow(&host, "enrollment.md");
    assert!(host.run("totpctl list").stdout_ok().contains("bob"), "bob enrolled itself");
    follow(&host, "helpdesk.md");
    // A restore last: it closes some minutes to all codes.
    follow(&host, "store.md");
    host.run("totpctl verify-store").stdout_ok();
    assert!(host.run("totpctl list").stdout_ok().contains("bob"), "bob was restored");
}

#[test]
fn the_page_installs_from_source() {
    let host = plain("bookworm");
    // Nothing is built on the host: the archive has what `make install` installed elsewhere.
    host.run(&format!(
        "set -e
         make() {{ [ $1 = build ] || tar -x --keep-directory-symlink --no-overwrite-dir -C / -f /opt/tests/installed.tar; }}
         {}",
        block("install.md", "make build && make install ").text
    ))
    .stdout_ok();
    let socket = host.run("systemctl is-enabled totpd.socket; systemctl is-active totpd.socket");
    assert_eq!(socket.stdout_ok(), "enabled\nactive\n");
    let seed = enrolled(&host, "alice", NUMBER);
    host.run(
        "printf 'KbdInteractiveAuthentication yes\\n' > /etc/ssh/sshd_config.d/10-totp.conf && \
         systemctl restart ssh && totpctl enable sshd && systemctl stop dbus.socket dbus.service",
    )
    .stdout_ok();
    assert!(!host.ssh("alice", &seed.wrong_code()), "a wrong code, without the bus");
    assert!(host.ssh("alice", &seed.code()), "a right code, without the bus");
}
