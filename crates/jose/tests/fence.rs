//! The fence around the JOSE library below: who may name it, and what of it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

fn files(root: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target" && name != ".git") {
                files(&path, extension, found);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn crates(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), extension, &mut found);
    found
}

#[test]
fn no_other_crate_depends_on_the_library() {
    let manifests = crates("toml");
    assert!(manifests.len() >= 6);
    let naming: Vec<_> = manifests
        .iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("josekit"))
        .map(|path| fs::canonicalize(path).unwrap())
        .collect();
    assert_eq!(naming, [Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().unwrap().join("Cargo.toml")]);
}

#[test]
fn only_its_algorithms_and_traits_are_used() {
    let mut count = 0;
    for path in crates("rs").iter().filter(|path| !path.ends_with("tests/fence.rs")) {
        let text = fs::read_to_string(path).unwrap();
        for used in text.split("josekit::").skip(1) {
            count += 1;
            let allowed = [
                "JoseError",
                "jwe::alg::",
                "jwe::{Jwe",
                "jwe::JweContentEncryption",
                "jws::alg::",
                "jws::{Jws",
            ];
            let used = used.lines().next().unwrap();
            // What the default context, the key sets and the claims of the library do is done here.
            let refused = ["Context", "Jwk", "jwt", "compact", "json", "zip"];
            assert!(allowed.iter().any(|start| used.starts_with(start)), "{}: {used}", path.display());
            assert!(!refused.iter().any(|word| used.contains(word)), "{}: {used}", path.display());
        }
    }
    assert!(count >= 10);
}
