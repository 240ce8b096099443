//! What a patched body is beside the client's: read member by member, every one that is left is the client's byte for byte,
//! and what is gone, changed or new is what the target demands and nothing else.

use sluice::config::Dialect;
use sluice::dialect::Target;
use sluice::ir::proof::{SEAL, is_foreign};
use sluice::wire::json::{Kind, Reader};

/// Models of every generation of Claude and of Gemini, and one of another maker.
pub(crate) const MODELS: [&str; 11] = [
    "claude-3-5-haiku-latest",
    "claude-sonnet-4-20250514",
    "claude-opus-4-1@20250805",
    "claude-sonnet-4-5",
    "anthropic/claude-sonnet-4.6",
    "claude-opus-4-7",
    "claude-sonnet-5",
    "claude-mythos-preview",
    "MiniMax-M2",
    "gemini-2.5-pro",
    "gemini-3-pro",
];

/// Members that a vendor may want.
const EXTRAS: [&[(&str, &str)]; 4] = [
    &[],
    &[("anthropic_version", "\"vertex-2023-10-16\"")],
    &[("anthropic_beta", "[\"b\"]")],
    &[("anthropic_version", "\"bedrock-2023-05-31\""), ("anthropic_beta", "[]")],
];

/// Where a request may go, by a number of any kind.
pub(crate) fn target(drawn: usize) -> Target<'static> {
    let (model, rest) = (drawn % MODELS.len(), drawn / MODELS.len());
    let (extra, rest) = (rest % EXTRAS.len(), rest / EXTRAS.len());
    Target {
        extra: EXTRAS[extra],
        model_in_body: rest & 1 == 0,
        stream_usage: rest & 2 == 0,
        ..Target::of(MODELS[model])
    }
}

/// A difference between two documents. Indices are left out of paths: `messages[].content[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A member or an element is no longer there.
    Gone { path: String, was: String },
    /// A value is another one.
    Became { path: String, was: String, is: String },
    /// A member is new.
    Came { path: String, is: String },
}

impl Change {
    /// Whether it takes nothing from what the client said.
    pub(crate) fn is_harmless(&self) -> bool {
        let (Self::Gone { path, .. } | Self::Became { path, .. } | Self::Came { path, .. }) = self;
        let vendors =
            ["stream_options", "stream_options.include_usage", "anthropic_version", "anthropic_beta"];
        vendors.contains(&path.as_str()) || names_model(path)
    }
}

/// One member (or element, whose name is empty) as it was written.
struct Item<'a> {
    written: Vec<u8>,
    name: String,
    value: &'a str,
}

fn items(json: &str) -> Option<Vec<Item<'_>>> {
    let mut reader = Reader::new(json);
    let mut items = Vec::new();
    match reader.peek().ok()? {
        Kind::Object => {
            reader.object().ok()?;
            while let Some(name) = reader.key().expect("JSON") {
                let mut written = Vec::new();
                name.write(&mut written);
                let name = name.plain().into_owned();
                items.push(Item { written, name, value: reader.raw().expect("JSON") });
            }
        }
        Kind::Array => {
            reader.array().ok()?;
            while reader.element().expect("JSON") {
                items.push(Item {
                    written: Vec::new(),
                    name: String::new(),
                    value: reader.raw().expect("JSON"),
                });
            }
        }
        _ => return None,
    }
    reader.end().expect("one document");
    Some(items)
}

/// How `new` differs from `old`, if `may` allows every difference.
fn compare(path: &str, old: &str, new: &str, may: &dyn Fn(&Change) -> bool) -> Option<Vec<Change>> {
    if old == new {
        return Some(Vec::new());
    }
    let became = Change::Became { path: path.to_owned(), was: old.to_owned(), is: new.to_owned() };
    if may(&became) {
        return Some(vec![became]);
    }
    if old.as_bytes().first() != new.as_bytes().first() {
        return None;
    }
    let (old, new) = (items(old)?, items(new)?);
    let below = |item: &Item<'_>| match (path, item.name.as_str()) {
        (path, "") if item.written.is_empty() => format!("{path}[]"),
        ("", name) => name.to_owned(),
        (path, name) => format!("{path}.{name}"),
    };
    let mut changes = Vec::new();
    let mut rest = old.iter();
    'new: for item in &new {
        let mut gone = Vec::new();
        let mut ahead = rest.clone();
        while let Some(before) = ahead.next() {
            let same = if before.written == item.written {
                compare(&below(item), before.value, item.value, may)
            } else {
                None
            };
            if let Some(within) = same {
                changes.append(&mut gone);
                changes.extend(within);
                rest = ahead;
                continue 'new;
            }
            let left = Change::Gone { path: below(before), was: before.value.to_owned() };
            if !may(&left) {
                break;
            }
            gone.push(left);
        }
        let came = Change::Came { path: below(item), is: item.value.to_owned() };
        if !may(&came) {
            return None;
        }
        changes.push(came);
    }
    for before in rest {
        let left = Change::Gone { path: below(before), was: before.value.to_owned() };
        if !may(&left) {
            return None;
        }
        changes.push(left);
    }
    Some(changes)
}

