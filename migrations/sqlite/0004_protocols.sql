-- What the further grants, response types, registration and logout keep. A binary of before goes on with this schema.

-- The secret itself, sealed, where a MAC is made with it; the hash of the registration access token.
ALTER TABLE clients ADD COLUMN sealed_secret BLOB;
ALTER TABLE clients ADD COLUMN registration_token BLOB CHECK (length(registration_token) = 32);

-- Every tenant gets random bytes of its own: those of before here, those that a binary of before makes by the trigger.
ALTER TABLE tenants ADD COLUMN pairwise_salt BLOB CHECK (length(pairwise_salt) = 32);
UPDATE tenants SET pairwise_salt = randomblob(32);
CREATE TRIGGER tenants_pairwise_salt AFTER INSERT ON tenants WHEN NEW.pairwise_salt IS NULL BEGIN
    UPDATE tenants SET pairwise_salt = randomblob(32) WHERE id = NEW.id;
END;

CREATE INDEX sessions_sid ON sessions (tenant, sid);

-- A column that may be empty from now on means making its table anew, and with it those that refer to it. Their rows are
-- put aside in between: to remove a table that others refer to removes what refers to it.
CREATE TEMPORARY TABLE kept_grants AS SELECT * FROM grants;
CREATE TEMPORARY TABLE kept_codes AS SELECT * FROM codes;
CREATE TEMPORARY TABLE kept_access_tokens AS SELECT * FROM access_tokens;
DROP TABLE access_tokens;
DROP TABLE codes;
DROP TABLE grants;

