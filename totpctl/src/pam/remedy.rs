//! What to do about a line in a file of many services. It depends on the program that writes the
//! file.

/// The program that writes the stacks of this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum StackWriter {
    /// authselect (Fedora, RHEL): the text of its configuration, which names the profile and its
    /// features.
    Authselect(String),
    /// pam-auth-update (Debian, Ubuntu).
    PamAuthUpdate,
    /// pam-config (openSUSE).
    PamConfig,
    /// None that is known.
    Unknown,
}

/// Returns what to do if a wrong password does not end the stack in `file`.
pub(crate) fn end_at_wrong_password(file: &str, writer: &StackWriter) -> String {
    match (file, writer) {
        ("system-auth" | "password-auth", StackWriter::Authselect(configuration)) => {
            let (profile, features) = profile_with_codes(configuration);
            format!(
                "Have authselect write a stack that asks only after the right password: \
                 \"authselect select {profile} with-totp{features}\" (with-totp skips users without a factor, \
                 with-totp-required denies them). The files of services need no change then. If neither profile of the package has \
                 all that yours has, copy one first: \"authselect create-profile NAME -b {profile}\". \
                 See docs/admin/distributions.md"
            )
        }
        ("common-auth" | "common-auth-pc", StackWriter::PamConfig) => String::from(
            "Replace /etc/pam.d/common-auth with the example pam-config/common-auth of the package (with sssd: \
             common-auth-sssd). The files of services need no change then. See docs/admin/distributions.md",
        ),
        (file, _) => format!(
            "Make a wrong password end the stack in {file}. Write the line of the password as \
             \"auth [success=1 default=ignore] pam_unix.so\", and as the next line \
             \"auth requisite pam_deny.so\" (instead of \"auth required pam_deny.so\"). With two password \
             modules in a row, the first one needs success=2. Include {file} with \"include\", because the stack \
             continues after a \"substack\". Keep a root shell open: the change affects all services that include \
             {file}. See docs/admin/distributions.md"
        ),
    }
}

/// Returns how to change the options of the line of pam_totp.so in a file of many services, and how
/// to remove it.
pub(crate) fn change_line(file: &str, writer: &StackWriter) -> String {
    match (file, writer) {
        ("system-auth" | "password-auth", StackWriter::Authselect(_)) => String::from(
            "use authselect: \"authselect enable-feature with-totp-required\" denies users without a factor \
             (\"disable-feature\" skips them again); \"authselect disable-feature with-totp\" removes the line, \
             after \"authselect disable-feature with-totp-required\"",
        ),
        ("common-auth", StackWriter::PamAuthUpdate) => String::from(
            "edit the options of that line in /etc/pam.d/common-auth, and pam-auth-update keeps them; \
             \"pam-auth-update --disable totp\" removes the line of the profile",
        ),
        (file, _) => format!("change or remove that line in {file}"),
    }
}

/// Returns what to write in place of the only line of a service. `exists` reports whether there is
/// a file of PAM.
pub(crate) fn replace_line(exists: impl Fn(&str) -> bool) -> String {
    let line = if exists("password-auth") {
        "\"auth substack password-auth\""
    } else if exists("common-auth") {
        "\"@include common-auth\""
    } else {
        "a line that asks for the password"
    };
    format!(
        "in its place, write {line} by hand; if users have no password, first have sshd require the key alone \
         (AuthenticationMethods publickey) and reload it; test a new login before you leave this session"
    )
}

/// Returns the profile with codes that replaces the selected one, and the features that both have.
fn profile_with_codes(configuration: &str) -> (&'static str, String) {
    let mut lines = configuration.lines().map(str::trim).filter(|line| !line.is_empty());
    let profile = match lines.next() {
        Some("sssd" | "custom/sssd") => "totp-sssd",
        _ => "totp-local",
    };
    let features = lines.filter(|feature| COMMON_FEATURES.contains(feature));
    (profile, features.map(|feature| format!(" {feature}")).collect())
}

/// Features that the distribution's profiles and ours share.
const COMMON_FEATURES: [&str; 3] = ["with-faillock", "with-mkhomedir", "without-nullok"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authselect_keeps_its_features() {
        for (configuration, command) in [
            ("sssd\nwith-faillock\nwith-sudo\n", "select totp-sssd with-totp with-faillock\""),
            ("local\n\nwith-silent-lastlog\n", "select totp-local with-totp\""),
            ("minimal\n", "select totp-local with-totp\""),
            ("", "select totp-local with-totp\""),
        ] {
            let writer = StackWriter::Authselect(configuration.into());
            let text = end_at_wrong_password("password-auth", &writer);
            assert!(text.contains(command), "{text}");
        }
    }

    #[test]
    fn a_file_without_a_writer_is_changed_by_hand() {
        let authselect = StackWriter::Authselect("sssd\n".into());
        for (file, writer) in [
            ("vendor", &authselect),
            ("system-auth", &StackWriter::Unknown),
            ("sshd", &StackWriter::PamConfig),
        ] {
            let text = end_at_wrong_password(file, writer);
            assert!(text.contains("requisite pam_deny.so") && text.contains(file), "{text}");
        }
        let text = end_at_wrong_password("common-auth-pc", &StackWriter::PamConfig);
        assert!(text.contains("pam-config/common-auth of the package"), "{text}");
    }

    #[test]
    fn a_line_of_a_profile_is_changed_by_the_program_that_wrote_it() {
        let authselect = StackWriter::Authselect("local\n".into());
        for (file, writer, expected) in [
            ("password-auth", &authselect, "authselect enable-feature with-totp-required"),
            ("common-auth", &StackWriter::PamAuthUpdate, "pam-auth-update --disable totp"),
            ("common-auth", &StackWriter::PamConfig, "that line in common-auth"),
            ("vendor", &authselect, "that line in vendor"),
        ] {
            let text = change_line(file, writer);
            assert!(text.contains(expected), "{file}: {text}");
        }
        assert!(replace_line(|file| file == "common-auth").contains("\"@include common-auth\""));
        assert!(replace_line(|_| true).contains("\"auth substack password-auth\""));
        assert!(replace_line(|_| false).contains("write a line that asks for the password"));
    }

    #[test]
    fn named_profiles_and_examples_exist() {
        let packaging = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging");
        for name in ["local", "sssd"] {
            let template = format!("{packaging}/authselect/{name}/system-auth");
            let template = std::fs::read_to_string(template).unwrap();
            assert!(template.contains("\"with-totp\"") && template.contains("with-totp-required"));
            for feature in COMMON_FEATURES {
                assert!(template.contains(feature), "{name} {feature}");
            }
        }
        for name in ["common-auth", "common-auth-sssd"] {
            assert!(std::fs::exists(format!("{packaging}/pam-config/{name}")).unwrap(), "{name}");
        }
    }
}
