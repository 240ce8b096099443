//! Puts a scripted behaviour on a healthy answer: what is written, in which pieces, and how it ends.
//!
//! Invariant: pure. The same answer and behaviour give the same pieces.

use super::answer::{Answer, Content};
use super::behaviour::{Behaviour, Kind};
use super::event::{Event, Mark, Style};
use super::play::{End, Piece};
use super::socket::Break;
use super::turn::Bias;
use super::vendor::{Complaint, Site, Vendor};
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;

/// How often a stream that says nothing says so.
const PING: Duration = Duration::from_millis(100);

/// A reply with its headers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// All but the length.
    pub(crate) headers: Vec<(String, String)>,
    /// The promised length, where the body will be shorter.
    pub(crate) promised: Option<usize>,
    /// The body.
    pub(crate) pieces: Vec<Piece>,
    /// Whether the body is one whole, with its length.
    pub(crate) whole: bool,
    /// How it ends.
    pub(crate) end: End,
    /// Whether the script made it a failure; some behaviours find nothing to break.
    pub(crate) faulty: bool,
}

/// Whose stream it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    /// The vendor.
    pub(crate) vendor: &'a dyn Vendor,
    /// Where at the vendor's.
    pub(crate) site: Site<'a>,
}

/// What happens to the request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// It is answered.
    Reply(Reply),
    /// The connection breaks before any answer.
    Break(Break),
    /// Nothing happens.
    Silence,
}

/// What a behaviour changes before the reply is composed.
pub(crate) fn bias(behaviour: &Behaviour) -> Bias {
    let slow = behaviour.kind == Kind::SlowTokens;
    Bias {
        big: (behaviour.kind == Kind::BigReply).then_some(behaviour.bytes),
        refuse: matches!(behaviour.kind, Kind::ContentFilter | Kind::Refusal),
        no_usage: behaviour.kind == Kind::NoUsage,
        pace: Duration::from_millis(if slow { behaviour.delay_ms } else { 0 }),
        lifetime: behaviour.lifetime_s,
    }
}

/// Whether the behaviour is a failure, so that the log calls its end `fault:…`.
pub(crate) const fn is_fault(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Healthy
            | Kind::SlowTokens
            | Kind::BigReply
            | Kind::ContentFilter
            | Kind::Refusal
            | Kind::DelayMs
            | Kind::NoUsage
            | Kind::SseStyle
    )
}

/// The course of one attempt.
pub(crate) fn apply(at: At<'_>, behaviour: &Behaviour, answer: Answer) -> Course {
    match behaviour.kind {
        Kind::ResetBeforeHeaders => return Course::Break(Break::Reset),
        Kind::CloseBeforeHeaders => return Course::Break(Break::Close),
        Kind::Silence => return Course::Silence,
        _ => {}
    }
    let mut reply = body(at, behaviour, answer);
    if let Some(status) = behaviour.status {
        reply.status = status;
    }
    for (name, value) in &behaviour.headers {
        let name = name.to_ascii_lowercase();
        reply.headers.retain(|(known, _)| *known != name);
        reply.headers.push((name, value.clone()));
    }
    Course::Reply(reply)
}

fn body(at: At<'_>, behaviour: &Behaviour, answer: Answer) -> Reply {
    let Answer { status, headers, content, usage, pace, split, .. } = answer;
    let mut head: Vec<(String, String)> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    if let Some(fixed) = fixed_body(at, behaviour, matches!(content, Content::Stream(_))) {
        head.push(("content-type".to_owned(), fixed.1.to_owned()));
        head.extend(error_headers(at, behaviour));
        let reply = whole(200, head, fixed.0, None);
        return Reply { faulty: is_fault(behaviour.kind), ..reply };
    }
    match content {
        // A request that is refused is answered as such: a fault of the stream has nothing to happen to.
        Content::Json(document) => {
            head.push(("content-type".to_owned(), "application/json".to_owned()));
            let kind = if status == 200 { behaviour.kind } else { Kind::Healthy };
            buffered(kind, whole(status, head, document.to_string().into(), usage))
        }
        Content::Stream(events) => {
            head.push(("content-type".to_owned(), at.vendor.stream_type(at.site).to_owned()));
            head.push(("cache-control".to_owned(), "no-cache".to_owned()));
            let style = Style { split: behaviour.style.split.max(split), ..behaviour.style };
            streamed(at, behaviour, Stream { status, head, events, pace, style })
        }
    }
}

