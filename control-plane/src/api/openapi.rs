//! The API's description of itself, at `/admin/v1/openapi.json`.

use super::{apply, fleet, health, keys, models, providers, settings, usage};
use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{Modify, OpenApi, PartialSchema, ToSchema};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Sluice admin API", description = "Providers, models, keys, settings, usage and the fleet. A member that the API does not know is refused."),
    paths(
        providers::list, providers::create, providers::show, providers::replace, providers::change, providers::remove,
        models::list, models::create, models::show, models::replace, models::change, models::remove,
        keys::list, keys::create, keys::show, keys::change, keys::rotate, keys::revoke,
        settings::show, settings::change,
        apply::apply,
        usage::rows, usage::summary, usage::csv,
        fleet::show,
        health::alive, health::ready,
        document,
    ),
    security(("admin_token" = [])),
    modifiers(&AdminToken)
)]
pub(super) struct Document;

struct AdminToken;

impl Modify for AdminToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("admin_token", scheme);
    }
}

/// Names the merge patch of a resource: the same members, none of them required.
macro_rules! patch_of {
    ($patch:ident, $spec:ty) => {
        #[doc = concat!("A merge patch of a `", stringify!($spec), "`.")]
        pub(super) struct $patch;

        impl PartialSchema for $patch {
            fn schema() -> RefOr<Schema> {
                let mut schema = <$spec>::schema();
                if let RefOr::T(Schema::Object(object)) = &mut schema {
                    object.required.clear();
                }
                schema
            }
        }

        impl ToSchema for $patch {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                <$spec>::schemas(schemas);
            }
        }
    };
}

patch_of!(ProviderPatch, providers::ProviderSpec);
patch_of!(ModelPatch, sluice::config::Model);
patch_of!(KeyPatch, keys::KeySpec);
patch_of!(SettingsPatch, settings::SettingsSpec);

/// This document.
#[utoipa::path(get, path = "/admin/v1/openapi.json", tag = "openapi", responses((status = 200, description = "OpenAPI 3.1")))]
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
