//! The model list as OpenAI's clients read it.

use crate::config::Model;
use crate::wire::json::Object;

/// Appends one model.
pub(in crate::dialect) fn encode(model: &Model, out: &mut Vec<u8>) {
    Object::new(out)
        .str("id", &model.id)
        .str("object", "model")
        .int("created", model.created)
        .str("owned_by", &model.owner);
}

/// Appends the list.
pub(in crate::dialect) fn encode_list(models: &[&Model], out: &mut Vec<u8>) {
    Object::new(out).str("object", "list").array("data", |list| {
        for model in models {
            encode(model, list.element());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_complete_models() {
        let model = Model {
            id: "m\"1".to_owned(),
            aliases: Vec::new(),
            owner: "acme".to_owned(),
            created: 7,
            channels: Vec::new(),
            context_window: None,
            max_output_tokens: None,
            input_modalities: Vec::new(),
            capabilities: Vec::new(),
            prices: Default::default(),
        };
        let mut out = Vec::new();
        encode_list(&[&model], &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"object":"list","data":[{"id":"m\"1","object":"model","created":7,"owned_by":"acme"}]}"#
        );
    }
}
