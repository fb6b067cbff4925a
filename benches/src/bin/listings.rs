//! The listings that the console shows, with 10,000 clients, 20,000 users and 1,000,000 audit events, on SQLite and on
//! PostgreSQL (`SIGNET_TEST_POSTGRES`): how long each takes, and the plan of the statement that the backend runs. Also how
//! fast the audit chain is made and judged.
//!
//! `listings [EVENTS] [sqlite|postgres]`
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that speaks to people"
)]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use signet_benches::{quantile, timed};
use signet_core::change::Change;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientSettings, Outcome, Role, Tenant, TenantSettings, User};
use signet_server::audit_chain::{seal, verify};
use signet_server::edge::entropy;
use signet_server::vault::Vault;
use signet_store::{AuditFilter, ClientFilter, Page, Store, UserFilter};
use signet_tests::database::Database;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use uuid::Uuid;

/// The instant after the last event.
const NOW: i64 = 1_800_000_000;
/// Events are spread over this many seconds before it.
const SPAN: i64 = 30 * 86_400;
const ROUNDS: usize = 15;
const PAGE: u32 = 50;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let events = arguments.next().map_or(1_000_000, |text| text.parse().unwrap());
    let which = arguments.next();
    let wanted = |name: &str| which.as_deref().is_none_or(|which| which == name);
    if wanted("sqlite") {
        run(Database::sqlite(), events).await;
    }
    if wanted("postgres") && std::env::var_os("SIGNET_TEST_POSTGRES").is_some() {
        run(Database::postgres().await, events).await;
    }
}

async fn run(database: Database, events: i64) {
    let backend = if database.is_postgres() { "postgres" } else { "sqlite" };
    println!("# {backend}, {events} events");
    let store = database.store().await;
    store.migrate().await.unwrap();
    let tenant = Tenant {
        id: "bench".into(),
        issuer: "https://bench.example".into(),
        version: 1,
        settings: TenantSettings::default(),
        pairwise_salt: [7; 32],
        created_at: 0,
    };
    store.apply(&tenant.id, &[Change::InsertTenant(tenant.clone())]).await.unwrap();
    let ((), took) = timed(people_and_clients(store.as_ref(), &tenant.id)).await;
    println!("20,000 users and 10,000 clients written in {:.0} s", took.as_secs_f64());
    let ((), took) = timed(fill(&database, events)).await;
    println!("filled in {:.0} s", took.as_secs_f64());
    chain(store.as_ref(), &tenant.id, events).await;
    if database.is_postgres() {
        database.execute("ANALYZE").await;
    }
    let mut slowest = Duration::ZERO;
    for case in cases(events) {
        slowest = slowest.max(measure(&store, &tenant.id, &database, &case).await);
    }
    println!("slowest median: {:.2} ms\n", slowest.as_secs_f64() * 1000.0);
    store.close().await;
    database.close().await;
}

async fn chain(store: &dyn Store, tenant: &TenantId, events: i64) {
    let keys = Vault::from_text(&Vault::generate(entropy().as_ref())).unwrap().chain_keys();
    let (links, took) = timed(async {
        let mut links = 0;
        loop {
            match seal(store, &keys, tenant, NOW).await.unwrap() {
                0 => return links,
                made => links += made,
            }
        }
    })
    .await;
    println!("{links} links made, {:.0} events/s", events as f64 / took.as_secs_f64());
    let (found, took) = timed(verify(store, &keys, tenant)).await;
    let found = found.unwrap();
    assert!(found.wrong.is_empty(), "{:?}", found.wrong);
    println!("{} links over {} events judged in {:.1} s", found.links, found.events, took.as_secs_f64());
}

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
async fn people_and_clients(store: &dyn Store, tenant: &TenantId) {
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

async fn fill(database: &Database, events: i64) {
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
                    CASE WHEN i % 20 = 2 THEN CASE WHEN i % 40 = 2 THEN 'command line' ELSE 'user:' || i % 300 END END, {object}('scope', 'openid profile', 'n', i)
             FROM (SELECT i, {NOW} - {SPAN} + i * {SPAN} / {events} AS at FROM {}) AS numbered",
            id("at * 1000"), person("1 + i % 20000"), series(events)
        ),
    ] {
        database.execute(&sql).await;
    }
}

/// One listing, and how its statement is recognised: what it contains, with `$` for both dialects, and what it is given.
struct Case {
    name: &'static str,
    what: What,
    contains: &'static [&'static str],
    arguments: String,
}

