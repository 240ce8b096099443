//! Ids for calls. Most Gemini models name none, and every other dialect demands them.
//!
//! Invariant: the same call at the same place gets the same id, and it is one that every dialect takes
//! (`[A-Za-z0-9_-]`, at most 64).

use crate::wire::json::Text;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Letters of a tool's name that an id carries.
const NAME: usize = 36;

/// The id of a reply's call: unlike that of any other reply.
pub(super) fn in_reply(reply: &str, number: usize, name: &str) -> String {
    // FNV-1a, 32 bits: needs to be stable and spread, not secret.
    let hash =
        reply.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("call_{hash:08x}_{number}_{}", letters(name))
}

fn letters(name: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    name.chars().take(NAME).map(|letter| if allowed(letter) { letter } else { '_' }).collect()
}

/// Finds calls and results of one request to each other.
#[derive(Debug, Default)]
pub(super) struct Calls<'a> {
    made: usize,
    /// Calls without a result yet, by tool.
    open: BTreeMap<String, VecDeque<Text<'a>>>,
    /// Ids of results that named their call.
    answered: BTreeSet<String>,
}

impl<'a> Calls<'a> {
    /// A call: its id, or one made up.
    pub(super) fn call(&mut self, id: Option<Text<'a>>, name: &Text<'a>) -> Text<'a> {
        let name = name.plain();
        let id = id.unwrap_or_else(|| Text::from(format!("call_{}_{}", self.made, letters(&name))));
        self.made += 1;
        // A call that takes up an id anew is not answered by what answered the former.
        self.answered.remove(&*id.plain());
        self.open.entry(name.into_owned()).or_default().push_back(id.clone());
        id
    }

    /// A result: the id that it names, or that of the first call of its tool that has none yet.
    pub(super) fn result(&mut self, id: Option<Text<'a>>, name: &Text<'a>) -> Text<'a> {
        if let Some(id) = id {
            self.answered.insert(id.plain().into_owned());
            return id;
        }
        let name = name.plain();
        while let Some(id) = self.open.get_mut(&*name).and_then(VecDeque::pop_front) {
            if !self.answered.contains(&*id.plain()) {
                return id;
            }
        }
        self.made += 1;
        Text::from(format!("result_{}_{}", self.made, letters(&name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_find_their_calls_by_id_or_by_name_and_order() {
        let mut calls = Calls::default();
        let (f, g) = (Text::from("f"), Text::from("g.h"));
        assert_eq!(calls.call(None, &f), "call_0_f");
        assert_eq!(calls.call(None, &g), "call_1_g_h");
        assert_eq!(calls.call(None, &f), "call_2_f");
        assert_eq!(calls.call(Some(Text::from("x")), &f), "x");
        assert_eq!(calls.result(None, &g), "call_1_g_h");
        assert_eq!(calls.result(Some(Text::from("x")), &f), "x");
        assert_eq!(calls.result(None, &f), "call_0_f");
        assert_eq!(calls.result(None, &f), "call_2_f");
        assert_eq!(calls.result(None, &f), "result_5_f");
    }

    #[test]
    fn ids_fit_every_dialect() {
        let id = in_reply("é", 4_294_967_295, &"ä.".repeat(99));
        assert!(id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{id}");
        assert_ne!(in_reply("a", 0, "f"), in_reply("b", 0, "f"));
    }
}
