//! The vendors' token endpoints, simulated, and a whole control plane on them.

use super::*;
use crate::simulator::identity::token::{Issuer, Standing, standing};
use crate::test_app::TestApp;

/// A simulator, and what its token endpoints know.
struct Lab {
    running: simulator::Running,
    http: reqwest::Client,
    url: String,
}

impl Lab {
    async fn start() -> Self {
        let running = simulator::start(Options::default()).await.unwrap();
        let url = running.base_url("identity").unwrap();
        Self { running, http: reqwest::Client::builder().no_proxy().build().unwrap(), url }
    }

    async fn script(&self, script: Value) {
        let url = format!("{}/providers/identity/script", self.running.control_url);
        assert!(self.http.post(url).json(&script).send().await.unwrap().status().is_success());
    }

    async fn attempts(&self, settled: u64) -> usize {
        let url = format!("{}/providers/identity/attempts?settled={settled}", self.running.control_url);
        let report: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        report["attempts"].as_array().unwrap().len()
    }

    fn google(&self) -> Value {
        let file = include_str!("../../simulator/identity/service_account.json");
        let mut file: Value = serde_json::from_str(file).unwrap();
        file["token_uri"] = json!(format!("{}/token", self.url));
        json!({"kind": "google_service_account", "secret": file.to_string()})
    }

