//! Steps that are left out, and how that is said.

use super::*;

/// `d` is Bedrock.
fn with_bedrock() -> State {
    knowing(&[r#"{"name":"d","dialect":"bedrock","base_url":"https://d.example"}"#], &[])
}

fn left(record: &Record) -> Vec<String> {
    record.passed_over.iter().map(|left| format!("{}/{}:{}", left.provider, left.model, left.lacks)).collect()
}

#[test]
fn a_step_that_cannot_do_it_is_named_in_reply_and_record() {
    let blind =
        r#"{"id":"blind","channels":[{"provider":"a","upstream_id":"x"}],"input_modalities":["text"]}"#;
    let seeing = r#"{"id":"seeing","channels":[{"provider":"b","upstream_id":"y"}],"input_modalities":["text","image"]}"#;
    let state = knowing(&[], &[blind, seeing]);
    let chain = r#","chain":[{"targets":[{"provider":"a","model":"blind"}]},{"targets":[{"provider":"b","model":"seeing"}]}]"#;
    let body = r#"{"model":"auto","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}"#;
    let mut session = Session::arrived(chain);
    session.admit(&state, body);
    assert_eq!(session.begin().0, "b.example");
    let (_, headers, _) = answer(session.reply(200, &[], REPLY));
    assert_eq!(header(&headers, "x-sluice-passed-over"), "a/blind images");
    assert_eq!(left(&session.record()), ["a/blind:images"]);

    // What the client itself names is taken at its word.
    let mut session = Session::arrived(chain);
    session.admit(&state, &body.replace("auto", "blind"));
    assert_eq!(session.begin().0, "a.example");
    assert_eq!(left(&session.record()), Vec::<String>::new());
}

#[test]
fn a_strict_key_moves_past_steps_that_would_lose_something() {
    let chain = r#","loss":"strict","chain":[{"targets":[{"provider":"c","model":"mc"}]},{"targets":[{"provider":"a","model":"ma"}]}]"#;
    let body = CHAT.replace("\"m\"", "\"auto\"").replace("\"messages\"", "\"seed\":1,\"messages\"");
    let mut session = Session::arrived(chain);
    let start = started(session.exchange.admit(&state(), body.into_bytes(), 0));
    assert_eq!(start.cluster, "sluice-a");
    session.begin();
    let (_, headers, _) = answer(session.reply(200, &[], REPLY));
    assert_eq!(header(&headers, "x-sluice-passed-over"), "c/m seed");
    assert_eq!(header(&headers, "x-sluice-fallback-reason"), "", "nothing failed");
    assert_eq!(left(&session.record()), ["c/m:seed"]);
}

#[test]
fn where_no_step_can_say_it_the_first_reason_is_the_answer() {
    let state = with_bedrock();
    let chain = r#","loss":"strict","chain":[{"targets":[{"provider":"c","model":"mc"}]},{"targets":[{"provider":"d","model":"md"}]}]"#;
    let body = CHAT.replace("\"m\"", "\"auto\"").replace("\"messages\"", "\"seed\":1,\"messages\"");
    let mut session = Session::arrived(chain);
    let (status, code, param, message) = session.refused(&state, &body);
    assert_eq!((status, code.as_str(), param.as_deref()), (400, "unsupported_parameter", Some("seed")));
    assert!(message.contains("'c'"), "{message}");
    assert_eq!(left(&session.record()).len(), 2);
}

#[test]
fn a_request_that_its_own_dialect_cannot_read_stops_at_once() {
    let body = r#"{"model":"c/mc","messages":"no list"}"#;
    let chain = r#","chain":[{"targets":[{"provider":"a","model":"ma"}]}]"#;
    let (status, code, param, _) = Session::arrived(chain).refused(&state(), body);
    assert_eq!((status, code.as_str(), param.as_deref()), (400, "invalid_request", Some("messages")));
}

#[test]
fn a_request_that_asks_nothing_is_the_clients_error_and_no_other_models_to_answer() {
    let gemini = r#"{"name":"g","dialect":"gemini","base_url":"https://g.example/v1beta","auth":{"kind":"header","name":"x-goog-api-key","secret":"s"}}"#;
    let state = knowing(&[gemini], &[]);
    let chain = r#","chain":[{"targets":[{"provider":"a","model":"ma"}]}]"#;
    let refused = |mut session: Session, body: &str| {
        let (status, code, param, _) = session.refused(&state, body);
        assert_eq!(
            (status, code.as_str(), param.as_deref()),
            (400, "invalid_request", Some("messages")),
            "{body}"
        );
        assert_eq!(left(&session.record()), Vec::<String>::new(), "{body}");
    };
    for (model, content) in [("c/mc", "\"\""), ("c/mc", "\" \""), ("g/mg", "[]"), ("g/mg", "\"\"")] {
        let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":{content}}}]}}"#);
        refused(Session::arrived(chain), &body);
        let asked = Asked::of(Endpoint::Messages);
        let body = body.replace("\"messages\"", "\"max_tokens\":9,\"messages\"");
        if model == "g/mg" {
            refused(Session::asking(Dialect::Anthropic, asked, chain), &body);
        }
    }
    // What nobody but its own vendor understands is something, too.
    let body = r#"{"model":"c/mc","messages":[{"role":"user","content":[{"type":"hologram","data":"x"}]}]}"#;
    let mut session = Session::arrived(chain);
    session.admit(&state, body);
    assert_eq!(session.begin().0, "a.example");
    // What is said, but not to everybody, is another model's to answer.
    let body = r#"{"model":"c/mc","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}]}]}"#;
    let mut session = Session::arrived(chain);
    session.admit(&state, body);
    assert_eq!(session.begin().0, "a.example");
    assert_eq!(left(&session.record()), ["c/m:messages"]);
}

#[test]
fn a_list_of_losses_that_is_cut_says_so() {
    let body = |count: usize| {
        let members: String = (0..count).map(|at| format!(r#""k{at}":1,"#)).collect();
        format!(r#"{{"model":"c/mc",{members}"messages":[{{"role":"user","content":"hi"}}]}}"#)
    };
    let told = |count| {
        let mut session = Session::arrived("");
        session.admit(&state(), &body(count));
        session.sent();
        let (_, headers, _) = answer(session.reply(200, &[], MESSAGE));
        (header(&headers, "x-sluice-dropped-params"), session.record().dropped_params)
    };
    let (listed, kept) = told(128);
    assert!(listed.ends_with(", k127"), "{listed}");
    assert_eq!((kept.len(), kept.last().map(String::as_str)), (128, Some("k127")));
    let (listed, kept) = told(400);
    assert!(listed.ends_with(", k127, ..."), "{listed}");
    assert_eq!((kept.len(), kept.last().map(String::as_str)), (129, Some("...")));

    // A header has room for less, and what is named there is named whole.
    let long = body(40).replace("\"k", "\"a_member_with_a_rather_long_name_of_its_own_k");
    let mut session = Session::arrived("");
    session.admit(&state(), &long);
    session.sent();
    let (_, headers, _) = answer(session.reply(200, &[], MESSAGE));
    let listed = header(&headers, "x-sluice-dropped-params");
    assert!(listed.len() <= 1_024 && listed.ends_with(", ..."), "{listed}");
    let names: Vec<&str> = listed.split(", ").collect();
    assert_eq!(names.len(), 22, "{listed}");
    assert!(names[..21].iter().all(|name| name.starts_with("a_member_with")), "{listed}");
    assert_eq!(session.record().dropped_params.len(), 40);

    let strict = r#","loss":"strict""#;
    let (status, _, param, message) = Session::arrived(strict).refused(&state(), &body(400));
    assert_eq!((status, param.as_deref()), (400, Some("k0")));
    assert!(message.contains(", k127, ..., and this key"), "{message}");
}

#[test]
fn a_step_without_a_larger_window_is_passed_over_for_context() {
    let small = r#"{"id":"small","channels":[{"provider":"a","upstream_id":"x"},{"provider":"b","upstream_id":"y"}],"context_window":1000}"#;
    let large = r#"{"id":"large","channels":[{"provider":"c","upstream_id":"z"}],"context_window":9000}"#;
    let chain = r#","chain":[{"targets":[{"provider":"c","model":"large"}]}]"#;
    let mut session = Session::arrived(chain);
    session.admit(&knowing(&[], &[small, large]), &CHAT.replace("\"m\"", "\"small\""));
    session.begin();
    let long =
        r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#;
    assert_eq!(session.reply(400, &[], long), retry("c", None));
    session.begin();
    session.reply(200, &[], MESSAGE);
    assert_eq!(left(&session.record()), ["b/small:context"]);
}
