//! The command line, from which help and completions are made.

mod enroll;
mod set;
mod trial;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use self::enroll::{Enroll, Qr};
pub(crate) use self::set::Set;
pub(crate) use self::trial::{ModuleOptions, Try};

/// Manage the second factors of users: the codes that a phone app shows.
///
/// Without USER a command means whoever runs it. root may manage everybody, and so may whom polkit
/// allows it (org.totpd.totp1.manage); a user may enroll, inspect and remove its own factors where polkit
/// allows that (org.totpd.totp1.enroll-self), and is asked for a current code, or a recovery code, where
/// it has a factor.
///
/// Exit status: 0 done; 1 refused or failed (wrong code, no such user); 2 usage; 3 totpd or the
/// system bus cannot be reached; 4 not authorized.
#[derive(Debug, Parser)]
#[command(name = "totpctl", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    /// Print JSON: one object, or for lists one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a factor: show the QR code for a phone app and ask for the first code
    ///
    /// An old factor keeps working until the new one is confirmed by its first code. Scan the QR
    /// code with the app, then type the code that the app shows. Root sees the same QR code again by the same
    /// command, for as long as it waits; a user gets a new one.
    Enroll(Box<Enroll>),
    /// Give the first code of a new factor later (on standard input, or when asked)
    Confirm {
        /// The user; by default whoever runs this
        user: Option<String>,
        /// The factor; by default the one that you made and that waits for its first code
        #[arg(long, value_name = "ID")]
        factor: Option<String>,
    },
    /// Make new recovery codes, which take the place of all old ones, and show them this once
    RecoveryCodes {
        /// The user; by default whoever runs this
        user: Option<String>,
        /// Also write them to a new file that only its owner can read
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Give a factor another name
    #[command(override_usage = "totpctl rename --factor <ID> [USER] <NAME>")]
    Rename {
        /// The factor
        #[arg(long, value_name = "ID")]
        factor: String,
        /// The user, by default whoever runs this, and the new name, for example Pixel
        #[arg(value_name = "[USER] NAME", num_args = 1..=2, required = true)]
        words: Vec<String>,
    },
    /// Limit, disable or enable a factor (administrators)
    Set(Set),
    /// Test a code as a login would; it counts, and is used up
    Verify {
        /// The user; by default whoever runs this
        user: Option<String>,
    },
    /// Show the factors and the wrong codes of a user, but never a seed
    Show {
        /// The user; by default whoever runs this
        user: Option<String>,
    },
    /// List all enrolled users (administrators)
    List,
    /// Remove a factor, or all factors of a user
    Remove {
        /// The user; by default whoever runs this
        user: Option<String>,
        /// The factor; by default all of them
        #[arg(long, value_name = "ID")]
        factor: Option<String>,
    },
    /// Forget the wrong codes of a user, who can then try again at once (administrators)
    Unlock {
        /// The user
        user: String,
    },
    /// Find a token that is off, by two codes that it shows in a row (administrators)
    ///
    /// Needed after a restore, for a token that was pressed too often unseen, and for one whose clock is
    /// up to five minutes wrong. The codes are read from standard input or asked for; both are used up.
    Resync {
        /// The user; by default whoever runs this
        user: Option<String>,
        /// The factor; by default the only one, or the only one that counts presses
        #[arg(long, value_name = "ID")]
        factor: Option<String>,
    },
    /// Copy all users with their seeds into one sealed file, which `age` can open too (root)
    ///
    /// Logins go on meanwhile. Without --recipient a passphrase seals it, which is asked for or is
    /// the first line of standard input. FILE must not exist. The store signs it. Keep the fingerprint that is
    /// printed, apart from the backup: another host asks for it at a restore.
    Backup {
        /// The file to make
        file: PathBuf,
        /// Seal it for the holder of this age identity instead of a passphrase (may be repeated)
        #[arg(long, value_name = "age1…")]
        recipient: Vec<String>,
    },
    /// Put a backup in the place of the store (root)
    ///
    /// It shows first what it would do, and who signed the backup. A backup for a recipient is restored
    /// where it was made; elsewhere say --fingerprint, because anybody who knows the recipient can make one.
    /// A backup with a passphrase needs neither. One that was changed after it was signed is always refused.
    /// Every code that may have been used before is taken for used: no code of an app is good for some six minutes.
    /// All recovery codes are void, and users make new ones. Tokens that count presses are to be resynchronized.
    Restore {
        /// The backup
        file: PathBuf,
        /// A file with the age identity that opens it, instead of a passphrase
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
        /// Restore only what the store with this fingerprint signed; its `backup` and `doctor` print it
        #[arg(long, value_name = "SHA256:…", conflicts_with = "unsigned")]
        fingerprint: Option<String>,
        /// Take a backup although nobody can tell who made it
        #[arg(long)]
        unsigned: bool,
        /// Replace a store that has users
        #[arg(long)]
        replace: bool,
        /// Only show what would be done
        #[arg(long)]
        dry_run: bool,
        /// Do not ask whether to go on
        #[arg(long, conflicts_with = "dry_run")]
        yes: bool,
    },
    /// Seal every record under a new key, which makes the old one useless (root)
    ///
    /// Logins go on meanwhile. With a systemd credential totpd.key the new key is that one. Backups have a
    /// new fingerprint from then on.
    Rekey,
    /// Read and unseal every record, and name each that is damaged (root)
    VerifyStore,
    /// Seal the store under a new key that only the TPM of this machine gives (root)
    ///
    /// The disk, or a copy of it, is then useless without this machine. First it is shown that the TPM gives
    /// the key back; then systemd is told to give it to totpd, every record is sealed under it, and the key
    /// in store.key is removed. Make a backup afterwards: a TPM that is cleared or replaced takes the key with it.
    /// Backups have a new fingerprint from then on.
    #[command(group = clap::ArgGroup::new("what").required(true))]
    SealKey {
        /// By the TPM (version 2.0)
        #[arg(long, group = "what")]
        tpm2: bool,
        /// Registers of the TPM that it depends on too, with + between; 7 for the state of Secure Boot
        ///
        /// Into register 16 nothing is measured, so that no update of the firmware changes anything.
        #[arg(long, value_name = "PCRS", default_value = "16", requires = "tpm2")]
        pcrs: String,
        /// Go back to a key in a file
        #[arg(long, group = "what")]
        undo: bool,
    },
    /// Say what each PAM service will do, and what is wrong with that; changes nothing (root)
    ///
    /// It reads the stacks in /etc/pam.d as libpam does, and goes through every way a login can take. A
    /// service asks for a code, or does not, or can be entered without one because of a line that is named; and
    /// it asks after the right password alone, or after a wrong one too.
    /// For sshd its own configuration is looked at too (sshd -T), with its blocks of Match.
    /// Of the host it says whether totpd answers and what confines it, whether a change that was tried is left
    /// over, and the fingerprint that its backups have. Exit status 1 if something is wrong.
    Doctor {
        /// The PAM services; by default sshd, sudo, su, login and what goes with them, and all that ask for a code
        #[arg(value_name = "SERVICE")]
        services: Vec<String>,
    },
    /// Have a service ask for a code for some minutes, and go on to if somebody logs in by it (root)
    ///
    /// The lines that change are shown, and hold at once: behind the password of SERVICE a code is asked for.
    /// Whoever logs in anew through it meanwhile, with the code of an app, shows that it can be entered: then
    /// it stays. If nobody does, all files are as before, to the byte and the second; also if this terminal
    /// or the network is gone, or the machine is started anew. The last needs systemd or /etc/init.d/totpctl-try;
    /// elsewhere have the machine run "totpctl try --undo" when it starts. What somebody else wrote there meanwhile
    /// goes into /var/lib/totpctl/SERVICE.edited. Without SERVICE it says what is being tried.
    Try(Try),
    /// Have a service ask for a code (root)
    ///
    /// The line of pam_totp.so goes behind the password, where every way through the stack comes to it. Where
    /// there is no such place, or something is wrong with the stack, nothing is changed. Nor is it where a
    /// wrong password would be followed by the question for a code, as on Fedora, RHEL and openSUSE: the line is
    /// named, and the profile that is right there. The same again changes nothing. "totpctl try" does the same and takes it back unless somebody gets in.
    Enable {
        /// The PAM service: sshd, sudo (and sudo -i), su (and su -), login
        service: String,
        #[command(flatten)]
        options: ModuleOptions,
        /// Only show what would be changed
        #[arg(long)]
        dry_run: bool,
    },
    /// Have a service ask for no code (root)
    Disable {
        /// The PAM service
        service: String,
        /// Only show what would be changed
        #[arg(long)]
        dry_run: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_is_explained() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{}", argument.get_id());
            }
        }
    }

    #[test]
    fn the_manual_names_every_command_and_flag() {
        let manual = include_str!("../../packaging/man/totpctl.1");
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            let section = manual.split(&format!("\n.Ss {name}\n")).nth(1);
            let section = section.unwrap_or_else(|| panic!("totpctl(1) lacks {name}"));
            let section = section.split("\n.S").next().unwrap();
            // What only PAM and systemd say is nobody's to type.
            let typed = command.get_arguments().filter(|argument| !argument.is_hide_set());
            for flag in typed.filter_map(|argument| argument.get_long()) {
                let is_there = section.lines().any(|line| {
                    line.strip_prefix(&format!(".It Fl -{flag}"))
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                });
                assert!(is_there, "totpctl(1) lacks {name} --{flag}");
            }
        }
    }
}
