//! The ways in and the findings that follow from the answers of sshd. Pure.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::super::door::{Code, Door};
use super::super::finding::{Finding, FindingId};
use super::super::report::Report;
use super::blocks::Block;
use super::case::{Case, Cases, Overlap};
use super::effect::{Effect, effects, root_effect, takes_password_alone};
use super::effective::{Effective, USUAL_SERVICE};
use super::message;
use super::method::Method;
use super::rest;
use super::stack::PamStack;
use super::survey::Survey;
use super::way::{Way, Who, ways};

/// Adds the findings, if a stack of sshd asks, and returns the ways in. `facts` returns the facts
/// about the stack of a service.
pub(super) fn assess(
    survey: &Survey,
    facts: &dyn Fn(&str) -> PamStack,
    report: &mut Report,
) -> Vec<Door> {
    let known = RefCell::new(BTreeMap::new());
    let stack_of = |config: &Effective| {
        let name = config.pam.service();
        known.borrow_mut().entry(name.to_owned()).or_insert_with(|| facts(name)).clone()
    };
    let config = &survey.everybody.config;
    let stack = stack_of(config);
    let usual = ways(config, &stack, Who::Anybody, None);
    let others_log_in = usual.iter().any(Way::is_usable);
    let usual_effects = effects(config, &stack, None);
    let of_root = |case: &Case| {
        let stack = stack_of(&case.config);
        let effect = root_effect(&case.config, &stack, case.refused_by, others_log_in);
        (ways(&case.config, &stack, Who::Root, case.refused_by), effect)
    };
    let mut doors = all_doors(ways(config, &stack, Who::Anybody, None), config);
    doors.extend(excluded(config));
    let mut root_effects = None;
    match &survey.root {
        Ok(case) => {
            let (ways, effect) = of_root(case);
            let is_root_alone = |effect: &Effect| matches!(effect, Effect::RootCannotLogIn(_));
            root_effects = effect.filter(is_root_alone);
            doors.extend(other_doors(ways, &usual, &case.config, "root"));
        }
        Err(reason) => doors.push(unknown(Some("root"), reason.clone())),
    }
    for place in passwords_alone(survey, &stack_of) {
        match place {
            None => {
                message::for_all(
                    &Effect::PasswordAlone,
                    config,
                    &survey.everybody.trace,
                    None,
                    report,
                );
            }
            Some((block, config)) => message::for_match(
                &block.place,
                &block.criteria(),
                &Effect::PasswordAlone,
                config,
                report,
            ),
        }
    }
    let root_ways = survey.root.as_ref().map(|case| of_root(case).0).unwrap_or_default();
    let of_everybody = usual_effects.iter().map(|effect| (effect, config));
    let root_config = survey.root.as_ref().map_or(config, |case| &case.config);
    let of_root_alone = root_effects.iter().map(|effect| (effect, root_config));
    // Without a code there is nothing else to say about it.
    let mut silent = Report::default();
    let asks = facts(USUAL_SERVICE).asks || stack.asks;
    if !asks {
        for (effect, config) in of_root_alone.clone() {
            message::for_all(effect, config, &survey.everybody.trace, None, report);
        }
    }
    let report = if asks { report } else { &mut silent };
    for (effect, config) in of_everybody.chain(of_root_alone) {
        let remark = rest::remark(effect, survey, &stack_of);
        message::for_all(effect, config, &survey.everybody.trace, remark.as_ref(), report);
    }
    report.notes.extend(unread_drop_ins(survey));
    for (block, cases) in &survey.blocks {
        let criteria = block.criteria();
        let who = format!("Match {criteria}");
        let Cases { user, root } = match cases {
            Ok(cases) => cases,
            Err(reason) => {
                let message =
                    format!("cannot tell whether Match {criteria} asks for a code: {reason}");
                let finding = Finding::new(FindingId::SshdMatchUnknown, message);
                report.notes.push(finding.at(block.place.clone()).fix(
                    "test a connection that matches: sshd -T -C user=USER,host=HOST,addr=ADDRESS",
                ));
                doors.push(unknown(Some(&who), reason.clone()));
                continue;
            }
        };
        let mut add = |effect: &Effect, config: &Effective| {
            message::for_match(&block.place, &criteria, effect, config, report);
        };
        let mut user_effects = Vec::new();
        if let Some(case) = user {
            let stack = stack_of(&case.config);
            user_effects = effects(&case.config, &stack, case.refused_by);
            for effect in user_effects.iter().filter(|effect| !usual_effects.contains(effect)) {
                add(effect, &case.config);
            }
            let ways = ways(&case.config, &stack, Who::Anybody, case.refused_by);
            doors.extend(other_doors(ways, &usual, &case.config, &who));
        }
        if let Some(case) = root {
            let (ways, effect) = of_root(case);
            if effect != root_effects
                && let Some(effect) = &effect
                && !user_effects.contains(effect)
            {
                add(effect, &case.config);
            }
            doors.extend(other_doors(ways, &root_ways, &case.config, &format!("root, {who}")));
        }
    }
    for Overlap { blocks, is_root, case } in &survey.overlaps {
        let criteria = survey.criteria(blocks);
        let place = blocks.last().and_then(|last| survey.blocks.get(*last));
        let Some((Block { place, .. }, _)) = place else { continue };
        // What a block does by itself is told of that block.
        let alone = || blocks.iter().filter_map(|index| case_of(survey, *index, *is_root));
        let is_told =
            alone().any(|other| other.config == case.config && other.refused_by == case.refused_by);
        if is_told || case.refused_by.is_some() {
            continue;
        }
        let stack = stack_of(&case.config);
        let (ways, found, usual) = match is_root {
            true => {
                let (ways, effect) = of_root(case);
                (ways, Vec::from_iter(effect), (&root_ways, Vec::from_iter(root_effects.clone())))
            }
            false => (
                ways(&case.config, &stack, Who::Anybody, None),
                effects(&case.config, &stack, None),
                (&usual, usual_effects.clone()),
            ),
        };
        let effects_of = |other: &Case| match is_root {
            true => Vec::from_iter(of_root(other).1),
            false => effects(&other.config, &stack_of(&other.config), other.refused_by),
        };
        let mut told: Vec<_> = alone().flat_map(effects_of).collect();
        told.extend(usual.1);
        for effect in found.iter().filter(|effect| !told.contains(effect)) {
            message::for_match(place, &criteria, effect, &case.config, report);
        }
        let root = if *is_root { "root, " } else { "" };
        let who = format!("{root}Match {criteria}");
        doors.extend(other_doors(ways, usual.0, &case.config, &who));
    }
    report.notes.extend(unasked(survey));
    doors
}

