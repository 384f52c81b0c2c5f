//! Programs that tests act with. The name of the call selects the program. Building one takes
//! much less time than building eight.

use std::path::Path;
use std::process::ExitCode;

mod bus_latency;
mod clients64;
mod fake_totpd;
mod find_seeds;
mod guess_flood;
mod peer_call;
mod slow_disk;
mod user_flood;

fn main() -> ExitCode {
    let program = std::env::args().next().unwrap_or_default();
    match Path::new(&program).file_name().and_then(|name| name.to_str()) {
        Some("peer_call") => return peer_call::run(),
        Some("bus_latency") => bus_latency::run(),
        Some("clients64") => clients64::run(),
        Some("fake_totpd") => fake_totpd::run(),
        Some("find_seeds") => find_seeds::run(),
        Some("slow_disk") => slow_disk::run(),
        Some("user_flood") => user_flood::run(),
        Some("guess_flood") => guess_flood::run(),
        _ => panic!("{program} is none of them"),
    }
    ExitCode::SUCCESS
}