enum What {
    Clients(ClientFilter),
    Keys(Vec<ClientId>),
    Ending,
    Users(UserFilter),
    Email(&'static str),
    Sessions(Uuid),
    Audit(Box<AuditFilter>),
    Unsealed,
    LastSeal,
    Seals,
    Chained,
    Unpurged,
    Tallies,
}

impl What {
    /// Asks; returns how many rows there are.
    async fn ask(&self, store: &dyn Store, tenant: &TenantId) -> usize {
        match self {
            Self::Clients(filter) => store.find_clients(tenant, filter).await.unwrap().len(),
            Self::Keys(clients) => store.keys_of_clients(tenant, clients).await.unwrap().len(),
            Self::Ending => {
                store.ending_client_keys(tenant, NOW, NOW + 30 * 86_400, PAGE).await.unwrap().len()
            }
            Self::Users(filter) => store.find_users(tenant, filter).await.unwrap().len(),
            Self::Email(email) => store.users_by_email(tenant, email).await.unwrap().len(),
            Self::Sessions(user) => store.user_sessions(tenant, *user, NOW).await.unwrap().len(),
            Self::Audit(filter) => store.audit(tenant, filter).await.unwrap().len(),
            Self::Unsealed => store.unsealed_audit(tenant, 500).await.unwrap().len(),
            Self::LastSeal => store.last_audit_seal(tenant).await.unwrap().into_iter().count(),
            Self::Seals => store.audit_seals(tenant, 100, 1000).await.unwrap().len(),
            Self::Chained => store.chained_audit(tenant, (100, Uuid::nil()), 1000).await.unwrap().len(),
            Self::Unpurged => store.unpurged_audit_seals(tenant, 200).await.unwrap().len(),
            Self::Tallies => store.audit_tallies(tenant, NOW / 86_400 - 30).await.unwrap().len(),
        }
    }
}

fn page(after: Option<&str>) -> Page {
    Page { after: after.map(str::to_owned), limit: PAGE }
}

/// The number that [`uuid()`] gives a user.
fn user_id(number: u128) -> Uuid {
    Uuid::from_u128((0x7000 | (number & 4095)) << 64 | 8 << 60 | number)
}

/// The statements that go through a listing in its order, and those that begin with what was searched for.
const CLIENTS: &[&str] =
    &["FROM clients WHERE tenant = $1 AND client_id > $2 AND ($4", "FROM client_search AS s"];
const FEW_CLIENTS: &[&str] = &["FROM clients", "(SELECT client_id FROM client_search"];
const USERS: &[&str] = &["FROM users WHERE tenant = $1 AND username > $2 AND ($4", "FROM user_search AS s"];
const FEW_USERS: &[&str] = &["FROM users", "(SELECT user_id FROM user_search"];

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases(events: i64) -> Vec<Case> {
    let clients = |search: Option<&str>, owner, disabled, after| {
        let search = search.map(str::to_owned);
        What::Clients(ClientFilter { search, owner, disabled, page: page(after) })
    };
    let users = |search: Option<&str>, role, disabled| {
        What::Users(UserFilter { search: search.map(str::to_owned), role, disabled, page: page(None) })
    };
    let ten: Vec<ClientId> = (0..50).map(|n| ClientId::new(format!("bank-{}", 1 + 4 * n))).collect();
    let developer = user_id(5000);
    let mut cases = vec![
        Case {
            name: "clients",
            what: clients(None, None, None, None),
            contains: CLIENTS,
            arguments: "'bench', '', 50, NULL, NULL, NULL".into(),
        },
        Case {
            name: "clients, a later page",
            what: clients(None, None, None, Some("bank-5")),
            contains: CLIENTS,
            arguments: "'bench', 'bank-5', 50, NULL, NULL, NULL".into(),
        },
        Case {
            name: "clients that are disabled",
            what: clients(None, None, Some(true), None),
            contains: &["FROM clients WHERE tenant = $1 AND client_id > $2 AND disabled"],
            arguments: "'bench', '', 50, true, NULL, NULL".into(),
        },
        Case {
            name: "clients that are not",
            what: clients(None, None, Some(false), None),
            contains: CLIENTS,
            arguments: "'bench', '', 50, false, NULL, NULL".into(),
        },
        Case {
            name: "clients, whether few pieces match",
            what: clients(Some("client 9998"), None, None, None),
            contains: &["SELECT count(*)", "FROM client_search"],
            arguments: "'bench', 'client 9998', 'client 9999', 5001".into(),
        },
        Case {
            name: "clients, search that all match",
            what: clients(Some("ample.co"), None, None, None),
            contains: CLIENTS,
            arguments: "'bench', '', 50, NULL, 'ample.co', 'ample.cp'".into(),
        },
        Case {
            name: "clients, the same, a later page",
            what: clients(Some("ample.co"), None, None, Some("shop-5")),
            contains: CLIENTS,
            arguments: "'bench', 'shop-5', 50, NULL, 'ample.co', 'ample.cp'".into(),
        },
        Case {
            name: "clients, search that 2500 match, page by page sorted",
            what: clients(Some("ank-"), None, None, None),
            contains: FEW_CLIENTS,
            arguments: "'bench', '', 50, NULL, 'ank-', 'ank.'".into(),
        },
        Case {
            name: "clients, search that one matches",
            what: clients(Some("lient 9998"), None, None, None),
            contains: FEW_CLIENTS,
            arguments: "'bench', '', 50, NULL, 'lient 9998', 'lient 9999'".into(),
        },
        Case {
            name: "clients, by host",
            what: clients(Some("ank9997.apps"), None, None, None),
            contains: FEW_CLIENTS,
            arguments: "'bench', '', 50, NULL, 'ank9997.apps', 'ank9997.appt'".into(),
        },
        Case {
            name: "clients, search that none matches",
            what: clients(Some("nothing"), None, None, None),
            contains: FEW_CLIENTS,
            arguments: "'bench', '', 50, NULL, 'nothing', 'nothinh'".into(),
        },
        Case {
            name: "clients of a developer",
            what: clients(None, Some(developer), None, None),
            contains: &["FROM clients", "AND owner = $7 AND"],
            arguments: format!("'bench', '', 50, NULL, NULL, NULL, '{developer}'"),
        },
        Case {
            name: "clients of a developer, search",
            what: clients(Some("lient"), Some(developer), None, None),
            contains: &["FROM clients", "AND owner = $7 AND"],
            arguments: format!("'bench', '', 50, NULL, 'lient', 'lienu', '{developer}'"),
        },
        Case {
            name: "keys of the clients on a page",
            what: What::Keys(ten),
            contains: &["FROM client_keys", "ORDER BY client_id, created_at, id"],
            arguments: "'bench', ARRAY['bank-1', 'bank-5', 'bank-9']".into(),
        },
        Case {
            name: "keys that end within 30 days",
            what: What::Ending,
            contains: &["FROM client_keys", "not_after >= $2"],
            arguments: format!("'bench', {NOW}, {}, 50", NOW + 30 * 86_400),
        },
        Case {
            name: "users",
            what: users(None, None, None),
            contains: USERS,
            arguments: "'bench', '', 50, NULL, NULL, NULL".into(),
        },
        Case {
            name: "users that are disabled",
            what: users(None, None, Some(true)),
            contains: &["FROM users WHERE tenant = $1 AND username > $2 AND disabled"],
            arguments: "'bench', '', 50, true, NULL, NULL".into(),
        },
        Case {
            name: "users, whether few pieces match",
            what: users(Some("person of"), None, None),
            contains: &["SELECT count(*)", "FROM user_search"],
            arguments: "'bench', 'person of', 'person og', 5001".into(),
        },
        Case {
            name: "users, search that all match",
            what: users(Some("person of"), None, None),
            contains: USERS,
            arguments: "'bench', '', 50, NULL, 'person of', 'person og'".into(),
        },
        Case {
            name: "users, search that 1111 match",
            what: users(Some("ail17"), None, None),
            contains: FEW_USERS,
            arguments: "'bench', '', 50, NULL, 'ail17', 'ail18'".into(),
        },
        Case {
            name: "users, search by address",
            what: users(Some("l7777@exam"), None, None),
            contains: FEW_USERS,
            arguments: "'bench', '', 50, NULL, 'l7777@exam', 'l7777@exan'".into(),
        },
        Case {
            name: "users, search by name",
            what: users(Some("ber 19999"), None, None),
            contains: FEW_USERS,
            arguments: "'bench', '', 50, NULL, 'ber 19999', 'ber 1999:'".into(),
        },
        Case {
            name: "users, two characters",
            what: users(Some("us"), None, None),
            contains: USERS,
            arguments: "'bench', '', 50, NULL, '\u{1}us', '\u{1}ut'".into(),
        },
        Case {
            name: "users with a role",
            what: users(None, Some(Role::Developer), None),
            contains: &["FROM users", "AND role = $7 AND"],
            arguments: "'bench', '', 50, NULL, NULL, NULL, 'developer'".into(),
        },
        Case {
            name: "users with a role, search",
            what: users(Some("son of"), Some(Role::Developer), None),
            contains: &["FROM users", "AND role = $7 AND"],
            arguments: "'bench', '', 50, NULL, 'son of', 'son og', 'developer'".into(),
        },
        Case {
            name: "users by address",
            what: What::Email("mail777@example.com"),
            contains: &["FROM users", "AND email = $4 ORDER BY"],
            arguments: "'bench', '', 10, 'mail777@example.com'".into(),
        },
        Case {
            name: "sessions of a user",
            what: What::Sessions(user_id(77)),
            contains: &["FROM sessions", "user_id = $2"],
            arguments: format!("'bench', '{}', {NOW}", user_id(77)),
        },
        Case {
            name: "events without a link",
            what: What::Unsealed,
            contains: &["FROM audit WHERE tenant = $1 AND seal IS NULL"],
            arguments: "'bench', 500".into(),
        },
        Case {
            name: "events of the chain",
            what: What::Chained,
            contains: &["AND (seal, id) > ($2, $3)"],
            arguments: "'bench', 100, '00000000-0000-0000-0000-000000000000', 1000".into(),
        },
        Case {
            name: "last link",
            what: What::LastSeal,
            contains: &["FROM audit_seals", "ORDER BY number DESC"],
            arguments: "'bench'".into(),
        },
        Case {
            name: "links",
            what: What::Seals,
            contains: &["FROM audit_seals", "number > $2"],
            arguments: "'bench', 100, 1000".into(),
        },
        Case {
            name: "links with events",
            what: What::Unpurged,
            contains: &["FROM audit_seals", "purged_at IS NULL ORDER"],
            arguments: "'bench', 200".into(),
        },
        Case {
            name: "tallies of 30 days",
            what: What::Tallies,
            contains: &["FROM audit_tallies"],
            arguments: format!("'bench', {}", NOW / 86_400 - 30),
        },
    ];
    cases.extend(audit_cases(events));
    cases
}

/// How a statement is recognised by the condition that leads.
type Leads = &'static [&'static str];

