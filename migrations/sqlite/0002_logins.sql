-- What a login passes through. Secrets are present as SHA-256 only.

CREATE TABLE sessions (
    tenant     TEXT    NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    sid        TEXT    NOT NULL,
    user_id    BLOB    NOT NULL,
    auth_time  INTEGER NOT NULL,
    amr        TEXT    NOT NULL,
    acr        TEXT    NOT NULL,
    last_seen  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (tenant, user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- No foreign key: an interaction whose client is gone leads nowhere and expires by itself.
CREATE TABLE interactions (
    tenant         TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    browser        BLOB    NOT NULL CHECK (length(browser) = 32),
    version        INTEGER NOT NULL,
    stage          TEXT    NOT NULL CHECK (stage IN ('fresh', 'authenticated', 'finished')),
    sid            TEXT    CHECK ((sid IS NOT NULL) = (stage = 'authenticated')),
    request        TEXT    NOT NULL,
    correlation_id TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX interactions_expires_at ON interactions (expires_at);

CREATE TABLE consents (
    tenant     TEXT    NOT NULL,
    user_id    BLOB    NOT NULL,
    client_id  TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, user_id, client_id),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX consents_client ON consents (tenant, client_id);

-- ends_at: when the last code or token under it has expired. Then it goes, and takes them along; until then a redeemed
-- code stays, so that its second use still ends the tokens.
CREATE TABLE grants (
    tenant     TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    client_id  TEXT    NOT NULL,
    user_id    BLOB    NOT NULL,
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
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, grant_id) REFERENCES grants (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX access_tokens_grant ON access_tokens (tenant, grant_id);

-- Tenant, kind, client and jti are hashed into k.
CREATE TABLE used_jti (
    k       BLOB    NOT NULL PRIMARY KEY CHECK (length(k) = 16),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX used_jti_until ON used_jti (until);
