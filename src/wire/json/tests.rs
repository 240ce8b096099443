use super::{Error, Kind, MAX_DEPTH, Reader, Text, escape_into};
use proptest::prelude::*;

fn check(text: &str) -> Result<&str, Error> {
    let mut reader = Reader::new(text);
    let raw = reader.raw()?;
    reader.end()?;
    Ok(raw)
}

#[test]
fn accepts_what_the_grammar_accepts() {
    for text in [
        "null",
        " true ",
        "[]",
        "{}",
        "[1,-0,0.5,1e3,1E-7,-12.25e+2]",
        r#"{"a":{"b":[{}]}}"#,
        r#""\u00e9\ud83d\ude00\/""#,
        "12345678901234567890123",
    ] {
        assert_eq!(check(text).unwrap(), text.trim(), "{text}");
    }
}

#[test]
fn refuses_what_the_grammar_refuses() {
    for text in [
        "",
        "nul",
        "tru",
        "[1,]",
        "{\"a\":1,}",
        "{,}",
        "[,1]",
        "01",
        "1.",
        "1e",
        "-",
        "+1",
        ".5",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a",
        "\"a\nb\"",
        "{\"a\" 1}",
        "{a:1}",
        "[1 2]",
        "{} {}",
        "'a'",
        "[1",
        "NaN",
        "\u{feff}{}",
    ] {
        assert!(check(text).is_err(), "{text:?} was accepted");
    }
}

#[test]
fn depth_is_bounded() {
    let fits = "[".repeat(usize::from(MAX_DEPTH)) + &"]".repeat(usize::from(MAX_DEPTH));
    assert!(check(&fits).is_ok());
    assert!(matches!(check(&"[".repeat(1_000_000)), Err(Error::TooDeep { .. })));
    assert!(matches!(check(&"{\"a\":".repeat(1_000_000)), Err(Error::TooDeep { .. })));
}

#[test]
fn integers_are_exact_or_refused() {
    assert_eq!(Reader::new("9007199254740993").integer(), Ok(9_007_199_254_740_993));
    for text in ["1.0", "1e3", "-1", "99999999999999999999999"] {
        assert!(Reader::new(text).integer().is_err(), "{text}");
    }
}

#[test]
fn peek_names_the_kind_without_moving() {
    let mut reader = Reader::new("  [null]");
    assert_eq!(reader.peek(), Ok(Kind::Array));
    assert_eq!(reader.peek(), Ok(Kind::Array));
    assert_eq!(reader.raw(), Ok("[null]"));
}

#[test]
fn escapes_decode_and_unpaired_surrogates_become_replacement() {
    let text = Reader::new(r#""\"\\\/\b\f\n\r\t\u0041\ud83d\ude00\ud800x\udc00""#).string().unwrap();
    assert_eq!(text.plain(), "\"\\/\u{8}\u{c}\n\r\tA😀\u{fffd}x\u{fffd}");
}

#[test]
fn blank_is_white_space_in_any_form() {
    let read = |json| Reader::new(json).string().unwrap();
    for blank in [r#""""#, r#"" ""#, r#""\n \t\r""#, r#""\u0020\u00a0""#, "\"\u{2003}\""] {
        assert!(read(blank).is_blank(), "{blank}");
        assert!(read(blank).into_owned().is_blank(), "{blank}");
    }
    for text in [r#"" .""#, r#""\n\\""#, r#""\u0041""#, r#""\ud83d\ude00""#, r#""\nx""#] {
        assert!(!read(text).is_blank(), "{text}");
        assert!(!read(text).into_owned().is_blank(), "{text}");
    }
}

#[test]
fn an_escaped_string_is_written_as_it_was_read() {
    let source = r#""a\u00e9\/b""#;
    let mut out = Vec::new();
    Reader::new(source).string().unwrap().write(&mut out);
    assert_eq!(out, source.as_bytes());
}

#[test]
fn a_split_text_keeps_its_form() {
    let source = r#""data:image\/png;base64,AA\/B""#;
    let text = Reader::new(source).string().unwrap();
    let (left, right) = text.split_once(',').unwrap();
    assert_eq!(left.plain(), "data:image/png;base64");
    let mut out = Vec::new();
    right.write(&mut out);
    assert_eq!(out, br#""AA\/B""#);
    assert!(text.split_once('#').is_none());
}

proptest! {
    #[test]
    fn any_text_round_trips(text in any::<String>()) {
        let mut out = Vec::new();
        Text::from(text.as_str()).write(&mut out);
        let json = String::from_utf8(out).unwrap();
        prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text.clone());
        prop_assert_eq!(Reader::new(&json).string().unwrap().plain(), text);
    }

    #[test]
    fn agrees_with_serde_on_arbitrary_input(text in r#"[\[\]{}:,"\\/a-u0-9.eE+\- \n\x00\x1f]{0,40}"#) {
        let ours = check(&text).is_ok();
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        // RawValue does not check that surrogates pair up, nor do we.
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn escaping_never_leaves_a_control_byte(text in any::<String>()) {
        let mut out = Vec::new();
        escape_into(&text, &mut out);
        prop_assert!(out.iter().all(|byte| *byte >= 0x20));
    }
}
