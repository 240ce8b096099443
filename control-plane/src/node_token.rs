//! The token that Envoys present to the control plane: one check for discovery, key look-up and access log.

use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// The expected token; without one every caller is let in. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct NodeToken(Option<Arc<str>>);

impl fmt::Debug for NodeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "NodeToken(set)" } else { "NodeToken(none)" })
    }
}

impl NodeToken {
    /// An empty token counts as none.
    pub(crate) fn new(token: Option<&str>) -> Self {
        Self(token.filter(|token| !token.is_empty()).map(Arc::from))
    }

    /// The token itself, for the configuration that is handed to Envoy.
    pub(crate) fn secret(&self) -> Option<&str> {
        self.0.as_deref()
    }

    fn admits(&self, authorization: Option<&[u8]>) -> bool {
        let Some(token) = &self.0 else { return true };
        let presented = authorization.and_then(|value| value.strip_prefix(b"Bearer ")).unwrap_or_default();
        presented.ct_eq(token.as_bytes()).into()
    }
}

impl Interceptor for NodeToken {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let authorization = request.metadata().get("authorization").map(|value| value.as_encoded_bytes());
        if self.admits(authorization) {
            Ok(request)
        } else {
            Err(Status::unauthenticated(
                "the node token is missing or wrong: send `authorization: Bearer <node token>`",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NodeToken;

    #[test]
    fn only_the_right_bearer_token_is_admitted() {
        let token = NodeToken::new(Some("s3cret"));
        assert!(token.admits(Some(b"Bearer s3cret")));
        for wrong in [
            None,
            Some(&b""[..]),
            Some(b"s3cret"),
            Some(b"Bearer "),
            Some(b"Bearer s3cre"),
            Some(b"Bearer s3cretx"),
        ] {
            assert!(!token.admits(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn without_a_token_everyone_is_admitted() {
        for none in [NodeToken::new(None), NodeToken::new(Some(""))] {
            assert!(none.admits(None) && none.admits(Some(b"Bearer x")));
        }
    }

    #[test]
    fn debug_output_holds_no_secret() {
        assert!(!format!("{:?}", NodeToken::new(Some("s3cret"))).contains("s3cret"));
    }
}