/// Returns the case that stands for a block.
fn case_of(survey: &Survey, block: usize, is_root: bool) -> Option<&Case> {
    let Cases { user, root } = survey.blocks.get(block)?.1.as_ref().ok()?;
    if is_root { root.as_ref() } else { user.as_ref() }
}

/// Returns a note on connections about which sshd was not asked, because there are too many.
fn unasked(survey: &Survey) -> Option<Finding> {
    let first = survey.unasked.first()?;
    let message = format!(
        "cannot tell whether all users who match several Match blocks are asked for a code: sshd was \
         not asked about {} such connections, the first of them {first}",
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

/// Reports whether nobody comes to PAM first; `None` if what is known does not tell.
pub(super) fn pam_is_nowhere_first(survey: &Survey) -> Option<bool> {
    let configs = survey.configs();
    if configs.iter().flatten().any(|config| !pam_is_never_first(config)) {
        return Some(false);
    }
    configs.iter().all(Option::is_some).then_some(true)
}

/// Reports whether each list of `AuthenticationMethods` has another method before the one that uses
/// PAM. sshd skips a list with a method that is turned off.
pub(super) fn pam_is_never_first(config: &Effective) -> bool {
    if config.fault.is_some() {
        return true;
    }
    let Some(lists) = &config.lists else {
        // A staged roll-out turns both off for the rest.
        let is_on = |method| config.is_enabled(method);
        return is_on(Method::PublicKey)
            && !is_on(Method::KeyboardInteractive)
            && !is_on(Method::Password);
    };
    lists.iter().filter(|list| config.disabled_method(list).is_none()).all(|list| {
        let first = list.split(',').next().and_then(Method::parse);
        first.is_some_and(Method::is_proof)
    })
}

/// Returns the door for what is not known.
pub(super) fn unknown(who: Option<&str>, reason: String) -> Door {
    door(who, Code::Unknown(reason))
}

/// Returns the door for users that sshd refuses before any answer counts.
fn excluded(config: &Effective) -> Option<Door> {
    let keywords = config.access.keywords();
    (!keywords.is_empty()).then(|| {
        let keywords = keywords.join(" and ");
        let reason = format!("{keywords} refuses them, and sshd gives PAM a wrong answer");
        door(Some(&format!("users excluded by {keywords}")), Code::Closed(reason))
    })
}

fn door(who: Option<&str>, code: Code) -> Door {
    Door {
        name: "ssh".into(),
        service: None,
        who: who.map(str::to_owned),
        code,
        exceptions: Vec::new(),
    }
}

fn all_doors(ways: Vec<Way>, config: &Effective) -> Vec<Door> {
    ways.into_iter().map(|way| way.door(config, None)).collect()
}

/// Returns the doors that differ from the usual ones, and those of usual ways that are not among
/// these. Why a closed one is closed makes no difference.
fn other_doors(ways: Vec<Way>, usual: &[Way], config: &Effective, who: &str) -> Vec<Door> {
    let is_closed = |way: &Way| matches!(way.code, Code::Closed(_));
    let is_alike = |way: &Way, other: &Way| {
        way == other || (way.methods == other.methods && is_closed(way) && is_closed(other))
    };
    let is_missing = |way: &&Way| !ways.iter().any(|other| other.methods == way.methods);
    let missing = usual.iter().filter(is_missing).filter_map(|way| way.among(&ways));
    let missing: Vec<_> = missing.collect();
    let differs = |way: &Way| !usual.iter().any(|other| is_alike(way, other));
    let all = ways.into_iter().chain(missing);
    all.filter(differs).map(|way| way.door(config, Some(who))).collect()
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
