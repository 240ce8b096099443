//! What a reply repeats of its request.
//!
//! Invariant: the members and their order are the vendor's; a value is the client's own bytes, or the vendor's default.

use crate::wire::json::{Error, Object, Reader};

/// Members that a response repeats, and what stands there if the client is silent.
const REPEATED: [(&str, &str); 20] = [
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("service_tier", r#""default""#),
    ("store", "true"),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"},"verbosity":"medium"}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", r#""disabled""#),
    ("user", "null"),
    ("metadata", "{}"),
];

/// The echo of a request that says nothing.
pub(in crate::dialect::responses) const DEFAULT_ECHO: &str = r#"{"background":false,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"parallel_tool_calls":true,"previous_response_id":null,"prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,"service_tier":"default","store":true,"temperature":1.0,"text":{"format":{"type":"text"},"verbosity":"medium"},"tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":1.0,"truncation":"disabled","user":null,"metadata":{}}"#;

/// A JSON object with everything that is repeated. A body that is no object repeats nothing.
pub(in crate::dialect::responses) fn echo(body: &str) -> String {
    let Ok(said) = said(body) else { return DEFAULT_ECHO.to_owned() };
    let mut out = Vec::with_capacity(1_024);
    let mut object = Object::new(&mut out);
    for ((name, default), value) in REPEATED.iter().zip(said) {
        // The tier is what served, and nobody has tiers but the vendor.
        let value = value.filter(|value| *value != "null" && *name != "service_tier");
        object.raw(name, value.unwrap_or(default));
    }
    drop(object);
    // Made of parts of two texts.
    String::from_utf8(out).unwrap_or_else(|_| DEFAULT_ECHO.to_owned())
}

/// The client's values, in the order of [`REPEATED`].
fn said(body: &str) -> Result<[Option<&str>; REPEATED.len()], Error> {
    let mut said = [None; REPEATED.len()];
    let mut reader = Reader::new(body);
    reader.object()?;
    while let Some(key) = reader.key()? {
        let value = reader.raw()?;
        let name = key.plain();
        if let Some(((..), slot)) = REPEATED.iter().zip(&mut said).find(|((known, _), _)| *known == name) {
            *slot = Some(value);
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_request_is_echoed_with_the_vendors_defaults() {
        assert_eq!(echo(r#"{"model":"m","input":"hi","top_p":null}"#), DEFAULT_ECHO);
        assert_eq!(echo("nonsense"), DEFAULT_ECHO);
    }

    #[test]
    fn the_clients_own_bytes_are_repeated() {
        let echo = echo(
            r#"{"temperature":0.10000000000000001,"model":"m","tools":[ {"type":"custom","name":"a"}]}"#,
        );
        assert!(echo.contains(r#""temperature":0.10000000000000001,"#), "{echo}");
        assert!(echo.contains(r#""tools":[ {"type":"custom","name":"a"}],"#), "{echo}");
    }
}
