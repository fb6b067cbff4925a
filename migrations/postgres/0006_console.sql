-- What the console needs: who administers, second factors, links, the chain over the audit trail, and an index for each
-- listing. A binary of before goes on with this schema.

ALTER TABLE clients
    ADD COLUMN owner uuid,
    ADD FOREIGN KEY (tenant, owner) REFERENCES users (tenant, id) ON DELETE SET NULL (owner);

CREATE INDEX clients_owner ON clients (tenant, owner, client_id) WHERE owner IS NOT NULL;
CREATE INDEX clients_disabled ON clients (tenant, client_id) WHERE disabled;

CREATE INDEX client_keys_not_after ON client_keys (tenant, not_after, client_id, id)
    WHERE revoked_at IS NULL AND not_after IS NOT NULL;

-- email: the claim of that name in lower case; kept by the writer.
ALTER TABLE users
    ADD COLUMN role  text CHECK (role IN ('owner', 'administrator', 'developer', 'auditor')),
    ADD COLUMN email text COLLATE "C";
UPDATE users SET email = lower(claims ->> 'email')
    WHERE CASE WHEN position('\u0000' IN claims::text) > 0 THEN false
               WHEN json_typeof(claims -> 'email') = 'string' THEN length(claims ->> 'email') BETWEEN 1 AND 320
               ELSE false END;

CREATE INDEX users_role ON users (tenant, role, username) WHERE role IS NOT NULL;
CREATE INDEX users_email ON users (tenant, email, username) WHERE email IS NOT NULL;
CREATE INDEX users_disabled ON users (tenant, username) WHERE disabled;

-- What clients and users are found by, in lower case: every end of each of their texts, at most 64 characters long, and its
-- beginning once more after U+0001; kept by the writer. A text cannot hold U+0000, so a record with one, like one that was
-- written by a binary of before, is found by all of it once it is written again.
CREATE TABLE client_search (
    tenant    text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    piece     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, client_id, piece),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
);

CREATE INDEX client_search_piece ON client_search (tenant, piece, client_id);

WITH whole AS MATERIALIZED (
    SELECT tenant, client_id, settings FROM clients WHERE position('\u0000' IN settings::text) = 0
), uris AS (
    SELECT tenant, client_id, uri FROM whole, LATERAL json_array_elements_text(settings -> 'redirect_uris') AS uri
), texts AS (
    SELECT tenant, client_id, client_id AS text FROM clients
    UNION SELECT tenant, client_id, settings ->> 'client_name' FROM whole
    UNION SELECT tenant, client_id, coalesce(substring(uri FROM '^[^:]*://([^/?#]*)'), substring(uri FROM '^[^:]*'))
        FROM uris
), marked AS (
    SELECT tenant, client_id, chr(1) || left(lower(text COLLATE "default"), 200) AS text FROM texts WHERE text <> ''
)
INSERT INTO client_search (tenant, client_id, piece)
    SELECT tenant, client_id, substr(text, at, 64) FROM marked, LATERAL generate_series(1, length(text)) AS at
    ON CONFLICT DO NOTHING;

CREATE TABLE user_search (
    tenant  text COLLATE "C" NOT NULL,
    user_id uuid             NOT NULL,
    piece   text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, user_id, piece),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
);

CREATE INDEX user_search_piece ON user_search (tenant, piece, user_id);

WITH whole AS MATERIALIZED (
    SELECT tenant, id, claims FROM users WHERE position('\u0000' IN claims::text) = 0
), texts AS (
    SELECT tenant, id, username AS text FROM users
    UNION SELECT tenant, id, value #>> '{}' FROM whole, LATERAL json_each(claims)
        WHERE json_typeof(value) = 'string'
          AND key IN ('email', 'name', 'given_name', 'family_name', 'nickname', 'preferred_username')
    UNION SELECT tenant, id, claims ->> 'given_name' || ' ' || (claims ->> 'family_name') FROM whole
), marked AS (
    SELECT tenant, id, chr(1) || left(lower(text COLLATE "default"), 200) AS text FROM texts WHERE text <> ''
)
INSERT INTO user_search (tenant, user_id, piece)
    SELECT tenant, id, substr(text, at, 64) FROM marked, LATERAL generate_series(1, length(text)) AS at
    ON CONFLICT DO NOTHING;

