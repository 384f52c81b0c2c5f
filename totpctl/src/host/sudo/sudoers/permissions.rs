//! The owner and the mode of a file or folder of rules. sudo refuses those that others can change.

/// A file or folder that sudo ignores with all its rules.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    /// Its path.
    pub(crate) path: String,
    /// The reason.
    pub(crate) reason: String,
    /// True for the file that includes all others.
    pub(crate) is_main: bool,
}

/// The owner and the mode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permissions {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mode: u32,
}

/// The user and the group that own the rules: root, unless sudo.conf names others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    /// Reads sudo.conf.
    pub(crate) fn parse(text: &str) -> Self {
        let plugins = text.lines().filter(|line| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|word| word.eq_ignore_ascii_case("Plugin"))
                && words.next().is_some_and(|name| name.starts_with("sudoers_"))
        });
        let mut owner = Self::default();
        for word in plugins.flat_map(str::split_whitespace) {
            let Some((name, number)) = word.split_once('=') else { continue };
            match (name, number.parse()) {
                ("sudoers_uid", Ok(uid)) => owner.uid = uid,
                ("sudoers_gid", Ok(gid)) => owner.gid = gid,
                _ => {}
            }
        }
        owner
    }
}

impl Permissions {
    /// Returns why sudo ignores what has them, if it does.
    pub(crate) fn refusal(self, owner: Owner) -> Option<String> {
        let Self { uid, gid, mode } = self;
        if uid != owner.uid {
            let wanted =
                if owner.uid == 0 { "root".to_owned() } else { format!("uid {}", owner.uid) };
            Some(format!("uid {uid} owns it, not {wanted}"))
        } else if mode & WRITABLE_BY_ALL != 0 {
            Some("everybody can write to it".to_owned())
        } else if mode & WRITABLE_BY_GROUP != 0 && gid != owner.gid {
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
            let refusal = Permissions { uid, gid, mode }.refusal(Owner::default());
            assert_eq!(refusal.as_deref(), expected, "{uid} {gid} {mode:o}");
        }
    }

    #[test]
    fn another_owner_is_in_the_configuration() {
        let text = "# Plugin sudoers_policy sudoers.so sudoers_uid=1\n\
                    Plugin sudoers_policy sudoers.so sudoers_uid=1002 sudoers_gid=4\n\
                    Plugin other other.so sudoers_uid=3\n";
        let owner = Owner::parse(text);
        assert_eq!(owner, Owner { uid: 1002, gid: 4 });
        let refusal = |uid, gid| Permissions { uid, gid, mode: 0o460 }.refusal(owner);
        assert_eq!(refusal(1002, 4), None);
        assert_eq!(refusal(0, 4).as_deref(), Some("uid 0 owns it, not uid 1002"));
        assert_eq!(refusal(1002, 0).as_deref(), Some("members of group 0 can write to it"));
    }
}
