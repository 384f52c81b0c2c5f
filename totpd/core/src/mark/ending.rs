//! What becomes of a mark that a crash left open.

use crate::mark::row::Mark;
use crate::mark::witness::Witness;
use crate::record::Record;
use crate::user_name::UserName;
use crate::void_windows::VoidWindow;

/// What becomes of a mark that is still open when the daemon starts. Either way the mark ends, in
/// the transaction that writes the window, and nobody is answered before that is durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// The store has all that leaned on the mark.
    Complete,
    /// The store may lack some of it.
    Void(VoidWindow),
}

/// Decides about a mark that is open when the daemon starts. `witness` is what the file on the
/// tmpfs says; `None` if it is missing, cannot be read, or lies on no tmpfs. `find` returns the
/// record of a user, from the disk and not from a cache of it.
///
/// SQLite finds a prefix of the commits. So if the last acceptance that leaned is there, all before
/// it are, too. No clock is asked, and no boot id: the same boot has not always kept what was
/// written.
///
/// # Examples
/// ```
/// use totpd_core::mark::{Ending, Mark, RunId, Witness, ending_at_start};
/// use totpd_core::record::Record;
///
/// let run = RunId::from_random([7; 16]);
/// let mark = Mark::new(30_000, run);
/// let nobody = |_: &_| None::<Record>;
/// let quiet = Witness::Empty { run };
/// assert_eq!(ending_at_start(&mark, Some(&quiet), nobody), Ending::Complete);
/// // A power cut took the file along.
/// let void = Ending::Void(mark.void_window());
/// assert_eq!(ending_at_start(&mark, None, nobody), void);
/// ```
pub fn ending_at_start<S>(
    mark: &Mark,
    witness: Option<&Witness>,
    find: impl FnOnce(&UserName) -> Option<Record<S>>,
) -> Ending {
    let is_complete = match witness {
        Some(Witness::Empty { run }) => *run == mark.run,
        Some(Witness::Last { run, acceptance }) => {
            *run == mark.run && find(&acceptance.user).is_some_and(|at| acceptance.is_in(&at))
        }
        Some(Witness::Failed) | None => false,
    };
    if is_complete { Ending::Complete } else { Ending::Void(mark.void_window()) }
}
