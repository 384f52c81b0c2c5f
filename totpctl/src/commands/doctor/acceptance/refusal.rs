//! The findings that are never accepted.

use super::super::finding::FindingId;

/// Returns why a finding can never be accepted, if so. This is the whole table.
pub(in super::super) fn refuses(id: FindingId) -> Option<&'static str> {
    use FindingId as Id;
    let reason = match id {
        Id::AcceptancesInvalid => "an acceptance cannot accept its own fault",
        Id::ConfigurationInvalid
        | Id::SelinuxModuleMissing
        | Id::TotpdUnreachable
        | Id::UnitCannotStart => "nobody can log in without the daemon",
        Id::ModuleNotInstalled => "the module is missing, so nobody can log in",
        Id::ConflictingOptions | Id::UnknownModuleOption | Id::ControlUnreadable => {
            "it denies every login"
        }
        Id::NobodyCanLogIn
        | Id::NobodyEnrolled
        | Id::SshdNobodyCanLogIn
        | Id::SshdMatchNobodyCanLogIn
        | Id::StoreDiskReadOnly => "it shuts everybody out",
        Id::SshdRootCannotLogIn | Id::SshdMatchRootCannotLogIn => "it shuts root out",
        Id::StackUnreadable | Id::IncludeCycle | Id::StackTooLong | Id::SshdConfigUnreadable => {
            "doctor cannot tell what happens there"
        }
        Id::StorePermissions | Id::InsecurePermissions => "users could change what root trusts",
        Id::StoreDiskFull | Id::TrialNotReverted => "it has to end",
        _ => return None,
    };
    Some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shuts_out_is_never_accepted() {
        for id in [
            FindingId::ModuleNotInstalled,
            FindingId::NobodyCanLogIn,
            FindingId::StackUnreadable,
            FindingId::ConfigurationInvalid,
            FindingId::StorePermissions,
        ] {
            assert!(refuses(id).is_some(), "{}", id.token());
        }
        for id in [FindingId::StackSkipsCode, FindingId::RootNotAsked, FindingId::SudoersException]
        {
            assert!(refuses(id).is_none(), "{}", id.token());
        }
    }
}
