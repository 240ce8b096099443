use super::*;

fn incoming<'a>(method: &'a str, path: &'a str) -> Incoming<'a> {
    Incoming { method, path, anthropic: false, google: false }
}

fn asked(path: &str) -> Option<(Dialect, Asked)> {
    match route(&incoming("POST", path)) {
        Ok(Route { dialect, call: Call::Exchange(asked) }) => Some((dialect, asked)),
        _ => None,
    }
}

fn exchange(path: &str) -> Option<(Dialect, Endpoint)> {
    asked(path).map(|(dialect, asked)| (dialect, asked.endpoint))
}

fn listed(method: &str, path: &str) -> (Dialect, Call) {
    let route = route(&incoming(method, path)).unwrap();
    (route.dialect, route.call)
}

#[test]
fn every_base_path_leads_to_the_same_endpoints() {
    for base in ["", "/api", "/oai", "/openai", "/anthropic", "/gemini"] {
        for (path, dialect, endpoint) in [
            ("/chat/completions", Dialect::Openai, Endpoint::ChatCompletions),
            ("//chat//completions/?x=1", Dialect::Openai, Endpoint::ChatCompletions),
            ("/completions", Dialect::Openai, Endpoint::Completions),
            ("/embeddings", Dialect::Openai, Endpoint::Embeddings),
            ("/images/generations", Dialect::Openai, Endpoint::ImageGenerations),
            ("/images/edits", Dialect::Openai, Endpoint::ImageEdits),
            ("/images/variations", Dialect::Openai, Endpoint::ImageVariations),
            ("/responses", Dialect::Responses, Endpoint::Responses),
            ("/messages?beta=true", Dialect::Anthropic, Endpoint::Messages),
            ("/messages/count_tokens", Dialect::Anthropic, Endpoint::CountMessages),
            ("/models/m:countTokens", Dialect::Gemini, Endpoint::CountTokens),
        ] {
            assert_eq!(exchange(&format!("{base}/v1{path}")), Some((dialect, endpoint)), "{base}{path}");
        }
    }
    assert!(asked("/v1/messages?beta=true").unwrap().1.beta);
    assert!(!asked("/v1/messages?beta=false").unwrap().1.beta);
    assert!(asked("/v1/messages/count_tokens?beta=true").unwrap().1.beta);
    for other in ["chat/completions", "responses", "embeddings"] {
        assert!(
            !asked(&format!("/v1/{other}?beta=true")).unwrap().1.beta,
            "the word is Anthropic's: {other}"
        );
    }
}

#[test]
fn google_s_paths_name_model_and_method() {
    for base in [
        "/v1beta",
        "/v1",
        "/v1beta1",
        "/gemini/v1beta",
        "/gemini/v1",
        "/v1beta1/projects/p/locations/l/publishers/google",
        "/v1beta1/publishers/google",
    ] {
        for (verb, endpoint, stream, array) in [
            ("generateContent", Endpoint::GenerateContent, false, false),
            ("streamGenerateContent", Endpoint::GenerateContent, true, true),
            ("streamGenerateContent?alt=sse", Endpoint::GenerateContent, true, false),
            ("streamGenerateContent?key=slc-x&$alt=sse", Endpoint::GenerateContent, true, false),
            ("generateContent?alt=sse", Endpoint::GenerateContent, false, false),
            ("countTokens", Endpoint::CountTokens, false, false),
            ("embedContent", Endpoint::EmbedContent, false, false),
            ("batchEmbedContents", Endpoint::BatchEmbedContents, false, false),
        ] {
            let (dialect, asked) = asked(&format!("{base}/models/gemini-x:{verb}")).unwrap();
            assert_eq!((dialect, asked.endpoint), (Dialect::Gemini, endpoint), "{base} {verb}");
            assert_eq!((asked.stream, asked.array), (stream, array), "{base} {verb}");
            assert_eq!(asked.model.as_deref(), Some("gemini-x"));
        }
    }
    for (written, model) in [
        ("meta/llama", "meta/llama"),
        ("meta%2Fllama", "meta/llama"),
        ("anthropic.claude-v2:1", "anthropic.claude-v2:1"),
        ("claude-v2%3A1", "claude-v2:1"),
        ("models/gemini-x", "gemini-x"),
        ("models%2Fgemini-x", "gemini-x"),
    ] {
        let asked = asked(&format!("/v1beta/models/{written}:generateContent")).unwrap().1;
        assert_eq!(asked.model.as_deref(), Some(model), "{written}");
    }
    let asked = asked("/v1beta/gem/gemini-x:streamGenerateContent?alt=sse").unwrap().1;
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("gem/gemini-x"), true));
    for path in [
        "/v1beta/models/m:predict",
        "/v1beta/models/m",
        "/v1beta/projects/p/models/m:generateContent",
        "/v1beta/m:generateContent",
    ] {
        assert_eq!(route(&incoming("POST", path)).unwrap_err().0, Dialect::Gemini, "{path}");
    }
}

