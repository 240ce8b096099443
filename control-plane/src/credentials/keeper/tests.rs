use super::*;
use crate::discovery::fixture;
use serde_json::json;

const LIFETIME: Duration = Duration::from_secs(3600);

/// A keeper at a time of its own.
struct Lab {
    keeper: Keeper,
    source: Arc<Snapshot>,
    now: Moment,
}

fn provider(secret: &str) -> Provider {
    let entra = json!({"tenant": "t", "client_id": "c"});
    serde_json::from_value(json!({
        "name": "azure", "dialect": "openai", "base_url": "https://h",
        "auth": {"kind": "entra_client_credentials", "secret": secret, "entra": entra},
    }))
    .unwrap()
}

fn token(secret: &str) -> Token {
    Token { secret: secret.to_owned(), lifetime: LIFETIME }
}

fn refused(status: u16) -> Failure {
    Failure::Refused { status, message: "no".into(), retry_after: None }
}

impl Lab {
    fn new() -> Self {
        let now = Moment { steady: Instant::now(), wall: UNIX_EPOCH + Duration::from_secs(1_800_000_000) };
        let mut lab =
            Self { keeper: Keeper::new(|| 0), source: Arc::new(fixture::snapshot(1, &[], &[])), now };
        lab.stored(&[fixture::provider("plain", "https://h"), provider("first")]);
        lab
    }

    fn stored(&mut self, providers: &[Provider]) {
        self.source = Arc::new(fixture::snapshot(self.source.revision + 1, providers, &[]));
        self.keeper.reconcile(&self.source, self.now);
    }

    fn pass(&mut self, seconds: u64) {
        self.now.steady += Duration::from_secs(seconds);
        self.now.wall += Duration::from_secs(seconds);
    }

    fn question(&mut self) -> Question {
        let questions = self.keeper.due(self.now);
        let [question] = questions.as_slice() else { panic!("{questions:?}") };
        question.clone()
    }

    fn answer(&mut self, answer: Result<Token, Failure>) {
        let question = self.question();
        self.keeper.answered(&question, answer, self.now);
    }

    /// What the module would get: whether it is enabled, and with which token.
    fn pushed(&mut self) -> (bool, String) {
        let pushed = self.keeper.pushed(&self.source, self.now);
        let provider = &pushed.providers["azure"].value;
        assert_eq!((provider.auth.kind, &provider.auth.entra), (AuthKind::Bearer, &None));
        (provider.enabled, provider.auth.secret.clone())
    }

    fn state(&self) -> CredentialState {
        self.keeper.states()["azure"].clone()
    }
}

#[test]
fn a_provider_waits_for_its_first_token() {
    let mut lab = Lab::new();
    assert_eq!((lab.pushed(), lab.state().state), ((false, String::new()), Phase::Pending));
    assert!(!lab.keeper.is_settled());
    lab.answer(Ok(token("one")));
    assert_eq!(lab.pushed(), (true, "one".into()));
    assert!(lab.keeper.is_settled());
    let state = lab.state();
    assert_eq!((state.state, state.valid_until, state.last_error), (Phase::Valid, Some(1_800_003_600), None));
    assert!(lab.keeper.due(lab.now).is_empty());
    assert_eq!(lab.keeper.wake(), Some(lab.now.steady + Duration::from_secs(3000)));
}

#[test]
fn a_token_is_renewed_before_its_end() {
    let mut lab = Lab::new();
    lab.answer(Ok(token("one")));
    lab.pass(2999);
    assert!(lab.keeper.due(lab.now).is_empty());
    lab.pass(1);
    let question = lab.question();
    assert!(lab.keeper.due(lab.now).is_empty(), "asked once");
    lab.pass(5);
    lab.keeper.answered(&question, Ok(token("two")), lab.now);
    assert_eq!(lab.pushed(), (true, "two".into()));
    // The lifetime counts from the question, not from the answer.
    assert_eq!(lab.keeper.wake(), Some(lab.now.steady + Duration::from_secs(2995)));
}

