//! The clients of ssh: users with a key, a ticket and a trusted host.

use tests::{SSH, eventually};

use super::doors_host::DoorsHost;

/// Makes a Kerberos realm on this host, and gives each user a ticket.
pub(super) fn make_realm(host: &DoorsHost) {
    host.host.write("/etc/krb5.conf", REALM);
    host.host
        .run(
            "set -e
             mkdir -p /etc/krb5kdc
             printf '[realms]\\nDOORS.TEST = {\\n}\\n' > /etc/krb5kdc/kdc.conf
             kdb5_util create -s -r DOORS.TEST -P master >/dev/null
             for user in alice bob root; do
               kadmin.local -q \"addprinc -pw ${user}pw $user\"
             done
             kadmin.local -q 'addprinc -randkey host/localhost'
             kadmin.local -q 'ktadd host/localhost'
             systemctl restart krb5-kdc krb5-admin-server",
        )
        .stdout_ok();
    for user in ["alice", "bob", "root"] {
        let init = format!("runuser -u {user} -- kinit {user}");
        eventually("the KDC answers", || {
            host.host.run_with_input(&init, &format!("{user}pw\n")).status == 0
        });
    }
}

/// Gives each user a key, has this host trust its own users, and leaves carol without a password.
pub(super) fn trust_this_host(host: &DoorsHost) {
    host.host
        .run(
            "set -e
             passwd -q -d carol
             mkdir -p /root/.ssh
             ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
             cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
             printf 'localhost root\\n' > /root/.shosts
             for user in alice bob carol; do
               cp -r /root/.ssh /home/$user/
               chown -R $user: /home/$user/.ssh
             done
             chmod 700 /root/.ssh /home/*/.ssh
             printf 'localhost\\n' > /root/kept/ssh/shosts.equiv
             printf 'localhost,127.0.0.1 %s\\n' \"$(cat /etc/ssh/ssh_host_ed25519_key.pub)\" \\
               > /root/kept/ssh/ssh_known_hosts",
        )
        .stdout_ok();
}

/// Reports whether a user comes in by these methods, with a password and a code.
pub(super) fn enters(
    host: &DoorsHost,
    user: &str,
    methods: &str,
    password: &str,
    code: &str,
) -> bool {
    let can = |method: &str| if methods.contains(method) { "yes" } else { "no" };
    let ran = host.host.run(&format!(
        "cd /tmp; exec runuser -u {user} -- env PASSWORD='{password}' CODE='{code}' SSH_ASKPASS=/opt/tests/askpass \
         SSH_ASKPASS_REQUIRE=force HOME=$(echo ~{user}) {SSH} -o PreferredAuthentications={methods} \
         -o PubkeyAuthentication={} -o GSSAPIAuthentication={} -o GSSAPIKeyExchange={} \
         -o HostbasedAuthentication={} {user}@localhost 'echo in as $(id -un)'",
        can("publickey"),
        can("gssapi"),
        can("gssapi-keyex"),
        can("hostbased"),
    ));
    ran.stdout.trim() == format!("in as {user}")
}

const REALM: &str = "[libdefaults]
default_realm = DOORS.TEST
dns_lookup_kdc = false
dns_lookup_realm = false
rdns = false
dns_canonicalize_hostname = false
[realms]
DOORS.TEST = {
  kdc = 127.0.0.1
  admin_server = 127.0.0.1
}
[domain_realm]
localhost = DOORS.TEST
";
