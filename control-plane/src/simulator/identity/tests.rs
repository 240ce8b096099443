use super::token::{Issuer, Standing, standing};
use super::*;
use crate::simulator::answer::Content;
use crate::simulator::catalog::Catalog;
use crate::simulator::turn::Bias;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Method};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

const NOW: u64 = 1_800_000_000;
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ENTRA: &str = "/11111111-2222-4333-8444-555555555555/oauth2/v2.0/token";

fn send(path: &str, fields: &[(&str, &str)], credential: Option<&str>, lifetime: Option<u64>) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    headers.insert("host", "127.0.0.1:1".parse().unwrap());
    let catalog = Catalog::of(&[]);
    Identity.answer(&Call {
        method: &Method::POST,
        path,
        query: "",
        headers: &headers,
        body: body.as_bytes(),
        catalog: &catalog,
        credential,
        bias: Bias { lifetime, ..Bias::default() },
        now: NOW,
    })
}

/// An assertion by the simulated service account.
fn assertion(claims: &Value) -> String {
    let file: Value = serde_json::from_str(include_str!("service_account.json")).unwrap();
    let pem = file["private_key"].as_str().unwrap();
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "RS256", "typ": "JWT"})), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn claims() -> Value {
    json!({
        "iss": "sluice@simulated-project.iam.gserviceaccount.com", "aud": "http://127.0.0.1:1/token", "iat": NOW,
        "exp": NOW + 3600, "scope": "https://www.googleapis.com/auth/cloud-platform",
    })
}

fn document(answer: &Answer) -> &Value {
    match &answer.content {
        Content::Json(document) => document,
        Content::Stream(_) => panic!("a stream"),
    }
}

#[test]
fn a_service_account_gets_a_token() {
    let fields = [("grant_type", GRANT), ("assertion", &assertion(&claims()))];
    let answer = send("/token", &fields, None, None);
    let reply = document(&answer);
    assert_eq!((&reply["expires_in"], &reply["token_type"]), (&json!(3599), &json!("Bearer")), "{reply}");
    let token = reply["access_token"].as_str().unwrap();
    let scope = "https://www.googleapis.com/auth/cloud-platform".to_owned();
    assert_eq!(standing(Issuer::Google, token, NOW + 3598), Standing::Valid(scope));
    assert_eq!(standing(Issuer::Google, token, NOW + 3599), Standing::Expired);
    let short = send("/token", &fields, None, Some(2));
    assert_eq!(document(&short)["expires_in"], 2);
}

#[test]
fn assertions_are_verified() {
    let changed = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        assertion(&claims)
    };
    let good = assertion(&claims());
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let forged = format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(json!({"iss": "x"}).to_string()));
    let cases = [
        (forged, "invalid_grant", "Invalid JWT Signature."),
        ("a.b".to_owned(), "invalid_grant", "Invalid JWT"),
        (changed("iss", json!("other@x")), "invalid_grant", "account not found"),
        (changed("aud", json!("https://elsewhere")), "invalid_grant", "audience"),
        (changed("exp", json!(NOW + 3601)), "invalid_grant", "short-lived token"),
        (changed("iat", json!(NOW + 301)), "invalid_grant", "short-lived token"),
        (changed("scope", json!("")), "invalid_scope", "Invalid OAuth scope"),
    ];
    for (assertion, error, words) in &cases {
        let answer = send("/token", &[("grant_type", GRANT), ("assertion", assertion)], None, None);
        let reply = document(&answer);
        assert_eq!((answer.status, reply["error"].as_str()), (400, Some(*error)), "{reply}");
        assert!(reply["error_description"].as_str().unwrap().contains(words), "{reply}");
    }
    let other = send("/token", &[("grant_type", "password")], None, None);
    assert_eq!(document(&other)["error"], "unsupported_grant_type");
}

fn entra(changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", "66666666-7777-4888-8999-aaaaaaaaaaaa"),
        ("client_secret", "simulated~client.secret"),
        ("scope", "https://cognitiveservices.azure.com/.default"),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    send(ENTRA, &fields, None, None)
}

#[test]
fn an_application_gets_a_token() {
    let answer = entra(&[]);
    let reply = document(&answer);
    assert_eq!((&reply["token_type"], &reply["ext_expires_in"]), (&json!("Bearer"), &json!(3599)), "{reply}");
    let token = reply["access_token"].as_str().unwrap();
    let audience = "https://cognitiveservices.azure.com".to_owned();
    assert_eq!(standing(Issuer::Entra, token, NOW), Standing::Valid(audience));
    assert_eq!(standing(Issuer::Google, token, NOW), Standing::Unknown);
}

#[test]
fn applications_are_verified() {
    for (change, status, error, number) in [
        (("grant_type", ""), 400, "invalid_request", 900_144),
        (("grant_type", "password"), 400, "unsupported_grant_type", 70_003),
        (("client_id", "other"), 400, "unauthorized_client", 700_016),
        (("client_secret", "other"), 401, "invalid_client", 7_000_215),
        (("scope", "https://cognitiveservices.azure.com"), 400, "invalid_scope", 1_002_012),
    ] {
        let answer = entra(&[change]);
        let reply = document(&answer);
        assert_eq!((answer.status, reply["error"].as_str()), (status, Some(error)), "{reply}");
        assert_eq!(reply["error_codes"], json!([number]));
        let said = reply["error_description"].as_str().unwrap();
        assert!(said.starts_with(&format!("AADSTS{number}: ")) && said.contains("Trace ID: "), "{said}");
        assert_eq!(reply["timestamp"], "2027-01-15 08:00:00Z");
    }
    let elsewhere = send(
        "/other/oauth2/v2.0/token",
        &[("grant_type", "client_credentials"), ("client_id", "a")],
        None,
        None,
    );
    assert_eq!(document(&elsewhere)["error_codes"], json!([90_002]));
}

#[test]
fn whom_it_knows_can_be_told() {
    let key = include_str!("service_account.pub.pem");
    let known = json!({
        "google": {"client_email": "me@x", "public_key": key}, "entra": {"tenant": "t", "client_id": "c", "client_secret": "s"},
    })
    .to_string();
    assert!(Identity.takes(&known) && Identity.takes("{}"));
    assert!(
        !Identity.takes("secret")
            && !Identity.takes(r#"{"google": {"client_email": "a", "public_key": "b"}}"#)
    );
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "c"),
        ("client_secret", "s"),
        ("scope", "api://x/.default"),
    ];
    assert_eq!(send("/t/oauth2/v2.0/token", &fields, Some(&known), None).status, 200);
    let mut mine = claims();
    mine["iss"] = json!("me@x");
    let fields = [("grant_type", GRANT), ("assertion", &assertion(&mine))];
    assert_eq!(send("/token", &fields, Some(&known), None).status, 200);
}

#[test]
fn scripted_failures_are_in_each_ones_words() {
    let at = |path| Site { path, query: "" };
    assert_eq!(Identity.error(at("/token"), 400, None)["error"], "invalid_grant");
    assert_eq!(Identity.error(at("/token"), 503, None)["error"], "internal_failure");
    assert_eq!(Identity.error(at(ENTRA), 429, None)["error_codes"], json!([90_055]));
    assert_eq!(Identity.error(at(ENTRA), 401, Some("AADSTS7000222"))["error_codes"], json!([7_000_222]));
}
