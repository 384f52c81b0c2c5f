//! The socket by which systemd starts sshd.

use std::path::Path;
use std::process::Stdio;

use crate::program;

/// Returns the ports on which systemd listens for sshd, if it does.
pub(crate) fn ports() -> Option<Vec<String>> {
    if !Path::new("/run/systemd/system").is_dir() {
        return None;
    }
    let mut systemctl = program::find("systemctl").ok()?;
    systemctl.args(["show", "--property=ActiveState,Listen", "ssh.socket", "sshd.socket"]);
    systemctl.stdin(Stdio::null());
    let output = program::output_within(systemctl, program::ANSWER_TIMEOUT).ok()?;
    ports_of(&String::from_utf8_lossy(&output.stdout))
}

/// Reads what `systemctl show` says of several units.
fn ports_of(text: &str) -> Option<Vec<String>> {
    let is_active = |unit: &&str| unit.lines().any(|line| line == "ActiveState=active");
    let unit = text.split("\n\n").find(is_active)?;
    let addresses = unit.lines().filter_map(|line| line.strip_prefix("Listen=")?.split(' ').next());
    let ports = addresses.filter_map(|address| Some(address.rsplit_once(':')?.1.to_owned()));
    let mut ports: Vec<_> = ports.filter(|port| port.parse::<u16>().is_ok()).collect();
    ports.dedup();
    Some(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_an_active_socket_are_read() {
        let active =
            "Listen=0.0.0.0:2222 (Stream)\nListen=[::]:2222 (Stream)\nActiveState=active\n";
        let other = "ActiveState=inactive\n";
        for (text, expected) in [
            (active.to_owned(), Some(&["2222"][..])),
            (format!("{other}\n{active}"), Some(&["2222"])),
            ("Listen=/run/x (Stream)\nActiveState=active\n".to_owned(), Some(&[])),
            (format!("Listen=[::]:22 (Stream)\n{other}\n{other}"), None),
            (String::new(), None),
        ] {
            let expected: Option<Vec<_>> =
                expected.map(|ports| ports.iter().map(ToString::to_string).collect());
            assert_eq!(ports_of(&text), expected, "{text}");
        }
    }
}
