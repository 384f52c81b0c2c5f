//! The configuration: the merged content of the files, and the values that the daemon uses.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use totpd_core::code;
use totpd_core::enrollment::EnrollmentRules;
use totpd_core::otp::Algorithm;
use totpd_core::policy::{GroupName, Policy};
use totpd_core::throttle::ThrottleRules;
use totpd_core::verification::Rules;
use totpd_store::Owner;

use crate::config::fragment::Fragment;

pub use crate::config::error::ConfigError;

mod advice;
mod duration;
mod error;
mod fragment;
mod pam_services;
mod rule;
mod rule_list;
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
    /// The rules that say which login needs a code (default: none).
    pub policy: Policy,
    /// The groups that the rules name, each with the file and the line where it first stands.
    group_places: Vec<(GroupName, String)>,
    /// The services that the rules name, each with the file and the line of its rule.
    service_places: Vec<(String, String)>,
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
    /// may write them, because the configuration decides about root's logins.
    ///
    /// # Errors
    /// [`ConfigError`], which names the file, the line and the key.
    pub fn load(file: &Path, owner: Owner) -> Result<Self, ConfigError> {
        let mut fragment = Fragment::default();
        for path in files(file, owner)? {
            let text = read(&path, owner)?;
            fragment = fragment.overridden_by(Fragment::parse(&path, &text)?);
        }
        Self::from_fragment(fragment)
    }

    /// Returns the faults that do not keep the daemon from starting, by file and line: groups that
    /// NSS does not know or cannot look up, and services that this host does not have.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let unknown = |(group, place): &(GroupName, String)| {
            let group = group.as_str();
            match nix::unistd::Group::from_name(group) {
                Ok(Some(_)) => None,
                Ok(None) => Some(format!(
                    "{place}: groups: no group {group:?} is known, so it has no members; correct the name"
                )),
                Err(error) => Some(format!(
                    "{place}: groups: group {group:?} cannot be looked up ({}), so the rule counts as \
                     strictly as it can; see nsswitch.conf",
                    error.desc()
                )),
            }
        };
        let mut warnings: Vec<_> = self.group_places.iter().filter_map(unknown).collect();
        let known = (!self.service_places.is_empty()).then(pam_services::known).flatten();
        if let Some(known) = known {
            warnings.extend(pam_services::warnings(&self.service_places, &known));
        }
        warnings
    }

    fn from_fragment(fragment: Fragment) -> Result<Self, ConfigError> {
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
        Ok(Self {
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
            group_places: rules.group_places(),
            service_places: rules.service_places(),
            policy: rules.policy()?,
        })
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
