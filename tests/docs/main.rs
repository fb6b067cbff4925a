//! What the documents claim must be there.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["target", ".git", "node_modules"].contains(&name) {
            sources(&path, found);
        } else if ["rs", "py"].iter().any(|kind| path.extension().is_some_and(|own| own == *kind)) {
            found.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The rows of a document's tables: the first cell, and the tests that the last one names.
fn rows(document: &str) -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.ends_with("| test |"));
    rows.map(|row| {
        let first = row.split('|').nth(1).unwrap().trim().to_owned();
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap();
        (first, last.split('`').skip(1).step_by(2).map(str::to_owned).collect())
    })
    .collect()
}

/// The tests that `document` names and nobody defines.
fn missing(document: &str) -> Vec<String> {
    let mut code = String::new();
    for folder in ["crates", "tests"] {
        sources(&root().join(folder), &mut code);
    }
    let named: Vec<String> = rows(document).into_iter().flat_map(|(_, tests)| tests).collect();
    assert!(named.len() > 40, "{} tests are named in {document}", named.len());
    let is_missing = |test: &String| {
        let defined = [format!("fn {test}("), format!("def {test}("), format!("async fn {test}<")];
        !defined.iter().any(|definition| code.contains(definition))
    };
    named.into_iter().filter(is_missing).collect()
}

#[test]
fn every_test_named_in_the_threats_exists() {
    assert_eq!(missing("docs/THREATS.md"), [""; 0], "named, but nowhere defined");
}

#[test]
fn every_clause_has_its_row_and_every_test_named_there_exists() {
    assert_eq!(missing("docs/CLAUSES.md"), [""; 0], "named, but nowhere defined");
    let rows = rows("docs/CLAUSES.md");
    let numbers: Vec<_> = rows.iter().map(|(row, _)| row.rsplit('.').next().unwrap().to_owned()).collect();
    assert_eq!(numbers, (1..=38).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(rows.iter().all(|(_, tests)| !tests.is_empty()));
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in [
        "README.md",
        "docs/guides/audit-trail.md",
        "docs/guides/console.md",
        "docs/guides/register-a-client.md",
        "docs/guides/tls-and-proxies.md",
        "docs/ARCHITECTURE.md",
        "docs/DEPENDENCIES.md",
        "docs/THREATS.md",
        "docs/CLAUSES.md",
        "benches/README.md",
    ] {
        let path = root().join(document);
        let text = std::fs::read_to_string(&path).unwrap();
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if !target.contains("://") {
                assert!(path.parent().unwrap().join(target).exists(), "{document}: {target}");
            }
        }
    }
}
