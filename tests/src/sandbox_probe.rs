//! Somebody who took the daemon over (`tests/harness/sandbox_probe.c`), on a host with systemd.

use crate::machine::{Output, eventually};

/// The attempts of a prisoner, and the success of each.
#[derive(Debug)]
pub struct Tried(Vec<(String, bool)>);

impl Tried {
    /// Replaces the daemon with a prisoner, and lets it try everything. The host has engines of
    /// containers that root may ask for anything. `run` runs a script as root there.
    pub fn on(run: impl FnMut(&str) -> Output) -> Self {
        let run = std::cell::RefCell::new(run);
        let run = |script: &str| run.borrow_mut()(script);
        run("systemctl stop totpd.service totpd.socket").stdout_ok();
        let engines = SOCKETS.map(|path| format!("'{path}'")).join(", ");
        let listen = format!(
            "import os, socket, time\n\
             kept = []\n\
             for path in [{engines}]:\n    \
             os.makedirs(os.path.dirname(path), exist_ok=True)\n    \
             os.path.exists(path) and os.rename(path, path + '.before')\n    \
             kept.append(socket.socket(socket.AF_UNIX)); kept[-1].bind(path); kept[-1].listen()\n\
             open('/root/engines', 'w')\n\
             time.sleep(3600)\n"
        );
        let units = "for n in 1 2 3; do printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n' \
                     >/run/systemd/system/freed-$n.service; done; systemctl daemon-reload";
        run(units).stdout_ok();
        run(&format!("cat >/root/engines.py <<'END'\n{listen}END")).stdout_ok();
        run("systemd-run --quiet --unit=engines python3 /root/engines.py").stdout_ok();
        eventually("the engines listen", || run("test -e /root/engines").status == 0);
        // The hidden sockets are there for other programs.
        for path in SOCKETS.into_iter().chain(["/run/systemd/private"]) {
            let connect =
                format!("import socket; socket.socket(socket.AF_UNIX).connect(\"{path}\")");
            run(&format!("python3 -c '{connect}'")).stdout_ok();
        }
        let sockets = SOCKETS.join("\n");
        run(&format!("printf '{sockets}\n' >/var/lib/totpd/sockets")).stdout_ok();
        run("rm -f /var/lib/totpd/sandbox_probe.txt; cp /usr/libexec/totpd /root/totpd; \
             cat /opt/tests/sandbox_probe >/usr/libexec/totpd; systemctl start totpd.service --no-block")
        .stdout_ok();
        let report = || run("cat /var/lib/totpd/sandbox_probe.txt").stdout;
        eventually("it has tried everything", || report().ends_with("done\n"));
        let report = report();
        println!("{report}");
        run("systemctl stop engines.service totpd.service totpd.socket; cat /root/totpd >/usr/libexec/totpd")
            .stdout_ok();
        let attempts: Vec<_> = report
            .lines()
            .filter_map(|line| line.split_once(": could"))
            .map(|(what, how)| (what.to_owned(), how.is_empty()))
            .collect();
        assert!(attempts.len() >= 20, "{report}");
        for path in SOCKETS {
            assert!(
                attempts.iter().any(|(what, _)| what == path),
                "{path} was not tried: {report}"
            );
        }
        for n in 1..=3 {
            let is_up = run(&format!("systemctl is-active freed-{n}.service")).status == 0;
            assert_eq!(
                is_up,
                attempts.iter().any(|(what, could)| *could && UNITS[n - 1] == what),
                "{report}"
            );
        }
        Self(attempts)
    }

    /// Returns the successful attempts.
    pub fn could(&self) -> Vec<&str> {
        self.0.iter().filter(|(_, could)| *could).map(|(what, _)| what.as_str()).collect()
    }
}

/// Its own folder, which it needs.
pub const OWN: &str = "its own folder";
/// The attempts to have systemd start a unit.
pub const UNITS: [&str; 3] = [
    "ask systemd itself to start a unit",
    "ask systemd over the bus to start a unit",
    "ask its number on the bus to start a unit",
];

/// The sockets of daemons that obey root. They are systemd's own of newer versions, and engines of
/// containers and machines. The list has one in each place that the unit hides.
const SOCKETS: [&str; 20] = [
    "/run/systemd/io.systemd.Manager",
    "/run/systemd/machine/io.systemd.Machine",
    "/run/initctl",
    "/run/udev/control",
    "/run/docker.sock",
    "/run/docker/metrics.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/buildkit/buildkitd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/libvirt/libvirt-sock",
    "/run/snapd.socket",
    "/run/incus/unix.socket",
    "/var/lib/incus/unix.socket",
    "/var/lib/lxd/unix.socket",
    "/var/snap/lxd/common/lxd/unix.socket",
    "/var/lib/kubelet/device-plugins/kubelet.sock",
    "/run/nscd/socket",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_that_the_unit_hides_is_tried() {
        let unit = include_str!("../../packaging/systemd/totpd.service");
        let hidden = unit.lines().filter_map(|line| line.strip_prefix("InaccessiblePaths="));
        let hidden =
            hidden.flat_map(str::split_whitespace).map(|path| path.trim_start_matches('-'));
        // With systemd, that is a link.
        let hidden = hidden.map(|path| path.replace("/var/run/", "/run/"));
        for path in hidden.filter(|path| path.starts_with("/run/") || path.starts_with("/var/")) {
            let is_tried = SOCKETS.iter().any(|socket| socket.starts_with(&path));
            assert!(is_tried || path == "/run/systemd/private", "{path}");
        }
    }
}
