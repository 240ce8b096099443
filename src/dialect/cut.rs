//! Taking members and elements out of a body, and saying what was lost with them.
//!
//! Invariant: what is left is the JSON that it was without what was taken out; what was taken out is said, unless it said
//! nothing.

use super::edit::{Edit, splice};
use super::members::Path;
use crate::ir::loss::Loss;
use crate::wire::json::{Error, Reader};
use std::ops::Range;

/// What becomes of a member or an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays; there may be cuts inside of it.
    Stays,
    /// It goes, which is a loss.
    Goes,
    /// It goes, because the cuts inside of it have left nothing.
    Emptied,
}

/// Reads a value at a path and judges it.
type Judge<'f, 'a> = &'f mut dyn FnMut(&mut Cuts<'a>, &Path<'_>, &mut Reader<'a>) -> Result<Fate, Error>;

/// The same for a member of a name.
pub(super) type JudgeMember<'f, 'a> =
    &'f mut dyn FnMut(&mut Cuts<'a>, &Path<'_>, &str, &mut Reader<'a>) -> Result<Fate, Error>;

/// What is taken out of a body, or changed in it.
#[derive(Debug)]
pub(super) struct Cuts<'a> {
    body: &'a str,
    pub(super) edits: Vec<Edit>,
    /// In the client's terms.
    pub(super) loss: Loss,
}

impl<'a> Cuts<'a> {
    /// Nothing yet.
    pub(super) fn of(body: &'a str) -> Self {
        Self { body, edits: Vec::new(), loss: Loss::default() }
    }

    /// Puts something in a value's place, which is a loss.
    pub(super) fn replace(&mut self, path: &Path<'_>, span: Range<usize>, with: &[u8]) {
        self.loss.drop(path.to_string());
        self.edits.push(Edit::replace(span, with));
    }

    /// Walks the members of the object that is next (the body, if it has no path). Says whether any is left.
    pub(super) fn members(
        &mut self,
        parent: Option<&Path<'_>>,
        reader: &mut Reader<'a>,
        judge: JudgeMember<'_, 'a>,
    ) -> Result<bool, Error> {
        let mut left = false;
        reader.object()?;
        loop {
            let before = reader.offset();
            let Some(name) = reader.key()? else { return Ok(left) };
            let name = name.plain();
            let path = parent.map_or_else(|| Path::root(&name), |parent| parent.member(&name));
            let start = name_offset(self.body, before);
            let fate = judge(self, &path, &name, reader)?;
            left |= self.settle(fate, &path, start..reader.offset());
        }
    }

    /// Walks the elements of the array that is next. Says whether any is left.
    pub(super) fn elements(
        &mut self,
        parent: &Path<'_>,
        reader: &mut Reader<'a>,
        judge: Judge<'_, 'a>,
    ) -> Result<bool, Error> {
        let (mut left, mut at) = (false, 0);
        reader.array()?;
        while reader.element()? {
            let path = parent.index(at);
            let start = reader.value_offset();
            let fate = judge(self, &path, reader)?;
            left |= self.settle(fate, &path, start..reader.offset());
            at += 1;
        }
        Ok(left)
    }

    fn settle(&mut self, fate: Fate, path: &Path<'_>, span: Range<usize>) -> bool {
        if fate == Fate::Stays {
            return true;
        }
        if fate == Fate::Goes {
            self.loss.drop(path.to_string());
        }
        self.edits.push(Edit::remove(span));
        false
    }
}

/// Where the name begins that follows `before`: between two members stand a comma and white space.
pub(super) fn name_offset(body: &str, before: usize) -> usize {
    before + body.get(before..).and_then(|rest| rest.find('"')).unwrap_or(0)
}

/// The body without these members, and which of them it had; `None` if it had none. The syntax has been checked.
#[must_use]
pub fn take_out<'n>(body: &[u8], names: &[&'n str]) -> Option<(Vec<u8>, Vec<&'n str>)> {
    let text = std::str::from_utf8(body).ok()?;
    let (mut cuts, mut found) = (Cuts::of(text), Vec::new());
    let mut judge = |_: &mut Cuts<'_>, _: &Path<'_>, name: &str, reader: &mut Reader<'_>| {
        reader.skip()?;
        let named = names.iter().copied().find(|wanted| *wanted == name);
        found.extend(named);
        Ok(if named.is_some() { Fate::Goes } else { Fate::Stays })
    };
    cuts.members(None, &mut Reader::new(text), &mut judge).ok()?;
    (!found.is_empty()).then(|| (splice(body, &cuts.edits), found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json::Kind;

    #[test]
    fn members_are_taken_out_by_name() {
        let body = br#"{"a":{"b":1},"b":[2] ,"c":3}"#;
        let (left, found) = take_out(body, &["b", "d"]).unwrap();
        assert_eq!((left.as_slice(), found), (br#"{"a":{"b":1} ,"c":3}"#.as_slice(), vec!["b"]));
        assert_eq!(take_out(body, &["d"]), None);
        assert_eq!(take_out(b"[]", &["a"]), None);
    }

    /// Takes the ones out of lists, wherever they stand.
    fn without_ones<'a>(
        cuts: &mut Cuts<'a>,
        path: &Path<'_>,
        _: &str,
        reader: &mut Reader<'a>,
    ) -> Result<Fate, Error> {
        let left = if reader.peek()? == Kind::Object {
            cuts.members(Some(path), reader, &mut without_ones)?
        } else {
            cuts.elements(path, reader, &mut |_, _, reader| {
                Ok(if reader.raw()? == "1" { Fate::Goes } else { Fate::Stays })
            })?
        };
        Ok(if left { Fate::Stays } else { Fate::Emptied })
    }

    #[test]
    fn what_goes_is_said_and_what_is_left_empty_is_not() {
        let body = r#"{"a":[1, 2 ,3],"b":{"c":[1]},"d":[]}"#;
        let mut cuts = Cuts::of(body);
        assert_eq!(cuts.members(None, &mut Reader::new(body), &mut without_ones), Ok(true));
        assert_eq!(splice(body.as_bytes(), &cuts.edits), br#"{"a":[2 ,3]}"#);
        assert_eq!(cuts.loss.paths(), ["a[0]", "b.c[0]"]);
    }
}
