//! A database of a test's own, on either backend.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use signet_server::node::Location;
use signet_store::Store;
use signet_store_sqlite::Durability;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

/// A database, with a folder for what goes along with it.
#[derive(Debug)]
pub struct Database {
    folder: TempDir,
    /// Where it is.
    pub url: String,
    /// It is one of the common cluster and is to be dropped.
    common: Option<String>,
}

impl Database {
    /// A SQLite file.
    pub fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("signet.db").display());
        Self { folder, url, common: None }
    }

    /// A database of its own in the cluster that `scripts/test` provides.
    pub async fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("signet_tests_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        administer(&format!("CREATE DATABASE {name}")).await;
        let mut url = url::Url::parse(&cluster()).unwrap();
        url.set_path(&name);
        Self { folder: TempDir::new().unwrap(), url: url.into(), common: Some(name) }
    }

    /// A database that the test manages itself.
    pub fn at(url: &str) -> Self {
        Self { folder: TempDir::new().unwrap(), url: url.to_owned(), common: None }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether it is on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// The records.
    pub async fn store(&self) -> Arc<dyn Store> {
        Location::parse(&self.url).unwrap().open(2, Durability::Full).await.unwrap()
    }

    /// Does what somebody does who can write to the database.
    pub async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_postgres() {
            let mut connection = self.url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let path = self.url.strip_prefix("sqlite:").unwrap();
            let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// Removes it.
    pub async fn close(self) {
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
