//! The look-up of a stored reply that an Envoy has not seen made: its record tells who had it made, and where it is.
//!
//! Written by hand instead of generated: the messages are [`prost`] types of the root crate, and one method is not worth a
//! protobuf compiler in the build.

use crate::ledger::Ledger;
use sluice::config::{Payload, ReplyRequest, reply_lookup};
use std::convert::Infallible;
use std::future::ready;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, StdError};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

/// The service; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct ReplyLookup(pub(super) Ledger);

impl ReplyLookup {
    async fn find(self, id: String) -> Result<Response<Payload>, Status> {
        let makers = self.0.makers(&id).await.map_err(|error| {
            tracing::error!(%error, "the ledger cannot be asked who had a reply made");
            Status::unavailable("the ledger cannot be read")
        })?;
        let json = serde_json::to_vec(&makers).map_err(|error| {
            tracing::error!(%error, "who had a reply made cannot be written");
            Status::internal("the answer could not be written")
        })?;
        Ok(Response::new(Payload { json }))
    }
}

impl UnaryService<ReplyRequest> for ReplyLookup {
    type Response = Payload;
    type Future = BoxFuture<Response<Payload>, Status>;

    fn call(&mut self, request: Request<ReplyRequest>) -> Self::Future {
        Box::pin(self.clone().find(request.into_inner().id))
    }
}

impl NamedService for ReplyLookup {
    const NAME: &'static str = reply_lookup::SERVICE;
}

impl<B> tonic::codegen::Service<http::Request<B>> for ReplyLookup
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
        if method != Some(reply_lookup::METHOD) {
            let unknown = Status::new(Code::Unimplemented, "the service has one method, Get");
            return Box::pin(ready(Ok(unknown.into_http())));
        }
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Payload, ReplyRequest>::default());
            Ok(grpc.unary(service, request).await)
        })
    }
}
