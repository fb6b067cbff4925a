//! One database and the nodes on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use signet_core::records::TenantSettings;
use signet_store::{AuditFilter, Store};
use signet_tests::database::Database;
use signet_tests::process::{Dev, signet};
use signet_tests::provider::Reply;

use crate::party::Party;
use crate::web::Web;

/// The issuer of every site. Nothing listens there: a single tenant answers to any host name.
pub(crate) const ISSUER: &str = "http://localhost:9";

/// One database, with a folder for the keys that its nodes share.
#[derive(Debug)]
pub(crate) struct Site {
    database: Database,
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
        Self { database: Database::sqlite(), offset: 0 }
    }

    /// On a database of its own in the cluster that `scripts/test` provides.
    pub(crate) async fn postgres() -> Self {
        Self { database: Database::postgres().await, offset: 0 }
    }

    /// On a database that the test manages itself.
    pub(crate) fn at(url: &str) -> Self {
        Self { database: Database::at(url), offset: 0 }
    }

    /// Starts a node.
    pub(crate) async fn node(&self) -> Dev {
        self.shifted(self.offset).await
    }

    /// Starts a node whose clock is ahead by `offset` seconds.
    pub(crate) async fn shifted(&self, offset: i64) -> Dev {
        let (data, offset) = (self.database.folder().to_str().unwrap(), offset.to_string());
        let arguments = [
            "--database-url",
            &self.database.url,
            "--data",
            data,
            "--issuer",
            ISSUER,
            "--clock-offset",
            &offset,
        ];
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
        let file = self.database.folder().join("declaration.json");
        std::fs::write(&file, declaration.to_string()).unwrap();
        let key = self.database.folder().join("master.key");
        let key = key.to_str().unwrap();
        let file = file.to_str().unwrap();
        signet(&["apply", "-f", file, "--database-url", &self.database.url, "--master-key-file", key]).await;
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
        self.database.store().await
    }

    /// Removes the database.
    pub(crate) async fn close(self) {
        self.database.close().await;
    }
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
