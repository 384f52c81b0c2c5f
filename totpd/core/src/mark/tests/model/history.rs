//! What can happen.

use std::vec::Vec;

/// A history on a host whose configuration has this skew.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) skew: u64,
    pub(super) items: Vec<Item>,
}

/// One thing that happens, and the crashes in it and in the starts after it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) act: Act,
    pub(super) cuts: Vec<Cut>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Nothing,
    /// A prompt, which makes a mark if one is wanted. The flush of the row comes later.
    Begin,
    /// The mark ends. The flush comes later.
    End,
    /// A flush. A login may come between the flush and what is done after it.
    Flush(Option<Login>),
    Login(Login),
    /// Two logins are committed before the first one is answered.
    Both(Login, Login),
    /// The factor is removed, its seed is imported again, and this is its first code.
    FirstCode(Login),
    /// This code and the next one resynchronize the factor.
    Resync(Login),
    /// SIGTERM, and another start.
    Stop,
    Backup,
    Restore,
    /// The next flush fails, and leaves so many commits of those that it had to write.
    FailFlush(usize),
    /// The next write of the witness fails; true: what was there is torn.
    FailWitness(bool),
    /// The rows of mark and windows cannot be written for now.
    FailRows(bool),
    /// Time passes, or the clock is set.
    Clock(i64),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Login {
    pub(super) user: usize,
    pub(super) factor: usize,
    /// The code: steps ahead of the phone's present one, or presses that nobody saw.
    pub(super) ahead: i64,
    pub(super) is_wrong: bool,
}

/// A crash, after so many steps of what happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) after: u32,
    pub(super) crash: Crash,
}

/// The number is that of the commits that were not durable and are kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Crash {
    /// The daemon is killed. The kernel keeps what was written.
    Kill,
    Power(usize),
    /// The file system is shut down, or a device resets. The tmpfs is kept.
    Storage(usize),
    /// The disk, or a snapshot of it, goes to another host, which has an empty witness of its own.
    Move(usize),
}
