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

#[test]
fn every_test_named_in_the_threats_exists() {
    let mut code = String::new();
    for folder in ["crates", "tests"] {
        sources(&root().join(folder), &mut code);
    }
    let threats = std::fs::read_to_string(root().join("docs/THREATS.md")).unwrap();
    let rows = threats.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack"));
    let mut missing = Vec::new();
    let mut count = 0;
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit('|').next().unwrap();
        for test in tests.split('`').skip(1).step_by(2) {
            count += 1;
            let defined = [format!("fn {test}("), format!("def {test}("), format!("async fn {test}<")];
            if !defined.iter().any(|definition| code.contains(definition)) {
                missing.push(test.to_owned());
            }
        }
    }
    assert!(count > 40, "{count} tests are named");
    assert!(missing.is_empty(), "named in docs/THREATS.md, but nowhere defined: {missing:#?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in [
        "README.md",
        "docs/guides/tls-and-proxies.md",
        "docs/ARCHITECTURE.md",
        "docs/DEPENDENCIES.md",
        "docs/THREATS.md",
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
