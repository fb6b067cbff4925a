//! What commands print: facts on standard output, everything else on standard error.

use std::fmt::Display;
use std::path::Path;

use serde_json::{Value, json};
use signet_core::change::Conflict;
use signet_core::provision::Refusal;
use signet_store::StoreError;

use crate::logging::LoggingError;
use crate::provisioning::ProvisioningError;
use crate::tenant_keys::KeysError;
use crate::vault::VaultError;

/// Why a command did not do what it was asked, with what to do about it.
#[derive(Debug)]
pub(super) struct Problem {
    code: &'static str,
    text: String,
    hint: Option<String>,
}

impl Problem {
    pub(super) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), hint: None }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says which of several things it is about.
    #[must_use]
    pub(super) fn about(mut self, name: &str) -> Self {
        self.text = format!("{name}: {}", self.text);
        self
    }

    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::new("file", format!("{}: {error}", path.display()))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Conflict(Conflict::Exists) => Self::new("exists", error.to_string()),
            StoreError::Conflict(Conflict::Missing) => Self::new("missing", error.to_string()),
            StoreError::Conflict(_) => Self::new("conflict", error.to_string())
                .hint("Run the command again; it reads the new state first."),
            StoreError::Unavailable(source) => {
                Self::new("database_unavailable", format!("{error}: {source}"))
                    .hint("Check DATABASE_URL, and that the database is running and reachable from here.")
            }
            StoreError::Corrupt(_) => Self::new("database_unreadable", error.to_string())
                .hint("If the schema is older than this program, run `signet migrate`."),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        let hint = match error {
            VaultError::Sealed => {
                "Give the master key that this database was made with (SIGNET_MASTER_KEY or SIGNET_MASTER_KEY_FILE)."
            }
            _ => "Set SIGNET_MASTER_KEY or SIGNET_MASTER_KEY_FILE.",
        };
        Self::new("master_key", error.to_string()).hint(hint)
    }
}

impl From<ProvisioningError> for Problem {
    fn from(error: ProvisioningError) -> Self {
        match error {
            ProvisioningError::Refused(refusals) => {
                let code = refusals.first().map_or("refused", Refusal::code);
                let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                Self::new(code, texts.join("\n        "))
            }
            ProvisioningError::Store(error) => error.into(),
            ProvisioningError::Stale { .. } => Self::new("conflict", error.to_string())
                .hint("Run the command again; it reads the new state first."),
            ProvisioningError::Hashing => Self::new("hashing", error.to_string()),
        }
    }
}

impl From<LoggingError> for Problem {
    fn from(error: LoggingError) -> Self {
        Self::new("logging", error.to_string())
    }
}

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error.into(),
            KeysError::Generation(_) => Self::new("key_generation", error.to_string()),
        }
    }
}

/// Prints a problem: one JSON object with `--json`, else text.
#[expect(clippy::print_stderr, reason = "this is where the command line speaks")]
pub(super) fn problem(problem: &Problem, as_json: bool) {
    if as_json {
        let object = json!({ "error": problem.code, "text": problem.text, "hint": problem.hint });
        eprintln!("{object}");
        return;
    }
    eprintln!("signet: {}", problem.text);
    if let Some(hint) = &problem.hint {
        eprintln!("        {hint}");
    }
}

/// A fact. A reader that has seen enough (`| head`) ends the program quietly.
pub(super) fn line(text: impl Display) {
    use std::io::{ErrorKind, Write as _};
    if let Err(error) = writeln!(std::io::stdout(), "{text}") {
        std::process::exit(i32::from(error.kind() != ErrorKind::BrokenPipe));
    }
}

/// Something to know that is not the answer.
#[expect(clippy::print_stderr, reason = "this is where the command line speaks")]
pub(super) fn note(text: impl Display) {
    eprintln!("{text}");
}

/// One JSON value on one line.
pub(super) fn value(value: &Value) {
    line(value);
}

/// A listing: an array with `--json`, else a table with aligned columns.
pub(super) fn table(as_json: bool, columns: &[&str], rows: &[Vec<Value>]) {
    if as_json {
        let objects: Vec<Value> = rows
            .iter()
            .map(|row| {
                columns.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect()
            })
            .collect();
        return line(Value::Array(objects));
    }
    let text: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let width = |index: usize| {
        let cells = text.iter().map(|row| row[index].chars().count());
        cells.chain([columns[index].len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let print = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(padded.join("  ").trim_end());
    };
    print(&mut columns.iter().copied());
    for row in &text {
        print(&mut row.iter().map(String::as_str));
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// A Unix time as people read it, in UTC.
pub(super) fn time(seconds: i64) -> String {
    use time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| seconds.to_string())
}

/// Reads a time: RFC 3339, or a date (its first second in UTC).
pub(super) fn parse_time(text: &str) -> Result<i64, String> {
    use time::format_description::well_known::Rfc3339;
    let full = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    time::OffsetDateTime::parse(&full, &Rfc3339)
        .map(time::OffsetDateTime::unix_timestamp)
        .map_err(|_| "write it as 2027-01-31 or 2027-01-31T12:00:00Z".to_owned())
}
