//! `run_tests PROGRAM [--skip WORD]... [--beside PROGRAM WORD]... [FILTER]...` runs tests. These
//! are the tests of PROGRAM whose names contain a FILTER and no skipped WORD. They are also the
//! tests of other programs whose names contain a WORD. Each runs in a process of its own, many at a
//! time. `tests/needs.toml` says which of them need more of the machine.
//!
//! It prints a line for each test, and the slowest ones at the end. It prints all output of a
//! failed test, of tests of other programs, and of tests that a FILTER chose. `TEST_SLOTS` is the
//! number of tests at a time. The default is four for each processor, because most tests wait most
//! of the time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

mod plan;

use plan::{Plan, Share};

/// A test that takes longer hangs, even at full scale on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(3600);
const SLOWEST: usize = 20;

struct Test {
    program: String,
    name: String,
    /// True if its output is printed though it passed.
    is_shown: bool,
}

struct Finished {
    test: Test,
    slots: usize,
    passed: bool,
    seconds: f64,
    output: PathBuf,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().expect("a program of tests");
    let (mut filters, mut skipped, mut others) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        let mut next = || arguments.next().expect("a word after it");
        match argument.as_str() {
            "--skip" => skipped.push(next()),
            "--beside" => others.push((next(), next())),
            _ => filters.push(argument),
        }
    }
    let wanted = |test: &Test| {
        !skipped.iter().any(|word| test.name.contains(word.as_str()))
            && (filters.is_empty() || filters.iter().any(|word| test.name.contains(word.as_str())))
    };
    let mut all = tests_of(&program, !filters.is_empty());
    all.retain(wanted);
    for (program, word) in others {
        let tests = tests_of(&program, true);
        all.extend(tests.into_iter().filter(|test| test.name.contains(&word)));
    }
    if all.is_empty() {
        eprintln!("run_tests: no test of that name");
        return ExitCode::FAILURE;
    }
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let times = tests.join("../target/tests.times");
    let needs = fs::read_to_string(tests.join("needs.toml")).unwrap();
    let plan = Plan::new(&needs, &fs::read_to_string(&times).unwrap_or_default());

    let start = Instant::now();
    let finished = run_all(&plan, all);
    report(&finished, start.elapsed());
    // The next run starts the slowest tests first.
    let mut known = plan.seconds;
    known.extend(finished.iter().map(|done| (done.test.name.clone(), done.seconds)));
    let lines: String = known.iter().map(|(name, s)| format!("{name} {s:.1}\n")).collect();
    fs::write(times, lines).unwrap();
    ExitCode::from(u8::from(finished.iter().any(|done| !done.passed)))
}

/// Returns all tests of a program but the ignored ones.
fn tests_of(program: &str, is_shown: bool) -> Vec<Test> {
    let list = |options: &[&str]| {
        let words = ["--list", "--format", "terse"];
        let list = Command::new(program).args(words).args(options).output().unwrap();
        assert!(list.status.success(), "{list:?}");
        let list = String::from_utf8(list.stdout).unwrap();
        let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
        names.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let ignored = list(&["--ignored"]);
    let names = list(&[]).into_iter().filter(|name| !ignored.contains(name));
    names.map(|name| Test { program: program.to_owned(), name, is_shown }).collect()
}

fn slots() -> usize {
    #[expect(clippy::disallowed_methods, reason = "a developer says how many")]
    let wanted = std::env::var("TEST_SLOTS").ok().and_then(|slots| slots.parse().ok());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    wanted.unwrap_or((4 * processors).clamp(4, 16))
}

fn run_all(plan: &Plan, tests: Vec<Test>) -> Vec<Finished> {
    let all = slots();
    let (alone, mut waiting): (Vec<_>, Vec<_>) =
        tests.into_iter().partition(|test| plan.share(&test.name) == Share::Alone);
    waiting.sort_by(|a, b| plan.later(&b.name).total_cmp(&plan.later(&a.name)));
    println!("{} tests, {all} at a time, and {} alone", waiting.len(), alone.len());
    let (sender, receiver) = channel();
    let (mut finished, mut free) = (Vec::new(), all);
    while !waiting.is_empty() || free < all {
        let slots = |test: &Test| plan.share(&test.name).slots(all);
        match waiting.iter().position(|test| slots(test) <= free) {
            Some(next) => {
                let test = waiting.remove(next);
                let slots = slots(&test);
                free -= slots;
                start(test, slots, &sender);
            }
            None => {
                let done = wait(&receiver);
                free += done.slots;
                finished.push(done);
            }
        }
    }
    for test in alone {
        start(test, all, &sender);
        finished.push(wait(&receiver));
    }
    finished
}

/// Waits for a test to end, and says how it did.
fn wait(receiver: &Receiver<Finished>) -> Finished {
    let done = receiver.recv().expect("a test is running");
    let verdict = if done.passed { "ok" } else { "FAILED" };
    println!("{verdict:6} {:6.1} s  {}", done.seconds, done.test.name);
    if done.passed && done.test.is_shown {
        let output = fs::read_to_string(&done.output).unwrap_or_default();
        for line in relevant_lines(&output) {
            println!("         {line}");
        }
    }
    done
}

/// Returns the output of a test, without the lines that libtest prints around it.
fn relevant_lines(output: &str) -> impl Iterator<Item = &str> {
    let lines = output.lines().map(|line| match line.strip_prefix("test ") {
        Some(rest) => rest.split_once(" ... ").map_or(line, |(_, rest)| rest),
        None => line,
    });
    let of_libtest = ["", "ok", "running 1 test"];
    lines.filter(move |line| !of_libtest.contains(line) && !line.starts_with("test result: "))
}

fn start(test: Test, slots: usize, sender: &Sender<Finished>) {
    let name = format!("totp-test-{}-{}", std::process::id(), test.name.replace("::", "."));
    let output = std::env::temp_dir().join(name);
    let file = File::create(&output).unwrap();
    let start = Instant::now();
    let mut child = Command::new(&test.program)
        .args(["--exact", &test.name, "--test-threads", "1", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    let sender = sender.clone();
    std::thread::spawn(move || {
        let passed = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.success();
            }
            if start.elapsed() > TIMEOUT {
                let _ = child.kill();
                let _ = child.wait();
                fs::write(&output, format!("killed after {} s\n", TIMEOUT.as_secs())).unwrap();
                break false;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        };
        let seconds = start.elapsed().as_secs_f64();
        let _ = sender.send(Finished { test, slots, passed, seconds, output });
    });
}

fn report(finished: &[Finished], took: Duration) {
    let mut by_time: Vec<_> = finished.iter().collect();
    by_time.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    println!("\nThe slowest tests:");
    for done in by_time.iter().take(SLOWEST) {
        println!("{:6.1} s  {}", done.seconds, done.test.name);
    }
    let failed: Vec<_> = finished.iter().filter(|done| !done.passed).collect();
    for done in &failed {
        println!("\n---- {} failed, and printed:", done.test.name);
        println!("{}", String::from_utf8_lossy(&fs::read(&done.output).unwrap()));
    }
    for done in finished {
        let _ = fs::remove_file(&done.output);
    }
    let passed = finished.len() - failed.len();
    println!("\n{passed} tests passed, {} failed, in {} s", failed.len(), took.as_secs());
    for done in &failed {
        println!("FAILED {}", done.test.name);
    }
}
