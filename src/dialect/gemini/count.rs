//! Token counts. <https://ai.google.dev/api/tokens>
//!
//! Invariant: what is counted is the whole request, instructions and tools included.

use super::names::canonical;
use super::{error, request};
use crate::dialect::Target;
use crate::dialect::value::count_or_skip;
use crate::ir::chat::Request;
use crate::ir::error::{Fault, Malformed};
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Object, Reader};

/// Appends a request to count. Where the model has no place in the body, neither has the request within the request.
pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    loss: &mut Loss,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let mut body = Object::new(out);
    if !target.model_in_body {
        return request::write_body(request, target, &mut body, loss);
    }
    let mut written = Ok(());
    body.object("generateContentRequest", |object| {
        object.str("model", &super::resource(target.model));
        written = request::write_body(request, target, object, loss);
    });
    written
}

/// Reads the count.
pub(super) fn decode(body: &str) -> Result<u64, Fault> {
    if body.trim().is_empty() {
        return Err(Fault::Empty);
    }
    if let Some(error) = error::in_reply(body) {
        return Err(Fault::Error(error));
    }
    let mut reader = Reader::new(body);
    let mut read = || {
        let mut total = None;
        reader.object()?;
        while let Some(key) = reader.key()? {
            match &*canonical(key.plain()) {
                "totalTokens" => total = count_or_skip(&mut reader)?,
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        Ok::<_, Error>(total)
    };
    let total = read().map_err(|error| Fault::Invalid(error.to_string()))?;
    // Protocol buffers leave a zero out.
    Ok(total.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::chat::{Message, Part, Role};

    #[test]
    fn the_whole_request_is_counted() {
        let turn = |role, text: &'static str| Message::new(role, None, vec![Part::text(text)]);
        let messages = vec![turn(Role::System, "s"), turn(Role::User, "q")];
        let request = Request { messages, ..Request::default() };
        let written = |target: &Target<'_>| {
            let mut out = Vec::new();
            encode(&request, target, &mut Loss::default(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let inner = concat!(
            r#""systemInstruction":{"parts":[{"text":"s"}]},"#,
            r#""contents":[{"role":"user","parts":[{"text":"q"}]}]}"#
        );
        let own = format!(r#"{{"generateContentRequest":{{"model":"models/m",{inner}}}"#);
        assert_eq!(written(&Target::of("m")), own);
        assert_eq!(written(&Target { model_in_body: false, ..Target::of("m") }), format!("{{{inner}"));
    }

    #[test]
    fn counts_are_read() {
        assert_eq!(decode(r#"{"totalTokens":31,"promptTokensDetails":[]}"#), Ok(31));
        assert_eq!(decode("{}"), Ok(0));
        assert_eq!(decode(""), Err(Fault::Empty));
        assert!(matches!(decode("[]"), Err(Fault::Invalid(_))));
        assert!(matches!(decode(r#"{"error":{"code":400,"message":"x"}}"#), Err(Fault::Error(_))));
    }
}
