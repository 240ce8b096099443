//! Who may send, and how a signature goes wrong.

use super::*;
use crate::simulator::bedrock::sigv4::{ACCESS_KEY, SECRET, SESSION_KEY, SESSION_TOKEN, client};

const NOW: i64 = 1_800_000_000;

/// A request that is signed by the documentation's key pair at that time.
fn signed(at: i64, id: &str, secret: &str, token: Option<&str>) -> Sent<'static> {
    let path = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse";
    let mut sent = Sent::to(path, &json!({"messages": [user("hi")]}))
        .header("host", "bedrock-runtime.us-east-1.amazonaws.com")
        .header("x-amz-date", &client::stamp(at));
    sent.headers.remove("authorization");
    if let Some(token) = token {
        sent = sent.header("x-amz-security-token", token);
    }
    let authorization = sent.with(|call| client::sign(call, id, secret, "us-east-1"));
    sent.header("authorization", &authorization)
}

fn refusal(sent: &Sent<'_>) -> (u16, String, String) {
    let answer = sent.answer();
    (answer.status, exception(&answer).to_owned(), answer.refused.unwrap_or_default())
}

#[test]
fn a_signature_and_a_key_are_taken() {
    assert_eq!(signed(NOW, ACCESS_KEY, SECRET, None).answer().refused, None);
    assert_eq!(signed(NOW - 299, SESSION_KEY, SECRET, Some(SESSION_TOKEN)).answer().refused, None);
    let mut own = signed(NOW, "AKID", "s3cret", None);
    own.credential = Some("AKID:s3cret");
    assert_eq!(own.answer().refused, None);
    let mut session = signed(NOW, "ASID", "s3cret", Some("a:b"));
    session.credential = Some("ASID:s3cret:a:b");
    assert_eq!(session.answer().refused, None);
    let mut key = Sent::to(&format!("/model/{NOVA}/converse"), &json!({"messages": [user("hi")]}));
    key.credential = Some("k");
    assert_eq!(key.answer().refused, None);
    key.credential = Some("other");
    assert_eq!(refusal(&key).1, "AccessDeniedException");
    key.credential = Some("AKID:s3cret");
    assert!(refusal(&key).2.contains("make sure your API Key is valid"));
}

/// Signed by the vendor's SDK for Python, with its clock held at that second.
#[test]
fn the_vendors_own_signature_is_taken() {
    let mut sent = signed(NOW, SESSION_KEY, SECRET, Some(SESSION_TOKEN));
    sent.body = br#"{"messages":[{"content":[{"text":"hi"}],"role":"user"}]}"#.to_vec();
    let authorization = "AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/20270115/us-east-1/bedrock/aws4_request, \
                         SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
                         Signature=300a906930a5de8dca1542d502a56218552443b7649325d45060a4d034d83a21";
    assert_eq!(sent.header("authorization", authorization).answer().refused, None);
}

#[test]
fn a_refusal_tells_what_should_have_been_signed() {
    let mut sent = signed(NOW, ACCESS_KEY, SECRET, None);
    sent.query = "b=2&a=%7E%20&a=1";
    let (status, kind, message) = refusal(&sent);
    assert_eq!((status, kind.as_str()), (403, "InvalidSignatureException"));
    let canonical = "POST\n/model/us.anthropic.claude-sonnet-4-5-20250929-v1%253A0/converse\na=1&a=~%20&b=2\n\
                     content-type:application/json\nhost:bedrock-runtime.us-east-1.amazonaws.com\nx-amz-date:20270115T080000Z\n\n\
                     content-type;host;x-amz-date\n";
    assert!(message.contains(canonical), "{message}");
    assert!(
        message.contains("AWS4-HMAC-SHA256\n20270115T080000Z\n20270115/us-east-1/bedrock/aws4_request\n"),
        "{message}"
    );
}

