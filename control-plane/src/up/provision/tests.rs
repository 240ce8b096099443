use super::super::offer;
use super::*;
use sluice::config::Model;

struct Home {
    directory: tempfile::TempDir,
    store: Store,
}

impl Home {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("sluice.db").to_str().unwrap()).await.unwrap();
        Self { directory, store }
    }

    async fn start(&self, offers: &[Offer]) -> String {
        provision(&self.store, offers, &self.directory.path().join("up-key")).await.unwrap()
    }

    fn has_real_provider(&self) -> bool {
        has_real_provider(&self.store, &self.directory.path().join("up-key")).unwrap()
    }

    /// What `sluice apply` would do.
    async fn put(&self, provider: Provider, models: &[Model]) {
        let mut write = self.store.begin().await.unwrap();
        write.put_provider(provider).await.unwrap();
        for model in models {
            write.put_model(model.clone()).await.unwrap();
        }
        write.commit().await.unwrap();
    }

    fn provider(&self, name: &str) -> Provider {
        Provider::clone(&self.store.feed().current().providers[name].value)
    }

    fn model(&self, id: &str) -> Model {
        Model::clone(&self.store.feed().current().models[id].value)
    }

    /// The chain of the key that `token` is.
    fn chain(&self, token: &str) -> Vec<String> {
        let snapshot = self.store.feed().current();
        let id = Token::parse(token, &snapshot.settings.value.key_prefix).unwrap().id;
        let targets = snapshot.keys[id].value.chain.iter().flat_map(|step| &step.targets);
        targets.map(|target| format!("{}/{}", target.provider, target.model)).collect()
    }
}

fn simulator(port: u16) -> Vec<Offer> {
    offer::simulated::offers(|name| {
        let version = if name == "openai-sim" { "/v1" } else { "" };
        Ok::<_, ()>(format!("http://127.0.0.1:{port}{version}"))
    })
    .unwrap()
}

/// What is offered where all these variables are this secret.
fn configured(variables: &[&str], secret: &str) -> Vec<Offer> {
    offer::configured(|name| variables.contains(&name).then(|| secret.to_owned())).offers
}

fn openai(secret: &str) -> Vec<Offer> {
    configured(&["OPENAI_API_KEY"], secret)
}

#[tokio::test]
async fn the_key_is_the_same_at_every_start_and_the_simulators_port_is_followed() {
    let home = Home::new().await;
    let first = home.start(&simulator(1000)).await;
    assert_eq!(
        home.chain(&first),
        [
            "openai-sim/gpt-4o-mini",
            "anthropic-sim/claude-haiku-4-5",
            "gemini-sim/gemini-3.8-flash",
            "bedrock-sim/claude-haiku-4-5",
            "azure-sim/gpt-4o-mini",
            "vertex-sim/gemini-3.8-flash",
            "vertex-claude-sim/claude-haiku-4-5",
        ]
    );
    let channels = home.model("claude-haiku-4-5").channels;
    assert_eq!(
        channels.iter().map(|it| it.provider.as_str()).collect::<Vec<_>>(),
        ["anthropic-sim", "bedrock-sim", "vertex-claude-sim"],
        "in the order of the chain"
    );
    assert_eq!(home.start(&simulator(2000)).await, first);
    assert_eq!(home.provider("openai-sim").base_url, "http://127.0.0.1:2000/v1");
    assert_eq!(home.store.feed().current().keys.len(), 1);
}

#[tokio::test]
async fn a_start_that_changes_nothing_makes_no_revision() {
    let home = Home::new().await;
    home.start(&simulator(1000)).await;
    let revision = home.store.feed().current().revision;
    home.start(&simulator(1000)).await;
    assert_eq!(home.store.feed().current().revision, revision);
}

#[tokio::test]
async fn a_real_provider_takes_the_simulators_place() {
    let home = Home::new().await;
    let token = home.start(&simulator(1000)).await;
    assert!(!home.has_real_provider());
    assert_eq!(home.start(&openai("sk-1")).await, token);
    assert!(home.has_real_provider());
    assert_eq!(home.chain(&token), ["openai/gpt-4o-mini"]);
    assert!(simulated::names().all(|name| !home.provider(name).enabled));
    let channels = home.model("gpt-4o-mini").channels;
    assert_eq!(
        channels.iter().map(|it| it.provider.as_str()).collect::<Vec<_>>(),
        ["openai", "openai-sim", "azure-sim"]
    );
}

