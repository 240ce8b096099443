//! The patch lane's look at a request.
//!
//! Invariant: one pass checks the whole document; nothing but `model` is ever changed.

use super::members::Path;
use crate::dialect::{Edit, Needs, Peek, Target};
use crate::ir::error::Malformed;
use crate::wire::json::{Error, Kind, Reader, Text, write_str};
use std::collections::BTreeSet;
use std::ops::Range;

/// Top-level members that a request may have: every name is remembered until the end.
const MAX_MEMBERS: usize = 512;

/// Checks a request and notes what policy needs.
pub(super) fn peek(body: &str) -> Result<Peek<'_>, Malformed> {
    let syntax = |error: Error| Path::root("body").fail(&error);
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    let mut reader = Reader::new(body);
    reader.object().map_err(syntax)?;
    while let Some(name) = reader.key().map_err(syntax)? {
        let name = name.plain();
        let path = Path::root(&name);
        found.member(&name, &path, &mut reader)?;
        if seen.contains(&name) {
            return Err(path.malformed("occurs twice"));
        }
        if seen.len() >= MAX_MEMBERS {
            return Err(Path::root("body").malformed("expected an object of at most 512 members"));
        }
        seen.insert(name);
    }
    let end = reader.offset().saturating_sub(1);
    reader.end().map_err(syntax)?;
    found.needs.prompt_tokens = (body.len() / 4) as u64;
    let (model, model_span) = found.model.ok_or_else(|| Path::root("model").malformed("missing"))?;
    Ok(Peek {
        model,
        model_span,
        stream: found.stream,
        stream_options: None,
        // Counts are part of every stream of this dialect.
        include_usage: true,
        max_tokens: found.max_tokens,
        n: 1,
        end,
        needs: found.needs,
    })
}

/// The one edit: the model's id, if the provider has another.
pub(super) fn splice(peek: &Peek<'_>, target: &Target<'_>) -> Vec<Edit> {
    if peek.model == *target.model {
        return Vec::new();
    }
    let mut with = Vec::new();
    write_str(&mut with, target.model);
    vec![Edit { span: peek.model_span.clone(), with }]
}

#[derive(Default)]
struct Found<'a> {
    model: Option<(Text<'a>, Range<usize>)>,
    stream: bool,
    max_tokens: Option<u64>,
    needs: Needs,
}

impl<'a> Found<'a> {
    fn member(&mut self, name: &str, path: &Path<'_>, reader: &mut Reader<'a>) -> Result<(), Malformed> {
        let fail = |error: Error| match error {
            Error::Type { .. } => path.fail(&error),
            Error::Syntax { .. } | Error::TooDeep { .. } => Path::root("body").fail(&error),
        };
        match name {
            "model" => {
                let start = reader.value_offset();
                let model = reader.string().map_err(fail)?;
                if model.is_empty() {
                    return Err(path.malformed("expected a model's id"));
                }
                self.model = Some((model, start..reader.offset()));
            }
            "stream" if !reader.null().map_err(fail)? => self.stream = reader.boolean().map_err(fail)?,
            "max_tokens" if !reader.null().map_err(fail)? => {
                self.max_tokens = Some(reader.integer().map_err(fail)?);
            }
            "messages" => self.messages(reader).map_err(fail)?,
            "tools" if reader.peek().map_err(fail)? == Kind::Array => {
                reader.array().map_err(fail)?;
                while reader.element().map_err(fail)? {
                    self.needs.tools = true;
                    reader.skip().map_err(fail)?;
                }
            }
            "output_config" => self.output_config(reader).map_err(fail)?,
            "output_format" => self.needs.schema |= said(reader).map_err(fail)?,
            "stream" | "max_tokens" => {}
            _ => reader.skip().map_err(fail)?,
        }
        Ok(())
    }

    /// A list of objects is expected; anything else is the upstream's to refuse.
    fn messages(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        each(reader, &mut |reader| {
            members(reader, &mut |name, reader| {
                if *name == "content" { self.content(reader) } else { reader.skip() }
            })
        })
    }

    /// Content of a message or of a tool's result.
    fn content(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        each(reader, &mut |reader| {
            members(reader, &mut |name, reader| {
                if *name == "type" && reader.peek()? == Kind::String {
                    self.needs.images |= reader.string()? == "image";
                    return Ok(());
                }
                if *name == "content" { self.content(reader) } else { reader.skip() }
            })
        })
    }

    fn output_config(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        members(reader, &mut |name, reader| {
            if *name == "format" {
                self.needs.schema |= said(reader)?;
                return Ok(());
            }
            reader.skip()
        })
    }
}

/// Reads the elements of what is next if it is a list, and skips it otherwise.
fn each<'a>(
    reader: &mut Reader<'a>,
    read: &mut dyn FnMut(&mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    if reader.peek()? != Kind::Array {
        return reader.skip();
    }
    reader.array()?;
    while reader.element()? {
        read(reader)?;
    }
    Ok(())
}

