use super::*;
use crate::config::type_url;
use crate::gateway::state::Pushed;

fn state() -> State {
    let mut state = State::default();
    let providers = ["oa", "ob", "an"].map(|name| {
        let dialect = if name == "an" { "anthropic" } else { "openai" };
        format!(r#"{{"name":"{name}","dialect":"{dialect}","base_url":"https://{name}.example/v1"}}"#)
    });
    let off = r#"{"name":"off","dialect":"openai","base_url":"https://off.example","enabled":false}"#;
    let models = [
        r#"{"id":"gpt","aliases":["gpt-latest"],"channels":[{"provider":"oa","upstream_id":"gpt-4o"},{"provider":"ob","upstream_id":"gpt-4o-b"}],
            "context_window":1000,"input_modalities":["text"],"capabilities":["tools"]}"#,
        r#"{"id":"claude","channels":[{"provider":"an","upstream_id":"claude-x"}],"context_window":9000,
            "input_modalities":["text","image"],"capabilities":["tools","response_schema"]}"#,
        r#"{"id":"vendor/deep","channels":[{"provider":"ob","upstream_id":"deep"}]}"#,
        r#"{"id":"gone","channels":[{"provider":"off","upstream_id":"x"}]}"#,
        r#"{"id":"emb","channels":[{"provider":"oa","upstream_id":"emb-1"}]}"#,
    ];
    let push = |state: &mut State, url: &str, items: &[&str]| {
        let set: Vec<Pushed<'_>> =
            items.iter().map(|json| Pushed { name: "", json: json.as_bytes() }).collect();
        state.apply(url, &set, &[]).unwrap();
    };
    let providers: Vec<&str> = providers.iter().map(String::as_str).chain([off]).collect();
    push(&mut state, type_url::PROVIDER, &providers);
    push(&mut state, type_url::MODEL, &models);
    state
}

