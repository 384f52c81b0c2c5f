//! The user that the process becomes before it opens or reads anything.

use nix::unistd::{Gid, Uid, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid};

/// A user, with its groups. Root only opens its own file, and is then given up too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl Identity {
    /// Reads `UID:GID:GID,GID…`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let number = |text: &str| text.parse::<u32>().ok();
        let (uid, gid) = (number(parts.next()?)?, number(parts.next()?)?);
        let groups = parts.next()?.split(',').filter(|group| !group.is_empty());
        let groups: Vec<_> = groups.map(number).collect::<Option<_>>()?;
        parts.next().is_none().then_some(Self { uid, gid, groups })
    }

    /// Returns a user without files.
    #[must_use]
    pub fn nobody() -> Self {
        Self { uid: NOBODY, gid: NOBODY, groups: Vec::new() }
    }

    /// Reports whether this is root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Becomes this user for good.
    ///
    /// # Errors
    /// The error of the kernel. The process must end then.
    pub fn assume(&self) -> nix::Result<()> {
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        let groups: Vec<_> = self.groups.iter().copied().map(Gid::from_raw).collect();
        setgroups(&groups)?;
        setresgid(gid, gid, gid)?;
        setresuid(uid, uid, uid)?;
        let (users, present) = (getresuid()?, getresgid()?);
        let is_whole = [users.real, users.effective, users.saved].iter().all(|id| *id == uid)
            && [present.real, present.effective, present.saved].iter().all(|id| *id == gid);
        let mut now = getgroups()?;
        now.sort_unstable_by_key(|group| group.as_raw());
        let mut wanted = groups;
        wanted.sort_unstable_by_key(|group| group.as_raw());
        wanted.dedup();
        now.dedup();
        // Nothing of root may be left, and nothing may be missing that the user has.
        if is_whole && now == wanted { Ok(()) } else { Err(nix::Error::EPERM) }
    }
}

/// The usual uid of `nobody`.
const NOBODY: u32 = 65534;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_numbers() {
        for (text, is_valid) in [
            ("65534:65534:", true),
            ("1000:1000:27,100", true),
            ("0:0:", true),
            ("1000:1000", false),
            ("1000:1000:x", false),
            ("1000:1000::", false),
            ("-1:1000:", false),
            ("", false),
        ] {
            assert_eq!(Identity::parse(text).is_some(), is_valid, "{text}");
        }
        assert!(Identity::parse("0:0:").unwrap().is_root() && !Identity::nobody().is_root());
    }
}
