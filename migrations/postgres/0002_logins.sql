-- What a login passes through. Secrets are present as SHA-256 only. Rows here live for minutes, so every
-- table is vacuumed early.

CREATE TABLE sessions (
    tenant     text COLLATE "C" NOT NULL,
    hash       bytea            NOT NULL CHECK (length(hash) = 32),
    sid        text             NOT NULL,
    user_id    uuid             NOT NULL,
    auth_time  bigint           NOT NULL,
    amr        json             NOT NULL,
    acr        text             NOT NULL,
    last_seen  bigint           NOT NULL,
    expires_at bigint           NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX sessions_user ON sessions (tenant, user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- No foreign key: an interaction whose client is gone leads nowhere and expires by itself.
CREATE TABLE interactions (
    tenant         text COLLATE "C" NOT NULL,
    id             text COLLATE "C" NOT NULL,
    browser        bytea            NOT NULL CHECK (length(browser) = 32),
    version        bigint           NOT NULL,
    stage          text             NOT NULL CHECK (stage IN ('fresh', 'authenticated', 'finished')),
    sid            text             CHECK ((sid IS NOT NULL) = (stage = 'authenticated')),
    request        json             NOT NULL,
    correlation_id text             NOT NULL,
    created_at     bigint           NOT NULL,
    expires_at     bigint           NOT NULL,
    PRIMARY KEY (tenant, id)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX interactions_expires_at ON interactions (expires_at);

CREATE TABLE consents (
    tenant     text COLLATE "C" NOT NULL,
    user_id    uuid             NOT NULL,
    client_id  text COLLATE "C" NOT NULL,
    scope      json             NOT NULL,
    granted_at bigint           NOT NULL,
    PRIMARY KEY (tenant, user_id, client_id),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
);

CREATE INDEX consents_client ON consents (tenant, client_id);

-- ends_at: when the last code or token under it has expired. Then it goes, and takes them along; until then a redeemed
-- code stays, so that its second use still ends the tokens.
CREATE TABLE grants (
    tenant     text COLLATE "C" NOT NULL,
    id         uuid             NOT NULL,
    client_id  text COLLATE "C" NOT NULL,
    user_id    uuid             NOT NULL,
    created_at bigint           NOT NULL,
    ends_at    bigint           NOT NULL,
    revoked_at bigint,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX grants_user ON grants (tenant, user_id, client_id);
CREATE INDEX grants_client ON grants (tenant, client_id);
CREATE INDEX grants_ends_at ON grants (ends_at);

-- Client and user of a code or token are its grant's: stored once, so they cannot disagree.
CREATE TABLE codes (
    tenant         text COLLATE "C" NOT NULL,
    hash           bytea            NOT NULL CHECK (length(hash) = 32),
    grant_id       uuid             NOT NULL,
    request        json             NOT NULL,
    scope          json             NOT NULL,
    authentication json             NOT NULL,
    correlation_id text             NOT NULL,
    issued_at      bigint           NOT NULL,
    expires_at     bigint           NOT NULL,
    redeemed_at    bigint,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id) ON DELETE CASCADE
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX codes_grant ON codes (tenant, grant_id);

CREATE TABLE access_tokens (
    tenant     text COLLATE "C" NOT NULL,
    hash       bytea            NOT NULL CHECK (length(hash) = 32),
    grant_id   uuid             NOT NULL,
    scope      json             NOT NULL,
    claims     json             NOT NULL,
    issued_at  bigint           NOT NULL,
    expires_at bigint           NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id) ON DELETE CASCADE
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX access_tokens_grant ON access_tokens (tenant, grant_id);

-- Tenant, kind, client and jti are hashed into k.
CREATE TABLE used_jti (
    k     uuid   NOT NULL PRIMARY KEY,
    until bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);

CREATE INDEX used_jti_until ON used_jti (until);
