//! Files of keys and values in sections, as greeters have them. Pure.

/// A key that names a user who is logged in.
pub(super) struct Key {
    /// Its section; empty if it may stand anywhere.
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// The key that turns it on or off.
    pub(super) switch: Switch,
}

/// The key beside another that turns it on or off.
pub(super) enum Switch {
    /// There is none.
    None,
    /// The key counts if this one is on.
    IfOn(&'static str),
    /// The key counts unless this one is off.
    UnlessOff(&'static str),
}

/// Returns the values of these keys that are not empty, each with its line.
pub(super) fn values(text: &str, keys: &[Key]) -> Vec<(usize, String)> {
    let lines = lines(text);
    let is_on = |key: &Key, name: &str, default: bool| {
        let same = |line: &&Line| line.name == name && line.is_in(key.section);
        lines.iter().rfind(same).map_or(default, |line| is_true(&line.value))
    };
    let counts = |key: &Key| match key.switch {
        Switch::None => true,
        Switch::IfOn(name) => is_on(key, name, false),
        Switch::UnlessOff(name) => is_on(key, name, true),
    };
    let wanted = |line: &&Line| {
        let mut same = keys.iter().filter(|key| line.name == key.name && line.is_in(key.section));
        !line.value.is_empty() && same.any(counts)
    };
    lines.iter().filter(wanted).map(|line| (line.number, line.value.clone())).collect()
}

/// Reports whether a value turns something on.
pub(super) fn is_true(value: &str) -> bool {
    ["1", "on", "true", "yes"].contains(&value.to_ascii_lowercase().as_str())
}

struct Line<'a> {
    number: usize,
    section: &'a str,
    name: &'a str,
    value: String,
}

impl Line<'_> {
    fn is_in(&self, section: &str) -> bool {
        section.is_empty() || self.section.eq_ignore_ascii_case(section)
    }
}

/// Returns the lines with a value. `=` or a blank separates it from the key.
fn lines(text: &str) -> Vec<Line<'_>> {
    let (mut section, mut found) = ("", Vec::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(inside) = line.strip_prefix('[') {
            section = inside.split(']').next().unwrap_or_default().trim();
            continue;
        }
        let parts = line.split_once('=').or_else(|| line.split_once([' ', '\t']));
        if let Some((name, value)) = parts {
            let value = unquote(value.trim()).to_owned();
            found.push(Line { number: index + 1, section, name: name.trim(), value });
        }
    }
    found
}

/// Returns a value without its quotes, and what stands behind them.
fn unquote(value: &str) -> &str {
    let inside = |quote| value.strip_prefix(quote)?.split(quote).next();
    let plain = inside('"').or_else(|| inside('\''));
    plain.unwrap_or_else(|| value.split_once(" #").map_or(value, |(value, _)| value).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn key(section: &'static str, name: &'static str, switch: Switch) -> Key {
        Key { section, name, switch }
    }

    #[test]
    fn a_key_counts_in_its_section_and_if_it_is_turned_on() {
        let sddm = [key("Autologin", "User", Switch::None)];
        let gdm = [key("daemon", "AutomaticLogin", Switch::UnlessOff("AutomaticLoginEnable"))];
        let slim = [key("", "default_user", Switch::IfOn("auto_login"))];
        let greetd = [key("", "user", Switch::None)];
        for (text, keys, expected) in [
            ("[X11]\nUser=root\n[Autologin]\nUser = bob\n", &sddm, Some((4, "bob"))),
            ("[Autologin]\nUser=\n#User=x\n", &sddm, None),
            ("[daemon]\nAutomaticLogin=al\nAutomaticLoginEnable=True\n", &gdm, Some((2, "al"))),
            ("[daemon]\nAutomaticLogin=al\nAutomaticLoginEnable=false\n", &gdm, None),
            ("[daemon]\nAutomaticLogin=al\n", &gdm, Some((2, "al"))),
            ("default_user  al\nauto_login yes\n", &slim, Some((1, "al"))),
            ("default_user  al\n", &slim, None),
            ("user = 'al'\n", &greetd, Some((1, "al"))),
            ("user = \"al\" # me\n", &greetd, Some((1, "al"))),
            ("user = al # me\n", &greetd, Some((1, "al"))),
        ] {
            let found = values(text, keys);
            let expected: Vec<_> =
                expected.map(|(line, user)| (line, user.to_owned())).into_iter().collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
