//! A reply: what the model said as candidates with their usage, or handed to the stream.
//!
//! Spec: <https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>. Invariant: as the vendor does, what is
//! zero or empty is left out.

use super::schema::Flavour;
use super::validate::{self, Request};
use super::{ability, signature, stream};
use crate::simulator::answer::{Answer, Call, Content, Refusal};
use crate::simulator::catalog::Model;
use crate::simulator::turn::{self, Stop, Turn};
use crate::simulator::{directive, tokens};
use serde_json::{Map, Value, json};
use sluice::config::Usage;

/// What every part of one reply says about itself.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Which of the vendor's APIs it is.
    pub(crate) flavour: Flavour,
    /// The reply's id.
    pub(crate) id: String,
    /// The model that answers.
    pub(crate) model: String,
    /// What the vendor's own tools read, in tokens.
    pub(crate) searched: u64,
    /// Whether tokens come with probabilities, and with how many alternatives.
    pub(crate) logprobs: Option<usize>,
}

/// What the model said, as parts.
#[derive(Debug)]
pub(crate) struct Said {
    /// Its thoughts, if they are shown.
    pub(crate) thoughts: String,
    /// Its text.
    pub(crate) text: String,
    /// Whole parts with function calls.
    pub(crate) calls: Vec<Value>,
    /// The signature of the text, where the model signs it.
    pub(crate) signature: Option<String>,
    /// Why it stopped.
    pub(crate) finish: &'static str,
    /// Why exactly.
    pub(crate) message: Option<String>,
    /// What was found on the web.
    pub(crate) grounding: Option<Value>,
}

impl Identity {
    /// A reply with these candidates and this usage.
    pub(crate) fn envelope(&self, candidates: Value, usage: Option<Usage>) -> Value {
        let mut reply = json!({"candidates": candidates, "modelVersion": self.model, "responseId": self.id});
        if let Some(usage) = usage {
            put(&mut reply, "usageMetadata", self.report(usage));
        }
        if self.flavour == Flavour::Vertex {
            put(&mut reply, "createTime", json!("2025-01-01T00:00:00.000000Z"));
        }
        reply
    }

    /// A candidate with these parts; Vertex does not name the first by its number.
    pub(crate) fn candidate(&self, index: usize, parts: &[Value]) -> Value {
        let mut candidate = json!({});
        if !parts.is_empty() {
            put(&mut candidate, "content", json!({"parts": parts, "role": "model"}));
        }
        if index > 0 || self.flavour != Flavour::Vertex {
            put(&mut candidate, "index", json!(index));
        }
        candidate
    }
}

