//! The module as an xDS client: delta discovery (xDS protocol, "incremental ADS") as a value without IO.
//!
//! Invariant: a response is taken whole or refused whole, and every response is answered.

use super::state::{Pushed, State};
use crate::config::{Payload, type_url};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};

/// The gRPC service.
pub const SERVICE: &str = "envoy.service.discovery.v3.AggregatedDiscoveryService";
/// Its method.
pub const METHOD: &str = "DeltaAggregatedResources";
/// How the module names itself in [`Node::user_agent_name`].
pub const USER_AGENT: &str = "sluice-module";

/// Settings first: nothing can be verified without them.
const TYPES: [&str; 4] = [type_url::SETTINGS, type_url::PROVIDER, type_url::MODEL, type_url::KEY];

/// `envoy.service.discovery.v3.DeltaDiscoveryRequest`, the fields that are used.
#[derive(Clone, PartialEq, Message)]
pub struct Request {
    /// Who asks; in the first request of a stream.
    #[prost(message, optional, tag = "1")]
    pub node: Option<Node>,
    /// Of what.
    #[prost(string, tag = "2")]
    pub type_url: String,
    /// Names to follow from now on; `*` for all.
    #[prost(string, repeated, tag = "3")]
    pub resource_names_subscribe: Vec<String>,
    /// What is known already, in the first request of a type.
    #[prost(btree_map = "string, string", tag = "5")]
    pub initial_resource_versions: BTreeMap<String, String>,
    /// Which response this answers.
    #[prost(string, tag = "6")]
    pub response_nonce: String,
    /// Why that response was refused.
    #[prost(message, optional, tag = "7")]
    pub error_detail: Option<Status>,
}

/// `envoy.config.core.v3.Node`, the fields that are used.
#[derive(Clone, PartialEq, Message)]
pub struct Node {
    /// Envoy's node id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// `vm`: the VM's id.
    #[prost(message, optional, tag = "3")]
    pub metadata: Option<Struct>,
    /// [`USER_AGENT`].
    #[prost(string, tag = "6")]
    pub user_agent_name: String,
}

/// `google.protobuf.Struct`
#[derive(Clone, PartialEq, Message)]
pub struct Struct {
    /// By name.
    #[prost(btree_map = "string, message", tag = "1")]
    pub fields: BTreeMap<String, Value>,
}

/// `google.protobuf.Value`, strings only.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// The string.
    #[prost(string, optional, tag = "3")]
    pub string_value: Option<String>,
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    /// A gRPC code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// For people.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// `envoy.service.discovery.v3.DeltaDiscoveryResponse`, the fields that are used.
#[derive(Clone, PartialEq, Message)]
pub struct Response {
    /// What is new or changed.
    #[prost(message, repeated, tag = "2")]
    pub resources: Vec<Resource>,
    /// Of what type.
    #[prost(string, tag = "4")]
    pub type_url: String,
    /// To be named in the answer.
    #[prost(string, tag = "5")]
    pub nonce: String,
    /// What is gone.
    #[prost(string, repeated, tag = "6")]
    pub removed_resources: Vec<String>,
}

/// `envoy.service.discovery.v3.Resource`, the fields that are used.
#[derive(Clone, PartialEq, Message)]
pub struct Resource {
    /// Its version.
    #[prost(string, tag = "1")]
    pub version: String,
    /// Itself.
    #[prost(message, optional, tag = "2")]
    pub resource: Option<Any>,
    /// Its name.
    #[prost(string, tag = "3")]
    pub name: String,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Message)]
pub struct Any {
    /// What the value is.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// A [`Payload`].
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// What one VM follows.
#[derive(Debug, Default)]
pub struct Subscription {
    node: String,
    vm: String,
    versions: BTreeMap<&'static str, BTreeMap<String, String>>,
    /// Keys that were looked up, and are followed by name.
    keys: BTreeSet<String>,
}

/// What a response came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The answer to send.
    pub answer: Vec<u8>,
    /// Why it was refused.
    pub refused: Option<String>,
}

impl Subscription {
    /// For the Envoy `node` and the VM `vm`.
    #[must_use]
    pub fn new(node: String, vm: String) -> Self {
        Self { node, vm, ..Self::default() }
    }

    /// The first messages of a new stream.
    #[must_use]
    pub fn open(&self) -> Vec<Vec<u8>> {
        let vm = Value { string_value: Some(self.vm.clone()) };
        let metadata = Struct { fields: [("vm".to_owned(), vm)].into() };
        let node =
            Node { id: self.node.clone(), metadata: Some(metadata), user_agent_name: USER_AGENT.to_owned() };
        TYPES
            .iter()
            .enumerate()
            .map(|(index, type_url)| {
                let mut names = vec!["*".to_owned()];
                if *type_url == type_url::KEY {
                    names.extend(self.keys.iter().cloned());
                }
                Request {
                    node: (index == 0).then(|| node.clone()),
                    type_url: (*type_url).to_owned(),
                    resource_names_subscribe: names,
                    initial_resource_versions: self.versions.get(type_url).cloned().unwrap_or_default(),
                    ..Request::default()
                }
                .encode_to_vec()
            })
            .collect()
    }

