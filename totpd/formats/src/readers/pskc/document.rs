//! The XML of a container, in parts: its head, and one package after the other.
//!
//! No document type, no entities but the five of XML, and no part larger than a package is.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zeroize::Zeroizing;

use crate::readers::pskc::element::Element;
use crate::reading::Refusal;

/// The container of a text.
pub(super) struct Document<'a> {
    reader: Reader<&'a [u8]>,
    /// The first package, if the head was read up to it.
    first: Option<Element>,
}

impl<'a> Document<'a> {
    /// Reads the head of a container: all elements before the first package.
    pub(super) fn read(text: &'a str) -> Result<(Element, Self), Refusal> {
        let mut document = Self { reader: Reader::from_str(text), first: None };
        let (mut head, is_empty) = loop {
            match document.event()? {
                Event::Start(start) => break (element(&start)?, false),
                Event::Empty(start) => break (element(&start)?, true),
                Event::Eof => return Err(syntax("it ends too early")),
                _ => {}
            }
        };
        while !is_empty && document.first.is_none() {
            match document.next_element()? {
                None => break,
                Some(element) if element.is("KeyPackage") => document.first = Some(element),
                Some(element) if head.elements.len() < MAX_ELEMENTS => head.elements.push(element),
                Some(_) => return Err(too_large()),
            }
        }
        Ok((head, document))
    }

    /// Returns the next package. At last it has checked that the document ends as it should.
    pub(super) fn next_package(&mut self) -> Result<Option<Element>, Refusal> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        loop {
            match self.next_element()? {
                Some(element) if element.is("KeyPackage") => return Ok(Some(element)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// Returns the next element inside of the container; `None` at its end.
    fn next_element(&mut self) -> Result<Option<Element>, Refusal> {
        loop {
            match self.event()? {
                Event::Start(start) => return self.whole(&start).map(Some),
                Event::Empty(start) => return element(&start).map(Some),
                Event::End(_) => return self.end(),
                Event::Eof => return Err(syntax("it ends too early")),
                _ => {}
            }
        }
    }

    /// Reads on behind the container, where nothing may stand but comments.
    fn end(&mut self) -> Result<Option<Element>, Refusal> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(None),
                Event::Start(_) | Event::Empty(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(syntax("something stands behind its end"));
                }
                _ => {}
            }
        }
    }

    /// Reads all that is in an element.
    fn whole(&mut self, start: &BytesStart<'_>) -> Result<Element, Refusal> {
        let mut open = vec![element(start)?];
        let mut count = 0;
        loop {
            count += 1;
            if count > MAX_ELEMENTS || open.len() > MAX_DEPTH {
                return Err(too_large());
            }
            let event = self.event()?;
            let Some(current) = open.last_mut() else { return Err(syntax("it ends too early")) };
            match event {
                Event::Start(start) => open.push(element(&start)?),
                Event::Empty(start) => current.elements.push(element(&start)?),
                Event::End(_) => {
                    let Some(closed) = open.pop() else { return Err(syntax("it ends too early")) };
                    match open.last_mut() {
                        Some(parent) => parent.elements.push(closed),
                        None => return Ok(closed),
                    }
                }
                Event::Text(text) => add(&mut current.text, &text.xml10_content())?,
                Event::CData(text) => add(&mut current.text, &text.xml10_content())?,
                Event::GeneralRef(entity) => add(&mut current.text, &resolve(&entity)?)?,
                Event::Eof => return Err(syntax("it ends too early")),
                _ => {}
            }
        }
    }

    fn event(&mut self) -> Result<Event<'a>, Refusal> {
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err(syntax("it has a document type, which is not read")),
            Ok(event) => Ok(event),
            Err(_) => {
                let place = self.reader.error_position();
                Err(Refusal::Syntax(format!("it is no XML at byte {place}")))
            }
        }
    }
}

/// Returns an element with its attributes and nothing in it.
fn element(start: &BytesStart<'_>) -> Result<Element, Refusal> {
    let malformed = || syntax("an attribute cannot be read");
    let mut attributes = Vec::new();
    for attribute in start.attributes().take(MAX_ATTRIBUTES) {
        let attribute = attribute.map_err(|_| malformed())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| malformed())?;
        attributes.push((local(attribute.key.local_name().as_ref()), value.into_owned()));
    }
    let name = local(start.local_name().as_ref());
    Ok(Element { name, attributes, ..Element::default() })
}

fn local(name: &str) -> String {
    name.chars().take(MAX_NAME_CHARS).collect()
}

fn add(text: &mut Zeroizing<String>, more: &str) -> Result<(), Refusal> {
    if text.len() + more.len() > MAX_TEXT_BYTES {
        return Err(too_large());
    }
    // A string that grows would leave a copy behind.
    let mut whole = Zeroizing::new(String::with_capacity(text.len() + more.len()));
    whole.push_str(text);
    whole.push_str(more);
    *text = whole;
    Ok(())
}

fn resolve(entity: &BytesRef<'_>) -> Result<String, Refusal> {
    let unknown = || syntax("it has an entity, which is not read");
    match entity.resolve_char_ref() {
        Ok(Some(c)) => Ok(c.to_string()),
        Ok(None) => {
            let name = entity.xml10_content();
            resolve_predefined_entity(&name).map(ToOwned::to_owned).ok_or_else(unknown)
        }
        Err(_) => Err(unknown()),
    }
}

fn too_large() -> Refusal {
    syntax("a part of it is larger than a key can be")
}

fn syntax(what: &str) -> Refusal {
    Refusal::Syntax(what.to_owned())
}

/// A package has some fifty elements and texts, six deep. A signature has certificates.
const MAX_ELEMENTS: usize = 2000;
const MAX_DEPTH: usize = 32;
const MAX_ATTRIBUTES: usize = 16;
const MAX_NAME_CHARS: usize = 64;
const MAX_TEXT_BYTES: usize = 16 << 10;
