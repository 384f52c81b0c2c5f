//! What the parser of TOML says of a file, in the words of the manual.

/// Returns the message of the parser for a line, with the change to make where it is known.
pub(super) fn message(parser: &str, line: &str) -> String {
    let line = line.trim();
    if line == "[rule]" {
        return "write [[rule]] with two brackets: each rule is one of a list".into();
    }
    if parser.starts_with("missing field `then`") {
        return format!("{parser}; write then = {OUTCOMES}");
    }
    if parser.starts_with("invalid type: string") && parser.contains("expected a sequence") {
        let value = line.split_once('=').map(|(_, value)| value.trim());
        let value = value.filter(|value| value.starts_with('"') && value.ends_with('"'));
        return format!("this is a list; write [{}]", value.unwrap_or("\"…\""));
    }
    // Tables of later versions: they have no key yet, and the manual does not know them.
    parser.replace(LATER, "")
}

const LATER: &str = "`remember`, `policy`, ";
const OUTCOMES: &str = "\"require\", \"skip\", \"deny\" or \"enroll-by 2027-01-15\"";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::fragment::Fragment;

    #[test]
    fn a_fault_in_a_file_has_the_change_to_make() {
        for (text, expected) in [
            ("[rule]\nname = \"x\"\nthen = \"deny\"\n", "write [[rule]]"),
            (
                "[[rule]]\nname = \"x\"\n",
                "missing field `then`; write then = \"require\", \"skip\", \"deny\" or",
            ),
            (
                "[[rule]]\nname = \"x\"\nthen = \"skip\"\nfrom = \"10.9.9.0/24\"\n",
                "from: this is a list; write [\"10.9.9.0/24\"]",
            ),
            (
                "[[rule]]\nname = \"x\"\nthen = \"skip\"\nfrom = [\"10.9.9.0/33\"]\n",
                "the prefix is at most 32; write \"10.9.9.0/32\"",
            ),
            (
                "[[rule]]\nname = \"x\"\nthen = \"skip\"\nfrom = [\"::/129\"]\n",
                "the prefix is at most 128",
            ),
            ("[rules]\n", "`enrollment`, `verify`, `throttle`, `store`, `rule`"),
        ] {
            let told = Fragment::parse(Path::new("totpd.toml"), text).unwrap_err().to_string();
            assert!(told.contains(expected), "{text}: {told}");
        }
    }
}
