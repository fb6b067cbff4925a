//! Time until `signet dev` is ready, and its resident memory when idle.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that speaks to people")]

use signet_benches::{quantile, resident_mib, timed};
use signet_tests::process::Dev;

const RUNS: usize = 11;

async fn measure(what: &str, arguments: &[&str]) {
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (dev, took) = timed(Dev::start(arguments, &[])).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        times.push(took);
        memory.push(resident_mib(dev.id()));
        dev.terminate().await;
    }
    times.sort();
    memory.sort_by(f64::total_cmp);
    println!(
        "{what:<44} ready {:>6.1} ms (best {:.1}, worst {:.1})   resident {:.1} MiB",
        quantile(&times, 0.5).as_secs_f64() * 1e3,
        times[0].as_secs_f64() * 1e3,
        times[RUNS - 1].as_secs_f64() * 1e3,
        memory[RUNS / 2]
    );
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    // The first start makes the keys.
    Dev::start(&["--data", data], &[]).await.terminate().await;
    println!("Time to ready and resident memory, {RUNS} starts each, median:");
    measure("SQLite, second and later starts", &["--data", data]).await;
    measure("--ephemeral (makes all keys every time)", &["--ephemeral"]).await;
}
