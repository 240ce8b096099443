//! Changes of a JSON body as spans, and their application.
//!
//! Invariant: an edit names a whole value, member or element, never a comma. Commas are settled when all edits are known, so
//! edits of neighbours cannot meet: what is applied to a JSON document gives one.

use std::cmp::Reverse;
use std::iter::Peekable;
use std::ops::Range;

/// One change of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    span: Range<usize>,
    change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Replace(Vec<u8>),
    /// With the comma that goes with it.
    Remove,
    /// With a comma where something stands before it.
    Append(Vec<u8>),
}

impl Edit {
    /// Puts something in a value's or a whole member's place.
    #[must_use]
    pub fn replace(span: Range<usize>, with: impl Into<Vec<u8>>) -> Self {
        Self { span, change: Change::Replace(with.into()) }
    }

    /// Takes out a whole member (from its name to its value's end) or element.
    #[must_use]
    pub const fn remove(span: Range<usize>) -> Self {
        Self { span, change: Change::Remove }
    }

    /// Adds a member behind the last one of the object whose closing brace is at `end`.
    #[must_use]
    pub fn append(end: usize, member: impl Into<Vec<u8>>) -> Self {
        Self { span: end..end, change: Change::Append(member.into()) }
    }
}

/// Where a member stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// From its name to its value's end.
    pub whole: Range<usize>,
    /// Its value.
    pub value: Range<usize>,
}

/// Applies edits, which may come in any order; what lies inside of another is part of that. Bytes outside of them stay as
/// they are, but for the commas of what was taken out and the white space beside those.
#[must_use]
pub fn splice(body: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, Reverse(edit.span.end)));
    let grown = edits.iter().map(|edit| match &edit.change {
        Change::Replace(with) | Change::Append(with) => with.len() + 1,
        Change::Remove => 0,
    });
    let mut out = Vec::with_capacity(body.len() + grown.sum::<usize>());
    let mut at = 0;
    let mut rest = sorted.into_iter().peekable();
    while let Some(edit) = rest.next() {
        let span = &edit.span;
        if span.start < at {
            continue;
        }
        let kept = between(body, at, span.start);
        at = span.end;
        match &edit.change {
            Change::Replace(with) => {
                out.extend_from_slice(kept);
                out.extend_from_slice(with);
            }
            Change::Append(member) => {
                out.extend_from_slice(kept);
                if !matches!(out.trim_ascii_end().last(), Some(b'{') | None) {
                    out.push(b',');
                }
                out.extend_from_slice(member);
            }
            Change::Remove => {
                let end = run(body, span.end, &mut rest);
                // With the comma before it, or else with the one behind.
                if let Some(before) = kept.trim_ascii_end().strip_suffix(b",") {
                    out.extend_from_slice(before.trim_ascii_end());
                    at = end;
                } else {
                    out.extend_from_slice(kept);
                    at = comma(body, end).map_or(end, |comma| comma + blank(body, comma));
                }
            }
        }
    }
    out.extend_from_slice(body.get(at..).unwrap_or_default());
    out
}

/// Where what is taken out together ends, of which the first ends at `end`: nothing stays between neighbours.
fn run<'e>(body: &[u8], mut end: usize, rest: &mut Peekable<impl Iterator<Item = &'e Edit>>) -> usize {
    let mut inside_or_next = |edit: &&Edit| {
        let next = &edit.span;
        let joined = edit.change == Change::Remove
            && comma(body, end).is_some_and(|comma| comma + blank(body, comma) == next.start);
        if joined {
            end = next.end;
        }
        joined || next.start < end
    };
    while rest.next_if(&mut inside_or_next).is_some() {}
    end
}

/// The offset behind the comma that follows at `from`, if one does.
fn comma(body: &[u8], from: usize) -> Option<usize> {
    let at = from + blank(body, from);
    (body.get(at) == Some(&b',')).then_some(at + 1)
}

/// How much white space is at `from`.
fn blank(body: &[u8], from: usize) -> usize {
    let rest = body.get(from..).unwrap_or_default();
    rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn between(body: &[u8], from: usize, to: usize) -> &[u8] {
    body.get(from..to).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{ "a": 1 , "b":[",\"b\"" , 2 ],"c" :{} }"#;

    fn span(of: &str) -> Range<usize> {
        let start = BODY.find(of).unwrap();
        start..start + of.len()
    }

    fn spliced(edits: &[Edit]) -> String {
        String::from_utf8(splice(BODY.as_bytes(), edits)).unwrap()
    }

    #[test]
    fn a_comma_goes_with_what_is_taken_out() {
        let [a, b, c] =
            [r#""a": 1"#, r#""b":[",\"b\"" , 2 ]"#, r#""c" :{}"#].map(|of| Edit::remove(span(of)));
        for (edits, left) in [
            (vec![&a], r#"{ "b":[",\"b\"" , 2 ],"c" :{} }"#),
            (vec![&b], r#"{ "a": 1,"c" :{} }"#),
            (vec![&c], r#"{ "a": 1 , "b":[",\"b\"" , 2 ] }"#),
            (vec![&b, &a], r#"{ "c" :{} }"#),
            (vec![&b, &c], r#"{ "a": 1 }"#),
            (vec![&c, &a], r#"{ "b":[",\"b\"" , 2 ] }"#),
            (vec![&a, &c, &b], r#"{  }"#),
            (vec![], BODY),
        ] {
            let edits: Vec<Edit> = edits.into_iter().cloned().collect();
            assert_eq!(spliced(&edits), left);
        }
    }

    #[test]
    fn what_is_appended_has_a_comma_where_it_needs_one() {
        let end = BODY.len() - 1;
        let append = |name: &str| Edit::append(end, format!("\"{name}\":0"));
        let all = [r#""a": 1"#, r#""b":[",\"b\"" , 2 ]"#, r#""c" :{}"#].map(|of| Edit::remove(span(of)));
        assert_eq!(spliced(&[append("x"), all[0].clone()]), r#"{ "b":[",\"b\"" , 2 ],"c" :{} ,"x":0}"#);
        let mut edits = all.to_vec();
        edits.extend([append("x"), append("y")]);
        assert_eq!(spliced(&edits), r#"{  "x":0,"y":0}"#);
    }

    #[test]
    fn what_lies_inside_of_another_edit_is_part_of_it() {
        let (text, two) = (Edit::remove(span(r#"",\"b\"""#)), Edit::remove(span("2")));
        assert_eq!(spliced(&[two.clone(), text.clone()]), r#"{ "a": 1 , "b":[ ],"c" :{} }"#);
        let list = span(r#"[",\"b\"" , 2 ]"#);
        let replaced = [text.clone(), two.clone(), Edit::replace(list, "[]")];
        assert_eq!(spliced(&replaced), r#"{ "a": 1 , "b":[],"c" :{} }"#);
        let member = Edit::remove(span(r#""b":[",\"b\"" , 2 ]"#));
        let c = Edit::remove(span(r#""c" :{}"#));
        assert_eq!(spliced(&[two, text, c, member]), r#"{ "a": 1 }"#);
    }
}
