use super::pack::{pack, unpack};
use super::*;
use crate::config::Endpoint;

const ASK: Ask<'static> = Ask::of(Endpoint::Embeddings);

fn decoded(body: &str) -> Result<(Request<'_>, Vec<String>), Malformed> {
    let mut loss = Loss::default();
    let request = EmbedInbound::decode_request(&Openai, &ASK, body, &mut loss)?;
    Ok((request, loss.paths().to_vec()))
}

#[test]
fn every_form_of_input_is_read() {
    let inputs = |json: &str| {
        let body = format!(r#"{{"model":"m","input":{json}}}"#);
        decoded(&body).map(|(request, _)| format!("{:?}", request.inputs)).map_err(|error| error.to_string())
    };
    let same = |json: &str, expected: Vec<Input<'_>>| assert_eq!(inputs(json), Ok(format!("{expected:?}")));
    same("[ 1, 2 ]", vec![Input::Tokens("[ 1, 2 ]")]);
    same("[[1],[2,3]]", vec![Input::Tokens("[1]"), Input::Tokens("[2,3]")]);
    assert!(inputs(r#""a""#).is_ok());
    assert!(inputs(r#"["a","b"]"#).is_ok());
    for (json, problem) in [
        ("[]", "input: expected a string, or a list that is not empty"),
        ("7", "input: expected a string, or a list of strings or of tokens"),
        ("[1.5]", "input: expected a non-negative integer"),
        (r#"["a",null]"#, "input[1]: expected a string or a list of tokens"),
        (r#"[[1],["a"]]"#, "input[1]: expected a number"),
    ] {
        assert_eq!(inputs(json), Err(problem.to_owned()), "{json}");
    }
}

#[test]
fn what_is_unknown_is_lost_and_the_rest_comes_back() {
    let body = r#"{"model":"m","input":["a"],"dimensions":256,"user":"u","encoding_format":"base64","x":1}"#;
    let (request, lost) = decoded(body).unwrap();
    assert_eq!(lost, ["x"]);
    let (mut out, mut loss) = (Vec::new(), Loss::default());
    let target = Target::of("up");
    EmbedOutbound::encode_request(&Openai, &request, &target, &mut loss, &mut out).unwrap();
    let json = String::from_utf8(out).unwrap();
    assert_eq!(json, r#"{"model":"up","input":["a"],"dimensions":256,"user":"u"}"#);
    assert_eq!(decoded(&json).unwrap().0, request);
}

#[test]
fn mixtures_and_tasks_are_not_openais() {
    let mut request = Request {
        inputs: vec![Input::Text("a".into()), Input::Tokens("[1]")],
        task: Some("CLUSTERING".into()),
        ..Request::default()
    };
    let (mut out, mut loss) = (Vec::new(), Loss::default());
    let target = Target::of("up");
    let mut encode = |request: &Request<'_>, loss: &mut Loss| {
        EmbedOutbound::encode_request(&Openai, request, &target, loss, &mut out).map_err(|error| error.path)
    };
    assert_eq!(encode(&request, &mut loss), Err("input".to_owned()));
    request.inputs.pop();
    assert_eq!(encode(&request, &mut loss), Ok(()));
    assert_eq!(loss.paths(), ["task"]);
}

#[test]
fn vectors_are_packed_only_for_those_who_want_it() {
    let json = "[0.5,-1e-3,16777217]";
    let packed = pack(json).unwrap();
    assert_eq!(packed, "AAAAP28Sg7oAAIBL");
    assert_eq!(unpack(&packed).unwrap(), "[0.5,-0.001,16777216]");
    assert_eq!(unpack("").unwrap(), "[]");
    assert_eq!(
        (pack("[1e39]"), pack("[true]"), unpack("AAA="), unpack("AACAfw==")),
        (None, None, None, None)
    );
    let body = r#"{"model":"m","data":[{"index":1,"embedding":[2]},{"index":0,"embedding":"AAAAPw=="}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#;
    let reply = EmbedOutbound::decode_reply(&Openai, &Target::of("m"), body).unwrap();
    let written = |echo: &str| {
        let mut context = ReplyContext::new(Endpoint::Embeddings, 0);
        context.echo = echo.into();
        let mut out = Vec::new();
        EmbedInbound::encode_reply(&Openai, &reply, &context, &mut out)
            .map(|()| String::from_utf8(out).unwrap())
    };
    assert_eq!(
        written("").unwrap(),
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]},{"object":"embedding","index":1,"embedding":[2]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}"#
    );
    assert!(written("base64").unwrap().contains(r#""embedding":"AAAAQA==""#));
}

#[test]
fn a_reply_without_vectors_is_none() {
    let decode = |body: &'static str| EmbedOutbound::decode_reply(&Openai, &Target::of("m"), body);
    assert_eq!(decode(r#"{"data":[]}"#), Err(Fault::Empty));
    assert!(matches!(decode(r#"{"error":{"message":"no"}}"#), Err(Fault::Error(_))));
    assert!(matches!(decode("["), Err(Fault::Invalid(_))));
}
