//! Taking members and elements out of a body, each with the comma that goes with it.
//!
//! Invariant: what is left is the JSON that it was without what was taken; edits come in order and do not overlap.

use super::{Edit, Member};
use crate::wire::json::{Error, Reader, Text};
use std::ops::Range;

/// Reads a member's value and says whether it is taken out; notes edits inside of one that stays.
type TakeMember<'f, 'a> =
    &'f mut dyn FnMut(&Text<'a>, &mut Reader<'a>, &mut Vec<Edit>) -> Result<bool, Error>;

/// The same for an element.
type TakeElement<'f, 'a> = &'f mut dyn FnMut(&mut Reader<'a>, &mut Vec<Edit>) -> Result<bool, Error>;

/// Where a member stands whose name follows `before` and whose value ends at `end`.
pub(super) fn member(body: &str, before: usize, end: usize) -> Member {
    let gap = body.get(before..).unwrap_or_default();
    let start = before + gap.find('"').unwrap_or(0);
    let comma = gap.trim_ascii_start().starts_with(',');
    let behind = body.get(end..).unwrap_or_default();
    let gone = if comma {
        before..end
    } else if behind.trim_ascii_start().starts_with(',') {
        start..end + behind.find(',').map_or(0, |at| at + 1)
    } else {
        start..end
    };
    Member { whole: start..end, gone }
}

/// The body without these members, and which of them it had; `None` if it had none. The syntax has been checked.
#[must_use]
pub fn take_out<'n>(body: &[u8], names: &[&'n str]) -> Option<(Vec<u8>, Vec<&'n str>)> {
    let text = std::str::from_utf8(body).ok()?;
    let (mut edits, mut found) = (Vec::new(), Vec::new());
    let mut takes = |name: &Text<'_>, reader: &mut Reader<'_>, _: &mut Vec<Edit>| {
        reader.skip()?;
        let named = names.iter().copied().find(|wanted| *name == **wanted);
        found.extend(named);
        Ok(named.is_some())
    };
    members(text, &mut Reader::new(text), &mut edits, &mut takes).ok()?;
    (!found.is_empty()).then(|| (super::splice(body, &edits), found))
}

/// Walks the members of the object that is next, and notes how to take those out for which `takes` says so. What it notes
/// itself in the others is added in order.
pub(super) fn members<'a>(
    body: &'a str,
    reader: &mut Reader<'a>,
    edits: &mut Vec<Edit>,
    takes: TakeMember<'_, 'a>,
) -> Result<(), Error> {
    let mut items = Vec::new();
    let mut inner = Vec::new();
    reader.object()?;
    loop {
        let before = reader.offset();
        let Some(name) = reader.key()? else { break };
        // Between two members stand a comma and white space.
        let quote = body.get(before..).and_then(|rest| rest.find('"')).unwrap_or(0);
        let taken = takes(&name, reader, &mut inner)?;
        items.push((before + quote..reader.offset(), taken));
    }
    gather(&items, inner, edits);
    Ok(())
}

/// The same for the elements of the array that is next. Says whether anything is left.
pub(super) fn elements<'a>(
    reader: &mut Reader<'a>,
    edits: &mut Vec<Edit>,
    takes: TakeElement<'_, 'a>,
) -> Result<bool, Error> {
    let mut items = Vec::new();
    let mut inner = Vec::new();
    reader.array()?;
    while reader.element()? {
        let start = reader.value_offset();
        let taken = takes(reader, &mut inner)?;
        items.push((start..reader.offset(), taken));
    }
    gather(&items, inner, edits);
    Ok(items.iter().any(|(_, taken)| !taken))
}

/// Whoever has a neighbour before that stays goes with the comma before it, else with the one behind.
fn gather(items: &[(Range<usize>, bool)], inner: Vec<Edit>, edits: &mut Vec<Edit>) {
    let from = edits.len();
    edits.extend(inner);
    let mut kept = false;
    let mut previous = None;
    let mut rest = items.iter().peekable();
    while let Some((span, taken)) = rest.next() {
        if *taken {
            let span = match (previous, rest.peek()) {
                (Some(end), _) if kept => end..span.end,
                (_, Some((next, _))) => span.start..next.start,
                _ => span.clone(),
            };
            edits.push(Edit { span, with: Vec::new() });
        }
        kept |= !taken;
        previous = Some(span.end);
    }
    if let Some(own) = edits.get_mut(from..) {
        own.sort_by_key(|edit| edit.span.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::splice;

    fn without(body: &str, gone: &[&str]) -> String {
        let mut edits = Vec::new();
        let mut takes = |name: &Text<'_>, reader: &mut Reader<'_>, _: &mut Vec<Edit>| {
            reader.skip()?;
            Ok(gone.iter().any(|gone| *name == *gone))
        };
        members(body, &mut Reader::new(body), &mut edits, &mut takes).unwrap();
        String::from_utf8(splice(body.as_bytes(), &edits)).unwrap()
    }

    #[test]
    fn a_comma_goes_with_what_is_taken() {
        let body = r#"{ "a": 1 , "b":[",\"b\""],"c" :{} }"#;
        assert_eq!(without(body, &["a"]), r#"{ "b":[",\"b\""],"c" :{} }"#);
        assert_eq!(without(body, &["b"]), r#"{ "a": 1,"c" :{} }"#);
        assert_eq!(without(body, &["c"]), r#"{ "a": 1 , "b":[",\"b\""] }"#);
        assert_eq!(without(body, &["a", "b"]), r#"{ "c" :{} }"#);
        assert_eq!(without(body, &["b", "c"]), r#"{ "a": 1 }"#);
        assert_eq!(without(body, &["a", "c"]), r#"{ "b":[",\"b\""] }"#);
        assert_eq!(without(body, &["a", "b", "c"]), r#"{  }"#);
        assert_eq!(without(body, &[]), body);
    }

    #[test]
    fn members_are_taken_out_by_name() {
        let body = br#"{"a":{"b":1},"b":[2] ,"c":3}"#;
        let (left, found) = take_out(body, &["b", "d"]).unwrap();
        assert_eq!((left.as_slice(), found), (br#"{"a":{"b":1} ,"c":3}"#.as_slice(), vec!["b"]));
        assert_eq!(take_out(body, &["d"]), None);
        assert_eq!(take_out(b"[]", &["a"]), None);
    }

    #[test]
    fn elements_say_whether_any_is_left() {
        let body = "[1, 2 ,3]";
        for (gone, left, rest) in [("1", true, "[2 ,3]"), ("23", true, "[1]"), ("123", false, "[]")] {
            let mut edits = Vec::new();
            let mut takes = |reader: &mut Reader<'_>, _: &mut Vec<Edit>| Ok(gone.contains(reader.raw()?));
            assert_eq!(elements(&mut Reader::new(body), &mut edits, &mut takes), Ok(left));
            assert_eq!(splice(body.as_bytes(), &edits), rest.as_bytes());
        }
    }
}