#[tokio::test]
async fn a_provider_that_somebody_adds_takes_over_the_key() {
    let home = Home::new().await;
    let token = home.start(&simulator(1000)).await;
    let [Offer { provider, models }] = openai("sk-1").try_into().unwrap();
    home.put(provider.clone(), &[]).await;
    assert!(!home.has_real_provider(), "nothing is served by it yet");
    home.put(provider, &models).await;
    assert!(home.has_real_provider());
    assert_eq!(home.start(&[]).await, token);
    assert!(!home.provider("openai-sim").enabled);
    let [step] = home.chain(&token).try_into().unwrap();
    assert!(step.starts_with("openai/"), "{step}");
}

#[tokio::test]
async fn what_its_owner_disabled_is_not_in_the_chain() {
    let home = Home::new().await;
    let offers = openai("sk-1");
    let token = home.start(&offers).await;
    let others = configured(&["GROQ_API_KEY"], "sk-1");
    home.put(Provider { enabled: false, ..home.provider("openai") }, &[]).await;
    let both: Vec<Offer> = offers.into_iter().chain(others).collect();
    assert_eq!(home.start(&both).await, token);
    assert!(home.chain(&token).iter().all(|step| step.starts_with("groq/")), "{:?}", home.chain(&token));
}

#[tokio::test]
async fn only_the_credential_of_a_known_provider_is_renewed() {
    let home = Home::new().await;
    let token = home.start(&openai("sk-1")).await;
    let mut write = home.store.begin().await.unwrap();
    let theirs = Provider { base_url: "https://proxy.example/v1".into(), ..home.provider("openai") };
    write.put_provider(theirs).await.unwrap();
    write.commit().await.unwrap();
    home.start(&openai("sk-2")).await;
    let provider = home.provider("openai");
    assert_eq!(
        (provider.base_url.as_str(), provider.auth.secret.as_str()),
        ("https://proxy.example/v1", "sk-2")
    );
    // Without the variable, what is stored goes on.
    assert_eq!(home.start(&[]).await, token);
    assert_eq!(home.provider("openai").auth.secret, "sk-2");
}

#[tokio::test]
async fn temporary_credentials_are_renewed_whole() {
    let home = Home::new().await;
    let session = |id: &str, token: &str| {
        let variables = [
            ("AWS_ACCESS_KEY_ID", id),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", token),
            ("AWS_REGION", "eu-west-1"),
        ];
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name);
        offer::configured(|name| value(name).map(|(_, value)| (*value).to_owned())).offers
    };
    home.start(&session("ASIA1", "first")).await;
    home.start(&session("ASIA2", "second")).await;
    let aws = home.provider("bedrock").auth.aws.unwrap();
    assert_eq!((aws.access_key_id.as_str(), aws.session_token.as_deref()), ("ASIA2", Some("second")));
    // Without a session the token of the last one must not stay.
    home.start(&session("AKIA3", "")).await;
    let aws = home.provider("bedrock").auth.aws.unwrap();
    assert_eq!((aws.access_key_id.as_str(), aws.session_token), ("AKIA3", None));

    let key = |name: &str| match name {
        "AWS_BEARER_TOKEN_BEDROCK" => Some("bedrock-key".to_owned()),
        "AWS_REGION" => Some("us-east-1".to_owned()),
        _ => None,
    };
    home.start(&offer::configured(key).offers).await;
    let Provider { auth, base_url, .. } = home.provider("bedrock");
    assert_eq!((auth.kind, auth.secret.as_str(), auth.aws), (AuthKind::Bearer, "bedrock-key", None));
    assert_eq!(base_url, "https://bedrock-runtime.eu-west-1.amazonaws.com", "the address is its owner's");
}

#[tokio::test]
async fn a_revoked_key_is_replaced() {
    let home = Home::new().await;
    let first = home.start(&simulator(1000)).await;
    let snapshot = home.store.feed().current();
    let mut write = home.store.begin().await.unwrap();
    write.revoke_key(snapshot.keys.keys().next().unwrap()).await.unwrap();
    write.commit().await.unwrap();
    let second = home.start(&simulator(1000)).await;
    assert_ne!(second, first);
    assert_eq!(home.start(&simulator(1000)).await, second);
}

#[tokio::test]
async fn the_token_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new().await;
    home.start(&simulator(1000)).await;
    let mode = std::fs::metadata(home.directory.path().join("up-key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
