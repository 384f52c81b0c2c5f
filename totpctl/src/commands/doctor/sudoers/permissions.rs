//! The owner and the mode of a file or folder of rules. sudo refuses those that others can change.

/// A file or folder that sudo ignores with all its rules.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Ignored {
    /// Its path.
    pub(in super::super) path: String,
    /// The reason.
    pub(in super::super) reason: String,
    /// True for the file that includes all others.
    pub(in super::super) is_main: bool,
}

/// The owner and the mode.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Permissions {
    pub(in super::super) uid: u32,
    pub(in super::super) gid: u32,
    pub(in super::super) mode: u32,
}

impl Permissions {
    /// Returns why sudo ignores what has them, if it does.
    pub(in super::super) fn refusal(self) -> Option<String> {
        let Self { uid, gid, mode } = self;
        if uid != 0 {
            Some(format!("uid {uid} owns it, not root"))
        } else if mode & WRITABLE_BY_ALL != 0 {
            Some("everybody can write to it".to_owned())
        } else if mode & WRITABLE_BY_GROUP != 0 && gid != 0 {
            Some(format!("members of group {gid} can write to it"))
        } else {
            None
        }
    }
}

const WRITABLE_BY_ALL: u32 = 0o002;
const WRITABLE_BY_GROUP: u32 = 0o020;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sudo_ignores_what_others_can_change() {
        for (uid, gid, mode, expected) in [
            (0, 0, 0o440, None),
            (0, 0, 0o644, None),
            (0, 0, 0o660, None),
            (0, 4, 0o640, None),
            (0, 0, 0o666, Some("everybody can write to it")),
            (0, 4, 0o660, Some("members of group 4 can write to it")),
            (1000, 0, 0o440, Some("uid 1000 owns it, not root")),
        ] {
            let refusal = Permissions { uid, gid, mode }.refusal();
            assert_eq!(refusal.as_deref(), expected, "{uid} {gid} {mode:o}");
        }
    }
}
