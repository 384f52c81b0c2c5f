//! The profile of authselect with codes that replaces the selected one.

/// Returns the advice for a host with this configuration of authselect. That is the name of the
/// profile, and its features on lines of their own.
pub(super) fn advice(configuration: &str) -> String {
    let mut lines = configuration.lines().map(str::trim).filter(|line| !line.is_empty());
    let present = lines.next().unwrap_or("local");
    let features: Vec<_> = lines.filter(|feature| !OURS.contains(feature)).collect();
    let Some(ready) = Ready::replacing(present) else { return own_alone(present) };
    let Ready { name, keeps, .. } = ready;
    let is_kept = |feature: &&&str| FOR_BOTH.contains(*feature) || keeps.contains(*feature);
    let kept: String =
        features.iter().filter(is_kept).map(|feature| format!(" {feature}")).collect();
    let is_lost = |feature: &&&str| !is_kept(feature) && !WITHOUT_EFFECT.contains(*feature);
    let lost: Vec<_> = features.iter().filter(is_lost).copied().collect();
    let select = format!("\"authselect select {name} with-totp{kept}\"");
    match lost.is_empty() {
        true => format!(
            "Have authselect write a stack that asks only after the right password: {select} {WHO_IS_ASKED}. \
             {NO_OTHER_CHANGE}"
        ),
        false => format!(
            "The profile {name} of the package has no counterpart for these features of your profile: {}. To \
             keep them, make a profile of your own from it: \"authselect create-profile NAME -b {name}\". Add \
             their lines to its files in /etc/authselect/custom/NAME. Then \"authselect select custom/NAME \
             with-totp{kept}\" {WHO_IS_ASKED}. Without them, {select} is enough. {NO_OTHER_CHANGE}",
            lost.join(", ")
        ),
    }
}

/// Returns the advice for a profile whose users none of the package knows, as far as can be told.
fn own_alone(present: &str) -> String {
    format!(
        "Do not select totp-local or totp-sssd in the place of your profile {present:?}: its users might then be \
         shut out. Make a profile of your own: \"authselect create-profile NAME -b totp-sssd\". In \
         /etc/authselect/custom/NAME, write the modules and sources of {present:?} in the place of pam_sss.so \
         and sss. Add the lines of its features. Then \"authselect select custom/NAME with-totp\" \
         {WHO_IS_ASKED}. {NO_OTHER_CHANGE}"
    )
}

/// A profile of the package.
struct Ready {
    name: &'static str,
    /// The profiles whose users it knows.
    replaces: &'static [&'static str],
    /// The features that it has besides those of [`FOR_BOTH`].
    keeps: &'static [&'static str],
}

impl Ready {
    /// Returns the one that knows all users of a profile. A custom profile may have any.
    fn replacing(present: &str) -> Option<&'static Self> {
        READY.iter().find(|ready| ready.name == present || ready.replaces.contains(&present))
    }
}

const READY: [Ready; 2] = [
    Ready { name: "totp-local", replaces: &["local", "minimal"], keeps: &[] },
    Ready { name: "totp-sssd", replaces: &["sssd"], keeps: &["with-sudo", "with-subid"] },
];
/// Features that both profiles have.
const FOR_BOTH: [&str; 7] = [
    "with-altfiles",
    "with-faillock",
    "with-libvirt",
    "with-mdns4",
    "with-mdns6",
    "with-mkhomedir",
    "without-nullok",
];
/// Features that turn off what the profiles never do.
const WITHOUT_EFFECT: [&str; 2] = ["with-silent-lastlog", "without-lastlog-showfailed"];
/// Features of the profiles alone.
const OURS: [&str; 2] = ["with-totp", "with-totp-required"];
const WHO_IS_ASKED: &str =
    "(with-totp skips users without a factor, with-totp-required denies them)";
const NO_OTHER_CHANGE: &str =
    "The files of services need no change then. See docs/admin/distributions.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_of_the_same_users_keeps_its_features() {
        for (configuration, command) in [
            (
                "sssd\nwith-faillock\nwith-sudo\n",
                "select totp-sssd with-totp with-faillock with-sudo\"",
            ),
            ("local\n\nwith-silent-lastlog\n", "select totp-local with-totp\""),
            (
                "local\nwith-altfiles\nwith-mdns4\n",
                "totp-local with-totp with-altfiles with-mdns4\"",
            ),
            ("minimal\n", "select totp-local with-totp\""),
            ("totp-sssd\nwith-faillock\n", "select totp-sssd with-totp with-faillock\""),
            ("", "select totp-local with-totp\""),
        ] {
            let told = advice(configuration);
            assert!(told.starts_with("Have authselect") && told.contains(command), "{told}");
        }
    }

    #[test]
    fn lost_features_are_named_before_any_command() {
        let told = advice("sssd\nwith-pamaccess\nwith-sudo\nwith-smartcard\n");
        let lost = told.find("with-pamaccess, with-smartcard. ").expect(&told);
        let own = told.find("create-profile NAME -b totp-sssd").expect(&told);
        let ready = told.find("select totp-sssd with-totp with-sudo\"").expect(&told);
        assert!(lost < own && own < ready, "{told}");
        assert!(told.contains("select custom/NAME with-totp with-sudo\""), "{told}");
    }

    #[test]
    fn no_command_shuts_out_the_users_of_another_profile() {
        for profile in ["winbind", "nis", "custom/corp", "custom/sssd"] {
            let told = advice(&format!("{profile}\nwith-faillock\n"));
            let commands = told.split('"').filter(|text| text.starts_with("authselect "));
            let commands: Vec<_> = commands.collect();
            let expected = [
                "authselect create-profile NAME -b totp-sssd",
                "authselect select custom/NAME with-totp",
            ];
            assert_eq!(commands, expected, "{told}");
        }
    }

    #[test]
    fn the_profiles_have_their_features() {
        let packaging = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/authselect");
        for Ready { name, keeps, .. } in &READY {
            let folder = format!("{packaging}/{}", name.trim_start_matches("totp-"));
            let files = ["system-auth", "nsswitch.conf"]
                .map(|file| std::fs::read_to_string(format!("{folder}/{file}")).unwrap());
            let text = files.concat();
            // Since authselect 1.5 this is all of /etc/nsswitch.conf.
            for map in
                ["hosts", "networks", "services", "gshadow", "netgroup", "automount", "aliases"]
            {
                assert!(
                    text.lines().any(|line| line.starts_with(&format!("{map}:"))),
                    "{name} {map}"
                );
            }
            for feature in OURS.iter().chain(&FOR_BOTH).chain(*keeps) {
                assert!(text.contains(&format!("\"{feature}\"")), "{name} {feature}");
            }
        }
    }
}