#[test]
fn a_failed_renewal_leaves_the_token_until_its_end() {
    let mut lab = Lab::new();
    lab.answer(Ok(token("one")));
    lab.pass(3000);
    for _ in 0..3 {
        lab.answer(Err(refused(503)));
        assert_eq!((lab.pushed(), lab.state().state), ((true, "one".into()), Phase::Valid));
        lab.pass(60);
    }
    let state = lab.state();
    assert_eq!(state.last_error.as_deref(), Some("the token endpoint answered 503: no"));
    assert_eq!(state.last_error_at, Some(1_800_003_120));
    lab.pass(600);
    assert_eq!((lab.pushed(), lab.state().state), ((false, String::new()), Phase::Expired));
    lab.answer(Ok(token("two")));
    assert_eq!((lab.pushed(), lab.state().last_error), ((true, "two".into()), None));
}

#[test]
fn pauses_grow_and_are_kept() {
    let mut lab = Lab::new();
    for half_seconds in [1, 2, 4, 8] {
        lab.answer(Err(refused(503)));
        let due = lab.now.steady + Duration::from_millis(500 * half_seconds);
        assert_eq!(lab.keeper.wake(), Some(due));
        assert!(lab.keeper.due(lab.now).is_empty());
        lab.now.steady = due;
    }
    let failure =
        Failure::Refused { status: 429, message: "no".into(), retry_after: Some(Duration::from_secs(90)) };
    lab.answer(Err(failure));
    assert_eq!(lab.keeper.wake(), Some(lab.now.steady + Duration::from_secs(90)));
    assert!(lab.keeper.is_settled(), "an error is an outcome");
}

#[test]
fn clocks_may_jump() {
    let mut lab = Lab::new();
    lab.answer(Ok(token("one")));
    lab.now.wall += Duration::from_secs(86_400);
    assert_eq!(lab.pushed(), (true, "one".into()), "the steady clock counts");
    let question = lab.question();
    lab.keeper.answered(&question, Err(refused(503)), lab.now);
    assert_eq!(lab.pushed(), (false, String::new()), "the machine may have slept");
    lab.pass(60);
    lab.answer(Ok(token("two")));
    lab.now.wall -= Duration::from_secs(200_000);
    assert_eq!(lab.pushed(), (true, "two".into()));
    lab.now.steady += Duration::from_secs(3000);
    lab.answer(Ok(token("three")));
    assert_eq!(lab.pushed(), (true, "three".into()), "a wall clock that went back delays nothing");
}

#[test]
fn a_changed_credential_begins_anew() {
    let mut lab = Lab::new();
    let old = lab.question();
    lab.stored(&[provider("second")]);
    let new = lab.question();
    lab.keeper.answered(&old, Ok(token("of the old")), lab.now);
    assert_eq!(lab.pushed(), (false, String::new()), "an answer about the old one is no news");
    lab.keeper.answered(&new, Ok(token("of the new")), lab.now);
    assert_eq!(lab.pushed(), (true, "of the new".into()));

    let renamed = Provider { first_token_deadline_ms: Some(5), ..provider("second") };
    lab.stored(&[renamed]);
    assert_eq!(lab.pushed(), (true, "of the new".into()), "other changes leave the token alone");
    lab.stored(&[Provider { enabled: false, ..provider("second") }]);
    assert_eq!(
        lab.pushed(),
        (false, String::new()),
        "nor is a secret pushed while its owner has disabled it"
    );
    assert!(lab.keeper.due(lab.now).is_empty() && lab.keeper.states().is_empty());
    lab.stored(&[]);
    assert_eq!(lab.keeper.wake(), None);
}

#[test]
fn what_has_not_changed_is_the_same_value() {
    let mut lab = Lab::new();
    let first = lab.keeper.pushed(&lab.source, lab.now);
    assert!(Arc::ptr_eq(&first, &lab.keeper.pushed(&lab.source, lab.now)));
    lab.answer(Ok(token("one")));
    let second = lab.keeper.pushed(&lab.source, lab.now);
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(Arc::ptr_eq(&first.providers["plain"].value, &second.providers["plain"].value));
    lab.pass(100);
    assert!(Arc::ptr_eq(&second, &lab.keeper.pushed(&lab.source, lab.now)));

    lab.stored(&[fixture::provider("plain", "https://h")]);
    let pushed = lab.keeper.pushed(&lab.source, lab.now);
    assert!(Arc::ptr_eq(&lab.source, &pushed), "without minted credentials nothing is copied");
}
