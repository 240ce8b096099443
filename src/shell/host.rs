//! Calls of the host. What fails is logged once here and comes back as nothing.
//!
//! The SDK's trait methods unwrap, and its functions panic on a status that they do not expect; a trap takes the worker's
//! whole VM down. So nothing else calls the host, and callers keep to what Envoy can always do: a body is replaced only
//! where Envoy has one (in a body callback, or held since one), and properties are read at leaf paths only.

use crate::gateway::Now;
use crate::gateway::headers::Headers;
use crate::gateway::kept::Shelves;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, Status};
use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant, UNIX_EPOCH};

/// How long a reading of the wall clock is gone on from.
const WALL_HOLDS_US: u64 = 1_000_000;

thread_local! {
    /// The last reading of the wall clock: monotonic and Unix microseconds.
    static WALL: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    static START: Instant = Instant::now();
    static RANDOM: Cell<u64> = Cell::new(seed());
}

/// The host's entropy: the standard library seeds its hash maps from it.
fn seed() -> u64 {
    RandomState::new().build_hasher().finish() | 1
}

/// A random number; not for secrets.
pub(super) fn random() -> u64 {
    RANDOM.with(|state| {
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        x
    })
}

/// A monotonic moment in microseconds.
pub(super) fn mono_us() -> u64 {
    START.with(|start| u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// The moment. The wall clock is read about once a second, and the monotonic one added to it.
pub(super) fn now() -> Now {
    let mono_us = mono_us();
    let (read_at, mut wall_us) = WALL.get();
    let since = mono_us - read_at;
    if wall_us == 0 || since >= WALL_HOLDS_US {
        let wall = logged("get_current_time", hostcalls::get_current_time());
        wall_us = wall
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|since| u64::try_from(since.as_micros()).ok())
            .unwrap_or_default();
        WALL.set((mono_us, wall_us));
        return Now { wall_us, mono_us };
    }
    Now { wall_us: wall_us + since, mono_us }
}

fn logged<T>(call: &str, result: Result<T, Status>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(status) => {
            log::error!("{call} failed: {status:?}");
            None
        }
    }
}

/// All request headers.
pub(super) fn request_headers() -> Headers {
    logged("request headers", hostcalls::get_map_bytes(MapType::HttpRequestHeaders)).unwrap_or_default()
}

/// All headers of the reply.
pub(super) fn response_headers() -> Headers {
    logged("response headers", hostcalls::get_map_bytes(MapType::HttpResponseHeaders)).unwrap_or_default()
}

/// Whether the reply has a header.
pub(super) fn has_response_header(name: &str) -> bool {
    let value = hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, name);
    logged("response header", value).flatten().is_some()
}

/// The reply's status.
pub(super) fn response_status() -> Option<u16> {
    logged("status", hostcalls::get_map_value(MapType::HttpResponseHeaders, ":status"))
        .flatten()?
        .parse()
        .ok()
}

/// Replaces all request headers.
pub(super) fn set_request_headers(headers: &Headers) {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    logged("set request headers", hostcalls::set_map_bytes(MapType::HttpRequestHeaders, pairs));
}

/// Replaces all headers of the reply.
pub(super) fn set_response_headers(headers: &[(String, Vec<u8>)]) {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    logged("set response headers", hostcalls::set_map_bytes(MapType::HttpResponseHeaders, pairs));
}

/// Sets one request header.
pub(super) fn set_request_header(name: &str, value: &str) {
    logged("set request header", hostcalls::set_map_value(MapType::HttpRequestHeaders, name, Some(value)));
}

/// Removes one request header.
pub(super) fn remove_request_header(name: &str) {
    logged("remove request header", hostcalls::remove_map_value(MapType::HttpRequestHeaders, name));
}

/// Adds one header to the reply.
pub(super) fn add_response_header(name: &str, value: &str) {
    logged("add response header", hostcalls::add_map_value(MapType::HttpResponseHeaders, name, value));
}

fn body(kind: BufferType, start: usize, length: usize) -> Vec<u8> {
    if length == 0 {
        return Vec::new();
    }
    logged("body", hostcalls::get_buffer(kind, start, length)).flatten().unwrap_or_default()
}

/// The request body that is buffered.
pub(super) fn request_body(size: usize) -> Vec<u8> {
    body(BufferType::HttpRequestBody, 0, size)
}

/// A part of the reply's body that is buffered.
pub(super) fn response_body(start: usize, length: usize) -> Vec<u8> {
    body(BufferType::HttpResponseBody, start, length)
}

