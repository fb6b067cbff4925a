-- What the further grants, response types, registration and logout keep. A binary of before goes on with this schema.

-- The secret itself, sealed, where a MAC is made with it; the hash of the registration access token.
ALTER TABLE clients
    ADD COLUMN sealed_secret      bytea,
    ADD COLUMN registration_token bytea CHECK (length(registration_token) = 32);

-- The default gives every tenant random bytes of its own: those of before, and those that a binary of before makes. A UUID
-- has fixed bits, so two are hashed.
ALTER TABLE tenants
    ADD COLUMN pairwise_salt bytea NOT NULL CHECK (length(pairwise_salt) = 32)
        DEFAULT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

CREATE INDEX sessions_sid ON sessions (tenant, sid);

-- A grant without a user is a client's own; its foreign key is not checked then.
ALTER TABLE grants
    ALTER COLUMN user_id DROP NOT NULL,
    ADD COLUMN sid text;

CREATE INDEX grants_sid ON grants (tenant, sid) WHERE sid IS NOT NULL;

ALTER TABLE access_tokens
    ADD COLUMN audience json NOT NULL DEFAULT '[]',
    ADD COLUMN actor    json;

-- parent: the token that this one was given for. All of a chain have one grant and go with it.
CREATE TABLE refresh_tokens (
    tenant           text COLLATE "C" NOT NULL,
    hash             bytea            NOT NULL CHECK (length(hash) = 32),
    grant_id         uuid             NOT NULL,
    request          json             NOT NULL,
    scope            json             NOT NULL,
    authentication   json             NOT NULL,
    correlation_id   text             NOT NULL,
    parent           bytea            CHECK (length(parent) = 32),
    rotations        bigint           NOT NULL CHECK (rotations >= 0),
    rotated_at       bigint,
    superseded_at    bigint,
    issued_at        bigint           NOT NULL,
    expires_at       bigint           NOT NULL,
    chain_expires_at bigint           NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id) ON DELETE CASCADE
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX refresh_tokens_grant ON refresh_tokens (tenant, grant_id);
CREATE INDEX refresh_tokens_parent ON refresh_tokens (tenant, parent) WHERE parent IS NOT NULL;

-- client_id is the request's, for the foreign key.
CREATE TABLE pushed_requests (
    tenant         text COLLATE "C" NOT NULL,
    hash           bytea            NOT NULL CHECK (length(hash) = 32),
    client_id      text COLLATE "C" NOT NULL,
    request        json             NOT NULL,
    correlation_id text             NOT NULL,
    created_at     bigint           NOT NULL,
    expires_at     bigint           NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX pushed_requests_client ON pushed_requests (tenant, client_id);
CREATE INDEX pushed_requests_expires_at ON pushed_requests (expires_at);

-- client_id is the request's, for the foreign key. What was allowed is kept until it is issued; the grant stays, to be
-- ended if the code is used again.
CREATE TABLE device_codes (
    tenant         text COLLATE "C" NOT NULL,
    hash           bytea            NOT NULL CHECK (length(hash) = 32),
    user_code      text COLLATE "C" NOT NULL,
    client_id      text COLLATE "C" NOT NULL,
    version        bigint           NOT NULL,
    request        json             NOT NULL,
    stage          text             NOT NULL CHECK (stage IN ('pending', 'approved', 'denied', 'redeemed')),
    grant_id       uuid             CHECK ((grant_id IS NOT NULL) = (stage IN ('approved', 'redeemed'))),
    scope          json             CHECK ((scope IS NOT NULL) = (stage = 'approved')),
    authentication json             CHECK ((authentication IS NOT NULL) = (stage = 'approved')),
    poll_interval  bigint           NOT NULL,
    polled_at      bigint,
    correlation_id text             NOT NULL,
    issued_at      bigint           NOT NULL,
    expires_at     bigint           NOT NULL,
    PRIMARY KEY (tenant, hash),
    UNIQUE (tenant, user_code),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id) ON DELETE CASCADE
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX device_codes_client ON device_codes (tenant, client_id);
CREATE INDEX device_codes_grant ON device_codes (tenant, grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX device_codes_expires_at ON device_codes (expires_at);

CREATE TABLE session_clients (
    tenant     text COLLATE "C" NOT NULL,
    sid        text COLLATE "C" NOT NULL,
    client_id  text COLLATE "C" NOT NULL,
    user_id    uuid             NOT NULL,
    expires_at bigint           NOT NULL,
    PRIMARY KEY (tenant, sid, client_id),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX session_clients_client ON session_clients (tenant, client_id);
CREATE INDEX session_clients_user ON session_clients (tenant, user_id);
CREATE INDEX session_clients_expires_at ON session_clients (expires_at);

-- No foreign key to the user: that an account was removed is a reason to tell the clients. settled_at: when there was
-- nothing left to try.
CREATE TABLE logout_deliveries (
    tenant          text COLLATE "C" NOT NULL,
    id              uuid             NOT NULL,
    client_id       text COLLATE "C" NOT NULL,
    sid             text             NOT NULL,
    user_id         uuid             NOT NULL,
    correlation_id  text             NOT NULL,
    created_at      bigint           NOT NULL,
    attempts        bigint           NOT NULL,
    next_attempt_at bigint,
    delivered_at    bigint,
    last_error      text,
    settled_at      bigint           CHECK ((settled_at IS NULL) = (next_attempt_at IS NOT NULL)),
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX logout_deliveries_client ON logout_deliveries (tenant, client_id, created_at, id);
CREATE INDEX logout_deliveries_due ON logout_deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX logout_deliveries_settled ON logout_deliveries (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE initial_access_tokens (
    tenant     text COLLATE "C" NOT NULL REFERENCES tenants (id),
    hash       bytea            NOT NULL CHECK (length(hash) = 32),
    name       text COLLATE "C" NOT NULL,
    uses_left  bigint           CHECK (uses_left >= 0),
    created_at bigint           NOT NULL,
    expires_at bigint,
    PRIMARY KEY (tenant, hash),
    UNIQUE (tenant, name)
);
