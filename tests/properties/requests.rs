//! Requests that a dialect can say without a loss, by its row, in the form that reading gives.

use super::rows::{Row, Shape, Thinking};
use proptest::option;
use proptest::prelude::*;
use sluice::ir::chat::{
    Format, Message, Part, Request, Role, Sampling, Source, Tool, ToolCall, ToolChoice, ToolKind,
};
use sluice::ir::{Proof, Text};

/// What a row may say, or nothing.
fn when<T: Clone + std::fmt::Debug + 'static>(
    can: bool,
    what: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if can { option::of(what).boxed() } else { Just(None).boxed() }
}

/// A flag that a row may set.
fn flag(can: bool) -> BoxedStrategy<bool> {
    if can { any::<bool>().boxed() } else { Just(false).boxed() }
}

pub(crate) fn text() -> impl Strategy<Value = Text<'static>> + Clone {
    // Blank text says nothing, and white space at the end of a begun reply is refused.
    any::<String>()
        .prop_filter("blank text is no part", |text| !text.trim().is_empty())
        .prop_map(|text| Text::from(text.trim().to_owned()))
}

pub(crate) fn short() -> impl Strategy<Value = Text<'static>> + Clone {
    "[a-zA-Z0-9_-]{1,40}".prop_map(Text::from)
}

fn number() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["0", "0.123456789", "1e-1", "0.2500"])
}

fn schema() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(vec![
        r#"{"type":"object"}"#,
        r#"{"type":"object","properties":{"b":{},"a":{"maximum":1e400}}}"#,
    ])
}

/// What arguments can be held to everywhere.
const CLOSED: &str = r#"{ "type":"object","properties":{"b":{}},"additionalProperties":false}"#;

