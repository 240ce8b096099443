//! The token endpoints of those who vouch for clients: Google for service accounts, Microsoft Entra for applications.
//!
//! A provider of this kind has both: `POST /token` and `GET /tokeninfo` are Google's, `POST /{tenant}/oauth2/v2.0/token`
//! is Entra's. Its credential is a JSON text that says whom it knows, `{"google": {"client_email", "public_key"}, "entra": {"tenant",
//! "client_id", "client_secret"}}`, either of them; without one it knows [`Account::default`] and
//! [`Application::default`]. The key file beside this room, `service_account.json`, is that account's: it was made for it and
//! opens nothing else. A script's `lifetime_s` says for how many seconds the tokens are good.
//!
//! Invariant: a token is issued only for an assertion or a secret that was verified; [`token::standing`] is all that the rooms
//! which take tokens need to know.

use super::answer::{Answer, Call};
use super::catalog::Row;
use super::event::{Event, Mark};
use super::vendor::{Complaint, Site, Vendor};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

mod assertion;
mod entra;
mod google;
pub(crate) mod token;

/// How long a token is good, in seconds, unless a script says otherwise.
const LIFETIME: u64 = 3599;

/// A service account that is known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    client_email: String,
    /// In PEM.
    public_key: String,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            client_email: "sluice@simulated-project.iam.gserviceaccount.com".to_owned(),
            public_key: include_str!("identity/service_account.pub.pem").to_owned(),
        }
    }
}

/// An application that is known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    tenant: String,
    client_id: String,
    client_secret: String,
}

impl Default for Application {
    fn default() -> Self {
        Self {
            tenant: "11111111-2222-4333-8444-555555555555".to_owned(),
            client_id: "66666666-7777-4888-8999-aaaaaaaaaaaa".to_owned(),
            client_secret: "simulated~client.secret".to_owned(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Known {
    google: Account,
    entra: Application,
}

/// The fields of a form.
#[derive(Debug)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    fn read(call: &Call<'_>) -> Self {
        let kind = call.header("content-type").split(';').next().unwrap_or_default().trim();
        let is_form = kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let body = if is_form { call.body } else { &[] };
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A field, if it is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Google's and Entra's token endpoints.
#[derive(Debug)]
pub(crate) struct Identity;

/// The tenant that a path of Entra's names.
fn tenant(path: &str) -> Option<&str> {
    path.strip_prefix('/')?
        .strip_suffix("/oauth2/v2.0/token")
        .filter(|tenant| !tenant.is_empty() && !tenant.contains('/'))
}

impl Vendor for Identity {
    fn models(&self) -> &'static [Row] {
        &[]
    }

    fn takes(&self, credential: &str) -> bool {
        let known: Option<Known> = serde_json::from_str(credential).ok();
        known.is_some_and(|known| assertion::public_key(&known.google.public_key).is_some())
    }

    fn model(&self, _site: Site<'_>, _body: &[u8]) -> Option<String> {
        None
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let known: Known =
            call.credential.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let form = Form::read(call);
        match (call.method.as_str(), tenant(call.path)) {
            ("POST", Some(tenant)) => entra::answer(call, tenant, &known.entra, &form),
            ("POST", None) if call.path == "/token" => google::answer(call, &known.google, &form),
            ("GET", None) if call.path == "/tokeninfo" => google::info(call),
            _ => Answer::refusal(404, json!({"error": "not_found"}), "not a token endpoint"),
        }
    }

    fn error(&self, site: Site<'_>, status: u16, code: Option<&str>) -> Value {
        match tenant(site.path) {
            Some(_) => entra::of_status(status, code),
            None => google::of_status(status, code),
        }
    }

    fn error_event(&self, site: Site<'_>, _sent: &[Event], complaint: Complaint<'_>) -> Event {
        // There are no streams here; a script that wants one ended gets what a body would say.
        let usual = || self.error(site, 500, complaint.code);
        Event::data(Mark::Frame, &complaint.body.cloned().unwrap_or_else(usual))
    }
}

#[cfg(test)]
mod tests;
