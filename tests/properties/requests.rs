//! Requests that OpenAI's dialect can say without a loss.

use proptest::option;
use proptest::prelude::*;
use sluice::ir::Text;
use sluice::ir::chat::{
    Effort, Format, Message, Part, Reasoning, Request, Role, Sampling, Source, Tool, ToolCall, ToolChoice,
};

fn text() -> impl Strategy<Value = Text<'static>> {
    any::<String>().prop_filter("empty text is no part", |text| !text.is_empty()).prop_map(Text::from)
}

fn short() -> impl Strategy<Value = Text<'static>> {
    "[a-zA-Z0-9_-]{1,40}".prop_map(Text::from)
}

fn number() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["0", "0.123456789", "1e-1", "-2", "12345678901234567890123"])
}

fn json() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["{}", r#"{"type":"object","properties":{"b":{},"a":{"maximum":1e400}}}"#])
}

fn image() -> impl Strategy<Value = Part<'static>> {
    let source = prop_oneof![
        "https://[a-z]{1,8}/[a-z,;é]{0,8}".prop_map(|url| Source::Url(url.into())),
        ("image/[a-z]{1,5}", "[A-Za-z0-9+/]{0,12}={0,2}").prop_map(|(media_type, data)| Source::Base64 {
            media_type: media_type.into(),
            data: data.into()
        }),
    ];
    (source, option::of(short())).prop_map(|(source, detail)| Part::Image { source, detail })
}

fn call() -> impl Strategy<Value = Part<'static>> {
    (short(), short(), any::<String>().prop_filter("nothing becomes {}", |text| !text.trim().is_empty()))
        .prop_map(|(id, name, arguments)| Part::ToolCall(ToolCall { id, name, arguments: arguments.into() }))
}

fn plain() -> impl Strategy<Value = Part<'static>> {
    text().prop_map(Part::text)
}

fn result() -> impl Strategy<Value = Part<'static>> {
    (short(), option::of(plain())).prop_map(|(id, content)| Part::ToolResult {
        id,
        content: content.into_iter().collect(),
        is_error: false,
    })
}

/// One turn, or a turn with calls and the turn that answers them.
fn turns() -> impl Strategy<Value = Vec<Message<'static>>> {
    let message = |role, parts, name| Message { role, at: None, parts, name };
    prop_oneof![
        (option::of(plain()), option::of(short())).prop_map(move |(part, name)| vec![message(
            Role::User,
            part.into_iter().collect(),
            name
        )]),
        (prop::collection::vec(prop_oneof![plain(), image()], 0..3), image()).prop_map(
            move |(mut parts, last)| {
                parts.push(last);
                vec![message(Role::User, parts, None)]
            }
        ),
        (plain(), option::of(short())).prop_map(move |(part, name)| vec![message(
            Role::System,
            vec![part],
            name
        )]),
        (option::of(plain()), option::of(text())).prop_map(move |(part, refusal)| {
            let refusal = refusal.map(|text| Part::Refusal { text });
            vec![message(Role::Assistant, part.into_iter().chain(refusal).collect(), None)]
        }),
        (option::of(plain()), prop::collection::vec(call(), 1..3), prop::collection::vec(result(), 1..3))
            .prop_map(move |(part, calls, results)| {
                vec![
                    message(Role::Assistant, part.into_iter().chain(calls).collect(), None),
                    message(Role::User, results, None),
                    message(Role::User, vec![Part::text("and?")], None),
                ]
            }),
    ]
}

fn tool() -> impl Strategy<Value = Tool<'static>> {
    (short(), option::of(text()), option::of(json()), option::of(any::<bool>())).prop_map(
        |(name, description, parameters, strict)| Tool {
            name,
            description,
            parameters,
            strict,
            cache: false,
        },
    )
}

fn tools() -> impl Strategy<Value = (Vec<Tool<'static>>, Option<ToolChoice<'static>>, Option<bool>)> {
    let choice = prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        short().prop_map(ToolChoice::Tool),
    ];
    prop_oneof![
        Just((Vec::new(), None, None)),
        (prop::collection::vec(tool(), 1..3), option::of(choice), option::of(any::<bool>())),
    ]
}

fn sampling() -> impl Strategy<Value = Sampling<'static>> {
    let limits = (option::of(any::<u64>()), option::of(2u64..9), prop::collection::vec(text(), 0..=4));
    let numbers = prop::array::uniform5(option::of(number()));
    (limits, numbers).prop_map(|((max_tokens, n, stop), numbers)| {
        let [temperature, top_p, frequency_penalty, presence_penalty, seed] = numbers;
        Sampling {
            max_tokens,
            temperature,
            top_p,
            top_k: None,
            frequency_penalty,
            presence_penalty,
            seed,
            stop,
            n,
        }
    })
}

fn format() -> impl Strategy<Value = Format<'static>> {
    prop_oneof![
        Just(Format::JsonObject),
        (short(), option::of(text()), json(), option::of(any::<bool>())).prop_map(
            |(name, description, schema, strict)| Format::JsonSchema {
                name: Some(name),
                description,
                schema,
                strict
            }
        ),
    ]
}

/// Any such request, in the form that reading gives.
pub(crate) fn any_request() -> impl Strategy<Value = Request<'static>> {
    let efforts = vec![Effort::Minimal, Effort::Low, Effort::Medium, Effort::High];
    (
        prop::collection::vec(turns(), 1..4),
        tools(),
        sampling(),
        option::of(prop::sample::select(efforts).prop_map(Reasoning::Effort)),
        option::of(format()),
        option::of(short()),
        any::<bool>(),
    )
        .prop_map(
            |(
                turns,
                (tools, tool_choice, parallel_tool_calls),
                sampling,
                reasoning,
                format,
                user,
                stream,
            )| {
                Request {
                    messages: turns.concat(),
                    tools,
                    tool_choice,
                    parallel_tool_calls,
                    sampling,
                    reasoning,
                    format,
                    user,
                    stream,
                }
            },
        )
}
