//! Real processes of the built program.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The program under test: `SIGNET_BIN`, else the one built beside this test program.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("SIGNET_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(std::path::Path::parent).unwrap();
    let path = folder.join("signet");
    assert!(path.is_file(), "{} is not built: run scripts/test, or cargo build first", path.display());
    path
}

/// A running `signet dev`. Killed when dropped.
#[derive(Debug)]
pub struct Dev {
    child: Child,
    /// What it said when it was ready.
    pub ready: Value,
}

impl Dev {
    /// Starts `signet dev --json --port 0` with further arguments and environment, and waits until it is ready.
    pub async fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary());
        command.args(["dev", "--json", "--port", "0"]).args(arguments);
        command.env_remove("DATABASE_URL").envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("signet dev is ready");
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    /// Where it listens, as `http://localhost:PORT`.
    pub fn address(&self) -> &str {
        self.ready["address"].as_str().unwrap()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Ends it as `kill -9` does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Ends it as an operator does, and waits.
    pub async fn terminate(mut self) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        assert!(self.child.wait().await.unwrap().success());
    }
}
