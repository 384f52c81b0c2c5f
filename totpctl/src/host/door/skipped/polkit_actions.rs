//! The actions that polkit allows by their own defaults, without a password. Pure.

/// Returns a phrase for each action that makes somebody root, and whose default is yes. `listing`:
/// the output of `pkaction --verbose`.
pub(super) fn exceptions(listing: &str) -> Vec<String> {
    let mut actions: Vec<Action> = Vec::new();
    for line in listing.lines() {
        let Some(setting) = line.strip_prefix("  ") else {
            let name = line.strip_suffix(':').unwrap_or_default();
            actions.extend((!name.is_empty()).then(|| Action { name, ..Action::default() }));
            continue;
        };
        let (Some(action), Some((key, value))) = (actions.last_mut(), setting.split_once(':'))
        else {
            continue;
        };
        let value = value.trim();
        match key {
            "implicit any" => action.everybody |= value == "yes",
            "implicit inactive" | "implicit active" => action.console |= value == "yes",
            "annotation" => {
                let program =
                    value.strip_prefix(PROGRAM).and_then(|rest| rest.strip_prefix(" -> "));
                action.program = program.or(action.program);
            }
            _ => {}
        }
    }
    actions.iter().filter_map(Action::exception).collect()
}

#[derive(Default)]
struct Action<'a> {
    name: &'a str,
    /// What pkexec runs for it.
    program: Option<&'a str>,
    /// Whether everybody may, or only users at the console.
    everybody: bool,
    console: bool,
}

impl Action<'_> {
    fn exception(&self) -> Option<String> {
        let who = match (self.everybody, self.console) {
            (true, _) => "everybody",
            (false, true) => "users at the console",
            (false, false) => return None,
        };
        let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let what = match self.program {
            Some(program) if HARMLESS_PROGRAMS.contains(&base(program).as_str()) => return None,
            Some(program) => format!("{}, which runs {program}", self.name),
            None if TO_ROOT.contains(&self.name) => self.name.to_owned(),
            None => return None,
        };
        Some(format!("{who} for {what} (the default of that action is yes)"))
    }
}

const PROGRAM: &str = "org.freedesktop.policykit.exec.path";
/// Those of desktops, which set the brightness of a display.
const HARMLESS_PROGRAMS: [&str; 4] = [
    "csd-backlight-helper",
    "gsd-backlight-helper",
    "mate-power-backlight-helper",
    "xfpm-power-backlight-helper",
];
/// Actions by which a user runs any program as root.
const TO_ROOT: [&str; 8] = [
    "org.freedesktop.accounts.user-administration",
    "org.freedesktop.machine1.host-shell",
    "org.freedesktop.machine1.shell",
    "org.freedesktop.policykit.exec",
    "org.freedesktop.portable1.attach-images",
    "org.freedesktop.systemd1.manage-unit-files",
    "org.freedesktop.systemd1.manage-units",
    "org.freedesktop.systemd1.set-environment",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_makes_root_by_its_default_is_found() {
        let action = |name: &str, any: &str, active: &str, program: &str| {
            format!(
                "{name}:\n  description:       x\n  message:           y: yes\n  implicit any:      {any}\n  \
                 implicit inactive: no\n  implicit active:   {active}\n{program}\n"
            )
        };
        let runs = |path: &str| format!("  annotation:        {PROGRAM} -> {path}\n");
        let listing = [
            action("x.y", "yes", "yes", &runs("/usr/bin/id")),
            action("x.z", "auth_admin", "yes", &runs("/usr/bin/z")),
            action("x.asks", "auth_admin", "auth_admin_keep", &runs("/usr/bin/z")),
            action("x.light", "no", "yes", &runs("/usr/libexec/gsd-backlight-helper")),
            action("x.mount", "no", "yes", ""),
            action("org.freedesktop.policykit.exec", "yes", "no", ""),
        ]
        .concat();
        assert_eq!(
            exceptions(&listing),
            [
                "everybody for x.y, which runs /usr/bin/id (the default of that action is yes)",
                "users at the console for x.z, which runs /usr/bin/z (the default of that action is yes)",
                "everybody for org.freedesktop.policykit.exec (the default of that action is yes)",
            ]
        );
        assert_eq!(exceptions(""), [""; 0]);
    }
}
