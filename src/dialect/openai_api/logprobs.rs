//! Log probabilities, in the form that both dialects give them.

use crate::dialect::value::{array_or_skip, object_or_skip, text_or_skip};
use crate::ir::chat::Logprob;
use crate::wire::json::{Array, Error, Kind, Object, Reader, Text, write_int};
use std::borrow::Cow;

/// Reads a list leniently: what is no log probability is left out.
pub(in crate::dialect) fn decode<'a>(reader: &mut Reader<'a>) -> Result<Vec<Logprob<'a>>, Error> {
    let mut list = Vec::new();
    if array_or_skip(reader)? {
        while reader.element()? {
            if object_or_skip(reader)? {
                list.extend(one(reader)?);
            }
        }
    }
    Ok(list)
}

/// Inside of the object.
fn one<'a>(reader: &mut Reader<'a>) -> Result<Option<Logprob<'a>>, Error> {
    let (mut token, mut logprob, mut top) = (None, None, Vec::new());
    while let Some(key) = reader.key()? {
        match &*key.plain() {
            "token" => token = text_or_skip(reader)?,
            "logprob" if reader.peek()? == Kind::Number => logprob = Some(Cow::Borrowed(reader.number()?)),
            "top_logprobs" => {
                top = decode(reader)?.into_iter().map(|other| (other.token, other.logprob)).collect();
            }
            _ => reader.skip()?,
        }
    }
    Ok(token.zip(logprob).map(|(token, logprob)| Logprob { token, logprob, top }))
}

/// Writes the elements of a list.
pub(in crate::dialect) fn write(list: &mut Array<'_>, logprobs: &[Logprob<'_>]) {
    for logprob in logprobs {
        list.object(|object| {
            candidate(object, &logprob.token, &logprob.logprob);
            object.array("top_logprobs", |top| {
                for (token, logprob) in &logprob.top {
                    top.object(|object| candidate(object, token, logprob));
                }
            });
        });
    }
}

fn candidate(object: &mut Object<'_>, token: &Text<'_>, logprob: &str) {
    object.text("token", token).raw("logprob", logprob).array("bytes", |bytes| {
        for byte in token.plain().bytes() {
            write_int(bytes.element(), u64::from(byte));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let logprob = Logprob {
            token: "é\"".into(),
            logprob: "-0.10000000000000001".into(),
            top: vec![("é\"".into(), "-0.10000000000000001".into()), ("e".into(), "-3".into())],
        };
        let mut out = Vec::new();
        write(&mut Array::new(&mut out), std::slice::from_ref(&logprob));
        let json = String::from_utf8(out).unwrap();
        assert!(json.contains(r#""bytes":[195,169,34]"#), "{json}");
        assert_eq!(decode(&mut Reader::new(&json)), Ok(vec![logprob]));
        assert_eq!(
            decode(&mut Reader::new(r#"[null,{"token":"a"},{"token":1,"logprob":2}]"#)),
            Ok(Vec::new())
        );
    }
}
