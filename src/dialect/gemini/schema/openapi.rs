//! Google's `Schema` as JSON Schema.
//!
//! Invariant: whatever the schema says is said again; the order of properties that it asks for is the order they are
//! written in.

use super::fields;
use crate::dialect::gemini::names::canonical;
use crate::wire::json::{Array, Error, Kind, Object, Reader, Text};

/// Rewrites one schema.
pub(in crate::dialect::gemini) fn to_json_schema(schema: &str) -> Result<String, Error> {
    let mut out = Vec::with_capacity(schema.len());
    node(&mut Reader::new(schema), &mut out)?;
    // Everything written is valid UTF-8: whole members and whole texts.
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn node(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    if reader.peek()? != Kind::Object {
        out.extend_from_slice(reader.raw()?.as_bytes());
        return Ok(());
    }
    let mut fields = fields(reader)?;
    for (name, _) in &mut fields {
        *name = canonical(std::mem::take(name));
    }
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let nullable = field("nullable").is_some_and(|mut value| value.boolean() == Ok(true));
    let typed = field("type").is_some();
    let mut object = Object::new(out);
    for (name, value) in &fields {
        let mut value = value.clone();
        match &**name {
            "nullable" | "propertyOrdering" => {}
            "type" => write_type(&mut value, nullable, &mut object)?,
            "enum" => write_list(&mut value, nullable.then_some("null"), object.member("enum"))?,
            // What Google calls an enumeration is one already by its values.
            "format" if value.clone().string().is_ok_and(|format| format == "enum") => {}
            "properties" => properties(&mut value, field("propertyOrdering"), object.member("properties"))?,
            "defs" | "$defs" => properties(&mut value, None, object.member("$defs"))?,
            "ref" => {
                object.raw("$ref", value.raw()?);
            }
            "items" | "additionalProperties" => node(&mut value, object.member(name))?,
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                let null = (nullable && !typed && name == "anyOf").then_some(r#"{"type":"null"}"#);
                write_schemas(&mut value, null, object.member(name))?;
            }
            "example" => {
                let example = value.raw()?;
                object.array("examples", |examples| {
                    examples.raw(example);
                });
            }
            // 64-bit integers of protocol buffers are strings in JSON.
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
                write_count(&mut value, object.member(name))?;
            }
            _ => {
                object.raw(name, value.raw()?);
            }
        }
    }
    Ok(())
}

fn write_type(value: &mut Reader<'_>, nullable: bool, object: &mut Object<'_>) -> Result<(), Error> {
    if value.peek()? != Kind::String {
        object.raw("type", value.raw()?);
        return Ok(());
    }
    let word = value.string()?.plain().to_ascii_lowercase();
    if word == "type_unspecified" {
        return Ok(());
    }
    if nullable && word != "null" {
        object.array("type", |types| {
            types.str(&word).str("null");
        });
    } else {
        object.str("type", &word);
    }
    Ok(())
}

fn write_list(value: &mut Reader<'_>, more: Option<&str>, out: &mut Vec<u8>) -> Result<(), Error> {
    if value.peek()? != Kind::Array {
        out.extend_from_slice(value.raw()?.as_bytes());
        return Ok(());
    }
    let mut list = Array::new(out);
    value.array()?;
    while value.element()? {
        list.raw(value.raw()?);
    }
    if let Some(more) = more {
        list.raw(more);
    }
    Ok(())
}

fn write_schemas(value: &mut Reader<'_>, more: Option<&str>, out: &mut Vec<u8>) -> Result<(), Error> {
    if value.peek()? != Kind::Array {
        out.extend_from_slice(value.raw()?.as_bytes());
        return Ok(());
    }
    let mut list = Array::new(out);
    value.array()?;
    while value.element()? {
        node(value, list.element())?;
    }
    if let Some(more) = more {
        list.raw(more);
    }
    Ok(())
}

fn write_count(value: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let count = value.clone().string().ok().and_then(|text| text.plain().parse::<u64>().ok());
    match count {
        Some(count) => crate::wire::json::write_int(out, count),
        None => out.extend_from_slice(value.raw()?.as_bytes()),
    }
    Ok(())
}

/// A map of schemas, those that `order` names first. Their names are the client's.
fn properties(value: &mut Reader<'_>, order: Option<Reader<'_>>, out: &mut Vec<u8>) -> Result<(), Error> {
    if value.peek()? != Kind::Object {
        out.extend_from_slice(value.raw()?.as_bytes());
        return Ok(());
    }
    let mut fields = fields(value)?;
    let order = order.and_then(|order| texts(order).ok()).unwrap_or_default();
    if !order.is_empty() {
        let places: std::collections::BTreeMap<_, _> =
            order.iter().enumerate().map(|(at, name)| (name.plain(), at)).collect();
        fields.sort_by_key(|(name, _)| places.get(name).copied().unwrap_or(usize::MAX));
    }
    let mut map = Object::new(out);
    for (name, mut value) in fields {
        node(&mut value, map.member(&name))?;
    }
    Ok(())
}

fn texts(mut reader: Reader<'_>) -> Result<Vec<Text<'_>>, Error> {
    let mut texts = Vec::new();
    reader.array()?;
    while reader.element()? {
        texts.push(reader.string()?);
    }
    Ok(texts)
}
