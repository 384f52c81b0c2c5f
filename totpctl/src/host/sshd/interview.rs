//! The questions to sshd: one for each combination of `Match` blocks, up to a limit.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Cases, Overlap};
use super::config::effective::Effective;
use super::connections::class::{Class, Classes};
use super::connections::connection::Connection;
use super::question::{Answer, Failure};

/// Questions to sshd, which end when it does not answer in time.
pub(super) struct Interview<'a> {
    ask: &'a dyn Fn(&str) -> Result<Answer, Failure>,
    classes: &'a Classes<'a>,
    /// For each block, whether it is `Match all`: what sshd says of such a one does not count.
    is_for_all: Vec<bool>,
    /// What is known, by the blocks. The user makes no other difference.
    answers: BTreeMap<Vec<usize>, Result<Effective, Failure>>,
    is_over: Option<Failure>,
}

impl<'a> Interview<'a> {
    pub(super) fn new(
        ask: &'a dyn Fn(&str) -> Result<Answer, Failure>,
        classes: &'a Classes<'a>,
        is_for_all: Vec<bool>,
    ) -> Self {
        Self { ask, classes, is_for_all, answers: BTreeMap::new(), is_over: None }
    }

    /// Asks for the connections of a class.
    pub(super) fn case(&mut self, class: &Class) -> Result<Case, Failure> {
        let config = self.config(class)?;
        let refused_by = config.refuses.then_some("RefuseConnection");
        let refused_by = refused_by.or_else(|| self.classes.refused_by(class, &config.access));
        Ok(Case { config, refused_by, accounts: class.accounts.clone() })
    }

    fn config(&mut self, class: &Class) -> Result<Effective, Failure> {
        if let Some(known) = self.answers.get(&class.blocks) {
            return known.clone();
        }
        if let Some(failure) = &self.is_over {
            return Err(failure.clone());
        }
        let argument = class.connection.argument();
        let Answer { config, trace } = match (self.ask)(&argument) {
            Ok(answer) => answer,
            // The main lines can be read, so it is a line of these blocks.
            Err(failure) if failure.is_of_lines => {
                let config = Effective::faulty(failure.message);
                self.answers.insert(class.blocks.clone(), Ok(config.clone()));
                return Ok(config);
            }
            Err(failure) => {
                self.is_over = failure.is_timeout.then(|| failure.clone());
                self.answers.insert(class.blocks.clone(), Err(failure.clone()));
                return Err(failure);
            }
        };
        let (mut lacks, mut has_more) = (false, false);
        for (index, is_matched) in trace.matched.iter().enumerate() {
            if self.is_for_all.get(index) == Some(&false) {
                let is_of_class = class.blocks.contains(&index);
                lacks |= is_of_class && !is_matched;
                has_more |= !is_of_class && *is_matched;
            }
        }
        if lacks || (has_more && class.is_known) {
            return Err(Failure::new(format!(
                "sshd says that the connection {argument} matches other blocks"
            )));
        }
        // A user of a directory may have more groups than are known.
        if !has_more {
            self.answers.insert(class.blocks.clone(), Ok(config.clone()));
        }
        Ok(config)
    }

    /// Asks for the connections of a block. A block that changes nothing for root has no case of
    /// root; `root` is the usual one.
    pub(super) fn cases(&mut self, block: usize, root: Option<&Case>) -> Result<Cases, String> {
        if let Some(Some(reason)) = self.classes.faults.get(block) {
            return Err(reason.clone());
        }
        let mut case = |is_root| {
            let class = self.classes.purest_class(block, is_root);
            let case = class.map(|(_, class)| self.case(class)).transpose();
            case.map_err(|failure| failure.message)
        };
        let user = case(false)?;
        let of_root = case(true)?;
        let is_usual_class = self
            .classes
            .purest_class(block, true)
            .is_some_and(|(_, class)| class.blocks == self.classes.root.blocks);
        let is_same = |case: &Case| {
            root.is_some_and(|root| {
                case.config == root.config && case.refused_by == root.refused_by
            })
        };
        Ok(Cases { user, root: of_root.filter(|case| is_usual_class || !is_same(case)) })
    }

    /// Asks for the classes that stand for no block, and returns the connections that are left.
    /// Blocks that change nothing one by one change nothing together.
    pub(super) fn overlaps(&mut self, usual: &Effective) -> (Vec<Overlap>, Vec<String>) {
        let classes = self.classes;
        let blocks = 0..classes.faults.len();
        let purest = |block| [false, true].map(|is_root| classes.purest_class(block, is_root));
        let stand: BTreeSet<_> =
            blocks.clone().flat_map(purest).flatten().map(|(index, _)| index).collect();
        let always = classes.always();
        let changes_nothing = |block: &usize| {
            let with_always: Vec<_> = always.iter().chain([block]).copied().collect();
            let with_always: BTreeSet<_> = with_always.into_iter().collect();
            let answer = self.answers.get(&with_always.into_iter().collect::<Vec<_>>());
            answer.is_some_and(|answer| answer.as_ref().is_ok_and(|config| config == usual))
        };
        let idle: BTreeSet<_> =
            blocks.filter(|block| always.contains(block) || changes_nothing(block)).collect();
        let (mut overlaps, mut unasked, mut asked) = (Vec::new(), Vec::new(), 0);
        for (index, class) in classes.all.iter().enumerate() {
            if stand.contains(&index) || class.blocks.iter().all(|block| idle.contains(block)) {
                continue;
            }
            let is_new = !self.answers.contains_key(&class.blocks);
            if is_new && asked == MAX_OVERLAPS {
                unasked.push(class.connection.argument());
                continue;
            }
            asked += usize::from(is_new);
            match self.case(class) {
                Ok(case) => {
                    let (blocks, is_root) = (class.blocks.clone(), class.is_root);
                    overlaps.push(Overlap { blocks, is_root, case });
                }
                Err(_) => unasked.push(class.connection.argument()),
            }
        }
        unasked.extend(classes.left_out.iter().map(|connection| {
            let user = self.classes.root.connection.user.clone();
            Connection { user, ..connection.clone() }.argument()
        }));
        (overlaps, unasked)
    }
}

/// How many overlaps sshd is asked about at most. One answer takes some 13 ms.
const MAX_OVERLAPS: usize = 24;
