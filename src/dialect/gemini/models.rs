//! The model list. <https://ai.google.dev/api/models>
//!
//! Invariant: one page holds everything, so there is no `nextPageToken`.

use crate::config::Model;
use crate::wire::json::Object;

/// What can be called on any model; what a model cannot do, its provider says.
const METHODS: [&str; 4] = ["generateContent", "countTokens", "embedContent", "batchEmbedContents"];

/// Appends the list.
pub(super) fn encode_list(models: &[&Model], out: &mut Vec<u8>) {
    let mut body = Object::new(out);
    body.array("models", |list| models.iter().for_each(|model| encode(model, list.element())));
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
        encode_list(&[&model], &mut out);
        let expected = concat!(
            r#"{"models":[{"name":"models/gemini-x","version":"","displayName":"gemini-x","inputTokenLimit":1048576,"#,
            r#""supportedGenerationMethods":["generateContent","countTokens","embedContent","batchEmbedContents"]}]}"#
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_empty_list_is_a_list() {
        let mut out = Vec::new();
        encode_list(&[], &mut out);
        assert_eq!(out, br#"{"models":[]}"#);
    }
}
