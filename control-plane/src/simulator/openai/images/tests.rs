//! Pictures as a client gets them.

use crate::simulator::answer::{Answer, Call, Content};
use crate::simulator::catalog::Catalog;
use crate::simulator::event::Mark;
use crate::simulator::openai::OpenAi;
use crate::simulator::turn::Bias;
use crate::simulator::vendor::{Site, Vendor};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

fn post(path: &str, kind: &str, body: &[u8]) -> Answer {
    let vendor = OpenAi::new();
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer sk-test".parse().unwrap());
    headers.insert("content-type", kind.parse().unwrap());
    vendor.answer(&Call {
        method: &Method::POST,
        path: &format!("/v1/images/{path}"),
        query: "",
        headers: &headers,
        body,
        catalog: &Catalog::of(vendor.models()),
        credential: None,
        bias: Bias::default(),
        now: 7,
    })
}

fn make(request: &Value) -> Answer {
    post("generations", "application/json", request.to_string().as_bytes())
}

/// A form: fields, and files with their content types.
fn form(path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    for (name, kind, bytes) in files {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a\"\r\nContent-Type: {kind}\r\n\r\n"
        );
        body.extend(head.bytes().chain(bytes.iter().copied()).chain(*b"\r\n"));
    }
    body.extend(b"--x--\r\n");
    assert_eq!(
        OpenAi::new().model(Site { path: "", query: "" }, &body).as_deref(),
        fields.iter().find(|(name, _)| *name == "model").map(|(_, value)| *value)
    );
    post(path, "multipart/form-data; boundary=x", &body)
}

fn document(answer: &Answer) -> &Value {
    match &answer.content {
        Content::Json(document) => document,
        Content::Stream(_) => panic!("a stream"),
    }
}

fn refused(answer: &Answer, code: &str, param: &str) {
    let error = &document(answer)["error"];
    assert_eq!(
        (answer.status, &error["code"], &error["param"]),
        (400, &json!(code), &json!(param)),
        "{error}"
    );
}

#[test]
fn pictures_are_made_and_charged() {
    let answer = make(
        &json!({"model": "gpt-image-1", "prompt": "a sluice", "n": 2, "quality": "low", "size": "1024x1536"}),
    );
    let reply = document(&answer);
    let data = reply["data"].as_array().unwrap();
    let bytes = STANDARD.decode(data[0]["b64_json"].as_str().unwrap()).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    assert_ne!(data[0], data[1]);
    assert_eq!(
        (&reply["created"], &reply["quality"], &reply["size"]),
        (&json!(7), &json!("low"), &json!("1024x1536"))
    );
    assert_eq!(reply["usage"]["input_tokens_details"], json!({"text_tokens": 2, "image_tokens": 0}));
    assert_eq!((&reply["usage"]["output_tokens"], answer.usage.unwrap().output), (&json!(544), 544));
}

#[test]
fn each_family_has_its_own_rules() {
    let three =
        document(&make(&json!({"model": "dall-e-3", "prompt": "x", "quality": "hd", "style": "vivid"})))
            .clone();
    assert!(three["data"][0]["url"].as_str().unwrap().starts_with("https://"));
    assert_eq!((&three["data"][0]["revised_prompt"], three.get("usage")), (&json!("x"), None));
    let two =
        make(&json!({"model": "dall-e-2", "prompt": "x", "size": "256x256", "response_format": "b64_json"}));
    assert!(document(&two)["data"][0]["b64_json"].is_string());
    for (changes, code, param) in [
        (json!({"response_format": "b64_json"}), "unknown_parameter", "response_format"),
        (json!({"size": "256x256"}), "invalid_value", "size"),
        (json!({"n": 11}), "integer_above_max_value", "n"),
        (json!({"quality": "hd"}), "invalid_value", "quality"),
        (json!({"background": "transparent", "output_format": "jpeg"}), "invalid_value", "background"),
        (json!({"output_compression": 50}), "invalid_png_output_compression", "output_compression"),
        (json!({"model": "dall-e-3", "n": 2}), "integer_above_max_value", "n"),
        (json!({"model": "dall-e-3", "stream": true}), "unknown_parameter", "stream"),
        (json!({"model": "dall-e-3", "prompt": "x".repeat(4001)}), "string_above_max_length", "prompt"),
        (json!({"prompt": ""}), "empty_string", "prompt"),
        (json!({"prompt": null}), "missing_required_parameter", "prompt"),
    ] {
        let mut request = json!({"model": "gpt-image-1", "prompt": "x"});
        request.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        refused(&make(&request), code, param);
    }
    assert_eq!(make(&json!({"model": "gpt-4o", "prompt": "x"})).status, 404);
    let blocked = make(&json!({"prompt": "[[block]]"}));
    assert_eq!(document(&blocked)["error"]["code"], "moderation_blocked");
}

