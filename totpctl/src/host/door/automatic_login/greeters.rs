//! The greeters that may log a user in by themselves, and where they have that user. Pure.

use super::key_file::{Key, Switch, is_true};

/// A greeter.
pub(super) struct Greeter {
    pub(super) name: &'static str,
    /// Its files, as patterns.
    pub(super) files: &'static [&'static str],
    pub(super) keys: &'static [Key],
    /// What the values are.
    value: Value,
}

/// What the value of a key is.
#[derive(Clone, Copy)]
enum Value {
    /// The user.
    User,
    /// Whether it logs in the user that the file is named after.
    IsOn,
    /// Whether it logs in a guest.
    Guest,
}

impl Greeter {
    /// Returns the user that a value in a file of this name logs in.
    pub(super) fn user(&self, value: &str, file: &str) -> Option<String> {
        match self.value {
            Value::User => (!NOBODY.contains(&value)).then(|| value.to_owned()),
            Value::IsOn => is_true(value).then(|| file.to_owned()),
            Value::Guest => is_true(value).then(|| "a guest".to_owned()),
        }
    }
}

const fn key(section: &'static str, name: &'static str) -> Key {
    Key { section, name, switch: Switch::None }
}

/// Users of greeters themselves, and the word of ly for none.
const NOBODY: [&str; 5] = ["_greetd", "cosmic-greeter", "greetd", "greeter", "null"];
const LIGHTDM: &[&str] = &[
    "/etc/lightdm/lightdm.conf",
    "/etc/lightdm/lightdm.conf.d/*.conf",
    "/etc/xdg/lightdm/lightdm.conf.d/*.conf",
    "/usr/local/share/lightdm/lightdm.conf.d/*.conf",
    "/usr/share/lightdm/lightdm.conf.d/*.conf",
];

/// All of them.
pub(super) const GREETERS: &[Greeter] = &[
    Greeter {
        name: "GDM",
        files: &[
            "/etc/gdm*/daemon.conf",
            "/etc/gdm*/custom.conf",
            "/etc/gdm*/custom.conf.d/*.conf",
        ],
        keys: &[
            Key {
                section: "daemon",
                name: "AutomaticLogin",
                switch: Switch::UnlessOff("AutomaticLoginEnable"),
            },
            Key {
                section: "daemon",
                name: "TimedLogin",
                switch: Switch::UnlessOff("TimedLoginEnable"),
            },
        ],
        value: Value::User,
    },
    Greeter {
        name: "AccountsService",
        files: &["/var/lib/AccountsService/users/*"],
        keys: &[key("User", "AutomaticLogin")],
        value: Value::IsOn,
    },
    Greeter {
        name: "LightDM",
        files: LIGHTDM,
        keys: &[key("", "autologin-user")],
        value: Value::User,
    },
    Greeter {
        name: "LightDM",
        files: LIGHTDM,
        keys: &[key("", "autologin-guest")],
        value: Value::Guest,
    },
    Greeter {
        name: "SDDM",
        files: &["/etc/sddm.conf", "/etc/sddm.conf.d/*.conf", "/usr/lib/sddm/sddm.conf.d/*.conf"],
        keys: &[key("Autologin", "User")],
        value: Value::User,
    },
    Greeter {
        name: "Plasma login",
        files: &[
            "/etc/plasmalogin.conf",
            "/etc/plasmalogin.conf.d/*.conf",
            "/usr/lib/plasmalogin/plasmalogin.conf.d/*.conf",
        ],
        keys: &[key("Autologin", "User")],
        value: Value::User,
    },
    Greeter {
        name: "LXDM",
        files: &["/etc/lxdm/lxdm.conf"],
        keys: &[key("", "autologin")],
        value: Value::User,
    },
    Greeter {
        name: "greetd",
        files: &["/etc/greetd/*.toml"],
        keys: &[key("", "user")],
        value: Value::User,
    },
    Greeter {
        name: "ly",
        files: &["/etc/ly/config.ini"],
        keys: &[key("", "auto_login_user")],
        value: Value::User,
    },
    Greeter {
        name: "SLiM",
        files: &["/etc/slim.conf"],
        keys: &[Key { section: "", name: "default_user", switch: Switch::IfOn("auto_login") }],
        value: Value::User,
    },
    Greeter {
        name: "nodm",
        files: &["/etc/default/nodm", "/etc/nodm.conf"],
        keys: &[Key { section: "", name: "NODM_USER", switch: Switch::UnlessOff("NODM_ENABLED") }],
        value: Value::User,
    },
    Greeter {
        name: "emptty",
        files: &["/etc/emptty/conf"],
        keys: &[Key { section: "", name: "DEFAULT_USER", switch: Switch::IfOn("AUTOLOGIN") }],
        value: Value::User,
    },
    Greeter {
        name: "display manager of openSUSE",
        files: &["/etc/sysconfig/displaymanager"],
        keys: &[key("", "DISPLAYMANAGER_AUTOLOGIN")],
        value: Value::User,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::door::automatic_login::key_file::values;

    #[test]
    fn each_greeter_names_the_user_that_it_logs_in() {
        for (name, file, text, expected) in [
            ("GDM", "custom.conf", "[daemon]\nTimedLogin=al\n", Some("al")),
            ("AccountsService", "al", "[User]\nAutomaticLogin=true\n", Some("al")),
            ("AccountsService", "al", "[User]\nAutomaticLogin=false\n", None),
            ("LightDM", "x.conf", "[Seat:*]\n#autologin-user=x\nautologin-user = al\n", Some("al")),
            ("LightDM", "x.conf", "[Seat:*]\nautologin-guest=true\n", Some("a guest")),
            ("SDDM", "sddm.conf", "[X11]\nUser=root\n", None),
            ("Plasma login", "plasmalogin.conf", "[Autologin]\nUser=al\n", Some("al")),
            ("LXDM", "lxdm.conf", "[base]\nautologin=al\n", Some("al")),
            ("greetd", "config.toml", "[initial_session]\nuser = 'al'\n", Some("al")),
            ("greetd", "config.toml", "[default_session]\nuser = \"greeter\"\n", None),
            ("ly", "config.ini", "auto_login_user = al\n", Some("al")),
            ("ly", "config.ini", "auto_login_user = null\n", None),
            ("SLiM", "slim.conf", "default_user al\nauto_login yes\n", Some("al")),
            ("nodm", "nodm", "NODM_ENABLED=true\nNODM_USER=al\n", Some("al")),
            ("emptty", "conf", "DEFAULT_USER=al\nAUTOLOGIN=true\n", Some("al")),
            (
                "display manager of openSUSE",
                "displaymanager",
                "DISPLAYMANAGER_AUTOLOGIN=\"al\"\n",
                Some("al"),
            ),
        ] {
            let found =
                GREETERS.iter().filter(|greeter| greeter.name == name).flat_map(|greeter| {
                    let values = values(text, greeter.keys).into_iter();
                    values.filter_map(|(_, value)| greeter.user(&value, file)).collect::<Vec<_>>()
                });
            let found: Vec<_> = found.collect();
            let expected: Vec<_> = expected.into_iter().collect();
            assert_eq!(found, expected, "{name}: {text}");
        }
    }
}
