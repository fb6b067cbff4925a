//! The plan of the statement that a backend runs for a listing.

use std::path::PathBuf;

use signet_tests::database::Database;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::cases::Case;

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

pub(crate) async fn plan(database: &Database, case: &Case) -> Vec<String> {
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
