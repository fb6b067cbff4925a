-- What administrators set up: tenants, their keys, clients, the clients' keys, users.
-- Times are Unix seconds. JSON columns are only ever read whole: json, not jsonb, keeps them as written
-- (and takes \u0000 inside a string). Names sort by code point (COLLATE "C"), like everywhere else.

CREATE TABLE tenants (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    issuer     text COLLATE "C" NOT NULL UNIQUE,
    version    bigint           NOT NULL,
    settings   json             NOT NULL,
    created_at bigint           NOT NULL
);

CREATE TABLE tenant_keys (
    tenant         text COLLATE "C" NOT NULL REFERENCES tenants (id),
    id             text COLLATE "C" NOT NULL,
    usage          text             NOT NULL CHECK (usage IN ('sig', 'enc')),
    spec           text             NOT NULL,
    algs           json             NOT NULL,
    public_jwk     json             NOT NULL,
    sealed_private bytea            NOT NULL,
    created_at     bigint           NOT NULL,
    use_from       bigint           NOT NULL,
    use_until      bigint           NOT NULL,
    remove_at      bigint           NOT NULL,
    revoked_at     bigint,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE clients (
    tenant      text COLLATE "C" NOT NULL REFERENCES tenants (id),
    client_id   text COLLATE "C" NOT NULL,
    version     bigint           NOT NULL,
    disabled    boolean          NOT NULL,
    secret_hash bytea            CHECK (length(secret_hash) = 32),
    settings    json             NOT NULL,
    created_at  bigint           NOT NULL,
    updated_at  bigint           NOT NULL,
    PRIMARY KEY (tenant, client_id)
);

CREATE TABLE client_keys (
    tenant     text COLLATE "C" NOT NULL,
    client_id  text COLLATE "C" NOT NULL,
    id         uuid             NOT NULL,
    name       text             NOT NULL,
    usage      text             NOT NULL CHECK (usage IN ('sig', 'enc')),
    kid        text COLLATE "C" NOT NULL,
    thumbprint text             NOT NULL,
    jwk        json             NOT NULL,
    not_before bigint,
    not_after  bigint,
    origin     text             NOT NULL,
    created_at bigint           NOT NULL,
    revoked_at bigint,
    PRIMARY KEY (tenant, client_id, id),
    FOREIGN KEY (tenant, client_id) REFERENCES clients (tenant, client_id) ON DELETE CASCADE
);

-- A kid names one key of a client; once that is revoked, the name is free again.
CREATE UNIQUE INDEX client_keys_kid ON client_keys (tenant, client_id, kid) WHERE revoked_at IS NULL;

CREATE TABLE users (
    tenant        text COLLATE "C" NOT NULL REFERENCES tenants (id),
    id            uuid             NOT NULL,
    username      text COLLATE "C" NOT NULL,
    password_hash text,
    claims        json             NOT NULL,
    disabled      boolean          NOT NULL,
    version       bigint           NOT NULL,
    created_at    bigint           NOT NULL,
    updated_at    bigint           NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, username)
);
