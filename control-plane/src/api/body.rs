//! What requests carry, read strictly.
//!
//! Invariant: a member that no type knows is refused with its path, however deep it is, so that a typing error
//! cannot silently configure nothing.

use super::error::ApiError;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

/// A JSON body whose every member may be absent, and so the body itself.
pub(super) struct OptionalJson<T>(pub(super) T);

/// A JSON merge patch (RFC 7396).
pub(super) struct Patch(Value);

/// The parameters of a query string.
pub(super) struct Params<T>(pub(super) T);

/// The one parameter of a path.
pub(super) struct Name(pub(super) String);

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|rejection: BytesRejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let message = "the body is larger than this path takes";
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
        }
        _ => ApiError::invalid_request("the body could not be read".into()),
    })
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        read(&bytes(request, state).await?).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = bytes(request, state).await?;
        if bytes.is_empty() { Ok(Self(T::default())) } else { read(&bytes).map(Self) }
    }
}

impl<S: Send + Sync> FromRequest<S> for Patch {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match serde_json::from_slice(&bytes(request, state).await?) {
            Ok(patch @ Value::Object(_)) => Ok(Self(patch)),
            Ok(_) => Err(ApiError::invalid("body", "an object")),
            Err(error) => Err(ApiError::invalid_request(format!("body: {error}"))),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let rejected = |error: axum::extract::rejection::QueryRejection| {
            ApiError::invalid_request(format!("query: {}", error.body_text()))
        };
        Query::try_from_uri(&parts.uri).map(|Query(params)| Self(params)).map_err(rejected)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name))
            .map_err(|error| ApiError::invalid_request(format!("path: {}", error.body_text())))
    }
}

impl Patch {
    pub(super) fn new(patch: serde_json::Map<String, Value>) -> Self {
        Self(Value::Object(patch))
    }

    /// `current` with the patch over it: `null` takes a member back to its default, lists are replaced whole.
    pub(super) fn over<T: Serialize + DeserializeOwned>(self, current: &T) -> Result<T, ApiError> {
        let unprintable = |error: serde_json::Error| ApiError::invalid_request(format!("body: {error}"));
        let mut merged = serde_json::to_value(current).map_err(unprintable)?;
        merge(&mut merged, self.0);
        strict(merged)
    }
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, change) in patch {
        if change.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), change);
        }
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // A list would be read as a type's members in their order, and an empty one as all their defaults.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte == b'[') {
        return Err(ApiError::invalid("body", "an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = strict(&mut json)?;
    json.end().map_err(|error| ApiError::invalid_request(format!("body: {error}")))?;
    Ok(value)
}

/// Reads a `T` and refuses what it does not know.
fn strict<'de, T: DeserializeOwned, D: Deserializer<'de>>(input: D) -> Result<T, ApiError>
where
    D::Error: std::fmt::Display,
{
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let mut note = |path: serde_ignored::Path<'_>| unknown.push(dotted(&path));
    let tracked = serde_path_to_error::Deserializer::new(input, &mut track);
    let value = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut note)).map_err(|error| {
        let path = track.path().to_string();
        let path = if path == "." { "body".into() } else { path };
        ApiError::invalid_request(format!("{path}: {error}"))
    })?;
    if unknown.is_empty() { Ok(value) } else { Err(ApiError::invalid(unknown.join(", "), "no such member")) }
}

/// `chain[0].targets`, as the other errors write paths.
fn dotted(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path::{Map, NewtypeStruct, NewtypeVariant, Root, Seq, Some};
    match path {
        Root => String::new(),
        Seq { parent, index } => format!("{}[{index}]", dotted(parent)),
        Map { parent, key } => match dotted(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Some { parent } | NewtypeStruct { parent } | NewtypeVariant { parent } => dotted(parent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sluice::config::RetryPolicy;

    #[test]
    fn patches_merge_as_rfc_7396_says() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "l": [1, 2], "s": "x"});
        merge(&mut target, json!({"a": {"b": null, "d": {"e": null}}, "l": [3], "s": {"t": 1}}));
        assert_eq!(target, json!({"a": {"c": 2, "d": {}}, "l": [3], "s": {"t": 1}}));
    }

    #[test]
    fn unknown_and_wrong_members_are_named_with_their_path() {
        #[derive(serde::Deserialize)]
        struct Outer {
            #[serde(rename = "steps")]
            _steps: Vec<Option<RetryPolicy>>,
        }
        let message =
            |value: Value| strict::<Outer, _>(value).err().map(|error| format!("{error:?}")).unwrap();
        assert!(
            message(json!({"steps": [{}, {"bakoff": 1}]}))
                .contains("steps[1].bakoff: expected no such member")
        );
        assert!(
            message(json!({"steps": [{"refusal": "maybe"}]})).contains("steps[0].refusal: unknown variant")
        );
        assert!(message(json!({})).contains("body: missing field `steps`"));
    }
}
