//! A database of before, with data in it, comes up to this version; and a binary of before goes on with it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use signet_core::change::Change;
use signet_core::ids::{TenantId, TokenHash};
use signet_core::records::{ResponseType, Stage};
use signet_store::contract::Handle;
use signet_store::contract::build::{NOW, id};
use signet_store::{ClientFilter, Page, UserFilter};
use signet_store_sqlite::{Durability, SqliteStore};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// Written by a binary that knows the versions up to 3.
const BEFORE: &str = r#"
    INSERT INTO tenants VALUES ('one', 'https://one.example', 1, '{}', 0), ('two', 'https://two.example', 1, '{}', 0);
    INSERT INTO clients VALUES ('one', 'app', 1, 0, NULL, '{}', 0, 0),
        ('one', 'shop', 1, 0, NULL, '{"client_name":"Corner SHOP","redirect_uris":["https://Login.example:8443/cb?x=y","org.native.app:/cb"]}', 0, 0),
        ('one', 'odd', 1, 0, NULL, '{"client_name":"nul \u0000 inside"}', 0, 0);
    INSERT INTO users VALUES ('one', x'00000000000000000000000000000001', 'ada', NULL, '{"email":"Ada@Example.com","given_name":"Augusta","family_name":"King","locale":"en"}', 0, 1, 0, 0),
        ('one', x'00000000000000000000000000000002', 'bob', NULL, '{"email":7}', 0, 1, 0, 0),
        ('one', x'00000000000000000000000000000003', 'carl', NULL, '{"email":"a\u0000b"}', 0, 1, 0, 0);
    INSERT INTO interactions VALUES ('one', 'waiting', x'0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', 1, 'authenticated', 'sid',
        '{"client_id":"app","redirect_uri":"https://rp.example/cb","scope":["openid"],"state":null,"nonce":null,
          "code_challenge":null,"prompt":[],"max_age":null,"acr_values":[],"login_hint":[],"ui_locales":[],
          "claims":{"userinfo":{},"id_token":{}},"source":"signed"}', 'correlation', 0, 1800000901);
    INSERT INTO audit (tenant, id, at, kind, outcome, correlation_id, detail)
        VALUES ('one', x'00000000000000000000000000000001', 5, 'login.succeeded', 'success', 'correlation', '{}');
    INSERT INTO grants (tenant, id, client_id, user_id, created_at, ends_at, revoked_at)
        VALUES ('one', x'00000000000000000000000000000001', 'app', x'00000000000000000000000000000001', 0, 1800000901, NULL),
               ('one', x'00000000000000000000000000000002', 'app', x'00000000000000000000000000000001', 0, 1800000900, 5);
    INSERT INTO codes VALUES ('one', x'0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', x'00000000000000000000000000000001',
        '{"client_id":"app","redirect_uri":"https://rp.example/cb","scope":["openid"],"state":null,"nonce":null,
          "code_challenge":null,"prompt":[],"max_age":null,"acr_values":[],"login_hint":[],"ui_locales":[],
          "claims":{"userinfo":{},"id_token":{}},"source":"signed"}', '["openid"]',
        '{"user_id":"00000000-0000-0000-0000-000000000001","sid":"s","auth_time":0,"amr":[],"acr":"a"}',
        'correlation', 0, 1800000060, NULL);
    INSERT INTO access_tokens VALUES
        ('one', x'0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', x'00000000000000000000000000000001', '["openid"]', '[]', 0, 1800000600),
        ('one', x'1616161616161616161616161616161616161616161616161616161616161616', x'00000000000000000000000000000002', '["openid"]', '[]', 0, 1800000600);"#;

/// Written by such a binary beside this one.
const BESIDE: &str = r#"
    INSERT INTO tenants (id, issuer, version, settings, created_at) VALUES ('three', 'https://three.example', 1, '{}', 0);
    INSERT INTO clients (tenant, client_id, version, disabled, secret_hash, settings, created_at, updated_at)
        VALUES ('three', 'app', 1, 0, NULL, '{}', 0, 0);
    INSERT INTO audit (tenant, id, at, kind, outcome, correlation_id, detail)
        VALUES ('one', x'00000000000000000000000000000002', 5, 'login.succeeded', 'success', 'correlation', '{}');
    INSERT INTO grants (tenant, id, client_id, user_id, created_at, ends_at, revoked_at)
        VALUES ('one', x'00000000000000000000000000000003', 'app', x'00000000000000000000000000000001', 0, 1800000901, NULL);
    INSERT INTO access_tokens (tenant, hash, grant_id, scope, claims, issued_at, expires_at)
        VALUES ('one', x'2121212121212121212121212121212121212121212121212121212121212121', x'00000000000000000000000000000003', '["openid"]', '[]', 0, 1800000600);"#;

fn migrations() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite"))
}

/// The clients of the tenant `one` that `search` finds.
async fn found(store: &Handle, search: &str) -> Vec<String> {
    let page = Page { after: None, limit: 9 };
    let filter = ClientFilter { search: Some(search.into()), page, ..ClientFilter::default() };
    let clients = store.find_clients(&"one".into(), &filter).await.unwrap();
    clients.into_iter().map(|client| client.client_id.as_str().to_owned()).collect()
}