fn key(policy: &str) -> Key {
    let hash = "0".repeat(64);
    serde_json::from_str(&format!(r#"{{"id":"abcdefghijkl","secret_hash":"{hash}"{policy}}}"#)).unwrap()
}

fn wish(model: &str) -> Wish<'_> {
    Wish {
        endpoint: Endpoint::ChatCompletions,
        dialect: Dialect::Openai,
        model,
        needs: Needs::default(),
        native: None,
        keeper: None,
        random: 0,
    }
}

fn steps(key: &Key, wish: &Wish<'_>) -> Result<Vec<String>, (u16, String)> {
    match plan(&state(), key, wish) {
        Ok(plan) => Ok(plan
            .steps
            .iter()
            .map(|step| format!("{}:{}:{}", step.provider.name, step.upstream_id, step.model_id()))
            .collect()),
        Err(rejection) => Err((rejection.error.status, rejection.error.code.unwrap())),
    }
}

const CHAIN: &str = r#","chain":[{"targets":[{"provider":"an","model":"claude"}]},{"targets":[{"provider":"oa","model":"gpt"}]}]"#;

#[test]
fn a_bare_id_means_its_channels_and_then_the_chain() {
    let got = steps(&key(CHAIN), &wish("gpt")).unwrap();
    assert_eq!(
        got,
        ["oa:gpt-4o:gpt", "ob:gpt-4o-b:gpt", "an:claude-x:claude"],
        "the chain's repetition is left out"
    );
    assert_eq!(steps(&key(CHAIN), &wish("gpt-latest")).unwrap(), got, "an alias means the same");
}

#[test]
fn a_provider_before_the_model_names_one_channel() {
    assert_eq!(steps(&key(""), &wish("ob/gpt")).unwrap(), ["ob:gpt-4o-b:gpt"]);
    assert_eq!(
        steps(&key(""), &wish("ob/gpt-4o-b")).unwrap(),
        ["ob:gpt-4o-b:gpt"],
        "the provider's own id works too"
    );
    assert_eq!(steps(&key(""), &wish("ob/unlisted/v2")).unwrap(), ["ob:unlisted/v2:unlisted/v2"]);
    assert_eq!(
        steps(&key(""), &wish("vendor/deep")).unwrap(),
        ["ob:deep:vendor/deep"],
        "ids may hold slashes"
    );
    assert_eq!(steps(&key(""), &wish("ob/../x")).unwrap_err().0, 400);
}

#[test]
fn auto_is_the_first_step_that_can() {
    assert_eq!(steps(&key(CHAIN), &wish("auto")).unwrap(), ["an:claude-x:claude", "oa:gpt-4o:gpt"]);
    let reversed = r#","chain":[{"targets":[{"provider":"oa","model":"gpt"}]},{"targets":[{"provider":"an","model":"claude"}]}]"#;
    for needs in [
        Needs { images: true, ..Needs::default() },
        Needs { schema: true, ..Needs::default() },
        Needs { prompt_tokens: 5_000, ..Needs::default() },
    ] {
        let wish = Wish { needs, ..wish("sluice/auto") };
        assert_eq!(steps(&key(reversed), &wish).unwrap(), ["an:claude-x:claude"], "{needs:?}");
    }
    assert_eq!(steps(&key(""), &wish("auto")).unwrap_err(), (503, "no_provider_available".into()));
    let vast = Wish { needs: Needs { prompt_tokens: 1 << 40, ..Needs::default() }, ..wish("auto") };
    assert_eq!(
        steps(&key(CHAIN), &vast).unwrap_err(),
        (400, "invalid_request".into()),
        "no use in trying again"
    );
}

#[test]
fn a_weighted_group_draws_one_and_keeps_the_others_behind_it() {
    let group = r#","chain":[{"targets":[{"provider":"oa","model":"gpt","weight":1},{"provider":"ob","model":"gpt","weight":3}]}]"#;
    let first = |random| steps(&key(group), &Wish { random, ..wish("auto") }).unwrap();
    assert_eq!(first(0), ["oa:gpt-4o:gpt", "ob:gpt-4o-b:gpt"]);
    for random in 1..4 {
        assert_eq!(first(random), ["ob:gpt-4o-b:gpt", "oa:gpt-4o:gpt"], "{random}");
    }
}

#[test]
fn access_lists_bar_models_and_providers() {
    let barred = |policy: &str, model: &str| steps(&key(policy), &wish(model));
    let only = r#","models":{"allow":["claude*"]}"#;
    assert_eq!(barred(only, "gpt").unwrap_err(), (403, "model_not_allowed".into()));
    assert!(barred(only, "claude").is_ok());
    let without = r#","providers":{"deny":["oa"]}"#;
    assert_eq!(barred(without, "gpt").unwrap(), ["ob:gpt-4o-b:gpt"]);
    assert_eq!(barred(without, "oa/gpt").unwrap_err().0, 403);
}

#[test]
fn what_cannot_be_served_is_said() {
    let unknown = plan(&state(), &key(""), &wish("gtp")).unwrap_err();
    assert_eq!(unknown.error.code.as_deref(), Some("model_not_found"));
    assert!(unknown.error.message.contains("Did you mean gpt?"), "{}", unknown.error.message);
    assert_eq!(steps(&key(""), &wish("gone")).unwrap_err(), (503, "no_provider_available".into()));
}

#[test]
fn embeddings_stay_with_their_model_and_dialect() {
    let embeddings = Wish { endpoint: Endpoint::Embeddings, ..wish("emb") };
    assert_eq!(steps(&key(CHAIN), &embeddings).unwrap(), ["oa:emb-1:emb"]);
    let claude = Wish { endpoint: Endpoint::Embeddings, ..wish("claude") };
    assert_eq!(steps(&key(CHAIN), &claude).unwrap_err(), (404, "model_not_found".into()));
}

/// A provider of Google's, which sells two models under names of its own.
fn google() -> State {
    let mut state = state();
    let provider = r#"{"name":"g","dialect":"gemini","base_url":"https://g.example/v1beta"}"#;
    let models = [
        r#"{"id":"dear","aliases":["dear-latest"],"channels":[{"provider":"g","upstream_id":"gemini-x"},{"provider":"g","upstream_id":"gemini-x-001"}]}"#,
        r#"{"id":"cheap","channels":[{"provider":"g","upstream_id":"models/gemini-s"}]}"#,
    ];
    let set = models.map(|json| Pushed { name: "", json: json.as_bytes() });
    state.apply(type_url::MODEL, &set, &[]).unwrap();
    state.apply(type_url::PROVIDER, &[Pushed { name: "", json: provider.as_bytes() }], &[]).unwrap();
    state
}

#[test]
fn a_provider_s_own_name_of_a_model_is_that_model() {
    let state = google();
    let served = |policy: &str, model: &str| match plan(&state, &key(policy), &wish(model)) {
        Ok(plan) => format!("{} {}", plan.steps[0].model_id(), plan.steps[0].upstream_id),
        Err(rejection) => rejection.error.code.unwrap(),
    };
    let names =
        ["g/gemini-x", "g/models/gemini-x", "g/dear", "g/models/dear", "g/dear-latest", "models/dear"];
    for name in names {
        assert_eq!(served("", name), "dear gemini-x", "{name}");
        for denied in ["dear", "dear-latest", "de*"] {
            let deny = format!(r#","models":{{"deny":["{denied}"]}}"#);
            assert_eq!(served(&deny, name), "model_not_allowed", "{name}, {denied} denied");
        }
        assert_eq!(served(r#","models":{"allow":["cheap"]}"#, name), "model_not_allowed", "{name}");
        assert_eq!(served(r#","models":{"allow":["dear-latest"]}"#, name), "dear gemini-x", "{name}");
    }
    assert_eq!(served("", "g/gemini-x-001"), "dear gemini-x-001", "the second of two channels");
    for name in ["g/gemini-s", "g/models/gemini-s", "g/cheap", "cheap"] {
        assert_eq!(served("", name), "cheap models/gemini-s", "{name}");
    }
}

#[test]
fn what_the_catalog_does_not_know_is_for_keys_without_rules_about_models() {
    let state = google();
    let served = |policy: &str, model: &str| match plan(&state, &key(policy), &wish(model)) {
        Ok(plan) => plan.steps[0].upstream_id.clone(),
        Err(rejection) => format!("{} {}", rejection.error.status, rejection.error.code.unwrap()),
    };
    for name in ["g/gemini-new", "g/models/gemini-new", "oa/dear"] {
        assert_eq!(served("", name), name.split_once('/').unwrap().1);
        for rule in [r#""deny":["dear"]"#, r#""allow":["gemini-*","models/*","dear"]"#] {
            let rule = format!(r#","models":{{{rule}}}"#);
            assert_eq!(served(&rule, name), "403 model_not_allowed", "{name} {rule}");
        }
    }
    // Who wrote the key's chain wrote its rules, too.
    let chain = r#","chain":[{"targets":[{"provider":"g","model":"gemini-new"}]}],"models":"#;
    assert_eq!(served(&format!(r#"{chain}{{"allow":["gemini-new"]}}"#), "auto"), "gemini-new");
    assert_eq!(served(&format!(r#"{chain}{{"deny":["gemini-new"]}}"#), "auto"), "403 model_not_allowed");
}

#[test]
fn models_that_share_an_upstream_id_stay_apart() {
    let mut state = state();
    let sold = ["cheap", "dear"]
        .map(|id| format!(r#"{{"id":"{id}","channels":[{{"provider":"oa","upstream_id":"shared"}}]}}"#));
    let set: Vec<Pushed<'_>> = sold.iter().map(|json| Pushed { name: "", json: json.as_bytes() }).collect();
    state.apply(type_url::MODEL, &set, &[]).unwrap();
    let served = |policy: &str, model: &str| match plan(&state, &key(policy), &wish(model)) {
        Ok(plan) => plan.steps[0].model_id().to_owned(),
        Err(rejection) => rejection.error.code.unwrap(),
    };
    assert_eq!(served("", "dear"), "dear", "it is priced and shown as what was asked for");
    assert_eq!(served("", "cheap"), "cheap");
    let only = |id: &str| format!(r#","models":{{"allow":["{id}"]}}"#);
    assert_eq!(served(&only("cheap"), "dear"), "model_not_allowed");
    assert_eq!(served(&only("dear"), "cheap"), "model_not_allowed");
    assert_eq!(served(&only("dear"), "oa/shared"), "dear");
    assert_eq!(served(&only("other"), "oa/shared"), "model_not_allowed");
}

#[test]
fn what_the_catalog_says_of_inputs_decides_who_is_chosen() {
    let mut state = state();
    let models = [
        ("image", "image"),
        ("audio", "audio"),
        ("paper", "pdf"),
        ("file", "file"),
        ("doc", "document"),
        ("any", ""),
    ]
    .map(|(id, word)| {
        let inputs =
            if word.is_empty() { String::new() } else { format!(r#","input_modalities":["text","{word}"]"#) };
        format!(r#"{{"id":"{id}","channels":[{{"provider":"oa","upstream_id":"up-{id}"}}]{inputs}}}"#)
    });
    let set: Vec<Pushed<'_>> = models.iter().map(|json| Pushed { name: "", json: json.as_bytes() }).collect();
    state.apply(type_url::MODEL, &set, &[]).unwrap();
    let targets: Vec<String> = ["image", "audio", "paper", "file", "doc", "any"]
        .map(|id| format!(r#"{{"targets":[{{"provider":"oa","model":"{id}"}}]}}"#))
        .to_vec();
    let key = key(&format!(r#","chain":[{}]"#, targets.join(",")));
    for (needs, chosen, word) in [
        (Needs { images: true, ..Needs::default() }, vec!["image", "any"], "images"),
        (Needs { audio: true, ..Needs::default() }, vec!["audio", "any"], "audio"),
        (Needs { documents: true, ..Needs::default() }, vec!["paper", "file", "doc", "any"], "documents"),
    ] {
        let plan = plan(&state, &key, &Wish { needs, ..wish("auto") }).unwrap();
        assert_eq!(plan.steps.iter().map(Step::model_id).collect::<Vec<_>>(), chosen);
        assert_eq!(plan.passed_over.len() + chosen.len(), 6);
        assert!(plan.passed_over.iter().all(|left| left.lacks == word), "{:?}", plan.passed_over);
    }
}

#[test]
fn a_provider_is_asked_in_the_client_s_dialect_where_it_speaks_it() {
    let mut state = state();
    let both =
        r#"{"name":"oa","dialect":"openai","also_speaks":["responses"],"base_url":"https://oa.example/v1"}"#;
    state.apply(type_url::PROVIDER, &[Pushed { name: "", json: both.as_bytes() }], &[]).unwrap();
    let asked = Wish { endpoint: Endpoint::Responses, dialect: Dialect::Responses, ..wish("gpt") };
    let dialects = |native| {
        let plan = plan(&state, &key(CHAIN), &Wish { native, ..asked }).unwrap();
        plan.steps.iter().map(|step| (step.provider.name.clone(), step.dialect)).collect::<Vec<_>>()
    };
    let home = ("oa".to_owned(), Dialect::Responses);
    assert_eq!(
        dialects(None),
        [home.clone(), ("ob".to_owned(), Dialect::Openai), ("an".to_owned(), Dialect::Anthropic)]
    );
    assert_eq!(dialects(Some("background")), [home]);
}

#[test]
fn pictures_and_completions_stay_in_their_dialect() {
    for endpoint in [Endpoint::ImageGenerations, Endpoint::ImageEdits, Endpoint::Completions] {
        let asked = Wish { endpoint, ..wish("gpt") };
        assert_eq!(steps(&key(CHAIN), &asked).unwrap(), ["oa:gpt-4o:gpt", "ob:gpt-4o-b:gpt"], "{endpoint:?}");
        let claude = Wish { endpoint, ..wish("claude") };
        assert_eq!(steps(&key(CHAIN), &claude).unwrap_err(), (404, "model_not_found".into()), "{endpoint:?}");
    }
}
