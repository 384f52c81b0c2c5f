//! What sshd answers for everybody, for root, and for each `Match` block.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use super::blocks::{Block, FOLDER, blocks};
use super::connection::{Connection, Connections, Users, connections};
use super::effective::Effective;
use super::question::{Answer, Failure, ask};
use crate::accounts::{self, Account};
use crate::program;

/// The answers of sshd.
pub(super) struct Survey {
    pub(super) everybody: Answer,
    pub(super) root: Result<Case, String>,
    pub(super) blocks: Vec<(Block, Result<Cases, String>)>,
    pub(super) accounts: Vec<Account>,
    /// Drop-ins of the usual folder that sshd does not read.
    pub(super) unread: Vec<PathBuf>,
}

/// The configuration for one connection.
pub(super) struct Case {
    pub(super) config: Effective,
    /// The keyword that refuses the user before any answer counts, if one does.
    pub(super) refused_by: Option<&'static str>,
}

/// The configurations for the connections of a block.
#[derive(Default)]
pub(super) struct Cases {
    /// That of a user other than root.
    pub(super) user: Option<Case>,
    pub(super) root: Option<Case>,
}

impl Survey {
    /// Returns the answers of sshd, which is asked once in a run. Needs root.
    ///
    /// # Errors
    /// The configuration cannot be read at all.
    pub(super) fn of_host() -> Result<&'static Self, &'static Failure> {
        static SURVEY: OnceLock<Result<Survey, Failure>> = OnceLock::new();
        SURVEY.get_or_init(Self::take).as_ref()
    }

    fn take() -> Result<Self, Failure> {
        let mut interview = Interview { is_over: None };
        let everybody = interview.ask(None)?;
        let accounts = accounts::local();
        let port = everybody.config.port.as_str();
        let root = accounts.iter().find(|account| account.name == "root");
        let usual = Connection::usual("root", port);
        let root = interview.case(&usual, root, None).map_err(|failure| failure.message);
        let file = everybody.trace.file.clone().unwrap_or_else(|| format!("{FOLDER}/sshd_config"));
        let blocks = blocks(Path::new(&file));
        let blocks = blocks.into_iter().enumerate().map(|(index, block)| {
            let found = connections(&block.words, &accounts, &member, port);
            let usual = &everybody.config;
            let cases = found.and_then(|found| interview.cases(&found, &accounts, index, usual));
            (block, cases)
        });
        let blocks = blocks.collect();
        let unread = drop_ins().filter(|path| {
            !everybody.trace.files.iter().any(|file| Path::new(file) == path.as_path())
        });
        let unread = unread.collect();
        Ok(Self { everybody, root, blocks, accounts, unread })
    }

    /// Returns all configurations, each `None` if it is not known.
    pub(super) fn configs(&self) -> Vec<Option<&Effective>> {
        let root = self.root.as_ref().ok().map(|case| &case.config);
        let mut configs = vec![Some(&self.everybody.config), root];
        for (_, cases) in &self.blocks {
            match cases {
                Ok(Cases { user, root }) => {
                    configs.extend(user.iter().chain(root).map(|case| Some(&case.config)));
                }
                Err(_) => configs.push(None),
            }
        }
        configs
    }

    /// Returns the local users other than root who transfer files without a shell, each with the
    /// block that lets them. `is_person` reports whether a uid is that of a person.
    pub(super) fn sftp_users(
        &self,
        is_person: impl Fn(u32) -> bool,
    ) -> Vec<(String, Option<String>)> {
        let mut found: Vec<(String, Option<String>)> = Vec::new();
        let mut add = |account: &Account, config: &Effective, block: Option<String>| {
            let is_refused = config.access.refuses(account, None).is_some();
            if account.uid != 0
                && !account.has_shell()
                && !is_refused
                && !found.iter().any(|(name, _)| *name == account.name)
            {
                found.push((account.name.clone(), block));
            }
        };
        for (block, cases) in &self.blocks {
            let Ok(Cases { user: Some(Case { config, .. }), .. }) = cases else { continue };
            let Ok(users) = Users::parse(&block.words) else { continue };
            if config.sftp_without_shell {
                // A block that names users may name one of the system.
                let named = |account: &&Account| {
                    users.fit(account) && (!users.are_everybody() || is_person(account.uid))
                };
                let criteria = format!("Match {}", block.criteria());
                self.accounts.iter().filter(named).for_each(|account| {
                    add(account, config, Some(criteria.clone()));
                });
            }
        }
        let everybody = &self.everybody.config;
        if everybody.sftp_without_shell {
            let people = self.accounts.iter().filter(|account| is_person(account.uid));
            people.for_each(|account| add(account, everybody, None));
        }
        found
    }
}

/// Questions to sshd, which end when it does not answer in time.
struct Interview {
    is_over: Option<Failure>,
}

impl Interview {
    fn ask(&mut self, connection: Option<&str>) -> Result<Answer, Failure> {
        if let Some(failure) = &self.is_over {
            return Err(failure.clone());
        }
        let answer = ask(connection);
        if let Err(failure) = &answer
            && failure.is_timeout
        {
            self.is_over = Some(failure.clone());
        }
        answer
    }

    /// Asks for one connection, and checks that it matches the block of this index.
    fn case(
        &mut self,
        connection: &Connection,
        account: Option<&Account>,
        block: Option<usize>,
    ) -> Result<Case, Failure> {
        let Answer { config, trace } = self.ask(Some(&connection.argument()))?;
        let matches = |index| trace.matched.get(index).copied().unwrap_or(true);
        if !block.is_none_or(matches) {
            return Err(Failure::new(format!(
                "sshd says that the connection {} does not match it",
                connection.argument()
            )));
        }
        let refused_by =
            account.and_then(|account| config.access.refuses(account, connection.from()));
        Ok(Case { config, refused_by })
    }

    /// Asks for the connections of a block. A block that changes nothing for a user changes nothing
    /// for root.
    fn cases(
        &mut self,
        connections: &Connections,
        accounts: &[Account],
        block: usize,
        usual: &Effective,
    ) -> Result<Cases, String> {
        let mut cases = Cases::default();
        if let Some((connection, account)) = &connections.user {
            let case = self.case(connection, account.as_ref(), Some(block));
            cases.user = Some(case.map_err(|failure| failure.message)?);
        }
        let changes_nothing = cases.user.as_ref().is_some_and(|case| case.config == *usual);
        if let Some(connection) = connections.root.as_ref().filter(|_| !changes_nothing) {
            let root = accounts.iter().find(|account| account.name == connection.user);
            let case = self.case(connection, root, Some(block));
            cases.root = Some(case.map_err(|failure| failure.message)?);
        }
        Ok(cases)
    }
}

/// Returns a member of a group of a directory.
fn member(group: &str) -> Option<String> {
    let mut getent = program::find("getent").ok()?;
    getent.args(["group", "--", group]).stdin(Stdio::null());
    let output = program::output_within(getent, program::ANSWER_TIMEOUT).ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let members = line.lines().next()?.rsplit(':').next()?;
    members.split(',').find(|name| !name.is_empty()).map(str::to_owned)
}

/// Returns the drop-ins of the usual folder that have a line.
fn drop_ins() -> impl Iterator<Item = PathBuf> {
    let files = glob::glob(&format!("{FOLDER}/sshd_config.d/*.conf"));
    files.into_iter().flatten().flatten().filter(|path| {
        let text = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&text)
            .lines()
            .map(str::trim)
            .any(|line| !line.is_empty() && !line.starts_with('#'))
    })
}
