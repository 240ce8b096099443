//! The published test suite of signature version 4, and requests of Bedrock's as the official SDK for Python signs them.

use super::*;

/// 2015-08-30T12:36:00Z
const TIME: u64 = 1_440_938_160;
const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

fn credentials(region: &str, service: &str, session_token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: session_token.map(str::to_owned),
        region: region.to_owned(),
        service: service.to_owned(),
    }
}

fn find(made: &[(&str, String)], wanted: &str) -> Option<String> {
    made.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone())
}

/// One of the suite: host, region, service and time are its own.
fn suite(method: &str, query: &str, headers: &[(&str, &str)], body: &str, token: Option<&str>) -> String {
    let (authority, body) = ("example.amazonaws.com", body.as_bytes());
    let request = Signed { method, authority, path: "/", query, headers, body };
    let made = sign(&request, &credentials("us-east-1", "service", token), TIME);
    assert_eq!(find(&made, "x-amz-date").as_deref(), Some("20150830T123600Z"));
    assert_eq!(find(&made, "x-amz-security-token").as_deref(), token);
    find(&made, "authorization").unwrap()
}

fn expected(names: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders={names}, Signature={signature}"
    )
}

#[test]
fn get_vanilla() {
    let wanted =
        expected("host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    assert_eq!(suite("GET", "", &[], "", None), wanted);
}

#[test]
fn get_vanilla_query_order_key_case() {
    let wanted =
        expected("host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    assert_eq!(suite("GET", "Param2=value2&Param1=value1", &[], "", None), wanted);
}

#[test]
fn get_header_value_trim() {
    let headers = [("my-header1", " value1"), ("my-header2", " \"a   b   c\"")];
    let names = "host;my-header1;my-header2;x-amz-date";
    let wanted = expected(names, "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
    assert_eq!(suite("GET", "", &headers, "", None), wanted);
}

#[test]
fn post_vanilla() {
    let wanted =
        expected("host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    assert_eq!(suite("POST", "", &[], "", None), wanted);
}

#[test]
fn post_x_www_form_urlencoded() {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let wanted = expected(
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    );
    assert_eq!(suite("POST", "", &headers, "Param1=value1", None), wanted);
}

#[test]
fn post_sts_header_before() {
    let wanted = expected(
        "host;x-amz-date;x-amz-security-token",
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    );
    assert_eq!(suite("POST", "", &[], "", Some(TOKEN)), wanted);
}

#[test]
fn bedrock_paths_are_encoded_twice() {
    let headers = [("content-type", "application/json")];
    let signature = |region: &str, path: &str, body: &str, token: Option<&str>| {
        let authority = format!("bedrock-runtime.{region}.amazonaws.com");
        let request = Signed {
            method: "POST",
            authority: &authority,
            path,
            query: "",
            headers: &headers,
            body: body.as_bytes(),
        };
        let made = sign(&request, &credentials(region, "bedrock", token), TIME);
        find(&made, "authorization").unwrap().rsplit('=').next().unwrap().to_owned()
    };
    assert_eq!(
        signature(
            "us-east-1",
            "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
            r#"{"messages":[]}"#,
            None
        ),
        "7415b2c1e839b363c983fcf2b2b9777726647dd92df0cc0ce218cffeeb8932c8"
    );
    assert_eq!(
        signature(
            "eu-central-1",
            "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse-stream",
            "{}",
            Some("TOKEN")
        ),
        "7dca2fb4ea3c6d01df114ecffe007cbaf9d233a4852a0e4a95d23298d96579d0"
    );
}

#[test]
fn debug_output_holds_no_secret() {
    let shown = format!("{:?}", credentials("us-east-1", "bedrock", Some("TOKEN")));
    assert!(!shown.contains("wJalr") && !shown.contains("TOKEN"), "{shown}");
}
