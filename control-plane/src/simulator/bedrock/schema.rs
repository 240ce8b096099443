//! Checks a document against the service's model as the service does: what cannot be read is a serialization error,
//! every broken constraint is told at once, members that the model does not know are passed over.
//!
//! Spec: the model of `bedrock-runtime` that the vendor's SDKs are made from, and
//! <https://smithy.io/2.0/spec/constraint-traits.html>. Invariant: a document that passes has the JSON types that its
//! shape names, and each of its unions has exactly one member.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// A closed set of characters, told by the vendor as a regular expression.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// As the vendor writes it.
    pub(crate) text: &'static str,
    /// Whether a text fits.
    pub(crate) fits: fn(&str) -> bool,
}

/// What a place may hold.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A text of so many characters.
    Text { min: usize, max: usize, pattern: Option<&'static Pattern> },
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// An integer from here.
    Integer(i64),
    /// A number between these.
    Number(f64, f64),
    /// `true` or `false`.
    Boolean,
    /// Bytes in base64.
    Blob,
    /// Any JSON.
    Document,
    /// A list of so many.
    List { of: &'static Shape, min: usize, max: usize },
    /// Names and values, so many.
    Map { key: &'static Shape, value: &'static Shape, min: usize, max: usize },
    /// An object.
    Structure(&'static [Member]),
    /// An object with exactly one of these; the vendor tells its name.
    Union(&'static str, &'static [Member]),
}

/// A member of a structure or a union.
#[derive(Debug)]
pub(crate) struct Member {
    name: &'static str,
    required: bool,
    shape: &'static Shape,
}

/// A member that must be there.
pub(crate) const fn need(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, required: true, shape }
}

/// A member that may be there.
pub(crate) const fn may(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, required: false, shape }
}

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mismatch {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// It can, and breaks these constraints.
    #[error("{} detected: {}", counted(.0), .0.join("; "))]
    Constraints(Vec<String>),
    /// A union has no member, or more than one.
    #[error("{0}")]
    Union(String),
}

fn counted(errors: &[String]) -> String {
    let plural = if errors.len() == 1 { "" } else { "s" };
    format!("{} validation error{plural}", errors.len())
}

/// Checks a whole document.
pub(crate) fn check(shape: &Shape, document: &Value) -> Result<(), Mismatch> {
    let mut reader = Reader::default();
    reader.read(shape, document)?;
    if !reader.broken.is_empty() {
        return Err(Mismatch::Constraints(reader.broken));
    }
    reader.union.map_or(Ok(()), |message| Err(Mismatch::Union(message)))
}

#[derive(Debug, Default)]
struct Reader {
    /// As constraints name places: `messages.1.member.content`, counted from 1.
    coral: Vec<String>,
    /// As the service's own checks name places: `messages.0.content`.
    plain: Vec<String>,
    broken: Vec<String>,
    union: Option<String>,
}

impl Reader {
    fn within(
        &mut self,
        coral: String,
        plain: String,
        read: impl FnOnce(&mut Self) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        self.coral.push(coral);
        self.plain.push(plain);
        read(self)?;
        self.coral.pop();
        self.plain.pop();
        Ok(())
    }

    fn breaks(&mut self, constraint: &str) {
        let place = self.coral.join(".");
        self.broken
            .push(format!("Value at '{place}' failed to satisfy constraint: Member must {constraint}"));
    }

    fn read(&mut self, shape: &Shape, value: &Value) -> Result<(), Mismatch> {
        match shape {
            Shape::Text { min, max, pattern } => {
                let text = value.as_str().ok_or_else(|| cannot(value, "a String"))?;
                self.sized(text.chars().count(), *min, *max);
                if let Some(pattern) = pattern.filter(|pattern| !(pattern.fits)(text)) {
                    self.breaks(&format!("satisfy regular expression pattern: {}", pattern.text));
                }
            }
            Shape::Choice(allowed) => {
                let text = value.as_str().ok_or_else(|| cannot(value, "a String"))?;
                if !allowed.contains(&text) {
                    self.breaks(&format!("satisfy enum value set: [{}]", allowed.join(", ")));
                }
            }
            Shape::Integer(least) => {
                let number = value.as_i64().ok_or_else(|| cannot(value, "an Integer"))?;
                if number < *least {
                    self.breaks(&format!("have value greater than or equal to {least}"));
                }
            }
            Shape::Number(least, most) => {
                let number = value.as_f64().ok_or_else(|| cannot(value, "a Float"))?;
                if number < *least {
                    self.breaks(&format!("have value greater than or equal to {least}"));
                } else if number > *most {
                    self.breaks(&format!("have value less than or equal to {most}"));
                }
            }
            Shape::Boolean => {
                value.as_bool().ok_or_else(|| cannot(value, "a Boolean"))?;
            }
            Shape::Blob => {
                let text = value.as_str().ok_or_else(|| cannot(value, "a Blob"))?;
                if STANDARD.decode(text).is_err() {
                    return Err(Mismatch::Unreadable("Invalid base64 in a blob".to_owned()));
                }
                self.sized(text.len(), 1, usize::MAX);
            }
            Shape::Document => {}
            Shape::List { of, min, max } => self.list(of, value, *min, *max)?,
            Shape::Map { key, value: of, min, max } => {
                let members = object(value)?;
                self.sized(members.len(), *min, *max);
                for (name, value) in members {
                    let place = || (format!("{name}.member"), name.clone());
                    let (coral, plain) = place();
                    self.within(coral, plain, |reader| {
                        reader.read(key, &Value::String(name.clone()))?;
                        reader.read(of, value)
                    })?;
                }
            }
            Shape::Structure(members) => self.structure(members, object(value)?)?,
            Shape::Union(name, members) => {
                let given = object(value)?;
                let set = |member: &&Member| given.get(member.name).is_some_and(|value| !value.is_null());
                let count = members.iter().filter(set).count();
                if count != 1 {
                    self.union_of(name, members, count);
                }
                self.structure(members, given)?;
            }
        }
        Ok(())
    }

