//! Every block of the README and of `docs/admin`. A host runs its commands, or the table says which
//! other test has it.

use std::fs;
use std::path::{Path, PathBuf};

mod hosts;

/// What becomes of a block.
#[derive(Debug, Eq, PartialEq)]
enum Outcome {
    /// `hosts` runs it, line by line.
    Run,
    /// Another test runs it or reads it: `FILE`, or `FILE: NAME`.
    Elsewhere(&'static str),
    /// No test runs it, because of this.
    NotTried(&'static str),
}

use Outcome::{Elsewhere, NotTried, Run};

/// Each block, by its page and its first line.
const BLOCKS: &[(&str, &str, Outcome)] = &[
    ("README.md", "make demo ", Elsewhere("login: the_demo_lets_a_right_code_in_once")),
    ("README.md", "make deb && apt install ", Run),
    ("README.md", "@include common-auth", Run),
    ("README.md", "totpctl disable sudo ", Elsewhere("instructions: take_out")),
    ("clients.md", "# ~/.ssh/config of the user", Elsewhere("clients: ControlMaster=auto")),
    (
        "clients.md",
        "# /etc/totpd/totpd.toml.d/20-clients.toml",
        Elsewhere("trust: one_code_is_enough_for_programs"),
    ),
    ("clients.md", "/usr/libexec/totpd --check-config", Elsewhere("explain: totpctl rules check")),
    (
        "clients.md",
        "totpctl enable --password passwd",
        Elsewhere("trust: a_changed_password_end_it"),
    ),
    (
        "coming-over.md",
        "totpctl import google-authenticator --all-homes",
        Elsewhere("coming_over: no_home_has_root_read"),
    ),
    ("coming-over.md", "totpctl import oath ", Elsewhere("coming_over: oaths_users_come_over")),
    (
        "coming-over.md",
        "totpctl import aegis ",
        NotTried("the readers have tests of their own, and --map and the terminal have unit tests"),
    ),
    (
        "coming-over.md",
        "totpctl disable sshd",
        Elsewhere("coming_over: goes_back_to_google_authenticator"),
    ),
    ("deploy.md", "totpctl doctor accept ", Run),
    (
        "deploy.md",
        "# /etc/ssh/sshd_config.d/20-penalties.conf",
        Elsewhere("instructions: the_penalties_of_the_page"),
    ),
    ("deploy.md", "note: users without a factor, who ", Run),
    ("deploy.md", "totpctl try sshd --no-options", Run),
    ("deploy.md", "totpctl enroll --batch users.txt --no-confirm --if-unenrolled ", Run),
    ("deploy.md", "totpctl try sshd --option nullok ", Run),
    ("deploy.md", "- hosts: all", Run),
    ("distributions.md", "make rpm", NotTried("Debian has no dnf")),
    ("distributions.md", "auth [success=4 default=ignore]", Elsewhere("stacks")),
    ("distributions.md", "authselect current", Elsewhere("authselect: the_block_of_the_page_has")),
    (
        "distributions.md",
        "authselect create-profile",
        Elsewhere("authselect: a_profile_of_ones_own"),
    ),
    (
        "distributions.md",
        "grep '^auth' /etc/pam.d/common-auth-pc",
        Elsewhere("enable_disable: on_opensuse_the_example_is_named"),
    ),
    ("distributions.md", "# /etc/pam.d/common-auth", Elsewhere("stacks")),
    (
        "distributions.md",
        "cp /usr/share/doc/libpam-totp/examples/apparmor",
        Elsewhere("mandatory_access"),
    ),
    ("distributions.md", "cd \"$(mktemp -d)\" && cp ", Elsewhere("mandatory_access")),
    ("enrollment.md", "totpctl enroll alice ", Run),
    ("enrollment.md", "# /etc/pam.d/sshd", Elsewhere("enrollment")),
    ("enrollment.md", "totpctl enroll --batch users.txt > result.jsonl", Run),
    ("enrollment.md", "totpctl rename alice ", Run),
    ("helpdesk.md", "totpctl show alice", Run),
    (
        "guard.md",
        "# /etc/ssh/sshd_config.d/20-methods.conf",
        Elsewhere("guard: totpctl_writes_the_guard"),
    ),
    ("guard.md", "totpctl enable --guard sshd", Elsewhere("guard: totpctl_writes_the_guard")),
    ("guard.md", "# /etc/pam.d/sshd", Elsewhere("guard: the_block_of_the_page")),
    ("guard.md", "This login needs a second factor", Elsewhere("guard: a_key_alone_is_refused")),
    (
        "install.md",
        "make build && make install ",
        Elsewhere("instructions: the_page_installs_from_source"),
    ),
    ("install.md", "make uninstall ", Elsewhere("package: make_uninstall_removes")),
    (
        "install.md",
        "install packaging/sysvinit/totpctl-try ",
        Elsewhere("enable_disable: the_init_script_reverts_a_trial"),
    ),
    (
        "install.md",
        "for unit in totpd totpctl-try; do",
        Elsewhere("systemd: a_container_without_mounts"),
    ),
    ("install.md", "@include common-auth", Run),
    ("install.md", "cp -a /etc/pam.d/sshd /root/sshd.before", Run),
    ("programs.md", "", Elsewhere("programs")),
    ("store.md", "totpctl backup ", Run),
    ("store.md", "mkdir -p /etc/credstore.encrypted", Run),
    (
        "store.md",
        "systemctl stop totpd.socket totpd.service",
        Elsewhere("disk: the_page_repairs_it"),
    ),
    (
        "store.md",
        "mount -o subvolid=5 ",
        Elsewhere("disk: a_rolled_back_system_waits_for_its_store"),
    ),
];

/// A block between two fences.
#[derive(Debug)]
struct Block {
    page: String,
    /// The line of its first fence, from 1.
    line: usize,
    text: String,
}

impl Block {
    /// Returns the rows of the table that are about it.
    fn rows(&self) -> impl Iterator<Item = &'static (&'static str, &'static str, Outcome)> {
        BLOCKS.iter().filter(|(page, start, _)| self.page == *page && self.text.starts_with(start))
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Returns the blocks of all pages, in their order.
fn blocks() -> Vec<Block> {
    let folder = fs::read_dir(repository().join("docs/admin")).unwrap();
    let mut pages: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages.insert(0, repository().join("README.md"));
    pages.iter().flat_map(|page| blocks_of(page)).collect()
}

fn blocks_of(page: &Path) -> Vec<Block> {
    let name = page.file_name().unwrap().to_str().unwrap();
    let text = fs::read_to_string(page).unwrap();
    let (mut blocks, mut open, mut indent) = (Vec::new(), None::<(usize, String)>, 0);
    for (index, line) in text.lines().enumerate() {
        let is_fence = line.trim_start().starts_with("```");
        match &mut open {
            Some((line, text)) if is_fence => {
                // A command may be continued on the next line.
                let text = std::mem::take(text).replace("\\\n", "");
                blocks.push(Block { page: name.into(), line: *line, text });
                open = None;
            }
            // A block in a list is indented.
            Some((_, text)) => {
                text.push_str(&format!("{}\n", line.get(indent..).unwrap_or(line)));
            }
            None if is_fence => {
                indent = line.find('`').unwrap();
                open = Some((index + 1, String::new()));
            }
            None => {}
        }
    }
    assert!(open.is_none(), "{name}: a fence is open at the end");
    blocks
}

/// Reports whether the tests of `FILE` have something of this name.
fn has_test(file: &str, name: &str) -> bool {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder =
        fs::read_dir(tests.join(file)).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut sources = folder.chain([tests.join(format!("{file}.rs"))]);
    sources.any(|source| fs::read_to_string(source).is_ok_and(|text| text.contains(name)))
}

#[test]
fn every_block_of_the_instructions_has_an_outcome() {
    let blocks = blocks();
    for block in &blocks {
        let rows = block.rows().count();
        assert_eq!(
            rows, 1,
            "{}:{}: {rows} rows of the table for {}",
            block.page, block.line, block.text
        );
    }
    for (page, start, outcome) in BLOCKS {
        let is_there = |block: &Block| block.page == *page && block.text.starts_with(start);
        assert!(blocks.iter().any(is_there), "{page} has no block that starts with {start:?}");
        if let Elsewhere(test) = outcome {
            let (file, name) = test.split_once(": ").unwrap_or((test, ""));
            assert!(has_test(file, name), "there is no {test}");
        }
        if let NotTried(reason) = outcome {
            assert!(!reason.is_empty());
        }
    }
}
