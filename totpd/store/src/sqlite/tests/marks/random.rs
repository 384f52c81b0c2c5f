//! Random histories of a host with marks. No code is good twice, and a fresh one is good.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::scene::{Crash, Scene};
use crate::blocking;
use crate::sqlite::database::Database;
use crate::sqlite::tests::host::is_yes;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

/// What was played.
#[derive(Default)]
struct Played {
    crashes: usize,
    codes: usize,
}

/// Plays a history.
fn play(seed: u64) -> Result<Played, String> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut scene = Scene::new();
    let (mut crashes, mut latest, mut is_stalled) = (0, scene.host().now(), false);
    for _ in 0..ACTS {
        scene.hurry(Duration::from_millis(if is_stalled { 60 } else { 4000 }));
        latest = latest.max(scene.host().now());
        let name = format!("user{}", random.below(2));
        match random.below(26) {
            0..=4 if is_stalled => scene.host().prompt_without_waiting(),
            0..=4 => scene.host().try_prompt(),
            5..=10 => {
                if !is_stalled && random.below(2) == 0 {
                    scene.host().try_prompt();
                }
                // As on the private socket, or by the thread.
                let _allowed = (!is_stalled && random.below(2) == 0).then(blocking::allow);
                let step = scene.host().step() + random.below(8).saturating_sub(5);
                scene.login(&name, step - random.below(8).saturating_sub(6));
            }
            11 => drop(scene.host().guess(&name)),
            12..=14 => scene.host().wait(random.below(5)),
            15 => scene.host().set_clock(scene.host().now() + random.below(300)),
            16 => scene.host().set_clock((scene.host().now() - random.below(300)).max(START)),
            17 if !is_stalled => end_mark(&scene),
            18 => (scene.stall(), is_stalled = true).1,
            19 => (scene.go_on(), is_stalled = false).1,
            20 => {
                // What is lost changes under the store, so nobody else may write: no kernel takes
                // back a header of the log that SQLite has flushed before more was written.
                let is_idle = !is_stalled && scene.host().guess("user1").is_ok();
                let is_lost = is_idle && random.below(2) == 0;
                let trouble = if is_lost { "test-lost-write" } else { "test-failed-flush" };
                scene.place.begin_trouble(trouble);
                scene.go_on();
                is_stalled = false;
                let _ = scene.host().guess("user1");
                // The flush that fails removes the first of them.
                let _ = scene.place.try_end_trouble(trouble);
            }
            21 if !is_stalled => drop(scene.host().rekey()),
            22 if !is_stalled => {
                let backup = scene.host().backup().map_err(|error| error.to_string())?;
                // The new file is on disk when it takes the place of the old one.
                if scene.host().restore(&backup).is_ok() {
                    scene.remember_disk();
                }
            }
            23 if !is_stalled => scene.restart(),
            24 | 25 => {
                let kinds = [Crash::Kill, Crash::Power, Crash::LuckyPower, Crash::Storage];
                let now = scene.host().now();
                scene.crash(kinds[random.below(4) as usize]);
                // At once, or when the window is over.
                scene.host().set_clock(now + 150 * random.below(2));
                (crashes, is_stalled) = (crashes + 1, false);
            }
            _ => {}
        }
    }
    scene.go_on();
    scene.crash(Crash::Power);
    scene.check()?;
    let windows = scene.host().opened.store.void_windows();
    let until = windows.iter().map(|window| window.until()).max().unwrap_or(latest).max(latest);
    for name in ["user0", "user1"] {
        // A restoration closes some steps ahead, too.
        scene.host().set_clock(until + 20 * 30);
        let verdict = scene.host().verify(name, scene.host().step());
        if !is_yes(&verdict) {
            return Err(format!("{name}: a fresh code is refused: {verdict:?}"));
        }
    }
    Ok(Played { crashes: crashes + 1, codes: scene.yes.len() })
}

fn end_mark(scene: &Scene) {
    let (sender, done) = channel();
    let end = move |database: &mut Database| sender.send(database.end_mark().is_ok()).unwrap();
    scene.host().opened.local.writer().unwrap().exclusive(end).unwrap();
    done.recv().unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the one who runs the tests says how much")]
fn no_history_makes_a_code_good_twice() {
    let is_full = std::env::var_os("TEST_SCALE").is_some_and(|scale| scale == "1");
    let histories = if is_full { FULL } else { HISTORIES };
    let work = |thread: u64| {
        let (mut sum, mut broken) = (Played::default(), Vec::new());
        for seed in (thread..histories).step_by(THREADS as usize) {
            match catch_unwind(AssertUnwindSafe(|| play(seed))) {
                Ok(Ok(played)) => {
                    (sum.crashes, sum.codes) =
                        (sum.crashes + played.crashes, sum.codes + played.codes);
                }
                Ok(Err(reason)) => broken.push(format!("history {seed}: {reason}")),
                Err(_) => broken.push(format!("history {seed}: it panicked")),
            }
        }
        (sum, broken)
    };
    let (mut crashes, mut codes, mut broken) = (0, 0, Vec::new());
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|number| scope.spawn(move || work(number))).collect();
        for thread in threads {
            let (played, found) = thread.join().unwrap();
            (crashes, codes) = (crashes + played.crashes, codes + played.codes);
            broken.extend(found);
        }
    });
    println!("{histories} histories, {crashes} crashes, {codes} codes, {} broken", broken.len());
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Histories, and those of a full TEST_SCALE.
const HISTORIES: u64 = 120;
const FULL: u64 = 1200;
/// What happens in a history.
const ACTS: usize = 40;
/// Most of a history is waiting.
const THREADS: u64 = 4;
/// No clock is set before the first codes.
const START: u64 = 1_800_000_000;
