//! The look-ups that the module makes: unary calls that ask about one id.
//!
//! Written by hand instead of generated: the messages are [`prost`] types of the root crate, and a method each is not worth a
//! protobuf compiler in the build.

use prost::Message;
use sluice::config::Payload;
use std::convert::Infallible;
use std::future::ready;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, StdError};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

/// What answers a look-up.
pub(crate) trait Answer: Clone + Send + Sync + 'static {
    /// The gRPC service.
    const SERVICE: &'static str;
    /// Its one method.
    const METHOD: &'static str;
    /// Who is asked about.
    type Question: Message + Default + 'static;

    /// Answers one call.
    fn answer(self, question: Self::Question) -> impl Future<Output = Result<Payload, Status>> + Send;
}

/// A look-up as a gRPC service; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Lookup<A>(pub(crate) A);

impl<A: Answer> UnaryService<A::Question> for Lookup<A> {
    type Response = Payload;
    type Future = BoxFuture<Response<Payload>, Status>;

    fn call(&mut self, request: Request<A::Question>) -> Self::Future {
        let answering = self.0.clone().answer(request.into_inner());
        Box::pin(async { answering.await.map(Response::new) })
    }
}

impl<A: Answer> NamedService for Lookup<A> {
    const NAME: &'static str = A::SERVICE;
}

impl<A, B> tonic::codegen::Service<http::Request<B>> for Lookup<A>
where
    A: Answer,
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
        if request.uri().path().rsplit('/').next() != Some(A::METHOD) {
            let unknown =
                Status::new(Code::Unimplemented, format!("the service has one method, {}", A::METHOD));
            return Box::pin(ready(Ok(unknown.into_http())));
        }
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Payload, A::Question>::default());
            Ok(grpc.unary(service, request).await)
        })
    }
}
