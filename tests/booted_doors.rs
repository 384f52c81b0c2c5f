//! What `totpctl doctor` says of each way in on booted hosts, beside what happens when alice, who
//! has a factor, bob, who has none, and root use it.

use tests::scaled;

use self::comparison::Comparison;
use self::doors_host::DoorsHost;
use crate::{local_doors, ssh_doors};

mod comparison;
mod doors_host;
mod greeters;
mod local;
mod polkit;
mod sessions;
mod ssh;
mod ssh_client;

/// Uses the ways in of one kind on a booted host.
fn compare(suite: &str, kind: &str, uses: fn(&DoorsHost, &mut Comparison)) {
    let host = DoorsHost::boot(suite);
    let mut comparison = Comparison::new(suite, kind);
    uses(&host, &mut comparison);
    comparison.finish();
}

/// Returns the first settings, as many as the scale says, and `least` of them.
fn part<T>(settings: &[T], least: u32) -> &[T] {
    let count = scaled(u32::try_from(settings.len()).unwrap(), least);
    &settings[..settings.len().min(count as usize)]
}

#[test]
fn doctor_is_right_about_ssh_on_debian_12() {
    compare("bookworm", "ssh", ssh::compare);
}

#[test]
fn doctor_is_right_about_ssh_on_debian_13() {
    compare("trixie", "ssh", ssh::compare);
}

#[test]
fn doctor_is_right_about_other_doors_of_debian_12() {
    compare("bookworm", "other doors", others);
}

#[test]
fn doctor_is_right_about_other_doors_of_debian_13() {
    compare("trixie", "other doors", others);
}

fn others(host: &DoorsHost, comparison: &mut Comparison) {
    local::compare(host, comparison);
    polkit::compare(host, comparison);
    sessions::compare(host, comparison);
    greeters::compare(host, comparison);
}

/// Compares drawn hosts, beside those of the tests that have a machine for each.
fn compare_drawn(suite: &str) {
    let host = DoorsHost::boot(suite);
    let numbers = FIRST_NUMBER..FIRST_NUMBER + u64::from(scaled(HOSTS, 1));
    let (mut uses, mut differences) = (0, Vec::new());
    for number in numbers.clone() {
        uses += ssh_doors::compare_on(&host.host, number, &mut differences);
        uses += local_doors::compare_on(&host.host, number, &mut differences);
    }
    println!("{suite}: {uses} uses on the hosts {numbers:?}, {} differ", differences.len());
    assert!(uses > 0 && differences.is_empty(), "{suite}:\n{}", differences.join("\n"));
}

#[test]
fn doctor_is_right_on_drawn_hosts_with_debian_12() {
    compare_drawn("bookworm");
}

#[test]
fn doctor_is_right_on_drawn_hosts_with_debian_13() {
    compare_drawn("trixie");
}

/// How many hosts a nightly run draws for each Debian.
pub(crate) const HOSTS: u32 = 18;
/// The first of a range of hosts that have each setting.
pub(crate) const FIRST_NUMBER: u64 = 90;
