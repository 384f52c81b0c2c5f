//! Logins that may not lean, or whose window has to be long enough. At the end of each, no accepted
//! code is good again, and no guess is forgotten.

use totpd_core::factor::{Drift, Kind};

use super::histories::{crash_and_check, login_and_cut};
use super::scene::{Crash, Scene};
use crate::sqlite::tests::host::is_yes;

/// Logs in `wait` steps from now by the code of another step from now, and cuts the power.
fn login_by_another_step(scene: &mut Scene, wait: u64, step: u64) {
    let present = scene.host().step();
    scene.host().wait(wait);
    scene.stall_and_hurry();
    scene.login("user0", present + step);
    crash_and_check(scene, Crash::Power);
}

#[test]
fn a_code_ahead_of_the_clock() {
    let mut scene = Scene::new();
    scene.host().prompt();
    login_by_another_step(&mut scene, 2, 3);
}

#[test]
fn a_phone_whose_clock_is_ahead() {
    let mut scene = Scene::new();
    scene.host().change_factor("user0", |factor| factor.drift = Drift::from_steps(3));
    scene.host().prompt();
    login_by_another_step(&mut scene, 0, 3);
}

#[test]
fn a_code_of_the_step_before() {
    let mut scene = Scene::new();
    scene.host().wait(2);
    scene.host().prompt();
    let (before, now) = (scene.host().step() - 1, scene.host().now());
    scene.stall();
    assert!(scene.login("user0", before), "it leans");
    scene.crash(Crash::Power);
    scene.host().set_clock(now);
    assert!(!is_yes(&scene.host().verify("user0", before)), "the code is good again");
    // In the step of the code, before the mark.
    scene.host().at(before);
    assert!(!is_yes(&scene.host().verify("user0", before)), "the code is good again");
}

#[test]
fn a_login_at_the_end_of_the_mark() {
    let mut scene = Scene::new();
    scene.host().prompt();
    scene.host().wait(2);
    login_and_cut(&mut scene);
}

#[test]
fn a_login_after_the_mark() {
    let mut scene = Scene::new();
    scene.host().prompt();
    login_by_another_step(&mut scene, 3, 3);
}

#[test]
fn a_phone_whose_clock_is_behind() {
    let mut scene = Scene::new();
    scene.host().change_factor("user0", |factor| factor.drift = Drift::from_steps(-10));
    scene.host().wait(15);
    scene.host().prompt();
    let (step, now) = (scene.host().step() - 11, scene.host().now());
    scene.stall_and_hurry();
    let is_in = scene.login("user0", step);
    scene.crash(Crash::Power);
    // Before the mark its present code is not void.
    scene.host().set_clock(now - 30);
    assert!(!is_in || !is_yes(&scene.host().verify("user0", step)), "the code is good again");
}

#[test]
fn a_token() {
    let mut scene = Scene::new();
    scene.host().change_factor("user0", |factor| {
        (factor.kind, factor.last_accepted) = (Kind::Hotp, Some(41));
    });
    scene.host().prompt();
    scene.stall_and_hurry();
    scene.login("user0", 42);
    crash_and_check(&mut scene, Crash::Power);
}

#[test]
fn a_long_period() {
    let mut scene = Scene::new();
    scene.host().change_factor("user0", |factor| {
        (factor.kind, factor.last_accepted) = (Kind::Totp { period: 120 }, None);
    });
    scene.host().prompt();
    scene.stall_and_hurry();
    scene.login("user0", scene.host().now() / 120);
    crash_and_check(&mut scene, Crash::Power);
}

#[test]
fn a_wrong_code() {
    let mut scene = Scene::new();
    scene.host().prompt();
    scene.stall_and_hurry();
    scene.guess();
    crash_and_check(&mut scene, Crash::Power);
}
