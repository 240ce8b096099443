//! Schemas: Google's own subset of OpenAPI's on the way in, JSON Schema within what Google reads on the way out.
//! <https://ai.google.dev/api/caching#Schema>, <https://ai.google.dev/gemini-api/docs/structured-output>

mod openapi;
mod subset;

pub(super) use openapi::to_json_schema;
pub(super) use subset::{is_void, write};

use crate::wire::json::{Error, Reader};
use std::borrow::Cow;

/// The members of an object, each with a reader before its value.
type Fields<'a> = Vec<(Cow<'a, str>, Reader<'a>)>;

fn fields<'a>(reader: &mut Reader<'a>) -> Result<Fields<'a>, Error> {
    let mut fields = Vec::new();
    reader.object()?;
    while let Some(name) = reader.key()? {
        fields.push((name.plain(), reader.clone()));
        reader.skip()?;
    }
    Ok(fields)
}

#[cfg(test)]
mod tests;