CREATE TABLE user_credentials (
    tenant       text COLLATE "C" NOT NULL,
    user_id      uuid             NOT NULL,
    id           uuid             NOT NULL,
    kind         text             NOT NULL CHECK (kind IN ('passkey', 'totp', 'recovery_code')),
    name         text             NOT NULL,
    secret       bytea            NOT NULL,
    counter      bigint           NOT NULL,
    failures     bigint           NOT NULL DEFAULT 0,
    created_at   bigint           NOT NULL,
    last_used_at bigint,
    PRIMARY KEY (tenant, user_id, id),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
);

-- One authenticator application for a person. The id of a passkey is made from its credential id, which is one person's (Web
-- Authentication section 7.1: "not yet registered for any user").
CREATE UNIQUE INDEX user_credentials_totp ON user_credentials (tenant, user_id) WHERE kind = 'totp';
CREATE UNIQUE INDEX user_credentials_passkey ON user_credentials (tenant, id) WHERE kind = 'passkey';

CREATE TABLE user_links (
    tenant     text COLLATE "C" NOT NULL,
    hash       bytea            NOT NULL CHECK (length(hash) = 32),
    user_id    uuid             NOT NULL,
    purpose    text             NOT NULL CHECK (purpose IN ('invitation', 'password_reset', 'forgotten')),
    created_at bigint           NOT NULL,
    expires_at bigint           NOT NULL,
    PRIMARY KEY (tenant, hash),
    UNIQUE (tenant, user_id, purpose),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
);

CREATE INDEX user_links_expires_at ON user_links (expires_at);

CREATE TABLE receipts (
    tenant     text COLLATE "C" NOT NULL REFERENCES tenants (id),
    actor      text COLLATE "C" NOT NULL,
    key        bytea            NOT NULL CHECK (length(key) = 32),
    request    bytea            NOT NULL CHECK (length(request) = 32),
    resource   text             NOT NULL,
    created_at bigint           NOT NULL,
    expires_at bigint           NOT NULL,
    PRIMARY KEY (tenant, actor, key)
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX receipts_expires_at ON receipts (expires_at);

-- A person who has given the password and still has to show a second factor; the sid column holds who and since when.
ALTER TABLE interactions
    DROP CONSTRAINT interactions_stage_check,
    DROP CONSTRAINT interactions_check,
    ADD CONSTRAINT interactions_stage_check CHECK (stage IN ('fresh', 'identified', 'authenticated', 'finished')),
    ADD CONSTRAINT interactions_check CHECK ((sid IS NOT NULL) = (stage IN ('identified', 'authenticated')));

-- seal: the number of the link that covers the event. actor: who did it; kind, colon, name.
ALTER TABLE audit
    ADD COLUMN seal  bigint,
    ADD COLUMN actor text COLLATE "C";

CREATE INDEX audit_actor ON audit (tenant, actor, id) WHERE actor IS NOT NULL;
CREATE INDEX audit_kind ON audit (tenant, kind, id);
CREATE INDEX audit_outcome ON audit (tenant, outcome, id);
CREATE INDEX audit_unsealed ON audit (tenant, id) WHERE seal IS NULL;
CREATE INDEX audit_seal ON audit (tenant, seal, id) WHERE seal IS NOT NULL;

CREATE TABLE audit_seals (
    tenant    text COLLATE "C" NOT NULL,
    number    bigint           NOT NULL CHECK (number > 0),
    count     bigint           NOT NULL CHECK (count > 0),
    newest_at bigint           NOT NULL,
    mac       bytea            NOT NULL CHECK (length(mac) = 32),
    sealed_at bigint           NOT NULL,
    purged_at bigint,
    purge_mac bytea            CHECK (length(purge_mac) = 32),
    PRIMARY KEY (tenant, number)
);

CREATE INDEX audit_seals_unpurged ON audit_seals (tenant, number) WHERE purged_at IS NULL;

CREATE TABLE audit_tallies (
    tenant  text COLLATE "C" NOT NULL,
    day     bigint           NOT NULL,
    kind    text COLLATE "C" NOT NULL,
    outcome text             NOT NULL CHECK (outcome IN ('success', 'refused')),
    reason  text COLLATE "C" NOT NULL,
    count   bigint           NOT NULL,
    PRIMARY KEY (tenant, day, kind, outcome, reason)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
