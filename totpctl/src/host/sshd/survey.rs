//! What sshd answers for everybody, for root, and for each `Match` block.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use super::case::{Case, Cases, Overlap};
use super::config::blocks::{Block, FOLDER, blocks, files};
use super::config::effective::Effective;
use super::connections::class::Classes;
use super::connections::criteria::Criteria;
use super::interview::Interview;
use super::question::{Answer, Failure, ask, ask_with, supposes};
use crate::host::accounts::{self, Account};
use crate::program;

/// The answers of sshd.
pub(crate) struct Survey {
    pub(crate) everybody: Answer,
    pub(crate) root: Result<Case, String>,
    pub(crate) blocks: Vec<(Block, Result<Cases, String>)>,
    /// Users and connections that match several blocks, and for which no block stands.
    pub(crate) overlaps: Vec<Overlap>,
    /// The connections about which sshd was not asked, because there are too many.
    pub(crate) unasked: Vec<String>,
    pub(crate) accounts: Vec<Account>,
    /// Drop-ins of the usual folder that sshd does not read.
    pub(crate) unread: Vec<PathBuf>,
}

impl Survey {
    /// Returns the answers of sshd, which is asked once in a run, and once more after something is
    /// supposed. Needs root.
    ///
    /// # Errors
    /// The configuration cannot be read at all.
    pub(crate) fn of_host() -> Result<&'static Self, &'static Failure> {
        static SURVEYS: [OnceLock<Result<Survey, Failure>>; 2] = [const { OnceLock::new() }; 2];
        let [as_it_is, supposed] = &SURVEYS;
        let survey = if supposes() { supposed } else { as_it_is };
        survey.get_or_init(|| Self::take(&ask)).as_ref()
    }

    /// Returns the answers as if these settings stood in a file that sshd reads first, whatever
    /// else is supposed. Needs root.
    pub(crate) fn supposing(settings: &[String]) -> Result<Self, Failure> {
        Self::take(&|connection| ask_with(settings, connection))
    }

    fn take(ask: &dyn Fn(Option<&str>) -> Result<Answer, Failure>) -> Result<Self, Failure> {
        let everybody = ask(None)?;
        let file = everybody.trace.file.clone().unwrap_or_else(|| format!("{FOLDER}/sshd_config"));
        let unread = drop_ins().filter(|path| {
            !everybody.trace.files.iter().any(|file| Path::new(file) == path.as_path())
        });
        let unread = unread.collect();
        let blocks = blocks(Path::new(&file));
        let ask = |connection: &str| ask(Some(connection));
        let survey = Self::new(everybody, accounts::list_local(), blocks, &ask, &members);
        Ok(Self { unread, ..survey })
    }

    /// Asks about a connection for each set of blocks that some connection matches. `ask`
    /// returns the answer for the argument of `-C`, and `members` those of a group of a directory.
    pub(crate) fn new(
        everybody: Answer,
        accounts: Vec<Account>,
        blocks: Vec<Block>,
        ask: &dyn Fn(&str) -> Result<Answer, Failure>,
        members: &dyn Fn(&str) -> Vec<String>,
    ) -> Self {
        let words: Vec<_> = blocks.iter().map(Block::all_words).collect();
        let listening = everybody.config.listening.clone();
        let classes = Classes::new(&words, &accounts, members, listening);
        let is_for_all = blocks.iter().map(Block::is_for_all).collect();
        let mut interview = Interview::new(ask, &classes, is_for_all);
        let root = interview.case(&classes.root).map_err(|failure| failure.message);
        let cases = (0..blocks.len()).map(|block| interview.cases(block, root.as_ref().ok()));
        let cases: Vec<_> = cases.collect();
        let (overlaps, unasked) = interview.overlaps(&everybody.config);
        let blocks = blocks.into_iter().zip(cases).collect();
        Self { everybody, root, blocks, overlaps, unasked, accounts, unread: Vec::new() }
    }

    /// Returns all configurations, each `None` if it is not known.
    pub(crate) fn configs(&self) -> Vec<Option<&Effective>> {
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
        configs.extend(self.overlaps.iter().map(|overlap| Some(&overlap.case.config)));
        configs.extend(self.unasked.iter().map(|_| None));
        configs
    }

    /// Returns the cases of `Match` blocks, each with the indices of its blocks: those of root, or
    /// those of other users.
    pub(super) fn cases(&self, is_root: bool) -> Vec<(Vec<usize>, &Case)> {
        let of_blocks = self.blocks.iter().enumerate().filter_map(|(index, (_, cases))| {
            let Cases { user, root } = cases.as_ref().ok()?;
            Some((vec![index], if is_root { root.as_ref()? } else { user.as_ref()? }))
        });
        let overlaps = self.overlaps.iter().filter(|overlap| overlap.is_root == is_root);
        let overlaps = overlaps.map(|overlap| (overlap.blocks.clone(), &overlap.case));
        of_blocks.chain(overlaps).collect()
    }

    /// Returns the criteria of these blocks, as a phrase.
    pub(crate) fn criteria(&self, blocks: &[usize]) -> String {
        let criteria = blocks.iter().filter_map(|index| self.blocks.get(*index));
        criteria.map(|(block, _)| block.criteria()).collect::<Vec<_>>().join(" and Match ")
    }

    /// Returns the local users other than root who transfer files without a shell, each with the
    /// block that lets them. `is_person` reports whether a uid is that of a person.
    pub(crate) fn sftp_users(
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
        for (blocks, Case { config, accounts, .. }) in self.cases(false) {
            if config.sftp_without_shell {
                // A block that names users may name one of the system.
                let name_users = |index: &usize| {
                    let block = self.blocks.get(*index);
                    let criteria = block.and_then(|(block, _)| Criteria::parse(&block.words).ok());
                    criteria.is_some_and(|criteria| !criteria.are_for_everybody())
                };
                let is_named = blocks.iter().any(name_users);
                let criteria = format!("Match {}", self.criteria(&blocks));
                accounts.iter().filter(|account| is_named || is_person(account.uid)).for_each(
                    |account| {
                        add(account, config, Some(criteria.clone()));
                    },
                );
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

/// Returns the members of a group of a directory.
fn members(group: &str) -> Vec<String> {
    let members = || {
        let mut getent = program::find("getent").ok()?;
        getent.args(["group", "--", group]).stdin(Stdio::null());
        let output = program::output_within(getent, program::ANSWER_TIMEOUT).ok()?;
        let line = String::from_utf8(output.stdout).ok()?;
        let members = line.lines().next()?.rsplit(':').next()?;
        Some(members.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    };
    members().unwrap_or_default()
}

/// Returns the drop-ins of the usual folder that have a line.
fn drop_ins() -> impl Iterator<Item = PathBuf> {
    files(&format!("{FOLDER}/sshd_config.d/*.conf")).filter(|path| {
        let text = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&text)
            .lines()
            .map(str::trim)
            .any(|line| !line.is_empty() && !line.starts_with('#'))
    })
}
