//! Writes messages of the binary event stream, `application/vnd.amazon.eventstream`.
//!
//! Spec: <https://smithy.io/2.0/aws/amazon-eventstream.html>. Invariant: lengths and both checksums are right, unless a
//! script wants them wrong.

use bytes::{BufMut, Bytes, BytesMut};

/// A header's value is a text.
const TEXT: u8 = 7;
/// Prelude, its checksum, and the message's checksum.
const AROUND: usize = 16;

/// One message with these headers.
pub(crate) fn encode(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut head = BytesMut::new();
    for (name, value) in headers {
        head.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
        head.put(name.as_bytes());
        head.put_u8(TEXT);
        head.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
        head.put(value.as_bytes());
    }
    let mut out = BytesMut::with_capacity(AROUND + head.len() + payload.len());
    out.put_u32(length(AROUND + head.len() + payload.len()));
    out.put_u32(length(head.len()));
    out.put_u32(crc32fast::hash(&out));
    out.put(head);
    out.put(payload);
    out.put_u32(crc32fast::hash(&out));
    out.freeze()
}

/// The same message with a checksum that does not fit.
pub(crate) fn corrupt(message: &Bytes) -> Bytes {
    let mut out = BytesMut::from(message.as_ref());
    if let Some(last) = out.last_mut() {
        *last ^= 0xff;
    }
    out.freeze()
}

/// No reply is longer than its length's field can say.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use bytes::Buf;
    use std::collections::BTreeMap;

    /// Reads one message off the front; nothing if it is not whole or a checksum is wrong.
    pub(crate) fn decode(stream: &mut Bytes) -> Option<(BTreeMap<String, String>, Bytes)> {
        let total = stream.get(..4).map(|mut bytes| bytes.get_u32() as usize)?;
        if stream.len() < total {
            return None;
        }
        let whole = stream.split_to(total);
        let (mut message, checksum) = (whole.slice(..total - 4), whole.slice(total - 4..).get_u32());
        let prelude = crc32fast::hash(&message[..8]);
        if checksum != crc32fast::hash(&message) {
            return None;
        }
        let headers_length = message.slice(4..8).get_u32() as usize;
        if message.slice(8..12).get_u32() != prelude {
            return None;
        }
        let payload = message.split_off(12 + headers_length);
        let mut rest = message.split_off(12);
        let mut headers = BTreeMap::new();
        while rest.has_remaining() {
            let length = usize::from(rest.get_u8());
            let name = rest.split_to(length);
            assert_eq!(rest.get_u8(), TEXT);
            let length = usize::from(rest.get_u16());
            let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
            headers.insert(text(name), text(rest.split_to(length)));
        }
        Some((headers, payload))
    }

    #[test]
    fn a_message_is_laid_out_as_specified() {
        let message = encode(&[(":event-type", "a")], b"{}");
        let head = b"\x0b:event-type\x07\x00\x01a";
        assert_eq!(message.len(), 12 + head.len() + 2 + 4);
        assert_eq!(&message[..8], [0, 0, 0, 34, 0, 0, 0, 16]);
        assert_eq!(&message[12..28], head);
        let (headers, payload) = decode(&mut message.clone()).unwrap();
        assert_eq!((headers[":event-type"].as_str(), payload.as_ref()), ("a", b"{}".as_slice()));
        assert_eq!(decode(&mut corrupt(&message)), None);
    }

    #[test]
    fn the_checksum_is_the_one_of_the_specification() {
        // An empty message: no headers, no payload; the two checksums are known.
        let empty = encode(&[], b"");
        assert_eq!(&empty[..], b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff");
    }
}
