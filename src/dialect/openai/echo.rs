//! What a reply needs of its request: which tools are custom ones, and how vectors are wanted.
//!
//! Invariant: nothing is read where the body cannot hold it.

use super::wire::{array_or_skip, object_or_skip, text_or_skip};
use crate::config::Endpoint;
use crate::dialect::ReplyContext;
use crate::wire::json::{Array, Error, Kind, Reader, Text};
use memchr::memmem;

/// How a wish for packed vectors is noted.
const PACKED: &str = "base64";

/// Notes it: the names of custom tools as a JSON list, or the vectors' encoding.
pub(super) fn of(endpoint: Endpoint, body: &str) -> String {
    match endpoint {
        Endpoint::Embeddings => {
            if is_packed(body).unwrap_or(false) {
                PACKED.to_owned()
            } else {
                String::new()
            }
        }
        Endpoint::ChatCompletions if memmem::find(body.as_bytes(), b"\"custom\"").is_some() => {
            let names = custom_tools(body).unwrap_or_default();
            if names.is_empty() {
                return String::new();
            }
            let mut out = Vec::new();
            let mut list = Array::new(&mut out);
            for name in &names {
                list.text(name);
            }
            drop(list);
            String::from_utf8(out).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Whether a reply's vectors are to be packed.
pub(super) fn wants_packed(context: &ReplyContext) -> bool {
    &*context.echo == PACKED
}

/// The client's custom tools. Providers that have only functions answer with calls of those that stand for them.
#[derive(Debug, Default)]
pub(super) struct CustomTools(Vec<String>);

impl CustomTools {
    /// Of a reply's request.
    pub(super) fn of(context: &ReplyContext) -> Self {
        Self(read_names(&context.echo).unwrap_or_default())
    }

    /// Whether a tool is one of them.
    pub(super) fn have(&self, name: &Text<'_>) -> bool {
        !self.0.is_empty() && self.0.iter().any(|custom| *name == custom.as_str())
    }
}

fn read_names(echo: &str) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    if echo.starts_with('[') {
        let mut reader = Reader::new(echo);
        reader.array()?;
        while reader.element()? {
            names.push(reader.string()?.plain().into_owned());
        }
    }
    Ok(names)
}

fn is_packed(body: &str) -> Result<bool, Error> {
    let mut reader = Reader::new(body);
    reader.object()?;
    while let Some(key) = reader.key()? {
        if key == "encoding_format" {
            return Ok(text_or_skip(&mut reader)?.is_some_and(|format| format == PACKED));
        }
        reader.skip()?;
    }
    Ok(false)
}

fn custom_tools(body: &str) -> Result<Vec<Text<'_>>, Error> {
    let mut names = Vec::new();
    let mut reader = Reader::new(body);
    reader.object()?;
    while let Some(key) = reader.key()? {
        if key != "tools" || reader.peek()? != Kind::Array {
            reader.skip()?;
        } else if array_or_skip(&mut reader)? {
            while reader.element()? {
                names.extend(custom_tool(&mut reader)?);
            }
        }
    }
    Ok(names)
}

fn custom_tool<'a>(reader: &mut Reader<'a>) -> Result<Option<Text<'a>>, Error> {
    let mut name = None;
    if object_or_skip(reader)? {
        while let Some(key) = reader.key()? {
            if key != "custom" || reader.peek()? != Kind::Object {
                reader.skip()?;
            } else if object_or_skip(reader)? {
                while let Some(key) = reader.key()? {
                    if key == "name" {
                        name = text_or_skip(reader)?;
                    } else {
                        reader.skip()?;
                    }
                }
            }
        }
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_tools_are_remembered_by_name() {
        let body = r#"{"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c\u0031"}}]}"#;
        let mut context = ReplyContext::new(Endpoint::ChatCompletions, 0);
        context.echo = of(Endpoint::ChatCompletions, body).into();
        let tools = CustomTools::of(&context);
        assert!(tools.have(&"c1".into()));
        assert!(!tools.have(&"f".into()));
        assert_eq!(of(Endpoint::ChatCompletions, r#"{"tools":[{"type":"function"}]}"#), "");
        assert_eq!(of(Endpoint::Completions, body), "");
    }

    #[test]
    fn packed_vectors_are_remembered() {
        let mut context = ReplyContext::new(Endpoint::Embeddings, 0);
        assert!(!wants_packed(&context));
        context.echo = of(Endpoint::Embeddings, r#"{"input":"x","encoding_format":"base64"}"#).into();
        assert!(wants_packed(&context));
        assert_eq!(of(Endpoint::Embeddings, r#"{"encoding_format":"float"}"#), "");
    }
}