fn audit_cases(events: i64) -> Vec<Case> {
    let plain = || AuditFilter { limit: PAGE, ..AuditFilter::default() };
    let middle = {
        let (i, at) = (events / 2, NOW - SPAN / 2);
        Uuid::from_u128(
            u128::try_from(at * 1000).unwrap() << 80
                | (0x7000 | u128::try_from(i & 4095).unwrap()) << 64
                | 8 << 60
                | u128::try_from(i).unwrap(),
        )
    };
    let day = |filter: AuditFilter| AuditFilter {
        since: Some(NOW - SPAN / 2),
        until: Some(NOW - SPAN / 2 + 86_400),
        ..filter
    };
    let kind = |kind: &str| AuditFilter { kind: Some(kind.into()), ..plain() };
    let actor = |actor: &str| AuditFilter { actor: Some(actor.into()), ..plain() };
    let client = |client: &str| AuditFilter { client_id: Some(client.into()), ..plain() };
    let reason = |reason: &str| AuditFilter { reason: Some(reason.into()), ..plain() };
    let refused = |filter: AuditFilter| AuditFilter { outcome: Some(Outcome::Refused), ..filter };
    let none: Leads = &["FROM audit ", "OR actor = $12) ORDER BY"];
    let correlation: Leads = &["FROM audit ", "AND correlation_id = $6 ORDER BY"];
    let user: Leads = &["FROM audit ", "AND user_id = $7 ORDER BY"];
    let by_actor: Leads = &["FROM audit ", "AND actor = $12 ORDER BY"];
    let by_client: Leads = &["FROM audit ", "AND client_id = $8 ORDER BY"];
    let by_reason: Leads = &["FROM audit ", "AND reason = $9 ORDER BY"];
    let by_kind: Leads = &["FROM audit ", "AND kind = $10 ORDER BY"];
    let by_outcome: Leads = &["FROM audit ", "AND outcome = $11 ORDER BY"];
    [
        ("audit", plain(), none),
        ("audit, a page in the middle", AuditFilter { before: Some(middle), ..plain() }, none),
        ("audit, one day in the middle", day(plain()), none),
        (
            "audit of one login",
            AuditFilter { correlation_id: Some("login-7".into()), ..plain() },
            correlation,
        ),
        ("audit of a user", AuditFilter { user_id: Some(user_id(77)), ..plain() }, user),
        ("audit of a user, refused", refused(AuditFilter { user_id: Some(user_id(78)), ..plain() }), user),
        ("audit by somebody", actor("user:22"), by_actor),
        ("audit by many", actor("command line"), by_actor),
        ("audit by somebody, one day", day(actor("command line")), by_actor),
        ("audit by somebody, refused", refused(actor("command line")), by_actor),
        ("audit of a client with a third of everything", client("shop-4"), by_client),
        ("audit of a client with two old events", client("rare"), by_client),
        ("audit of a client, one day", day(client("bank-1")), by_client),
        ("audit of a client, refused", refused(client("shop-4")), by_client),
        ("audit by a common reason", reason("jti_used"), by_reason),
        ("audit by a rare reason", reason("rare_reason"), by_reason),
        ("audit by a common kind", kind("token.issued"), by_kind),
        ("audit by a rare kind", kind("tenant.created"), by_kind),
        ("audit by a kind, one day", day(kind("login.succeeded")), by_kind),
        ("audit by outcome", refused(plain()), by_outcome),
        ("audit by outcome, one day", day(refused(plain())), by_outcome),
        ("audit by kind and outcome that exclude each other", refused(kind("token.issued")), by_kind),
        (
            "audit of a client, kind that it never had",
            AuditFilter { kind: Some("tenant.created".into()), ..client("shop-4") },
            by_client,
        ),
    ]
    .into_iter()
    .map(|(name, filter, contains)| {
        let arguments = audit_arguments(&filter);
        Case { name, what: What::Audit(Box::new(filter)), contains, arguments }
    })
    .collect()
}