-- A grant without a user is a client's own; its foreign key is not checked then.
-- ends_at: when the last code or token under it has expired. Then it goes, and takes them along; until then a redeemed
-- code stays, so that its second use still ends the tokens.
CREATE TABLE grants (
    tenant     TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    client_id  TEXT    NOT NULL,
    user_id    BLOB,
    sid        TEXT,
    created_at INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_user ON grants (tenant, user_id, client_id);
CREATE INDEX grants_client ON grants (tenant, client_id);
CREATE INDEX grants_ends_at ON grants (ends_at);
CREATE INDEX grants_sid ON grants (tenant, sid) WHERE sid IS NOT NULL;

-- Client and user of a code or token are its grant's: stored once, so they cannot disagree.
CREATE TABLE codes (
    tenant         TEXT    NOT NULL,
    hash           BLOB    NOT NULL CHECK (length(hash) = 32),
    grant_id       BLOB    NOT NULL,
    request        TEXT    NOT NULL,
    scope          TEXT    NOT NULL,
    authentication TEXT    NOT NULL,
    correlation_id TEXT    NOT NULL,
    issued_at      INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    redeemed_at    INTEGER,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX codes_grant ON codes (tenant, grant_id);

CREATE TABLE access_tokens (
    tenant     TEXT    NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    grant_id   BLOB    NOT NULL,
    scope      TEXT    NOT NULL,
    claims     TEXT    NOT NULL,
    audience   TEXT    NOT NULL DEFAULT '[]',
    actor      TEXT,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX access_tokens_grant ON access_tokens (tenant, grant_id);

INSERT INTO grants (tenant, id, client_id, user_id, created_at, ends_at, revoked_at)
    SELECT tenant, id, client_id, user_id, created_at, ends_at, revoked_at FROM kept_grants;
INSERT INTO codes (tenant, hash, grant_id, request, scope, authentication, correlation_id, issued_at, expires_at, redeemed_at)
    SELECT tenant, hash, grant_id, request, scope, authentication, correlation_id, issued_at, expires_at, redeemed_at
    FROM kept_codes;
INSERT INTO access_tokens (tenant, hash, grant_id, scope, claims, issued_at, expires_at)
    SELECT tenant, hash, grant_id, scope, claims, issued_at, expires_at FROM kept_access_tokens;
DROP TABLE kept_access_tokens;
DROP TABLE kept_codes;
DROP TABLE kept_grants;

-- parent: the token that this one was given for. All of a chain have one grant and go with it.
CREATE TABLE refresh_tokens (
    tenant           TEXT    NOT NULL,
    hash             BLOB    NOT NULL CHECK (length(hash) = 32),
    grant_id         BLOB    NOT NULL,
    request          TEXT    NOT NULL,
    scope            TEXT    NOT NULL,
    authentication   TEXT    NOT NULL,
    correlation_id   TEXT    NOT NULL,
    parent           BLOB    CHECK (length(parent) = 32),
    rotations        INTEGER NOT NULL CHECK (rotations >= 0),
    rotated_at       INTEGER,
    superseded_at    INTEGER,
    issued_at        INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    chain_expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX refresh_tokens_grant ON refresh_tokens (tenant, grant_id);
CREATE INDEX refresh_tokens_parent ON refresh_tokens (tenant, parent) WHERE parent IS NOT NULL;

-- client_id is the request's, for the foreign key.
CREATE TABLE pushed_requests (
    tenant         TEXT    NOT NULL,
    hash           BLOB    NOT NULL CHECK (length(hash) = 32),
    client_id      TEXT    NOT NULL,
    request        TEXT    NOT NULL,
    correlation_id TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX pushed_requests_client ON pushed_requests (tenant, client_id);
CREATE INDEX pushed_requests_expires_at ON pushed_requests (expires_at);

-- client_id is the request's, for the foreign key. What was allowed is kept until it is issued; the grant stays, to be
-- ended if the code is used again.
CREATE TABLE device_codes (
    tenant         TEXT    NOT NULL,
    hash           BLOB    NOT NULL CHECK (length(hash) = 32),
    user_code      TEXT    NOT NULL,
    client_id      TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    request        TEXT    NOT NULL,
    stage          TEXT    NOT NULL CHECK (stage IN ('pending', 'approved', 'denied', 'redeemed')),
    grant_id       BLOB    CHECK ((grant_id IS NOT NULL) = (stage IN ('approved', 'redeemed'))),
    scope          TEXT    CHECK ((scope IS NOT NULL) = (stage = 'approved')),
    authentication TEXT    CHECK ((authentication IS NOT NULL) = (stage = 'approved')),
    poll_interval  INTEGER NOT NULL,
    polled_at      INTEGER,
    correlation_id TEXT    NOT NULL,
    issued_at      INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash),
    UNIQUE (tenant, user_code),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX device_codes_client ON device_codes (tenant, client_id);
CREATE INDEX device_codes_grant ON device_codes (tenant, grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX device_codes_expires_at ON device_codes (expires_at);

CREATE TABLE session_clients (
    tenant     TEXT    NOT NULL,
    sid        TEXT    NOT NULL,
    client_id  TEXT    NOT NULL,
    user_id    BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, sid, client_id),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX session_clients_client ON session_clients (tenant, client_id);
CREATE INDEX session_clients_user ON session_clients (tenant, user_id);
CREATE INDEX session_clients_expires_at ON session_clients (expires_at);

-- No foreign key to the user: that an account was removed is a reason to tell the clients. settled_at: when there was
-- nothing left to try.
CREATE TABLE logout_deliveries (
    tenant          TEXT    NOT NULL,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    client_id       TEXT    NOT NULL,
    sid             TEXT    NOT NULL,
    user_id         BLOB    NOT NULL,
    correlation_id  TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER,
    delivered_at    INTEGER,
    last_error      TEXT,
    settled_at      INTEGER CHECK ((settled_at IS NULL) = (next_attempt_at IS NOT NULL)),
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX logout_deliveries_client ON logout_deliveries (tenant, client_id, created_at, id);
CREATE INDEX logout_deliveries_due ON logout_deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX logout_deliveries_settled ON logout_deliveries (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE initial_access_tokens (
    tenant     TEXT    NOT NULL REFERENCES tenants (id),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    name       TEXT    NOT NULL,
    uses_left  INTEGER CHECK (uses_left >= 0),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (tenant, hash),
    UNIQUE (tenant, name)
) STRICT;
