//! The templates of authselect, as authselect-profiles(5) has them. Tests use them for profiles on
//! machines without authselect.

/// Returns the text that authselect makes of a template with these features.
///
/// # Panics
///
/// If the template has an operator that is not known here.
pub fn rendered(template: &str, features: &[&str]) -> String {
    let mut features: Vec<_> = features.iter().map(|name| (*name).to_owned()).collect();
    for line in template.lines() {
        if let Some((implied, condition)) = operator(line, "imply ").map(|(_, inside, _)| {
            let (implied, condition) = inside.split_once(" if ").expect(line);
            (implied.trim_matches('"').to_owned(), condition)
        }) && holds(condition, &features)
        {
            features.push(implied);
        }
    }
    let line = |line: &str| {
        if line.contains("{imply ") {
            return None;
        }
        let mut line = line.to_owned();
        for (name, wanted) in [("include if ", true), ("exclude if ", false)] {
            if let Some((before, condition, after)) = operator(&line, name) {
                if holds(condition, &features) != wanted {
                    return None;
                }
                line = format!("{before}{after}");
            }
        }
        while let Some((before, inside, after)) = operator(&line, "if ") {
            let (condition, words) = inside.split_once(':').expect(inside);
            let (yes, no) = words.split_once('|').unwrap_or((words, ""));
            let word = if holds(condition, &features) { yes } else { no };
            line = format!("{before}{word}{after}");
        }
        assert!(!line.contains(['{', '}']), "{line}");
        Some(format!("{}\n", line.trim_end()))
    };
    template.lines().filter_map(line).collect()
}

/// Returns the text before, in and after the first operator of this name.
fn operator<'a>(line: &'a str, name: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (before, rest) = line.split_once(&format!("{{{name}"))?;
    let (inside, after) = rest.split_once('}')?;
    Some((before, inside, after))
}

fn holds(condition: &str, features: &[String]) -> bool {
    condition.split(" and ").all(|part| holds_alone(part, features))
}

fn holds_alone(condition: &str, features: &[String]) -> bool {
    let (name, wanted) = match condition.strip_prefix("not ") {
        Some(name) => (name, false),
        None => (condition, true),
    };
    features.iter().any(|feature| feature == name.trim_matches('"')) == wanted
}
