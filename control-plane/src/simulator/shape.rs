//! Reads a JSON request strictly and says where it is wrong; each dialect puts a [`Violation`] in its vendor's words.
//!
//! Invariant: a node always knows its path, so no check can complain without naming the place.

use serde_json::{Map, Value};

/// One step of a path into a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A member's name.
    Key(String),
    /// An element's position.
    Index(usize),
}

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Problem {
    /// A required member is absent.
    Missing,
    /// A member that the vendor does not know.
    Unknown,
    /// Another JSON type was expected.
    Type {
        /// What was expected.
        expected: Expected,
        /// What was found, in words.
        got: &'static str,
    },
    /// A text that is not one of a closed list.
    Choice {
        /// What was found.
        got: String,
        /// The list.
        allowed: Vec<&'static str>,
    },
    /// A number under its minimum.
    Below {
        /// The minimum.
        limit: f64,
        /// What was found.
        got: String,
        /// Whether an integer was expected.
        integer: bool,
    },
    /// A number over its maximum.
    Above {
        /// The maximum.
        limit: f64,
        /// What was found.
        got: String,
        /// Whether an integer was expected.
        integer: bool,
    },
    /// A list or a text that is too long.
    TooLong {
        /// The maximum.
        limit: usize,
        /// What was found.
        got: usize,
        /// Whether it is a list.
        list: bool,
    },
    /// A rule of this vendor, in its own words, and its error code.
    Rule(String, Option<&'static str>),
}

/// The JSON type that a place should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    Text,
    /// `"…"` or `[…]`
    TextOrArray,
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`
    Boolean,
}

/// A place and what is wrong there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Violation {
    /// Where.
    pub(crate) path: Vec<Segment>,
    /// What.
    pub(crate) problem: Problem,
}

impl Violation {
    /// A rule that concerns the request as a whole.
    pub(crate) fn rule(message: impl Into<String>, code: Option<&'static str>) -> Self {
        Self { path: Vec::new(), problem: Problem::Rule(message.into(), code) }
    }
}

/// The result of a check.
pub(crate) type Checked<T> = Result<T, Violation>;

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    /// The value.
    pub(crate) value: &'a Value,
    path: Vec<Segment>,
}

/// An object and its place.
#[derive(Debug, Clone)]
pub(crate) struct Object<'a> {
    members: &'a Map<String, Value>,
    path: Vec<Segment>,
    null_is_absent: bool,
}

impl<'a> Node<'a> {
    /// The root of a document.
    pub(crate) const fn root(value: &'a Value) -> Self {
        Self { value, path: Vec::new() }
    }

    /// A complaint about this place.
    pub(crate) fn wrong(&self, problem: Problem) -> Violation {
        Violation { path: self.path.clone(), problem }
    }

    /// A complaint in the vendor's own words.
    pub(crate) fn rule(&self, message: impl Into<String>) -> Violation {
        self.wrong(Problem::Rule(message.into(), None))
    }

    /// A complaint in the vendor's own words, with its error code.
    pub(crate) fn rule_code(&self, message: impl Into<String>, code: &'static str) -> Violation {
        self.wrong(Problem::Rule(message.into(), Some(code)))
    }

    fn not(&self, expected: Expected) -> Violation {
        self.wrong(Problem::Type { expected, got: kind(self.value) })
    }

    /// The path with dots: `messages.0.content`.
    pub(crate) fn dotted(&self) -> String {
        dotted(&self.path)
    }

    /// The path with brackets: `messages[0].content`.
    pub(crate) fn bracketed(&self) -> String {
        bracketed(&self.path)
    }

    /// An object whose null members count as absent.
    pub(crate) fn lenient(&self) -> Checked<Object<'a>> {
        Ok(Object { null_is_absent: true, ..self.object()? })
    }

    /// An object whose null members are values like others.
    pub(crate) fn object(&self) -> Checked<Object<'a>> {
        match self.value {
            Value::Object(members) => Ok(Object { members, path: self.path.clone(), null_is_absent: false }),
            _ => Err(self.not(Expected::Object)),
        }
    }

    /// The elements of a list.
    pub(crate) fn list(&self) -> Checked<Vec<Node<'a>>> {
        self.list_or(Expected::Array)
    }

    /// The elements of a list where a text would have done too.
    pub(crate) fn list_or(&self, expected: Expected) -> Checked<Vec<Node<'a>>> {
        let Value::Array(items) = self.value else { return Err(self.not(expected)) };
        let nodes = items.iter().enumerate().map(|(index, value)| {
            let mut path = self.path.clone();
            path.push(Segment::Index(index));
            Node { value, path }
        });
        Ok(nodes.collect())
    }

    /// A text.
    pub(crate) fn text(&self) -> Checked<&'a str> {
        self.value.as_str().ok_or_else(|| self.not(Expected::Text))
    }

    /// A text no longer than `limit` characters.
    pub(crate) fn text_within(&self, limit: usize) -> Checked<&'a str> {
        let text = self.text()?;
        let got = text.chars().count();
        if got > limit { Err(self.wrong(Problem::TooLong { limit, got, list: false })) } else { Ok(text) }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Checked<bool> {
        self.value.as_bool().ok_or_else(|| self.not(Expected::Boolean))
    }

    /// One of a closed list of texts.
    pub(crate) fn choice(&self, allowed: &[&'static str]) -> Checked<&'a str> {
        let text = self.text()?;
        if allowed.contains(&text) {
            return Ok(text);
        }
        Err(self.wrong(Problem::Choice { got: text.to_owned(), allowed: allowed.to_vec() }))
    }

    /// A number within bounds.
    pub(crate) fn number(&self, low: f64, high: f64) -> Checked<f64> {
        let number = self.value.as_f64().ok_or_else(|| self.not(Expected::Number))?;
        self.within(number, low, high, false)?;
        Ok(number)
    }

    /// An integer within bounds.
    pub(crate) fn integer(&self, low: i64, high: i64) -> Checked<i64> {
        let integer = self.value.as_i64().ok_or_else(|| self.not(Expected::Integer))?;
        self.within(integer as f64, low as f64, high as f64, true)?;
        Ok(integer)
    }

    /// An integer that says how many.
    pub(crate) fn count(&self, low: i64) -> Checked<usize> {
        let integer = self.integer(low.max(0), i64::MAX)?;
        Ok(usize::try_from(integer).unwrap_or(usize::MAX))
    }

    fn within(&self, number: f64, low: f64, high: f64, integer: bool) -> Checked<()> {
        let got = self.value.to_string();
        if number < low {
            return Err(self.wrong(Problem::Below { limit: low, got, integer }));
        }
        if number > high {
            return Err(self.wrong(Problem::Above { limit: high, got, integer }));
        }
        Ok(())
    }
}

impl<'a> Object<'a> {
    /// This object as a node again, to complain about it.
    pub(crate) fn wrong(&self, problem: Problem) -> Violation {
        Violation { path: self.path.clone(), problem }
    }

    /// All members, unchecked.
    pub(crate) const fn members(&self) -> &'a Map<String, Value> {
        self.members
    }

    fn at(&self, name: &str) -> Vec<Segment> {
        let mut path = self.path.clone();
        path.push(Segment::Key(name.to_owned()));
        path
    }

    /// An optional member.
    pub(crate) fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.members.get(name)?;
        if self.null_is_absent && value.is_null() {
            return None;
        }
        Some(Node { value, path: self.at(name) })
    }

    /// An optional member that may be null, which then counts as absent.
    pub(crate) fn nullable(&self, name: &str) -> Option<Node<'a>> {
        self.get(name).filter(|node| !node.value.is_null())
    }

    /// A required member.
    pub(crate) fn need(&self, name: &str) -> Checked<Node<'a>> {
        self.get(name).ok_or_else(|| Violation { path: self.at(name), problem: Problem::Missing })
    }

    /// Refuses members that are not in `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Checked<()> {
        match self.members.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Violation { path: self.at(name), problem: Problem::Unknown }),
        }
    }

    /// An optional text.
    pub(crate) fn text(&self, name: &str) -> Checked<Option<&'a str>> {
        self.get(name).map(|node| node.text()).transpose()
    }

    /// An optional flag; absent is `absent`.
    pub(crate) fn flag(&self, name: &str, absent: bool) -> Checked<bool> {
        self.get(name).map_or(Ok(absent), |node| node.boolean())
    }

    /// An optional number within bounds.
    pub(crate) fn number(&self, name: &str, low: f64, high: f64) -> Checked<Option<f64>> {
        self.get(name).map(|node| node.number(low, high)).transpose()
    }

    /// An optional integer within bounds.
    pub(crate) fn integer(&self, name: &str, low: i64, high: i64) -> Checked<Option<i64>> {
        self.get(name).map(|node| node.integer(low, high)).transpose()
    }

    /// An optional choice.
    pub(crate) fn choice(&self, name: &str, allowed: &[&'static str]) -> Checked<Option<&'a str>> {
        self.get(name).map(|node| node.choice(allowed)).transpose()
    }
}

/// The path with dots: `messages.0.content`.
pub(crate) fn dotted(path: &[Segment]) -> String {
    let parts = path.iter().map(|segment| match segment {
        Segment::Key(name) => name.clone(),
        Segment::Index(index) => index.to_string(),
    });
    parts.collect::<Vec<_>>().join(".")
}

/// The path with brackets: `messages[0].content`.
pub(crate) fn bracketed(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Key(name) if text.is_empty() => text.push_str(name),
            Segment::Key(name) => {
                text.push('.');
                text.push_str(name);
            }
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// Whether a name is 1 to `limit` of `[A-Za-z0-9_-]`.
pub(crate) fn is_identifier(name: &str, limit: usize) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !name.is_empty() && name.len() <= limit && name.bytes().all(fine)
}

/// Whether a version is a date, as some vendors' are: `2023-06-01`.
pub(crate) fn is_date(version: &str) -> bool {
    let digits =
        |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = version.split('-');
    [4, 2, 2].into_iter().all(|length| parts.next().is_some_and(|part| digits(part, length)))
        && parts.next().is_none()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_violation_names_its_place() {
        let document = json!({"messages": [{"content": 3}]});
        let root = Node::root(&document).object().unwrap();
        let first = root.need("messages").unwrap().list().unwrap().remove(0).object().unwrap();
        let violation = first.need("content").unwrap().text().unwrap_err();
        assert_eq!(bracketed(&violation.path), "messages[0].content");
        assert_eq!(dotted(&violation.path), "messages.0.content");
        assert_eq!(violation.problem, Problem::Type { expected: Expected::Text, got: "an integer" });
        assert_eq!(first.need("role").unwrap_err().problem, Problem::Missing);
        assert_eq!(first.only(&["role"]).unwrap_err().problem, Problem::Unknown);
    }

    #[test]
    fn null_is_absent_only_where_said() {
        let document = json!({"a": null});
        assert!(Node::root(&document).object().unwrap().get("a").is_some());
        assert!(Node::root(&document).lenient().unwrap().get("a").is_none());
    }

    #[test]
    fn numbers_keep_their_bounds() {
        let document = json!({"t": 2.5, "n": 1.5});
        let root = Node::root(&document).object().unwrap();
        let above = root.number("t", 0.0, 2.0).unwrap_err().problem;
        assert_eq!(above, Problem::Above { limit: 2.0, got: "2.5".into(), integer: false });
        assert!(matches!(root.integer("n", 0, 9).unwrap_err().problem, Problem::Type { .. }));
    }
}
