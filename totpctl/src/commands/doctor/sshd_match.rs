//! The `Match` blocks in sshd's configuration, each with a connection that it matches.

use std::fs;
use std::path::Path;

/// A `Match` block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The file and the line.
    pub(super) place: (String, usize),
    /// The criteria, as they are written.
    pub(super) criteria: String,
    /// The argument of `sshd -T -C` for a connection that matches, or why there is none.
    pub(super) connection: Result<String, String>,
}

/// Returns all blocks of a configuration and of the files that it includes.
pub(super) fn blocks(path: &Path) -> Vec<Block> {
    let mut blocks = Vec::new();
    read(path, 0, &mut blocks);
    blocks
}

fn read(path: &Path, depth: u8, blocks: &mut Vec<Block>) {
    let text = fs::read_to_string(path).unwrap_or_default();
    for (index, line) in text.lines().enumerate() {
        let words = words(line);
        let Some((keyword, rest)) = words.split_first() else { continue };
        if keyword.eq_ignore_ascii_case("match") {
            blocks.push(Block {
                place: (path.display().to_string(), index + 1),
                criteria: rest.join(" "),
                connection: connection(rest, &member),
            });
        } else if keyword.eq_ignore_ascii_case("include") && depth < MAX_INCLUDE_DEPTH {
            for pattern in rest {
                // sshd resolves a relative path in its configuration directory.
                let pattern = Path::new("/etc/ssh").join(pattern);
                let files = glob::glob(&pattern.to_string_lossy()).into_iter().flatten().flatten();
                files.for_each(|file| read(&file, depth + 1, blocks));
            }
        }
    }
}

/// The limit of sshd.
const MAX_INCLUDE_DEPTH: u8 = 16;

/// Splits a line at spaces and `=`; quotes keep words together.
fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    if line.starts_with('#') {
        return Vec::new();
    }
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for letter in line.chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '#' if !quoted && word.is_none() => break,
            _ if !quoted && (letter.is_whitespace() || letter == '=') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Returns a connection that matches all criteria.
fn connection(
    criteria: &[String],
    member: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut user = "root".to_owned();
    let (mut host, mut address) = ("localhost".to_owned(), "127.0.0.1".to_owned());
    let (mut local_address, mut port) = ("127.0.0.1".to_owned(), "22".to_owned());
    let mut criteria = criteria.iter();
    while let Some(keyword) = criteria.next() {
        let keyword = keyword.to_ascii_lowercase();
        if keyword == "all" {
            continue;
        }
        let patterns = criteria.next().ok_or("the line is incomplete")?;
        // The block does not match what a negated pattern matches.
        let mut wanted = patterns.split(',').filter(|pattern| !pattern.starts_with('!'));
        let pattern = wanted.next().ok_or("it matches no user")?;
        let filled = |star: &str| pattern.replace(['*', '?'], star);
        let network = || filled("1").split('/').next().unwrap_or_default().to_owned();
        match keyword.as_str() {
            "user" => user = filled("x"),
            "group" => {
                user = member(pattern).ok_or(format!("no member of group {pattern} is known"))?;
            }
            "host" => host = filled("x"),
            "address" => address = network(),
            "localaddress" => local_address = network(),
            "localport" => port = pattern.to_owned(),
            other => return Err(format!("{other} is not supported")),
        }
    }
    Ok(format!("user={user},host={host},addr={address},laddr={local_address},lport={port}"))
}

/// Returns a member of a group: one that it lists, or a user with it as primary group.
fn member(group: &str) -> Option<String> {
    let group = nix::unistd::Group::from_name(group).ok()??;
    let primary_member = || {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        passwd.lines().find_map(|line| {
            let fields: Vec<_> = line.split(':').collect();
            let [name, _, _, gid, ..] = fields.as_slice() else { return None };
            (*gid == group.gid.to_string()).then(|| (*name).to_owned())
        })
    };
    group.mem.first().cloned().or_else(primary_member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_matches_its_block() {
        let member = |group: &str| (group == "sftp").then(|| "carol".to_owned());
        let usual = "laddr=127.0.0.1,lport=22";
        for (line, expected) in [
            ("Match User git", Ok(format!("user=git,host=localhost,addr=127.0.0.1,{usual}"))),
            (
                "match user !root,adm?*,bob",
                Ok(format!("user=admxx,host=localhost,addr=127.0.0.1,{usual}")),
            ),
            ("Match Group sftp", Ok(format!("user=carol,host=localhost,addr=127.0.0.1,{usual}"))),
            (
                "Match Address 192.0.2.0/24,10.* Host *.example.org # in here",
                Ok(format!("user=root,host=x.example.org,addr=192.0.2.0,{usual}")),
            ),
            (
                "Match LocalPort=2222 LocalAddress \"10.0.0.*\"",
                Ok("user=root,host=localhost,addr=127.0.0.1,laddr=10.0.0.1,lport=2222".into()),
            ),
            ("Match all", Ok(format!("user=root,host=localhost,addr=127.0.0.1,{usual}"))),
            ("Match Group none", Err("no member of group none is known".into())),
            ("Match RDomain vrf0", Err("rdomain is not supported".into())),
            ("Match User !root", Err("it matches no user".into())),
            ("Match User", Err("the line is incomplete".into())),
        ] {
            assert_eq!(connection(&words(line)[1..], &member), expected, "{line}");
        }
        assert!(words("  # Match User git").is_empty());
    }

    #[test]
    fn included_files_are_searched_up_to_a_depth() {
        let folder = std::env::temp_dir().join(format!("sshd_match-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (first, second) = (folder.join("first"), folder.join("second.conf"));
        let text = format!("Port 22\nInclude {}/*.conf\nMatch all\n", folder.display());
        fs::write(&first, text).unwrap();
        fs::write(&second, format!("\nMatch User git\nInclude {}\n", second.display())).unwrap();
        let places: Vec<_> = blocks(&first).into_iter().map(|block| block.place).collect();
        assert_eq!(places.len(), usize::from(MAX_INCLUDE_DEPTH) + 1);
        assert_eq!(places[0], (second.display().to_string(), 2));
        assert_eq!(places.last(), Some(&(first.display().to_string(), 3)));
        fs::remove_dir_all(&folder).unwrap();
    }
}
