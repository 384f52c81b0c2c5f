//! The findings of doctor. `docs/reference/doctor.md` explains each id.

use serde_json::{Map, Value, json};

use crate::terminal::output;

/// A problem or a note.
#[derive(Debug)]
pub(crate) struct Finding {
    id: FindingId,
    /// The file, with its absolute path, and the line, from 1.
    location: Option<(String, Option<usize>)>,
    /// What is wrong, and why.
    message: String,
    /// The change to make, as an imperative; none if `message` names it.
    fix: Option<String>,
    /// What the finding depends on besides its line. An acceptance ends when it changes.
    basis: Option<String>,
}

impl Finding {
    pub(crate) fn new(id: FindingId, message: impl Into<String>) -> Self {
        Self { id, location: None, message: message.into(), fix: None, basis: None }
    }

    /// Returns its kind.
    pub(crate) fn id(&self) -> FindingId {
        self.id
    }

    /// Adds the change to make: an imperative, without a full stop.
    pub(crate) fn fix(self, change: impl Into<String>) -> Self {
        Self { fix: Some(change.into()), ..self }
    }

    /// Adds what it depends on besides its line, if anything.
    pub(crate) fn depends_on(self, basis: Option<String>) -> Self {
        Self { basis, ..self }
    }

    /// Has it depend on all these names, of which the message has only the first ones.
    pub(crate) fn lists(self, names: &[String]) -> Self {
        self.depends_on(output::unnamed(names))
    }

    /// Returns what it depends on besides its line.
    pub(crate) fn basis(&self) -> Option<&str> {
        self.basis.as_deref()
    }

    /// Adds the file.
    pub(crate) fn in_file(self, file: impl Into<String>) -> Self {
        Self { location: Some((file.into(), None)), ..self }
    }

    /// Adds the file and the line.
    pub(crate) fn at(self, (file, line): (String, usize)) -> Self {
        Self { location: Some((file, Some(line))), ..self }
    }

    /// Returns the file, and the line if it is known.
    pub(crate) fn location(&self) -> Option<(&str, Option<usize>)> {
        self.location.as_ref().map(|(file, line)| (file.as_str(), *line))
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Adds a remark in parentheses to the message.
    pub(crate) fn remark(mut self, remark: &str) -> Self {
        self.annotate(remark);
        self
    }

    /// Adds a remark in parentheses to the message.
    pub(crate) fn annotate(&mut self, remark: &str) {
        self.message = format!("{} ({remark})", self.message);
    }

    /// Returns the location, the message and the change to make, without the id.
    pub(crate) fn sentence(&self) -> String {
        let fix = self.fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default();
        match &self.location {
            Some((file, Some(line))) => format!("{file}:{line}: {}{fix}", self.message),
            Some((file, None)) => format!("{file}: {}{fix}", self.message),
            None => format!("{}{fix}", self.message),
        }
    }

    /// Returns the line that is printed: location, message and id.
    pub(crate) fn line(&self) -> String {
        format!("{} [{}]", self.sentence(), self.id.token())
    }

    /// Returns the JSON object: `id`, `message`, and `service`, `fix`, `file` and `line` if known.
    pub(crate) fn json(&self, service: Option<&str>) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("id".into(), self.id.token().into());
        object.extend(service.map(|service| ("service".to_owned(), json!(service))));
        object.insert("message".into(), self.message.as_str().into());
        object.extend(self.fix.as_ref().map(|fix| ("fix".to_owned(), json!(fix))));
        if let Some((file, line)) = &self.location {
            object.insert("file".into(), file.as_str().into());
            object.extend(line.map(|line| ("line".to_owned(), json!(line))));
        }
        object
    }
}

macro_rules! finding_ids {
    ($($name:ident = $token:literal,)*) => {
        /// The kind of a finding. The token is stable, because scripts compare it.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum FindingId {
            $($name,)*
        }

        impl FindingId {
            /// Returns the token in the JSON and in brackets behind a finding.
            pub(crate) fn token(self) -> &'static str {
                match self {
                    $(Self::$name => $token,)*
                }
            }

            /// Returns the id with this token.
            pub(crate) fn parse(token: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|id| id.token() == token)
            }

            /// All ids, in the order of their tokens.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

