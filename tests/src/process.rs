//! Real processes: the built program, and a PostgreSQL cluster that may be killed.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

/// Longest wait for a process to start or to end; a bound for the test run, not a claim about speed.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// How much of a process's log is kept for the message of a failed test, in bytes.
const LOG_KEPT: usize = 16 * 1024;

/// The program under test: `SIGNET_BIN`, else the one built with this program.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("SIGNET_BIN") {
        return path.into();
    }
    // Measurements lie beside it, test programs one folder below.
    let own = std::env::current_exe().unwrap();
    let beside = own.ancestors().skip(1).take(2).map(|folder| folder.join("signet"));
    beside
        .into_iter()
        .find(|path| path.is_file())
        .expect("signet is built: run scripts/test, or cargo build first")
}

/// Runs `signet ARGUMENTS --json` to its end and returns what it said. A refusal fails the test.
pub async fn signet(arguments: &[&str]) -> Value {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--json").env_remove("DATABASE_URL").kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("the command ends").unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "signet {arguments:?}: {}\n{text}\n{complaint}", output.status);
    serde_json::from_str(&text).unwrap_or_default()
}

/// Sends a signal by name to a process.
pub async fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().await.unwrap();
    assert!(sent.success(), "process {id} gets no {name}");
}

/// A running `signet dev`. Killed when dropped.
#[derive(Debug)]
pub struct Dev {
    child: Child,
    log: Arc<Mutex<String>>,
    /// What it said when it was ready.
    pub ready: Value,
}

impl Dev {
    /// Starts `signet dev --json --port 0` with further arguments and environment, and waits until it is ready.
    pub async fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary());
        command.args(["dev", "--json", "--port", "0"]).args(arguments);
        command.env_remove("DATABASE_URL").envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let log = Arc::default();
        tokio::spawn(keep(child.stderr.take().unwrap(), Arc::clone(&log)));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line =
            tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("signet dev starts").unwrap();
        let Some(line) = line else {
            child.wait().await.unwrap();
            panic!("signet dev does not start:\n{}", log.lock().unwrap());
        };
        Self { child, log, ready: serde_json::from_str(&line).unwrap() }
    }

    /// Where it listens, as `http://localhost:PORT`.
    pub fn address(&self) -> &str {
        self.ready["address"].as_str().unwrap()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The end of its log, once it contains `word`.
    pub async fn log_with(&self, word: &str) -> String {
        let told = async {
            loop {
                let log = self.log();
                if log.contains(word) {
                    return log;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("the log tells of it")
    }

    /// Its resident memory in KiB, as the kernel counts it.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Ends it as `kill -9` does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to end, as an operator does. It may still have requests to finish.
    pub async fn ask_to_end(&self) {
        signal(self.id(), "TERM").await;
    }

    /// Whether it has ended, without waiting.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub async fn wait(&mut self) -> ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the process ends").unwrap()
    }

    /// Ends it as an operator does, and waits.
    pub async fn terminate(mut self) {
        self.ask_to_end().await;
        let status = self.wait().await;
        assert!(status.success(), "{status}:\n{}", self.log());
    }
}

/// Reads a log to its end, so that the process never waits for its reader, and keeps the last of it.
async fn keep(mut from: ChildStderr, log: Arc<Mutex<String>>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let mut log = log.lock().unwrap();
        log.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if log.len() > 2 * LOG_KEPT {
            let from = (log.len() - LOG_KEPT..log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(0);
            log.drain(..from);
        }
    }
}

/// A PostgreSQL cluster of its own that flushes to disk, for tests that kill it. Removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: String,
    /// `postgres://…` of its first database.
    pub url: String,
}

impl Cluster {
    /// Makes and starts one.
    pub async fn start() -> Self {
        let said = Self::script(&["start", "--durable"]).await;
        let value = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
            line.unwrap_or_else(|| panic!("{name} not in {said}")).to_owned()
        };
        Self { folder: value("SIGNET_POSTGRES_DIR"), url: value("DATABASE_URL") }
    }

    /// Ends all of its processes as `kill -9` does, the postmaster first.
    pub async fn kill(&self) {
        Self::script(&["kill", &self.folder]).await;
    }

    /// Starts it again on the same data and the same port; it recovers by itself.
    pub async fn resume(&self) {
        Self::script(&["start", "--data", &self.folder]).await;
    }

    async fn script(arguments: &[&str]) -> String {
        let mut command = Command::new(Self::path());
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let output =
            tokio::time::timeout(PATIENCE, command.output()).await.expect("scripts/postgres ends").unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "scripts/postgres {arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn path() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A test that failed must not leave a server behind.
        let _ = std::process::Command::new(Self::path()).args(["stop", &self.folder]).status();
    }
}
