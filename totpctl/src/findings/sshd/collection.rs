//! Collects the ways in and the findings of all that sshd answered: of everybody, of root, and of
//! each block where it differs. Pure.
//!
//! It judges none of them. `host/sshd/ways/way.rs` says whether a way asks for a code,
//! `ways/effect.rs` what that means, and `message/wording.rs` has the words.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::doors::{all_doors, excluded_door, other_doors, unknown_door};
use super::message;
use super::roll_out;
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::door::Door;
use crate::host::sshd::case::{Case, Cases, Overlap};
use crate::host::sshd::config::blocks::Block;
use crate::host::sshd::config::effective::{Effective, USUAL_SERVICE};
use crate::host::sshd::survey::Survey;
use crate::host::sshd::ways::effect::{Effect, effects, root_effect, takes_password_alone};
use crate::host::sshd::ways::stack::PamStack;
use crate::host::sshd::ways::way::{Way, Who, ways};

/// Adds the findings, if a stack of sshd asks, and returns the ways in. `facts` returns the facts
/// about the stack of a service.
pub(super) fn collect(
    survey: &Survey,
    facts: &dyn Fn(&str) -> PamStack,
    report: &mut Report,
) -> Vec<Door> {
    let known = RefCell::new(BTreeMap::new());
    let stack_of = |config: &Effective| {
        let name = config.pam.service();
        known.borrow_mut().entry(name.to_owned()).or_insert_with(|| facts(name)).clone()
    };
    let collector = Collector::new(survey, &stack_of);
    let mut doors = collector.usual_doors();
    collector.add_passwords_alone(report);
    let asks = facts(USUAL_SERVICE).asks || stack_of(&survey.everybody.config).asks;
    if asks {
        collector.add_everybody(report);
    }
    collector.add_root(report);
    // Without a code there is nothing else to say about it.
    let mut silent = Report::default();
    let report = if asks { report } else { &mut silent };
    report.notes.extend(unread_drop_ins(survey));
    for (block, cases) in &survey.blocks {
        doors.extend(collector.add_block(block, cases, report));
    }
    for overlap in &survey.overlaps {
        doors.extend(collector.add_overlap(overlap, report));
    }
    report.notes.extend(unasked_finding(survey));
    doors
}

/// What is known of everybody and of root, with which each block is compared.
struct Collector<'a> {
    survey: &'a Survey,
    stack_of: &'a dyn Fn(&Effective) -> PamStack,
    /// True if users other than root can log in.
    others_log_in: bool,
    everybody: Access,
    /// Nothing, if the configuration of root is not known.
    root: Access,
}

/// What a configuration means for those who log in under it.
#[derive(Default)]
struct Access {
    ways: Vec<Way>,
    effects: Vec<Effect>,
}

impl<'a> Collector<'a> {
    fn new(survey: &'a Survey, stack_of: &'a dyn Fn(&Effective) -> PamStack) -> Self {
        let config = &survey.everybody.config;
        let stack = stack_of(config);
        let everybody = Access {
            ways: ways(config, &stack, Who::Anybody, None),
            effects: effects(config, &stack, None),
        };
        let others_log_in = everybody.ways.iter().any(Way::is_usable);
        let root = Access::default();
        let mut collector = Self { survey, stack_of, others_log_in, everybody, root };
        if let Ok(case) = &survey.root {
            collector.root = collector.access_of_root(case);
            // What else root can do, everybody can.
            let is_of_root_alone =
                |effect: &Effect| matches!(effect, Effect::RootCannotLogIn { .. });
            collector.root.effects.retain(is_of_root_alone);
        }
        collector
    }

    fn access(&self, case: &Case) -> Access {
        let stack = (self.stack_of)(&case.config);
        Access {
            ways: ways(&case.config, &stack, Who::Anybody, case.refused_by),
            effects: effects(&case.config, &stack, case.refused_by),
        }
    }

    fn access_of_root(&self, case: &Case) -> Access {
        let stack = (self.stack_of)(&case.config);
        let effect = root_effect(&case.config, &stack, case.refused_by, self.others_log_in);
        Access {
            ways: ways(&case.config, &stack, Who::Root, case.refused_by),
            effects: Vec::from_iter(effect),
        }
    }

