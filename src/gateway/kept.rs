//! Which provider keeps which reply, and for whom: what all workers of one Envoy have seen made.
//!
//! Invariant: bounded. What is forgotten is asked of the ledger, which has the record of the exchange that made it.

use crate::config::Maker;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

/// How many shelves there are; a reply's place is its id's digest. Shelves are made once and never taken away.
const SHELVES: u16 = 4_096;
/// Bytes on one shelf: what is oldest there makes room. 16 MiB in all, which is some two hundred thousand replies.
const SHELF: usize = 4_096;
/// The longest id that is remembered.
pub(super) const MAX_ID: usize = 256;
/// How often a change is tried. Each try that fails is another worker's success on the same shelf.
const TRIES: usize = 64;

/// Shelves that all workers of an Envoy share.
pub trait Shelves: fmt::Debug {
    /// What lies on a shelf, and its version; `None` if there is no such shelf.
    fn read(&self, name: &str) -> Option<(Vec<u8>, Option<u32>)>;

    /// Replaces what lies on a shelf. With a version, only if that is still the shelf's; `false` if it is not.
    fn write(&self, name: &str, content: &[u8], version: Option<u32>) -> bool;
}

/// Shelves of one worker alone.
#[derive(Debug, Default)]
struct Own(RefCell<HashMap<String, (Vec<u8>, u32)>>);

impl Shelves for Own {
    fn read(&self, name: &str) -> Option<(Vec<u8>, Option<u32>)> {
        let shelves = self.0.borrow();
        shelves.get(name).map(|(content, version)| (content.clone(), Some(*version)))
    }

    fn write(&self, name: &str, content: &[u8], version: Option<u32>) -> bool {
        let mut shelves = self.0.borrow_mut();
        let known = shelves.get(name).map_or(0, |(_, version)| *version);
        let fits = version.is_none_or(|version| version == known);
        if fits {
            shelves.insert(name.to_owned(), (content.to_vec(), known.wrapping_add(1).max(1)));
        }
        fits
    }
}

/// Where a reply is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// The key had it made.
    Known(Maker),
    /// The key has found it, and nobody is known here to have had it made.
    Found(Maker),
    /// Another key had it made.
    Foreign,
    /// This Envoy has not seen it made.
    Unknown,
}

/// What is kept where.
#[derive(Debug)]
pub struct Kept(Box<dyn Shelves>);

impl Default for Kept {
    fn default() -> Self {
        Self::on(Box::new(Own::default()))
    }
}

impl Kept {
    /// What lies on these shelves, and will.
    #[must_use]
    pub fn on(shelves: Box<dyn Shelves>) -> Self {
        Self(shelves)
    }

    /// Makes the shelves that are not there: a shelf's first write is the only one that no version guards, so it comes
    /// before there is anything to lose.
    pub fn make_shelves(&self) {
        for number in 0..SHELVES {
            let name = shelf(number);
            if self.0.read(&name).is_none() {
                self.0.write(&name, &[], None);
            }
        }
    }

    /// A key had a reply made: no other key is to reach it.
    pub fn remember(&self, id: &str, maker: &Maker) {
        self.note(id, maker, Kind::Made);
    }

    /// A key has found a reply of which nobody knows who had it made. Other keys may find it too.
    pub fn found(&self, id: &str, maker: &Maker) {
        self.note(id, maker, Kind::Found);
    }

    fn note(&self, id: &str, maker: &Maker, kind: Kind) {
        let place = Place::of(id);
        let Some(new) = entry(&place.digest, kind, maker).filter(|_| !id.is_empty() && id.len() <= MAX_ID)
        else {
            return;
        };
        for _ in 0..TRIES {
            let (old, version) = self.0.read(&place.shelf).unwrap_or_default();
            let mut content = new.clone();
            for (whole, entry) in entries(&old) {
                let same = entry.digest == place.digest && entry.key == maker.key;
                if same && (entry.kind, kind) == (Kind::Made, Kind::Found) {
                    return;
                }
                if content.len() + whole.len() > SHELF {
                    break;
                }
                if !same {
                    content.extend_from_slice(whole);
                }
            }
            if self.0.write(&place.shelf, &content, version) {
                return;
            }
        }
    }

    /// Where a reply is, for a key.
    #[must_use]
    pub fn find(&self, id: &str, key: &str) -> Keeper {
        let place = Place::of(id);
        let (content, _) = self.0.read(&place.shelf).unwrap_or_default();
        let mut keeper = Keeper::Unknown;
        for (_, entry) in entries(&content).filter(|(_, entry)| entry.digest == place.digest) {
            let maker = || Maker {
                provider: entry.provider.to_owned(),
                key: key.to_owned(),
                model: Some(entry.model.to_owned()).filter(|model| !model.is_empty()),
            };
            match (entry.kind, entry.key == key) {
                (Kind::Made, true) => return Keeper::Known(maker()),
                (Kind::Made, false) => keeper = Keeper::Foreign,
                (Kind::Found, true) if keeper == Keeper::Unknown => keeper = Keeper::Found(maker()),
                (Kind::Found, _) => {}
            }
        }
        keeper
    }
}

/// Where an id's entries lie.
struct Place {
    digest: [u8; 16],
    shelf: String,
}

impl Place {
    fn of(id: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
        let [low, high, ..] = digest;
        let mut short = [0; 16];
        short.iter_mut().zip(digest.iter().skip(16)).for_each(|(to, from)| *to = *from);
        Self { digest: short, shelf: shelf(u16::from_le_bytes([low, high]) % SHELVES) }
    }
}

fn shelf(number: u16) -> String {
    format!("sluice.kept.{number}")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Made,
    Found,
}

/// One reply on a shelf.
struct Entry<'a> {
    digest: &'a [u8],
    kind: Kind,
    provider: &'a str,
    key: &'a str,
    model: &'a str,
}

/// An entry as it lies on a shelf: its length after these two bytes, the id's digest, the kind, and three names with a
/// zero between them. `None` for names that no configuration holds.
fn entry(digest: &[u8; 16], kind: Kind, maker: &Maker) -> Option<Vec<u8>> {
    let model = maker.model.as_deref().unwrap_or_default();
    let names = [&maker.provider, &maker.key, model].join("\0");
    let length = u16::try_from(digest.len() + 1 + names.len()).ok()?;
    let is_plain = names.bytes().filter(|byte| *byte == 0).count() == 2;
    let mut out = Vec::with_capacity(2 + usize::from(length));
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(digest);
    out.push(u8::from(kind == Kind::Found));
    out.extend_from_slice(names.as_bytes());
    (is_plain && out.len() <= SHELF).then_some(out)
}

/// The entries of a shelf, the newest first, each with its bytes.
fn entries(mut content: &[u8]) -> impl Iterator<Item = (&[u8], Entry<'_>)> {
    std::iter::from_fn(move || {
        let (length, _) = content.split_first_chunk::<2>()?;
        let (whole, rest) = content.split_at_checked(2 + usize::from(u16::from_le_bytes(*length)))?;
        content = rest;
        let (digest, tail) = whole.get(2..)?.split_at_checked(16)?;
        let (kind, names) = tail.split_first()?;
        let kind = if *kind == 0 { Kind::Made } else { Kind::Found };
        let mut names = std::str::from_utf8(names).ok()?.splitn(3, '\0');
        let (provider, key, model) = (names.next()?, names.next()?, names.next()?);
        Some((whole, Entry { digest, kind, provider, key, model }))
    })
}

#[cfg(test)]
mod tests;