/// What a patch changed. Fails if the result is no JSON, or if anything is there, gone or changed that the target does not
/// demand.
pub(crate) fn changes(dialect: Dialect, target: &Target<'_>, body: &str, patched: &[u8]) -> Vec<Change> {
    let text = std::str::from_utf8(patched).expect("a splice cuts no character");
    let mut reader = Reader::new(text);
    let read = reader.skip().and_then(|()| reader.end());
    assert_eq!(read, Ok(()), "{body}\nbecame\n{text}");
    let may = |change: &Change| permitted(dialect, target, change);
    let found = compare("", body.trim_ascii(), text.trim_ascii(), &may);
    found.unwrap_or_else(|| panic!("{dialect:?} {target:?}: {body}\nbecame\n{text}"))
}

fn permitted(dialect: Dialect, target: &Target<'_>, change: &Change) -> bool {
    match dialect {
        Dialect::Anthropic => anthropic(target, change),
        Dialect::Openai => openai(target, change),
        Dialect::Responses => match change {
            Change::Gone { path, was } => path == "input[]" && holds_proof(was, "encrypted_content", true),
            change => is_model(target, change),
        },
        Dialect::Gemini => gemini(target, change),
        Dialect::Bedrock => false,
    }
}

fn is_model(target: &Target<'_>, change: &Change) -> bool {
    let model = format!("\"{}\"", target.model);
    matches!(change, Change::Became { path, is, .. } if path == "model" && *is == model)
}

fn anthropic(target: &Target<'_>, change: &Change) -> bool {
    let is_extra = |path: &str, is: &str| target.extra.contains(&(path, is));
    let claude = target.model.contains("claude-");
    match change {
        Change::Gone { path, .. } if path == "model" => !target.model_in_body,
        Change::Became { path, .. } if path == "model" && !target.model_in_body => false,
        Change::Came { path, is } => is_extra(path, is),
        Change::Became { path, is, .. } if is_extra(path, is) => true,
        _ if is_model(target, change) => true,
        _ if !claude => false,
        Change::Gone { path, was } => match path.as_str() {
            "messages[].content[]" => holds_proof(was, "signature", true) || holds_proof(was, "data", true),
            "context_management" | "context_management.edits" | "context_management.edits[]" => {
                was.contains("clear_thinking_")
            }
            _ => false,
        },
        Change::Became { path, is, .. } => match path.as_str() {
            "messages[].content" => is == r#"[{"type":"text","text":"(continued)"}]"#,
            "thinking" => is == r#"{"type":"disabled"}"#,
            _ => false,
        },
    }
}

fn openai(target: &Target<'_>, change: &Change) -> bool {
    const ASKS: &str = r#"{"include_usage":true}"#;
    match change {
        Change::Gone { path, was } => match path.as_str() {
            "messages[].reasoning_details" => items(was).is_some_and(|details| {
                !details.is_empty() && details.iter().all(|detail| is_sealed_detail(detail.value))
            }),
            "messages[].reasoning_details[]" => is_sealed_detail(was),
            "messages[].tool_calls[].extra_content.google.thought_signature" => is_sealed(was),
            "messages[].tool_calls[].extra_content" | "messages[].tool_calls[].extra_content.google" => {
                was.contains("thought_signature")
            }
            _ => false,
        },
        Change::Came { path, is } => {
            target.stream_usage
                && match path.as_str() {
                    "stream_options" => is == ASKS,
                    "stream_options.include_usage" => is == "true",
                    _ => false,
                }
        }
        Change::Became { path, was, is } => {
            is_model(target, change)
                || target.stream_usage
                    && match path.as_str() {
                        "stream_options" => was == "null" && is == ASKS,
                        "stream_options.include_usage" => is == "true",
                        _ => false,
                    }
        }
    }
}

/// Whether a path is that of a model's name.
fn names_model(path: &str) -> bool {
    let within = ["requests[]", "generateContentRequest", "generate_content_request"];
    path == "model" || path.strip_suffix(".model").is_some_and(|parent| within.contains(&parent))
}

fn gemini(target: &Target<'_>, change: &Change) -> bool {
    let (Change::Gone { path, .. } | Change::Became { path, .. } | Change::Came { path, .. }) = change;
    let last = path.rsplit('.').next().unwrap_or_default();
    let is_signature = last == "thoughtSignature" || last == "thought_signature";
    match change {
        Change::Came { .. } => false,
        Change::Became { is, .. } if names_model(path) => {
            target.model_in_body && *is == format!("\"models/{}\"", target.model)
        }
        Change::Became { is, .. } => is_signature && is == "\"skip_thought_signature_validator\"",
        Change::Gone { .. } if names_model(path) => !target.model_in_body,
        Change::Gone { was, .. } if is_signature => is_marked(was),
        Change::Gone { was, .. } => {
            last == "parts[]"
                && items(was).is_some_and(|members| members.iter().any(|member| is_marked(member.value)))
        }
    }
}

fn plain(json: &str) -> Option<String> {
    Reader::new(json).string().ok().map(|text| text.plain().into_owned())
}

fn is_sealed(json: &str) -> bool {
    plain(json).is_some_and(|text| text.starts_with(SEAL))
}

fn is_marked(json: &str) -> bool {
    plain(json).is_some_and(|text| text.starts_with("c2x1aWNl"))
}

fn is_sealed_detail(json: &str) -> bool {
    holds_proof(json, "signature", false) || holds_proof(json, "data", false)
}

/// Whether a member is another dialect's proof; where `or_nothing`, an empty one will do.
fn holds_proof(json: &str, name: &str, or_nothing: bool) -> bool {
    let found = |member: &Item<'_>| {
        member.name == name
            && plain(member.value).is_some_and(|text| is_foreign(&text) && (or_nothing || !text.is_empty()))
    };
    items(json).is_some_and(|members| members.iter().any(found))
}
