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
    let mut used = Vec::new();
    for path in crates("rs").iter().filter(|path| !path.ends_with("tests/fence.rs")) {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(str::trim).filter(|line| line.contains("josekit::"));
        used.extend(lines.map(|line| line.trim_end_matches(';').to_owned()));
    }
    used.sort();
    used.dedup();
    // No `jwt`, no `JweContext`, no `Jwk` and no `JwkSet`: what those do is done here.
    assert_eq!(
        used,
        [
            "Ok::<_, josekit::JoseError>(Zeroizing::new(key.into_owned()))",
            "use josekit::JoseError",
            "use josekit::jwe::JweContentEncryption",
            "use josekit::jwe::alg::ecdh_es::EcdhEsJweAlgorithm",
            "use josekit::jwe::alg::rsaes::RsaesJweAlgorithm",
            "use josekit::jwe::{JweDecrypter, JweEncrypter}",
            "use josekit::jwe::{JweDecrypter, JweEncrypter, JweHeader as RawHeader}",
            "use josekit::jws::alg::ecdsa::EcdsaJwsAlgorithm",
            "use josekit::jws::alg::eddsa::EddsaJwsAlgorithm",
            "use josekit::jws::alg::rsassa::RsassaJwsAlgorithm",
            "use josekit::jws::alg::rsassa_pss::RsassaPssJwsAlgorithm",
            "use josekit::jws::{JwsSigner, JwsVerifier}",
        ]
    );
}
