//! The files of PAM on this machine, found as libpam finds them.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use pam_stack::Place;
use pam_stack::setcred_programs::{DROPBEAR, never_sets_credentials};

use super::folders::{self, SINGLE_FILE};
use super::lossless_text;
use super::remedy::{
    StackWriter, change_line, end_at_wrong_password, profile, remove_line, replace_line,
};
use super::single_file;
use crate::program;

/// Returns the absolute path of the file of a place, and its line.
pub(crate) fn locate(place: &Place) -> (String, usize) {
    let path =
        path_of(&place.file).unwrap_or_else(|| format!("{ADMINISTRATORS_FOLDER}/{}", place.file));
    (path, place.line)
}

/// Returns `PATH:LINE` with the absolute path.
pub(crate) fn display(place: &Place) -> String {
    let (path, line) = locate(place);
    format!("{path}:{line}")
}

/// Returns the text of a file of PAM. Bytes that are not UTF-8 are replaced.
pub(crate) fn read(name: &str) -> Option<String> {
    read_or_reason(name)?.ok()
}

/// Returns the text of a file of PAM, as [`lossless_text`] has it.
pub(crate) fn read_lossless(name: &str) -> Option<String> {
    let path = path_of(name)?;
    match path == SINGLE_FILE {
        true => read(name),
        false => Some(lossless_text::text(&read_bytes(Path::new(&path)).ok()?)),
    }
}

/// Returns the text of a file of PAM, if there is one, or the reason why it cannot be read.
pub(crate) fn read_or_reason(name: &str) -> Option<Result<String, String>> {
    let path = path_of(name)?;
    let text = read_file(Path::new(&path));
    if path == SINGLE_FILE && name != SINGLE_FILE {
        return text.map(|text| single_file::service(&text, name)).transpose();
    }
    Some(text)
}

/// Returns the path of a file of PAM. A file of the administrator takes precedence over one of the
/// distribution.
pub(crate) fn path_of(name: &str) -> Option<String> {
    if name.starts_with('/') {
        return Some(name.to_owned());
    }
    if name.is_empty() || name.contains('/') {
        return None;
    }
    if folders::uses_single_file() {
        return Some(SINGLE_FILE.to_owned()).filter(|path| Path::new(path).exists());
    }
    let paths = folders::folders().iter().map(|folder| format!("{folder}/{name}"));
    paths.into_iter().find(|path| Path::new(path).exists())
}

/// Returns the file of the distribution for a service, if the library reads one.
pub(crate) fn distributions_bytes(service: &str) -> Option<Vec<u8>> {
    let folders = folders::folders().iter().filter(|folder| *folder != ADMINISTRATORS_FOLDER);
    folders.map(|folder| Path::new(folder).join(service)).find_map(|path| read_bytes(&path).ok())
}

/// Returns the names of all services that have a stack, in order.
pub(crate) fn services() -> Vec<String> {
    let mut names = Vec::new();
    if folders::uses_single_file() {
        let text = read_file(Path::new(SINGLE_FILE)).unwrap_or_default();
        names.extend(single_file::services(&text).map(str::to_ascii_lowercase));
    }
    for folder in folders::folders() {
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        let files = files.filter_map(|file| file.file_name().into_string().ok());
        names.extend(files.filter(|name| is_service_name(name)));
    }
    names.sort();
    names.dedup();
    names
}

/// Reports whether a file may be a service, and is no part of others and no copy that a package
/// manager or an editor left.
fn is_service_name(name: &str) -> bool {
    let is_left = LEFT_BEHIND.iter().any(|ending| name.ends_with(ending));
    // libpam reads the name of a service in lower case.
    let is_read = !name.contains(|letter: char| letter.is_ascii_uppercase());
    is_read && !(is_left || name.starts_with('.') || is_shared(name))
}

/// Reports whether a file is a part of the stacks of many services, as distributions name them.
pub(crate) fn is_shared(name: &str) -> bool {
    name.starts_with("common-") || SHARED.contains(&name)
}

/// Of Fedora, RHEL, Arch, Gentoo and Alpine.
const SHARED: [&str; 9] = [
    "base-auth",
    "fingerprint-auth",
    "password-auth",
    "postlogin",
    "smartcard-auth",
    "system-auth",
    "system-local-login",
    "system-login",
    "system-remote-login",
];

/// Reads a file without waiting for it: a FIFO or a device is refused. Bytes that are not UTF-8 are
/// replaced.
///
/// # Errors
/// The reason, as a phrase.
pub(crate) fn read_file(path: &Path) -> Result<String, String> {
    let bytes = read_bytes(path)?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Does the same as [`read_file`], for bytes. A folder has none.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let kind = |file: &fs::Metadata| match file.is_file() || file.is_dir() {
        true => Ok(()),
        false => Err("it is not a regular file".to_owned()),
    };
    let reason = |error: io::Error| error.to_string();
    // Opening a device may have an effect.
    kind(&fs::metadata(path).map_err(reason)?)?;
    let file = OpenOptions::new().read(true).custom_flags(NOT_BLOCKING).open(path);
    let file = file.map_err(reason)?;
    let metadata = file.metadata().map_err(reason)?;
    kind(&metadata)?;
    // libpam reads nothing from a folder, and continues.
    if metadata.is_dir() {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::with_capacity(metadata.len().min(MAX_FILE_BYTES) as usize + 1);
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(reason)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("it is larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024));
    }
    Ok(bytes)
}

/// Returns the reason why the option `enroll` is useless for `service`, for any stack of the
/// service.
pub(crate) fn cannot_enroll(service: &str) -> Option<&'static str> {
    // If both are installed, OpenSSH is the one that uses PAM: distributions build Dropbear without
    // it.
    let is_dropbear = || {
        service == "sshd" && program::path("dropbear").is_some() && program::path("sshd").is_none()
    };
    never_sets_credentials(service).or_else(|| is_dropbear().then_some(DROPBEAR))
}

