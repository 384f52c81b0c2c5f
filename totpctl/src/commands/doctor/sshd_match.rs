//! The blocks of `Match` in sshd's configuration, and for each a connection that it fits.

use std::fs;
use std::path::Path;

/// A block of `Match`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The file and the line.
    pub(super) place: String,
    /// What it goes by, as it is written.
    pub(super) criteria: String,
    /// What `sshd -T -C` takes for somebody whom it fits, or why that cannot be said.
    pub(super) connection: Result<String, String>,
}

/// All blocks of a configuration and of the files that it includes.
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
                place: format!("{}:{}", path.display(), index + 1),
                criteria: rest.join(" "),
                connection: connection(rest, &member),
            });
        } else if keyword.eq_ignore_ascii_case("include") && depth < MAX_INCLUDE_DEPTH {
            for pattern in rest {
                // As sshd has it, a relative path begins where its configuration is.
                let pattern = Path::new("/etc/ssh").join(pattern);
                let files = glob::glob(&pattern.to_string_lossy()).into_iter().flatten().flatten();
                files.for_each(|file| read(&file, depth + 1, blocks));
            }
        }
    }
}

/// sshd gives up below this too.
const MAX_INCLUDE_DEPTH: u8 = 16;

/// The words of a line: between spaces, with `=` as good as one, and in quotes.
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

/// A connection that fits all criteria, as far as names and addresses go.
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
        let patterns = criteria.next().ok_or("it is not whole")?;
        // Whoever a negated pattern fits, the block does not.
        let mut wanted = patterns.split(',').filter(|pattern| !pattern.starts_with('!'));
        let pattern = wanted.next().ok_or("it fits nobody")?;
        let filled = |star: &str| pattern.replace(['*', '?'], star);
        let network = || filled("1").split('/').next().unwrap_or_default().to_owned();
        match keyword.as_str() {
            "user" => user = filled("x"),
            "group" => {
                user =
                    member(pattern).ok_or(format!("nobody is known to be in group {pattern}"))?;
            }
            "host" => host = filled("x"),
            "address" => address = network(),
            "localaddress" => local_address = network(),
            "localport" => port = pattern.to_owned(),
            other => return Err(format!("{other} cannot be tried out")),
        }
    }
    Ok(format!("user={user},host={host},addr={address},laddr={local_address},lport={port}"))
}

/// Somebody in a group: of those it names, or of those whose first it is.
fn member(group: &str) -> Option<String> {
    let group = nix::unistd::Group::from_name(group).ok()??;
    let of_it = || {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        passwd.lines().find_map(|line| {
            let fields: Vec<_> = line.split(':').collect();
            let [name, _, _, gid, ..] = fields.as_slice() else { return None };
            (*gid == group.gid.to_string()).then(|| (*name).to_owned())
        })
    };
    group.mem.first().cloned().or_else(of_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_fits_what_a_block_goes_by() {
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
            ("Match Group none", Err("nobody is known to be in group none".into())),
            ("Match RDomain vrf0", Err("rdomain cannot be tried out".into())),
            ("Match User !root", Err("it fits nobody".into())),
            ("Match User", Err("it is not whole".into())),
        ] {
            assert_eq!(connection(&words(line)[1..], &member), expected, "{line}");
        }
        assert!(words("  # Match User git").is_empty());
    }

    #[test]
    fn blocks_of_included_files_are_found_and_a_circle_ends() {
        let folder = std::env::temp_dir().join(format!("sshd_match-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (first, second) = (folder.join("first"), folder.join("second.conf"));
        let text = format!("Port 22\nInclude {}/*.conf\nMatch all\n", folder.display());
        fs::write(&first, text).unwrap();
        fs::write(&second, format!("\nMatch User git\nInclude {}\n", second.display())).unwrap();
        let places: Vec<_> = blocks(&first).into_iter().map(|block| block.place).collect();
        assert_eq!(places.len(), usize::from(MAX_INCLUDE_DEPTH) + 1);
        assert_eq!(places[0], format!("{}:2", second.display()));
        assert_eq!(places.last(), Some(&format!("{}:3", first.display())));
        fs::remove_dir_all(&folder).unwrap();
    }
}
