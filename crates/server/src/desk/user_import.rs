//! Many users at once, from a table.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signet_core::admin::USERS_WRITE;
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::provision::{self, UserDeclaration};
use signet_core::records::{LinkPurpose, User};

use super::{Desk, Refused, Result, Write};
use crate::people;
use crate::provisioning::ProvisioningError;

/// Most rows of one table.
const MAX_ROWS: usize = 1_000;
/// Most columns.
const MAX_COLUMNS: usize = 40;

/// A table of users to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportUsers {
    /// CSV (RFC 4180) with a header row: `username`, and names of claims. Empty fields are left out; `true` and `false`, and
    /// fields that begin with `{`, are JSON.
    pub csv: String,
    /// Also send each of them an invitation, to the `email` of their row; who has none is made without.
    #[serde(default)]
    pub invite: bool,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImportRow {
    /// Row of the table; the header is row 1.
    pub row: usize,
    /// What stands in `username`.
    pub username: String,
    /// Whether the user was made, or would be.
    pub made: bool,
    /// Whether the row was passed over, because there is a user of this name already.
    pub skipped: bool,
    /// Whether an invitation was sent to them, or would be.
    pub invited: bool,
    /// Why they were not made; empty if they were.
    pub problems: Vec<String>,
}

/// What became of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImportReport {
    /// How many users were made, or would be.
    pub made: usize,
    /// How many rows were passed over, because there is a user of that name already.
    pub skipped: usize,
    /// How many rows were refused. The others are made all the same.
    pub refused: usize,
    /// To how many an invitation was sent, or would be. The others cannot sign in before they are given one.
    pub invited: usize,
    /// Row by row.
    pub rows: Vec<ImportRow>,
    /// Nothing was written.
    pub dry_run: bool,
}

/// The table cannot be read at all.
fn malformed(detail: impl Into<String>) -> Refused {
    Refused::Malformed { pointer: "/csv".into(), detail: detail.into() }
}

impl Desk<'_> {
    /// Makes the users of a table who are not there yet. Nobody who is there is changed, and nobody gets a role.
    pub async fn import_users(&self, table: &ImportUsers, write: &Write) -> Result<ImportReport> {
        self.actor.need(USERS_WRITE)?;
        let rows = read(&table.csv)?;
        let (mut seen, mut report) = (BTreeSet::new(), Vec::with_capacity(rows.len()));
        for (row, username, claims) in rows {
            let outcome = match claims {
                Ok(claims) => self.import_one(&username, claims, &mut seen, write).await?,
                Err(problem) => Outcome::Refused(vec![problem]),
            };
            let invited = table.invite && self.invited(&outcome, write).await;
            report.push(outcome.row(row, username, invited));
        }
        let count = |of: fn(&ImportRow) -> bool| report.iter().filter(|row| of(row)).count();
        let (made, skipped, invited) =
            (count(|row| row.made), count(|row| row.skipped), count(|row| row.invited));
        let refused = report.len() - made - skipped;
        Ok(ImportReport { made, skipped, refused, invited, rows: report, dry_run: write.dry_run })
    }

    /// Sends somebody who was made the link by which they choose a password, if they have an address and mail works. What
    /// cannot be mailed is not made: nobody would see the link. One that cannot be stored is told in its row: the users are
    /// there, and whoever sends the table again invites none of them.
    async fn invited(&self, outcome: &Outcome, write: &Write) -> bool {
        let Outcome::Made(user) = outcome else { return false };
        if !self.app.mailer.works() || people::email(user).is_none() {
            return false;
        }
        if write.dry_run {
            return true;
        }
        self.hand(user, LinkPurpose::Invitation).await.map_or_else(
            |refused| {
                tracing::warn!(fault = %refused.fault(), user = %user.id, "an invitation could not be made");
                false
            },
            |handed| handed.mailed,
        )
    }

    async fn import_one(
        &self,
        username: &str,
        claims: Map<String, Value>,
        seen: &mut BTreeSet<String>,
        write: &Write,
    ) -> Result<Outcome> {
        let name = match provision::username(username) {
            Ok(name) => name,
            Err(refusal) => return Ok(Outcome::Refused(vec![refusal.to_string()])),
        };
        let known = self.app.store.user_by_name(&self.tenant().id, &name).await?.is_some();
        if known || !seen.insert(name.clone()) {
            return Ok(Outcome::There);
        }
        let declared = UserDeclaration {
            username: name,
            disabled: false,
            password: None,
            password_hash: None,
            claims,
            role: Some(None),
        };
        let along = self.along(&Write { seen: Some(0), ..write.clone() }, Vec::new());
        match self.provisioner(write).user_with(&self.tenant().id, &declared, &along).await {
            Ok(done) => {
                let user = done.changes.into_iter().find_map(|change| match change {
                    Change::InsertUser(user) => Some(user),
                    _ => None,
                });
                user.map(Outcome::Made)
                    .ok_or_else(|| Fault::Internal { detail: "an import has no record" }.into())
            }
            Err(ProvisioningError::Refused(refusals)) => {
                Ok(Outcome::Refused(refusals.iter().map(ToString::to_string).collect()))
            }
            Err(ProvisioningError::Stale { .. }) => Ok(Outcome::There),
            Err(other) => Err(other.into()),
        }
    }
}

