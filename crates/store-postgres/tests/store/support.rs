//! A database per test, cloned from one migrated template.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use signet_store::Store as _;
use signet_store::contract::Handle;
use signet_store_postgres::{PostgresOptions, PostgresStore};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::OnceCell;

/// A store on a database of its own.
pub(crate) struct Fixture {
    store: Handle,
    url: String,
    database: String,
}

impl Fixture {
    pub(crate) fn store(&self) -> &Handle {
        &self.store
    }

    /// Where the test's database is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
        let mut admin = admin().await;
        run(&mut admin, format!("DROP DATABASE {} WITH (FORCE)", self.database)).await;
        admin.close().await.unwrap();
    }
}

fn admin_url() -> String {
    std::env::var("SIGNET_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "SIGNET_TEST_POSTGRES is not set: run these tests with scripts/test, or with \
             scripts/postgres run -- cargo test -p signet-store-postgres"
        )
    })
}

async fn admin() -> PgConnection {
    admin_url().parse::<PgConnectOptions>().unwrap().connect().await.expect("the test server answers")
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

fn url_of(database: &str) -> String {
    let mut url = url::Url::parse(&admin_url()).unwrap();
    url.set_path(database);
    url.into()
}

/// The template of this process: the process id keeps parallel runs apart.
async fn template() -> String {
    let name = format!("signet_template_{}", std::process::id());
    let mut admin = admin().await;
    run(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    run(&mut admin, format!("CREATE DATABASE {name}")).await;
    let store = PostgresStore::connect(&url_of(&name), PostgresOptions::default()).await.unwrap();
    assert!(!store.is_current().await.unwrap());
    store.migrate().await.unwrap();
    store.close().await;
    admin.close().await.unwrap();
    name
}

pub(crate) async fn open() -> Fixture {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let template = TEMPLATE.get_or_init(template).await;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let database = format!("signet_test_{}_{number}", std::process::id());
    let mut admin = admin().await;
    run(&mut admin, format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await;
    run(&mut admin, format!("CREATE DATABASE {database} TEMPLATE {template}")).await;
    admin.close().await.unwrap();
    let url = url_of(&database);
    let store = PostgresStore::connect(&url, PostgresOptions::default()).await.unwrap();
    Fixture { store: Arc::new(store), url, database }
}
