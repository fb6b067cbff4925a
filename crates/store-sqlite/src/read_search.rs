//! Listings as they are searched. One statement per leading condition, so that each is served by an index; a search is
//! two ranges of two indexes, which are named: for the sake of their order, the planner would read the whole table.

use serde_json::{Map, Value};
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientKey, ClientSettings, Role, User};
use signet_store::search::{self, Search};
use signet_store::{ClientFilter, Result, UserFilter, backend};
use sqlx::SqlitePool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::failed;
use crate::read_setup::{self, ClientRow, KeyRow, UserRow};

/// Clients whose keys are read at once, and users with one address.
const CLIENTS: usize = 1000;
const NAMESAKES: i64 = 10;

macro_rules! clients {
    ($pool:expr, $condition:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            ClientRow,
            r#"SELECT client_id, version, disabled AS "disabled: bool", secret_hash, sealed_secret, registration_token,
                          owner AS "owner: Uuid", settings AS "settings: Json<ClientSettings>", created_at, updated_at
               FROM clients WHERE tenant = ?1 AND client_id > ?2 "# + $condition + " ORDER BY client_id LIMIT ?3",
            $($argument),+
        )
        .fetch_all($pool)
        .await
    };
}

pub(crate) async fn find_clients(
    pool: &SqlitePool,
    tenant: &TenantId,
    filter: &ClientFilter,
) -> Result<Vec<Client>> {
    let Ok(typed) = search::search(filter.search.as_deref()) else { return Ok(Vec::new()) };
    let (name, after, limit) =
        (tenant.as_str(), filter.page.after.as_deref().unwrap_or(""), backend::page_limit(filter.page.limit));
    let rows = match (filter.owner, typed) {
        (None, None) => return read_setup::clients(pool, tenant, &filter.page).await,
        (Some(owner), None) => clients!(pool, "AND owner = ?4", name, after, limit, owner),
        (None, Some(Search { id, name: folded, .. })) => clients!(
            pool,
            "AND client_id IN (
                     SELECT * FROM (SELECT client_id FROM clients INDEXED BY clients_folded_id WHERE tenant = ?1 AND lower(client_id) >= ?4 AND lower(client_id) < ?5
                              AND client_id > ?2 ORDER BY client_id LIMIT ?3)
                     UNION
                     SELECT * FROM (SELECT client_id FROM clients INDEXED BY clients_folded_name WHERE tenant = ?1 AND folded_name >= ?6 AND folded_name < ?7
                              AND client_id > ?2 ORDER BY client_id LIMIT ?3))",
            name,
            after,
            limit,
            id.from,
            id.until,
            folded.from,
            folded.until
        ),
        (Some(owner), Some(Search { id, name: folded, .. })) => clients!(
            pool,
            "AND owner = ?4 AND ((lower(client_id) >= ?5 AND lower(client_id) < ?6)
                                  OR (folded_name >= ?7 AND folded_name < ?8))",
            name,
            after,
            limit,
            owner,
            id.from,
            id.until,
            folded.from,
            folded.until
        ),
    };
    rows.map_err(failed)?.into_iter().map(|row| row.record(tenant)).collect()
}

macro_rules! users {
    ($pool:expr, $condition:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            UserRow,
            r#"SELECT id AS "id: Uuid", username, password_hash, claims AS "claims: Json<Map<String, Value>>",
                          role, disabled AS "disabled: bool", version, created_at, updated_at
               FROM users WHERE tenant = ?1 AND username > ?2 "# + $condition + " ORDER BY username LIMIT ?3",
            $($argument),+
        )
        .fetch_all($pool)
        .await
    };
}

pub(crate) async fn find_users(
    pool: &SqlitePool,
    tenant: &TenantId,
    filter: &UserFilter,
) -> Result<Vec<User>> {
    let Ok(typed) = search::search(filter.search.as_deref()) else { return Ok(Vec::new()) };
    let (name, after, limit) =
        (tenant.as_str(), filter.page.after.as_deref().unwrap_or(""), backend::page_limit(filter.page.limit));
    let rows = match (filter.role.map(Role::name), typed) {
        (None, None) => return read_setup::users(pool, tenant, &filter.page).await,
        (Some(role), None) => users!(pool, "AND role = ?4", name, after, limit, role),
        (None, Some(Search { text, .. })) => users!(
            pool,
            "AND username IN (
                     SELECT * FROM (SELECT username FROM users WHERE tenant = ?1 AND username >= ?4 AND username < ?5
                              AND username > ?2 ORDER BY username LIMIT ?3)
                     UNION
                     SELECT * FROM (SELECT username FROM users INDEXED BY users_email WHERE tenant = ?1 AND email >= ?4 AND email < ?5
                              AND username > ?2 ORDER BY username LIMIT ?3))",
            name,
            after,
            limit,
            text.from,
            text.until
        ),
        (Some(role), Some(Search { text, .. })) => users!(
            pool,
            "AND role = ?4 AND ((username >= ?5 AND username < ?6) OR (email >= ?5 AND email < ?6))",
            name,
            after,
            limit,
            role,
            text.from,
            text.until
        ),
    };
    rows.map_err(failed)?.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn users_by_email(pool: &SqlitePool, tenant: &TenantId, email: &str) -> Result<Vec<User>> {
    let Some(email) = search::email(email) else { return Ok(Vec::new()) };
    let (name, after, limit) = (tenant.as_str(), "", NAMESAKES);
    let rows = users!(pool, "AND email = ?4", name, after, limit, email);
    rows.map_err(failed)?.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn keys_of_clients(
    pool: &SqlitePool,
    tenant: &TenantId,
    clients: &[ClientId],
) -> Result<Vec<ClientKey>> {
    let name = tenant.as_str();
    let ids = Json(clients.iter().take(CLIENTS).collect::<Vec<_>>());
    let rows = sqlx::query_as!(KeyRow, r#"SELECT client_id, id AS "id: Uuid", name, usage, kid, thumbprint, jwk AS "jwk: Json<Map<String, Value>>",
                  not_before, not_after, origin, created_at, revoked_at
           FROM client_keys WHERE tenant = ?1 AND client_id IN (SELECT value FROM json_each(?2))
           ORDER BY client_id, created_at, id"#, name, ids).fetch_all(pool).await.map_err(failed)?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn ending_client_keys(
    pool: &SqlitePool,
    tenant: &TenantId,
    from: UnixTime,
    until: UnixTime,
    limit: u32,
) -> Result<Vec<ClientKey>> {
    let (name, limit) = (tenant.as_str(), backend::page_limit(limit));
    let rows = sqlx::query_as!(KeyRow, r#"SELECT client_id, id AS "id: Uuid", name, usage, kid, thumbprint, jwk AS "jwk: Json<Map<String, Value>>",
                  not_before, not_after, origin, created_at, revoked_at
           FROM client_keys
           WHERE tenant = ?1 AND not_after >= ?2 AND not_after < ?3 AND revoked_at IS NULL
           ORDER BY not_after, client_id, id LIMIT ?4"#, name, from, until, limit).fetch_all(pool).await.map_err(failed)?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}
