//! The files of PAM on this machine, found as libpam finds them.

use std::fs;
use std::path::{Path, PathBuf};

use pam_stack::Place;
use pam_stack::setcred::{DROPBEAR, never_sets_credentials};
use totpd_interface::CONFLICTING_OPTIONS;

use super::remedy::{StackWriter, end_at_wrong_password};
use crate::program;

/// Returns the absolute path of the file of a place, and its line.
pub(crate) fn locate(place: &Place) -> (String, usize) {
    let path = path_of(&place.file).unwrap_or_else(|| format!("{}/{}", FOLDERS[0], place.file));
    (path, place.line)
}

/// Returns `PATH:LINE` with the absolute path.
pub(crate) fn display(place: &Place) -> String {
    let (path, line) = locate(place);
    format!("{path}:{line}")
}

/// Returns the text of a file of PAM. Bytes that are not UTF-8 are replaced.
pub(crate) fn read(name: &str) -> Option<String> {
    let text = fs::read(path_of(name)?).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
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
    let paths = FOLDERS.iter().map(|folder| format!("{folder}/{name}"));
    paths.into_iter().find(|path| Path::new(path).is_file())
}

/// Reports whether pam_totp.so has this option.
pub(crate) fn is_module_option(arg: &str) -> bool {
    totpd_interface::MODULE_OPTIONS.iter().any(|option| match option.strip_suffix('=') {
        Some(_) => arg.starts_with(option),
        None => arg == *option,
    })
}

/// Returns what to do about an option that pam_totp.so does not have.
pub(crate) fn option_advice(arg: &str) -> &'static str {
    match arg {
        "names" => "write show_names, as the option is called now",
        _ => "correct or remove it (pam_totp(8) lists all options)",
    }
}

/// Returns why these options of pam_totp.so exclude each other, if they do.
pub(crate) fn option_conflict(args: &[String]) -> Option<&'static str> {
    let has = |option: &str| args.iter().any(|arg| arg == option);
    let found = CONFLICTING_OPTIONS.iter().find(|(one, other, _)| has(one) && has(other));
    found.map(|(_, _, reason)| *reason)
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
    let writer = match fs::read_to_string("/etc/authselect/authselect.conf") {
        Ok(configuration) => StackWriter::Authselect(configuration),
        Err(_) if Path::new("/etc/pam.d/common-auth-pc").exists() => StackWriter::PamConfig,
        Err(_) => StackWriter::Unknown,
    };
    let file = places.last().map_or("", |place| &place.file);
    end_at_wrong_password(file, &writer)
}

/// Reports whether libpam finds a module.
pub(crate) fn is_installed(module: &str) -> bool {
    !installed(module).is_empty()
}

/// Returns all files that libpam could load as this module, for all architectures.
pub(crate) fn installed(module: &str) -> Vec<PathBuf> {
    if module.starts_with('/') {
        return Some(module.into()).filter(|path: &PathBuf| path.exists()).into_iter().collect();
    }
    let multiarch = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let multiarch = multiarch.map(|folder| folder.path().join("security"));
    ["/lib/security", "/lib64/security", "/usr/lib/security", "/usr/lib64/security"]
        .into_iter()
        .map(PathBuf::from)
        .chain(multiarch)
        .map(|folder| folder.join(module))
        .filter(|path| path.exists())
        .collect()
}

/// The folders of the administrator and of the distribution.
pub(crate) const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
