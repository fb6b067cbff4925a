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

mod cases;
mod fill;
mod plan;

use std::sync::Arc;
use std::time::Duration;

use signet_benches::{quantile, timed};
use signet_core::change::Change;
use signet_core::ids::TenantId;
use signet_core::records::{Tenant, TenantSettings};
use signet_server::audit_chain::{seal, verify};
use signet_server::edge::entropy;
use signet_server::vault::Vault;
use signet_store::Store;
use signet_tests::database::Database;

use cases::{Case, cases};
use fill::{fill, people_and_clients};
use plan::plan;

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