/// What a reply can be held to everywhere.
fn closed_schema() -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(vec![CLOSED, r#"{"type":"array","items":{"enum":["a",1e400]}}"#])
}

pub(crate) fn arguments(loose: bool) -> BoxedStrategy<String> {
    let object = prop::sample::select(vec!["{}", r#"{"a":12345678901234567890}"#, r#"{"b":["é \"",null]}"#]);
    let object = object.prop_map(str::to_owned);
    if loose {
        let any = any::<String>().prop_filter("nothing becomes {}", |text| !text.trim().is_empty());
        prop_oneof![object, any].boxed()
    } else {
        object.boxed()
    }
}

fn bytes(media_type: &'static str) -> impl Strategy<Value = Source<'static>> {
    "([A-Za-z0-9+/]{4}){0,4}"
        .prop_map(move |data| Source::Base64 { media_type: media_type.into(), data: data.into() })
}

fn url() -> impl Strategy<Value = Source<'static>> {
    "https://[a-z]{1,8}/[a-z,;é]{0,8}".prop_map(|url| Source::Url(url.into()))
}

/// A part of a user's turn.
fn user_part(row: &'static Row) -> BoxedStrategy<Part<'static>> {
    let home = row.dialect;
    let file = move || short().prop_map(move |value| Source::File(Proof { home, value }));
    let mut images = vec![bytes("image/png").boxed(), url().boxed()];
    if row.has("image_file") {
        images.push(file().boxed());
    }
    let mut parts =
        vec![(text(), flag(row.cache)).prop_map(|(text, cache)| Part::Text { text, cache }).boxed()];
    if row.has("image") {
        let image =
            (prop::strategy::Union::new(images), when(row.has("image_detail"), short()), flag(row.cache));
        parts.push(image.prop_map(|(source, detail, cache)| Part::Image { source, detail, cache }).boxed());
    }
    let mut documents = Vec::new();
    if row.has("document") {
        documents.push((bytes("application/pdf"), short().prop_map(Some)).boxed());
    }
    if row.has("document_url") {
        documents.push((url(), option::of(text())).boxed());
    }
    if row.has("document_text") {
        documents.push((text().prop_map(Source::Text), option::of(text())).boxed());
    }
    if row.has("document_file") {
        documents.push((file(), option::of(short())).boxed());
    }
    if !documents.is_empty() {
        let document = (prop::strategy::Union::new(documents), flag(row.cache));
        let document = document.prop_map(|((source, name), cache)| Part::Document { source, name, cache });
        parts.push(document.boxed());
    }
    if row.has("audio") {
        let sound = prop_oneof![bytes("audio/wav"), bytes("audio/mpeg")];
        parts.push(sound.prop_map(|source| Part::Audio { source }).boxed());
    }
    prop::strategy::Union::new(parts).boxed()
}

const fn message(role: Role, parts: Vec<Part<'static>>) -> Message<'static> {
    Message::new(role, None, parts)
}

/// A user's turn: several texts and nothing else would be one text, where a list is written only for other parts.
fn user(row: &'static Row) -> BoxedStrategy<Message<'static>> {
    let parts = prop::collection::vec(user_part(row), 1..4);
    let free = row.shape == Shape::Free;
    (parts, when(row.names, short()))
        .prop_map(move |(mut parts, name)| {
            if free && parts.iter().all(|part| matches!(part, Part::Text { .. })) {
                parts.truncate(1);
            }
            Message { name, ..message(Role::User, parts) }
        })
        .boxed()
}

/// What the model said, and what its calls returned.
fn assistant(row: &'static Row) -> BoxedStrategy<Vec<Message<'static>>> {
    let home = row.dialect;
    let thought = (text(), short()).prop_map(move |(text, value)| match row.thinking {
        Thinking::Signed => Part::Thinking { text, proof: Some(Proof { home, value }) },
        _ => Part::Thinking { text, proof: None },
    });
    let said = (
        when(row.thinking != Thinking::None, thought),
        (text(), flag(row.cache)),
        when(row.refusals, text()),
    );
    let calls = prop::collection::vec((short(), arguments(row.loose), flag(row.custom)), 0..3);
    let results = prop::collection::vec(result(row), 2);
    (said, calls, results, "[a-z]{8}")
        .prop_map(move |((thought, (text, cache), refusal), calls, results, seed)| {
            // With a budget, a turn that calls must begin with signed thinking.
            let signed = !calls.is_empty() && row.thinking == Thinking::Signed;
            let needed = signed
                .then(|| Part::Thinking { text: "t".into(), proof: Some(Proof { home, value: "s".into() }) });
            let mut parts: Vec<_> = thought.or(needed).into_iter().collect();
            parts.push(Part::Text { text, cache });
            parts.extend(refusal.map(|text| Part::Refusal { text }));
            let mut answers = Vec::new();
            for (at, ((name, arguments, custom), result)) in calls.into_iter().zip(results).enumerate() {
                let id = format!("{seed}{at}");
                parts.push(Part::ToolCall(ToolCall {
                    custom,
                    ..ToolCall::function(id.clone(), name, arguments)
                }));
                let Part::ToolResult { content, is_error, cache, .. } = result else { continue };
                answers.push(Part::ToolResult { id: id.into(), content, is_error, cache });
            }
            let mut turns = vec![message(Role::Assistant, parts)];
            if !answers.is_empty() {
                turns.push(message(Role::User, answers));
            }
            turns
        })
        .boxed()
}

fn result(row: &'static Row) -> BoxedStrategy<Part<'static>> {
    let part = text().prop_map(Part::text);
    let content = if row.rich_results {
        let image = bytes("image/png").prop_map(|source| Part::Image { source, detail: None, cache: false });
        prop::collection::vec(prop_oneof![part, image], 0..3).boxed()
    } else {
        prop::collection::vec(part, 0..2).boxed()
    };
    (content, flag(row.rich_results), flag(row.cache))
        .prop_map(|(content, is_error, cache)| Part::ToolResult { id: "".into(), content, is_error, cache })
        .boxed()
}

/// A conversation whose last word is the user's.
fn conversation(row: &'static Row) -> BoxedStrategy<Vec<Message<'static>>> {
    let system = (text(), flag(row.developer), flag(row.cache)).prop_map(|(text, developer, cache)| {
        let role = if developer { Role::Developer } else { Role::System };
        message(role, vec![Part::Text { text, cache }])
    });
    let exchange = (user(row), assistant(row));
    (option::of(system), prop::collection::vec(exchange, 0..3), user(row))
        .prop_map(move |(system, exchanges, last)| {
            let mut turns: Vec<Message<'static>> = system.into_iter().collect();
            let mut push = |turn: Message<'static>| match turns.last_mut() {
                // Two turns of one role are one, where they have to take turns.
                Some(before) if row.shape == Shape::Strict && before.role == turn.role => {
                    before.parts.extend(turn.parts);
                }
                _ => turns.push(turn),
            };
            for (question, answer) in exchanges {
                push(question);
                answer.into_iter().for_each(&mut push);
            }
            push(last);
            turns
        })
        .boxed()
}

fn tool(row: &'static Row) -> BoxedStrategy<Tool<'static>> {
    let parameters = if row.loose { option::of(schema()).boxed() } else { schema().prop_map(Some).boxed() };
    let strict = if row.loose { option::of(any::<bool>()).boxed() } else { option::of(Just(true)).boxed() };
    // Where strictness has to be paid for, only closed objects can have it.
    let function = (parameters, strict).prop_map(|(schema, strict)| {
        let schema = if row.loose || strict.is_none() { schema } else { Some(CLOSED) };
        (ToolKind::Function(schema.map(Into::into)), strict)
    });
    let grammar = r#"{"type":"grammar","grammar":{"syntax":"regex","definition":"a \"+"}}"#;
    let custom = option::of(Just(grammar)).prop_map(|format| (ToolKind::Custom(format), None));
    let kind = if row.custom { prop_oneof![function, custom].boxed() } else { function.boxed() };
    (short(), option::of(text()), kind, flag(row.cache))
        .prop_map(|(name, description, (kind, strict), cache)| Tool {
            name,
            description,
            kind,
            strict,
            cache,
            at: (0, None),
        })
        .boxed()
}

type Tools = (Vec<Tool<'static>>, Option<ToolChoice<'static>>, Option<bool>);

/// Tools, a choice among them, and whether several may be called.
fn tools(row: &'static Row) -> BoxedStrategy<Tools> {
    let parallel =
        if row.parallel { option::of(any::<bool>()).boxed() } else { option::of(Just(false)).boxed() };
    (prop::collection::vec(tool(row), 1..3), 0usize..6, parallel)
        .prop_map(move |(tools, choice, parallel)| {
            let name = tools[0].name.clone();
            let choice = match choice {
                0 => None,
                1 => Some(ToolChoice::Auto),
                2 => Some(ToolChoice::None),
                3 => Some(ToolChoice::Required),
                4 if row.custom => Some(ToolChoice::Allowed { required: true, names: vec![name] }),
                _ => Some(ToolChoice::Tool(name)),
            };
            // Where parallel calls are a member of the choice, there must be one, and one that lets call.
            let parallel = match choice {
                None | Some(ToolChoice::None) if !row.parallel => None,
                _ => parallel,
            };
            (tools, choice, parallel)
        })
        .boxed()
}

fn sampling(row: &'static Row) -> BoxedStrategy<Sampling<'static>> {
    let can = |name: &str| row.sampling.contains(&name);
    let limit = if row.limited {
        (50_000u64..60_000).prop_map(Some).boxed()
    } else {
        option::of(any::<u64>()).boxed()
    };
    let numbers = (
        when(can("temperature"), number()),
        when(can("top_p"), number()),
        when(can("top_k"), Just("40")),
        when(can("frequency_penalty"), number()),
        when(can("presence_penalty"), number()),
        when(can("seed"), Just("12345678901234567890123")),
    );
    let stop = prop::collection::vec(text(), 0..=if can("stop") { 4 } else { 0 });
    (limit, numbers, when(can("n"), 2u64..9), when(can("logprobs"), 0u64..20), stop)
        .prop_map(|(max_tokens, numbers, n, logprobs, stop)| {
            let (temperature, top_p, top_k, frequency_penalty, presence_penalty, seed) = numbers;
            Sampling {
                max_tokens,
                temperature,
                top_p,
                top_k,
                frequency_penalty,
                presence_penalty,
                seed,
                stop,
                n,
                logprobs,
            }
        })
        .boxed()
}

fn format(row: &'static Row) -> BoxedStrategy<Format<'static>> {
    let named = row.named_schemas;
    let schema = (short(), option::of(text()), closed_schema(), option::of(any::<bool>())).prop_map(
        move |(name, description, schema, strict)| Format::JsonSchema {
            name: named.then_some(name),
            description: description.filter(|_| named),
            schema: schema.into(),
            strict: if named { strict } else { Some(true) },
        },
    );
    if row.json_mode { prop_oneof![Just(Format::JsonObject), schema].boxed() } else { schema.boxed() }
}

/// Has the user say what the member says, as OpenAI demands; a user without words asks for no JSON.
fn speak_of_json(request: &mut Request<'_>) {
    let parts = request.messages.last_mut().map(|message| message.parts.as_mut_slice());
    let said = parts.unwrap_or_default().iter_mut().find_map(|part| match part {
        Part::Text { text, .. } => Some(text),
        _ => None,
    });
    match said {
        Some(text) => *text = format!("{} as JSON", text.plain()).into(),
        None => request.format = None,
    }
}

/// Any such request.
pub(crate) fn any_request(row: &'static Row) -> BoxedStrategy<Request<'static>> {
    let tools = prop_oneof![Just((Vec::new(), None, None)), tools(row)];
    let reasoning = prop::sample::select(row.reasoning.to_vec());
    let verbosity = prop::sample::select(vec!["low", "high"]).prop_map(Text::from);
    let shared = Just(("service_tier", r#""flex""#));
    (
        conversation(row),
        tools,
        sampling(row),
        (option::of(reasoning), option::of(format(row)), option::of(short())),
        (when(row.verbosity, verbosity), when(row.openai, shared), any::<bool>()),
    )
        .prop_map(
            move |(messages, tools, sampling, (reasoning, format, user), (verbosity, shared, stream))| {
                let (tools, tool_choice, parallel_tool_calls) = tools;
                let mut request = Request {
                    messages,
                    tools,
                    tool_choice,
                    parallel_tool_calls,
                    sampling,
                    reasoning,
                    format,
                    user,
                    verbosity,
                    openai: shared.into_iter().collect(),
                    stream,
                    ..Request::default()
                };
                (row.fit)(&mut request);
                if request.format == Some(Format::JsonObject) {
                    speak_of_json(&mut request);
                }
                request
            },
        )
        .boxed()
}
