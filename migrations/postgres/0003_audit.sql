-- The audit trail outlives what it speaks of, so it refers to nothing. The id (UUID version 7) is its order.

CREATE TABLE audit (
    tenant         text COLLATE "C" NOT NULL,
    id             uuid             NOT NULL,
    at             bigint           NOT NULL,
    kind           text             NOT NULL,
    outcome        text             NOT NULL CHECK (outcome IN ('success', 'refused')),
    reason         text COLLATE "C",
    correlation_id text COLLATE "C" NOT NULL,
    client_id      text COLLATE "C",
    user_id        uuid,
    detail         json             NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE INDEX audit_correlation ON audit (tenant, correlation_id, id);
CREATE INDEX audit_client ON audit (tenant, client_id, id) WHERE client_id IS NOT NULL;
CREATE INDEX audit_user ON audit (tenant, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_reason ON audit (tenant, reason, id) WHERE reason IS NOT NULL;
