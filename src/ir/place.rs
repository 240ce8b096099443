//! Where parts stand in a client's own request, so that what is lost of them can be named there.
//!
//! Invariant: what is not told stands where its position says, and then costs nothing.

use super::chat::Part;
use std::fmt;

/// The positions, in a list of the client's, of those of its elements that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept(Vec<u32>);

impl Kept {
    /// The next kept one, of which there are `before` already, stood at `position`.
    pub fn keep(&mut self, before: usize, position: usize) {
        if self.0.is_empty() && before == position {
            return;
        }
        let number = |position: usize| u32::try_from(position).unwrap_or(u32::MAX);
        if self.0.is_empty() {
            self.0.extend((0..before).map(number));
        }
        self.0.push(number(position));
    }

    /// Forgets the last kept one.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Where a kept one stood.
    #[must_use]
    pub fn get(&self, index: usize) -> u32 {
        self.0.get(index).copied().unwrap_or_else(|| u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn is_plain(&self) -> bool {
        self.0.is_empty()
    }
}

/// Parts that were read from a list, or from what stands for one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content<'a> {
    /// The parts.
    pub parts: Vec<Part<'a>>,
    /// Where they stood.
    pub kept: Kept,
    /// Where stood what is in those of them that are results of tools, where that is not as it is here.
    inner: Vec<(usize, Kept)>,
}

impl<'a> Content<'a> {
    /// Adds a part that stood at `position`.
    pub fn push(&mut self, position: usize, part: Part<'a>) {
        self.kept.keep(self.parts.len(), position);
        self.parts.push(part);
    }

    /// Adds a result of a tool, and where stood what is in it.
    pub fn push_result(&mut self, position: usize, part: Part<'a>, inner: Kept) {
        if !inner.is_plain() {
            self.inner.push((self.parts.len(), inner));
        }
        self.push(position, part);
    }

    /// Takes the last part away if it is such a one.
    pub fn pop_if(&mut self, wanted: impl FnOnce(&mut Part<'a>) -> bool) -> Option<Part<'a>> {
        let part = self.parts.pop_if(wanted)?;
        // Shorter than the parts where it says nothing.
        if self.kept.0.len() > self.parts.len() {
            self.kept.pop();
        }
        Some(part)
    }

    /// The parts and their places in the turn `at`; `inside` is where results hold what they hold. No places where none
    /// has to be told.
    #[must_use]
    pub fn placed(self, at: Option<u32>, inside: &'static str) -> (Vec<Part<'a>>, Vec<Place>) {
        let holds = |part: &Part<'_>| matches!(part, Part::ToolResult { .. });
        let usual = inside == CONTENT || !self.parts.iter().any(holds);
        if self.kept.is_plain() && self.inner.is_empty() && usual {
            return (self.parts, Vec::new());
        }
        let mut inner = self.inner.into_iter().peekable();
        let places = (0..self.parts.len()).map(|index| {
            let kept = inner.next_if(|(of, _)| *of == index).map(|(_, kept)| kept);
            let place = Place::usual(at, index);
            Place { index: Some(self.kept.get(index)), inside, inner: kept.unwrap_or_default(), ..place }
        });
        let places = places.collect();
        (self.parts, places)
    }
}

/// What Chat and Messages call the list of a turn's parts, and of a result's.
pub const CONTENT: &str = "content";

/// Where a part stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The index of the turn in the client's list; `None` for a system prompt that stands apart.
    pub at: Option<u32>,
    /// The turn's member; empty for the turn itself.
    member: &'static str,
    /// The index in the member; `None` for the member itself.
    index: Option<u32>,
    /// Where a result of a tool holds what it holds.
    inside: &'static str,
    inner: Kept,
}

impl Place {
    /// The part at a position of a turn's own list.
    #[must_use]
    pub fn usual(at: Option<u32>, index: usize) -> Self {
        let index = Some(Kept::default().get(index));
        Self { at, member: CONTENT, index, inside: CONTENT, inner: Kept::default() }
    }

    /// A part that is a whole member of a turn, or (where the name is empty) the turn itself.
    #[must_use]
    pub fn member(at: u32, member: &'static str) -> Self {
        Self { at: Some(at), member, index: None, inside: CONTENT, inner: Kept::default() }
    }

    /// An element of a turn's member.
    #[must_use]
    pub fn element(at: u32, member: &'static str, index: u32) -> Self {
        Self { index: Some(index), ..Self::member(at, member) }
    }

    /// The same, of a result that holds what it holds in `inside`.
    #[must_use]
    pub fn holding(self, inside: &'static str, inner: Kept) -> Self {
        Self { inside, inner, ..self }
    }

    /// The path of something in a result: a part of the list, by its position here.
    #[must_use]
    pub fn inside(&self, index: usize) -> String {
        format!("{self}.{}[{}]", self.inside, self.inner.get(index))
    }

    /// The index in the member; 0 for the member itself.
    #[must_use]
    pub fn position(&self) -> usize {
        self.index.and_then(|index| usize::try_from(index).ok()).unwrap_or(0)
    }

    /// The path of the turn that it is part of.
    #[must_use]
    pub fn turn(&self) -> String {
        self.at.map_or_else(|| "system".to_owned(), |at| format!("messages[{at}]"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(out, "messages[{at}]")?,
            None => out.write_str("system")?,
        }
        if self.at.is_some() && !self.member.is_empty() {
            write!(out, ".{}", self.member)?;
        }
        match self.index {
            Some(index) => write!(out, "[{index}]"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_where_it_stood_is_not_told() {
        let mut content = Content::default();
        (0..3).for_each(|at| content.push(at, Part::text("a")));
        assert_eq!(content.placed(Some(0), CONTENT).1, []);
    }

    #[test]
    fn what_moved_up_is_named_by_where_it_stood() {
        let mut content = Content::default();
        content.push(0, Part::text("a"));
        content.push(2, Part::text("c"));
        content.push(3, Part::text("d"));
        assert!(content.pop_if(|_| true).is_some());
        let mut inner = Kept::default();
        inner.keep(0, 1);
        let result = Part::ToolResult { id: "c".into(), content: vec![], is_error: false, cache: false };
        content.push_result(4, result, inner);
        let (_, places) = content.placed(Some(7), "output");
        let told: Vec<_> = places.iter().map(Place::to_string).collect();
        assert_eq!(told, ["messages[7].content[0]", "messages[7].content[2]", "messages[7].content[4]"]);
        let inside: Vec<_> = places.iter().map(|place| place.inside(0)).collect();
        assert_eq!(inside.last().map(String::as_str), Some("messages[7].content[4].output[1]"));
    }

    #[test]
    fn a_place_is_an_element_a_member_or_a_turn() {
        assert_eq!(Place::member(3, "").to_string(), "messages[3]");
        assert_eq!(Place::member(3, "refusal").to_string(), "messages[3].refusal");
        assert_eq!(Place::element(3, "tool_calls", 1).to_string(), "messages[3].tool_calls[1]");
        assert_eq!(Place::element(3, "tool_calls", 1).turn(), "messages[3]");
        assert_eq!(Place::usual(None, 2).to_string(), "system[2]");
    }
}
