//! Binary event streams from sources that can be read: a line is `{"<event>":<payload>}`; what is named `…Exception` is
//! one. `{"cut":3}` takes the last three bytes off, `{"flip":3}` changes the last but two.

use sluice::wire::eventstream::{Value, encode};
use sluice::wire::json::{Error, Reader};

/// The bytes of a source.
pub(crate) fn build(source: &str) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for line in source.lines().filter(|line| !line.trim().is_empty()) {
        let mut reader = Reader::new(line);
        reader.object()?;
        while let Some(name) = reader.key()? {
            let payload = reader.raw()?;
            let back = || payload.parse().unwrap_or(usize::MAX).min(out.len());
            match &*name.plain() {
                "cut" => out.truncate(out.len() - back()),
                "flip" => {
                    let at = out.len() - back();
                    out.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1);
                }
                name => message(name, payload, &mut out),
            }
        }
        reader.end()?;
    }
    Ok(out)
}

fn message(name: &str, payload: &str, out: &mut Vec<u8>) {
    let (kind, member) =
        if name.ends_with("Exception") { ("exception", ":exception-type") } else { ("event", ":event-type") };
    let headers = [
        (member, Value::Text(name)),
        (":content-type", Value::Text("application/json")),
        (":message-type", Value::Text(kind)),
    ];
    // A name that is too long for a header is no message.
    let _ = encode(&headers, payload.as_bytes(), out);
}