    /// Returns the ways in of everybody, of those who are excluded, and those of root that differ.
    fn usual_doors(&self) -> Vec<Door> {
        let config = &self.survey.everybody.config;
        let mut doors = all_doors(self.everybody.ways.clone(), config);
        doors.extend(excluded_door(config));
        match &self.survey.root {
            Ok(case) => {
                let ways = self.root.ways.clone();
                doors.extend(other_doors(ways, &self.everybody.ways, &case.config, "root"));
            }
            Err(reason) => doors.push(unknown_door(Some("root"), reason.clone())),
        }
        doors
    }

    /// Adds where passwords alone let users in. That holds whether a stack asks or not.
    fn add_passwords_alone(&self, report: &mut Report) {
        let effect = Effect::PasswordAlone;
        for place in passwords_alone(self.survey, self.stack_of) {
            match place {
                None => {
                    let everybody = &self.survey.everybody;
                    message::for_all(&effect, &everybody.config, &everybody.trace, None, report);
                }
                Some((block, config)) => {
                    message::for_match(&block.place, &block.criteria(), &effect, config, report);
                }
            }
        }
    }

    /// Adds the effects on everybody.
    fn add_everybody(&self, report: &mut Report) {
        let everybody = &self.survey.everybody;
        for effect in &self.everybody.effects {
            let remark = roll_out::remark(effect, self.survey, self.stack_of);
            let (config, trace) = (&everybody.config, &everybody.trace);
            message::for_all(effect, config, trace, remark.as_ref(), report);
        }
    }

    /// Adds the effects on root alone.
    fn add_root(&self, report: &mut Report) {
        let Ok(case) = &self.survey.root else { return };
        for effect in &self.root.effects {
            let trace = &self.survey.everybody.trace;
            message::for_all(effect, &case.config, trace, None, report);
        }
    }

    /// Adds what a block changes for its users and for root. Returns the ways in that differ.
    fn add_block(
        &self,
        block: &Block,
        cases: &Result<Cases, String>,
        report: &mut Report,
    ) -> Vec<Door> {
        let criteria = block.criteria();
        let who = format!("Match {criteria}");
        let Cases { user, root } = match cases {
            Ok(cases) => cases,
            Err(reason) => {
                report.notes.push(unknown_block(block, reason));
                return vec![unknown_door(Some(&who), reason.clone())];
            }
        };
        let mut add = |effect: &Effect, config: &Effective| {
            message::for_match(&block.place, &criteria, effect, config, report);
        };
        let mut doors = Vec::new();
        let mut told = self.root.effects.clone();
        if let Some(case) = user {
            let Access { ways, effects } = self.access(case);
            let is_usual = |effect: &&Effect| self.everybody.effects.contains(effect);
            effects.iter().filter(|effect| !is_usual(effect)).for_each(|effect| {
                add(effect, &case.config);
            });
            told.extend(effects);
            doors.extend(other_doors(ways, &self.everybody.ways, &case.config, &who));
        }
        if let Some(case) = root {
            let Access { ways, effects } = self.access_of_root(case);
            effects.iter().filter(|effect| !told.contains(effect)).for_each(|effect| {
                add(effect, &case.config);
            });
            let who = format!("root, {who}");
            doors.extend(other_doors(ways, &self.root.ways, &case.config, &who));
        }
        doors
    }

    /// Adds what several blocks do together, and none of them does by itself. Returns the ways in
    /// that differ.
    fn add_overlap(&self, overlap: &Overlap, report: &mut Report) -> Vec<Door> {
        let Overlap { blocks, is_root, case } = overlap;
        let place = blocks.last().and_then(|last| self.survey.blocks.get(*last));
        let Some((Block { place, .. }, _)) = place else { return Vec::new() };
        let alone = || blocks.iter().filter_map(|index| case_of(self.survey, *index, *is_root));
        // What a block does by itself is told of that block.
        let is_told =
            alone().any(|other| other.config == case.config && other.refused_by == case.refused_by);
        if is_told || case.refused_by.is_some() {
            return Vec::new();
        }
        let access = |case: &Case| match is_root {
            true => self.access_of_root(case),
            false => self.access(case),
        };
        let usual = if *is_root { &self.root } else { &self.everybody };
        let mut told: Vec<_> = alone().flat_map(|other| access(other).effects).collect();
        told.extend(usual.effects.iter().cloned());
        let Access { ways, effects } = access(case);
        let criteria = self.survey.criteria(blocks);
        for effect in effects.iter().filter(|effect| !told.contains(effect)) {
            message::for_match(place, &criteria, effect, &case.config, report);
        }
        let root = if *is_root { "root, " } else { "" };
        other_doors(ways, &usual.ways, &case.config, &format!("{root}Match {criteria}"))
    }
}

