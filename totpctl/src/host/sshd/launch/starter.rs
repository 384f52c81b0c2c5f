//! What starts an sshd with options of its own: units of systemd, and the files of inetd.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::command_line::CommandLine;
use super::unit_file;

/// A file by which an sshd is started.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Starter {
    pub(crate) file: String,
    pub(crate) line: CommandLine,
}

/// Returns those of this host that give it options. `folders` have units, the first one of a name
/// counts, and `usual` are the names of the units of the distribution.
pub(crate) fn starters(folders: &[&str], usual: &[&str]) -> Vec<Starter> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let mut seen: BTreeSet<_> = usual.iter().map(|name| (*name).to_owned()).collect();
    let mut found = Vec::new();
    for path in folders.iter().flat_map(|folder| files(&format!("{folder}/*.service"))) {
        let Some(name) = Path::new(&path).file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if !seen.insert(name.to_owned()) {
            continue;
        }
        let drop_ins =
            folders.iter().rev().flat_map(|folder| files(&format!("{folder}/{name}.d/*.conf")));
        let texts: Vec<_> =
            [path.clone()].into_iter().chain(drop_ins).filter_map(|path| read(&path)).collect();
        if texts.iter().any(|text| text.contains("sshd")) {
            found
                .extend(unit_file::command(&texts, &read).map(|line| Starter { file: path, line }));
        }
    }
    for path in [INETD.to_owned()].into_iter().chain(files(XINETD)) {
        let lines = of_inetd(&read(&path).unwrap_or_default());
        found.extend(lines.into_iter().map(|line| Starter { file: path.clone(), line }));
    }
    found.retain(|starter| !starter.line.options.is_empty());
    found
}

/// Reads inetd.conf, or a file of xinetd.
fn of_inetd(text: &str) -> Vec<CommandLine> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let is_sshd = |word: &str| word.rsplit('/').next() == Some("sshd");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let value = |key: &str| {
        let mut settings = lines().filter_map(|line| line.split_once('='));
        settings.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
    };
    if let Some(server) = value("server").filter(|server| is_sshd(server)) {
        let args = words(&value("server_args").unwrap_or_default());
        return vec![CommandLine::new(&[vec![server], args].concat(), false)];
    }
    let command = |line: &str| {
        // SERVICE TYPE PROTOCOL WAIT USER PROGRAM ARGUMENTS, of which the first is the name.
        let words = words(line);
        let program = words.get(5).filter(|word| is_sshd(word))?;
        let args = words.get(7..).unwrap_or_default();
        Some(CommandLine::new(&[std::slice::from_ref(program), args].concat(), false))
    };
    lines().filter_map(command).collect()
}

fn files(pattern: &str) -> impl Iterator<Item = String> + use<> {
    let paths = glob::glob(pattern).into_iter().flatten().flatten();
    paths.map(|path| path.display().to_string())
}

const INETD: &str = "/etc/inetd.conf";
const XINETD: &str = "/etc/xinetd.d/*";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_inetd_starts_an_sshd() {
        for (text, expected) in [
            ("ssh stream tcp nowait root /usr/sbin/sshd sshd -i -f /x\n", "/usr/sbin/sshd -f /x"),
            ("# ssh stream tcp nowait root /usr/sbin/sshd sshd -i -f /x\n", ""),
            ("ftp stream tcp nowait root /usr/sbin/in.ftpd in.ftpd\n", ""),
            (
                "service ssh\n{\n server = /usr/sbin/sshd\n server_args = -i -f /y\n}\n",
                "/usr/sbin/sshd -f /y",
            ),
        ] {
            let told: Vec<_> = of_inetd(text).iter().map(CommandLine::text).collect();
            assert_eq!(told.join("; "), expected, "{text}");
        }
    }

    #[test]
    fn a_unit_that_gives_sshd_a_file_is_found() {
        let folder = std::env::temp_dir().join(format!("starter-{}", std::process::id()));
        fs::create_dir_all(folder.join("b.service.d")).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("ssh.service", "[Service]\nExecStart=/usr/sbin/sshd -D -f /usual\n");
        write("a@.service", "[Service]\nExecStart=-/usr/sbin/sshd -i -f /a\n");
        write("b.service", "[Service]\nExecStart=/usr/sbin/sshd -D\n");
        write(
            "b.service.d/x.conf",
            "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D -o UsePAM=no\n",
        );
        write("c.service", "[Service]\nExecStart=/usr/sbin/sshd -D\n");
        write("d.service", "[Service]\nExecStart=/bin/sh -c /usr/sbin/sshd\n");
        let found = starters(&[folder.to_str().unwrap()], &["ssh.service"]);
        fs::remove_dir_all(&folder).unwrap();
        let told: Vec<_> = found.iter().map(|starter| starter.line.text()).collect();
        assert_eq!(told, ["/usr/sbin/sshd -f /a", "/usr/sbin/sshd -o UsePAM=no"]);
    }
}
