//! What a reply repeats of its request.
//!
//! Invariant: the members and their order are the vendor's; a value is the client's own bytes, or the vendor's default. What
//! was lost is not repeated: a reply says what was done, and the list of losses what was not.

use crate::wire::json::{Array, Error, Kind, Object, Reader};

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
    ("store", "false"),
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
pub(in crate::dialect::responses) const DEFAULT_ECHO: &str = r#"{"background":false,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"parallel_tool_calls":true,"previous_response_id":null,"prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,"service_tier":"default","store":false,"temperature":1.0,"text":{"format":{"type":"text"},"verbosity":"medium"},"tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":1.0,"truncation":"disabled","user":null,"metadata":{}}"#;

/// A JSON object with everything that is repeated. A body that is no object repeats nothing.
pub(in crate::dialect::responses) fn echo(body: &str, lost: &[String]) -> String {
    let mut out = Vec::with_capacity(1_024);
    if write(body, lost, &mut out).is_err() {
        return DEFAULT_ECHO.to_owned();
    }
    // Made of parts of two texts.
    String::from_utf8(out).unwrap_or_else(|_| DEFAULT_ECHO.to_owned())
}

fn write(body: &str, lost: &[String], out: &mut Vec<u8>) -> Result<(), Error> {
    let said = said(body)?;
    let mut object = Object::new(out);
    for ((name, default), value) in REPEATED.iter().zip(said) {
        // The tier is what served, and nobody has tiers but the vendor; nobody else keeps a reply.
        let value = value.filter(|value| *value != "null" && !matches!(*name, "service_tier" | "store"));
        match value.filter(|_| !lost.iter().any(|path| path == name)) {
            Some(value) => write_carried(value, name, lost, object.member(name))?,
            None => drop(object.raw(name, default)),
        }
    }
    Ok(())
}

/// The value at `path` without what was lost of it.
fn write_carried(value: &str, path: &str, lost: &[String], out: &mut Vec<u8>) -> Result<(), Error> {
    let inside = |lost: &String| lost.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']));
    let mut reader = Reader::new(value);
    match reader.peek()? {
        Kind::Object if lost.iter().any(inside) => {
            reader.object()?;
            let mut object = Object::new(out);
            while let Some(key) = reader.key()? {
                let (name, value) = (key.plain(), reader.raw()?);
                let path = format!("{path}.{name}");
                if !lost.contains(&path) {
                    write_carried(value, &path, lost, object.member(&name))?;
                } else if let Some(done) = instead(&path) {
                    object.raw(&name, done);
                }
            }
        }
        Kind::Array if lost.iter().any(inside) => {
            reader.array()?;
            let mut list = Array::new(out);
            let mut paths = (0_usize..).map(|at| format!("{path}[{at}]"));
            while reader.element()? {
                let value = reader.raw()?;
                if let Some(path) = paths.next().filter(|path| !lost.contains(path)) {
                    write_carried(value, &path, lost, list.element())?;
                }
            }
        }
        _ => out.extend_from_slice(value.as_bytes()),
    }
    Ok(())
}

/// What a member that the vendor always writes is where it was lost.
fn instead(path: &str) -> Option<&'static str> {
    let of_tool = path.strip_prefix("tools[").and_then(|rest| rest.split_once("]."));
    match (path, of_tool.map(|(_, member)| member)) {
        ("reasoning.effort" | "reasoning.summary" | "text.format.description", _)
        | (_, Some("description" | "parameters")) => Some("null"),
        ("text.format.strict", _) | (_, Some("strict")) => Some("false"),
        ("text.format", _) => Some(r#"{"type":"text"}"#),
        ("text.verbosity", _) => Some(r#""medium""#),
        _ => None,
    }
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
        assert_eq!(echo(r#"{"model":"m","input":"hi","top_p":null}"#, &[]), DEFAULT_ECHO);
        assert_eq!(echo("nonsense", &[]), DEFAULT_ECHO);
        assert!(DEFAULT_ECHO.contains(r#""store":false"#), "what is translated is kept nowhere");
    }

    #[test]
    fn the_clients_own_bytes_are_repeated() {
        let echo = echo(
            r#"{"temperature":0.10000000000000001,"model":"m","tools":[ {"type":"custom","name":"a"}]}"#,
            &["top_p".to_owned()],
        );
        assert!(echo.contains(r#""temperature":0.10000000000000001,"#), "{echo}");
        assert!(echo.contains(r#""tools":[ {"type":"custom","name":"a"}],"#), "{echo}");
    }

    #[test]
    fn what_was_lost_is_not_repeated() {
        let body = r#"{"store":true,"truncation":"auto","user":"u","reasoning":{"effort":"low","summary":"detailed","context":"all"},
            "tools":[{"type":"web_search"},{"type":"function","name":"f","strict":true,"defer_loading":true,"parameters":{"strict": 1}}],
            "text":{"format":{"type":"json_schema","name":"n","schema":{ }},"verbosity":"low"}}"#;
        let lost = [
            "store",
            "truncation",
            "reasoning.summary",
            "reasoning.context",
            "tools[0]",
            "tools[1].strict",
            "tools[1].defer_loading",
            "text.verbosity",
        ];
        let echo = echo(body, &lost.map(str::to_owned));
        for done in [
            r#""store":false,"#,
            r#""truncation":"disabled","#,
            r#""user":"u","#,
            r#""reasoning":{"effort":"low","summary":null},"#,
            r#""tools":[{"type":"function","name":"f","strict":false,"parameters":{"strict": 1}}],"#,
            r#""text":{"format":{"type":"json_schema","name":"n","schema":{ }},"verbosity":"medium"},"#,
        ] {
            assert!(echo.contains(done), "{done}: {echo}");
        }
    }
}
