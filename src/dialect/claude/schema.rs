//! Schemas of replies, and of tools that are strict, as Claude's models take them.
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>
//!
//! Invariant: every object is closed, whoever closed it; a schema that fits is copied byte by byte. What bound a reply and had
//! to go is listed; a tool rather loses its strictness than an argument.

use crate::dialect::schema::write_parameters;
use crate::ir::loss::Loss;
use crate::wire::json::{Array, Error, Kind, Object, Reader};

/// Appends a schema; `path` is the client's name for it.
pub(in crate::dialect) fn write(schema: &str, path: &str, loss: &mut Loss, out: &mut Vec<u8>) {
    let mut written = Vec::new();
    let mut lost = Vec::new();
    let mut writer = Writer { lost: &mut lost, changed: false };
    let read = writer.schema(&mut Reader::new(schema), path, &mut written);
    // What is not to be read is the vendor's to judge.
    if read.is_err() || !writer.changed {
        out.extend_from_slice(schema.as_bytes());
        return;
    }
    out.extend_from_slice(&written);
    lost.into_iter().for_each(|path| loss.drop(path));
}

/// Appends what a tool takes, which is to be an object's schema, and says whether its arguments can be held to it. Where that
/// would take anything from the schema (an object that is open to members of any name, sizes), it is copied as it is.
pub(in crate::dialect) fn write_strict(parameters: Option<&str>, out: &mut Vec<u8>) -> bool {
    let (mut lost, mut schema, mut closed) = (Loss::default(), Vec::new(), Vec::new());
    write_parameters(parameters, &mut schema);
    write(&String::from_utf8_lossy(&schema), "", &mut lost, &mut closed);
    let fits = lost.paths().is_empty();
    out.append(if fits { &mut closed } else { &mut schema });
    fits
}

struct Writer<'w> {
    lost: &'w mut Vec<String>,
    changed: bool,
}

impl Writer<'_> {
    fn schema(&mut self, reader: &mut Reader<'_>, path: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        if reader.peek()? != Kind::Object {
            out.extend_from_slice(reader.raw()?.as_bytes());
            return Ok(());
        }
        let mut object = Object::new(out);
        let (mut is_object, mut has_members, mut closed) = (false, false, false);
        reader.object()?;
        while let Some(name) = reader.key()? {
            let name = name.plain();
            let path = format!("{path}.{name}");
            match &*name {
                "additionalProperties" => {
                    closed = true;
                    if reader.raw()? != "false" {
                        self.lose(path);
                    }
                    object.bool("additionalProperties", false);
                }
                "items" | "not" | "if" | "then" | "else" => {
                    self.schema(reader, &path, object.member(&name))?;
                }
                "anyOf" | "allOf" | "oneOf" | "prefixItems" if reader.peek()? == Kind::Array => {
                    self.list(reader, &path, object.member(&name))?;
                }
                "properties" | "$defs" | "definitions" if reader.peek()? == Kind::Object => {
                    (is_object, has_members) =
                        (is_object || name == "properties", has_members || name == "properties");
                    self.map(reader, &path, object.member(&name))?;
                }
                name => {
                    let value = reader.raw()?;
                    if binds_in_vain(name, value) {
                        self.lose(path);
                    } else {
                        is_object |= name == "type" && value.contains("\"object\"");
                        object.raw(name, value);
                    }
                }
            }
        }
        if is_object && !closed {
            self.changed = true;
            object.bool("additionalProperties", false);
            if !has_members {
                // What may hold anything elsewhere can be nothing but empty here.
                self.lose(format!("{path}.additionalProperties"));
            }
        }
        Ok(())
    }

    fn list(&mut self, reader: &mut Reader<'_>, path: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut list = Array::new(out);
        let mut at = 0;
        reader.array()?;
        while reader.element()? {
            let mut element = Vec::new();
            self.schema(reader, &format!("{path}[{at}]"), &mut element)?;
            list.raw(&String::from_utf8_lossy(&element));
            at += 1;
        }
        Ok(())
    }

    fn map(&mut self, reader: &mut Reader<'_>, path: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut object = Object::new(out);
        reader.object()?;
        while let Some(name) = reader.key()? {
            let name = name.plain();
            self.schema(reader, &format!("{path}.{name}"), object.member(&name))?;
        }
        Ok(())
    }

    fn lose(&mut self, path: String) {
        self.changed = true;
        self.lost.push(path);
    }
}

