//! What Envoy's own configuration tells the module.

use super::Invalid;
use serde::Deserialize;

/// The plugin configuration of one filter position.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// The position.
    pub role: Role,
    /// The Envoy cluster of the control plane.
    #[serde(default = "default_cluster")]
    pub control_cluster: String,
    /// What the control plane knows Envoys by; sent as a bearer token.
    #[serde(default)]
    pub node_token: String,
    /// The node id to report, where Envoy has none.
    #[serde(default)]
    pub node: Option<String>,
    /// How often usage records are sent and lost streams are looked after, in milliseconds (10 to 1000).
    #[serde(default = "default_tick")]
    pub tick_ms: u16,
}

/// A filter position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// In `http_filters`, before the router.
    Ingress,
    /// In upstream filters, before the codec.
    Egress,
}

const fn default_tick() -> u16 {
    200
}

fn default_cluster() -> String {
    "sluice-control".to_owned()
}

impl Plugin {
    /// Reads the configuration.
    pub fn from_json(json: &[u8]) -> Result<Self, Invalid> {
        let plugin: Self = serde_json::from_slice(json).map_err(|error| Invalid::Json(error.to_string()))?;
        if (10..=1_000).contains(&plugin.tick_ms) {
            Ok(plugin)
        } else {
            Err(Invalid::rule("tick_ms", "10 to 1000"))
        }
    }
}
