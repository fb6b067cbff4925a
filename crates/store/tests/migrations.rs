//! Both databases have the same migrations, and the same tables, columns and indexes come out of them.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn migrations(database: &str) -> BTreeMap<String, String> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(database);
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

/// What comes out of migrations: the columns of every table, and the table of every index.
#[derive(Debug, Default, PartialEq)]
struct Shape {
    tables: BTreeMap<String, BTreeSet<String>>,
    indexes: BTreeMap<String, String>,
}

impl Shape {
    fn of<'a>(migrations: impl Iterator<Item = &'a String>) -> Self {
        let mut shape = Self::default();
        for sql in migrations {
            let mut table = String::new();
            for line in sql.lines() {
                shape.read(line, &mut table);
            }
        }
        shape
    }

    /// One line of a migration; `table` is the one it speaks of.
    fn read(&mut self, line: &str, table: &mut String) {
        let words: Vec<&str> =
            line.split_whitespace().map(|word| word.trim_end_matches([',', ';'])).collect();
        match words.as_slice() {
            ["CREATE", "TABLE", name, ..] => {
                (*name).clone_into(table);
                self.tables.insert(table.clone(), BTreeSet::new());
            }
            ["ALTER", "TABLE", name, rest @ ..] => {
                (*name).clone_into(table);
                if let ["ADD", "COLUMN", column, kind, ..] = rest {
                    self.column(table, column, kind);
                }
            }
            ["ADD", "COLUMN", column, kind, ..] => self.column(table, column, kind),
            ["DROP", "TABLE", name] => {
                self.tables.remove(*name);
                self.indexes.retain(|_, of| of != name);
            }
            ["CREATE", "INDEX", name, "ON", of, ..] | ["CREATE", "UNIQUE", "INDEX", name, "ON", of, ..] => {
                self.indexes.insert((*name).to_owned(), (*of).to_owned());
            }
            // What follows the columns may look like some.
            [end, ..] if end.starts_with(')') => table.clear(),
            [column, kind, ..]
                if !table.is_empty()
                    && line.starts_with("    ")
                    && column.chars().all(|c| c.is_lowercase() || c == '_') =>
            {
                self.column(table, column, kind);
            }
            _ => {}
        }
    }

    fn column(&mut self, table: &str, column: &str, kind: &str) {
        let kinds = ["TEXT", "INTEGER", "BLOB", "text", "bigint", "boolean", "bytea", "uuid", "json"];
        assert!(kinds.contains(&kind), "{table}.{column} {kind}");
        assert!(
            self.tables.get_mut(table).unwrap().insert(column.to_owned()),
            "{table}.{column} is there twice"
        );
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let (postgres, sqlite) = (migrations("postgres"), migrations("sqlite"));
    assert_eq!(postgres.keys().collect::<Vec<_>>(), sqlite.keys().collect::<Vec<_>>());
    let shape = Shape::of(postgres.values());
    assert!(shape.tables["grants"].contains("sid") && shape.indexes.contains_key("grants_sid"), "{shape:?}");
    assert_eq!(shape, Shape::of(sqlite.values()));
}

/// The tenant is part of every key. Only the replay entries have it inside a hash.
#[test]
fn every_table_has_the_tenant_in_its_key() {
    let exceptions = BTreeSet::from(["tenants", "used_jti"]);
    for sql in migrations("postgres").values().chain(migrations("sqlite").values()) {
        for table in sql.split("CREATE TABLE ").skip(1) {
            let name = table.split_whitespace().next().unwrap();
            let key = table.lines().find(|line| line.contains("PRIMARY KEY")).unwrap().trim();
            assert!(key.starts_with("PRIMARY KEY (tenant, ") || exceptions.contains(name), "{name}: {key}");
        }
    }
}
