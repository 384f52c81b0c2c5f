//! Homes are hostile ground: the tricks of users, each with what comes of it.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

use nix::sys::stat::Mode as NixMode;
use tempfile::TempDir;

use super::*;

const NAME: &str = ".google_authenticator";

/// A home with a good file.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(TempDir::new().unwrap());
        home.write("content");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        // The folder of temporary files may be reached over a link.
        fs::canonicalize(self.0.path()).unwrap().join(name)
    }

    fn write(&self, content: &str) {
        let _ = fs::remove_file(self.path(NAME));
        fs::write(self.path(NAME), content).unwrap();
        self.set_mode(0o600);
    }

    fn set_mode(&self, mode: u32) {
        fs::set_permissions(self.path(NAME), Permissions::from_mode(mode)).unwrap();
    }

    fn file(&self) -> HomeFile {
        let owner = fs::metadata(self.0.path()).unwrap().uid();
        HomeFile { path: self.path(NAME), owner, mode: 0o600 }
    }

    fn read(&self) -> Result<String, String> {
        read(&self.file())
    }
}

fn read(file: &HomeFile) -> Result<String, String> {
    match file.read(64 << 10) {
        Ok(bytes) => Ok(String::from_utf8(bytes.to_vec()).unwrap()),
        Err(NotRead::Absent) => Err("absent".into()),
        Err(NotRead::Refused(reason)) => Err(reason),
    }
}

#[test]
fn a_regular_file_of_its_owner_is_read() {
    let home = Home::new();
    assert_eq!(home.read().unwrap(), "content");
    home.set_mode(0o400);
    assert_eq!(home.read().unwrap(), "content");
    fs::remove_file(home.path(NAME)).unwrap();
    assert_eq!(home.read().unwrap_err(), "absent");
}

/// A trick: its name, what it does to a home, and a word of the refusal.
type Trick = (&'static str, fn(&Home), &'static str);

const TRICKS: [Trick; 14] = [
    (
        "a link to the shadow file",
        |home| replace(home, |path| symlink("/etc/shadow", path).unwrap()),
        "link",
    ),
    (
        "a link to a file of the same user",
        |home| {
            fs::rename(home.path(NAME), home.path("other")).unwrap();
            symlink("other", home.path(NAME)).unwrap();
        },
        "link",
    ),
    ("a link to itself", |home| replace(home, |path| symlink(NAME, path).unwrap()), "link"),
    (
        "a link that leads nowhere",
        |home| replace(home, |path| symlink("/no/such/file", path).unwrap()),
        "link",
    ),
    (
        "a link into /proc",
        |home| replace(home, |path| symlink("/proc/self/mem", path).unwrap()),
        "link",
    ),
    (
        "a FIFO that nobody writes to",
        |home| {
            replace(home, |path| nix::unistd::mkfifo(path, NixMode::S_IRUSR).unwrap());
        },
        "regular",
    ),
    ("a socket", |home| replace(home, |path| drop(UnixListener::bind(path).unwrap())), "opened"),
    ("a folder", |home| replace(home, |path| fs::create_dir(path).unwrap()), "regular"),
    (
        "a hard link",
        |home| fs::hard_link(home.path(NAME), home.path("other")).unwrap(),
        "hard link",
    ),
    ("a file that a group may read", |home| home.set_mode(0o640), "mode"),
    ("a file that everybody may write", |home| home.set_mode(0o602), "mode"),
    ("a file with the bit of another user", |home| home.set_mode(0o4600), "mode"),
    ("a large file", |home| home.write(&"A".repeat(70_000)), "bytes"),
    (
        "a file of holes as large as a disk",
        |home| {
            let file = OpenOptions::new().write(true).open(home.path(NAME)).unwrap();
            file.set_len(1 << 40).unwrap();
        },
        "bytes",
    ),
];

fn replace(home: &Home, make: impl FnOnce(&Path)) {
    fs::remove_file(home.path(NAME)).unwrap();
    make(&home.path(NAME));
}

#[test]
fn no_trick_is_read() {
    for (name, play, word) in TRICKS {
        let home = Home::new();
        play(&home);
        let refusal = home.read().unwrap_err();
        assert!(refusal.contains(word), "{name}: {refusal}");
    }
}

#[test]
fn a_folder_that_is_a_link_leads_nowhere() {
    let home = Home::new();
    fs::create_dir(home.path("real")).unwrap();
    fs::write(home.path("real/file"), "content").unwrap();
    symlink("real", home.path("link")).unwrap();
    for (path, word) in [
        (home.path("link/file"), "link"),
        (home.path("real/../real/file"), ".."),
        (home.path("no/such/folder"), "absent"),
        (PathBuf::from("relative"), "absolute"),
        (PathBuf::from("/"), "absolute"),
        (PathBuf::from("/dev/zero"), "regular"),
        // A link of root, on Debian and Fedora.
        (PathBuf::from("/bin/no-such-file"), "absent"),
    ] {
        let refusal = read(&HomeFile { path: path.clone(), ..home.file() }).unwrap_err();
        assert!(refusal.contains(word), "{}: {refusal}", path.display());
    }
}

#[test]
fn the_file_of_another_user_is_not_read() {
    let home = Home::new();
    let file = home.file();
    let refusal = read(&HomeFile { owner: file.owner + 1, ..file }).unwrap_err();
    assert!(refusal.contains("belongs to uid"), "{refusal}");
}

/// A writer that never rests changes the file between two looks, or leaves it as it was.
#[test]
fn a_file_that_changes_is_read_whole_or_not_at_all() {
    let home = Home::new();
    let (one, other) = ("A".repeat(20_000), "B".repeat(30_000));
    home.write(&one);
    let path = home.path(NAME);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for content in [&one, &other] {
                    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
                    file.write_all(content.as_bytes()).unwrap();
                    file.set_len(content.len() as u64).unwrap();
                }
            }
        });
        for _ in 0..300 {
            if let Ok(content) = home.read() {
                let mixed = content.contains('A') && content.contains('B');
                assert!(!mixed || content.len() == 30_000, "{}", content.len());
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
