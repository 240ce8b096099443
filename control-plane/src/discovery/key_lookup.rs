//! The one unary call the module makes: an unknown but well-formed key.
//!
//! Written by hand instead of generated: the two messages are [`prost`] types of the root crate, and one method is
//! not worth a protobuf compiler in the build.

use super::Discovery;
use sluice::config::{KeyRequest, Payload, key_lookup};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, StdError};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

/// The service; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct KeyLookup(pub(super) Discovery);

impl KeyLookup {
    fn find(&self, id: &str) -> Result<Payload, Status> {
        self.0.fleet.count_key_lookup();
        let snapshot = self.0.source.current();
        let key = snapshot.keys.get(id).ok_or_else(|| Status::not_found("no such key"))?;
        let json = serde_json::to_vec(&*key.value).map_err(|error| {
            tracing::error!(%error, "a key cannot be written");
            Status::internal("the key could not be written")
        })?;
        Ok(Payload { json })
    }
}

impl UnaryService<KeyRequest> for KeyLookup {
    type Response = Payload;
    type Future = Ready<Result<Response<Payload>, Status>>;

    fn call(&mut self, request: Request<KeyRequest>) -> Self::Future {
        ready(self.find(&request.get_ref().id).map(Response::new))
    }
}

impl NamedService for KeyLookup {
    const NAME: &'static str = key_lookup::SERVICE;
}

impl<B> tonic::codegen::Service<http::Request<B>> for KeyLookup
where
    B: tonic::codegen::Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let service = self.clone();
        let method = request.uri().path().rsplit('/').next();
        if method != Some(key_lookup::METHOD) {
            let unknown = Status::new(Code::Unimplemented, "the service has one method, Get");
            return Box::pin(ready(Ok(unknown.into_http())));
        }
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Payload, KeyRequest>::default());
            Ok(grpc.unary(service, request).await)
        })
    }
}
