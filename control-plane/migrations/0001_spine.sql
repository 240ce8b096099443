-- Portable between SQLite and PostgreSQL: text ids, BIGINT numbers, JSON as text, no generated keys.

-- Grows by one with every change of any resource, in the change's own transaction.
CREATE TABLE revisions (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    value BIGINT NOT NULL
);
INSERT INTO revisions (id, value) VALUES (1, 0);

CREATE TABLE settings (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL,
    body TEXT NOT NULL
);

-- The credential is never part of `body`.
CREATE TABLE providers (
    name TEXT PRIMARY KEY,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    secret TEXT NOT NULL
);

CREATE TABLE models (
    id TEXT PRIMARY KEY,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL
);

-- Ids and aliases share one namespace: a name means one model.
CREATE TABLE model_names (
    name TEXT PRIMARY KEY,
    model_id TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE
);
CREATE INDEX model_names_model ON model_names (model_id);

CREATE TABLE model_channels (
    model_id TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    provider TEXT NOT NULL REFERENCES providers (name),
    PRIMARY KEY (model_id, provider)
);
CREATE INDEX model_channels_provider ON model_channels (provider);

-- Only hashes of secrets, inside `body`. `created_us` orders listings.
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    revision BIGINT NOT NULL,
    name TEXT NOT NULL,
    display TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX keys_created ON keys (created_us, id);
CREATE INDEX keys_name ON keys (name);

-- What the chains of keys that are not revoked name.
CREATE TABLE key_targets (
    key_id TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    provider TEXT NOT NULL REFERENCES providers (name),
    PRIMARY KEY (key_id, provider)
);
CREATE INDEX key_targets_provider ON key_targets (provider);

-- One exchange each. (node, vm, seq) makes a repeated delivery harmless. No reference to other tables: history
-- outlives what it names.
CREATE TABLE records (
    node TEXT NOT NULL,
    vm TEXT NOT NULL,
    seq BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    started_us BIGINT NOT NULL,
    key_id TEXT,
    organization TEXT,
    dialect TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    requested_model TEXT,
    model TEXT,
    provider TEXT,
    stream BIGINT NOT NULL,
    status BIGINT NOT NULL,
    error TEXT,
    ttft_us BIGINT,
    duration_us BIGINT NOT NULL,
    overhead_us BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    usage_source TEXT NOT NULL,
    finish_reason TEXT,
    cost_micro_usd BIGINT NOT NULL,
    attempts TEXT NOT NULL,
    dropped_params TEXT NOT NULL,
    PRIMARY KEY (node, vm, seq)
);
CREATE INDEX records_started ON records (started_us);
CREATE INDEX records_key_started ON records (key_id, started_us);
