//! Clocks that are set, a log that restarts, and strangers at the prompt, around a mark.

use super::scene::{Crash, Scene};
use super::{eventually, rows};
use crate::sqlite::tests::host::is_yes;

/// A second, a minute, a day, 80 years.
const STEPS: [u64; 4] = [1, 60, 86_400, 80 * 31_556_952];

/// Logs in at the present time, on a mark or without one.
fn login(scene: &mut Scene, name: &str) -> bool {
    scene.host().try_prompt();
    scene.login(name, scene.host().step())
}

#[test]
fn a_clock_that_is_set_opens_nothing_and_shuts_nobody_out() {
    let moments = ["before", "within", "after"];
    for seconds in STEPS {
        for (moment, is_ahead) in moments.into_iter().flat_map(|m| [(m, true), (m, false)]) {
            for crash in [Crash::Power, Crash::Storage, Crash::Kill] {
                let what = format!("{seconds} s, {moment} a mark, ahead: {is_ahead}, {crash:?}");
                let mut scene = Scene::new();
                let now = scene.host().now() + 600;
                scene.host().set_clock(now);
                let set = |scene: &Scene| {
                    let now = scene.host().now();
                    scene.host().set_clock(match is_ahead {
                        true => now + seconds,
                        false => now.saturating_sub(seconds),
                    });
                };
                if moment == "before" {
                    set(&scene);
                }
                // A code from before the last one is no good.
                if scene.host().now() + 600 > now {
                    scene.lean("user0");
                }
                if moment == "within" {
                    set(&scene);
                    scene.go_on();
                    login(&mut scene, "user1");
                }
                scene.go_on();
                if moment == "after" {
                    scene.host().wait(3);
                    set(&scene);
                    login(&mut scene, "user1");
                }
                scene.crash(crash);
                scene.check().unwrap_or_else(|broken| panic!("{what}: {broken}"));
                if crash == Crash::Kill {
                    let windows = scene.host().opened.store.void_windows();
                    assert_eq!(windows.iter().count(), 0, "{what}: people wait after a kill");
                }
                // The clock is right again, and nobody waits.
                for name in ["user0", "user1"] {
                    let last = scene.yes.iter().filter(|yes| yes.name == name);
                    let last = last.map(|yes| yes.step).max().unwrap_or(0);
                    scene.host().set_clock(now + 600);
                    if last < scene.host().step() {
                        let verdict = scene.host().verify(name, scene.host().step());
                        assert!(is_yes(&verdict), "{what}: {name}: {verdict:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_log_that_restarts_within_a_mark_keeps_it() {
    let mut scene = Scene::new();
    scene.host().prompt();
    let mark = rows(scene.host()).mark;
    // Many times the pages after which the log is checkpointed.
    for _ in 0..200 {
        scene.flush();
    }
    let writer = scene.host().opened.local.writer().unwrap();
    writer
        .exclusive(|database| {
            let connection = database.connection().unwrap();
            crate::sqlite::connection::restart_wal(connection).unwrap();
        })
        .unwrap();
    scene.flush();
    assert_eq!(rows(scene.host()).mark, mark);
    scene.lean("user0");
    scene.crash(Crash::Power);
    assert_eq!(scene.host().opened.store.void_windows().iter().count(), 1);
    scene.check().unwrap();
}

#[test]
fn strangers_at_the_prompt_write_one_row_in_thirty_seconds() {
    let scene = Scene::new();
    let host = scene.host();
    host.prompt();
    scene.place.begin_trouble("test-flushes");
    let (mut marks, mut last) = (0, rows(host).mark);
    for second in 0..90 {
        for _ in 0..100 {
            host.prompt_without_waiting();
        }
        eventually("the mark is made", || host.opened.local.marker().is_ready(host.now()));
        let mark = rows(host).mark;
        (marks, last) = (marks + u32::from(mark != last), mark);
        host.set_clock(host.now() + 1);
        assert!(marks <= 1 + second / 30, "{marks} marks after {second} s");
    }
    assert!(scene.place.flushes() <= 4, "{} flushes by 9,000 prompts", scene.place.flushes());
}
