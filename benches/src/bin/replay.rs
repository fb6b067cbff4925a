//! Cost of the replay check with 0, 1 and 10 million live entries, on PostgreSQL (`SIGNET_TEST_POSTGRES`, an empty
//! database) and SQLite; and the p99 of claims while a purge runs.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that speaks to people")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::sync::Arc;
use std::time::Duration;

use signet_benches::{quantile, timed};
use signet_core::change::Change;
use signet_core::ids::TenantId;
use signet_core::records::Replay;
use signet_store::Store;
use signet_store_postgres::{PostgresOptions, PostgresStore};
use signet_store_sqlite::{Durability, SqliteStore};

const NOW: i64 = 1_800_000_000;
const CLAIMS: u64 = 4_000;
const TASKS: u64 = 16;

/// A key that looks random, so that each claim meets another page of the index.
fn claim(number: u64, until: i64) -> Change {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut key = [0_u8; 16];
    for part in key.chunks_mut(8) {
        x ^= x >> 30;
        x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x ^= x >> 27;
        x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        part.copy_from_slice(&x.to_be_bytes());
    }
    Change::ClaimReplay(Replay { key, now: NOW, until })
}

async fn fill(store: &dyn Store, from: u64, to: u64, until: i64) {
    let tenant = TenantId::from("bench");
    let mut at = from;
    while at < to {
        let end = (at + 5_000).min(to);
        let changes: Vec<Change> = (at..end).map(|number| claim(number, until)).collect();
        store.apply(&tenant, &changes).await.unwrap();
        at = end;
    }
}

async fn claims(store: &Arc<dyn Store>, from: u64) -> (Vec<Duration>, Duration) {
    let run = async {
        let mut tasks = Vec::new();
        for task in 0..TASKS {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                let (tenant, mut times) = (TenantId::from("bench"), Vec::new());
                for number in 0..CLAIMS / TASKS {
                    let change = claim(from + task * CLAIMS + number, NOW + 86_400);
                    let (done, took) = timed(store.apply(&tenant, std::slice::from_ref(&change))).await;
                    done.unwrap();
                    times.push(took);
                }
                times
            }));
        }
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all.sort();
        all
    };
    timed(run).await
}

fn report(what: &str, times: &[Duration], total: Duration) {
    let ms = |q| quantile(times, q).as_secs_f64() * 1e3;
    println!(
        "  {what:<34} {:>7.0} claims/s   p50 {:>6.2} ms   p99 {:>7.2} ms   max {:>8.2} ms",
        times.len() as f64 / total.as_secs_f64(),
        ms(0.5),
        ms(0.99),
        ms(1.0)
    );
}

async fn measure(name: &str, store: Arc<dyn Store>, sizes: &[u64]) {
    println!("{name}, {TASKS} at once:");
    let (mut filled, mut fresh) = (0, 1 << 40);
    for size in sizes {
        fill(store.as_ref(), filled, *size, NOW + 86_400).await;
        filled = *size;
        let (times, total) = claims(&store, fresh).await;
        fresh += 1 << 32;
        report(&format!("{size} live entries"), &times, total);
    }
    // Entries that ended well before, past the grace for clock differences, purged while claims go on.
    fill(store.as_ref(), 1 << 50, (1 << 50) + 200_000, NOW - 3_600).await;
    let purge = tokio::spawn({
        let store = store.clone();
        async move {
            let mut rows = 0;
            while let Ok(swept) = store.sweep(NOW, 1_000).await {
                rows += swept.rows;
                if !swept.more {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            rows
        }
    });
    let (times, total) = claims(&store, fresh).await;
    report("the same while a purge runs", &times, total);
    println!("  purged {} ended entries, no live one", purge.await.unwrap());
}

#[tokio::main]
async fn main() {
    let most: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    let sizes: Vec<u64> = [0, 1_000_000, 10_000_000].into_iter().filter(|size| *size <= most).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("replay.db");
    let sqlite = SqliteStore::open(&file, Durability::Full).await.unwrap();
    sqlite.migrate().await.unwrap();
    measure("SQLite, synchronous=FULL", Arc::new(sqlite), &sizes).await;
    if let Ok(url) = std::env::var("SIGNET_TEST_POSTGRES") {
        let postgres = PostgresStore::connect(&url, PostgresOptions::default()).await.unwrap();
        postgres.migrate().await.unwrap();
        measure("PostgreSQL", Arc::new(postgres), &sizes).await;
    } else {
        println!("PostgreSQL: not measured; run it by `scripts/postgres --durable run -- …`");
    }
}