#[test]
fn sketches_come_before_a_streamed_picture() {
    let answer = make(&json!({"model": "gpt-image-1", "prompt": "x", "stream": true, "partial_images": 2}));
    let Content::Stream(events) = &answer.content else { panic!() };
    let names: Vec<_> = events.iter().map(|event| event.name.unwrap()).collect();
    assert_eq!(
        names,
        ["image_generation.partial_image", "image_generation.partial_image", "image_generation.completed"]
    );
    let data: Value = serde_json::from_str(&events[1].data).unwrap();
    assert_eq!((&data["partial_image_index"], &data["output_format"]), (&json!(1), &json!("png")));
    let last = events.last().unwrap();
    let data: Value = serde_json::from_str(&last.data).unwrap();
    assert_eq!(
        (last.mark, &data["usage"]["output_tokens"]),
        (Mark::Done, &json!(last.usage.unwrap().output))
    );
}

#[test]
fn forms_are_read_strictly() {
    let png = super::png::of([9, 9, 9]);
    let picture = ("image", "image/png", png.as_slice());
    let model = ("model", "gpt-image-1");
    let edited = form(
        "edits",
        &[model, ("prompt", "x"), ("n", "2")],
        &[("image[]", "image/png", &png), ("image[]", "image/png", &png), ("mask", "image/png", &png)],
    );
    let reply = document(&edited);
    assert_eq!(reply["data"].as_array().unwrap().len(), 2);
    assert_eq!(reply["usage"]["input_tokens_details"]["image_tokens"], 646);
    let varied = form("variations", &[("size", "512x512")], &[picture]);
    assert!(document(&varied)["data"][0]["url"].is_string());
    let streamed = form("edits", &[model, ("prompt", "x"), ("stream", "true")], &[picture]);
    let Content::Stream(events) = &streamed.content else { panic!("{streamed:?}") };
    assert_eq!(events.last().unwrap().name, Some("image_edit.completed"));

    refused(&form("edits", &[model, ("prompt", "x")], &[]), "missing_required_parameter", "image");
    refused(&form("edits", &[model], &[picture]), "missing_required_parameter", "prompt");
    refused(&form("edits", &[model, ("prompt", "x"), ("n", "two")], &[picture]), "invalid_type", "n");
    refused(
        &form("edits", &[model, ("prompt", "x"), ("prompt", "y")], &[picture]),
        "duplicate_parameter",
        "prompt",
    );
    refused(
        &form("edits", &[model, ("prompt", "x")], &[("image", "text/plain", &png)]),
        "unsupported_file_mimetype",
        "image",
    );
    refused(
        &form("edits", &[model, ("prompt", "x")], &[("image", "image/jpeg", &png)]),
        "invalid_image_file",
        "image",
    );
    refused(&form("edits", &[("model", "dall-e-3"), ("prompt", "x")], &[picture]), "invalid_value", "model");
    refused(&form("variations", &[model], &[picture]), "invalid_value", "model");
    refused(&form("variations", &[], &[picture, picture]), "array_above_max_length", "image");
    assert_eq!(post("edits", "application/json", b"{}").status, 415);
    assert_eq!(post("edits", "multipart/form-data; boundary=x", b"--x\r\n").status, 400);
}