#[test]
fn stored_replies_have_calls_of_their_own() {
    let stored = |method: &str, path: &str| match route(&incoming(method, path)) {
        Ok(Route { dialect: Dialect::Responses, call: Call::Exchange(asked) }) => {
            assert_eq!(asked.endpoint, Endpoint::StoredResponses);
            let Stored { method, id, part, query } = asked.stored.unwrap();
            Some(format!("{method} {id} {part} {query} {}", asked.stream))
        }
        _ => None,
    };
    for (method, path, wanted) in [
        ("GET", "/v1/responses/resp_1-A", "GET resp_1-A   false"),
        ("DELETE", "/openai/v1/responses/resp_1", "DELETE resp_1   false"),
        ("POST", "/v1/responses/resp_1/cancel", "POST resp_1 /cancel  false"),
        (
            "GET",
            "/v1/responses/resp_1/input_items?limit=2&key=slc-x&include[]=a.b&after=x%2Fy&bad=<>",
            "GET resp_1 /input_items limit=2&include[]=a.b&after=x%2Fy false",
        ),
        ("GET", "/v1/responses/r?stream=true&starting_after=4", "GET r  stream=true&starting_after=4 true"),
    ] {
        assert_eq!(stored(method, path).as_deref(), Some(wanted), "{method} {path}");
    }
    for (method, path) in [
        ("POST", "/v1/responses/resp_1"),
        ("GET", "/v1/responses"),
        ("GET", "/v1/responses/a%2Fb"),
        ("GET", "/v1/responses/a.b"),
        ("GET", "/v1/responses/../models"),
        ("DELETE", "/v1/responses/r/cancel"),
        ("PUT", "/v1/responses/r"),
    ] {
        assert_eq!(stored(method, path), None, "{method} {path}");
        assert_eq!(route(&incoming(method, path)).unwrap_err().0, Dialect::Responses, "{method} {path}");
    }
}

#[test]
fn probes_are_answered_on_every_base() {
    for base in ["/", "/api", "/oai/", "/openai", "/anthropic", "/gemini"] {
        for version in ["", "/v1", "/v1beta", "/v1/"] {
            let path = format!("{base}{version}");
            assert_eq!(listed("HEAD", &path).1, Call::Probe, "{path}");
            assert!(route(&incoming("GET", &path)).is_err(), "{path}");
        }
    }
    for path in ["/api/hello", "/anthropic/api/hello"] {
        for method in ["HEAD", "GET"] {
            assert_eq!(listed(method, path).1, Call::Probe, "{method} {path}");
        }
        assert!(route(&incoming("POST", path)).is_err());
    }
    for path in ["/hello", "/v1/messages", "/v1/hello", "/v1/chat/completions"] {
        assert!(route(&incoming("HEAD", path)).is_err(), "{path}");
    }
}

#[test]
fn model_ids_may_hold_slashes_plain_or_encoded() {
    for path in ["/v1/models/meta/llama", "/v1/models/meta%2Fllama", "/openai/v1/models/meta%2fllama"] {
        for method in ["GET", "HEAD"] {
            assert_eq!(listed(method, path).1, Call::GetModel("meta/llama".into()));
        }
    }
    assert_eq!(listed("GET", "/v1beta/models/models/m").1, Call::GetModel("m".into()));
}

#[test]
fn the_dialect_of_model_lists_follows_the_client() {
    let list = |path: &str, anthropic, google| {
        let route = route(&Incoming { anthropic, google, ..incoming("GET", path) }).unwrap();
        let query = path.split_once('?').map_or("", |(_, query)| query);
        assert_eq!(route.call, Call::ListModels(query.to_owned()));
        route.dialect
    };
    assert_eq!(list("/v1/models", true, false), Dialect::Anthropic);
    assert_eq!(list("/anthropic/v1/models", false, false), Dialect::Anthropic);
    assert_eq!(list("/v1/models", false, false), Dialect::Openai);
    assert_eq!(list("/v1/models", false, true), Dialect::Gemini);
    assert_eq!(list("/v1/models?key=slc-x", false, false), Dialect::Gemini);
    assert_eq!(list("/v1/models?limit=1000", true, false), Dialect::Anthropic);
    for path in ["/v1beta/models", "/gemini/v1/models", "/v1beta1/models?pageSize=5"] {
        assert_eq!(list(path, false, false), Dialect::Gemini, "{path}");
    }
}

#[test]
fn everything_else_is_not_found() {
    for path in [
        "/",
        "/v1",
        "/v1/chat",
        "/v1/../v1/chat/completions",
        "/v2/chat/completions",
        "/v1/chat%2Fcompletions",
    ] {
        let (dialect, rejection) = route(&incoming("POST", path)).unwrap_err();
        assert_eq!((dialect, rejection.error.status), (Dialect::Openai, 404), "{path}");
        assert!(rejection.error.message.contains("/v1beta/models/{model}:generateContent"));
    }
    assert_eq!(route(&incoming("GET", "/v1/messages")).unwrap_err().0, Dialect::Anthropic);
    // A placeholder of Google's header says nothing where the path is another's.
    let chat = Incoming { google: true, ..incoming("POST", "/v1/chat") };
    assert_eq!(route(&chat).unwrap_err().0, Dialect::Openai);
}

#[test]
fn query_parameters_are_decoded() {
    assert_eq!(query("/x?a=1&key=s%6Cc-1", "key").as_deref(), Some("slc-1"));
    assert_eq!(query("/x?a=1", "key"), None);
    assert_eq!(query("/x?key=%zz%e", "key").as_deref(), Some("%zz%e"));
}
