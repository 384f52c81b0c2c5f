//! Programs that tests act with. The name by which this one is called says which: building one takes a third of the time
//! that building seven takes.

use std::path::Path;
use std::process::ExitCode;

mod bystander;
mod clients64;
mod false_totpd;
mod find_seeds;
mod flood;
mod peer_call;
mod wrong_codes;

fn main() -> ExitCode {
    let program = std::env::args().next().unwrap_or_default();
    match Path::new(&program).file_name().and_then(|name| name.to_str()) {
        Some("peer_call") => return peer_call::run(),
        Some("bystander") => bystander::run(),
        Some("clients64") => clients64::run(),
        Some("false_totpd") => false_totpd::run(),
        Some("find_seeds") => find_seeds::run(),
        Some("flood") => flood::run(),
        Some("wrong_codes") => wrong_codes::run(),
        _ => panic!("{program} is none of them"),
    }
    ExitCode::SUCCESS
}
