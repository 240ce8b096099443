//! What the Responses API keeps for its clients: responses, their input, their items and their streams.
//!
//! Invariant: bounded. The oldest response goes first, and with it what only it knew.

use crate::simulator::event::Event;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Responses that are kept.
const KEPT: usize = 2_000;
/// Bytes of what they said that are kept.
const KEPT_BYTES: usize = 16 << 20;

/// One response as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Its id.
    pub(crate) id: String,
    /// The document at the end of the run.
    pub(crate) document: Value,
    /// The items it was given, each with an id.
    pub(crate) input: Vec<Value>,
    /// The items before those.
    pub(crate) past: Vec<Value>,
    /// Its stream, if it runs in the background and was asked to stream; else empty.
    pub(crate) events: Vec<Event>,
    /// How far it has come, if it runs in the background.
    pub(crate) run: Option<Run>,
}

/// How far a run in the background has come: one step each time that its client looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// It has not begun.
    Queued,
    /// It goes on.
    Running,
    /// It is over.
    Over,
    /// Its client ended it.
    Cancelled,
}

impl Stored {
    /// The document as it is now.
    pub(crate) fn now(&self) -> Value {
        match self.run {
            None | Some(Run::Over) => self.document.clone(),
            Some(Run::Queued) => unfinished(&self.document, "queued"),
            Some(Run::Running) => unfinished(&self.document, "in_progress"),
            Some(Run::Cancelled) => unfinished(&self.document, "cancelled"),
        }
    }

    fn size(&self) -> usize {
        let items = |items: &[Value]| items.iter().map(|item| item.to_string().len()).sum::<usize>();
        let events = self.events.iter().map(|event| event.data.len()).sum::<usize>();
        self.document.to_string().len() + items(&self.input) + items(&self.past) + events
    }

    /// All items up to its end.
    pub(crate) fn conversation(&self) -> Vec<Value> {
        let output = self.document.get("output").and_then(Value::as_array).into_iter().flatten();
        self.past.iter().chain(&self.input).chain(output).cloned().collect()
    }
}

/// A response that has said nothing yet.
pub(crate) fn unfinished(document: &Value, status: &str) -> Value {
    let mut early = document.clone();
    if let Value::Object(members) = &mut early {
        for name in ["usage", "completed_at", "error", "incomplete_details"] {
            members.insert(name.to_owned(), Value::Null);
        }
        members.insert("status".to_owned(), json!(status));
        members.insert("output".to_owned(), json!([]));
    }
    early
}

/// All that is kept.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    responses: VecDeque<Stored>,
    bytes: usize,
}

impl Memory {
    /// Keeps a response, in place of one with the same id.
    pub(crate) fn keep(&mut self, response: Stored) {
        self.forget(&response.id);
        self.bytes += response.size();
        self.responses.push_back(response);
        while self.responses.len() > KEPT || (self.bytes > KEPT_BYTES && self.responses.len() > 1) {
            let Some(oldest) = self.responses.pop_front() else { return };
            self.bytes -= oldest.size();
        }
    }

    /// A response.
    pub(crate) fn get(&self, id: &str) -> Option<&Stored> {
        self.responses.iter().find(|response| response.id == id)
    }

    /// A response, to change it.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Stored> {
        self.responses.iter_mut().find(|response| response.id == id)
    }

    /// Lets a response go; says whether there was one.
    pub(crate) fn forget(&mut self, id: &str) -> bool {
        let found = self.responses.iter().position(|response| response.id == id);
        let gone = found.and_then(|index| self.responses.remove(index));
        self.bytes -= gone.as_ref().map_or(0, Stored::size);
        gone.is_some()
    }

    /// The reasoning that led to an item: what the vendor made together it takes back only together.
    pub(crate) fn reason(&self, id: &str) -> Option<String> {
        let name = |item: &Value| item.get("id").and_then(Value::as_str).map(str::to_owned);
        let output = |response: &Stored| response.document.get("output").and_then(Value::as_array).cloned();
        self.responses.iter().rev().find_map(|response| {
            let output = output(response)?;
            let index = output.iter().position(|item| name(item).as_deref() == Some(id))?;
            let before = output.get(index.checked_sub(1)?)?;
            let reasoned = before.get("type").and_then(Value::as_str) == Some("reasoning");
            name(before).filter(|_| reasoned)
        })
    }

    /// An item of any response.
    pub(crate) fn item(&self, id: &str) -> Option<Value> {
        let is = |item: &&Value| item.get("id").and_then(Value::as_str) == Some(id);
        let output = |response: &Stored| response.document.get("output").and_then(Value::as_array).cloned();
        self.responses.iter().rev().find_map(|response| {
            let output = output(response).unwrap_or_default();
            response.input.iter().chain(&output).find(is).cloned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(id: &str, bytes: usize) -> Stored {
        let document = json!({"id": id, "output": [{"id": format!("msg_{id}"), "text": "x".repeat(bytes)}]});
        Stored {
            id: id.to_owned(),
            document,
            input: Vec::new(),
            past: Vec::new(),
            events: Vec::new(),
            run: None,
        }
    }

    #[test]
    fn what_is_large_goes_first_with_its_items() {
        let mut memory = Memory::default();
        memory.keep(stored("a", 1));
        memory.keep(stored("b", KEPT_BYTES));
        assert!(memory.get("a").is_none() && memory.item("msg_a").is_none());
        assert!(memory.get("b").is_some() && memory.item("msg_b").is_some());
        assert!(memory.forget("b") && !memory.forget("b"));
        assert_eq!(memory.bytes, 0);
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut memory = Memory::default();
        for index in 0..=KEPT {
            memory.keep(stored(&index.to_string(), 1));
        }
        assert_eq!((memory.get("0").is_some(), memory.get("1").is_some()), (false, true));
    }
}
