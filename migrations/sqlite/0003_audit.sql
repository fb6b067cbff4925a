-- The audit trail outlives what it speaks of, so it refers to nothing. The id (UUID version 7) is its order.

CREATE TABLE audit (
    tenant         TEXT    NOT NULL,
    id             BLOB    NOT NULL CHECK (length(id) = 16),
    at             INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    outcome        TEXT    NOT NULL CHECK (outcome IN ('success', 'refused')),
    reason         TEXT,
    correlation_id TEXT    NOT NULL,
    client_id      TEXT,
    user_id        BLOB,
    detail         TEXT    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX audit_correlation ON audit (tenant, correlation_id, id);
CREATE INDEX audit_client ON audit (tenant, client_id, id) WHERE client_id IS NOT NULL;
CREATE INDEX audit_user ON audit (tenant, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_reason ON audit (tenant, reason, id) WHERE reason IS NOT NULL;
