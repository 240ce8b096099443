use super::*;
use proptest::prelude::*;

/// A message as a test keeps it.
type Owned = (Vec<(String, String)>, Vec<u8>);

fn split(chunks: &[&[u8]]) -> (Vec<Owned>, Result<(), Error>, bool) {
    let mut splitter = Splitter::default();
    let mut out = Vec::new();
    let result = chunks.iter().try_for_each(|chunk| {
        splitter.push(chunk, |message| {
            let headers =
                message.headers.iter().map(|(name, value)| ((*name).to_owned(), format!("{value:?}")));
            out.push((headers.collect(), message.payload.to_vec()));
        })
    });
    (out, result, splitter.is_between())
}

fn message(headers: &[(&str, Value<'_>)], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(headers, payload, &mut out).unwrap();
    out
}

#[test]
fn bytes_are_as_the_reference_implementation_has_them() {
    // The empty message, and one with an integer header, as in AWS's own test vectors.
    assert_eq!(message(&[], b""), b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff");
    let wanted = b"\x00\x00\x00\x2d\x00\x00\x00\x10\x41\xc4\x24\xb8\nevent-type\x04\x00\x00\xa0\x0c{'foo':'bar'}\x36\xf4\x80\xa0";
    assert_eq!(message(&[("event-type", Value::Integer(40_972))], b"{'foo':'bar'}"), wanted);
}

#[test]
fn every_cut_gives_the_same_messages() {
    let mut stream = message(&[(":event-type", Value::Text("messageStart"))], br#"{"role":"assistant"}"#);
    stream.extend(message(&[], b""));
    stream.extend(message(&[("b", Value::Bool(true)), ("u", Value::Uuid([7; 16]))], "é".as_bytes()));
    let whole = split(&[&stream]);
    assert_eq!((whole.0.len(), whole.1, whole.2), (3, Ok(()), true));
    for at in 0..=stream.len() {
        let (left, right) = stream.split_at(at);
        assert_eq!(split(&[left, right]), whole, "split at {at}");
    }
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(split(&single), whole);
}

#[test]
fn a_cut_message_is_noticed() {
    let stream = message(&[], b"payload");
    let (messages, result, between) = split(&[&stream[..stream.len() - 1]]);
    assert_eq!((messages.len(), result, between), (0, Ok(()), false));
}

#[test]
fn damage_is_named() {
    let good = message(&[("h", Value::Text("v"))], b"payload");
    for (at, expected) in [
        (0, Error::PreludeChecksum),
        (8, Error::PreludeChecksum),
        (13, Error::Checksum),
        (20, Error::Checksum),
    ] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(split(&[&bad]).1, Err(expected), "byte {at}");
        let single: Vec<&[u8]> = bad.chunks(1).collect();
        assert_eq!(split(&single).1, Err(expected), "byte {at}, byte by byte");
    }
    assert_eq!(split(&[b"{\"message\":\"not a stream\"}"]).1, Err(Error::PreludeChecksum));
}

/// A message whose checksums are right and whose lengths are as told.
fn forged(total: u32, headers: u32, content: &[u8]) -> Vec<u8> {
    let mut out = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out.extend(content);
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

#[test]
fn impossible_lengths_are_refused_before_anything_is_held() {
    for (total, headers) in
        [(0, 0), (15, 0), (16, 1), (20, 5), (u32::MAX, 0), (25 << 20, 0), (1 << 20, 129 << 10)]
    {
        assert_eq!(split(&[&forged(total, headers, b"")]).1, Err(Error::Length), "{total}, {headers}");
    }
}

#[test]
fn malformed_headers_are_refused() {
    for block in [
        &b"\x05ab"[..],
        b"\x01a",
        b"\x01a\x0a",
        b"\x01a\x07\x00\x09x",
        b"\x01a\x07\x00\x01\xff",
        b"\x01\xff\x00",
    ] {
        let length = u32::try_from(block.len()).unwrap();
        assert_eq!(split(&[&forged(16 + length, length, block)]).1, Err(Error::Headers), "{block:?}");
    }
}

#[test]
fn what_cannot_be_told_is_not_encoded() {
    let mut out = Vec::new();
    let (name, value) = ("n".repeat(256), "v".repeat(65_536));
    assert_eq!(encode(&[(&name, Value::Bool(true))], b"", &mut out), None);
    assert_eq!(encode(&[("n", Value::Text(&value))], b"", &mut out), None);
    assert!(out.is_empty());
}

fn value() -> impl Strategy<Value = (u8, i64, Vec<u8>)> {
    (0u8..10, any::<i64>(), prop::collection::vec(any::<u8>(), 0..20))
}

/// A value of every type, from the same raw material.
fn typed<'a>(kind: u8, number: i64, bytes: &'a [u8], text: &'a str) -> Value<'a> {
    let [.., byte] = number.to_be_bytes();
    match kind {
        0 => Value::Bool(true),
        1 => Value::Bool(false),
        2 => Value::Byte(i8::from_be_bytes([byte])),
        3 => Value::Short(i16::from(byte)),
        4 => Value::Integer(i32::from(byte) - 128),
        5 => Value::Long(number),
        6 => Value::Bytes(bytes),
        7 => Value::Text(text),
        8 => Value::Timestamp(number),
        _ => Value::Uuid([byte; 16]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_read_back(
        material in prop::collection::vec(("[a-z:-]{0,12}", value()), 0..6),
        payload in prop::collection::vec(any::<u8>(), 0..200),
        cut in 0usize..300,
    ) {
        let texts: Vec<String> =
            material.iter().map(|(_, (_, _, bytes))| String::from_utf8_lossy(bytes).into_owned()).collect();
        let headers: Vec<(&str, Value<'_>)> = material
            .iter()
            .zip(&texts)
            .map(|((name, (kind, number, bytes)), text)| (name.as_str(), typed(*kind, *number, bytes, text)))
            .collect();
        let stream = message(&headers, &payload);
        let mut splitter = Splitter::default();
        let mut seen = 0;
        let (left, right) = stream.split_at(cut.min(stream.len()));
        for chunk in [left, right] {
            splitter.push(chunk, |found| {
                seen += 1;
                assert_eq!((&found.headers, found.payload), (&headers, payload.as_slice()));
            }).unwrap();
        }
        prop_assert_eq!((seen, splitter.is_between()), (1, true));
    }

    #[test]
    fn arbitrary_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
        let (left, right) = bytes.split_at(cut.min(bytes.len()));
        let ((whole, result, _), (cut, again, _)) = (split(&[&bytes]), split(&[left, right]));
        prop_assert_eq!((whole, result), (cut, again));
    }
}
