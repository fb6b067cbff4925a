//! One database and the nodes on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use signet_core::records::TenantSettings;
use signet_server::node::Location;
use signet_store::{AuditFilter, Store};
use signet_store_sqlite::Durability;
use signet_tests::process::{Dev, signet};
use signet_tests::provider::Reply;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::party::Party;
use crate::web::Web;

/// The issuer of every site. Nothing listens there: a single tenant answers to any host name.
pub(crate) const ISSUER: &str = "http://localhost:9";

/// One database, with a folder for the keys that its nodes share.
#[derive(Debug)]
pub(crate) struct Site {
    folder: TempDir,
    url: String,
    /// The database is one of the common cluster and is to be dropped.
    common: Option<String>,
    /// Further arguments of every node.
    offset: i64,
}

/// A site with its first node and two sealed clients.
pub(crate) struct Ready {
    pub(crate) site: Site,
    pub(crate) node: Dev,
    pub(crate) demo: Party,
    pub(crate) alpha: Party,
    pub(crate) beta: Party,
}

impl Site {
    /// On a SQLite file.
    pub(crate) fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("signet.db").display());
        Self { folder, url, common: None, offset: 0 }
    }

    /// On a database of its own in the cluster that `scripts/test` provides.
    pub(crate) async fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("signet_races_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        administer(&format!("CREATE DATABASE {name}")).await;
        let mut url = url::Url::parse(&cluster()).unwrap();
        url.set_path(&name);
        Self { folder: TempDir::new().unwrap(), url: url.into(), common: Some(name), offset: 0 }
    }

    /// On a database that the test manages itself.
    pub(crate) fn at(url: &str) -> Self {
        Self { folder: TempDir::new().unwrap(), url: url.to_owned(), common: None, offset: 0 }
    }

    /// Starts a node.
    pub(crate) async fn node(&self) -> Dev {
        self.shifted(self.offset).await
    }

    /// Starts a node whose clock is ahead by `offset` seconds.
    pub(crate) async fn shifted(&self, offset: i64) -> Dev {
        let (data, offset) = (self.folder.path().to_str().unwrap(), offset.to_string());
        let arguments =
            ["--database-url", &self.url, "--data", data, "--issuer", ISSUER, "--clock-offset", &offset];
        Dev::start(&arguments, &[]).await
    }

    /// Starts the first node and registers the clients.
    pub(crate) async fn ready(self) -> Ready {
        let node = self.node().await;
        let jwks = Web::new().get(&format!("{}/jwks", node.address()), None).await.unwrap().json();
        let demo = Party::demo(&node.ready, ISSUER, &jwks);
        let alpha = Party::own("alpha", true, ISSUER, &jwks);
        let beta = Party::own("beta", true, ISSUER, &jwks);
        self.apply(&json!({ "version": 1, "clients": [alpha.declaration(), beta.declaration()] })).await;
        Ready { site: self, node, demo, alpha, beta }
    }

    /// `signet apply`.
    pub(crate) async fn apply(&self, declaration: &Value) {
        let file = self.folder.path().join("declaration.json");
        std::fs::write(&file, declaration.to_string()).unwrap();
        let key = self.folder.path().join("master.key");
        let key = key.to_str().unwrap();
        let file = file.to_str().unwrap();
        signet(&["apply", "-f", file, "--database-url", &self.url, "--master-key-file", key]).await;
    }

    /// Lets request objects live for as long as a tenant may allow, 7 days.
    pub(crate) async fn allow_long_objects(&self) {
        let settings = TenantSettings {
            development: true,
            request_object_max_lifetime: 7 * 86_400,
            request_object_max_age: 7 * 86_400,
            ..TenantSettings::default()
        };
        self.apply(&json!({ "version": 1, "tenant": settings })).await;
    }

    /// The records, beside the nodes.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        Location::parse(&self.url).unwrap().open(2, Durability::Full).await.unwrap()
    }

    /// Removes the database.
    pub(crate) async fn close(self) {
        if let Some(name) = &self.common {
            administer(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

fn cluster() -> String {
    std::env::var("SIGNET_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!("SIGNET_TEST_POSTGRES is not set: run these tests with scripts/test, or with scripts/postgres run -- cargo test -p signet-tests")
    })
}

async fn administer(sql: &str) {
    let mut admin =
        cluster().parse::<PgConnectOptions>().unwrap().connect().await.expect("the test server answers");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}

/// The reason code and the instant with which the audit trail answers for `reply`.
pub(crate) async fn reason(store: &dyn Store, reply: &Reply) -> (Option<String>, i64) {
    let filter = AuditFilter {
        correlation_id: Some(reply.correlation_id().to_owned()),
        limit: 1,
        ..AuditFilter::default()
    };
    let events = store.audit(&"default".into(), &filter).await.unwrap();
    let event =
        events.first().unwrap_or_else(|| panic!("no audit event for {} {}", reply.status, reply.body));
    (event.reason.clone(), event.at)
}

/// How often each reason was given for `replies`.
pub(crate) async fn reasons(store: &dyn Store, replies: &[Reply]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for reply in replies {
        let (reason, _) = reason(store, reply).await;
        *counts.entry(reason.unwrap_or_else(|| "accepted".into())).or_default() += 1;
    }
    counts
}

/// The reason codes of all events of one kind, with how often each was given.
pub(crate) async fn trail(store: &dyn Store, kind: &str) -> BTreeMap<String, usize> {
    let mut filter = AuditFilter { limit: 1000, ..AuditFilter::default() };
    let mut counts = BTreeMap::new();
    loop {
        let events = store.audit(&"default".into(), &filter).await.unwrap();
        let Some(last) = events.last() else { return counts };
        filter.before = Some(last.id);
        for event in events.into_iter().filter(|event| event.kind == kind) {
            *counts.entry(event.reason.unwrap_or_else(|| "accepted".into())).or_default() += 1;
        }
    }
}
