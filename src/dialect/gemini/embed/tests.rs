use super::{decode, decode_reply, decode_reply_of, encode, encode_reply};
use crate::config::Endpoint;
use crate::dialect::{Ask, ReplyContext, Target};
use crate::ir::embed::{Input, Places, Reply, Request, Vector};
use crate::ir::error::Fault;
use crate::ir::loss::Loss;

fn read(endpoint: Endpoint, body: &str) -> Result<(Request<'_>, Vec<String>), String> {
    let mut loss = Loss::default();
    let ask = Ask { endpoint, model: Some("m"), stream: false };
    let request = decode(&ask, body, &mut loss).map_err(|malformed| malformed.to_string())?;
    Ok((request, loss.paths().to_vec()))
}

fn written(request: &Request<'_>, target: &Target<'_>) -> Result<String, String> {
    let (mut out, mut loss) = (Vec::new(), Loss::default());
    encode(request, target, &mut loss, &mut out).map_err(|malformed| malformed.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn text(text: &'static str) -> Input<'static> {
    Input::Text(text.into())
}

#[test]
fn one_text_is_read_in_both_of_google_s_forms() {
    let old = r#"{"model":"models/m","content":{"parts":[{"text":"a"},{"text":"b"}]},"taskType":"RETRIEVAL_DOCUMENT","title":"t","outputDimensionality":64}"#;
    let new = r#"{"content":{"role":"user","parts":[{"text":"ab"}]},"embed_content_config":{"task_type":"RETRIEVAL_DOCUMENT","title":"t","output_dimensionality":64}}"#;
    let single = r#"{"content":{"parts":{"text":"ab"}},"taskType":"RETRIEVAL_DOCUMENT","title":"t","outputDimensionality":"64"}"#;
    for body in [old, new, single] {
        let (request, lost) = read(Endpoint::EmbedContent, body).unwrap();
        let expected = Request {
            inputs: vec![text("ab")],
            dimensions: Some(64),
            task: Some("RETRIEVAL_DOCUMENT".into()),
            title: Some("t".into()),
            ..Request::default()
        };
        assert_eq!((Request { places: Places::default(), ..request }, lost), (expected, vec![]));
    }
}

#[test]
fn a_batch_asks_for_all_what_its_first_asks_for() {
    let body = r#"{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"},{"content":{"parts":[{"text":"b"}]},"outputDimensionality":3,"new":1}]}"#;
    let (request, lost) = read(Endpoint::BatchEmbedContents, body).unwrap();
    assert_eq!(request.inputs, [text("a"), text("b")]);
    assert_eq!((request.task, request.dimensions), (Some("CLUSTERING".into()), None));
    assert_eq!(lost, ["requests[1].taskType", "requests[1].outputDimensionality", "requests[1].new"]);
}

#[test]
fn what_cannot_be_embedded_is_named() {
    for (endpoint, body, expected) in [
        (Endpoint::EmbedContent, "{}", "content: missing"),
        (Endpoint::EmbedContent, r#"{"content":{"parts":[]}}"#, "content.parts: expected at least one"),
        (
            Endpoint::EmbedContent,
            r#"{"content":{"parts":[{"inlineData":{}}]}}"#,
            "content.parts[0].text: missing",
        ),
        (Endpoint::BatchEmbedContents, "{}", "requests: expected an array"),
        (Endpoint::BatchEmbedContents, r#"{"requests":[]}"#, "requests: expected at least one"),
        (Endpoint::BatchEmbedContents, r#"{"requests":[{}]}"#, "requests[0].content: missing"),
    ] {
        assert_eq!(read(endpoint, body).unwrap_err(), expected);
    }
}

#[test]
fn requests_are_batches_and_tokens_are_refused() {
    let mut request =
        Request { inputs: vec![text("a"), text("b")], dimensions: Some(3), ..Request::default() };
    let own = r#"{"requests":[{"model":"models/up","content":{"parts":[{"text":"a"}]},"outputDimensionality":3},{"model":"models/up","content":{"parts":[{"text":"b"}]},"outputDimensionality":3}]}"#;
    assert_eq!(written(&request, &Target::of("up")).unwrap(), own);
    let (again, lost) = read(Endpoint::BatchEmbedContents, own).unwrap();
    assert_eq!((Request { places: Places::default(), ..again }, lost), (request.clone(), vec![]));
    let vertex = Target { model_in_body: false, ..Target::of("up") };
    let config = r#"{"content":{"parts":[{"text":"b"}]},"embedContentConfig":{"outputDimensionality":3}}]}"#;
    assert!(written(&request, &vertex).unwrap().ends_with(config));
    request.inputs.push(Input::Tokens("[1,2]"));
    assert!(written(&request, &Target::of("up")).unwrap_err().starts_with("input[2]: "));
}

const PREDICTING: Target<'static> = Target { predicts: true, ..Target::of("text-embedding-005") };

#[test]
fn predictions_have_instances_and_parameters() {
    let mut request = Request { inputs: vec![text("a"), text("b")], ..Request::default() };
    let bare = r#"{"instances":[{"content":"a"},{"content":"b"}]}"#;
    assert_eq!(written(&request, &PREDICTING).unwrap(), bare);
    request.task = Some("RETRIEVAL_DOCUMENT".into());
    request.title = Some("t".into());
    request.dimensions = Some(3);
    let one = r#"{"task_type":"RETRIEVAL_DOCUMENT","title":"t","content":"a"}"#;
    let whole = written(&request, &PREDICTING).unwrap();
    assert!(whole.starts_with(&format!(r#"{{"instances":[{one},"#)), "{whole}");
    assert!(whole.ends_with(r#"],"parameters":{"outputDimensionality":3}}"#), "{whole}");
    request.inputs.push(Input::Tokens("[1,2]"));
    assert!(written(&request, &PREDICTING).unwrap_err().starts_with("input[2]: "));
    let many = Request { inputs: vec![text("a"); 251], ..Request::default() };
    assert_eq!(written(&many, &PREDICTING).unwrap_err(), "input: expected at most 250 texts");
}

#[test]
fn predictions_are_read_with_the_sum_of_their_counts() {
    let read = |body: &'static str| decode_reply_of(&PREDICTING, body);
    let counted = r#"{"metadata":{"billableCharacterCount":9},"predictions":[{"embeddings":{"statistics":{"truncated":false,"token_count":4},"values":[0.10,2]}},{"embeddings":{"values":[3],"statistics":{"token_count":2}}}]}"#;
    let reply = read(counted).unwrap();
    assert_eq!(reply.vectors, [Vector::Numbers("[0.10,2]"), Vector::Numbers("[3]")]);
    assert_eq!(reply.usage.unwrap().input, 6);
    let half = r#"{"predictions":[{"embeddings":{"values":[3],"statistics":{"token_count":2}}},{"embeddings":{"values":[3]}}]}"#;
    assert_eq!(read(half).unwrap().usage, None, "a part of a count is no count");
    assert_eq!(read(r#"{"predictions":[]}"#).unwrap().vectors, []);
    assert!(matches!(read(r#"{"predictions":[{"embeddings":{"values":["#), Err(Fault::Invalid(_))));
    let error = r#"{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}"#;
    assert!(matches!(read(error), Err(Fault::Error(_))));
}

#[test]
fn vectors_are_written_as_numbers_whatever_they_were() {
    let reply = Reply {
        model: "m".into(),
        vectors: vec![Vector::Numbers("[0.1,-2e-3]"), Vector::Packed("AACAPwAAAL8=".into())],
        usage: None,
    };
    let encoded = |reply: &Reply<'_>, endpoint| {
        let mut out = Vec::new();
        encode_reply(reply, &ReplyContext::new(endpoint, 1), &mut out)
            .map(|()| String::from_utf8(out).unwrap())
    };
    let batch = r#"{"embeddings":[{"values":[0.1,-2e-3]},{"values":[1,-0.5]}]}"#;
    assert_eq!(encoded(&reply, Endpoint::BatchEmbedContents).unwrap(), batch);
    assert_eq!(encoded(&reply, Endpoint::EmbedContent).unwrap(), r#"{"embedding":{"values":[0.1,-2e-3]}}"#);
    for packed in ["AAA=", "AADAfw==", "?"] {
        let reply = Reply { vectors: vec![Vector::Packed(packed.into())], ..reply.clone() };
        assert!(matches!(encoded(&reply, Endpoint::EmbedContent), Err(Fault::Invalid(_))), "{packed}");
    }
}

#[test]
fn replies_are_read_in_both_forms() {
    let one = decode_reply(r#"{"embedding":{"values":[0.10,2]}}"#).unwrap();
    assert_eq!(one.vectors, [Vector::Numbers("[0.10,2]")]);
    let body = r#"{"embeddings":[{"values":[1]},{"values":[2],"statistics":{}}],"usageMetadata":{"promptTokenCount":4}}"#;
    let two = decode_reply(body).unwrap();
    assert_eq!(two.vectors, [Vector::Numbers("[1]"), Vector::Numbers("[2]")]);
    assert_eq!(two.usage.unwrap().input, 4);
    assert_eq!(decode_reply("{}"), Err(Fault::Empty));
    assert_eq!(decode_reply(" "), Err(Fault::Empty));
    assert!(matches!(decode_reply(r#"{"embedding":{"values":["a"]}}"#), Err(Fault::Invalid(_))));
    assert!(matches!(decode_reply(r#"{"error":{"code":503,"message":"x"}}"#), Err(Fault::Error(_))));
}

#[test]
fn one_request_is_a_batch_of_one() {
    let (request, lost) =
        read(Endpoint::BatchEmbedContents, r#"{"requests":{"content":{"parts":{"text":"a"}},"odd":1}}"#)
            .unwrap();
    assert_eq!((request.inputs, lost), (vec![text("a")], vec!["requests.odd".to_owned()]));
}
