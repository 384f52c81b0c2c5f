//! The modules whose success proves something about a person.

use crate::inert::is_inert;
use crate::stack::Rule;

/// Reports whether the success of a module proves something about the person who logs in. Modules
/// that are not known may.
pub(crate) fn proves_identity(rule: &Rule) -> bool {
    !is_inert(rule) && !ASK_AND_PROVE_NOTHING.contains(&rule.module())
}

/// Modules that may ask, and prove nothing: they unlock a key ring, or filter the terminal.
const ASK_AND_PROVE_NOTHING: [&str; 3] = ["pam_filter", "pam_gnome_keyring", "pam_kwallet5"];