fn audit_arguments(filter: &AuditFilter) -> String {
    let (from, before) = signet_store::search::span(filter);
    let text = |value: Option<&str>| value.map_or("NULL".to_owned(), |value| format!("'{value}'"));
    let outcome = filter.outcome.map(signet_store::backend::outcome_name);
    [
        "'bench'".to_owned(),
        format!("'{before}'"),
        format!("'{from}'"),
        filter.since.unwrap_or(i64::MIN + 1).to_string(),
        filter.until.unwrap_or(i64::MAX).to_string(),
        text(filter.correlation_id.as_deref()),
        text(filter.user_id.map(|id| id.to_string()).as_deref()),
        text(filter.client_id.as_ref().map(ClientId::as_str)),
        text(filter.reason.as_deref()),
        text(filter.kind.as_deref()),
        text(outcome),
        text(filter.actor.as_deref()),
        PAGE.to_string(),
    ]
    .join(", ")
}

async fn measure(store: &Arc<dyn Store>, tenant: &TenantId, database: &Database, case: &Case) -> Duration {
    let mut times = Vec::new();
    let mut rows = 0;
    for _ in 0..ROUNDS {
        let (found, took) = timed(case.what.ask(store.as_ref(), tenant)).await;
        rows = found;
        times.push(took);
    }
    times.sort_unstable();
    let median = quantile(&times, 0.5);
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{:<55} {rows:>5} rows {:>9.2} ms median {:>9.2} ms worst",
        case.name,
        ms(median),
        ms(*times.last().unwrap())
    );
    for line in plan(database, case).await {
        println!("        {line}");
    }
    median
}