/// Reads the members of what is next if it is an object, and skips it otherwise.
fn members<'a>(
    reader: &mut Reader<'a>,
    read: &mut dyn FnMut(&Text<'a>, &mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    if reader.peek()? != Kind::Object {
        return reader.skip();
    }
    reader.object()?;
    while let Some(name) = reader.key()? {
        read(&name, reader)?;
    }
    Ok(())
}

/// Skips a value and says whether it was something.
fn said(reader: &mut Reader<'_>) -> Result<bool, Error> {
    Ok(reader.raw()? != "null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::splice as apply;

    const BODY: &str = r#"{ "model" : "claude-x", "max_tokens": 16, "big": 12345678901234567890, "stream": true,
        "messages": [{"role":"user","content":"hi"}] }"#;

    fn target(model: &str) -> Target<'_> {
        Target { model, max_output_tokens: None, stream_usage: true }
    }

    #[test]
    fn only_the_model_changes() {
        let found = peek(BODY).unwrap();
        assert_eq!((found.stream, found.max_tokens, found.n), (true, Some(16), 1));
        assert_eq!(BODY.get(found.end..), Some("}"));
        let edits = splice(&found, &target("claude-y"));
        let out = String::from_utf8(apply(BODY.as_bytes(), &edits)).unwrap();
        assert_eq!(out, BODY.replace("claude-x", "claude-y"));
        assert!(splice(&found, &target("claude-x")).is_empty());
    }

    #[test]
    fn an_escaped_model_is_the_same_model() {
        let body = r#"{"model":"claude\u002dx"}"#;
        let found = peek(body).unwrap();
        assert!(splice(&found, &target("claude-x")).is_empty());
    }

    #[test]
    fn needs_are_found_where_they_are() {
        let needs = |rest: &str| peek(&format!(r#"{{"model":"m",{rest}}}"#)).unwrap().needs;
        let image = r#"{"type":"image","source":{"type":"url","url":"https://x"}}"#;
        assert!(needs(&format!(r#""messages":[{{"role":"user","content":[{image}]}}]"#)).images);
        assert!(
            needs(&format!(
                r#""messages":[{{"role":"user","content":[{{"content":[{image}],"type":"tool_result"}}]}}]"#
            ))
            .images
        );
        assert!(!needs(r#""messages":[{"role":"user","content":"\"type\":\"image\""}]"#).images);
        assert!(needs(r#""tools":[{"name":"f"}]"#).tools);
        assert!(!needs(r#""tools":[]"#).tools);
        assert!(!needs(r#""tools":null"#).tools);
        assert!(needs(r#""output_config":{"effort":"low","format":{"type":"json_schema"}}"#).schema);
        assert!(needs(r#""output_format":{"type":"json_schema"}"#).schema);
        assert!(!needs(r#""output_config":{"format":null},"output_format":null"#).schema);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let complaint = |body: &str| peek(body).unwrap_err().to_string();
        assert_eq!(complaint("{}"), "model: missing");
        assert_eq!(complaint(r#"{"model":7}"#), "model: expected a string");
        assert_eq!(complaint(r#"{"model":null}"#), "model: expected a string");
        assert_eq!(complaint(r#"{"model":""}"#), "model: expected a model's id");
        assert_eq!(complaint(r#"{"model":"a","model":"b"}"#), "model: occurs twice");
        assert_eq!(complaint(r#"{"model":"a","mod\u0065l":"b"}"#), "model: occurs twice");
        assert_eq!(complaint(r#"{"x":1,"model":"a","x":2}"#), "x: occurs twice");
        assert_eq!(complaint(r#"{"model":"a","stream":"yes"}"#), "stream: expected a boolean");
        assert_eq!(
            complaint(r#"{"model":"a","max_tokens":1.5}"#),
            "max_tokens: expected a non-negative integer"
        );
        assert_eq!(complaint("[]"), "body: expected an object");
        assert_eq!(
            complaint(r#"{"model":"a","messages":[{"content":[{"type":}]}]}"#),
            "body: invalid JSON at byte 45: expected a value"
        );
        assert!(complaint(r#"{"model":"a"} x"#).starts_with("body: invalid JSON"));
        let crowd: String = (0..600).map(|at| format!(r#","x{at}":0"#)).collect();
        assert_eq!(
            complaint(&format!(r#"{{"model":"a"{crowd}}}"#)),
            "body: expected an object of at most 512 members"
        );
        assert!(complaint("").starts_with("body: invalid JSON"));
    }

    #[test]
    fn odd_shapes_are_left_to_the_upstream() {
        for body in [
            r#"{"model":"a","messages":7,"tools":{},"output_config":[],"stream":null,"max_tokens":null}"#,
            r#"{"model":"a","messages":[7,{"content":{}},{"content":[1,{"type":2,"content":3}]}]}"#,
        ] {
            assert!(!peek(body).unwrap().needs.images);
        }
    }
}
