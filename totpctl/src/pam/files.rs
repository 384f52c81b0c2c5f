//! The files of PAM on this machine, found as libpam finds them.

use std::fs;
use std::path::{Path, PathBuf};

use pam_stack::Place;
use pam_stack::setcred::{DROPBEAR, never_sets_credentials};
use totpd_interface::CONFLICTING_OPTIONS;

use crate::pam::remedy::{StackWriter, end_at_wrong_password};

/// A place with the whole path of its file.
pub(crate) fn display(place: &Place) -> String {
    let path = path_of(&place.file).unwrap_or_else(|| format!("{}/{}", FOLDERS[0], place.file));
    format!("{path}:{}", place.line)
}

/// The text of a file of PAM, as libpam finds it; what is no UTF-8 in it is replaced.
pub(crate) fn read(name: &str) -> Option<String> {
    let text = fs::read(path_of(name)?).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// As libpam looks for it: what the administrator wrote goes before what the distribution has.
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

/// Whether the module has this option.
pub(crate) fn is_module_option(arg: &str) -> bool {
    totpd_interface::MODULE_OPTIONS.iter().any(|option| match option.strip_suffix('=') {
        Some(_) => arg.starts_with(option),
        None => arg == *option,
    })
}

/// Why these options of the module do not go together.
pub(crate) fn option_conflict(args: &[String]) -> Option<&'static str> {
    let given = |option: &str| args.iter().any(|arg| arg == option);
    let found = CONFLICTING_OPTIONS.iter().find(|(one, other, _)| given(one) && given(other));
    found.map(|(_, _, why)| *why)
}

/// Why nobody can make a factor at a login to `service` (option `enroll`), whatever its stack says.
pub(crate) fn cannot_enroll(service: &str) -> Option<&'static str> {
    // Where both are installed it is OpenSSH that asks PAM: distributions build Dropbear without.
    let is_dropbear = || service == "sshd" && has_program("dropbear") && !has_program("sshd");
    never_sets_credentials(service).or_else(|| is_dropbear().then_some(DROPBEAR))
}

/// Whether a server is installed.
pub(crate) fn has_program(name: &str) -> bool {
    ["/usr/sbin", "/usr/bin"].iter().any(|folder| Path::new(folder).join(name).exists())
}

/// What to do where libpam goes on behind a wrong password at these lines.
pub(crate) fn remedy(places: &[Place]) -> String {
    let writer = match fs::read_to_string("/etc/authselect/authselect.conf") {
        Ok(configuration) => StackWriter::Authselect(configuration),
        Err(_) if Path::new("/etc/pam.d/common-auth-pc").exists() => StackWriter::PamConfig,
        Err(_) => StackWriter::Nobody,
    };
    let file = places.last().map_or("", |place| &place.file);
    end_at_wrong_password(file, &writer)
}

/// Whether libpam finds a module, which may stand without its folder.
pub(crate) fn is_installed(module: &str) -> bool {
    !installed(module).is_empty()
}

/// Where a module is.
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

/// What the administrator wrote, and what the distribution has.
pub(crate) const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
