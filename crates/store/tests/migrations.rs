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

/// Names of tables, columns and indexes, in order of appearance.
fn shape(sql: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in sql.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["CREATE", "TABLE", name, ..] => names.push(format!("table {name}")),
            ["CREATE", "INDEX", name, ..] | ["CREATE", "UNIQUE", "INDEX", name, ..] => {
                names.push(format!("index {name}"));
            }
            [name, kind, ..]
                if line.starts_with("    ") && name.chars().all(|c| c.is_lowercase() || c == '_') =>
            {
                let kinds = ["TEXT", "INTEGER", "BLOB", "text", "bigint", "boolean", "bytea", "uuid", "json"];
                assert!(kinds.contains(&kind.trim_end_matches(',')), "{line}");
                names.push(format!("column {name}"));
            }
            _ => {}
        }
    }
    names
}

#[test]
fn both_databases_have_the_same_migrations() {
    let (postgres, sqlite) = (migrations("postgres"), migrations("sqlite"));
    assert!(!postgres.is_empty());
    assert_eq!(postgres.keys().collect::<Vec<_>>(), sqlite.keys().collect::<Vec<_>>());
    let mut columns = 0;
    for (name, sql) in &postgres {
        let shape = shape(sql);
        columns += shape.iter().filter(|line| line.starts_with("column ")).count();
        assert_eq!(shape, self::shape(&sqlite[name]), "{name}");
    }
    assert!(columns > 0);
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
