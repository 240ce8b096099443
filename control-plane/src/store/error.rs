//! What can go wrong in the store, and how a broken constraint is told from a broken database.

use sluice::config::Invalid;

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// There is no such resource.
    #[error("there is no {kind} {name:?}")]
    NotFound {
        /// `provider`, `model` or `key`.
        kind: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The change contradicts what is stored.
    #[error("{message}")]
    Conflict {
        /// For programs.
        code: &'static str,
        /// For people.
        message: String,
    },
    /// The resource breaks a rule.
    #[error("{path}: expected {expected}")]
    Invalid {
        /// JSON path of the member.
        path: String,
        /// The rule.
        expected: String,
    },
    /// The URL names a database that is not supported.
    #[error("database: expected a file path or a sqlite: URL, not {0}:")]
    Url(String),
    /// The database file cannot be made.
    #[error("database file {0}")]
    File(String, #[source] std::io::Error),
    /// The database failed.
    #[error("database")]
    Database(#[source] sqlx::Error),
    /// What is stored cannot be read back.
    #[error("stored {0} cannot be read: {1}")]
    Corrupt(&'static str, String),
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system: {0}")]
    Random(getrandom::Error),
}

impl StoreError {
    pub(crate) fn exists(kind: &str, name: &str) -> Self {
        Self::Conflict { code: "already_exists", message: format!("the {kind} {name:?} exists already") }
    }

    pub(crate) fn not_found(kind: &'static str, name: &str) -> Self {
        Self::NotFound { kind, name: name.to_owned() }
    }

    pub(super) fn unknown_provider(path: String, name: &str) -> Self {
        Self::Invalid { path, expected: format!("the name of a provider; there is no provider {name:?}") }
    }
}

impl From<Invalid> for StoreError {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Rule { path, expected } => {
                Self::Invalid { path: path.into(), expected: expected.into() }
            }
            Invalid::Json(error) => Self::Corrupt("resource", error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Database(error.into())
    }
}

/// SQLite names the column of a broken unique constraint, PostgreSQL the constraint: both find their row here.
const CONSTRAINTS: [(&str, &str, &str); 4] = [
    ("providers.name", "providers_pkey", "a provider of this name exists already"),
    ("models.id", "models_pkey", "a model of this id exists already"),
    ("model_names.name", "model_names_pkey", "another model has this id or alias already"),
    ("keys.id", "keys_pkey", "a key of this id exists already"),
];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else { return Self::Database(error) };
        if database.is_foreign_key_violation() {
            let message = "something that exists names it, or something that it names does not exist".into();
            return Self::Conflict { code: "in_use", message };
        }
        let known = CONSTRAINTS.iter().find(|(column, constraint, _)| {
            database.is_unique_violation()
                && (database.constraint() == Some(constraint) || database.message().ends_with(column))
        });
        match known {
            Some((_, _, message)) => Self::Conflict { code: "already_exists", message: (*message).into() },
            None => Self::Database(error),
        }
    }
}