#[tokio::test]
async fn version_3_with_data_is_brought_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("signet.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true).foreign_keys(true);
    let mut old = options.connect().await.unwrap();
    Migrator::new(migrations()).await.unwrap().run_to(3, &mut old).await.unwrap();
    sqlx::raw_sql(BEFORE).execute(&mut old).await.unwrap();
    let store: Handle = Arc::new(SqliteStore::open(&path, Durability::Relaxed).await.unwrap());
    assert!(!store.is_current().await.unwrap());
    store.migrate().await.unwrap();
    assert!(store.is_current().await.unwrap());

    let tenants = store.tenants().await.unwrap();
    let salts: BTreeSet<[u8; 32]> = tenants.iter().map(|tenant| tenant.pairwise_salt).collect();
    assert_eq!((tenants.len(), salts.len()), (2, 2), "each has one of its own");
    assert!(!salts.contains(&[0; 32]));
    let one = TenantId::new("one");
    let client = store.client(&one, &"app".into()).await.unwrap().unwrap();
    assert_eq!((client.sealed_secret, client.registration_token, client.owner), (None, None, None));
    assert_eq!(found(&store, "corner s").await, ["shop"]);
    assert_eq!(found(&store, "o").await, ["odd", "shop"]);
    for search in ["ner SH", "hop", "gin.example:84", "ative.app"] {
        assert_eq!(found(&store, search).await, ["shop"], "{search}");
    }
    for search in ["/cb", "x=y", "orner\u{1}", "rn"] {
        assert!(found(&store, search).await.is_empty(), "{search}");
    }
    for search in ["ugus", "augusta k", "ki", "a@exa", "ada"] {
        let page = Page { after: None, limit: 9 };
        let filter = UserFilter { search: Some(search.into()), page, ..UserFilter::default() };
        let users = store.find_users(&one, &filter).await.unwrap();
        assert_eq!(users.iter().map(|user| user.id).collect::<Vec<_>>(), [id(1)], "{search}");
    }
    let ada = store.users_by_email(&one, "ADA@example.com").await.unwrap();
    assert_eq!(ada.iter().map(|user| (user.id, user.role)).collect::<Vec<_>>(), [(id(1), None)]);
    let waiting = store.interaction(&one, "waiting").await.unwrap().unwrap();
    assert_eq!(waiting.stage, Stage::Authenticated { sid: "sid".into() });
    let mut next = waiting.clone();
    (next.version, next.stage) = (2, Stage::Identified { user_id: id(1), since: 5, version: 1 });
    let update = Change::UpdateInteraction { interaction: next.clone(), now: NOW };
    store.apply(&one, &[update]).await.unwrap();
    assert_eq!(store.interaction(&one, "waiting").await.unwrap(), Some(next));
    assert_eq!(store.unsealed_audit(&one, 9).await.unwrap().len(), 1);
    assert_eq!(store.user_by_name(&one, "ada").await.unwrap().unwrap().id, id(1));

    let [live, ended] = [11_u8, 22].map(|byte| TokenHash::from_bytes([byte; 32]));
    let code = store.code(&one, &live).await.unwrap().unwrap();
    assert_eq!(code.request.response_type, ResponseType::Code);
    let token = store.access_token(&one, &live).await.unwrap().unwrap();
    assert_eq!((token.user_id, token.audience, token.actor), (Some(id(1)), BTreeSet::new(), None));
    assert_eq!(store.access_token(&one, &ended).await.unwrap(), None, "revoked is revoked");
    let redeem = Change::RedeemCode { hash: live, client_id: "app".into(), at: NOW };
    store.apply(&one, &[redeem]).await.unwrap();

    sqlx::raw_sql(BESIDE).execute(&mut old).await.unwrap();
    old.close().await.unwrap();
    let tenants = store.tenants().await.unwrap();
    let salts: BTreeSet<[u8; 32]> = tenants.iter().map(|tenant| tenant.pairwise_salt).collect();
    assert_eq!((tenants.len(), salts.len()), (3, 3));
    assert_eq!(store.unsealed_audit(&one, 9).await.unwrap().len(), 2);
    let beside = TokenHash::from_bytes([33; 32]);
    assert_eq!(store.access_token(&one, &beside).await.unwrap().unwrap().user_id, Some(id(1)));

    // Grants end when they would have, and everything still goes with its user.
    assert_eq!(store.sweep(NOW + 899, 10).await.unwrap().rows, 0);
    assert_eq!(store.sweep(NOW + 900, 1).await.unwrap().rows, 1);
    store.apply(&one, &[Change::DeleteUser(id(1))]).await.unwrap();
    assert_eq!(store.code(&one, &live).await.unwrap(), None);
    assert_eq!(store.access_token(&one, &beside).await.unwrap(), None);
    assert_eq!(store.sweep(i64::MAX, 10).await.unwrap().rows, 1, "the interaction");
}
