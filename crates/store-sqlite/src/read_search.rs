//! Listings as they are searched. One statement per leading condition, so that each is served by an index: that of a filter,
//! the pieces of a search that few match (a plus sign keeps the index of the order out of it), or the order itself.

use serde_json::{Map, Value};
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientKey, ClientSettings, Role, User};
use signet_store::search::{self, Prefix};
use signet_store::{ClientFilter, Result, UserFilter, backend};
use sqlx::SqlitePool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::failed;
use crate::read_setup::{ClientRow, KeyRow, UserRow};

/// Clients whose keys are read at once, and users with one address.
const CLIENTS: usize = 1000;
const NAMESAKES: i64 = 10;

macro_rules! clients {
    // In the order of the listing; each is looked at for what was searched for.
    (through $leading:tt, ($pool:expr, $($argument:expr),+)) => {
        clients!(
            "AND client_id > ?2 "
                + $leading
                + " AND (?4 IS NULL OR disabled = ?4)
                   AND (?5 IS NULL OR EXISTS (
                       SELECT 1 FROM client_search AS s
                       WHERE s.tenant = ?1 AND s.client_id = clients.client_id AND s.piece >= ?5 AND s.piece < ?6))",
            ($pool, $($argument),+)
        )
    };
    ($condition:tt $(+ $more:tt)*, ($pool:expr, $($argument:expr),+)) => {
        sqlx::query_as!(
            ClientRow,
            r#"SELECT client_id, version, disabled AS "disabled: bool", secret_hash, sealed_secret, registration_token,
                          owner AS "owner: Uuid", settings AS "settings: Json<ClientSettings>", created_at, updated_at
               FROM clients WHERE tenant = ?1 "# + $condition $(+ $more)* + " ORDER BY client_id LIMIT ?3",
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
    let Ok(range) = search::search(filter.search.as_deref()) else { return Ok(Vec::new()) };
    let (name, after, limit) =
        (tenant.as_str(), filter.page.after.as_deref().unwrap_or(""), backend::page_limit(filter.page.limit));
    let few = match &range {
        Some(range) if filter.owner.is_none() => few_clients(pool, name, range).await?,
        _ => false,
    };
    let (from, until) = range.map(|range| (range.from, range.until)).unzip();
    let disabled = filter.disabled;
    let rows = match (filter.owner, disabled) {
        (Some(owner), _) => clients!(
            through "AND owner = ?7", (pool, name, after, limit, disabled, from, until, owner)
        ),
        (None, _) if few => clients!(
            "AND +client_id > ?2 AND (?4 IS NULL OR disabled = ?4)
               AND client_id IN (SELECT client_id FROM client_search INDEXED BY client_search_piece WHERE tenant = ?1 AND piece >= ?5 AND piece < ?6)",
            (pool, name, after, limit, disabled, from, until)
        ),
        (None, Some(true)) => {
            clients!(through "AND disabled = 1", (pool, name, after, limit, disabled, from, until))
        }
        (None, _) => clients!(through "", (pool, name, after, limit, disabled, from, until)),
    };
    rows.map_err(failed)?.into_iter().map(|row| row.record(tenant)).collect()
}

/// Whether so few pieces match that their records are sorted sooner than the listing is gone through.
async fn few_clients(pool: &SqlitePool, tenant: &str, range: &Prefix) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!: i64" FROM (
               SELECT 1 FROM client_search WHERE tenant = ?1 AND piece >= ?2 AND piece < ?3 LIMIT ?4) AS found"#,
        tenant,
        range.from,
        range.until,
        search::FEW + 1
    )
    .fetch_one(pool)
    .await
    .map_err(failed)?;
    Ok(found <= search::FEW)
}

macro_rules! users {
    // In the order of the listing; each is looked at for what was searched for.
    (through $leading:tt, ($pool:expr, $($argument:expr),+)) => {
        users!(
            "AND username > ?2 "
                + $leading
                + " AND (?4 IS NULL OR disabled = ?4)
                   AND (?5 IS NULL OR EXISTS (
                       SELECT 1 FROM user_search AS s
                       WHERE s.tenant = ?1 AND s.user_id = users.id AND s.piece >= ?5 AND s.piece < ?6))",
            ($pool, $($argument),+)
        )
    };
    ($condition:tt $(+ $more:tt)*, ($pool:expr, $($argument:expr),+)) => {
        sqlx::query_as!(
            UserRow,
            r#"SELECT id AS "id: Uuid", username, password_hash, claims AS "claims: Json<Map<String, Value>>",
                          role, disabled AS "disabled: bool", version, created_at, updated_at
               FROM users WHERE tenant = ?1 "# + $condition $(+ $more)* + " ORDER BY username LIMIT ?3",
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
    let Ok(range) = search::search(filter.search.as_deref()) else { return Ok(Vec::new()) };
    let (name, after, limit) =
        (tenant.as_str(), filter.page.after.as_deref().unwrap_or(""), backend::page_limit(filter.page.limit));
    let few = match &range {
        Some(range) if filter.role.is_none() => few_users(pool, name, range).await?,
        _ => false,
    };
    let (from, until) = range.map(|range| (range.from, range.until)).unzip();
    let disabled = filter.disabled;
    let rows = match (filter.role.map(Role::name), disabled) {
        (Some(role), _) => users!(
            through "AND role = ?7", (pool, name, after, limit, disabled, from, until, role)
        ),
        (None, _) if few => users!(
            "AND +username > ?2 AND (?4 IS NULL OR disabled = ?4)
               AND id IN (SELECT user_id FROM user_search INDEXED BY user_search_piece WHERE tenant = ?1 AND piece >= ?5 AND piece < ?6)",
            (pool, name, after, limit, disabled, from, until)
        ),
        (None, Some(true)) => {
            users!(through "AND disabled = 1", (pool, name, after, limit, disabled, from, until))
        }
        (None, _) => users!(through "", (pool, name, after, limit, disabled, from, until)),
    };
    rows.map_err(failed)?.into_iter().map(|row| row.record(tenant)).collect()
}

/// Whether so few pieces match that their records are sorted sooner than the listing is gone through.
async fn few_users(pool: &SqlitePool, tenant: &str, range: &Prefix) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!: i64" FROM (
               SELECT 1 FROM user_search WHERE tenant = ?1 AND piece >= ?2 AND piece < ?3 LIMIT ?4) AS found"#,
        tenant,
        range.from,
        range.until,
        search::FEW + 1
    )
    .fetch_one(pool)
    .await
    .map_err(failed)?;
    Ok(found <= search::FEW)
}

pub(crate) async fn users_by_email(pool: &SqlitePool, tenant: &TenantId, email: &str) -> Result<Vec<User>> {
    let Some(email) = search::email(email) else { return Ok(Vec::new()) };
    let (name, after, limit) = (tenant.as_str(), "", NAMESAKES);
    let rows = users!("AND username > ?2 AND email = ?4", (pool, name, after, limit, email));
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
