//! The findings that are never accepted.

use crate::findings::finding::FindingId;

/// Returns why a finding can never be accepted, if so. This is the whole table: a new finding does
/// not compile before it is decided.
pub(in super::super) fn refuses(id: FindingId) -> Option<&'static str> {
    use FindingId as Id;
    let reason = match id {
        Id::AcceptancesInvalid => "an acceptance cannot accept its own fault",
        Id::ConfigurationInvalid
        | Id::KernelDenied
        | Id::SelinuxModuleMissing
        | Id::TotpdUnreachable
        | Id::UnitCannotStart => "nobody can log in without the daemon",
        Id::ModuleMisplaced => "pam_totp.so does nothing there",
        Id::ModuleNotInstalled => "the module is missing, so nobody can log in",
        Id::GuardMisplaced => "the guard refuses right logins there",
        Id::ConflictingOptions
        | Id::ControlUnreadable
        | Id::FirstPassIsPassword
        | Id::FirstPassMissing
        | Id::JumpPastEnd
        | Id::OnePromptProgram
        | Id::OptionInvalid
        | Id::SelinuxServersDenied
        | Id::UnknownModuleOption => "it denies every login",
        Id::CodeAskedTwice
        | Id::GuardShutsOut
        | Id::NobodyCanLogIn
        | Id::NobodyEnrolled
        | Id::SshdCannotAsk
        | Id::SshdMatchNobodyCanLogIn
        | Id::SshdNobodyCanLogIn
        | Id::SshdPasswordMissing
        | Id::StoreDiskReadOnly
        | Id::StoreLeftOut => "it shuts everybody out",
        Id::RuleDeniesRoot
        | Id::SshdMatchRootCannotLogIn
        | Id::SshdRootCannotLogIn
        | Id::SudoNobodyBecomesRoot => "it shuts root out",
        Id::EnrolledUnknown
        | Id::HostNotChecked
        | Id::IncludeCycle
        | Id::SshdConfigUnreadable
        | Id::SshdMatchUnknown
        | Id::SshdNotChecked
        | Id::SshdNotReloaded
        | Id::StackAmbiguous
        | Id::StackNotChecked
        | Id::StackTooLong
        | Id::StackUnreadable
        | Id::SudoersNotChecked
        | Id::SudoersUnreadable => "doctor cannot tell what happens there",
        Id::NullokWithoutPassword | Id::StrangerCanEnroll => "a stranger could log in",
        Id::InsecurePermissions | Id::StorePermissions => "users could change what root trusts",
        Id::StoreDiskFull | Id::TotpdReplaced | Id::TrialNotReverted => "it has to end",
        Id::AccountReplacesChecks
        | Id::ClockNotSynchronized
        | Id::ClockOfHost
        | Id::ClockUnknown
        | Id::CodeAlone
        | Id::ConfigurationIgnored
        | Id::DirectoryUnreachable
        | Id::DropbearCannotEnroll
        | Id::DropbearNotGuarded
        | Id::EnrollBlockedByPolkit
        | Id::EnrollWithoutSetcred
        | Id::FactorOfAnotherUid
        | Id::GuardPassedBy
        | Id::NoOwnStack
        | Id::NssHidesOutage
        | Id::NullokWithoutEffect
        | Id::PasswordTriedAsCode
        | Id::RootLocked
        | Id::RootNotAsked
        | Id::RootWithoutCode
        | Id::RuleDeadlineOver
        | Id::RuleGroupUnknown
        | Id::RuleLetsNobodyBy
        | Id::RuleLinkLocal
        | Id::RuleNeverDecides
        | Id::RuleNeverRemembers
        | Id::RuleRemembersCode
        | Id::RuleServiceUnknown
        | Id::RuleSkipsCode
        | Id::RuleUserUnknown
        | Id::SelinuxConfinedUsers
        | Id::ServicesOfFactorIncomplete
        | Id::SiblingOptionsDiffer
        | Id::SiblingWithoutCode
        | Id::SshdCodeAlone
        | Id::SshdDropInsNotRead
        | Id::SshdLinesLeft
        | Id::SshdGssapiAlone
        | Id::SshdGuardEndsLogins
        | Id::SshdHostbasedAlone
        | Id::SshdKerberosAlone
        | Id::SshdKeyAlone
        | Id::SshdMatchCannotAsk
        | Id::SshdMatchCodeAlone
        | Id::SshdMatchGssapiAlone
        | Id::SshdMatchGuardEndsLogins
        | Id::SshdMatchHostbasedAlone
        | Id::SshdMatchKerberosAlone
        | Id::SshdMatchKeyAlone
        | Id::SshdMatchMethodsWithoutCode
        | Id::SshdMatchPasswordAlone
        | Id::SshdMatchPasswordCannotAnswer
        | Id::SshdMatchServiceWithoutCode
        | Id::SshdMethodsWithoutCode
        | Id::SshdPasswordAlone
        | Id::SshdPasswordCannotAnswer
        | Id::SshdReloadUnknown
        | Id::SshdRootPasswordAlone
        | Id::SshdServiceWithoutCode
        | Id::SshdWithoutPam
        | Id::StackContinuesAfterWrongPassword
        | Id::StackOverrulesCode
        | Id::StackSkipsCode
        | Id::StoreCopyAlways
        | Id::StoreCopyOnWrite
        | Id::StoreInSnapshot
        | Id::StoreWaitsForDisk
        | Id::SudoAsksForOtherUser
        | Id::SudoRemembersCode
        | Id::SudoServiceWithoutCode
        | Id::SudoSkipsCode
        | Id::SudoersException
        | Id::SudoersIgnored
        | Id::TotpdNotStarted
        | Id::TotpdUnconfined
        | Id::TrialPending
        | Id::UsersNotCounted
        | Id::UsersNotYetEnrolled
        | Id::UsersWithoutFactor
        | Id::UsersWithoutUsableFactor => return None,
    };
    Some(reason)
}