impl Identity {
    /// Usage as the vendor reports it: thoughts are not part of the candidates, nor what its tools read of the prompt.
    fn report(&self, usage: Usage) -> Value {
        let said = usage.output.saturating_sub(usage.reasoning);
        let prompt = usage.input.saturating_sub(self.searched);
        let counts = [
            ("promptTokenCount", prompt),
            ("candidatesTokenCount", said),
            ("totalTokenCount", usage.input + usage.output),
            ("cachedContentTokenCount", usage.cached),
            ("thoughtsTokenCount", usage.reasoning),
            ("toolUsePromptTokenCount", self.searched),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let mut report: Map<String, Value> =
            counts.map(|(name, count)| (name.to_owned(), json!(count))).collect();
        report.insert("promptTokensDetails".to_owned(), details(prompt));
        if usage.cached > 0 {
            report.insert("cacheTokensDetails".to_owned(), details(usage.cached));
        }
        if self.searched > 0 {
            report.insert("toolUsePromptTokensDetails".to_owned(), details(self.searched));
        }
        if self.flavour == Flavour::Vertex {
            report.insert("candidatesTokensDetails".to_owned(), details(said));
            report.insert("trafficType".to_owned(), json!("ON_DEMAND"));
        }
        Value::Object(report)
    }
}

impl Said {
    /// Says why the model stopped.
    pub(crate) fn end(&self, candidate: &mut Value) {
        put(candidate, "finishReason", json!(self.finish));
        if let Some(message) = &self.message {
            put(candidate, "finishMessage", json!(message));
        }
        if self.finish == "SAFETY" {
            put(candidate, "safetyRatings", ratings());
        }
        if let Some(grounding) = &self.grounding {
            put(candidate, "groundingMetadata", grounding.clone());
        }
    }
}

/// Sets a member.
pub(crate) fn put(document: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = document {
        members.insert(name.to_owned(), value);
    }
}

fn ratings() -> Value {
    json!([{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true}])
}

/// Answers a request for content, whole or as a stream of elements.
pub(crate) fn answer(
    call: &Call<'_>,
    flavour: Flavour,
    model: &Model,
    document: &Value,
    streamed: Option<stream::Framing>,
) -> Result<Answer, Refusal> {
    let request = validate::request(model, flavour, document)?;
    let identity = Identity {
        flavour,
        id: call.id("response", 22),
        model: ability::version_of(&model.id).to_owned(),
        searched: 0,
        logprobs: request.settings.logprobs,
    };
    let input = Usage { input: request.input, cached: request.cached, ..Usage::default() };
    if call.bias.refuse || directive::parse(&request.prompt.text).block {
        return Ok(blocked(call, &identity, input, streamed));
    }
    let mut turn = turn::compose(&request.prompt, call.bias);
    if request.settings.thinking.off {
        turn.thinking = None;
    }
    let turns: Vec<Turn> = (0..request.settings.candidates).map(|index| turn.candidate(index)).collect();
    let searched = turn.search.as_deref().filter(|_| request.searches).map(tokens::count);
    let usage = Usage {
        input: input.input + searched.unwrap_or_default(),
        output: turns.iter().map(Turn::output).sum(),
        reasoning: turns.iter().map(Turn::reasoning).sum(),
        ..input
    };
    let (pace, split) = (turn.pace, turn.split);
    let said: Vec<Said> = turns.into_iter().map(|turn| said(call, &request, turn)).collect();
    let reported = (!call.bias.no_usage).then_some(usage);
    let identity = Identity { searched: searched.unwrap_or_default(), ..identity };
    let (content, sent) = match streamed {
        Some(framing) => (Content::Stream(stream::events(&identity, &said, reported, framing)), None),
        None => (Content::Json(whole(&identity, &said, reported)), reported),
    };
    Ok(Answer { content, usage: sent, consumed: Some(usage), pace, split, ..Answer::json(Value::Null) })
}

/// A prompt that the vendor does not even show to the model.
fn blocked(call: &Call<'_>, identity: &Identity, usage: Usage, streamed: Option<stream::Framing>) -> Answer {
    let reported = (!call.bias.no_usage).then_some(usage);
    let mut reply = identity.envelope(json!([]), reported);
    if let Value::Object(members) = &mut reply {
        members.remove("candidates");
    }
    put(&mut reply, "promptFeedback", json!({"blockReason": "PROHIBITED_CONTENT"}));
    let (content, sent) = match streamed {
        Some(framing) => (Content::Stream(stream::only(&reply, reported, framing)), None),
        None => (Content::Json(reply), reported),
    };
    Answer { content, usage: sent, consumed: Some(usage), ..Answer::json(Value::Null) }
}

fn said(call: &Call<'_>, request: &Request, turn: Turn) -> Said {
    let Turn { thinking, redacted, mut text, calls, stop, failed, search, .. } = turn;
    let signs = request.ability.signs || thinking.is_some() || redacted;
    let signature = signs.then(|| signature::sign(&call.id("signature", 24)));
    let (mut finish, mut message) = match stop {
        Stop::End | Stop::Sequence(_) | Stop::Tools if failed => ("OTHER", None),
        Stop::End | Stop::Sequence(_) | Stop::Tools => ("STOP", None),
        Stop::Length => ("MAX_TOKENS", None),
        Stop::Refused => ("SAFETY", None),
    };
    let mut parts = Vec::new();
    for (index, wanted) in calls.iter().enumerate() {
        let Some(args) = arguments(&wanted.arguments) else {
            // What a limit has cut is not sent at all.
            if finish != "MAX_TOKENS" {
                finish = "MALFORMED_FUNCTION_CALL";
                message = Some(format!("Malformed function call: {}({})", wanted.name, wanted.arguments));
                parts.clear();
                text.clear();
            }
            break;
        };
        let mut function = json!({"name": wanted.name, "args": args});
        if request.ability.third {
            put(&mut function, "id", json!(call.id(&format!("call {index}"), 8).to_ascii_lowercase()));
        }
        let mut part = json!({"functionCall": function});
        if let (true, Some(signature)) = (index == 0, &signature) {
            put(&mut part, "thoughtSignature", json!(signature));
        }
        parts.push(part);
    }
    if request.settings.bare {
        text = serde_json::from_str::<String>(&text).unwrap_or(text);
    }
    let thoughts = thinking.filter(|_| request.settings.thinking.shown).unwrap_or_default();
    let signature = signature.filter(|_| parts.is_empty() && finish == "STOP");
    let grounding = search.filter(|_| request.searches).map(|query| grounding(&query));
    Said { thoughts, text, calls: parts, signature, finish, message, grounding }
}

/// What a search found: one page.
fn grounding(query: &str) -> Value {
    json!({
        "webSearchQueries": [query],
        "searchEntryPoint": {"renderedContent": "<div></div>"},
        "groundingChunks": [{"web": {"uri": "https://example.com/", "title": "example.com"}}],
    })
}

/// A call's arguments, if they are an object.
fn arguments(text: &str) -> Option<Value> {
    if text.is_empty() {
        return Some(json!({}));
    }
    serde_json::from_str(text).ok().filter(Value::is_object)
}

fn whole(identity: &Identity, said: &[Said], usage: Option<Usage>) -> Value {
    let candidates = said.iter().enumerate().map(|(index, said)| candidate(identity, index, said));
    identity.envelope(candidates.collect(), usage)
}

fn candidate(identity: &Identity, index: usize, said: &Said) -> Value {
    let mut parts = Vec::new();
    if !said.thoughts.is_empty() {
        parts.push(json!({"text": said.thoughts, "thought": true}));
    }
    if !said.text.is_empty() || (said.calls.is_empty() && said.signature.is_some()) {
        let mut part = json!({"text": said.text});
        if let Some(signature) = &said.signature {
            put(&mut part, "thoughtSignature", json!(signature));
        }
        parts.push(part);
    }
    parts.extend(said.calls.iter().cloned());
    let mut candidate = identity.candidate(index, &parts);
    said.end(&mut candidate);
    if let Some(top) = identity.logprobs {
        put(&mut candidate, "avgLogprobs", json!(-0.125));
        put(&mut candidate, "logprobsResult", logprobs(&turn::pieces(&said.text), top));
    }
    candidate
}

/// The probabilities of some tokens, each with `top` alternatives.
pub(crate) fn logprobs(pieces: &[&str], top: usize) -> Value {
    let token = |text: &str, rank: usize| json!({"token": text, "tokenId": rank + 1, "logProbability": -0.125 - rank as f64});
    let alternatives = |piece: &&str| {
        let alternative = |rank| if rank == 0 { token(piece, 0) } else { token(&format!("alt{rank}"), rank) };
        json!({"candidates": (0..top).map(alternative).collect::<Vec<_>>()})
    };
    let chosen: Vec<Value> = pieces.iter().map(|piece| token(piece, 0)).collect();
    let mut result = json!({"chosenCandidates": chosen});
    if top > 0 {
        put(&mut result, "topCandidates", pieces.iter().map(alternatives).collect());
    }
    result
}

/// A count of texts.
fn details(tokens: u64) -> Value {
    json!([{"modality": "TEXT", "tokenCount": tokens}])
}
