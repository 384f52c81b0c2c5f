//! The configuration: the merged content of the files, and the values that the daemon uses.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use totpd_core::code;
use totpd_core::enrollment::EnrollmentRules;
use totpd_core::otp::Algorithm;
use totpd_core::throttle::ThrottleRules;
use totpd_core::verification::Rules;
use totpd_store::Owner;

use crate::config::fragment::Fragment;

pub(crate) use crate::config::doubt::Doubt;
pub(crate) use crate::config::draft::Draft;
pub(crate) use crate::config::duration::display_length;
pub use crate::config::error::ConfigError;
pub use crate::config::rule_set::RuleSet;

mod advice;
mod doubt;
mod draft;
mod duration;
mod error;
mod fragment;
mod local_rules;
mod pam_services;
mod rule;
mod rule_doubts;
mod rule_list;
mod rule_set;
mod rule_values;
mod setting_lines;

/// The path of the configuration.
pub const CONFIG_FILE: &str = "/etc/totpd/totpd.toml";

/// The values that the daemon uses. Durations are in seconds.
#[derive(Clone, Debug)]
pub struct Config {
    /// The text before the account in a phone app. `%h` is the host name (default `%h`).
    pub issuer: String,
    /// The flag that users may enroll themselves (default: yes).
    pub self_service: bool,
    /// The parameters of a new factor that does not ask for others (default: SHA1, 6, 30 s).
    pub defaults: Defaults,
    /// The life of new factors (default: 10 minutes to confirm, one factor a user).
    pub enrollment: EnrollmentRules,
    /// The number of recovery codes that a user gets (default: 10).
    pub recovery_codes: u32,
    /// The rules that judge an attempt.
    pub rules: Rules,
    /// The flag that a login may be answered before the disk has it (default: yes).
    pub makes_marks: bool,
}

/// The parameters of a new factor that does not ask for others.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// The hash.
    pub algorithm: Algorithm,
    /// The decimal digits of a code, 6 to 8.
    pub digits: u8,
    /// The seconds in a time step, 15 to 300.
    pub period: u32,
}

impl Config {
    /// Reads `file`, which may be absent, and the `*.toml` files in the folder `file.d`, in name
    /// order. A later file overrides an earlier one. All must belong to `owner`, and nobody else
    /// may write them, because the configuration decides about root's logins. Returns the rules
    /// that say which login needs a code apart, because they can change while the daemon runs.
    ///
    /// # Errors
    /// [`ConfigError`], which names the file, the line and the key.
    pub fn load(file: &Path, owner: Owner) -> Result<(Self, RuleSet), ConfigError> {
        Self::load_with(file, owner, None)
    }

    /// Reads what [`Config::load`] does, with `draft` in the place of the file of its name.
    ///
    /// # Errors
    /// Those of [`Config::load`].
    pub(crate) fn load_with(
        file: &Path,
        owner: Owner,
        draft: Option<&Draft>,
    ) -> Result<(Self, RuleSet), ConfigError> {
        let mut files = files(file, owner)?;
        let replaced = draft.map(|draft| draft.place(file));
        if let Some(replaced) = &replaced
            && !files.contains(replaced)
        {
            files.push(replaced.clone());
            // The file itself comes before its drop-ins.
            files.sort_by_key(|path| (path != file, path.clone()));
        }
        let mut fragment = Fragment::default();
        for path in files {
            let read = match draft.filter(|_| replaced.as_ref() == Some(&path)) {
                Some(draft) => Fragment::parse(&draft.path, &draft.text)?,
                None => Fragment::parse(&path, &read(&path, owner)?)?,
            };
            fragment = fragment.overridden_by(read);
        }
        Self::from_fragment(fragment)
    }

