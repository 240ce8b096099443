//! Which provider keeps which reply, and for whom: what one VM has seen made.
//!
//! Invariant: bounded. What is forgotten is looked for at every provider that could have it.

use std::cell::RefCell;
use std::collections::HashMap;

/// Replies of one generation. The one before is kept too, so that this many of the newest are always known.
const GENERATION: usize = 4_096;
/// The longest id that is remembered.
const MAX_ID: usize = 256;

/// Where a reply is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// At this provider, and the key is the one that had it made.
    Provider(String),
    /// Another key had it made.
    Foreign,
    /// Nobody has told this VM.
    Unknown,
}

/// Replies by id, with provider and key.
type Generation = HashMap<String, (String, String)>;

/// What is kept where.
#[derive(Debug, Default)]
pub struct Kept(RefCell<(Generation, Generation)>);

impl Kept {
    /// A provider keeps a reply that a key had made.
    pub fn remember(&self, id: &str, provider: &str, key: &str) {
        if id.is_empty() || id.len() > MAX_ID {
            return;
        }
        let (young, old) = &mut *self.0.borrow_mut();
        if young.len() >= GENERATION {
            *old = std::mem::take(young);
        }
        young.insert(id.to_owned(), (provider.to_owned(), key.to_owned()));
    }

    /// Where a reply is, for a key.
    #[must_use]
    pub fn find(&self, id: &str, key: &str) -> Keeper {
        let (young, old) = &*self.0.borrow();
        match young.get(id).or_else(|| old.get(id)) {
            Some((provider, owner)) if owner == key => Keeper::Provider(provider.clone()),
            Some(_) => Keeper::Foreign,
            None => Keeper::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_known_and_the_oldest_forgotten() {
        let kept = Kept::default();
        for number in 0..3 * GENERATION {
            kept.remember(&format!("resp_{number}"), "p", "k");
        }
        let find = |number: usize| kept.find(&format!("resp_{number}"), "k");
        assert_eq!(find(0), Keeper::Unknown);
        for number in 2 * GENERATION..3 * GENERATION {
            assert_eq!(find(number), Keeper::Provider("p".into()));
        }
        let (young, old) = &*kept.0.borrow();
        assert!(young.len() + old.len() <= 2 * GENERATION);
    }

    #[test]
    fn a_reply_belongs_to_its_key() {
        let kept = Kept::default();
        kept.remember("r", "p", "k");
        kept.remember("", "p", "k");
        assert_eq!(kept.find("r", "k"), Keeper::Provider("p".into()));
        assert_eq!(kept.find("r", "other"), Keeper::Foreign);
        assert_eq!(kept.find("", "k"), Keeper::Unknown);
    }
}
