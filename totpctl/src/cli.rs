//! The command line. Help and completions are generated from it.

mod candidates;
mod doctor;
mod empty;
mod enable;
mod enroll;
mod explain;
mod export;
mod file;
mod groups;
mod import;
mod service;
mod set;
mod trial;
mod trust;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::CompleteEnv;
use clap_complete::engine::ArgValueCandidates;

pub(crate) use self::doctor::{Accept, Doctor, DoctorCommand, Place};
pub(crate) use self::enable::{Disable, Enable};
pub(crate) use self::enroll::Enroll;
pub(crate) use self::explain::{Explain, RulesCommand};
pub(crate) use self::export::{Export, ExportFormat};
pub(crate) use self::import::Import;
pub(crate) use self::set::Set;
pub(crate) use self::trial::{DEFAULT_MINUTES, ModuleOptions, Try};
pub(crate) use self::trust::{TrustCommand, Whose};

/// Manage the second factors of users: the codes that a phone app shows.
///
/// Without USER, a command applies to the caller. root may manage all users, and so may users that
/// polkit authorizes (org.totpd.totp1.manage). A user may enroll, inspect and remove its own
/// factors if polkit allows it (org.totpd.totp1.enroll-self). A user who has a factor has to give a
/// current code, or a recovery code.
///
/// Exit status: 0 done; 1 refused or failed (wrong code, no such user); 2 usage; 3 totpd or the
/// system bus cannot be reached; 4 not authorized; 5 what was compared differs.
#[derive(Debug, Parser)]
#[command(name = "totpctl", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    /// Print JSON: one object, or one object a line for lists (docs/reference/json.md)
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Never have polkit ask for a password; what needs one is then denied
    #[arg(long, global = true)]
    pub(crate) no_ask_password: bool,

    /// Without a command, print the list of commands
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    /// Reads the command line. Exits after a question of a shell for completions. Returns an error
    /// of usage, and also `--help` and `--version`.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        CompleteEnv::with_factory(Self::clap).complete();
        Self::parse_words(std::env::args_os().collect())
    }

    fn parse_words(words: Vec<OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::clap();
        let matches = command.try_get_matches_from_mut(words)?;
        empty::refuse(&mut command, &matches)?;
        Self::from_arg_matches(&matches)
    }

    /// Returns the command line for clap, with the commands in groups.
    pub(crate) fn clap() -> clap::Command {
        let command = Self::command();
        let template = groups::help_template(&command);
        command.help_template(template)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a factor: show the QR code for a phone app and ask for the first code
    ///
    /// An old factor keeps working until the first code confirms the new one. Scan the QR code with
    /// the app, then type the code that the app shows. For root, the same command shows the same QR
    /// code again while the factor is pending. A user gets a new one.
    Enroll(Box<Enroll>),
    /// Verify a pending factor by its first code (from standard input or a prompt)
    Confirm {
        /// The user; by default the caller
        #[arg(add = ArgValueCandidates::new(candidates::users))]
        user: Option<String>,
        /// The factor, by id or name; by default the pending one that you created
        #[arg(long, value_name = "FACTOR", add = ArgValueCandidates::new(candidates::factors))]
        factor: Option<String>,
    },
    /// Replace all recovery codes by new ones, and show them once
    RecoveryCodes {
        /// The user; by default the caller
        #[arg(add = ArgValueCandidates::new(candidates::users))]
        user: Option<String>,
        /// Also write them to a new file that only its owner can read
        #[arg(long, value_name = "FILE", value_parser = file::path)]
        save: Option<PathBuf>,
    },
    /// Rename a factor
    #[command(override_usage = "totpctl rename [OPTIONS] [USER] <NAME>")]
    Rename {
        /// The factor, by id or name; by default the only one
        #[arg(long, value_name = "FACTOR", add = ArgValueCandidates::new(candidates::factors))]
        factor: Option<String>,
        /// The user, by default the caller, and the new name, for example Pixel
        #[arg(value_name = "[USER] NAME", num_args = 1..=2, required = true, add = ArgValueCandidates::new(candidates::users))]
        words: Vec<String>,
    },
    /// Restrict, disable or enable a factor (administrators)
    Set(Set),
    /// Verify a code as a login does: it counts, and cannot be used again
    Verify {
        /// The user; by default the caller
        #[arg(add = ArgValueCandidates::new(candidates::users))]
        user: Option<String>,
    },
    /// Show the factors and the wrong codes of a user, but never a seed
    Show {
        /// The user; by default the caller
        #[arg(add = ArgValueCandidates::new(candidates::users))]
        user: Option<String>,
    },
    /// List all enrolled users (administrators)
    List,
    /// Show the state on one screen: as root of the host, otherwise of your factors
    ///
    /// As root: the services that ask for a code, with nullok or enroll if set, and the trial. Then
    /// the users who are enrolled, wait or are locked. Then the daemon, the clock, and the
    /// fingerprint of backups. As another user: your factors, the recovery codes left, and waits
    /// after wrong codes. Then the services that ask for a code. It never asks for a password.
    Status,
    /// Remove a factor, or all factors of a user
    Remove {
        /// The user; by default the caller
        #[arg(add = ArgValueCandidates::new(candidates::users))]
        user: Option<String>,
        /// The factor, by id or name; by default all of them
        #[arg(long, value_name = "FACTOR", add = ArgValueCandidates::new(candidates::factors))]
        factor: Option<String>,
        /// Do not ask whether to remove the last factor of a user who then cannot log in
        #[arg(long)]
        yes: bool,
    },
    /// List or end logins that a rule remembers, so that the next ones need no code
    #[command(subcommand_required = true)]
    Trust {
        #[command(subcommand)]
        command: TrustCommand,
    },
    /// Clear the wrong codes of a user, who can then try again at once (administrators)
    ///
    /// It also ends the remembered logins of that user.
    Unlock {
        /// The user
        #[arg(add = ArgValueCandidates::new(candidates::users))]
        user: String,
    },
    /// Resynchronize a token by two consecutive codes (administrators)
    ///
    /// Necessary after a restore, and for a token that was pressed too often unused. Also for one
    /// whose clock is wrong: up to an hour for root, up to 5 minutes for others. For root, it also
    /// verifies a pending factor of root. The codes are read from standard input or a prompt, and
    /// cannot be used again.
    Resync {
        /// The user; by default the caller
        #[arg(add = ArgValueCandidates::new(candidates::users))]
        user: Option<String>,
        /// The factor, by id or name; by default the only one, or the only one that counts presses
        #[arg(long, value_name = "FACTOR", add = ArgValueCandidates::new(candidates::factors))]
        factor: Option<String>,
    },
    /// Take over the factors that users have in another program, with their used codes (root)
    ///
    /// Users keep their phones and tokens, and confirm nothing: they did so in the other program.
    /// Codes that were used there are denied here. Scratch codes become recovery codes. A child
    /// without rights parses the files. The owner of the file says whose an entry is, or the name
    /// in it does. Otherwise --user or --map says it, or you at a terminal. A file of a user has
    /// factors of that user alone. Users who are enrolled already are left without --replace, and
    /// exit status 1 says so. A second import changes nothing. "totpctl export" is the way back.
    Import(Box<Import>),
    /// Write the factors of users for another program, with their seeds and used codes (root)
    ///
    /// A reader of the file has the second factor of these users. It is new, and only root can
    /// read it. The journal has a warning for each factor. Recovery codes stay, because totpd has
    /// their hashes alone. Factors stay that are disabled, limited or pending. Codes that are used
    /// here afterwards are not in it: first have the services ask the other program.
    Export(Export),
    /// Copy all users with their seeds into one sealed file, which `age` can open too (root)
    ///
    /// Logins continue during the backup. Without --recipient a passphrase seals it, from a prompt
    /// or the first line of standard input. FILE must not exist. The store signs it. Keep the
    /// printed fingerprint apart from the backup: a restore on another host asks for it.
    Backup {
        /// The file to create
        #[arg(value_parser = file::path)]
        file: PathBuf,
        /// Seal it for the holder of this age identity instead of a passphrase (may be repeated)
        #[arg(long, value_name = "age1…")]
        recipient: Vec<String>,
    },
    /// Replace the store by a backup (root)
    ///
    /// First shows what it would do, and who signed the backup. A backup for a recipient can be
    /// restored where it was created. Elsewhere it needs --fingerprint, because anyone who knows
    /// the recipient can create one. A backup with a passphrase needs neither. A backup that was
    /// changed after it was signed is always refused. All codes that may have been used before are
    /// denied. So the codes of apps are not valid for about 6 minutes. All recovery codes become
    /// invalid, and users create new ones. Tokens that count presses have to be resynchronized.
    Restore {
        /// The backup
        #[arg(value_parser = file::path)]
        file: PathBuf,
        /// A file with the age identity that opens it, instead of a passphrase
        #[arg(long, value_name = "FILE", value_parser = file::path)]
        identity: Option<PathBuf>,
        /// Restore only what the store with this fingerprint signed; its `backup` and `doctor`
        /// print it
        #[arg(long, value_name = "SHA256:…", conflicts_with = "unsigned")]
        fingerprint: Option<String>,
        /// Restore a backup although its creator is unknown
        #[arg(long)]
        unsigned: bool,
        /// Replace a store that has users
        #[arg(long)]
        replace: bool,
        /// Only show what a restore would do
        #[arg(long)]
        dry_run: bool,
        /// Do not ask for confirmation
        #[arg(long, conflicts_with = "dry_run")]
        yes: bool,
    },
    /// Seal every record under a new key, and destroy the old one (root)
    ///
    /// Logins continue. If systemd passes a credential totpd.key, that is the new key. Backups have
    /// a new fingerprint from then on.
    Rekey,
    /// Read and unseal every record, and name each that is damaged (root)
    VerifyStore,
    /// Seal the store under a new key that only the TPM of this machine can unseal (root)
    ///
    /// The disk, or a copy of it, is then useless without this machine. First the command checks
    /// that the TPM can unseal the key. Then systemd passes the key to totpd, every record is
    /// sealed under it, and the key in store.key is removed. Create a backup afterwards: if the TPM
    /// is cleared or replaced, the key is lost. Backups have a new fingerprint from then on.
    #[command(group = clap::ArgGroup::new("what").required(true))]
    SealKey {
        /// Use the TPM (version 2.0)
        #[arg(long, group = "what")]
        tpm2: bool,
        /// TPM registers that the key depends on too, separated by +; 7 is the state of Secure Boot
        ///
        /// Nothing extends register 16, so firmware updates do not affect it.
        #[arg(long, value_name = "PCRS", default_value = "16", requires = "tpm2")]
        pcrs: String,
        /// Return to a key in a file
        #[arg(long, group = "what")]
        undo: bool,
    },
    /// Check what each PAM service does, and report problems; changes no file (root)
    ///
    /// Reads the stacks in the folders of libpam (/etc/pam.d, /usr/lib/pam.d and others). Follows
    /// every path that a login can take. Reports whether a service asks for a code, and whether a
    /// line lets users in without one. Also whether a wrong password still leads to the question
    /// for a code. For sshd, its configuration is checked too (sshd -T), with its Match blocks. For
    /// sudo, its rules are read: who gives no password, and whose code is asked for. Lists all ways
    /// to become a user or root, whether each asks for a code, and who is not asked. For the host,
    /// reports whether totpd answers, and what confines it. Also whether a trial was not reverted,
    /// and the fingerprint of backups. Each finding has a stable id in brackets. "totpctl doctor
    /// --explain ID" explains it. "totpctl doctor accept ID" writes down that it is meant. Exit
    /// status 1 if there is a problem that is not accepted, 2 if this host has no such service.
    Doctor(Doctor),
    /// Explain which rule decides about a login, what PAM gets, and what the person sees
    ///
    /// Says why each earlier rule does not fit. The daemon decides by the same function as at a
    /// login. Nothing changes, and no code is used. USER may be the caller. For others it needs
    /// root, or the right to manage users. Rules decide about programs of root. A screen locker
    /// that runs as its user is not one. Without --from and --as, rules that name an origin count
    /// as strictly as they can.
    Explain(Explain),
    /// Put the rules of the configuration in force, or say what a change would do (root)
    #[command(subcommand_required = true)]
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// Make a service ask for a code for a limited time; keep it after a login with a code (root)
    ///
    /// Shows the changed lines, which take effect at once: SERVICE asks for a code after the
    /// password. The change stays if a user logs in there in time, with the code of an app. The
    /// command tells logins without a code, for example by a key. Otherwise the original files are
    /// restored, also if this terminal or the network is lost, or the machine reboots. What
    /// --write-sshd wrote is removed with them, and sshd is reloaded. After a reboot this needs
    /// systemd or /etc/init.d/totpctl-try; on other machines, have the machine run "totpctl try
    /// --undo" at boot. What you wrote to the file during the trial is saved, and the
    /// command says where. Without SERVICE, shows what is being tried, and denied logins.
    Try(Try),
    /// Make a service ask for a code (root)
    ///
    /// Adds the line of pam_totp.so after the password, on every path through the stack. Changes
    /// nothing if there is no such place, or if the stack is faulty. Also changes nothing if a
    /// wrong password would still lead to the question for a code. That is so on Fedora, RHEL and
    /// openSUSE; the message names the line and the profile to use instead. All services of
    /// the program change together, as sudo and sudo-i. If sshd cannot ask for a code, offers to
    /// write what it needs, and to reload it (--write-sshd). "totpctl try" does the same, and
    /// reverts it unless a user logs in.
    Enable(Enable),
    /// Make a service no longer ask for a code (root)
    ///
    /// A copy in /etc/pam.d that then equals the file of the distribution is removed. So is what
    /// --write-sshd wrote, if it is unchanged; sshd is then reloaded. Changes nothing if no line
    /// would be left that asks who a user is. Nor does it if sshd would then shut users out.
    Disable(Disable),
    /// Print a completion script for a shell
    ///
    /// It completes commands and options, and the names of users, services and factors. For that
    /// the shell runs totpctl, which never asks for a password then.
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests;