    fn from_fragment(fragment: Fragment) -> Result<(Self, RuleSet), ConfigError> {
        let Fragment { enrollment, verify, throttle, store, throttle_lines, rules, .. } = fragment;
        let contradiction = |keys: [&str; 2], message: &str| ConfigError::Contradiction {
            places: throttle_lines.of(keys),
            message: format!("[throttle] {message}"),
        };
        let throttle = ThrottleRules {
            free_failures: throttle.free_failures.unwrap_or(3),
            first_wait: throttle.first_wait.map_or(30, |wait| wait.seconds()),
            longest_wait: throttle.longest_wait.map_or(3600, |wait| wait.seconds()),
            lock_after: throttle.lock_after.unwrap_or(100),
            known_source: throttle.known_source.map_or(30 * 86_400, |time| time.seconds()),
        };
        if throttle.first_wait > throttle.longest_wait {
            return Err(contradiction(
                ["first_wait", "longest_wait"],
                "first_wait (default 30s) is longer than longest_wait (default 1h); lower the first \
                 or raise the second",
            ));
        }
        if throttle.free_failures > throttle.lock_after {
            return Err(contradiction(
                ["free_failures", "lock_after"],
                "free_failures (default 3) is above lock_after (default 100): users would be locked \
                 and never wait; lower the first or raise the second",
            ));
        }
        let skew = verify.skew.unwrap_or(1);
        let config = Self {
            issuer: enrollment.issuer.unwrap_or_else(|| "%h".into()),
            self_service: enrollment.self_service.unwrap_or(true),
            defaults: Defaults {
                algorithm: enrollment.algorithm.unwrap_or_default(),
                digits: enrollment.digits.unwrap_or(*code::DIGITS.start()),
                period: enrollment.period.unwrap_or(30),
            },
            enrollment: EnrollmentRules {
                unverified_lifetime: enrollment.unverified_lifetime.map_or(600, |t| t.seconds()),
                max_factors: enrollment.max_factors.unwrap_or(1),
                skew,
            },
            recovery_codes: enrollment.recovery_codes.unwrap_or(10),
            rules: Rules { skew, throttle },
            makes_marks: store.mark.unwrap_or(true),
        };
        Ok((config, rules.checked()?))
    }

    /// Returns the keys whose value is another one in `new`. The running daemon keeps their values.
    pub(crate) fn differing_keys(&self, new: &Self) -> Vec<&'static str> {
        let (defaults, throttle) = (&self.defaults, &self.rules.throttle);
        let (new_defaults, new_throttle) = (&new.defaults, &new.rules.throttle);
        let (enrollment, new_enrollment) = (&self.enrollment, &new.enrollment);
        let keys = [
            ("enrollment.issuer", self.issuer != new.issuer),
            ("enrollment.self_service", self.self_service != new.self_service),
            ("enrollment.algorithm", defaults.algorithm != new_defaults.algorithm),
            ("enrollment.digits", defaults.digits != new_defaults.digits),
            ("enrollment.period", defaults.period != new_defaults.period),
            (
                "enrollment.unverified_lifetime",
                enrollment.unverified_lifetime != new_enrollment.unverified_lifetime,
            ),
            ("enrollment.max_factors", enrollment.max_factors != new_enrollment.max_factors),
            ("enrollment.recovery_codes", self.recovery_codes != new.recovery_codes),
            ("verify.skew", self.rules.skew != new.rules.skew),
            ("throttle.free_failures", throttle.free_failures != new_throttle.free_failures),
            ("throttle.first_wait", throttle.first_wait != new_throttle.first_wait),
            ("throttle.longest_wait", throttle.longest_wait != new_throttle.longest_wait),
            ("throttle.lock_after", throttle.lock_after != new_throttle.lock_after),
            ("throttle.known_source", throttle.known_source != new_throttle.known_source),
            ("store.mark", self.makes_marks != new.makes_marks),
        ];
        keys.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }
}

fn files(file: &Path, owner: Owner) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |path: &Path| {
        let path = path.to_path_buf();
        move |source| ConfigError::Unreadable { path, source }
    };
    let mut all = Vec::new();
    if file.try_exists().map_err(unreadable(file))? || file.is_symlink() {
        all.push(file.to_path_buf());
    }
    let mut folder = file.as_os_str().to_owned();
    folder.push(".d");
    let folder = PathBuf::from(folder);
    match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(&folder)(error)),
        Ok(entries) => {
            let metadata = fs::metadata(&folder).map_err(unreadable(&folder))?;
            refuse_writable(&folder, &metadata, owner)?;
            let mut drop_ins = Vec::new();
            for entry in entries {
                let path = entry.map_err(unreadable(&folder))?.path();
                if path.extension().is_some_and(|extension| extension == "toml") {
                    drop_ins.push(path);
                }
            }
            drop_ins.sort();
            all.append(&mut drop_ins);
        }
    }
    Ok(all)
}

fn read(path: &Path, owner: Owner) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_path_buf(), source };
    // Opening a pipe would block.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("it is not a regular file")));
    }
    let file = fs::File::open(path).map_err(unreadable)?;
    refuse_writable(path, &file.metadata().map_err(unreadable)?, owner)?;
    io::read_to_string(file).map_err(unreadable)
}

fn refuse_writable(path: &Path, metadata: &fs::Metadata, owner: Owner) -> Result<(), ConfigError> {
    let (uid, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if uid != owner.uid() || mode & 0o022 != 0 {
        return Err(ConfigError::Writable { path: path.to_path_buf(), uid, mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