#[test]
fn what_was_changed_after_signing_is_noticed() {
    type Change = fn(&mut Sent<'static>);
    let cases: [(&str, Change, &str, &str); 9] = [
        (
            "body",
            |sent| sent.body.push(b' '),
            "InvalidSignatureException",
            "does not match the signature you provided",
        ),
        (
            "path",
            |sent| sent.path = sent.path.replace("%3A", ":"),
            "InvalidSignatureException",
            "does not match",
        ),
        ("method", |sent| sent.method = Method::GET, "InvalidSignatureException", "does not match"),
        (
            "host",
            |sent| {
                sent.headers.insert("host", "other".parse().unwrap());
            },
            "InvalidSignatureException",
            "host:other",
        ),
        (
            "unsigned",
            |sent| {
                sent.headers.insert("x-amz-target", "a".parse().unwrap());
            },
            "InvalidSignatureException",
            "'x-amz-target' must be a 'SignedHeader'",
        ),
        (
            "day",
            |sent| {
                sent.headers.insert("x-amz-date", "20270114T080000Z".parse().unwrap());
            },
            "InvalidSignatureException",
            "Date in Credential scope does not match",
        ),
        (
            "token",
            |sent| {
                sent.headers.insert("x-amz-security-token", "x".parse().unwrap());
            },
            "UnrecognizedClientException",
            "security token included in the request is invalid",
        ),
        (
            "nothing",
            |sent| {
                sent.headers.remove("authorization");
            },
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        (
            "no date",
            |sent| {
                sent.headers.remove("x-amz-date");
            },
            "IncompleteSignatureException",
            "X-Amz-Date",
        ),
    ];
    for (name, change, kind, words) in cases {
        let mut sent = signed(NOW, ACCESS_KEY, SECRET, None);
        change(&mut sent);
        let (status, found, message) = refusal(&sent);
        assert_eq!((status, found.as_str()), (403, kind), "{name}: {message}");
        assert!(message.contains(words), "{name}: {message}");
    }
}

#[test]
fn clocks_and_claims_are_checked() {
    let (_, kind, message) = refusal(&signed(NOW - 301, ACCESS_KEY, SECRET, None));
    assert_eq!(kind, "InvalidSignatureException");
    assert_eq!(
        message,
        "Signature expired: 20270115T075459Z is now earlier than 20270115T075500Z (20270115T080000Z - 5 min.)"
    );
    assert!(
        refusal(&signed(NOW + 301, ACCESS_KEY, SECRET, None)).2.starts_with("Signature not yet current: ")
    );
    assert!(refusal(&signed(NOW, ACCESS_KEY, "wrong", None)).2.contains("does not match"));
    assert_eq!(refusal(&signed(NOW, "AKIANOBODY", SECRET, None)).1, "UnrecognizedClientException");
    let claims = [
        ("AWS3 a", "Unsupported AWS 'algorithm': 'AWS3'."),
        ("AWS4-HMAC-SHA256 SignedHeaders=a, Signature=b", "requires 'Credential' parameter"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=a, Signature=b",
            "exactly 5 slash-delimited elements",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20270115/us-east-1/s3/aws4_request, SignedHeaders=a, Signature=b",
            "correct service: 'bedrock'",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/20270115/us-east-1/bedrock/aws5, SignedHeaders=a, Signature=b",
            "valid terminator",
        ),
    ];
    for (authorization, words) in claims {
        let sent = signed(NOW, ACCESS_KEY, SECRET, None).header("authorization", authorization);
        assert!(refusal(&sent).2.contains(words), "{:?}", refusal(&sent));
    }
    let unhosted = format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20270115/us-east-1/bedrock/aws4_request, SignedHeaders=x-amz-date, Signature=b"
    );
    let sent = signed(NOW, ACCESS_KEY, SECRET, None).header("authorization", &unhosted);
    assert!(refusal(&sent).2.starts_with("'Host' or ':authority' must be a 'SignedHeader'"));
}