    fn entra(&self) -> Value {
        let entra = json!({
            "tenant": "11111111-2222-4333-8444-555555555555", "client_id": "66666666-7777-4888-8999-aaaaaaaaaaaa",
            "authority": self.url,
        });
        json!({"kind": "entra_client_credentials", "secret": "simulated~client.secret", "entra": entra})
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn mint(auth: &Value) -> Result<Token, Failure> {
    let auth: Auth = serde_json::from_value(auth.clone()).unwrap();
    Vendors::new().unwrap().mint(auth, SystemTime::now()).await
}

#[tokio::test]
async fn both_vendors_give_tokens() {
    let lab = Lab::start().await;
    let google = mint(&lab.google()).await.unwrap();
    assert_eq!(google.lifetime, Duration::from_secs(3599));
    let scope = "https://www.googleapis.com/auth/cloud-platform".to_owned();
    assert_eq!(standing(Issuer::Google, &google.secret, now()), Standing::Valid(scope));
    let entra = mint(&lab.entra()).await.unwrap();
    let audience = "https://cognitiveservices.azure.com".to_owned();
    assert_eq!(standing(Issuer::Entra, &entra.secret, now()), Standing::Valid(audience));
    let mut scoped = lab.entra();
    scoped["scope"] = json!("https://ai.azure.com/.default");
    let scoped = mint(&scoped).await.unwrap();
    assert_eq!(
        standing(Issuer::Entra, &scoped.secret, now()),
        Standing::Valid("https://ai.azure.com".into())
    );
}

#[tokio::test]
async fn refusals_are_told_without_secrets() {
    let lab = Lab::start().await;
    let mut wrong = lab.entra();
    wrong["secret"] = json!("not-the-secret");
    let failure = mint(&wrong).await.unwrap_err();
    let said = failure.to_string();
    assert!(
        said.contains("401") && said.contains("AADSTS7000215") && !said.contains("not-the-secret"),
        "{said}"
    );
    assert!(failure.is_lasting());

    lab.script(json!([
        {"kind": "status", "status": 503, "headers": {"retry-after": "7"}}, {"kind": "close_before_headers"},
        {"kind": "invalid_json"}, {"kind": "status", "status": 307, "headers": {"location": "http://127.0.0.1:1/"}},
    ]))
    .await;
    let busy = mint(&lab.google()).await.unwrap_err();
    assert_eq!((busy.is_lasting(), busy.retry_after()), (false, Some(Duration::from_secs(7))));
    let cut = mint(&lab.google()).await.unwrap_err();
    assert!(matches!(&cut, Failure::Unreachable(why) if !why.contains("127.0.0.1")), "{cut}");
    assert_eq!(mint(&lab.google()).await.unwrap_err(), Failure::Unreadable);
    let elsewhere = mint(&lab.google()).await.unwrap_err();
    assert!(
        matches!(elsewhere, Failure::Refused { status: 307, .. }),
        "no redirect is followed: {elsewhere}"
    );

    // No certificate is there to be checked: what is not TLS is not spoken to.
    let mut plain = lab.entra();
    plain["entra"]["authority"] = json!(lab.url.replace("http://", "https://"));
    assert!(matches!(mint(&plain).await.unwrap_err(), Failure::Unreachable(_)));

    let unusable = json!({"kind": "google_service_account", "secret": "{}"});
    assert!(matches!(mint(&unusable).await.unwrap_err(), Failure::Secret(_)));
}

#[tokio::test]
async fn a_short_token_is_renewed_in_time() {
    let lab = Lab::start().await;
    lab.script(json!([{"kind": "healthy", "lifetime_s": 1, "repeat": true}])).await;
    let source = Feed::new(fixture::snapshot(1, &[provider(&lab.google())], &[]));
    let minter = Minter::new(&source, Vendors::new().unwrap());
    let mut news = minter.pushed().subscribe();
    let stop = CancellationToken::new();
    let running = tokio::spawn(minter.run(stop.clone()));
    let mut seen = Vec::new();
    while seen.len() < 3 {
        news.changed().await.unwrap();
        let snapshot = news.borrow_and_update().clone();
        let auth = snapshot.providers["minted"].value.auth.clone();
        assert_eq!(auth.kind, AuthKind::Bearer);
        if !auth.secret.is_empty() && seen.last() != Some(&auth.secret) {
            seen.push(auth.secret);
        }
    }
    stop.cancel();
    running.await.unwrap();
    assert!(lab.attempts(3).await >= 3);
}

#[tokio::test]
async fn the_admin_api_tells_and_discovery_gets_the_token() {
    let lab = Lab::start().await;
    let app = TestApp::start().await;
    let mut pushed = app.shared().pushed.subscribe();
    let body =
        |auth: Value| json!({"name": "minted", "dialect": "openai", "base_url": "https://h", "auth": auth});
    app.ok(Method::POST, "/providers", body(lab.google())).await;
    let is_used =
        |snapshot: &Arc<Snapshot>| snapshot.providers.get("minted").is_some_and(|it| it.value.enabled);
    let snapshot = pushed.wait_for(is_used).await.unwrap().clone();
    let auth = &snapshot.providers["minted"].value.auth;
    assert!(matches!(standing(Issuer::Google, &auth.secret, now()), Standing::Valid(_)), "{auth:?}");
    let shown = app.get("/providers/minted").await;
    assert_eq!(
        (&shown["credential"]["state"], &shown["auth"]["kind"]),
        (&json!("valid"), &json!("google_service_account"))
    );
    assert!(shown["credential"]["valid_until"].as_u64().unwrap() > now());
    for secret in [auth.secret.as_str(), "PRIVATE KEY"] {
        assert!(!shown.to_string().contains(secret));
    }

    let mut wrong = lab.entra();
    wrong["secret"] = json!("not-the-secret");
    app.ok(Method::PUT, "/providers/minted", body(wrong)).await;
    pushed.wait_for(|snapshot| !is_used(snapshot)).await.unwrap();
    lab.attempts(2).await;
    let mut known = app.shared().credentials.0.clone();
    known.wait_for(|known| known.states["minted"].last_error.is_some()).await.unwrap();
    let shown = app.get("/providers/minted").await;
    assert_eq!(shown["credential"]["state"], "pending");
    assert!(shown["credential"]["last_error"].as_str().unwrap().contains("AADSTS7000215"), "{shown}");

    let (status, _, message) = app
        .refused(
            Method::PUT,
            "/providers/minted",
            body(json!({"kind": "google_service_account", "secret": "{}"})),
        )
        .await;
    assert_eq!(
        (status, message.starts_with("auth.secret: expected the JSON key file")),
        (400, true),
        "{message}"
    );
    let mut open = lab.entra();
    open["entra"]["authority"] = json!("http://login.example.com");
    let (status, _, message) = app.refused(Method::PUT, "/providers/minted", body(open)).await;
    assert_eq!((status, message.contains("https://")), (400, true), "{message}");
    app.ok(Method::PUT, "/providers/minted", body(json!({"kind": "bearer", "secret": "sk"}))).await;
    assert_eq!(app.get("/providers/minted").await["credential"], Value::Null);
}
