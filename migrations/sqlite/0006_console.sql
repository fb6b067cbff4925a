-- What the console needs: who administers, second factors, links, the chain over the audit trail, and an index for each
-- listing. A binary of before goes on with this schema.

-- owner: a user of the tenant; the writer sees to it, since a foreign key would set the tenant to NULL as well.
ALTER TABLE clients ADD COLUMN owner BLOB;

CREATE INDEX clients_owner ON clients (tenant, owner, client_id) WHERE owner IS NOT NULL;
CREATE INDEX clients_disabled ON clients (tenant, client_id) WHERE disabled = 1;

CREATE INDEX client_keys_not_after ON client_keys (tenant, not_after, client_id, id)
    WHERE revoked_at IS NULL AND not_after IS NOT NULL;

-- email: the claim of that name in lower case; kept by the writer.
ALTER TABLE users ADD COLUMN role TEXT CHECK (role IN ('owner', 'administrator', 'developer', 'auditor'));
ALTER TABLE users ADD COLUMN email TEXT;
UPDATE users SET email = lower(claims ->> '$.email')
    WHERE instr(claims, '\u0000') = 0 AND json_type(claims, '$.email') = 'text'
      AND length(claims ->> '$.email') BETWEEN 1 AND 320;

CREATE INDEX users_role ON users (tenant, role, username) WHERE role IS NOT NULL;
CREATE INDEX users_email ON users (tenant, email, username) WHERE email IS NOT NULL;
CREATE INDEX users_disabled ON users (tenant, username) WHERE disabled = 1;

