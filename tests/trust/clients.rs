//! Programs that open many connections, with real ssh and from real addresses: one code is enough,
//! and the same code from another address is refused at the same time.

use tests::{Machine, SSH};

use super::remember;

const NETWORKS: [&str; 5] = ["10.77.1", "10.77.2", "10.77.3", "10.77.4", "10.77.5"];

/// Returns a machine whose sshd asks for password and code, and takes keys if its user gave one.
fn machine_with_clients() -> Machine {
    let machine = Machine::new();
    machine.add_networks(&NETWORKS);
    machine
        .run(
            "set -e
             sed -i 's/^@include common-auth/&\\nauth required pam_totp.so nodelay/
                     s/^@include common-account/account required pam_totp.so guard\\n&/' /etc/pam.d/sshd
             sed -i 's/^ListenAddress.*/ListenAddress 0.0.0.0/
                     s/^PubkeyAuthentication no/PubkeyAuthentication yes\\nMaxStartups 100\\nSubsystem sftp internal-sftp/' /etc/ssh/sshd_config
             mkdir -p /root/.ssh
             ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
             install -d -o alice /home/alice/.ssh
             install -o alice /root/.ssh/id_ed25519.pub /home/alice/.ssh/authorized_keys",
        )
        .stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    machine
}

const BY_ANSWERS: &str = "-o PreferredAuthentications=keyboard-interactive";
const BY_KEY: &str = "-o PreferredAuthentications=publickey";

/// Runs a script in which `$ssh` is a client in this network, and `$to` the user and the server.
/// Returns how often a command ran there, and how often a code was asked for.
fn run(machine: &Machine, network: &str, by: &str, code: &str, script: &str) -> (usize, usize) {
    let options = SSH.trim_start_matches("ssh ");
    let ran = machine.run(&format!(
        "export PROMPTS=$(mktemp) PASSWORD=alicepw CODE='{code}' SSH_ASKPASS=/opt/tests/askpass \
         SSH_ASKPASS_REQUIRE=force
         to=alice@{network}.1 options='{options} {by}'; ssh='ip netns exec {network} ssh '$options
         {script}
         cat $PROMPTS"
    ));
    let count = |text: &str| ran.stdout.lines().filter(|line| line.contains(text)).count();
    (count("in as alice"), count("erification code"))
}

const ONE: &str = "$ssh $to 'echo in as $(id -un)'";

#[test]
fn one_code_is_enough_for_programs_that_open_many_connections() {
    let machine = machine_with_clients();
    remember(&machine, "services = [\"sshd\"]\nburst = \"5m\"");
    machine.run("echo in as alice > /home/alice/kept; chown alice /home/alice/kept").stdout_ok();
    let parallel =
        |count: u32, one: &str| format!("for i in $(seq {count}); do ( {one} ) & done; wait");
    let ten = parallel(10, ONE);
    let copies =
        parallel(4, "ip netns exec ${to:6:7} scp -q $options $to:kept /tmp/got$i; cat /tmp/got$i");
    for (number, (name, script, connections)) in [
        ("an editor: three connections in a row", [ONE; 2].join("\n"), 2),
        (
            "a file system that connects again after its connection was cut",
            "ip netns exec ${to:6:7} timeout -s KILL 2 ssh $options $to 'echo in as alice; sleep 60'
             printf 'get kept /tmp/again\\n' | ip netns exec ${to:6:7} sftp -q $options $to >&2; cat /tmp/again"
                .to_owned(),
            2,
        ),
        ("four copies at once", copies, 4),
        ("ten forks of a tool for many hosts", ten, 10),
    ]
    .into_iter()
    .enumerate()
    {
        let network = NETWORKS[number];
        let code = machine.fresh_code("alice");
        assert_eq!(run(&machine, network, BY_ANSWERS, &code, ONE), (1, 1), "{name}");
        assert_eq!(run(&machine, NETWORKS[4], BY_ANSWERS, &code, ONE), (0, 1), "{name}: elsewhere");
        let found = run(&machine, network, BY_ANSWERS, "", &script);
        assert_eq!(found, (connections, 0), "{name}");
        machine.run("totpctl unlock alice").stdout_ok();
    }
}

/// sshd asks no code after a key, and the guard has what is remembered pass.
#[test]
fn the_guard_lets_by_a_key_alone_where_a_code_is_remembered() {
    let machine = machine_with_clients();
    remember(&machine, "services = [\"sshd\"]\nremember = \"1h\"");
    let code = machine.fresh_code("alice");
    let by_key = |network: &str| run(&machine, network, BY_KEY, "", ONE).0;
    assert_eq!(by_key(NETWORKS[0]), 0);
    assert_eq!(run(&machine, NETWORKS[0], BY_ANSWERS, &code, ONE), (1, 1));
    assert_eq!((by_key(NETWORKS[0]), by_key(NETWORKS[1])), (1, 0));
    // Who comes through this host as a jump host has a loopback address.
    let here = machine.run(&format!("{SSH} {BY_KEY} alice@127.0.0.1 'echo in as $(id -un)'"));
    assert!(!here.stdout.contains("in as alice"), "{here:#?}");
    machine.run("totpctl trust revoke alice").stdout_ok();
    assert_eq!(by_key(NETWORKS[0]), 0);
}
