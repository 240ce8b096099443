//! What a VM knows of the fleet's configuration. Changed only by whole discovery responses, each all or nothing.

use super::kept::Kept;
use crate::config::token::{SigningKey, Token};
use crate::config::{Invalid, Key, Model, Provider, Resource, Settings, type_url};
use crate::provider::Upstream;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// How long a key that the control plane did not know is refused without asking again.
const UNKNOWN_FOR_US: u64 = 10_000_000;
/// How many of those are remembered; beyond it all are forgotten, which costs a look-up each.
const UNKNOWN_MAX: usize = 4_096;

/// A VM's configuration.
#[derive(Debug, Default)]
pub struct State {
    settings: Option<Rc<Active>>,
    providers: HashMap<String, Rc<Upstream>>,
    models: BTreeMap<String, Rc<Model>>,
    aliases: HashMap<String, String>,
    keys: HashMap<String, Rc<Key>>,
    unknown_keys: HashMap<String, u64>,
    /// By key, the check that was last found right together with the key's secret.
    checked: RefCell<HashMap<String, String>>,
    kept: Rc<Kept>,
}

/// Settings with their signing key read.
#[derive(Debug)]
pub struct Active {
    /// As pushed.
    pub settings: Settings,
    /// Of [`Settings::signing_key`].
    pub signing_key: SigningKey,
}

/// One resource of a discovery response.
#[derive(Debug, Clone, Copy)]
pub struct Pushed<'a> {
    /// The resource's name.
    pub name: &'a str,
    /// Its JSON.
    pub json: &'a [u8],
}

impl State {
    /// Takes one discovery response: every resource is read before any is used. On an error nothing has changed.
    pub fn apply(&mut self, type_url: &str, set: &[Pushed<'_>], removed: &[String]) -> Result<(), Refused> {
        match type_url {
            type_url::SETTINGS => {
                if let Some(settings) = read::<Settings>(set)?.pop() {
                    let signing_key =
                        SigningKey::from_base64(&settings.signing_key).ok_or_else(|| Refused {
                            name: "settings".to_owned(),
                            reason: Invalid::Rule { path: "signing_key", expected: "base64 of 32 bytes" },
                        })?;
                    self.settings = Some(Rc::new(Active { settings, signing_key }));
                }
            }
            type_url::PROVIDER => {
                let upstreams: Vec<Upstream> = read::<Provider>(set)?
                    .iter()
                    .map(|provider| {
                        Upstream::new(provider)
                            .map_err(|reason| Refused { name: provider.name.clone(), reason })
                    })
                    .collect::<Result<_, _>>()?;
                self.providers.extend(upstreams.into_iter().map(|up| (up.name.clone(), Rc::new(up))));
                removed.iter().for_each(|name| drop(self.providers.remove(name)));
            }
            type_url::MODEL => {
                self.models
                    .extend(read::<Model>(set)?.into_iter().map(|model| (model.id.clone(), Rc::new(model))));
                removed.iter().for_each(|id| drop(self.models.remove(id)));
                let aliases = self
                    .models
                    .values()
                    .flat_map(|model| model.aliases.iter().map(|alias| (alias.clone(), model.id.clone())));
                self.aliases = aliases.collect();
            }
            type_url::KEY => {
                for key in read::<Key>(set)? {
                    self.unknown_keys.remove(&key.id);
                    self.keys.insert(key.id.clone(), Rc::new(key));
                }
                for id in removed {
                    self.keys.remove(id);
                    self.checked.borrow_mut().remove(id);
                }
            }
            _ => {
                let reason = Invalid::Rule { path: "type_url", expected: "a type that was subscribed to" };
                return Err(Refused { name: type_url.to_owned(), reason });
            }
        }
        Ok(())
    }

    /// The settings, once they have come.
    #[must_use]
    pub fn active(&self) -> Option<&Rc<Active>> {
        self.settings.as_ref()
    }

    /// A provider by name, disabled ones included.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Rc<Upstream>> {
        self.providers.get(name)
    }

    /// The names of all providers, disabled ones included, in order.
    #[must_use]
    pub fn provider_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.providers.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Nothing yet but what providers are seen to keep.
    #[must_use]
    pub fn knowing(kept: Kept) -> Self {
        Self { kept: Rc::new(kept), ..Self::default() }
    }

    /// What this Envoy has seen providers keep.
    #[must_use]
    pub const fn kept(&self) -> &Rc<Kept> {
        &self.kept
    }

    /// A model by id or alias.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&Rc<Model>> {
        self.models.get(id).or_else(|| self.models.get(self.aliases.get(id)?))
    }

    /// All models, by id.
    pub fn models(&self) -> impl Iterator<Item = &Rc<Model>> {
        self.models.values()
    }

    /// A key by id.
    #[must_use]
    pub fn key(&self, id: &str) -> Option<&Rc<Key>> {
        self.keys.get(id)
    }

    /// Whether this token's check was found right before. Only to be asked of tokens whose secret is right.
    #[must_use]
    pub fn is_checked(&self, token: &Token<'_>) -> bool {
        self.checked.borrow().get(token.id).is_some_and(|check| check == token.check)
    }

    /// This token's check is right.
    pub fn remember_checked(&self, token: &Token<'_>) {
        self.checked.borrow_mut().insert(token.id.to_owned(), token.check.to_owned());
    }

    /// Whether the control plane has said lately that it does not know this key.
    #[must_use]
    pub fn is_unknown_key(&self, id: &str, mono_us: u64) -> bool {
        self.unknown_keys.get(id).is_some_and(|until| mono_us < *until)
    }

    /// The control plane does not know this key.
    pub fn remember_unknown_key(&mut self, id: &str, mono_us: u64) {
        if self.unknown_keys.len() >= UNKNOWN_MAX {
            self.unknown_keys.clear();
        }
        self.unknown_keys.insert(id.to_owned(), mono_us + UNKNOWN_FOR_US);
    }
}

/// Why a discovery response is not taken; the text of the NACK.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct Refused {
    /// The resource at fault.
    pub name: String,
    /// What is wrong with it.
    pub reason: Invalid,
}

fn read<T: Resource>(set: &[Pushed<'_>]) -> Result<Vec<T>, Refused> {
    set.iter()
        .map(|pushed| {
            T::from_json(pushed.json).map_err(|reason| Refused { name: pushed.name.to_owned(), reason })
        })
        .collect()
}