finding_ids! {
    AcceptancesInvalid = "acceptances-invalid",
    AccountReplacesChecks = "account-replaces-checks",
    ClockNotSynchronized = "clock-not-synchronized",
    ClockOfHost = "clock-of-host",
    ClockUnknown = "clock-unknown",
    CodeAlone = "code-alone",
    CodeAskedTwice = "code-asked-twice",
    ConfigurationIgnored = "configuration-ignored",
    ConfigurationInvalid = "configuration-invalid",
    ConflictingOptions = "conflicting-module-options",
    ControlUnreadable = "control-word-unreadable",
    DirectoryUnreachable = "directory-unreachable",
    DropbearCannotEnroll = "dropbear-cannot-enroll",
    DropbearNotGuarded = "dropbear-not-guarded",
    EnrollBlockedByPolkit = "enroll-blocked-by-polkit",
    EnrollWithoutSetcred = "enroll-without-setcred",
    EnrolledUnknown = "enrolled-users-unknown",
    FactorOfAnotherUid = "factor-of-another-uid",
    FirstPassIsPassword = "first-pass-is-password",
    FirstPassMissing = "first-pass-missing",
    GuardMisplaced = "guard-misplaced",
    GuardPassedBy = "guard-passed-by",
    GuardShutsOut = "guard-shuts-out",
    HostNotChecked = "host-not-checked",
    IncludeCycle = "include-cycle",
    InsecurePermissions = "insecure-permissions",
    JumpPastEnd = "jump-past-end",
    KernelDenied = "kernel-denied",
    ModuleMisplaced = "module-misplaced",
    ModuleNotInstalled = "module-not-installed",
    NoOwnStack = "no-own-stack",
    NobodyCanLogIn = "nobody-can-log-in",
    NobodyEnrolled = "nobody-enrolled",
    NssHidesOutage = "nss-hides-outage",
    NullokWithoutEffect = "nullok-without-effect",
    NullokWithoutPassword = "nullok-without-password",
    OnePromptProgram = "one-prompt-program",
    OptionInvalid = "option-invalid",
    PasswordTriedAsCode = "password-tried-as-code",
    RootLocked = "root-locked",
    RootNotAsked = "root-not-asked",
    RootWithoutCode = "root-without-code",
    RuleDeadlineOver = "rule-deadline-over",
    RuleDeniesRoot = "rule-denies-root",
    RuleGroupUnknown = "rule-group-unknown",
    RuleLetsNobodyBy = "rule-lets-nobody-by",
    RuleLinkLocal = "rule-link-local",
    RuleNeverDecides = "rule-never-decides",
    RuleNeverRemembers = "rule-never-remembers",
    RuleRemembersCode = "rule-remembers-code",
    RuleServiceUnknown = "rule-service-unknown",
    RuleSkipsCode = "rule-skips-code",
    RuleUserUnknown = "rule-user-unknown",
    SelinuxConfinedUsers = "selinux-confined-users",
    SelinuxModuleMissing = "selinux-module-missing",
    SelinuxServersDenied = "selinux-servers-denied",
    ServicesOfFactorIncomplete = "services-of-factor-incomplete",
    SiblingOptionsDiffer = "sibling-options-differ",
    SiblingWithoutCode = "sibling-without-code",
    SshdCannotAsk = "sshd-cannot-ask",
    SshdCodeAlone = "sshd-code-alone",
    SshdConfigUnreadable = "sshd-config-unreadable",
    SshdDropInsNotRead = "sshd-drop-ins-not-read",
    SshdGssapiAlone = "sshd-gssapi-alone",
    SshdGuardEndsLogins = "sshd-guard-ends-logins",
    SshdHostbasedAlone = "sshd-hostbased-alone",
    SshdKerberosAlone = "sshd-kerberos-alone",
    SshdKeyAlone = "sshd-key-alone",
    SshdLinesLeft = "sshd-lines-left",
    SshdMatchCannotAsk = "sshd-match-cannot-ask",
    SshdMatchCodeAlone = "sshd-match-code-alone",
    SshdMatchGssapiAlone = "sshd-match-gssapi-alone",
    SshdMatchGuardEndsLogins = "sshd-match-guard-ends-logins",
    SshdMatchHostbasedAlone = "sshd-match-hostbased-alone",
    SshdMatchKerberosAlone = "sshd-match-kerberos-alone",
    SshdMatchKeyAlone = "sshd-match-key-alone",
    SshdMatchMethodsWithoutCode = "sshd-match-methods-without-code",
    SshdMatchNobodyCanLogIn = "sshd-match-nobody-can-log-in",
    SshdMatchPasswordAlone = "sshd-match-password-alone",
    SshdMatchPasswordCannotAnswer = "sshd-match-password-cannot-answer",
    SshdMatchRootCannotLogIn = "sshd-match-root-cannot-log-in",
    SshdMatchServiceWithoutCode = "sshd-match-service-without-code",
    SshdMatchUnknown = "sshd-match-unknown",
    SshdMethodsWithoutCode = "sshd-methods-without-code",
    SshdNobodyCanLogIn = "sshd-nobody-can-log-in",
    SshdNotChecked = "sshd-not-checked",
    SshdNotReloaded = "sshd-not-reloaded",
    SshdPasswordAlone = "sshd-password-alone",
    SshdPasswordCannotAnswer = "sshd-password-cannot-answer",
    SshdPasswordMissing = "sshd-password-missing",
    SshdReloadUnknown = "sshd-reload-unknown",
    SshdRootCannotLogIn = "sshd-root-cannot-log-in",
    SshdRootPasswordAlone = "sshd-root-password-alone",
    SshdServiceWithoutCode = "sshd-service-without-code",
    SshdWithoutPam = "sshd-without-pam",
    StackAmbiguous = "stack-ambiguous",
    StackContinuesAfterWrongPassword = "stack-continues-after-wrong-password",
    StackNotChecked = "stack-not-checked",
    StackOverrulesCode = "stack-overrules-code",
    StackSkipsCode = "stack-skips-code",
    StackTooLong = "stack-too-long",
    StackUnreadable = "stack-unreadable",
    StoreCopyAlways = "store-copy-always",
    StoreCopyOnWrite = "store-copy-on-write",
    StoreDiskFull = "store-disk-full",
    StoreDiskReadOnly = "store-disk-read-only",
    StoreInSnapshot = "store-in-snapshot",
    StoreLeftOut = "store-left-out",
    StorePermissions = "store-permissions",
    StoreWaitsForDisk = "store-waits-for-disk",
    StrangerCanEnroll = "stranger-can-enroll",
    SudoAsksForOtherUser = "sudo-asks-for-other-user",
    SudoNobodyBecomesRoot = "sudo-nobody-becomes-root",
    SudoRemembersCode = "sudo-remembers-code",
    SudoServiceWithoutCode = "sudo-service-without-code",
    SudoSkipsCode = "sudo-skips-code",
    SudoersException = "sudoers-exception",
    SudoersIgnored = "sudoers-ignored",
    SudoersNotChecked = "sudoers-not-checked",
    SudoersUnreadable = "sudoers-unreadable",
    TotpdNotStarted = "totpd-not-started",
    TotpdReplaced = "totpd-replaced",
    TotpdUnconfined = "totpd-unconfined",
    TotpdUnreachable = "totpd-unreachable",
    TrialNotReverted = "trial-not-reverted",
    TrialPending = "trial-pending",
    UnitCannotStart = "unit-cannot-start",
    UnknownModuleOption = "unknown-module-option",
    UsersNotCounted = "users-not-counted",
    UsersNotYetEnrolled = "users-not-yet-enrolled",
    UsersWithoutFactor = "users-without-factor",
    UsersWithoutUsableFactor = "users-without-usable-factor",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_reference_page_lists_every_id_once() {
        let page = include_str!("../../../docs/reference/doctor.md");
        let listed: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
            .filter(|(_, rest)| rest.starts_with("problem |") || rest.starts_with("note |"))
            .map(|(id, _)| id)
            .collect();
        let tokens: BTreeSet<_> = FindingId::ALL.iter().map(|id| id.token()).collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), tokens);
        assert_eq!((listed.len(), tokens.len()), (tokens.len(), FindingId::ALL.len()));
    }

    #[test]
    fn every_id_is_a_kebab_case_token() {
        for id in FindingId::ALL {
            let token = id.token();
            assert!(token.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{token}");
            assert!(!token.starts_with('-') && !token.ends_with('-'), "{token}");
        }
    }

    #[test]
    fn a_finding_prints_location_message_and_id() {
        let finding = Finding::new(FindingId::StackTooLong, "too long").at(("/etc/x".into(), 3));
        assert_eq!(finding.line(), "/etc/x:3: too long [stack-too-long]");
        let json = |finding: &Finding, service| Value::from(finding.json(service)).to_string();
        let expected = r#"{"id":"stack-too-long","message":"too long","file":"/etc/x","line":3}"#;
        assert_eq!(json(&finding, None), expected);
        let finding = finding.fix("shorten it");
        assert_eq!(finding.line(), "/etc/x:3: too long; shorten it [stack-too-long]");
        let expected = r#"{"id":"stack-too-long","service":"x","message":"too long","fix":"shorten it","file":"/etc/x","line":3}"#;
        assert_eq!(json(&finding, Some("x")), expected);
        let finding = Finding::new(FindingId::ClockUnknown, "unknown");
        assert_eq!(finding.line(), "unknown [clock-unknown]");
        assert_eq!(json(&finding, None), r#"{"id":"clock-unknown","message":"unknown"}"#);
        assert_eq!(finding.remark("again").line(), "unknown (again) [clock-unknown]");
    }
}