/// A body that does not depend on the answer, and its content type.
fn fixed_body(at: At<'_>, behaviour: &Behaviour, stream: bool) -> Option<(Bytes, &'static str)> {
    let failure = || at.vendor.error(at.site, failing(behaviour), behaviour.code.as_deref());
    let usual = match behaviour.kind {
        Kind::Status | Kind::ErrorBody200 => Some(failure()),
        Kind::ErrorEventFirst | Kind::ErrorEventAfterTokens if !stream => Some(failure()),
        Kind::EmptyBody => Some(Value::String(String::new())),
        Kind::InvalidJson | Kind::WrongChecksum if !stream => {
            Some(Value::String("{\"id\": \"broken\", \"choices\": [".to_owned()))
        }
        Kind::MalformedEvent if !stream => Some(Value::String("{\"id\": \"broken\", ".to_owned())),
        _ => None,
    };
    // A body of an event is not the reply's body.
    let event = stream
        && matches!(
            behaviour.kind,
            Kind::ErrorEventFirst | Kind::ErrorEventAfterTokens | Kind::MalformedEvent
        );
    let body = behaviour.body.clone().filter(|_| !event).or(usual)?;
    Some(match body {
        Value::String(text) if text.trim_start().starts_with('<') => {
            (text.into(), "text/html; charset=UTF-8")
        }
        Value::String(text) => (text.into(), "application/json"),
        document => (document.to_string().into(), "application/json"),
    })
}

/// The status whose error a behaviour sends.
fn failing(behaviour: &Behaviour) -> u16 {
    behaviour.status.filter(|_| behaviour.kind == Kind::Status).unwrap_or(500)
}