/// Whether a keyword is refused: replies can be held to a shape, not to sizes.
fn binds_in_vain(name: &str, value: &str) -> bool {
    match name {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" | "minLength"
        | "maxLength" | "maxItems" | "uniqueItems" | "minProperties" | "maxProperties" => true,
        "minItems" => !matches!(value, "0" | "1"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(schema: &str) -> (String, Vec<String>) {
        let (mut loss, mut out) = (Loss::default(), Vec::new());
        write(schema, "s", &mut loss, &mut out);
        (String::from_utf8(out).unwrap(), loss.paths().to_vec())
    }

    #[test]
    fn what_fits_is_not_touched() {
        for schema in [
            r#"{ "type": "object", "properties": {"a": {"type":"string"}}, "additionalProperties": false }"#,
            r#"{"type":"array","items":{"enum":["object",1e3]},"minItems":1}"#,
            "true",
            "{broken",
        ] {
            assert_eq!(written(schema), (schema.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn objects_are_closed_wherever_they_stand() {
        let (out, lost) = written(
            r##"{"type":["object","null"],"properties":{"a":{"anyOf":[{"properties":{"b":{}}},{"$ref":"#/$defs/c"}]}},"$defs":{"c":{"type":"object","properties":{},"additionalProperties":true}}}"##,
        );
        assert_eq!(
            out,
            r##"{"type":["object","null"],"properties":{"a":{"anyOf":[{"properties":{"b":{}},"additionalProperties":false},{"$ref":"#/$defs/c"}]}},"$defs":{"c":{"type":"object","properties":{},"additionalProperties":false}},"additionalProperties":false}"##
        );
        assert_eq!(lost, ["s.$defs.c.additionalProperties"]);
    }

    #[test]
    fn a_tool_keeps_its_arguments_rather_than_its_strictness() {
        for (schema, wanted) in [
            (
                r#"{"type":"object","properties":{"a":{"type":["object","null"],"properties":{}}}}"#,
                Some(
                    r#"{"type":"object","properties":{"a":{"type":["object","null"],"properties":{},"additionalProperties":false}},"additionalProperties":false}"#,
                ),
            ),
            (r#"{"type":"object","properties":{},"additionalProperties":{"type":"string"}}"#, None),
            (r#"{"type":"object","properties":{"a":{"type":"object"}}}"#, None),
            (r#"{"type":"object","properties":{"a":{"type":"string","maxLength":9}}}"#, None),
            (r#"{"type":"object"}"#, None),
        ] {
            let mut out = Vec::new();
            assert_eq!(write_strict(Some(schema), &mut out), wanted.is_some(), "{schema}");
            assert_eq!(String::from_utf8(out).unwrap(), wanted.unwrap_or(schema));
        }
    }

    #[test]
    fn what_binds_in_vain_is_listed() {
        let (out, lost) = written(
            r#"{"type":"object","properties":{"minimum":{"type":"integer","minimum":1},"l":{"type":"array","items":{"type":"object"},"minItems":2}}}"#,
        );
        assert_eq!(
            out,
            r#"{"type":"object","properties":{"minimum":{"type":"integer"},"l":{"type":"array","items":{"type":"object","additionalProperties":false}}},"additionalProperties":false}"#
        );
        let lost_too = "s.properties.l.items.additionalProperties";
        assert_eq!(lost, ["s.properties.minimum.minimum", lost_too, "s.properties.l.minItems"]);
    }
}
