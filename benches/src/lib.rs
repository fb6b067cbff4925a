//! What the measurements have in common: processes seen from outside, and the floor.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "measurements stop at the first failure")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::time::{Duration, Instant};

use tokio::process::Command;

/// Kernel clock ticks per second (`USER_HZ`), in which `/proc` counts CPU time.
const TICKS: f64 = 100.0;

/// CPU seconds that process `id` has used, all threads, user and kernel.
pub fn cpu_seconds(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    // The name may hold spaces; the fields are counted from behind its closing bracket.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<u64>().unwrap();
    (ticks(11) + ticks(12)) as f64 / TICKS
}

/// Resident memory of process `id` in MiB.
pub fn resident_mib(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Seconds of one RSA-2048 private and one public operation, by `openssl speed` on this machine, now.
pub async fn rsa_floor() -> (f64, f64) {
    let arguments = ["speed", "-mr", "-seconds", "3", "rsa2048"];
    let output = Command::new("openssl").args(arguments).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // +F2:index:bits:private operations per second:public operations per second
    let line = text.lines().find(|line| line.starts_with("+F2:")).unwrap();
    let fields: Vec<f64> = line.split(':').skip(3).map(|field| field.parse().unwrap()).collect();
    (1.0 / fields[0], 1.0 / fields[1])
}

/// Wall-clock time of `work`.
#[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
pub async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let done = work.await;
    (done, start.elapsed())
}

/// The value below which the share `q` of `sorted` lies.
pub fn quantile(sorted: &[Duration], q: f64) -> Duration {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = ((sorted.len() - 1) as f64 * q).round() as usize;
    sorted[index]
}