/// The message of a gRPC call or stream.
pub(super) fn grpc_message(size: usize) -> Vec<u8> {
    body(BufferType::GrpcReceiveBuffer, 0, size)
}

/// Replaces all of the request body that is buffered.
pub(super) fn set_request_body(value: &[u8]) {
    logged("set request body", hostcalls::set_buffer(BufferType::HttpRequestBody, 0, usize::MAX, value));
}

/// Replaces all of the reply's body that is buffered.
pub(super) fn set_response_body(value: &[u8]) {
    logged("set response body", hostcalls::set_buffer(BufferType::HttpResponseBody, 0, usize::MAX, value));
}

/// A property at a leaf path; message-typed paths are errors in Envoy and nothing here.
pub(super) fn property(path: &[&str]) -> Option<Vec<u8>> {
    hostcalls::get_property(path.to_vec()).ok().flatten()
}

/// Sets filter state: `name` becomes `wasm.<name>`.
pub(super) fn set_state(name: &str, value: &[u8]) {
    logged("set filter state", hostcalls::set_property(vec![name], Some(value)));
}

/// Data that all workers of this Envoy share. Envoy answers with nothing but what the SDK expects: found, not found, written,
/// and written by somebody else meanwhile.
#[derive(Debug)]
pub(super) struct Shared;

impl Shelves for Shared {
    fn read(&self, name: &str) -> Option<(Vec<u8>, Option<u32>)> {
        match logged("get shared data", hostcalls::get_shared_data(name))? {
            // Envoy's versions begin with one: without it, there is no such data.
            (_, None) => None,
            (content, version) => Some((content.unwrap_or_default(), version)),
        }
    }

    fn write(&self, name: &str, content: &[u8], version: Option<u32>) -> bool {
        match hostcalls::set_shared_data(name, Some(content), version) {
            Ok(()) => true,
            Err(Status::CasMismatch) => false,
            Err(status) => {
                log::error!("set shared data failed: {status:?}");
                false
            }
        }
    }
}

/// Answers the client directly. `:status` stands first among the headers.
pub(super) fn reply(headers: &[(&str, String)], body: &[u8]) {
    let status = headers.first().and_then(|(_, value)| value.parse().ok()).unwrap_or(500);
    let rest = headers.iter().skip(1).map(|(name, value)| (*name, value.as_str())).collect();
    logged("reply", hostcalls::send_http_response(status, rest, Some(body)));
}

/// Lets a paused request go on.
pub(super) fn resume_request() {
    logged("resume request", hostcalls::resume_http_request());
}

/// Aborts the reply: the client sees that it is not whole.
pub(super) fn reset_response() {
    logged("reset response", hostcalls::reset_http_response());
}

/// Makes a context the one that the next calls are about; `false` if it is gone.
pub(super) fn enter(context: u32) -> bool {
    hostcalls::set_effective_context(context).is_ok()
}

/// Asks for a tick of the current root context every so often; zero for none.
pub(super) fn tick_every(period: Duration) {
    logged("set tick period", hostcalls::set_tick_period(period));
}

fn metadata(token: &str) -> Option<String> {
    (!token.is_empty()).then(|| format!("Bearer {token}"))
}

/// Opens a gRPC stream; `None` if the cluster cannot be used now.
pub(super) fn open_stream(cluster: &str, service: &str, method: &str, token: &str) -> Option<u32> {
    let bearer = metadata(token);
    let initial = bearer.iter().map(|value| ("authorization", value.as_bytes())).collect();
    hostcalls::open_grpc_stream(cluster, service, method, initial).ok()
}

/// Sends on a gRPC stream.
pub(super) fn send_message(stream: u32, message: &[u8]) {
    logged("send message", hostcalls::send_grpc_stream_message(stream, Some(message), false));
}

/// Gives a gRPC stream up.
pub(super) fn cancel_stream(stream: u32) {
    logged("cancel stream", hostcalls::cancel_grpc_stream(stream));
}

/// Makes a unary gRPC call; `None` if it cannot even begin.
pub(super) fn call(cluster: &str, service: &str, method: &str, token: &str, message: &[u8]) -> Option<u32> {
    let bearer = metadata(token);
    let initial = bearer.iter().map(|value| ("authorization", value.as_bytes())).collect();
    let timeout = Duration::from_secs(2);
    hostcalls::dispatch_grpc_call(cluster, service, method, initial, Some(message), timeout).ok()
}
