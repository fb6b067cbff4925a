//! The bodies of the fuzzing targets, as plain functions, and their inputs.
//!
//! A target returns what became of its input; a broken invariant is a panic. Keys are the published examples of
//! RFC 8037 appendix A.1 and RFC 7748 section 6.1, so that a finding can be repeated anywhere.

use std::sync::LazyLock;

use serde_json::json;
use signet_jose::{
    Compact, ContentAlg, Decrypter, Encrypter, Expect, KeyAlg, Limits, PrivateKey, SealHeader, SigAlg,
    Signer, Trace, Typ, UnverifiedJws, Verifier, parse, parse_nested, verify,
};

pub mod corpus;
pub mod drive;
#[path = "../../crates/jose/tests/common/mutate.rs"]
mod mutate;
mod object;

pub use object::request_object;

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted.
    Accepted,
    /// Refused, with the stable reason code.
    Rejected(&'static str),
}

/// A target's body.
pub type Target = fn(&[u8]) -> Outcome;

/// Every target by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("compact_parser", compact_parser),
    ("nested_decoder", nested_decoder),
    ("request_object", request_object),
    ("key_import", key_import),
];

/// The instant at which everything happens, Unix seconds.
pub const NOW: i64 = 1_700_000_000;
/// The audience of the corpus.
pub const ISSUER: &str = "https://op.example/t1";
/// The issuer of the corpus.
pub const CLIENT: &str = "client-1";

pub(crate) struct Keys {
    pub(crate) signer: Signer,
    pub(crate) verifier: Verifier,
    pub(crate) encrypter: Encrypter,
    pub(crate) decrypter: Decrypter,
}

pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let sig = key(&json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
    }));
    let enc = key(&json!({
        "kty": "OKP", "crv": "X25519", "use": "enc", "kid": "enc",
        "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08", "d": "XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os"
    }));
    Keys {
        signer: sig.signer(SigAlg::EdDSA).expect("a signing key"),
        verifier: sig.public_key().verifier(SigAlg::EdDSA).expect("a signing key"),
        encrypter: enc.public_key().encrypter(KeyAlg::EcdhEs).expect("an encryption key"),
        decrypter: enc.decrypter().expect("an encryption key"),
    }
});

fn key(jwk: &serde_json::Value) -> PrivateKey {
    PrivateKey::from_jwk(&jwk.to_string()).expect("a published key")
}

pub(crate) fn seal(content: &[u8]) -> Option<String> {
    let header = SealHeader { cty: Some("JWT"), ..SealHeader::new(ContentAlg::A128CbcHs256) };
    KEYS.encrypter.seal(&header, content).ok()
}

/// Parses a token and reads ahead in it; a JWE is decrypted as well.
///
/// The driver never repeats a corpus token unchanged, so acceptance means that altered text passed.
pub fn compact_parser(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Outcome::Rejected("not_utf8") };
    match parse(text, &Limits::default()) {
        Err(fault) => Outcome::Rejected(fault.code()),
        Ok(Compact::Jwe(jwe)) => match KEYS.decrypter.open(&jwe) {
            Ok(_) => Outcome::Accepted,
            Err(fault) => Outcome::Rejected(fault.code()),
        },
        Ok(Compact::Jws(jws)) => {
            let _ = jws.peek();
            judge(&jws)
        }
    }
}

/// Seals the input honestly to a fixed key, opens it, and reads what comes out as a nested token.
///
/// # Panics
///
/// If what was sealed does not come out again.
pub fn nested_decoder(input: &[u8]) -> Outcome {
    let Some(token) = seal(input) else { return Outcome::Rejected("seal_failed") };
    let jwe = match parse(&token, &Limits { token: 1 << 20, ..Limits::default() }) {
        Ok(Compact::Jwe(jwe)) => jwe,
        other => panic!("our own token is not read: {other:?}"),
    };
    let plaintext = KEYS.decrypter.open(&jwe).expect("our own token opens");
    assert_eq!(plaintext.as_slice(), input, "sealing loses nothing");
    match parse_nested(&plaintext, &Limits::default()) {
        Err(fault) => Outcome::Rejected(fault.code()),
        Ok(jws) => judge(&jws),
    }
}

fn judge(jws: &UnverifiedJws) -> Outcome {
    let expect = Expect {
        issuer: CLIENT,
        audiences: &[ISSUER],
        algorithms: SigAlg::ALL,
        now: NOW,
        skew: 60,
        require: &["iat"],
        max_lifetime: Some(6000),
        max_age: Some(6000),
        typ: Typ::Any,
    };
    let mut trace = Trace::new();
    let result = verify(jws, &[&KEYS.verifier], &expect, &mut trace);
    assert_eq!(result.is_ok(), trace.first_failure().is_none(), "trace and verdict agree: {trace:?}");
    result.map_or_else(|fault| Outcome::Rejected(fault.code()), |_| Outcome::Accepted)
}

/// Imports keys from a document, and uses what was accepted.
///
/// # Panics
///
/// If an accepted key does not survive being written and read, or cannot do what it says.
pub fn key_import(input: &[u8]) -> Outcome {
    let import = match signet_jose::import(input) {
        Ok(import) => import,
        Err(fault) => return Outcome::Rejected(fault.code()),
    };
    for imported in &import.keys {
        let key = &imported.key;
        for alg in key.kind().sig_algs() {
            assert_eq!(key.verifier(alg).is_ok(), key.fits_sig(alg));
        }
        for alg in key.kind().key_algs() {
            assert_eq!(key.encrypter(alg).is_ok(), key.fits_enc(alg));
        }
        assert_eq!(signet_jose::PublicKey::from_jwk(&key.to_jwk().into()).as_ref(), Ok(key));
    }
    Outcome::Accepted
}