    fn list(&mut self, of: &Shape, value: &Value, min: usize, max: usize) -> Result<(), Mismatch> {
        let items = value.as_array().ok_or_else(|| cannot(value, "a List"))?;
        self.sized(items.len(), min, max);
        for (index, item) in items.iter().enumerate() {
            self.within(format!("{}.member", index + 1), index.to_string(), |reader| reader.read(of, item))?;
        }
        Ok(())
    }

    fn structure(&mut self, members: &[Member], given: &Map<String, Value>) -> Result<(), Mismatch> {
        for member in members {
            let value = given.get(member.name).filter(|value| !value.is_null());
            if value.is_none() && !member.required {
                continue;
            }
            self.within(member.name.to_owned(), member.name.to_owned(), |reader| match value {
                Some(value) => reader.read(member.shape, value),
                None => {
                    reader.breaks("not be null");
                    Ok(())
                }
            })?;
        }
        Ok(())
    }

    fn union_of(&mut self, name: &str, members: &[Member], count: usize) {
        let keys: Vec<_> = members.iter().map(|member| member.name).collect();
        let many = if count == 0 { "one" } else { "only one" };
        let place = self.plain.join(".");
        self.union.get_or_insert(format!(
            "The {name} object at {place} must set {many} of the following keys: {}.",
            keys.join(", ")
        ));
    }

    fn sized(&mut self, length: usize, min: usize, max: usize) {
        if length < min {
            self.breaks(&format!("have length greater than or equal to {min}"));
        } else if length > max {
            self.breaks(&format!("have length less than or equal to {max}"));
        }
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>, Mismatch> {
    value.as_object().ok_or_else(|| cannot(value, "a Structure"))
}

fn cannot(value: &Value, wanted: &str) -> Mismatch {
    let token = match value {
        Value::Object(_) => {
            return Mismatch::Unreadable("Start of structure or map found where not expected.".to_owned());
        }
        Value::Array(_) => return Mismatch::Unreadable("Start of list found where not expected".to_owned()),
        Value::String(_) => "STRING_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::Null => "NULL_VALUE",
    };
    Mismatch::Unreadable(format!("{token} can not be converted to {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::super::model::CONVERSE;
    use super::*;
    use serde_json::json;

    fn said(document: Value) -> String {
        check(&CONVERSE, &document).unwrap_err().to_string()
    }

    #[test]
    fn all_broken_constraints_are_told_at_once() {
        let block = json!({"toolUse": {"toolUseId": "a b", "name": "", "input": {}}});
        let document =
            json!({"messages": [{"role": "tool", "content": [block]}], "inferenceConfig": {"maxTokens": 0}});
        let message = said(document);
        assert!(message.starts_with("5 validation errors detected: "), "{message}");
        for words in [
            "Value at 'messages.1.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant, system]",
            "'messages.1.member.content.1.member.toolUse.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]+",
            "'messages.1.member.content.1.member.toolUse.name' failed to satisfy constraint: Member must have length greater than or equal to 1",
            "'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ] {
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn other_types_cannot_be_read() {
        assert_eq!(said(json!({"messages": "hi"})), "STRING_VALUE can not be converted to a List");
        assert_eq!(
            said(json!({"inferenceConfig": {"maxTokens": 1.5}})),
            "DECIMAL_VALUE can not be converted to an Integer"
        );
        assert_eq!(said(json!({"inferenceConfig": []})), "Start of list found where not expected");
    }

    #[test]
    fn unions_have_one_member_and_unknown_members_do_not_count() {
        let with = |block: Value| json!({"messages": [{"role": "user", "content": [block]}]});
        assert!(
            said(with(json!({"input_text": "hi"})))
                .starts_with("The ContentBlock object at messages.0.content.0 must set one of")
        );
        let two = with(json!({"text": "hi", "cachePoint": {"type": "default"}}));
        assert!(said(two).contains("must set only one of"));
        assert_eq!(check(&CONVERSE, &with(json!({"text": "hi", "image": null, "foo": 1}))), Ok(()));
    }
}
