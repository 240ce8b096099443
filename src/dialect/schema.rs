//! Schemas of tools as strict dialects want them.
//!
//! Invariant: a schema is copied as text; only what is missing is put in.

use crate::wire::json::{Error, Reader};

/// Appends what a tool takes as the object schema that is demanded: `"type":"object"` is put in where it was left out.
pub(super) fn write_parameters(parameters: Option<&str>, out: &mut Vec<u8>) {
    let members = parameters.and_then(|json| json.trim().strip_prefix('{'));
    match (parameters, members) {
        (Some(json), Some(_)) if says_type(json) => out.extend_from_slice(json.as_bytes()),
        (_, Some(members)) if members.trim_start() != "}" => {
            out.extend_from_slice(br#"{"type":"object","#);
            out.extend_from_slice(members.as_bytes());
        }
        _ => out.extend_from_slice(br#"{"type":"object","properties":{}}"#),
    }
}

fn says_type(schema: &str) -> bool {
    let mut reader = Reader::new(schema);
    let mut found = false;
    let mut look = || {
        reader.object()?;
        while let Some(name) = reader.key()? {
            found |= name == "type";
            reader.skip()?;
        }
        Ok::<_, Error>(())
    };
    look().is_ok() && found
}