-- What clients and users are found by, in lower case: every end of each of their texts, at most 64 characters long, and its
-- beginning once more after U+0001; kept by the writer. Here only the letters A to Z are put into lower case: what has other
-- capitals, or was written by a binary of before, is found by them once it is written again.
CREATE TABLE client_search (
    tenant    TEXT NOT NULL,
    client_id TEXT NOT NULL,
    piece     TEXT NOT NULL,
    PRIMARY KEY (tenant, client_id, piece),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX client_search_piece ON client_search (tenant, piece);

WITH RECURSIVE
    uris (tenant, client_id, uri, host) AS (
        SELECT tenant, client_id, value, substr(value, instr(value, '://') + 3)
        FROM clients, json_each(settings, '$.redirect_uris') WHERE instr(settings, '\u0000') = 0),
    texts (tenant, client_id, text) AS (
        SELECT tenant, client_id, client_id FROM clients
        UNION SELECT tenant, client_id, settings ->> '$.client_name' FROM clients
            WHERE instr(settings, '\u0000') = 0 AND settings ->> '$.client_name' IS NOT NULL
        UNION SELECT tenant, client_id, CASE instr(uri, '://') WHEN 0 THEN substr(uri, 1, instr(uri, ':') - 1)
            ELSE substr(host, 1, min(instr(host || '/', '/'), instr(host || '?', '?')) - 1) END FROM uris),
    ends (tenant, client_id, text, at) AS (
        SELECT tenant, client_id, char(1) || substr(lower(text), 1, 200), 1 FROM texts WHERE text <> ''
        UNION ALL SELECT tenant, client_id, text, at + 1 FROM ends WHERE at < length(text))
INSERT OR IGNORE INTO client_search SELECT tenant, client_id, substr(text, at, 64) FROM ends;

CREATE TABLE user_search (
    tenant  TEXT NOT NULL,
    user_id BLOB NOT NULL,
    piece   TEXT NOT NULL,
    PRIMARY KEY (tenant, user_id, piece),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX user_search_piece ON user_search (tenant, piece);

WITH RECURSIVE
    texts (tenant, user_id, text) AS (
        SELECT tenant, id, username FROM users
        UNION SELECT tenant, users.id, value FROM users, json_each(claims)
            WHERE instr(claims, '\u0000') = 0 AND type = 'text'
              AND key IN ('email', 'name', 'given_name', 'family_name', 'nickname', 'preferred_username')
        UNION SELECT tenant, id, claims ->> '$.given_name' || ' ' || (claims ->> '$.family_name') FROM users
            WHERE instr(claims, '\u0000') = 0),
    ends (tenant, user_id, text, at) AS (
        SELECT tenant, user_id, char(1) || substr(lower(text), 1, 200), 1 FROM texts WHERE text <> ''
        UNION ALL SELECT tenant, user_id, text, at + 1 FROM ends WHERE at < length(text))
INSERT OR IGNORE INTO user_search SELECT tenant, user_id, substr(text, at, 64) FROM ends;

CREATE TABLE user_credentials (
    tenant       TEXT    NOT NULL,
    user_id      BLOB    NOT NULL,
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    kind         TEXT    NOT NULL CHECK (kind IN ('passkey', 'totp', 'recovery_code')),
    name         TEXT    NOT NULL,
    secret       BLOB    NOT NULL,
    counter      INTEGER NOT NULL,
    failures     INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (tenant, user_id, id),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) STRICT;

-- One authenticator application for a person. The id of a passkey is made from its credential id, which is one person's (Web
-- Authentication section 7.1: "not yet registered for any user").
CREATE UNIQUE INDEX user_credentials_totp ON user_credentials (tenant, user_id) WHERE kind = 'totp';
CREATE UNIQUE INDEX user_credentials_passkey ON user_credentials (tenant, id) WHERE kind = 'passkey';

CREATE TABLE user_links (
    tenant     TEXT    NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    user_id    BLOB    NOT NULL,
    purpose    TEXT    NOT NULL CHECK (purpose IN ('invitation', 'password_reset', 'forgotten')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash),
    UNIQUE (tenant, user_id, purpose),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX user_links_expires_at ON user_links (expires_at);

CREATE TABLE receipts (
    tenant     TEXT    NOT NULL REFERENCES tenants (id),
    actor      TEXT    NOT NULL,
    key        BLOB    NOT NULL CHECK (length(key) = 32),
    request    BLOB    NOT NULL CHECK (length(request) = 32),
    resource   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, actor, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipts_expires_at ON receipts (expires_at);

-- Another check of a column means making its table anew; nothing refers to this one.
-- No foreign key: an interaction whose client is gone leads nowhere and expires by itself.
-- identified: a person who has given the password and still has to show a second factor; the sid column holds who and since
-- when.
ALTER TABLE interactions RENAME TO kept_interactions;
DROP INDEX interactions_expires_at;
CREATE TABLE interactions (
    tenant         TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    browser        BLOB    NOT NULL CHECK (length(browser) = 32),
    version        INTEGER NOT NULL,
    stage          TEXT    NOT NULL CHECK (stage IN ('fresh', 'identified', 'authenticated', 'finished')),
    sid            TEXT    CHECK ((sid IS NOT NULL) = (stage IN ('identified', 'authenticated'))),
    request        TEXT    NOT NULL,
    correlation_id TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
INSERT INTO interactions (tenant, id, browser, version, stage, sid, request, correlation_id, created_at, expires_at)
    SELECT tenant, id, browser, version, stage, sid, request, correlation_id, created_at, expires_at FROM kept_interactions;
DROP TABLE kept_interactions;

CREATE INDEX interactions_expires_at ON interactions (expires_at);

-- seal: the number of the link that covers the event. actor: who did it; kind, colon, name.
ALTER TABLE audit ADD COLUMN seal INTEGER;
ALTER TABLE audit ADD COLUMN actor TEXT;

-- What comes after the id is compared without reading the row: a filter that fits next to nothing has many to pass over.
DROP INDEX audit_client;
CREATE INDEX audit_client ON audit (tenant, client_id, id, kind, outcome, reason) WHERE client_id IS NOT NULL;
CREATE INDEX audit_actor ON audit (tenant, actor, id) WHERE actor IS NOT NULL;
CREATE INDEX audit_kind ON audit (tenant, kind, id, outcome);
CREATE INDEX audit_outcome ON audit (tenant, outcome, id);
CREATE INDEX audit_unsealed ON audit (tenant, id) WHERE seal IS NULL;
CREATE INDEX audit_seal ON audit (tenant, seal, id) WHERE seal IS NOT NULL;

CREATE TABLE audit_seals (
    tenant    TEXT    NOT NULL,
    number    INTEGER NOT NULL CHECK (number > 0),
    count     INTEGER NOT NULL CHECK (count > 0),
    newest_at INTEGER NOT NULL,
    mac       BLOB    NOT NULL CHECK (length(mac) = 32),
    sealed_at INTEGER NOT NULL,
    purged_at INTEGER,
    purge_mac BLOB    CHECK (length(purge_mac) = 32),
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_seals_unpurged ON audit_seals (tenant, number) WHERE purged_at IS NULL;

CREATE TABLE audit_tallies (
    tenant  TEXT    NOT NULL,
    day     INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    outcome TEXT    NOT NULL CHECK (outcome IN ('success', 'refused')),
    reason  TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, kind, outcome, reason)
) STRICT, WITHOUT ROWID;