/// What became of a row.
enum Outcome {
    Made(User),
    /// There is a user of this name already.
    There,
    Refused(Vec<String>),
}

impl Outcome {
    fn row(self, row: usize, username: String, invited: bool) -> ImportRow {
        let (made, skipped) = (matches!(self, Self::Made(_)), matches!(self, Self::There));
        let problems = match self {
            Self::Made(_) => Vec::new(),
            Self::There => vec!["There is a user of this name already.".to_owned()],
            Self::Refused(problems) => problems,
        };
        ImportRow { row, username, made, skipped, invited, problems }
    }
}

type Row = (usize, String, std::result::Result<Map<String, Value>, String>);

fn read(text: &str) -> Result<Vec<Row>> {
    // Spreadsheets put a mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| malformed(error.to_string()))?.clone();
    let names: BTreeSet<&str> = header.iter().collect();
    if !names.contains("username") {
        return Err(malformed("The first row names the columns; one of them is \"username\"."));
    }
    if names.len() != header.len() || header.len() > MAX_COLUMNS {
        return Err(malformed(format!(
            "Each column has a name of its own, and there are {MAX_COLUMNS} at most."
        )));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| malformed(error.to_string()))?;
        if rows.len() == MAX_ROWS {
            return Err(malformed(format!("There are more than {MAX_ROWS} rows. Send them in parts.")));
        }
        let mut username = String::new();
        let mut claims = Ok(Map::new());
        for (name, field) in header.iter().zip(record.iter()).filter(|(_, field)| !field.is_empty()) {
            if name == "username" {
                username = field.chars().take(200).collect();
            } else if let Ok(map) = &mut claims {
                match value(field) {
                    Ok(value) => drop(map.insert(name.to_owned(), value)),
                    Err(problem) => claims = Err(format!("{name}: {problem}")),
                }
            }
        }
        rows.push((rows.len() + 2, username, claims));
    }
    Ok(rows)
}

fn value(field: &str) -> std::result::Result<Value, String> {
    match field {
        "true" => Ok(true.into()),
        "false" => Ok(false.into()),
        text if text.starts_with('{') => serde_json::from_str(text).map_err(|error| error.to_string()),
        text => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_as_rfc4180_writes_them() {
        let rows = read(
            "\u{feff}username,name,email_verified,address\r\nada,\"Ada, Countess\",true,\"{\"\"locality\"\":\"\"London\"\"}\"\r\nbob,,,\r\n",
        )
        .unwrap();
        assert_eq!((rows.len(), rows[0].0, rows[1].0), (2, 2, 3));
        let claims = rows[0].2.as_ref().unwrap();
        assert_eq!(claims["name"], "Ada, Countess");
        assert_eq!(
            (&claims["email_verified"], &claims["address"]["locality"]),
            (&true.into(), &"London".into())
        );
        assert!(rows[1].2.as_ref().unwrap().is_empty());
        assert!(read("username,address\na,\"{x\"\n").unwrap()[0].2.is_err());
    }

    #[test]
    fn what_is_no_table_is_refused_as_a_whole() {
        for wrong in ["", "name\nada\n", "username,name,name\na,b,c\n", "username,name\nada\n"] {
            let refused = read(wrong).map(|rows| rows.len());
            assert!(matches!(refused, Err(Refused::Malformed { .. })), "{wrong:?} {refused:?}");
        }
        let many = format!("username\n{}", "a\n".repeat(MAX_ROWS + 1));
        assert!(matches!(read(&many), Err(Refused::Malformed { .. })));
    }
}
