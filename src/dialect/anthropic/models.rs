//! The model list. <https://platform.claude.com/docs/en/api/models/list>
//!
//! Invariant: one page holds everything, so `has_more` is always false.

use crate::config::Model;
use crate::wire::calendar::Moment;
use crate::wire::json::Object;

/// Appends the list.
pub(super) fn encode_list(models: &[&Model], out: &mut Vec<u8>) {
    let mut body = Object::new(out);
    body.array("data", |data| models.iter().for_each(|model| encode(model, data.element())));
    body.bool("has_more", false);
    for (name, model) in [("first_id", models.first()), ("last_id", models.last())] {
        match model {
            Some(model) => body.str(name, &model.id),
            None => body.null(name),
        };
    }
}

/// Appends one model.
pub(super) fn encode(model: &Model, out: &mut Vec<u8>) {
    let mut object = Object::new(out);
    object.str("type", "model").str("id", &model.id).str("display_name", &model.id);
    object.str("created_at", &Moment::of(model.created).extended()).str("lifecycle", "active");
    for (name, count) in [("max_input_tokens", model.context_window), ("max_tokens", model.max_output_tokens)]
    {
        match count {
            Some(count) => object.int(name, count),
            None => object.null(name),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_what_the_official_clients_know() {
        let model: Model = serde_json::from_str(
            r#"{"id":"claude-x","owner":"anthropic","created":1735689599,"context_window":200000}"#,
        )
        .unwrap();
        let mut out = Vec::new();
        encode_list(&[&model], &mut out);
        let expected = concat!(
            r#"{"data":[{"type":"model","id":"claude-x","display_name":"claude-x","created_at":"2024-12-31T23:59:59Z","#,
            r#""lifecycle":"active","max_input_tokens":200000,"max_tokens":null}],"#,
            r#""has_more":false,"first_id":"claude-x","last_id":"claude-x"}"#
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_empty_list_has_no_ends() {
        let mut out = Vec::new();
        encode_list(&[], &mut out);
        assert_eq!(out, br#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#);
    }
}
