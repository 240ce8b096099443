//! Pictures: made from a prompt, edited, varied.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/images>. Invariant: what is called a PNG is one; the simulator
//! makes no other format, so what was asked for in another comes as PNG bytes under the name that was asked for.

use super::{document, error};
use crate::simulator::answer::{Answer, Call, Content, Refusal};
use crate::simulator::directive;
use crate::simulator::event::{Event, Mark};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sluice::config::Usage;
use validate::{Family, Request};

mod form;
pub(crate) mod multipart;
mod png;
mod validate;

/// Where the endpoints are.
pub(crate) const PATH: &str = "/images/";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Pictures from a prompt.
    Generate,
    /// Pictures from pictures and a prompt.
    Edit,
    /// Pictures like a picture.
    Vary,
}

/// Answers whatever is asked below [`PATH`].
pub(crate) fn answer(call: &Call<'_>) -> Answer {
    route(call).unwrap_or_else(|refusal| match refusal {
        Refusal::Violation(violation) => error::of_violation(&violation),
        Refusal::Answer(answer) => *answer,
    })
}

fn route(call: &Call<'_>) -> Result<Answer, Refusal> {
    const PICTURES: &[&str] = &["image/png", "image/webp", "image/jpeg"];
    let operation = match call.path {
        "/images/generations" => Operation::Generate,
        "/images/edits" => Operation::Edit,
        "/images/variations" => Operation::Vary,
        _ => return Err(error::path(call).into()),
    };
    if call.method != http::Method::POST {
        return Err(error::method(call).into());
    }
    let (mut document, images) = match operation {
        Operation::Generate => (document(call)?, 0),
        Operation::Edit => {
            let form = form::read(call, &["image", "mask"], 16, PICTURES)?;
            (form.document, form.images)
        }
        Operation::Vary => {
            let form = form::read(call, &["image"], 1, &["image/png"])?;
            (form.document, form.images)
        }
    };
    if let Value::Object(members) = &mut document {
        let usual = if operation == Operation::Vary { "dall-e-2" } else { "gpt-image-1" };
        members.entry("model").or_insert_with(|| json!(usual));
    }
    let request = validate::request(call, &document, operation)?;
    let asked = directive::parse(&request.prompt);
    if asked.refuse || asked.block || call.bias.refuse {
        return Err(error::no_picture().into());
    }
    Ok(draw(call, operation, &request, images as u64))
}

fn draw(call: &Call<'_>, operation: Operation, request: &Request, images: u64) -> Answer {
    let usage = usage(request, images);
    let reported = (request.family == Family::Gpt && !call.bias.no_usage).then_some(usage);
    let (content, sent) = if request.stream {
        (Content::Stream(events(call, operation, request, images, reported)), None)
    } else {
        (Content::Json(whole(call, request, images, reported)), reported)
    };
    let pace =
        if call.bias.pace.is_zero() { directive::parse(&request.prompt).delay } else { call.bias.pace };
    let consumed = (request.family == Family::Gpt).then_some(usage);
    Answer { content, usage: sent, consumed, pace, ..Answer::json(Value::Null) }
}

fn usage(request: &Request, images: u64) -> Usage {
    let each = match request.quality.as_str() {
        "low" => 272,
        "high" => 4_160,
        _ => 1_056,
    };
    Usage {
        input: request.text_tokens + images * INPUT_IMAGE,
        output: each * request.count as u64 + request.partial as u64 * 100,
        ..Usage::default()
    }
}

/// What a picture that is given costs, in tokens.
const INPUT_IMAGE: u64 = 323;

fn report(request: &Request, images: u64, usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": {"text_tokens": request.text_tokens, "image_tokens": images * INPUT_IMAGE},
        "output_tokens": usage.output,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": usage.output},
        "total_tokens": usage.input + usage.output,
    })
}

/// A picture that depends on the request and its position alone.
fn picture(call: &Call<'_>, salt: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update(call.body).finalize();
    let mut colour = [0; 3];
    for (slot, byte) in colour.iter_mut().zip(digest.iter()) {
        *slot = *byte;
    }
    STANDARD.encode(png::of(colour))
}

fn whole(call: &Call<'_>, request: &Request, images: u64, usage: Option<Usage>) -> Value {
    let one = |index: usize| {
        let mut data = Map::new();
        if request.by_url {
            let id = call.id(&format!("image {index}"), 24);
            data.insert("url".to_owned(), json!(format!("https://images.invalid/img-{id}.png")));
        } else {
            data.insert("b64_json".to_owned(), json!(picture(call, &format!("image {index}"))));
        }
        if request.family == Family::Three {
            data.insert("revised_prompt".to_owned(), json!(request.prompt));
        }
        Value::Object(data)
    };
    let mut reply = json!({"created": call.now, "data": (0..request.count).map(one).collect::<Vec<_>>()});
    if let (Family::Gpt, Value::Object(members)) = (request.family, &mut reply) {
        for (name, value) in described(request) {
            members.insert(name.to_owned(), json!(value));
        }
        if let Some(usage) = usage {
            members.insert("usage".to_owned(), report(request, images, usage));
        }
    }
    reply
}

fn described(request: &Request) -> [(&'static str, &str); 4] {
    [
        ("background", &request.background),
        ("output_format", &request.format),
        ("quality", &request.quality),
        ("size", &request.size),
    ]
}

fn events(
    call: &Call<'_>,
    operation: Operation,
    request: &Request,
    images: u64,
    usage: Option<Usage>,
) -> Vec<Event> {
    let (sketch, done) = match operation {
        Operation::Edit => ("image_edit.partial_image", "image_edit.completed"),
        Operation::Generate | Operation::Vary => {
            ("image_generation.partial_image", "image_generation.completed")
        }
    };
    let event = |mark, name: &'static str, salt: &str, more: (&str, Value)| {
        let mut data = Map::new();
        data.insert("type".to_owned(), json!(name));
        data.insert("b64_json".to_owned(), json!(picture(call, salt)));
        data.insert("created_at".to_owned(), json!(call.now));
        data.extend(described(request).map(|(name, value)| (name.to_owned(), json!(value))));
        data.insert(more.0.to_owned(), more.1);
        Event::named(mark, name, &Value::Object(data))
    };
    let mut events: Vec<Event> = (0..request.partial)
        .map(|index| {
            event(Mark::Delta, sketch, &format!("sketch {index}"), ("partial_image_index", json!(index)))
        })
        .collect();
    let last = request.count.saturating_sub(1);
    for index in 0..request.count {
        let mark = if index == last { Mark::Done } else { Mark::Delta };
        // What all of them cost is told once, with the last.
        let cost = usage.filter(|_| index == last);
        let told = cost.map_or(Value::Null, |usage| report(request, images, usage));
        let done = event(mark, done, &format!("image {index}"), ("usage", told));
        events.push(Event { usage: cost, ..done });
    }
    events
}

#[cfg(test)]
mod tests;
