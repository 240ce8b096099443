//! The control API: makes virtual providers, scripts them, and shows what they saw.
//!
//! Invariant: what is answered with a 2xx is already so: a script is in place, a socket is closed or open again.

use super::api::Api;
use super::attempt::Report;
use super::behaviour::{Behaviour, Refused, Script};
use super::catalog::Model;
use super::{Instance, Simulator};
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Bodies of faults may be large.
const LARGEST: usize = 64 << 20;

/// What is wanted of a new provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProvider {
    /// How the control API calls it.
    pub(crate) name: String,
    /// Whose API it is; `dialect` says the same.
    #[serde(alias = "dialect")]
    pub(crate) api: Api,
    /// Where it listens; 0: anywhere.
    #[serde(default)]
    pub(crate) port: u16,
    /// The only credential it takes; absent: any.
    #[serde(default)]
    pub(crate) credential: Option<String>,
    /// What it offers besides the vendor's models.
    #[serde(default)]
    pub(crate) models: Vec<Model>,
}

/// A provider as the control API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Described {
    /// Its name.
    pub(crate) name: String,
    /// Whose API it is.
    pub(crate) api: Api,
    /// What to configure as the provider's base URL.
    pub(crate) base_url: String,
    /// How many behaviours of its script are still to come.
    pub(crate) scripted: usize,
}

/// Why a control request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No provider has that name.
    #[error("no provider is named `{0}`")]
    Unknown(String),
    /// A provider has that name already.
    #[error("a provider is named `{0}` already")]
    Taken(String),
    /// The simulator does not know that vendor.
    #[error("`{}`: the simulator has no such API", .0.name())]
    Homeless(Api),
    /// The credential is not of the vendor's kind.
    #[error("`credential`: not one of `{}`", .0.name())]
    Credential(Api),
    /// The body is not what the operation takes.
    #[error(transparent)]
    Body(#[from] JsonRejection),
    /// The script cannot be played.
    #[error(transparent)]
    Script(#[from] Refused),
    /// The port cannot be listened on.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

impl NewProvider {
    /// The provider of this kind that is always there.
    pub(super) fn usual(api: Api, port: u16) -> Self {
        Self { name: api.name().to_owned(), api, port, credential: None, models: Vec::new() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Taken(_) | Self::Listen(_) => StatusCode::CONFLICT,
            Self::Body(_) | Self::Script(_) | Self::Homeless(_) | Self::Credential(_) => {
                StatusCode::BAD_REQUEST
            }
        };
        (status, Json(json!({"error": self.to_string()}))).into_response()
    }
}

type Answer<T> = Result<Json<T>, Failure>;
type Body<T> = Result<Json<T>, JsonRejection>;
type Shared = State<Arc<Simulator>>;

/// The control API's routes.
pub(crate) fn router(simulator: Arc<Simulator>) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({"status": "ok"}))))
        .route("/providers", get(list).post(create))
        .route("/providers/{name}", get(show).delete(remove))
        .route("/providers/{name}/script", post(script))
        .route("/providers/{name}/reset", post(reset))
        .route("/providers/{name}/models", post(register))
        .route("/providers/{name}/refuse", post(refuse))
        .route("/providers/{name}/attempts", get(attempts))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(simulator)
}

fn named(simulator: &Simulator, name: &str) -> Result<Arc<Instance>, Failure> {
    simulator.get(name).ok_or_else(|| Failure::Unknown(name.to_owned()))
}

async fn list(State(simulator): Shared) -> Json<Vec<Described>> {
    Json(simulator.all().iter().map(|instance| instance.describe()).collect())
}

async fn create(State(simulator): Shared, body: Body<NewProvider>) -> Answer<Described> {
    let instance = simulator.add(body?.0).await?;
    Ok(Json(instance.describe()))
}

async fn show(State(simulator): Shared, Path(name): Path<String>) -> Answer<Described> {
    Ok(Json(named(&simulator, &name)?.describe()))
}

async fn remove(State(simulator): Shared, Path(name): Path<String>) -> Answer<Value> {
    simulator.remove(&name).await?;
    Ok(Json(json!({})))
}

async fn script(
    State(simulator): Shared,
    Path(name): Path<String>,
    body: Body<Vec<Behaviour>>,
) -> Answer<Described> {
    let instance = named(&simulator, &name)?;
    instance.provider.script(Script::new(body?.0)?);
    Ok(Json(instance.describe()))
}

async fn reset(State(simulator): Shared, Path(name): Path<String>) -> Answer<Described> {
    let instance = named(&simulator, &name)?;
    instance.provider.reset();
    instance.door.refuse(false).await?;
    Ok(Json(instance.describe()))
}

async fn register(
    State(simulator): Shared,
    Path(name): Path<String>,
    body: Body<Model>,
) -> Answer<Described> {
    let instance = named(&simulator, &name)?;
    instance.provider.register(body?.0);
    Ok(Json(instance.describe()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refuse {
    on: bool,
}

async fn refuse(State(simulator): Shared, Path(name): Path<String>, body: Body<Refuse>) -> Answer<Described> {
    let instance = named(&simulator, &name)?;
    instance.door.refuse(body?.0.on).await?;
    Ok(Json(instance.describe()))
}

/// `?settled=N`: answer when so many attempts have ended, or after `timeout_ms`.
#[derive(Debug, Deserialize)]
struct Patience {
    #[serde(default)]
    settled: u64,
    #[serde(default = "five_seconds")]
    timeout_ms: u64,
}

const fn five_seconds() -> u64 {
    5_000
}

async fn attempts(
    State(simulator): Shared,
    Path(name): Path<String>,
    Query(patience): Query<Patience>,
) -> Answer<Report> {
    let instance = named(&simulator, &name)?;
    let log = instance.provider.log();
    Ok(Json(log.settled(patience.settled, Duration::from_millis(patience.timeout_ms)).await))
}
