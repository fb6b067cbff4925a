//! The records that are listed.

use serde_json::json;
use signet_core::change::Change;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientSettings, Role, User};
use signet_store::Store;
use signet_tests::database::Database;

use crate::cases::user_id;
use crate::{NOW, SPAN};

/// A UUID of version 7 that is made at `ms` and ends with `number`, in both dialects.
fn uuid(postgres: bool, ms: &str, number: &str) -> String {
    if postgres {
        format!(
            "(lpad(to_hex({ms}), 12, '0') || '7' || lpad(to_hex(({number}) & 4095), 3, '0')
              || '8' || lpad(to_hex({number}), 15, '0'))::uuid"
        )
    } else {
        format!("unhex(printf('%012x7%03x8%015x', {ms}, ({number}) & 4095, {number}))")
    }
}

/// Users and clients by the writer itself, which keeps what they are found by.
pub(crate) async fn people_and_clients(store: &dyn Store, tenant: &TenantId) {
    let users = (1..=20_000).map(|i| {
        let claims =
            json!({"email": format!("mail{i}@example.com"), "name": format!("Person of number {i}")});
        Change::InsertUser(User {
            tenant: tenant.clone(),
            id: user_id(i),
            username: format!("user{i}"),
            password_hash: None,
            claims: claims.as_object().unwrap().clone(),
            role: (i % 1000 == 0).then_some(Role::Developer),
            disabled: i % 500 == 0,
            version: 1,
            created_at: 0,
            updated_at: 0,
        })
    });
    let clients = (1..=10_000).map(|i: u128| {
        let kind = ["shop", "bank", "app", "x"][usize::try_from(i % 4).unwrap()];
        let client_name =
            if i.is_multiple_of(3) { format!("Shop number {i}") } else { format!("Client {i}") };
        Change::InsertClient(Client {
            tenant: tenant.clone(),
            client_id: ClientId::new(format!("{kind}-{i}")),
            version: 1,
            disabled: i.is_multiple_of(200),
            secret_hash: None,
            sealed_secret: None,
            registration_token: None,
            owner: i.is_multiple_of(100).then(|| user_id(1000 * (1 + i / 100 % 20))),
            settings: ClientSettings {
                client_name,
                redirect_uris: vec![format!("https://{kind}{i}.apps.example.com/callback")],
                ..ClientSettings::default()
            },
            created_at: 0,
            updated_at: 0,
        })
    });
    let all: Vec<Change> = users.chain(clients).collect();
    for batch in all.chunks(250) {
        store.apply(tenant, batch).await.unwrap();
    }
}

pub(crate) async fn fill(database: &Database, events: i64) {
    let postgres = database.is_postgres();
    let series = |count: i64| {
        if postgres {
            format!("generate_series(1::bigint, {count}) AS s(i)")
        } else {
            format!(
                "(WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {count}) SELECT i FROM s)"
            )
        }
    };
    let id = |ms: &str| uuid(postgres, ms, "i");
    let person = |number: &str| uuid(postgres, "0", number);
    let hash = if postgres { "sha256(convert_to(i::text, 'UTF8'))" } else { "unhex(printf('%064x', i))" };
    let object = if postgres { "json_build_object" } else { "json_object" };
    let kinds = "CASE i % 20 WHEN 0 THEN 'authorize.refused' WHEN 1 THEN 'session.ended' WHEN 2 THEN 'client.updated'
                             WHEN 3 THEN 'login.succeeded' WHEN 4 THEN 'login.succeeded' WHEN 5 THEN 'login.succeeded'
                             WHEN 6 THEN 'token.refused' ELSE 'token.issued' END";
    for sql in [
        format!(
            "INSERT INTO client_keys (tenant, client_id, id, name, usage, kid, thumbprint, jwk, not_after, origin, created_at)
             SELECT 'bench', client_id, {}, 'key', 'enc', 'kid', 'thumbprint', '{{}}', {NOW} + i * 86400, 'jwk', 0
             FROM (SELECT client_id, row_number() OVER (ORDER BY client_id) AS i FROM clients) AS numbered",
            id("0")
        ),
        format!(
            "INSERT INTO sessions (tenant, hash, sid, user_id, auth_time, amr, acr, last_seen, expires_at)
             SELECT 'bench', {hash}, 'sid' || i, {}, 0, '[]', '', i, {NOW} + 3600 FROM {}",
            person("1 + i % 10000"), series(40_000)
        ),
        // A third of everything is one client's; `rare` has two events, long ago.
        format!(
            "INSERT INTO audit (tenant, id, at, kind, outcome, reason, correlation_id, client_id, user_id, actor, detail)
             SELECT 'bench', {}, at, CASE WHEN i = 7 THEN 'tenant.created' ELSE {kinds} END,
                    CASE WHEN i % 20 IN (0, 6) THEN 'refused' ELSE 'success' END,
                    CASE WHEN i = 20 THEN 'rare_reason' WHEN i % 20 = 0 THEN 'jti_used' WHEN i % 20 = 6 THEN 'code_used' END,
                    'login-' || (i / 4),
                    CASE WHEN i < 3 THEN 'rare' WHEN i % 3 = 0 THEN 'shop-4' ELSE 'bank-' || (1 + 4 * (i % 2500)) END,
                    CASE WHEN i % 2 = 0 THEN {} END,
                    CASE WHEN i % 20 = 2 THEN CASE WHEN i % 40 = 2 THEN 'command line' ELSE 'user:' || (i % 300) END END, {object}('scope', 'openid profile', 'n', i)
             FROM (SELECT i, {NOW} - {SPAN} + i * {SPAN} / {events} AS at FROM {}) AS numbered",
            id("at * 1000"), person("1 + i % 20000"), series(events)
        ),
    ] {
        database.execute(&sql).await;
    }
}
