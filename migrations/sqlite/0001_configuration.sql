-- What administrators set up: tenants, their keys, clients, the clients' keys, users.
-- Times are Unix seconds, identifiers of 16 bytes are UUIDs, JSON columns are only ever read whole.

CREATE TABLE tenants (
    id         TEXT    NOT NULL PRIMARY KEY,
    issuer     TEXT    NOT NULL UNIQUE,
    version    INTEGER NOT NULL,
    settings   TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tenant_keys (
    tenant         TEXT    NOT NULL REFERENCES tenants (id),
    id             TEXT    NOT NULL,
    usage          TEXT    NOT NULL CHECK (usage IN ('sig', 'enc')),
    spec           TEXT    NOT NULL,
    algs           TEXT    NOT NULL,
    public_jwk     TEXT    NOT NULL,
    sealed_private BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    use_from       INTEGER NOT NULL,
    use_until      INTEGER NOT NULL,
    remove_at      INTEGER NOT NULL,
    revoked_at     INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE clients (
    tenant      TEXT    NOT NULL REFERENCES tenants (id),
    client_id   TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    disabled    INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    secret_hash BLOB    CHECK (length(secret_hash) = 32),
    settings    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, client_id)
) STRICT;

CREATE TABLE client_keys (
    tenant     TEXT    NOT NULL,
    client_id  TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    name       TEXT    NOT NULL,
    usage      TEXT    NOT NULL CHECK (usage IN ('sig', 'enc')),
    kid        TEXT    NOT NULL,
    thumbprint TEXT    NOT NULL,
    jwk        TEXT    NOT NULL,
    not_before INTEGER,
    not_after  INTEGER,
    origin     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant, client_id, id),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
) STRICT;

-- A kid names one key of a client; once that is revoked, the name is free again.
CREATE UNIQUE INDEX client_keys_kid ON client_keys (tenant, client_id, kid) WHERE revoked_at IS NULL;

CREATE TABLE users (
    tenant        TEXT    NOT NULL REFERENCES tenants (id),
    id            BLOB    NOT NULL CHECK (length(id) = 16),
    username      TEXT    NOT NULL,
    password_hash TEXT,
    claims        TEXT    NOT NULL,
    disabled      INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    version       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, username)
) STRICT;