/// Returns the note on a block about which sshd did not answer.
fn unknown_block(block: &Block, reason: &str) -> Finding {
    let message =
        format!("cannot tell whether Match {} asks for a code: {reason}", block.criteria());
    let finding = Finding::new(FindingId::SshdMatchUnknown, message);
    finding
        .at(block.place.clone())
        .fix("test a connection that matches: sshd -T -C user=USER,host=HOST,addr=ADDRESS")
}

/// Returns the case that stands for a block.
fn case_of(survey: &Survey, block: usize, is_root: bool) -> Option<&Case> {
    let Cases { user, root } = survey.blocks.get(block)?.1.as_ref().ok()?;
    if is_root { root.as_ref() } else { user.as_ref() }
}

/// Returns a note on connections about which sshd was not asked, because there are too many.
fn unasked_finding(survey: &Survey) -> Option<Finding> {
    let first = survey.unasked.first()?;
    let message = format!(
        "cannot tell whether users who match several Match blocks are asked for a code; sshd was not asked about \
         {} such connections (the first: {first})",
        survey.unasked.len()
    );
    let finding = Finding::new(FindingId::SshdMatchUnknown, message);
    let finding = finding.fix(format!("test it: sshd -T -C {first}"));
    Some(match &survey.everybody.trace.file {
        Some(file) => finding.in_file(file.clone()),
        None => finding,
    })
}

/// Returns where passwords alone let users in, although the method `password` is turned off: for
/// all (`None`), or else in these blocks.
pub(super) fn passwords_alone<'a>(
    survey: &'a Survey,
    stack_of: &dyn Fn(&Effective) -> PamStack,
) -> Vec<Option<(&'a Block, &'a Effective)>> {
    let takes = |config: &Effective, who, refused_by| {
        takes_password_alone(config, &stack_of(config), who, refused_by)
    };
    if takes(&survey.everybody.config, Who::Anybody, None) {
        return vec![None];
    }
    let of_block = |(block, cases): &'a (Block, Result<Cases, String>)| {
        let Cases { user, root } = cases.as_ref().ok()?;
        let found = |case: &&Case, who| takes(&case.config, who, case.refused_by);
        let user = user.as_ref().filter(|case| found(case, Who::Anybody));
        let case = user.or_else(|| root.as_ref().filter(|case| found(case, Who::Root)))?;
        Some(Some((block, &case.config)))
    };
    let of_overlap = |Overlap { blocks, is_root, case }: &'a Overlap| {
        let who = if *is_root { Who::Root } else { Who::Anybody };
        let (block, _) = survey.blocks.get(*blocks.last()?)?;
        takes(&case.config, who, case.refused_by).then_some(Some((block, &case.config)))
    };
    let mut found: Vec<_> = survey.blocks.iter().filter_map(of_block).collect();
    for place in survey.overlaps.iter().filter_map(of_overlap) {
        let is_same = |other: &Option<(&Block, _)>| {
            other.map(|(block, _)| block) == place.map(|(block, _)| block)
        };
        if !found.iter().any(is_same) {
            found.push(place);
        }
    }
    found
}

/// Returns a note on drop-ins that sshd does not read.
pub(super) fn unread_drop_ins(survey: &Survey) -> Option<Finding> {
    let first = survey.unread.first()?;
    let trace = &survey.everybody.trace;
    let file = trace.file.as_deref()?;
    let fix = match trace.can_include() {
        true => format!(
            "write \"Include {}/*.conf\" as the first line of {file}",
            first.parent()?.display()
        ),
        false => format!("move its lines to {file}: OpenSSH has no Include before version 8.2"),
    };
    let others = match survey.unread.len() {
        1 => String::new(),
        count => format!(" (nor {} others there)", count - 1),
    };
    let message = format!("sshd does not read this file{others}");
    Some(
        Finding::new(FindingId::SshdDropInsNotRead, message)
            .fix(fix)
            .in_file(first.display().to_string()),
    )
}
