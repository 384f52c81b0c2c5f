//! The processes of a program on this host.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Returns the folders of the processes of `program` with this uid on this host.
pub(crate) fn processes_of(program: &Path, uid: u32) -> Vec<PathBuf> {
    // The kernel shows this path after an upgrade, before the restart.
    let replaced = format!("{} (deleted)", program.display());
    let link = |folder: &Path, name: &str| fs::read_link(folder.join(name)).ok();
    // A container on this host may have a daemon of its own.
    let host = link(Path::new("/proc/self"), "ns/pid");
    // Any user may run the program.
    let is_it = |folder: &PathBuf| {
        fs::metadata(folder).is_ok_and(|process| process.uid() == uid)
            && link(folder, "exe").is_some_and(|exe| exe == program || exe == Path::new(&replaced))
            && link(folder, "ns/pid") == host
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.map(|entry| entry.path()).filter(is_it).collect()
}

/// Reports whether a process runs from another file than `program` is now.
pub(crate) fn runs_another_file(process: &Path, program: &Path) -> bool {
    let running = process.join("exe");
    let link = fs::read_link(&running).unwrap_or_default();
    is_replaced(&link, file(&running), file(program))
}

/// The device and the inode of a file.
type File = (u64, u64);

fn file(path: &Path) -> Option<File> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// `link`: the name of the running program, as the kernel shows it.
fn is_replaced(link: &Path, running: Option<File>, installed: Option<File>) -> bool {
    link.to_string_lossy().ends_with(" (deleted)") || (running.is_some() && running != installed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_of_the_same_name_is_a_replacement() {
        let name = Path::new("/usr/libexec/totpd");
        let deleted = Path::new("/usr/libexec/totpd (deleted)");
        let (old, new) = (Some((1, 2)), Some((1, 3)));
        for (link, running, installed, expected) in [
            (name, old, old, false),
            (name, old, new, true),
            (name, old, None, true),
            (deleted, old, new, true),
            (deleted, old, None, true),
            // The process has ended.
            (Path::new(""), None, old, false),
        ] {
            assert_eq!(is_replaced(link, running, installed), expected, "{link:?} {installed:?}");
        }
    }
}
