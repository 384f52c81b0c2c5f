//! What sshd answers for everybody, for root, and for each `Match` block.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use super::blocks::{Block, FOLDER, blocks};
use super::class::{Class, Classes};
use super::connection::Connection;
use super::criteria::Criteria;
use super::effective::Effective;
use super::question::{Answer, Failure, ask};
use crate::accounts::{self, Account};
use crate::program;

/// The answers of sshd.
pub(super) struct Survey {
    pub(super) everybody: Answer,
    pub(super) root: Result<Case, String>,
    pub(super) blocks: Vec<(Block, Result<Cases, String>)>,
    /// Users and connections that match several blocks, and for which no block stands.
    pub(super) overlaps: Vec<Overlap>,
    /// The connections about which sshd was not asked, because there are too many.
    pub(super) unasked: Vec<String>,
    pub(super) accounts: Vec<Account>,
    /// Drop-ins of the usual folder that sshd does not read.
    pub(super) unread: Vec<PathBuf>,
}

/// The configuration for the connections of a class.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) config: Effective,
    /// The keyword that refuses all its users before any answer counts, if one does.
    pub(super) refused_by: Option<&'static str>,
    /// Its local users.
    pub(super) accounts: Vec<Account>,
}

/// The configuration for connections that match several blocks.
pub(super) struct Overlap {
    /// The indices of the blocks.
    pub(super) blocks: Vec<usize>,
    pub(super) is_root: bool,
    pub(super) case: Case,
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
        let root = Class {
            connection: Connection::usual("root", port),
            accounts: root.cloned().into_iter().collect(),
            has_others: false,
            is_root: true,
            blocks: Vec::new(),
        };
        let root = interview.case(&root, None).map_err(|failure| failure.message);
        let file = everybody.trace.file.clone().unwrap_or_else(|| format!("{FOLDER}/sshd_config"));
        let blocks = blocks(Path::new(&file));
        let words: Vec<_> = blocks.iter().map(|block| block.words.as_slice()).collect();
        let classes = Classes::new(&words, &accounts, &members, port);
        let usual = &everybody.config;
        let cases = (0..blocks.len()).map(|block| interview.cases(&classes, block, usual));
        let cases: Vec<_> = cases.collect();
        let (overlaps, unasked) = interview.overlaps(&classes, &cases, usual);
        let blocks = blocks.into_iter().zip(cases).collect();
        let unread = drop_ins().filter(|path| {
            !everybody.trace.files.iter().any(|file| Path::new(file) == path.as_path())
        });
        let unread = unread.collect();
        Ok(Self { everybody, root, blocks, overlaps, unasked, accounts, unread })
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
        configs.extend(self.overlaps.iter().map(|overlap| Some(&overlap.case.config)));
        configs.extend(self.unasked.iter().map(|_| None));
        configs
    }

    /// Returns the criteria of these blocks, as a phrase.
    pub(super) fn criteria(&self, blocks: &[usize]) -> String {
        let criteria = blocks.iter().filter_map(|index| self.blocks.get(*index));
        criteria.map(|(block, _)| block.criteria()).collect::<Vec<_>>().join(" and Match ")
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
        let of_blocks = self.blocks.iter().enumerate().filter_map(|(index, (_, cases))| {
            Some((vec![index], cases.as_ref().ok()?.user.as_ref()?))
        });
        let overlaps = self.overlaps.iter().filter(|overlap| !overlap.is_root);
        let overlaps = overlaps.map(|overlap| (overlap.blocks.clone(), &overlap.case));
        for (blocks, Case { config, accounts, .. }) in of_blocks.chain(overlaps) {
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

    /// Asks for the connections of a class, and checks that they match the block of this index.
    fn case(&mut self, class: &Class, block: Option<usize>) -> Result<Case, Failure> {
        let argument = class.connection.argument();
        let Answer { config, trace } = self.ask(Some(&argument))?;
        let matches = |index| trace.matched.get(index).copied().unwrap_or(true);
        if !block.is_none_or(matches) {
            return Err(Failure::new(format!(
                "sshd says that the connection {argument} does not match it"
            )));
        }
        let from = class.connection.from();
        let mut refusals =
            class.accounts.iter().map(|account| config.access.refuses(account, from));
        let first = refusals.next().flatten();
        let refused_by = first.filter(|_| !class.has_others && refusals.all(|by| by.is_some()));
        Ok(Case { config, refused_by, accounts: class.accounts.clone() })
    }

    /// Asks for the connections of a block. A block that changes nothing for a user changes nothing
    /// for root.
    fn cases(
        &mut self,
        classes: &Classes,
        block: usize,
        usual: &Effective,
    ) -> Result<Cases, String> {
        if let Some(Some(reason)) = classes.faults.get(block) {
            return Err(reason.clone());
        }
        let mut case = |is_root| {
            let case = classes
                .purest(block, is_root)
                .map(|(_, class)| self.case(class, Some(block)))
                .transpose();
            case.map_err(|failure| failure.message)
        };
        let user = case(false)?;
        let changes_nothing = user.as_ref().is_some_and(|case| case.config == *usual);
        let root = if changes_nothing { None } else { case(true)? };
        Ok(Cases { user, root })
    }

    /// Asks for the classes that stand for no block, and returns the connections that are left.
    /// Blocks that change nothing one by one change nothing together.
    fn overlaps(
        &mut self,
        classes: &Classes,
        cases: &[Result<Cases, String>],
        usual: &Effective,
    ) -> (Vec<Overlap>, Vec<String>) {
        let blocks = 0..cases.len();
        let purest = |block| [false, true].map(|is_root| classes.purest(block, is_root));
        let stand: Vec<_> = blocks.flat_map(purest).flatten().map(|(index, _)| index).collect();
        let is_idle = |block: &usize| {
            let class = classes.purest(*block, false);
            let cases = cases.get(*block).and_then(|cases| cases.as_ref().ok());
            let user = cases.and_then(|cases| cases.user.as_ref());
            class.is_some_and(|(_, class)| class.blocks == [*block])
                && user.is_some_and(|case| case.config == *usual)
        };
        let (mut overlaps, mut unasked) = (Vec::new(), Vec::new());
        for (index, class) in classes.all.iter().enumerate() {
            if stand.contains(&index) || class.blocks.iter().all(is_idle) {
                continue;
            }
            let is_asked = overlaps.len() < MAX_OVERLAPS;
            match is_asked.then(|| self.case(class, class.blocks.last().copied())) {
                Some(Ok(case)) => {
                    let (blocks, is_root) = (class.blocks.clone(), class.is_root);
                    overlaps.push(Overlap { blocks, is_root, case });
                }
                Some(Err(_)) | None => unasked.push(class.connection.argument()),
            }
        }
        (overlaps, unasked)
    }
}

/// How many overlaps sshd is asked about at most. One answer takes some 13 ms.
const MAX_OVERLAPS: usize = 12;

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
    let files = glob::glob(&format!("{FOLDER}/sshd_config.d/*.conf"));
    files.into_iter().flatten().flatten().filter(|path| {
        let text = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&text)
            .lines()
            .map(str::trim)
            .any(|line| !line.is_empty() && !line.starts_with('#'))
    })
}
