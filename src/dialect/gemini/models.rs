//! The model list. <https://ai.google.dev/api/models>
//!
//! Invariant: without a size one page holds everything. A page's token is the id that the next one begins behind.

use crate::config::Model;
use crate::dialect::Paging;
use crate::ir::error::Malformed;
use crate::wire::json::Object;

/// What can be called on any model; what a model cannot do, its provider says.
const METHODS: [&str; 4] = ["generateContent", "countTokens", "embedContent", "batchEmbedContents"];

/// The longest page; who asks for more gets this.
const MAX_SIZE: usize = 1_000;

/// Reads `pageSize` and `pageToken`. Nothing stands for what is absent, as everywhere in Google's APIs.
pub(super) fn paging(query: &dyn Fn(&str) -> Option<String>) -> Result<Paging, Malformed> {
    let either = |name, other| query(name).or_else(|| query(other)).filter(|value| !value.is_empty());
    let size = either("pageSize", "page_size").unwrap_or_else(|| "0".to_owned());
    let size =
        size.parse::<usize>().map_err(|_| Malformed::at("pageSize", "expected a size of 0 or more"))?;
    let limit = (size > 0).then(|| size.min(MAX_SIZE));
    Ok(Paging { limit, after: either("pageToken", "page_token"), before: None })
}

/// Appends a page.
pub(super) fn encode_list(models: &[&Model], more: bool, out: &mut Vec<u8>) {
    let mut body = Object::new(out);
    body.array("models", |list| models.iter().for_each(|model| encode(model, list.element())));
    if let Some(last) = models.last().filter(|_| more) {
        body.str("nextPageToken", &last.id);
    }
}

/// Appends one model.
pub(super) fn encode(model: &Model, out: &mut Vec<u8>) {
    let mut object = Object::new(out);
    object.str("name", &format!("models/{}", model.id)).str("version", "").str("displayName", &model.id);
    for (name, count) in
        [("inputTokenLimit", model.context_window), ("outputTokenLimit", model.max_output_tokens)]
    {
        if let Some(count) = count {
            object.int(name, count);
        }
    }
    object.array("supportedGenerationMethods", |methods| {
        METHODS.iter().for_each(|method| {
            methods.str(method);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_what_the_official_clients_know() {
        let model: Model =
            serde_json::from_str(r#"{"id":"gemini-x","owner":"google","context_window":1048576}"#).unwrap();
        let mut out = Vec::new();
        encode_list(&[&model], true, &mut out);
        let expected = concat!(
            r#"{"models":[{"name":"models/gemini-x","version":"","displayName":"gemini-x","inputTokenLimit":1048576,"#,
            r#""supportedGenerationMethods":["generateContent","countTokens","embedContent","batchEmbedContents"]}],"nextPageToken":"gemini-x"}"#
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_empty_list_is_a_list() {
        let mut out = Vec::new();
        encode_list(&[], false, &mut out);
        assert_eq!(out, br#"{"models":[]}"#);
    }

    #[test]
    fn pages_are_asked_for_by_size_and_token() {
        let read = |query: &[(&str, &str)]| {
            let query = |name: &str| {
                query.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            paging(&query).map_err(|error| error.path)
        };
        let page = |limit, after: &str| {
            let after = Some(after.to_owned()).filter(|after| !after.is_empty());
            Ok(Paging { limit, after, before: None })
        };
        assert_eq!(read(&[]), page(None, ""));
        assert_eq!(read(&[("pageSize", "0"), ("pageToken", "")]), page(None, ""));
        assert_eq!(read(&[("pageSize", "2"), ("pageToken", "b")]), page(Some(2), "b"));
        assert_eq!(read(&[("page_size", "5000"), ("page_token", "b")]), page(Some(1_000), "b"));
        for size in ["-1", "many", "1.5"] {
            assert_eq!(read(&[("pageSize", size)]), Err("pageSize".into()), "{size}");
        }
    }
}
