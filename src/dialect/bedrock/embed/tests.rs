use super::*;
use serde_json::{Value as Json, json};

const TITAN: &str = "amazon.titan-embed-text-v2:0";
const COHERE: &str = "cohere.embed-multilingual-v3";

fn sent(model: &str, request: &Request<'_>) -> Result<(Json, Vec<String>), String> {
    let (mut loss, mut out) = (Loss::default(), Vec::new());
    encode(request, &Target::of(model), &mut loss, &mut out).map_err(|problem| problem.to_string())?;
    Ok((serde_json::from_slice(&out).unwrap(), loss.paths().to_vec()))
}

fn texts(texts: &[&'static str]) -> Request<'static> {
    Request { inputs: texts.iter().map(|text| Input::Text((*text).into())).collect(), ..Request::default() }
}

#[test]
fn titan_embeds_one_text() {
    let mut request = texts(&["a"]);
    request.dimensions = Some(256);
    assert_eq!(sent(TITAN, &request), Ok((json!({"inputText": "a", "dimensions": 256}), vec![])));
    let old = sent("amazon.titan-embed-text-v1", &request);
    assert_eq!(old, Ok((json!({"inputText": "a"}), vec!["dimensions".into()])));
    let image = sent("amazon.titan-embed-image-v1", &request).unwrap().0;
    assert_eq!(image["embeddingConfig"], json!({"outputEmbeddingLength": 256}));
    let many = sent(TITAN, &texts(&["a", "b"])).unwrap_err();
    assert_eq!(many, "input: expected one text: Titan embeds one at a time");
}

#[test]
fn cohere_embeds_many_for_a_purpose() {
    let mut request = texts(&["a", "b"]);
    let plain = json!({"texts": ["a", "b"], "input_type": "search_document"});
    assert_eq!(sent(COHERE, &request), Ok((plain, vec![])));
    for (task, kind, lost) in [
        ("RETRIEVAL_QUERY", "search_query", false),
        ("CLASSIFICATION", "classification", false),
        ("SEMANTIC_SIMILARITY", "search_document", true),
    ] {
        request.task = Some(task.into());
        let (body, loss) = sent(COHERE, &request).unwrap();
        assert_eq!((&body["input_type"], loss.as_slice() == ["task"]), (&json!(kind), lost));
    }
    request.dimensions = Some(512);
    let body = sent("us.cohere.embed-v4:0", &request).unwrap().0;
    assert_eq!((&body["output_dimension"], &body["embedding_types"]), (&json!(512), &json!(["float"])));
    assert!(sent(COHERE, &texts(&["x"; 97])).unwrap_err().contains("at most 96"));
}

#[test]
fn what_cannot_be_embedded_is_refused() {
    let tokens = Request { inputs: vec![Input::Tokens("[1,2]")], ..Request::default() };
    assert!(sent(TITAN, &tokens).unwrap_err().starts_with("input[0]:"));
    assert!(sent("anthropic.claude-3-haiku", &texts(&["a"])).unwrap_err().starts_with("model:"));
    let named = Request { user: Some("u".into()), title: Some("t".into()), ..texts(&["a"]) };
    assert_eq!(sent(TITAN, &named).unwrap().1, ["user", "title"]);
}

#[test]
fn vectors_stay_as_they_were_written() {
    let decoded =
        |body: &'static str| decode(body).map(|reply| (reply.vectors, reply.usage.map(|usage| usage.input)));
    let one = || Vector::Numbers("[0.10, -1e-7]");
    assert_eq!(
        decoded(r#"{"embedding":[0.10, -1e-7],"embeddingsByType":{},"inputTextTokenCount":5}"#),
        Ok((vec![one()], Some(5)))
    );
    let two = Ok((vec![one(), Vector::Numbers("[]")], None));
    assert_eq!(
        decoded(r#"{"embeddings":[[0.10, -1e-7],[]],"id":"x","response_type":"embeddings_floats"}"#),
        two
    );
    assert_eq!(
        decoded(r#"{"embeddings":{"float":[[0.10, -1e-7],[]]},"response_type":"embeddings_by_type"}"#),
        two
    );
    for bad in ["{}", r#"{"embeddings":[1]}"#, r#"{"embeddings":{"int8":[[1]]}}"#, "[]"] {
        assert!(matches!(decoded(bad), Err(Fault::Invalid(_))), "{bad}");
    }
    assert_eq!(decoded(" "), Err(Fault::Empty));
}