/// What the vendor says of its error in the headers; a 200 says nothing of one.
fn error_headers(at: At<'_>, behaviour: &Behaviour) -> Vec<(String, String)> {
    if behaviour.kind != Kind::Status {
        return Vec::new();
    }
    let headers = at.vendor.error_headers(at.site, failing(behaviour), behaviour.code.as_deref());
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn whole(
    status: u16,
    headers: Vec<(String, String)>,
    bytes: Bytes,
    usage: Option<sluice::config::Usage>,
) -> Reply {
    let pieces = if bytes.is_empty() { Vec::new() } else { vec![Piece { usage, ..Piece::raw(bytes) }] };
    Reply { status, headers, promised: None, pieces, whole: true, end: End::Clean, faulty: false }
}

fn buffered(kind: Kind, mut reply: Reply) -> Reply {
    let end = match kind {
        Kind::HeadersThenSilence | Kind::PingsThenSilence => {
            reply.pieces.clear();
            reply.whole = false;
            reply.end = End::Hold;
            reply.faulty = true;
            return reply;
        }
        Kind::CutAfterTokens | Kind::CutInsideEvent | Kind::TruncatedJson => End::Broken(Break::Close),
        Kind::ResetAfterTokens => End::Broken(Break::Reset),
        Kind::CleanEndAfterTokens => End::Clean,
        Kind::StallAfterTokens => End::Hold,
        _ => return reply,
    };
    let full = reply.pieces.iter().map(|piece| piece.bytes.len()).sum::<usize>();
    for piece in &mut reply.pieces {
        piece.bytes.truncate(full / 2);
        piece.usage = None;
    }
    reply.promised = (kind != Kind::CleanEndAfterTokens).then_some(full);
    reply.whole = kind == Kind::CleanEndAfterTokens;
    reply.end = end;
    reply.faulty = true;
    reply
}

struct Stream {
    status: u16,
    head: Vec<(String, String)>,
    events: Vec<Event>,
    pace: Duration,
    style: Style,
}

fn streamed(at: At<'_>, behaviour: &Behaviour, stream: Stream) -> Reply {
    let Stream { status, head, mut events, pace, style } = stream;
    let mut end = End::Clean;
    let mut promised = None;
    let mut wrong = None;
    let after = position_after(&events, behaviour.tokens);
    match behaviour.kind {
        Kind::HeadersThenSilence => {
            events.clear();
            end = End::Hold;
        }
        Kind::PingsThenSilence => {
            events.retain(|event| event.mark == Mark::Open || event.mark == Mark::Ping);
            end = End::Repeat(at.vendor.ping(at.site, style), PING);
        }
        Kind::ErrorEventFirst => events = vec![error_event(at, behaviour, &[])],
        Kind::ErrorEventAfterTokens => {
            events.truncate(after);
            let error = error_event(at, behaviour, &events);
            events.push(error);
        }
        Kind::CutAfterTokens
        | Kind::ResetAfterTokens
        | Kind::StallAfterTokens
        | Kind::CleanEndAfterTokens => {
            events.truncate(after);
            end = match behaviour.kind {
                Kind::CutAfterTokens => End::Broken(Break::Close),
                Kind::ResetAfterTokens => End::Broken(Break::Reset),
                Kind::StallAfterTokens => End::Hold,
                _ => End::Clean,
            };
        }
        Kind::CutInsideEvent => {
            events.truncate(after + 1);
            end = End::Broken(Break::Close);
        }
        Kind::WrongChecksum if has_checksums(at, &events, style) => wrong = Some(after),
        Kind::MalformedEvent | Kind::WrongChecksum => {
            let at = if behaviour.tokens == 0 { 0 } else { after };
            events.insert(at, malformed(behaviour, &events));
        }
        Kind::NoDone => events.retain(|event| event.mark != Mark::Done),
        Kind::InvalidJson => {
            for event in &mut events {
                event.data.insert_str(0, "{{");
                event.usage = None;
            }
        }
        Kind::TruncatedJson => {
            let full =
                events.iter().map(|event| at.vendor.render(at.site, event, style).len()).sum::<usize>();
            events.truncate(events.len() / 2);
            promised = Some(full);
            end = End::Broken(Break::Close);
        }
        _ => {}
    }
    let bytes = |(index, event): (usize, &Event)| {
        let bytes = at.vendor.render(at.site, event, style);
        let corrupt = at.vendor.corrupt(at.site, &bytes).filter(|_| wrong == Some(index));
        pieces(event, &corrupt.unwrap_or(bytes), style, pace)
    };
    let mut pieces: Vec<Piece> = events.iter().enumerate().flat_map(bytes).collect();
    if behaviour.kind == Kind::CutInsideEvent {
        halve(&mut pieces);
    }
    Reply { status, headers: head, promised, pieces, whole: false, end, faulty: is_fault(behaviour.kind) }
}

/// Right behind that many tokens, and always before the model says why it stopped.
fn position_after(events: &[Event], tokens: usize) -> usize {
    let finish = events
        .iter()
        .position(|event| matches!(event.mark, Mark::Finish | Mark::Done))
        .unwrap_or(events.len());
    let mut deltas = events.iter().enumerate().filter(|(_, event)| event.mark == Mark::Delta);
    let at = match tokens.checked_sub(1) {
        None => deltas.next().map(|(index, _)| index),
        Some(before) => deltas.nth(before).map(|(index, _)| index + 1),
    };
    at.map_or(finish, |at| at.min(finish))
}

fn error_event(at: At<'_>, behaviour: &Behaviour, sent: &[Event]) -> Event {
    let complaint = Complaint { code: behaviour.code.as_deref(), body: behaviour.body.as_ref() };
    at.vendor.error_event(at.site, sent, complaint)
}

fn malformed(behaviour: &Behaviour, events: &[Event]) -> Event {
    let name = events.iter().find(|event| event.mark == Mark::Delta).and_then(|event| event.name);
    let data = match &behaviour.body {
        Some(Value::String(text)) => text.clone(),
        Some(document) => document.to_string(),
        None => "{\"id\": \"broken\", \"choices\": [{".to_owned(),
    };
    Event { name, data, mark: Mark::Frame, usage: None }
}

fn has_checksums(at: At<'_>, events: &[Event], style: Style) -> bool {
    events
        .first()
        .is_some_and(|event| at.vendor.corrupt(at.site, &at.vendor.render(at.site, event, style)).is_some())
}

/// Leaves half of the last event.
fn halve(pieces: &mut Vec<Piece>) {
    let begins =
        pieces.iter().rev().skip(1).position(|piece| piece.event).map_or(0, |after| pieces.len() - 1 - after);
    let last = pieces.get(begins..).unwrap_or_default();
    let mut left = last.iter().map(|piece| piece.bytes.len()).sum::<usize>() / 2;
    for piece in pieces.iter_mut().skip(begins) {
        piece.bytes.truncate(left);
        left -= piece.bytes.len();
        *piece = Piece { event: false, delta: false, usage: None, ..piece.clone() };
    }
    pieces.retain(|piece| !piece.bytes.is_empty());
}

fn pieces(event: &Event, bytes: &Bytes, style: Style, pace: Duration) -> Vec<Piece> {
    let delta = event.mark == Mark::Delta;
    let size = if style.split == 0 { bytes.len() } else { style.split };
    let mut parts: Vec<Piece> =
        bytes.chunks(size.max(1)).map(|part| Piece::raw(bytes.slice_ref(part))).collect();
    if let Some(first) = parts.first_mut().filter(|_| delta) {
        first.after = pace;
    }
    if let Some(last) = parts.last_mut() {
        *last = Piece { event: true, delta, usage: event.usage, ..last.clone() };
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::openai;
    use serde_json::json;

    fn applied(behaviour: Value, answer: Answer) -> Course {
        let behaviour: Behaviour = serde_json::from_value(behaviour).unwrap();
        let vendor = openai::OpenAi::new();
        let at = At { vendor: &vendor, site: Site { path: "/v1/chat/completions", query: "" } };
        apply(at, &behaviour, answer)
    }

    fn answer() -> Answer {
        let event = |mark| Event::data(mark, &json!(1));
        let marks = [Mark::Open, Mark::Delta, Mark::Delta, Mark::Finish, Mark::Done];
        Answer { content: Content::Stream(marks.map(event).to_vec()), ..Answer::json(json!({})) }
    }

    fn play(behaviour: Value) -> Reply {
        match applied(behaviour, answer()) {
            Course::Reply(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tokens_are_counted_by_deltas() {
        for (tokens, kept) in [(0, 1), (1, 2), (2, 3), (9, 3)] {
            let reply = play(json!({"kind": "cut_after_tokens", "tokens": tokens}));
            assert_eq!((reply.pieces.len(), reply.end), (kept, End::Broken(Break::Close)), "{tokens}");
        }
    }

    #[test]
    fn split_pieces_are_one_event() {
        let reply = play(json!({"kind": "sse_style", "style": {"split": 4}}));
        assert!(reply.pieces.iter().all(|piece| piece.bytes.len() <= 4));
        assert_eq!(reply.pieces.iter().filter(|piece| piece.event).count(), 5);
        assert_eq!(reply.pieces.iter().filter(|piece| piece.delta).count(), 2);
    }

    #[test]
    fn a_refused_request_stays_refused() {
        let refused = Answer::refusal(400, json!({"error": 1}), "why");
        let Course::Reply(reply) = applied(json!({"kind": "cut_after_tokens"}), refused) else { panic!() };
        assert_eq!((reply.status, reply.end, reply.whole, reply.faulty), (400, End::Clean, true, false));
    }

    #[test]
    fn a_scripted_status_has_the_vendors_body() {
        let reply = play(json!({"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}));
        assert_eq!(reply.status, 429);
        assert!(reply.headers.contains(&("retry-after".to_owned(), "1".to_owned())));
        let body: Value = serde_json::from_slice(&reply.pieces[0].bytes).unwrap();
        assert_eq!(body["error"]["code"], "rate_limit_exceeded");
    }
}