    /// Follows a key that was looked up. The message to send, unless it is followed already.
    pub fn follow(&mut self, key: &str) -> Option<Vec<u8>> {
        self.keys.insert(key.to_owned()).then(|| {
            Request {
                type_url: type_url::KEY.to_owned(),
                resource_names_subscribe: vec![key.to_owned()],
                ..Request::default()
            }
            .encode_to_vec()
        })
    }

    /// Takes a message of the stream into `state`. `None` if it is no discovery response: the stream is to be reopened.
    pub fn take(&mut self, message: &[u8], state: &mut State) -> Option<Taken> {
        let response = Response::decode(message).ok()?;
        let refused = self.apply(&response, state).err();
        let error_detail = refused.clone().map(|message| Status { code: 3, message });
        let answer = Request {
            type_url: response.type_url,
            response_nonce: response.nonce,
            error_detail,
            ..Request::default()
        };
        Some(Taken { answer: answer.encode_to_vec(), refused })
    }

    fn apply(&mut self, response: &Response, state: &mut State) -> Result<(), String> {
        let type_url = TYPES
            .into_iter()
            .find(|known| *known == response.type_url)
            .ok_or_else(|| format!("{}: not subscribed to", response.type_url))?;
        let payloads = response
            .resources
            .iter()
            .map(|resource| {
                let any =
                    resource.resource.as_ref().ok_or_else(|| format!("{}: no resource", resource.name))?;
                Payload::decode(any.value.as_slice()).map_err(|error| format!("{}: {error}", resource.name))
            })
            .collect::<Result<Vec<_>, String>>()?;
        let set: Vec<Pushed<'_>> = response
            .resources
            .iter()
            .zip(&payloads)
            .map(|(resource, payload)| Pushed { name: &resource.name, json: &payload.json })
            .collect();
        state.apply(type_url, &set, &response.removed_resources).map_err(|refused| refused.to_string())?;
        let versions = self.versions.entry(type_url).or_default();
        for resource in &response.resources {
            versions.insert(resource.name.clone(), resource.version.clone());
        }
        for name in &response.removed_resources {
            versions.remove(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(type_url: &str, resources: &[(&str, &str)], removed: &[&str]) -> Vec<u8> {
        let resource = |(name, json): &(&str, &str)| Resource {
            version: "7".into(),
            name: (*name).into(),
            resource: Some(Any {
                type_url: type_url.into(),
                value: Payload { json: json.as_bytes().to_vec() }.encode_to_vec(),
            }),
        };
        Response {
            resources: resources.iter().map(resource).collect(),
            type_url: type_url.into(),
            nonce: "n1".into(),
            removed_resources: removed.iter().map(ToString::to_string).collect(),
        }
        .encode_to_vec()
    }

    const GOOD: &str = r#"{"name":"a","dialect":"openai","base_url":"https://a.example/v1"}"#;

    #[test]
    fn a_response_is_taken_whole_or_not_at_all() {
        let mut subscription = Subscription::new("node".into(), "vm".into());
        let mut state = State::default();
        let taken = subscription
            .take(&response(type_url::PROVIDER, &[("a", GOOD), ("b", "{}")], &[]), &mut state)
            .unwrap();
        let nack = Request::decode(taken.answer.as_slice()).unwrap();
        assert_eq!(nack.response_nonce, "n1");
        assert!(nack.error_detail.unwrap().message.starts_with("b: "), "the reason names the resource");
        assert!(state.provider("a").is_none(), "nothing of a refused response is used");

        let taken =
            subscription.take(&response(type_url::PROVIDER, &[("a", GOOD)], &[]), &mut state).unwrap();
        assert_eq!(taken.refused, None);
        assert!(state.provider("a").is_some());
        let taken = subscription.take(&response(type_url::PROVIDER, &[], &["a"]), &mut state).unwrap();
        assert!(taken.refused.is_none() && state.provider("a").is_none());
    }

    #[test]
    fn a_new_stream_tells_what_is_known() {
        let mut subscription = Subscription::new("node".into(), "vm".into());
        subscription.take(&response(type_url::PROVIDER, &[("a", GOOD)], &[]), &mut State::default()).unwrap();
        assert!(subscription.follow("k").is_some() && subscription.follow("k").is_none());
        let first: Vec<Request> =
            subscription.open().iter().map(|message| Request::decode(message.as_slice()).unwrap()).collect();
        assert_eq!(first.iter().filter(|request| request.node.is_some()).count(), 1);
        assert_eq!(first[1].initial_resource_versions.get("a").map(String::as_str), Some("7"));
        assert_eq!(first[3].resource_names_subscribe, ["*", "k"]);
    }
}
