//! The folders that the libpam of this machine reads, taken from the library itself. Distributions
//! build it with different ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What the library says about its files.
#[derive(Debug, PartialEq, Eq)]
struct Built {
    /// The folders of stacks, in the order of precedence.
    folders: Vec<String>,
    /// The texts that `$ISA` in the path of a module may stand for.
    isa: Vec<String>,
}

/// Returns the folders of stacks, those of the administrator first.
pub(crate) fn folders() -> &'static [String] {
    &built().folders
}

/// Returns the texts that `$ISA` in the path of a module may stand for.
pub(crate) fn isa() -> &'static [String] {
    &built().isa
}

fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = libraries().find_map(|path| fs::read(path).ok()).unwrap_or_default();
        read(&library)
    })
}

/// Returns the places of the library, those of distributions with several architectures first.
fn libraries() -> impl Iterator<Item = PathBuf> {
    let multiarch = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let multiarch = multiarch.map(|entry| entry.path());
    let native = move |folder: &PathBuf| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(std::env::consts::ARCH) && name.contains("-linux-")
    };
    let usual = ["/usr/lib64", "/lib64", "/usr/lib", "/lib", "/run/current-system/sw/lib"];
    multiarch
        .filter(native)
        .chain(usual.into_iter().map(PathBuf::from))
        .map(|folder| folder.join("libpam.so.0"))
}

/// Reads the texts of the library.
fn read(library: &[u8]) -> Built {
    let texts = library.split(|byte| *byte == 0).filter(|text| text.len() <= LONGEST_PATH);
    let texts: Vec<_> = texts.filter_map(|text| str::from_utf8(text).ok()).collect();
    let found = texts.iter().filter_map(|text| {
        let folder = text.strip_suffix("/%s").unwrap_or(text);
        (folder.starts_with('/') && folder.ends_with("/pam.d")).then(|| folder.to_owned())
    });
    let mut folders: Vec<String> = Vec::new();
    for folder in USUAL.iter().map(|folder| (*folder).to_owned()).chain(found) {
        let is_built_in = library.is_empty() || texts.iter().any(|text| text.starts_with(&folder));
        if is_built_in && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    // An old library on a broken disk may say nothing.
    if folders.is_empty() {
        folders.push(USUAL[0].to_owned());
    }
    let isa = texts.iter().filter(|text| text.ends_with("/security"));
    let mut isa: Vec<_> = isa.map(|text| (*text).to_owned()).collect();
    if isa.is_empty() {
        isa.push(".".to_owned());
    }
    Built { folders, isa }
}

/// Reports whether no folder of stacks exists: libpam then reads one file with all of them.
pub(crate) fn uses_single_file() -> bool {
    !folders().iter().any(|folder| Path::new(folder).is_dir())
}

/// The file with all stacks.
pub(crate) const SINGLE_FILE: &str = "/etc/pam.conf";
/// The folders that take precedence, if the library has them.
const USUAL: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
const LONGEST_PATH: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn library(texts: &[&str]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\xff\xfe".to_vec();
        for text in texts {
            bytes.extend([b"\0".as_slice(), text.as_bytes(), b"\0"].concat());
        }
        bytes
    }

    #[test]
    fn folders_of_a_distribution_are_those_of_its_library() {
        let debian = ["/usr/lib/pam.d/%s", "%s/%s", "/lib/security", "$ISA", "/etc/pam.d/%s"];
        let suse =
            ["/usr/etc/pam.d/%s", "/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d", "x/pam.d"];
        for (texts, folders, isa) in [
            (&debian[..], &["/etc/pam.d", "/usr/lib/pam.d"][..], &["/lib/security"][..]),
            (&suse, &["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"], &["."]),
            (&["/etc/pam.d/%s"], &["/etc/pam.d"], &["."]),
            (&["nothing"], &["/etc/pam.d"], &["."]),
        ] {
            let built = read(&library(texts));
            assert_eq!(built.folders, folders);
            assert_eq!(built.isa, isa);
        }
        assert_eq!(read(&[]).folders, USUAL, "a library that is not found");
    }

    #[test]
    fn the_library_of_this_machine_is_found_and_reads_etc() {
        let path = libraries().find(|path| path.exists());
        let library = path.and_then(|path| fs::read(path).ok());
        let library = library.expect("libpam.so.0 is where distributions have it");
        assert_eq!(read(&library).folders.first().map(String::as_str), Some("/etc/pam.d"));
        assert_eq!(*built(), read(&library));
    }
}
