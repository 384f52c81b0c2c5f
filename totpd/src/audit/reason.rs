//! The reason of a decision: a stable token for programs, and a sentence for people.

use totpd_core::enrollment::{Completion, Confirmation, Enrolled};
use totpd_core::verification::{Reason as DenialReason, Verdict};

/// Defines the reasons, each with its token and its sentence.
macro_rules! reasons {
    ($($name:ident = $token:literal, $sentence:literal;)*) => {
        /// The reason of a decision.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Reason { $($name,)* }

        impl Reason {
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the token. It never changes, because dashboards and scripts compare it.
            pub(crate) fn token(self) -> &'static str {
                match self { $(Self::$name => $token,)* }
            }

            /// Returns the sentence, for the end of a message.
            pub(crate) fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

reasons! {
    CodeAccepted = "code-accepted", "right code";
    RecoveryCodeAccepted = "recovery-code-accepted", "right recovery code";
    FirstCodeAccepted = "first-code-accepted", "right first code; the login has to succeed";
    SkippedNotEnrolled = "skipped-not-enrolled", "not enrolled";
    SkippedByRule = "skipped-by-rule", "no code is needed here";
    SkippedRemembered = "skipped-remembered", "an earlier code is remembered";
    SkippedInBurst = "skipped-in-burst", "the code of a moment ago opens this connection too";
    SkippedUntilDeadline = "skipped-until-deadline", "not enrolled, and not due yet";
    FactorShown = "factor-shown-at-login", "the key of an unverified factor was shown";
    CodeWrong = "code-wrong", "wrong code";
    CodeReplayed = "code-replayed", "code already used";
    RecoveryCodeInvalid = "recovery-code-invalid", "a recovery code that was used or replaced before, or is wrong";
    CodeNotYetUsable = "code-not-yet-usable", "code from before its seed was imported";
    CodeVoid = "code-void", "the code may have been used before the records of that time were lost";
    FactorRestricted = "factor-restricted", "right code of a factor that is not allowed here or now";
    RecoveryCodeNotAllowed = "recovery-code-not-allowed", "no recovery code counts here";
    CodeNotGiven = "code-not-given", "no code was given";
    DeniedByRule = "denied-by-rule", "nobody gets in here";
    FactorsDisabled = "factors-disabled", "all factors are disabled: totpctl set";
    FactorUnsynchronized = "factor-unsynchronized", "the token must be resynchronized: totpctl resync";
    NotEnrolled = "not-enrolled", "not enrolled";
    NoSuchUser = "no-such-user", "no such user";
    UidChanged = "uid-changed", "the name belongs to another uid than at enrollment";
    Malformed = "malformed", "not a code";
    SshdBlockedLogin = "sshd-blocked-login", "sshd blocks this user and replaced the answer: see PermitRootLogin, AllowUsers, DenyUsers, AllowGroups and DenyGroups in sshd_config";
    RecordDamaged = "record-damaged", "the record is damaged: totpctl verify-store";
    Waiting = "waiting", "waiting after wrong codes";
    Locked = "locked", "locked: totpctl unlock";
    LockStarted = "lock-started", "too many wrong codes, locked from now on: totpctl unlock";
    FirstCodeWrong = "first-code-wrong", "wrong first code";
    FirstCodesExhausted = "first-codes-exhausted", "too many wrong first codes: the factor is removed";
    FactorExpired = "factor-expired", "the first code came too late: the factor is removed";
    FactorNotPending = "factor-not-pending", "no factor with this id is pending";
    NotMaker = "not-maker", "another maker added this factor";
    FactorConflict = "factor-conflict", "the user has this seed already, or too many factors";
    FactorVerified = "factor-verified", "factor verified by its first code";
    OtherFactorVerified = "other-factor-verified", "another factor was verified first";
    LoginTimedOut = "login-timed-out", "the login took too long to end";
    TokenUnknown = "token-unknown", "no factor is pending for this token";
    FactorAdded = "factor-added", "factor added";
    FactorAddedVerified = "factor-added-without-code", "factor added and verified without a code";
    FactorImported = "factor-imported", "factors taken over from another program";
    SeedsExported = "seeds-exported", "seeds handed out for another program";
    FactorShownAgain = "factor-shown-again", "pending factor shown again";
    FactorVerifiedWithoutCode = "factor-verified-without-code", "factor verified without a code";
    FactorChanged = "factor-changed", "factor changed";
    FactorRemoved = "factor-removed", "factor removed";
    RecordRemoved = "record-removed", "damaged record removed";
    RecoveryCodesRenewed = "recovery-codes-renewed", "recovery codes renewed";
    TokenResynchronized = "token-resynchronized", "token resynchronized";
    UserUnlocked = "user-unlocked", "wrong codes and remembered logins forgotten";
    TrustRevoked = "trust-revoked", "remembered logins ended";
    PasswordChanged = "password-changed", "the password changed, so remembered logins ended";
    ReauthenticationFailed = "reauthentication-failed", "refused: no valid current code";
    BackupMade = "backup-made", "backup made";
    StoreRestored = "store-restored", "store replaced by a backup";
    StoreRekeyed = "store-rekeyed", "all records are encrypted under a new key";
    DamageFound = "damaged-records-found", "damaged records found";
}

impl Reason {
    /// Returns the reason of `verdict`. An account that NSS does not know has no factor.
    pub(crate) fn from_verdict(verdict: &Verdict, is_known: bool) -> Self {
        match verdict {
            Verdict::Approved { factor: None, .. } => Self::RecoveryCodeAccepted,
            Verdict::Approved { factor: Some(_), .. } => Self::CodeAccepted,
            Verdict::Throttled { retry_after: None } => Self::Locked,
            Verdict::Throttled { retry_after: Some(_) } => Self::Waiting,
            Verdict::Void { .. } => Self::CodeVoid,
            Verdict::Denied(DenialReason::NotEnrolled) if !is_known => Self::NoSuchUser,
            Verdict::Denied(reason) => Self::from_denial(*reason),
        }
    }

    /// Returns the reason of a denial, for an account that NSS knows.
    pub(crate) fn from_denial(reason: DenialReason) -> Self {
        match reason {
            DenialReason::BlockedBySshd => Self::SshdBlockedLogin,
            DenialReason::CodeVoid => Self::CodeVoid,
            DenialReason::Disabled => Self::FactorsDisabled,
            DenialReason::Malformed => Self::Malformed,
            DenialReason::NotEnrolled => Self::NotEnrolled,
            DenialReason::Unsynchronized => Self::FactorUnsynchronized,
            DenialReason::UidChanged => Self::UidChanged,
            DenialReason::RecoveryNotAllowed => Self::RecoveryCodeNotAllowed,
            DenialReason::Restricted => Self::FactorRestricted,
            DenialReason::NotYetUsable => Self::CodeNotYetUsable,
            DenialReason::Replayed => Self::CodeReplayed,
            DenialReason::NoMatch => Self::CodeWrong,
            DenialReason::NoRecoveryCode => Self::RecoveryCodeInvalid,
        }
    }
}

impl From<&Confirmation> for Reason {
    fn from(confirmation: &Confirmation) -> Self {
        match confirmation {
            Confirmation::CodeVoid => Self::CodeVoid,
            Confirmation::Verified => Self::FactorVerified,
            Confirmation::Wrong { .. } => Self::FirstCodeWrong,
            Confirmation::TooManyAttempts => Self::FirstCodesExhausted,
            Confirmation::Expired => Self::FactorExpired,
            Confirmation::NotMaker => Self::NotMaker,
            Confirmation::NotPending => Self::FactorNotPending,
            Confirmation::Refused(_) => Self::FactorConflict,
        }
    }
}

impl From<Completion> for Reason {
    fn from(completion: Completion) -> Self {
        match completion {
            Completion::Verified => Self::FactorVerified,
            Completion::AlreadyEnrolled => Self::OtherFactorVerified,
            Completion::Expired => Self::LoginTimedOut,
            Completion::AlreadyVerified | Completion::Unknown => Self::TokenUnknown,
        }
    }
}

impl Reason {
    /// Returns the reason for the result of `Enroll`. The factor is verified by now or not.
    pub(crate) fn from_enrolled(enrolled: Enrolled, is_verified: bool) -> Self {
        match enrolled {
            Enrolled::Added if is_verified => Self::FactorAddedVerified,
            Enrolled::Added => Self::FactorAdded,
            Enrolled::Resumed => Self::FactorShownAgain,
            Enrolled::Verified => Self::FactorVerifiedWithoutCode,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::audit::condition::Condition;

    const PAGE: &str = include_str!("../../../docs/reference/events.md");

    /// Returns the first cell of each row below `heading`, without its backticks.
    fn rows(heading: &str) -> BTreeSet<&'static str> {
        let section = PAGE.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
        let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        cells.map(|(token, _)| token).filter(|token| *token != "TOTP_REASON").collect()
    }

    #[test]
    fn the_page_has_every_reason_and_no_other() {
        let reasons: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.token()).collect();
        assert_eq!(reasons.len(), Reason::ALL.len(), "each token is another one");
        assert_eq!(rows("Reasons"), reasons);
    }

    #[test]
    fn the_page_has_every_condition_and_no_other() {
        let tokens = Condition::ALL.iter().map(|condition| condition.token());
        assert_eq!(rows("Conditions of the daemon"), tokens.collect());
    }

    #[test]
    fn tokens_are_words_and_hyphens() {
        let tokens = Reason::ALL.iter().map(|reason| reason.token());
        for token in tokens.chain(Condition::ALL.iter().map(|condition| condition.token())) {
            assert!(token.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{token}");
        }
    }
}
