//! Bodies of Messages requests as clients write them, in every order.

use super::survivors::MODELS;
use proptest::prelude::*;

/// A list, with white space around its commas.
fn list(element: BoxedStrategy<String>, most: usize) -> BoxedStrategy<String> {
    (prop::collection::vec(element, 0..most), space(), space())
        .prop_map(|(all, before, behind)| {
            format!("[{before}{}{behind}]", all.join(&format!("{behind},{before}")))
        })
        .boxed()
}

fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["", "", " ", "\n\t"][..])
}

fn block() -> BoxedStrategy<String> {
    prop::sample::select(
        &[
            r#"{"type":"text","text":"sluice.a \"signature\":\"\""}"#,
            r#"{"type":"thinking","thinking":"t","signature":"EqQ="}"#,
            r#"{"type":"thinking","thinking":"t","signature":""}"#,
            r#"{ "signature" : "sluice.gemini.x", "type":"thinking", "thinking":"é" }"#,
            r#"{"type":"redacted_thinking","data":"sluice.bedrock.y"}"#,
            r#"{"type":"redacted_thinking","data":"own"}"#,
            r#"{"type":"tool_use","id":"c","name":"f","input":{"model":"x","thinking":{}}}"#,
            r#"7"#,
        ][..],
    )
    .prop_map(str::to_owned)
    .boxed()
}

fn message() -> BoxedStrategy<String> {
    (prop::sample::select(&["user", "assistant", "assistant"][..]), list(block(), 5), any::<bool>(), space())
        .prop_map(|(role, content, first, space)| match first {
            true => format!(r#"{{{space}"content":{content} ,"role":"{role}"}}"#),
            false => format!(r#"{{"role":"{role}",{space}"content":{content}}}"#),
        })
        .boxed()
}

fn edits() -> BoxedStrategy<String> {
    let edit = prop::sample::select(
        &[
            r#"{"type":"clear_thinking_20251015","keep":"all"}"#,
            r#"{"type":"clear_thinking_20251015"}"#,
            r#"{"type":"clear_tool_uses_20250919"}"#,
            r#"{ "keep": 1, "type" : "clear_thinking_x" }"#,
        ][..],
    );
    let context = (list(edit.prop_map(str::to_owned).boxed(), 4), any::<bool>());
    context
        .prop_map(|(edits, more)| {
            let more = if more { r#""more":1, "# } else { "" };
            format!(r#"{{{more}"edits" : {edits}}}"#)
        })
        .boxed()
}

/// A body whose members stand in any order.
pub(crate) fn any_body() -> impl Strategy<Value = String> {
    let always = (
        list(message(), 4).prop_map(|messages| {
            let messages = messages.trim_end_matches(']').trim_end();
            let comma = if messages.ends_with('[') { "" } else { "," };
            // So that many of them end as a turn that thinking cannot be gone on with.
            format!(
                r#"{messages}{comma}{{"role":"assistant","content":[{{"type":"tool_use","id":"c"}}]}},{{"role":"user","content":[]}}]"#
            )
        }),
        prop::sample::select(&MODELS[..]),
        edits(),
        prop::array::uniform6(prop::bool::weighted(0.7)),
        any::<bool>(),
        space(),
        space(),
    );
    let body = always.prop_flat_map(|(messages, model, edits, has, in_front, before, behind)| {
        let mut members = vec![
            format!(r#""model"{before}:"{model}""#),
            format!(r#""messages":{behind}{messages}"#),
            r#""max_tokens":12345678901234567890"#.to_owned(),
        ];
        let more = [
            r#""thinking":{"type":"enabled","budget_tokens":1024}"#.to_owned(),
            format!(r#""context_management":{edits}"#),
            r#""anthropic_version":"bedrock-2023-05-31""#.to_owned(),
            r#""anthropic_beta":["x"]"#.to_owned(),
            r#""unkn\u006fwn":{"model":[1e3,{ }]}"#.to_owned(),
            r#""stream":true"#.to_owned(),
        ];
        members.extend(more.into_iter().zip(has).filter(|(_, has)| *has).map(|(member, _)| member));
        (Just(members).prop_shuffle(), Just(in_front), Just(before), Just(behind))
    });
    body.prop_map(|(mut members, in_front, before, behind)| {
        if in_front {
            // What may have to go stands together.
            let goes = ["\"model\"", "\"context_management\""];
            members.sort_by_key(|member| !goes.iter().any(|name| member.starts_with(name)));
        }
        format!("{{{before}{}{behind}}}{before}", members.join(&format!("{behind},{before}")))
    })
}
