//! Long series of failures of a disk, a file or a process. Each prints how
//! much it tried: `cargo test -p totpd-store campaign -- --nocapture`.

mod content;
mod crash;
mod faults;
mod flips;
mod kill;
mod promises;
mod recording;
mod states;
mod writer;
