//! Every request that the golden fixtures have, written for every model of every vendor and asked of it: what the gateway
//! sends must be what the vendor takes. What a vendor is right to refuse stands in [`refused::RIGHTLY`].

use super::super::answer::{Answer, Call, Content};
use super::super::catalog::{Catalog, Model, Traits};
use super::super::turn::Bias;
use super::super::vendor::Vendor;
use super::*;
use sluice::config::{Dialect, Endpoint, Operation, Provider};
use sluice::dialect::{Ask, Outbound, Target, inbound, outbound, patch};
use sluice::ir::error::Malformed;
use sluice::ir::loss::Loss;
use sluice::provider::Upstream;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

mod refused;

/// Golden outputs name it; a vendor's imitator may offer it, and takes whatever the dialect has.
const ANY: &str = "upstream-model";

/// A provider's configuration and the vendor behind it.
struct Place {
    name: &'static str,
    dialect: Dialect,
    upstream: Upstream,
    vendor: Box<dyn Vendor>,
    models: Vec<Model>,
}

/// A vendor as a provider of the gateway's, with those of its models that a test of their ids takes.
fn place(name: &'static str, api: Api, provider: Value, takes: fn(&str) -> bool) -> Place {
    let mut provider = provider;
    provider["name"] = json!(name);
    let provider: Provider = serde_json::from_value(provider).unwrap();
    let vendor = api.vendor().unwrap();
    let mut catalog = Catalog::of(vendor.models());
    catalog.register(serde_json::from_value(json!({"id": ANY})).unwrap());
    let models = catalog.all().iter().filter(|model| takes(&model.id)).cloned().collect();
    Place { name, dialect: provider.dialect, upstream: Upstream::new(&provider).unwrap(), vendor, models }
}

fn places() -> Vec<Place> {
    let any = |_: &str| true;
    let bearer = json!({"kind": "bearer", "secret": "k"});
    let google = json!({"kind": "bearer", "secret": "ya29.token"});
    let vertex = "https://us-east5-aiplatform.googleapis.com/v1/projects/my-project/locations/us-east5";
    let azure = json!({"kind": "azure", "api_version": "2025-04-01-preview"});
    vec![
        place(
            "openai",
            Api::Openai,
            json!({"dialect": "openai", "base_url": "https://api.openai.com/v1", "auth": bearer}),
            any,
        ),
        place(
            "responses",
            Api::Openai,
            json!({"dialect": "responses", "base_url": "https://api.openai.com/v1", "auth": bearer}),
            any,
        ),
        place(
            "azure",
            Api::Azure,
            json!({"dialect": "openai", "base_url": "https://x.openai.azure.com", "vendor": azure,
            "auth": {"kind": "header", "name": "api-key", "secret": "k"}}),
            any,
        ),
        place(
            "anthropic",
            Api::Anthropic,
            json!({"dialect": "anthropic", "base_url": "https://api.anthropic.com",
            "auth": {"kind": "header", "name": "x-api-key", "secret": "k"}}),
            any,
        ),
        place(
            "gemini",
            Api::Gemini,
            json!({"dialect": "gemini", "base_url": "https://generativelanguage.googleapis.com/v1beta",
            "auth": {"kind": "header", "name": "x-goog-api-key", "secret": "k"}}),
            any,
        ),
        place(
            "vertex",
            Api::Vertex,
            json!({"dialect": "gemini", "base_url": vertex, "vendor": {"kind": "vertex"}, "auth": google}),
            |id| id.starts_with("gemini-3.8") || id.contains("embedding"),
        ),
        place(
            "vertex-claude",
            Api::Vertex,
            json!({"dialect": "anthropic", "base_url": vertex, "vendor": {"kind": "vertex"}, "auth": google}),
            |id| id.starts_with("claude-sonnet"),
        ),
        place(
            "bedrock",
            Api::Bedrock,
            json!({"dialect": "bedrock", "base_url": "https://bedrock-runtime.us-east-1.amazonaws.com", "auth": bearer}),
            any,
        ),
    ]
}

