//! Counting tokens. <https://platform.claude.com/docs/en/api/messages/count_tokens>
//!
//! Invariant: a count is an answer of its own, not usage: nothing was used.

use super::{Anthropic, error, request};
use crate::dialect::members::{Members, Path};
use crate::dialect::{CountOutbound, Target};
use crate::ir::chat::Request;
use crate::ir::error::{Fault, Malformed};
use crate::ir::loss::Loss;
use crate::wire::json::Object;

/// Appends a count.
pub(super) fn encode(tokens: u64, out: &mut Vec<u8>) {
    Object::new(out).int("input_tokens", tokens);
}

/// Reads a count.
pub(super) fn decode(body: &str) -> Result<u64, Fault> {
    if body.trim().is_empty() {
        return Err(Fault::Empty);
    }
    let mut members = Members::of(body).map_err(|error| Fault::Invalid(error.to_string()))?;
    if let Some(error) = error::in_reply(&mut members) {
        return Err(Fault::Error(error));
    }
    let path = Path::root("input_tokens");
    let count = members.take("input_tokens").ok_or_else(|| path.malformed("missing"));
    count.and_then(|count| count.integer(&path)).map_err(|problem| Fault::Invalid(problem.to_string()))
}

impl CountOutbound for Anthropic {
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        loss: &mut Loss,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        // Limits and randomness say nothing about what is counted: that they are left out is no loss.
        let mut ignored = Loss::default();
        let counted = Request { sampling: crate::ir::chat::Sampling::default(), ..request.clone() };
        request::encode(&counted, target, true, &mut ignored, out)?;
        ignored.paths().iter().filter(|path| path.starts_with("messages")).for_each(|path| loss.drop(path));
        Ok(())
    }

    fn decode_reply(&self, body: &str) -> Result<u64, Fault> {
        decode(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Endpoint;
    use crate::dialect::{Ask, Inbound};

    #[test]
    fn a_count_goes_there_and_back() {
        let body = r#"{"model":"c","messages":[{"role":"user","content":"q"}],"system":"s","tools":[{"name":"f","input_schema":{"type":"object"}}]}"#;
        let ask = Ask::of(Endpoint::CountMessages);
        let mut loss = Loss::default();
        let request = Anthropic.decode_request(&ask, body, &mut loss).unwrap();
        let mut out = Vec::new();
        CountOutbound::encode_request(&Anthropic, &request, &Target::of("claude-x"), &mut loss, &mut out)
            .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"model":"claude-x","system":"s","messages":[{"role":"user","content":[{"type":"text","text":"q"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}"#
        );
        assert!(loss.paths().is_empty());
        let mut out = Vec::new();
        Anthropic.encode_count(12, &mut out);
        let json = String::from_utf8(out).unwrap();
        assert_eq!(json, r#"{"input_tokens":12}"#);
        assert_eq!(decode(&json), Ok(12));
        assert_eq!(decode(" "), Err(Fault::Empty));
        assert!(matches!(decode("{}"), Err(Fault::Invalid(_))));
        assert!(matches!(
            decode(r#"{"type":"error","error":{"type":"api_error","message":"no"}}"#),
            Err(Fault::Error(_))
        ));
    }
}
