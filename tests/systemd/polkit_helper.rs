//! The helper of polkit since version 127: a unit with limits, and no setuid program.

use super::{fresh, with_alice};

/// The limits in polkit's own unit that could stand between the module and the daemon.
const LIMITS: &str = "DevicePolicy=strict LimitMEMLOCK=0 LockPersonality=yes MemoryDenyWriteExecute=yes NoNewPrivileges=yes \
                      PrivateNetwork=yes PrivateTmp=yes ProtectControlGroups=yes ProtectKernelModules=yes \
                      ProtectKernelLogs=yes ProtectKernelTunables=yes ProtectSystem=strict ProtectClock=yes \
                      ProtectHostname=yes RemoveIPC=yes RestrictAddressFamilies=AF_UNIX RestrictNamespaces=yes \
                      RestrictRealtime=yes RestrictSUIDSGID=yes SystemCallArchitectures=native \
                      SystemCallFilter=@system-service UMask=0077";

#[test]
fn a_helper_of_polkit_with_limits_asks_for_a_code() {
    let (host, _) = with_alice("trixie");
    host.write(
        "/etc/pam.d/polkit-1",
        "auth required pam_totp.so nodelay\naccount required pam_permit.so\n",
    );
    let properties: String =
        LIMITS.split_whitespace().map(|limit| format!("-p {limit} ")).collect();
    let helper = |code: &str| {
        host.run(&format!(
            "systemd-run --quiet --wait --pipe {properties} /opt/tests/pam polkit-1 alice {code}"
        ))
        .stdout
    };
    let code = fresh(&host, "alice");
    let denied = helper("000000");
    assert!(denied.contains("rc=7 "), "{denied}");
    let approved = helper(&code);
    assert!(approved.contains("rc=0 "), "{approved}");
}
