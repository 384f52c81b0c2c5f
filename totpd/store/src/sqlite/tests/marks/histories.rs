//! Histories that break a store which leaves out a rule of the mark (docs/decisions/0032). At the
//! end of each, no accepted code is good again, and no guess is forgotten.

use std::fs;
use std::sync::mpsc::channel;
use std::thread;

use totpd_core::enrollment::Confirmation;

use super::scene::{Crash, Scene};
use super::{eventually, rows};
use crate::sqlite::database::Database;
use crate::sqlite::tests::host::is_yes;

/// Crashes, and checks what was promised before.
pub(super) fn crash_and_check(scene: &mut Scene, crash: Crash) {
    scene.crash(crash);
    scene.check().unwrap();
}

/// Logs in at the present time while no flush returns, and cuts the power.
pub(super) fn login_and_cut(scene: &mut Scene) {
    scene.stall_and_hurry();
    scene.login("user0", scene.host().step());
    crash_and_check(scene, Crash::Power);
}

/// Has everything flushed, and logs in at `now`, leaning on whatever is there.
fn lean_at(scene: &mut Scene, now: u64) {
    scene.flush();
    scene.host().set_clock(now);
    login_and_cut(scene);
}

/// Has a mark made whose row is not on disk.
fn make_mark_without_flush(scene: &mut Scene) {
    scene.stall();
    scene.host().prompt_without_waiting();
    eventually("the row is committed", || rows(scene.host()).mark.is_some());
}

#[test]
fn a_power_cut() {
    let mut scene = Scene::new();
    scene.lean("user0");
    crash_and_check(&mut scene, Crash::Power);
}

#[test]
fn a_power_cut_and_a_restart() {
    let mut scene = Scene::new();
    scene.lean("user0");
    scene.crash(Crash::Power);
    scene.restart();
    scene.check().unwrap();
}

#[test]
fn two_power_cuts() {
    let mut scene = Scene::new();
    scene.lean("user0");
    scene.crash(Crash::Power);
    crash_and_check(&mut scene, Crash::Power);
}

#[test]
fn a_first_code_after_a_power_cut() {
    let mut scene = Scene::new();
    scene.lean("user0");
    let now = scene.host().now();
    scene.crash(Crash::Power);
    scene.host().set_clock(now);
    scene.host().enroll("late").unwrap();
    assert_ne!(scene.host().confirm("late").unwrap(), Confirmation::Verified);
}

#[test]
fn lost_storage() {
    let mut scene = Scene::new();
    scene.lean("user0");
    crash_and_check(&mut scene, Crash::Storage);
}

#[test]
fn a_witness_that_cannot_be_written_and_lost_storage() {
    let mut scene = Scene::new();
    scene.host().prompt();
    fs::write(scene.place.witness().join("test-full"), "").unwrap();
    scene.stall_and_hurry();
    scene.login("user0", scene.host().step());
    crash_and_check(&mut scene, Crash::Storage);
}

#[test]
fn a_disk_that_moves_to_another_host() {
    let mut scene = Scene::new();
    scene.lean("user0");
    crash_and_check(&mut scene, Crash::Move);
}

#[test]
fn a_login_whose_flush_fails() {
    let mut scene = Scene::new();
    scene.lean("user0");
    scene.lose_flush();
    scene.check().unwrap();
}

#[test]
fn a_login_whose_flush_fails_and_a_power_cut() {
    let mut scene = Scene::new();
    scene.lean("user0");
    scene.lose_flush();
    scene.flush();
    crash_and_check(&mut scene, Crash::Power);
}

#[test]
fn a_login_during_a_flush_and_lost_storage() {
    let mut scene = Scene::new();
    scene.host().prompt();
    scene.place.begin_trouble("test-flushes");
    scene.stall();
    let stall = scene.take_stall();
    thread::scope(|scope| {
        let (host, place) = (scene.host(), &scene.place);
        let guess = scope.spawn(|| host.guess("user1").unwrap());
        eventually("a flush", || place.flushes() > 0);
        assert!(is_yes(&host.verify("user0", host.step())));
        drop(stall);
        guess.join().unwrap();
    });
    scene.remember("user0");
    crash_and_check(&mut scene, Crash::Storage);
}

#[test]
fn a_login_before_the_flush_of_the_mark() {
    let mut scene = Scene::new();
    make_mark_without_flush(&mut scene);
    login_and_cut(&mut scene);
}

#[test]
fn a_login_on_a_mark_that_another_one_replaced() {
    let mut scene = Scene::new();
    scene.host().prompt();
    let now = scene.host().now();
    scene.host().set_clock(now - 1000);
    scene.host().prompt_without_waiting();
    let from = || rows(scene.host()).mark.map(|mark| mark.void_window().from());
    eventually("another row", || from() == Some(now - 1000));
    lean_at(&mut scene, now);
}

#[test]
fn a_login_on_a_mark_that_ended() {
    let mut scene = Scene::new();
    scene.host().prompt();
    let (sender, done) = channel();
    let end = move |database: &mut Database| sender.send(database.end_mark().is_ok()).unwrap();
    scene.host().opened.local.writer().unwrap().exclusive(end).unwrap();
    assert!(done.recv().unwrap());
    let now = scene.host().now();
    lean_at(&mut scene, now);
}

/// A transaction finds the disk full while a flush is under way. Then that flush fails, and what it
/// should flush is lost.
fn fill_disk_and_lose_flush(scene: &mut Scene) {
    scene.place.begin_trouble("test-lost-write");
    let (sender, events) = channel();
    let full = move |database: &mut Database| {
        sender.send(()).unwrap();
        let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        database.close_after(&rusqlite::Error::SqliteFailure(full, None));
        sender.send(()).unwrap();
    };
    scene.host().opened.local.writer().unwrap().exclusive(full).unwrap();
    events.recv().unwrap();
    scene.go_on();
    events.recv().unwrap();
    let lost = scene.place.store().join("test-lost-write");
    eventually("the flush has failed", || !lost.exists());
}

#[test]
fn a_full_disk_during_the_failing_flush_of_a_mark() {
    let mut scene = Scene::new();
    make_mark_without_flush(&mut scene);
    fill_disk_and_lose_flush(&mut scene);
    let now = scene.host().now();
    lean_at(&mut scene, now);
}

#[test]
fn a_full_disk_during_the_failing_flush_of_a_login() {
    let mut scene = Scene::new();
    scene.lean("user0");
    fill_disk_and_lose_flush(&mut scene);
    // The flush of another log.
    scene.flush();
    crash_and_check(&mut scene, Crash::Storage);
}

#[test]
fn a_restoration_while_the_clock_is_set_back() {
    let mut scene = Scene::new();
    scene.host().prompt();
    let now = scene.host().now();
    scene.host().set_clock(now - 2000);
    scene.host().restore(&scene.host().backup().unwrap()).unwrap();
    lean_at(&mut scene, now);
}

#[test]
fn a_restoration_after_a_power_cut() {
    let mut scene = Scene::new();
    scene.lean("user0");
    let now = scene.host().now();
    scene.crash(Crash::Power);
    scene.host().set_clock(now - 2000);
    scene.host().restore(&scene.host().backup().unwrap()).unwrap();
    scene.restart();
    scene.check().unwrap();
}

#[test]
fn a_rekey_and_a_power_cut() {
    let mut scene = Scene::new();
    scene.host().prompt();
    scene.host().rekey().unwrap();
    scene.lean("user0");
    crash_and_check(&mut scene, Crash::Power);
}