#[cfg(test)]
mod tests {
    use super::super::document::parse;
    use super::*;

    #[test]
    fn what_shuts_out_or_is_unknown_is_never_accepted() {
        let refused: Vec<_> = FindingId::ALL
            .iter()
            .filter(|id| refuses(**id).is_some())
            .map(|id| id.token())
            .collect();
        assert_eq!(refused, REFUSED);
        for token in FindingId::ALL.iter().map(|id| id.token()) {
            let text = format!(
                "[[accepted]]\nid = \"{token}\"\nreason = \"r\"\nby = \"b\"\ndate = 2026-01-02\n"
            );
            match parse(&text) {
                Ok(_) => assert!(!REFUSED.contains(&token), "{token} is accepted"),
                Err((line, fault)) => {
                    assert!(REFUSED.contains(&token), "{token}: {fault}");
                    assert!(line == 2 && fault.contains("cannot be accepted"), "{token}: {fault}");
                }
            }
        }
    }

    const REFUSED: [&str; 52] = [
        "acceptances-invalid",
        "code-asked-twice",
        "configuration-invalid",
        "conflicting-module-options",
        "control-word-unreadable",
        "enrolled-users-unknown",
        "first-pass-is-password",
        "first-pass-missing",
        "guard-misplaced",
        "guard-shuts-out",
        "host-not-checked",
        "include-cycle",
        "insecure-permissions",
        "jump-past-end",
        "kernel-denied",
        "module-misplaced",
        "module-not-installed",
        "nobody-can-log-in",
        "nobody-enrolled",
        "nullok-without-password",
        "one-prompt-program",
        "option-invalid",
        "rule-denies-root",
        "selinux-module-missing",
        "selinux-servers-denied",
        "sshd-cannot-ask",
        "sshd-config-unreadable",
        "sshd-match-nobody-can-log-in",
        "sshd-match-root-cannot-log-in",
        "sshd-match-unknown",
        "sshd-nobody-can-log-in",
        "sshd-not-checked",
        "sshd-not-reloaded",
        "sshd-password-missing",
        "sshd-root-cannot-log-in",
        "stack-ambiguous",
        "stack-not-checked",
        "stack-too-long",
        "stack-unreadable",
        "store-disk-full",
        "store-disk-read-only",
        "store-left-out",
        "store-permissions",
        "stranger-can-enroll",
        "sudo-nobody-becomes-root",
        "sudoers-not-checked",
        "sudoers-unreadable",
        "totpd-replaced",
        "totpd-unreachable",
        "trial-not-reverted",
        "unit-cannot-start",
        "unknown-module-option",
    ];
}
