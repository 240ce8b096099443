//! How long Google asks to wait: `google.rpc.RetryInfo` among an error's details. Google sends no `Retry-After`.
//! <https://cloud.google.com/apis/design/errors#error_details>
//!
//! Invariant: what is no duration of protobuf's JSON is no wait.

use crate::dialect::members::{Members, Value};
use crate::wire::json::{Error, Reader};

/// Milliseconds to wait, if an error's body says so.
pub(super) fn after_ms(body: &[u8]) -> Option<u64> {
    // Few errors ask for it: the others are not parsed once more.
    memchr::memmem::find(body, b"retryDelay")?;
    let text = std::str::from_utf8(body).ok()?;
    delay(text).ok().flatten()
}

fn delay(text: &str) -> Result<Option<u64>, Error> {
    let mut reader = Reader::new(text.trim());
    if text.trim().starts_with('[') {
        reader.array()?;
        reader.element()?;
    }
    let Some(mut error) = Members::read(&mut reader)?.take_members("error") else { return Ok(None) };
    let Some(Value::Raw(details)) = error.take("details") else { return Ok(None) };
    let mut details = Reader::new(details);
    details.array()?;
    while details.element()? {
        let delay = Members::read(&mut details)?.take_if_text("retryDelay");
        if let Some(delay) = delay.and_then(|delay| milliseconds(&delay.plain())) {
            return Ok(Some(delay));
        }
    }
    Ok(None)
}

/// `32s`, `1.5s`, `0.000000001s`; a fraction of a millisecond is rounded up.
fn milliseconds(duration: &str) -> Option<u64> {
    let (whole, part) = duration.strip_suffix('s').map(|text| text.split_once('.').unwrap_or((text, "")))?;
    let nanos: u64 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(nanos.div_ceil(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_protobuf_writes_them() {
        for (text, wanted) in [
            ("32s", Some(32_000)),
            ("1.5s", Some(1_500)),
            ("0.000000001s", Some(1)),
            ("0s", Some(0)),
            ("32", None),
            ("-1s", None),
            ("s", None),
            ("1.xs", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(milliseconds(text), wanted, "{text}");
        }
    }

    #[test]
    fn the_wait_stands_among_the_details() {
        let error =
            |details: &str| format!(r#"{{"error":{{"code":429,"message":"m","details":{details}}}}}"#);
        let asks = error(
            r#"[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"32s"}]"#,
        );
        assert_eq!(after_ms(asks.as_bytes()), Some(32_000));
        assert_eq!(after_ms(format!("[{asks}]").as_bytes()), Some(32_000));
        for other in [
            error("[]"),
            error(r#"[{"retryDelay":7}]"#),
            error(r#"{"retryDelay":"1s"}"#),
            "retryDelay".to_owned(),
        ] {
            assert_eq!(after_ms(other.as_bytes()), None, "{other}");
        }
    }
}
