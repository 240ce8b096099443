//! The model list. <https://platform.claude.com/docs/en/api/models/list>
//!
//! Invariant: without a limit one page holds everything.

use crate::config::Model;
use crate::dialect::Paging;
use crate::ir::error::Malformed;
use crate::wire::calendar::Moment;
use crate::wire::json::Object;

/// The longest page.
const MAX_LIMIT: usize = 1_000;

/// Reads `limit`, `after_id` and `before_id`.
pub(super) fn paging(query: &dyn Fn(&str) -> Option<String>) -> Result<Paging, Malformed> {
    let limit = match query("limit") {
        None => None,
        Some(limit) => match limit.parse() {
            Ok(limit @ 1..=MAX_LIMIT) => Some(limit),
            _ => return Err(Malformed::at("limit", format_args!("expected 1 to {MAX_LIMIT}"))),
        },
    };
    let (after, before) = (query("after_id"), query("before_id"));
    if after.is_some() && before.is_some() {
        return Err(Malformed::at("before_id", "expected nothing beside after_id"));
    }
    Ok(Paging { limit, after, before })
}

/// Appends a page.
pub(super) fn encode_list(models: &[&Model], more: bool, out: &mut Vec<u8>) {
    let mut body = Object::new(out);
    body.array("data", |data| models.iter().for_each(|model| encode(model, data.element())));
    body.bool("has_more", more);
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
        encode_list(&[&model], true, &mut out);
        let expected = concat!(
            r#"{"data":[{"type":"model","id":"claude-x","display_name":"claude-x","created_at":"2024-12-31T23:59:59Z","#,
            r#""lifecycle":"active","max_input_tokens":200000,"max_tokens":null}],"#,
            r#""has_more":true,"first_id":"claude-x","last_id":"claude-x"}"#
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_empty_list_has_no_ends() {
        let mut out = Vec::new();
        encode_list(&[], false, &mut out);
        assert_eq!(out, br#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#);
    }
    #[test]
    fn pages_are_asked_for_by_ids() {
        let read = |query: &[(&str, &str)]| {
            let query = |name: &str| {
                query.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            paging(&query).map_err(|error| error.path)
        };
        assert_eq!(read(&[]), Ok(Paging::default()));
        let asked = Paging { limit: Some(1_000), after: Some("a".into()), before: None };
        assert_eq!(read(&[("limit", "1000"), ("after_id", "a")]), Ok(asked));
        let asked = Paging { before: Some("a".into()), ..Paging::default() };
        assert_eq!(read(&[("before_id", "a"), ("pageSize", "2")]), Ok(asked));
        for limit in ["0", "1001", "-1", "many", ""] {
            assert_eq!(read(&[("limit", limit)]), Err("limit".into()), "{limit}");
        }
        assert_eq!(read(&[("after_id", "a"), ("before_id", "b")]), Err("before_id".into()));
    }
}
