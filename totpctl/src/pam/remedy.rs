//! What makes a wrong password end a stack, by the program that writes the file of the password.

/// Which program writes the stacks of this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum StackWriter {
    /// authselect (Fedora, RHEL): the text of its configuration, which names the profile and its features.
    Authselect(String),
    /// pam-config (openSUSE).
    PamConfig,
    /// None that is known here.
    Nobody,
}

/// What to do where a wrong password does not end the stack at a line of `file`.
pub(crate) fn end_at_wrong_password(file: &str, writer: &StackWriter) -> String {
    match (file, writer) {
        ("system-auth" | "password-auth", StackWriter::Authselect(configuration)) => {
            let (profile, features) = profile_with_codes(configuration);
            format!(
                "Let authselect write a stack that asks after the right password alone: \
                 \"authselect select {profile} with-totp{features}\" (with-totp lets by who has no factor, \
                 with-totp-required nobody), and nothing is left to change here. Where none of our profiles has \
                 what yours has, make one of them your own first: \"authselect create-profile NAME -b {profile}\". \
                 See docs/distributions.md"
            )
        }
        ("common-auth" | "common-auth-pc", StackWriter::PamConfig) => String::from(
            "Put the example pam-config/common-auth of the package (with sssd: common-auth-sssd) in the place of \
             /etc/pam.d/common-auth, and nothing is left to change here. See docs/distributions.md",
        ),
        (file, _) => format!(
            "Have a wrong password end the stack in {file}. Write the line of the password as \
             \"auth [success=1 default=ignore] pam_unix.so\", and right behind it \
             \"auth requisite pam_deny.so\" (in the place of \"auth required pam_deny.so\"). With two password \
             modules in a row, the first one says success=2. Take {file} in by \"include\", since \"substack\" goes \
             on behind it. Keep a root shell open meanwhile: other services that take {file} in change too. See \
             docs/distributions.md"
        ),
    }
}

/// Our profile in the place of the one that is selected, and what of its features ours has too.
fn profile_with_codes(configuration: &str) -> (&'static str, String) {
    let mut lines = configuration.lines().map(str::trim).filter(|line| !line.is_empty());
    let profile = match lines.next() {
        Some("sssd" | "custom/sssd") => "totp-sssd",
        _ => "totp-local",
    };
    let kept = lines.filter(|feature| KEPT_FEATURES.contains(feature));
    (profile, kept.map(|feature| format!(" {feature}")).collect())
}

/// Features of the distribution's profiles that ours have by the same name.
const KEPT_FEATURES: [&str; 3] = ["with-faillock", "with-mkhomedir", "without-nullok"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authselect_goes_on_with_what_it_has() {
        for (configuration, command) in [
            ("sssd\nwith-faillock\nwith-sudo\n", "select totp-sssd with-totp with-faillock\""),
            ("local\n\nwith-silent-lastlog\n", "select totp-local with-totp\""),
            ("minimal\n", "select totp-local with-totp\""),
            ("", "select totp-local with-totp\""),
        ] {
            let writer = StackWriter::Authselect(configuration.into());
            let told = end_at_wrong_password("password-auth", &writer);
            assert!(told.contains(command), "{told}");
        }
    }

    #[test]
    fn a_file_of_nobody_is_changed_by_hand() {
        let authselect = StackWriter::Authselect("sssd\n".into());
        for (file, writer) in [
            ("vendor", &authselect),
            ("system-auth", &StackWriter::Nobody),
            ("sshd", &StackWriter::PamConfig),
        ] {
            let told = end_at_wrong_password(file, writer);
            assert!(told.contains("requisite pam_deny.so") && told.contains(file), "{told}");
        }
        let told = end_at_wrong_password("common-auth-pc", &StackWriter::PamConfig);
        assert!(told.contains("pam-config/common-auth of the package"), "{told}");
    }

    #[test]
    fn what_is_named_exists() {
        let packaging = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging");
        for name in ["local", "sssd"] {
            let template = format!("{packaging}/authselect/{name}/system-auth");
            let template = std::fs::read_to_string(template).unwrap();
            assert!(template.contains("\"with-totp\"") && template.contains("with-totp-required"));
            for feature in KEPT_FEATURES {
                assert!(template.contains(feature), "{name} {feature}");
            }
        }
        for name in ["common-auth", "common-auth-sssd"] {
            assert!(std::fs::exists(format!("{packaging}/pam-config/{name}")).unwrap(), "{name}");
        }
    }
}