/// The statement as the backend has it, from its offline data.
fn statement(backend: &str, contains: &[&str]) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../crates/store-{backend}/.sqlx"));
    let dialect = |text: &str| if backend == "sqlite" { text.replace('$', "?") } else { text.to_owned() };
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            serde_json::from_slice::<serde_json::Value>(&std::fs::read(file.unwrap().path()).unwrap())
                .unwrap()
        })
        .map(|data| data["query"].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|query| {
            let alike = if backend == "sqlite" { number(query) } else { query.clone() };
            contains.iter().all(|part| alike.contains(&dialect(part)))
        })
        .collect();
    match found.len() {
        1 => found.remove(0),
        n => panic!("{n} statements with {contains:?}"),
    }
}

/// Numbers the parameters that have no number.
fn number(query: &str) -> String {
    let mut next = 0;
    let mut numbered = String::new();
    let mut rest = query.chars().peekable();
    while let Some(c) = rest.next() {
        numbered.push(c);
        if c == '?' && !rest.peek().is_some_and(char::is_ascii_digit) {
            next += 1;
            numbered.push_str(&next.to_string());
        }
    }
    numbered
}

async fn plan(database: &Database, case: &Case) -> Vec<String> {
    if database.is_postgres() {
        let mut connection = database.url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
        let query = statement("postgres", case.contains);
        let prepare = format!("SET plan_cache_mode = force_generic_plan; PREPARE listing AS {query}");
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut connection).await.unwrap();
        let explain =
            format!("EXPLAIN (ANALYZE, COSTS OFF, BUFFERS, SUMMARY OFF) EXECUTE listing({})", case.arguments);
        let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap();
        return rows.iter().map(|row| row.get::<String, _>(0)).collect();
    }
    let path = database.url.strip_prefix("sqlite:").unwrap();
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let explain = format!("EXPLAIN QUERY PLAN {}", statement("sqlite", case.contains));
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(3)).collect()
}
