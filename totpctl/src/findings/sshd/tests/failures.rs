//! Findings of an sshd that does not answer.

use crate::findings::sshd::unreadable_finding;
use crate::host::sshd::question::{Failure, explain};

#[test]
fn an_error_of_sshd_is_explained() {
    let said = "sshd cannot read its configuration (sshd -T): ";
    for (messages, expected) in [
        (
            "debug2: load_server_config: filename /etc/ssh/sshd_config\n\
             /etc/ssh/sshd_config line 3: Deprecated option UsePrivilegeSeparation\r\n\
             /etc/ssh/sshd_config: line 7: Bad configuration option: Nonsense\n\
             /etc/ssh/sshd_config: terminating, 1 bad configuration options\n",
            format!("/etc/ssh/sshd_config:7: {said}Bad configuration option: Nonsense"),
        ),
        (
            "/etc/ssh/sshd_config.d/1.conf line 3: unsupported option \"maybe\".\r\n",
            format!("/etc/ssh/sshd_config.d/1.conf:3: {said}unsupported option \"maybe\""),
        ),
        (
            "Unknown authentication method \"\" in list\r\n\
             /etc/ssh/sshd_config.d/1.conf line 3: invalid AuthenticationMethods method list.\r\n",
            format!(
                "/etc/ssh/sshd_config.d/1.conf:3: {said}Unknown authentication method \"\" in list"
            ),
        ),
        (
            "sshd: no hostkeys available -- exiting.\n",
            format!("{said}it has no host keys, so it cannot start; run ssh-keygen -A"),
        ),
        (
            "Disabled method \"keyboard-interactive\" in AuthenticationMethods list \"x\"\n\
             AuthenticationMethods cannot be satisfied by enabled authentication methods\n",
            format!(
                "{said}AuthenticationMethods requires methods that are turned off, so sshd cannot start; \
                 turn on all methods of a list, for example KbdInteractiveAuthentication yes"
            ),
        ),
        ("", format!("{said}no message")),
    ] {
        let failure = explain(messages);
        assert_eq!(unreadable_finding(&failure).sentence(), expected);
        let is_invalid = !expected.contains("no host keys") && !expected.contains("no message");
        assert_eq!(failure.is_invalid, is_invalid, "{messages}");
    }
    assert!(!Failure::new("cannot run sshd -T: not found".into()).is_invalid);
}