impl Place {
    /// Asks the vendor what the gateway has written.
    fn ask(&self, path: &str, body: &[u8]) -> Answer {
        let mut headers = http::HeaderMap::new();
        let fixed = [("content-type".to_owned(), "application/json".to_owned())];
        let defaults = self.upstream.defaults(self.dialect).iter();
        let defaults = defaults.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        for (name, value) in fixed.into_iter().chain(defaults).chain(self.upstream.headers.clone()) {
            headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        let mut catalog = Catalog::of(self.vendor.models());
        for model in &self.models {
            catalog.register(model.clone());
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let method = http::Method::POST;
        let (headers, catalog) = (&headers, &catalog);
        self.vendor.answer(&Call {
            method: &method,
            path,
            query,
            headers,
            body,
            catalog,
            credential: None,
            bias: Bias::default(),
            now: 1_700_000_000,
        })
    }

    /// Models that do what is asked.
    fn suited(&self, operation: Operation) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(move |model| match operation {
            Operation::Embed => model.traits == Traits::Embedding,
            _ => !matches!(model.traits, Traits::Embedding | Traits::Image | Traits::Completion),
        })
    }
}

/// What a model is asked for by: on Bedrock, newer ones by an inference profile only.
fn profile(dialect: Dialect, id: &str) -> String {
    let profiled = dialect == Dialect::Bedrock
        && (id.contains("claude") && id.contains("-4-") || id.starts_with("meta."));
    if profiled { format!("us.{id}") } else { id.to_owned() }
}

/// A client's request.
struct Fixture {
    client: Dialect,
    name: String,
    endpoint: Endpoint,
    body: String,
}

fn endpoint(client: Dialect, name: &str) -> Endpoint {
    match name {
        name if name.starts_with("embeddings") => Endpoint::Embeddings,
        name if name.starts_with("count_messages") => Endpoint::CountMessages,
        name if name.starts_with("count_tokens") => Endpoint::CountTokens,
        name if name.starts_with("embed_content") => Endpoint::EmbedContent,
        name if name.starts_with("batch_embed_contents") => Endpoint::BatchEmbedContents,
        _ => client.chat().unwrap(),
    }
}

fn fixtures() -> Vec<Fixture> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/requests");
    let mut found = Vec::new();
    for client in Dialect::CLIENTS {
        for entry in fs::read_dir(root.join(client.name())).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            if let Some((name, "json")) = file.split_once('.') {
                let body = fs::read_to_string(&path).unwrap();
                found.push(Fixture { client, name: name.to_owned(), endpoint: endpoint(client, name), body });
            }
        }
    }
    found.sort_by(|a, b| (a.client, &a.name).cmp(&(b.client, &b.name)));
    assert!(found.len() > 100, "the fixtures are gone");
    found
}

/// Writes a fixture for a model. Nothing where the gateway itself refuses it.
fn written(fixture: &Fixture, room: &dyn Outbound, target: &Target<'_>, stream: bool) -> Option<Vec<u8>> {
    let in_path = fixture.client == Dialect::Gemini;
    let ask = Ask { model: in_path.then_some("client-model"), stream, ..Ask::of(fixture.endpoint) };
    let client = inbound(fixture.client);
    let (mut loss, mut out) = (Loss::default(), Vec::new());
    let mut write = || -> Result<Option<()>, Malformed> {
        patch(fixture.client).peek(&ask, &fixture.body)?;
        if fixture.endpoint.operation() == Operation::Embed {
            let (Some(from), Some(to)) = (client.embeds(), room.embeds()) else { return Ok(None) };
            let request = from.decode_request(&ask, &fixture.body, &mut loss)?;
            return to.encode_request(&request, target, &mut loss, &mut out).map(Some);
        }
        let mut request = client.decode_request(&ask, &fixture.body, &mut loss)?;
        if fixture.endpoint.operation() == Operation::Count {
            let Some(counts) = room.counts() else { return Ok(None) };
            return counts.encode_request(&request, target, &mut loss, &mut out).map(Some);
        }
        request.stream = stream;
        room.encode_request(&request, target, &mut loss, &mut out).map(Some)
    };
    let done = write().ok().flatten();
    done.map(|()| out)
}

#[test]
fn vendors_take_what_the_gateway_sends() {
    let (fixtures, mut wrong, mut met, mut asked) = (fixtures(), Vec::new(), BTreeSet::new(), 0);
    for place in places() {
        let room = outbound(place.dialect);
        for fixture in &fixtures {
            let operation = fixture.endpoint.operation();
            for model in place.suited(operation) {
                for stream in [false, true] {
                    if stream && operation != Operation::Chat {
                        continue;
                    }
                    let most = (model.max_output != u64::MAX).then_some(model.max_output);
                    let id = profile(place.dialect, &model.id);
                    let target = place.upstream.target(fixture.endpoint, place.dialect, &id, most);
                    let Some(body) = written(fixture, room, &target, stream) else { continue };
                    let Some(path) = place.upstream.path(fixture.endpoint, place.dialect, &target, stream)
                    else {
                        continue;
                    };
                    asked += 1;
                    let answer = place.ask(&path, &body);
                    let said = match (&answer.content, answer.status) {
                        (_, 200) => continue,
                        (Content::Json(document), status) => format!("{status} {document}"),
                        (Content::Stream(_), status) => status.to_string(),
                    };
                    let name = format!("{}/{}", fixture.client.name(), fixture.name);
                    match refused::find(&name, place.name, &model.id, &said) {
                        Some(at) => drop(met.insert(at)),
                        None => wrong.push(format!(
                            "{name} to {} {} stream:{stream}\n  {said}\n  {}",
                            place.name,
                            model.id,
                            String::from_utf8_lossy(&body)
                        )),
                    }
                }
            }
        }
    }
    for (at, row) in refused::RIGHTLY.iter().enumerate() {
        if !met.contains(&at) {
            wrong.push(format!("nothing is refused any more as {row:?} says"));
        }
    }
    assert!(asked > 1_000, "{asked} requests were asked");
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
}
