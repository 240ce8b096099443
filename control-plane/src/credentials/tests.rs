//! The minter with a clock that the test moves, and against the simulator's token endpoints.

use super::*;
use crate::discovery::fixture;
use crate::simulator::{self, Options};
use keeper::Phase;
use reqwest::Method;
use serde_json::{Value, json};
use sluice::config::{Auth, AuthKind, Provider};
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

mod simulated;

fn provider(auth: &Value) -> Provider {
    let provider = json!({"name": "minted", "dialect": "openai", "base_url": "https://h", "auth": auth});
    serde_json::from_value(provider).unwrap()
}

fn entra() -> Value {
    json!({"kind": "entra_client_credentials", "secret": "s", "entra": {"tenant": "t", "client_id": "c"}})
}

/// Answers from a list, and notes when it was asked.
#[derive(Debug)]
struct Scripted {
    answers: Mutex<Vec<Result<Token, Failure>>>,
    asked: Mutex<Vec<Duration>>,
    start: Instant,
}

impl Mint for Arc<Scripted> {
    async fn mint(&self, auth: Auth, _now: SystemTime) -> Result<Token, Failure> {
        assert_eq!((auth.kind, auth.secret.as_str()), (AuthKind::EntraClientCredentials, "s"));
        self.asked.lock().unwrap().push(self.start.elapsed());
        self.answers.lock().unwrap().remove(0)
    }
}

fn token(secret: &str, seconds: u64) -> Result<Token, Failure> {
    Ok(Token { secret: secret.to_owned(), lifetime: Duration::from_secs(seconds) })
}

fn scripted(
    answers: Vec<Result<Token, Failure>>,
) -> (Arc<Scripted>, Feed, Feed, Credentials, CancellationToken) {
    let vendors =
        Arc::new(Scripted { answers: Mutex::new(answers), asked: Mutex::default(), start: Instant::now() });
    let source = Feed::new(fixture::snapshot(1, &[provider(&entra())], &[]));
    let minter = Minter::with_clock(&source, vendors.clone(), || UNIX_EPOCH + Duration::from_secs(9), || 0);
    let (pushed, credentials, stop) = (minter.pushed(), minter.credentials(), CancellationToken::new());
    tokio::spawn(minter.run(stop.clone()));
    (vendors, source, pushed, credentials, stop)
}

/// Waits until the module would get this token; `""` means that the provider is disabled.
async fn until(pushed: &Feed, token: &str) {
    let mut news = pushed.subscribe();
    let is_there = |snapshot: &Arc<Snapshot>| {
        let provider = &snapshot.providers["minted"].value;
        (provider.auth.secret.as_str(), provider.enabled) == (token, !token.is_empty())
    };
    news.wait_for(is_there).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tokens_follow_one_another() {
    let busy = || Err(Failure::Unreachable("no route".into()));
    let answers = vec![
        busy(),
        token("one", 400),
        busy(),
        busy(),
        token("two", 400),
        busy(),
        busy(),
        busy(),
        busy(),
        busy(),
        busy(),
        busy(),
        busy(),
        token("three", 4000),
    ];
    let (vendors, _source, pushed, mut credentials, stop) = scripted(answers);
    until(&pushed, "").await;
    credentials.first_round().await;
    assert_eq!(credentials.state("minted").unwrap().state, Phase::Pending, "an error is an outcome");
    until(&pushed, "one").await;
    until(&pushed, "two").await;
    until(&pushed, "").await;
    let state = credentials.state("minted").unwrap();
    assert_eq!(state.state, Phase::Expired);
    assert_eq!(state.last_error.as_deref(), Some("the token endpoint cannot be reached: no route"));
    until(&pushed, "three").await;
    assert_eq!(credentials.state("minted").unwrap().last_error, None);
    stop.cancel();

    let asked: Vec<f64> = vendors.asked.lock().unwrap().iter().map(Duration::as_secs_f64).collect();
    let rounded: Vec<i64> = asked.iter().map(|seconds| (seconds * 2.0).round() as i64).collect();
    // In half seconds: the first pause; three quarters of the first lifetime; pauses of 1 and 2; three quarters again; pauses
    // that double up to thirty seconds.
    let expected = [0, 1, 601, 602, 604, 1204, 1205, 1207, 1211, 1219, 1235, 1267, 1327, 1387];
    assert_eq!(rounded, expected, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_start_does_not_wait_for_ever() {
    #[derive(Debug)]
    struct Silent;
    impl Mint for Silent {
        async fn mint(&self, _auth: Auth, _now: SystemTime) -> Result<Token, Failure> {
            std::future::pending().await
        }
    }
    let source = Feed::new(fixture::snapshot(1, &[provider(&entra())], &[]));
    let minter = Minter::new(&source, Silent);
    let mut credentials = minter.credentials();
    let stop = CancellationToken::new();
    let running = tokio::spawn(minter.run(stop.clone()));
    let begun = Instant::now();
    credentials.first_round().await;
    assert_eq!(begun.elapsed(), FIRST_ROUND);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_breaks_off_is_made_again() {
    #[derive(Debug)]
    struct Breaks(Mutex<bool>);
    impl Mint for Breaks {
        async fn mint(&self, _auth: Auth, _now: SystemTime) -> Result<Token, Failure> {
            let first = self.0.lock().is_ok_and(|mut broken| !std::mem::replace(&mut *broken, true));
            assert!(!first, "the first attempt");
            token("after all", 60)
        }
    }
    let source = Feed::new(fixture::snapshot(1, &[provider(&entra())], &[]));
    let minter = Minter::new(&source, Breaks(Mutex::new(false)));
    let pushed = minter.pushed();
    tokio::spawn(minter.run(CancellationToken::new()));
    until(&pushed, "after all").await;
}
