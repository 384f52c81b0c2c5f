//! The elements of a container, by their names alone.
//!
//! Programs differ in the prefixes, the namespaces and the case of names.

use zeroize::Zeroizing;

/// An element with all that is in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// The name without its prefix, as it stands there.
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: Zeroizing<String>,
    pub(super) elements: Vec<Element>,
}

impl Element {
    /// Reports whether the element has this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Returns the elements with this name right inside.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.elements.iter().filter(move |child| child.is(name))
    }

    /// Returns the first element on this path of names.
    pub(super) fn find(&self, path: &[&str]) -> Option<&Self> {
        match path {
            [] => Some(self),
            [name, rest @ ..] => {
                let mut named = self.elements.iter().filter(|child| child.is(name));
                named.find_map(|child| child.find(rest))
            }
        }
    }

    /// Returns the text of the element on this path, without blanks around it.
    pub(super) fn text(&self, path: &[&str]) -> Option<&str> {
        Some(self.find(path)?.text.trim()).filter(|text| !text.is_empty())
    }

    /// Returns an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Reports whether the name is in lower case, as privacyIDEA writes it.
    pub(super) fn is_lower_case(&self) -> bool {
        !self.name.contains(|c: char| c.is_ascii_uppercase())
    }
}
