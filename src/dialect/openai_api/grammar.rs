//! What a custom tool takes: any text, or text of a grammar. Chat puts the grammar into an object of its own, Responses does
//! not; the IR holds either form, as its client wrote it.

use crate::dialect::value::{object_or_skip, text_or_skip};
use crate::wire::json::{Error, Object, Reader, Text};

/// A grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect) struct Grammar<'a> {
    /// `lark` or `regex`.
    pub(in crate::dialect) syntax: Text<'a>,
    /// The grammar itself.
    pub(in crate::dialect) definition: Text<'a>,
}

impl<'a> Grammar<'a> {
    /// Reads a `format` in either form; `None` if it holds no grammar.
    pub(in crate::dialect) fn of(format: &'a str) -> Option<Self> {
        let (mut syntax, mut definition) = (None, None);
        read(&mut Reader::new(format), &mut syntax, &mut definition).ok()?;
        Some(Self { syntax: syntax?, definition: definition? })
    }

    /// The same, if its members stand in an object of their own, as Chat has it.
    pub(in crate::dialect) fn nested(format: &'a str) -> Option<Self> {
        let mut reader = Reader::new(format);
        let mut nested = false;
        let mut look = || {
            reader.object()?;
            while let Some(key) = reader.key()? {
                nested |= key == "grammar";
                reader.skip()?;
            }
            Ok::<_, Error>(())
        };
        let looked = look().is_ok();
        Self::of(format).filter(|_| looked && nested)
    }

    /// Writes the two members.
    pub(in crate::dialect) fn write(&self, object: &mut Object<'_>) {
        object.text("syntax", &self.syntax).text("definition", &self.definition);
    }
}

fn read<'a>(
    reader: &mut Reader<'a>,
    syntax: &mut Option<Text<'a>>,
    definition: &mut Option<Text<'a>>,
) -> Result<(), Error> {
    if !object_or_skip(reader)? {
        return Ok(());
    }
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "syntax" => *syntax = text_or_skip(reader)?,
            "definition" => *definition = text_or_skip(reader)?,
            "grammar" => read(reader, syntax, definition)?,
            _ => reader.skip()?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_the_same_grammar() {
        let flat = Grammar::of(r#"{"type":"grammar","syntax":"lark","definition":"start: \"a\""}"#);
        let nested =
            Grammar::of(r#"{"type":"grammar","grammar":{"definition":"start: \"a\"","syntax":"lark"}}"#);
        assert!(flat.is_some());
        assert_eq!(flat, nested);
        let form = r#"{"type":"grammar","grammar":{"definition":"a","syntax":"regex"}}"#;
        assert!(Grammar::nested(form).is_some());
        assert_eq!(Grammar::nested(r#"{"type":"grammar","syntax":"regex","definition":"a"}"#), None);
        for nothing in [r#"{"type":"text"}"#, "[]", "{", r#"{"type":"grammar","syntax":"lark"}"#] {
            assert_eq!(Grammar::of(nothing), None, "{nothing}");
        }
    }
}