/// Returns what to do if libpam continues after a wrong password at these lines.
pub(crate) fn remedy(places: &[Place]) -> String {
    let file = places.last().map_or("", |place| &place.file);
    end_at_wrong_password(file, &stack_writer(), read(file).as_deref(), &is_installed)
}

/// Returns how to change or remove the line of pam_totp.so at a place outside of a service.
pub(crate) fn line_advice(place: &Place) -> String {
    change_line(&place.file, &stack_writer())
}

/// Returns how to remove the line of pam_totp.so at a place outside of a service: an imperative.
pub(crate) fn removal_advice(place: &Place) -> String {
    let profiles = fs::read_to_string("/var/lib/pam/auth").unwrap_or_default();
    let is_of_profile = profiles.lines().any(|line| line == "Module: totp");
    remove_line(&place.file, &display(place), &stack_writer(), is_of_profile)
}

/// Returns the words about a part of the stacks of many services.
pub(crate) fn about_shared(name: &str) -> String {
    format!(
        "not changed: {name} is no service, but a part of the stacks of many; name the services, or use {}. \
         See docs/admin/distributions.md",
        profile(&stack_writer())
    )
}

/// Returns what to write in place of the only line of a service.
pub(crate) fn service_advice() -> String {
    replace_line(|file| path_of(file).is_some())
}

fn stack_writer() -> StackWriter {
    match fs::read_to_string("/etc/authselect/authselect.conf") {
        Ok(configuration) => StackWriter::Authselect(configuration),
        Err(_) if Path::new("/etc/pam.d/common-auth-pc").exists() => StackWriter::PamConfig,
        Err(_) if program::path("pam-auth-update").is_some() => StackWriter::PamAuthUpdate,
        Err(_) => StackWriter::Unknown,
    }
}

/// Reports whether libpam finds a module.
pub(crate) fn is_installed(module: &str) -> bool {
    !find_installed(module).is_empty()
}

/// Returns all files that libpam could load as this module, for all architectures.
pub(crate) fn find_installed(module: &str) -> Vec<PathBuf> {
    if module.contains(ISA) {
        let names = folders::isa().iter().map(|isa| module.replacen(ISA, isa, 1));
        return names.flat_map(|name| find_installed(&name)).collect();
    }
    if module.starts_with('/') {
        return Some(module.into()).filter(|path: &PathBuf| path.exists()).into_iter().collect();
    }
    let multiarch = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let multiarch = multiarch.map(|folder| format!("{}/security", folder.path().display()));
    ["/lib/security", "/lib64/security", "/usr/lib/security", "/usr/lib64/security"]
        .into_iter()
        .map(ToOwned::to_owned)
        .chain(multiarch)
        .map(|folder| PathBuf::from(format!("{folder}/{module}")))
        .filter(|path| path.exists())
        .collect()
}

/// The folder of the administrator, where totpctl writes.
pub(crate) const ADMINISTRATORS_FOLDER: &str = "/etc/pam.d";
/// The text in the path of a module that libpam replaces by the folder of the architecture.
const ISA: &str = "$ISA";
/// The end of names that are no services.
const LEFT_BEHIND: [&str; 13] = [
    "~",
    ".bak",
    ".dpkg-bak",
    ".dpkg-dist",
    ".dpkg-new",
    ".dpkg-old",
    ".dpkg-tmp",
    ".pam-old",
    ".rpmnew",
    ".rpmorig",
    ".rpmsave",
    ".ucf-dist",
    ".ucf-old",
];
/// Far more than any stack has.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const NOT_BLOCKING: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_blocks_or_is_huge_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        fs::write(path("huge"), "auth required pam_x.so\n".repeat(1_000_000)).unwrap();
        fs::write(path("latin"), b"# caf\xe9\n").unwrap();
        for (name, reason) in [
            ("fifo", "it is not a regular file"),
            ("huge", "it is larger than 1 MiB"),
            ("missing", "No such file"),
        ] {
            let refused = read_file(&path(name)).unwrap_err();
            assert!(refused.contains(reason), "{name}: {refused}");
        }
        assert_eq!(read_file(Path::new("/dev/zero")).unwrap_err(), "it is not a regular file");
        assert_eq!(read_file(&path("latin")).unwrap(), "# caf\u{fffd}\n");
        assert_eq!(read_file(folder.path()).unwrap(), "");
    }

    #[test]
    fn copies_that_programs_left_are_no_services() {
        for name in [
            ".sshd.totpctl-new",
            "sshd~",
            "sshd.dpkg-dist",
            "sudo.rpmsave",
            "common-auth",
            "MySudo",
        ] {
            assert!(!is_service_name(name), "{name}");
        }
        assert!(is_service_name("sshd") && is_service_name("gdm-password"));
    }
}
