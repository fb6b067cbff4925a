//! A seeded mutation loop over everything that is read: nothing panics, and no altered text is accepted.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::mutate::{Noise, mutate, octets, typed};
use common::{as_jwe, bytes, claims, expect, key, signer, verifier};
use serde_json::{Value, json};
use signet_jose::*;

/// Runs `accept` on altered tokens; it returns whether the token was accepted.
fn storm(seed: u64, rounds: usize, tokens: &[String], accept: impl Fn(usize, &str) -> bool) {
    let mut noise = Noise(seed);
    let (mut panics, mut accepted, mut refused) = (0, Vec::new(), 0);
    for _ in 0..rounds {
        let which = noise.below(tokens.len());
        let mut altered = mutate(&tokens[which], &mut noise);
        if noise.below(4) == 0 {
            altered = mutate(&altered, &mut noise);
        }
        if altered == tokens[which] {
            continue;
        }
        match catch_unwind(AssertUnwindSafe(|| accept(which, &altered))) {
            Err(_) => panics += 1,
            Ok(true) => accepted.push(altered),
            Ok(false) => refused += 1,
        }
    }
    assert_eq!((panics, &accepted), (0, &Vec::new()), "after {refused} refusals");
    assert!(refused > rounds * 9 / 10, "{refused} of {rounds} were altered");
}

#[test]
fn altered_signed_tokens_are_refused() {
    let algorithms =
        [SigAlg::RS256, SigAlg::PS256, SigAlg::ES256, SigAlg::ES512, SigAlg::EdDSA, SigAlg::HS256];
    let tokens: Vec<String> =
        algorithms.iter().map(|alg| signer(*alg).sign(Some("JWT"), &bytes(&claims())).unwrap()).collect();
    let verifiers: Vec<Verifier> = algorithms.iter().map(|alg| verifier(*alg)).collect();
    let keys: Vec<&Verifier> = verifiers.iter().collect();
    storm(0x5167_6e65_7401, 4000, &tokens, |_, token| match parse(token, &Limits::default()) {
        Ok(Compact::Jws(jws)) => {
            // Whatever it finds: reading ahead must not panic.
            let _ = jws.peek();
            verify(&jws, &keys, &expect(SigAlg::ALL), &mut Trace::new()).is_ok()
        }
        Ok(Compact::Jwe(_)) | Err(_) => false,
    });
}

fn sealed_tokens(plaintext: &[u8]) -> (Vec<String>, Vec<Decrypter>) {
    let mut tokens = Vec::new();
    let mut decrypters = Vec::new();
    for spec in [KeySpec::Rsa2048, KeySpec::P256, KeySpec::X25519] {
        for alg in spec.key_algs() {
            for enc in [ContentAlg::A128CbcHs256, ContentAlg::A256CbcHs512, ContentAlg::A256Gcm] {
                let header = SealHeader { cty: Some("JWT"), ..SealHeader::new(enc) };
                let encrypter = key(spec).public_key().encrypter(alg).unwrap();
                tokens.push(encrypter.seal(&header, plaintext).unwrap());
                decrypters.push(key(spec).decrypter().unwrap());
            }
        }
    }
    (tokens, decrypters)
}

#[test]
fn altered_encrypted_tokens_are_refused() {
    let (tokens, decrypters) = sealed_tokens(&bytes(&claims()));
    storm(0x5167_6e65_7402, 3000, &tokens, |which, token| match parse(token, &Limits::default()) {
        Ok(Compact::Jwe(jwe)) => match decrypters[which].open(&jwe) {
            Ok(_) => true,
            Err(fault) => {
                assert_eq!(fault, JoseFault::Undecryptable);
                false
            }
        },
        Ok(Compact::Jws(_)) | Err(_) => false,
    });
}

#[test]
fn altered_content_of_nested_tokens_is_refused() {
    // The sealing is honest each time; what is sealed is not.
    let inner = signer(SigAlg::ES256).sign(None, &bytes(&claims())).unwrap();
    let encrypter = key(KeySpec::X25519).public_key().encrypter(KeyAlg::EcdhEs).unwrap();
    let decrypter = key(KeySpec::X25519).decrypter().unwrap();
    let verifier = verifier(SigAlg::ES256);
    let seal = |text: &[u8]| encrypter.seal(&SealHeader::new(ContentAlg::A128Gcm), text);
    let nested = |content: &str| {
        let Ok(token) = seal(content.as_bytes()) else { return false };
        let text = decrypter.open(&as_jwe(&token).unwrap()).unwrap();
        parse_nested(&text, &Limits::default())
            .is_ok_and(|jws| verify(&jws, &[&verifier], &expect(SigAlg::ALL), &mut Trace::new()).is_ok())
    };
    assert!(nested(&inner));
    storm(0x5167_6e65_7403, 1500, &[inner], |_, content| nested(content));
}

#[test]
fn altered_keys_are_imported_or_refused_and_never_a_panic() {
    let mut noise = Noise(0x5167_6e65_7404);
    let mut sets: Vec<Value> = KeySpec::ALL
        .iter()
        .filter(|spec| !matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096))
        .map(|spec| Value::Object(key(*spec).public_key().to_jwk()))
        .collect();
    sets.push(json!({ "keys": sets.clone() }));
    let pem = key(KeySpec::P256).to_pem().unwrap();
    let pem = openssl::pkey::PKey::private_key_from_pem(pem.as_bytes()).unwrap().public_key_to_pem().unwrap();
    let (mut panics, mut read, mut refused) = (0, 0, 0);
    for round in 0..3000 {
        let mut document = match round % 3 {
            0 => pem.clone(),
            1 => bytes(&sets[noise.below(sets.len())]),
            _ => {
                let mut set = sets[noise.below(sets.len())].clone();
                typed(set.as_object_mut().unwrap(), &mut noise);
                bytes(&set)
            }
        };
        if round % 3 != 2 {
            octets(&mut document, &mut noise);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let import = import(&document)?;
            for imported in &import.keys {
                let key = &imported.key;
                // A key that was accepted can be used as it says, or says why not.
                for alg in key.kind().sig_algs() {
                    assert_eq!(key.verifier(alg).is_ok(), key.fits_sig(alg));
                }
                for alg in key.kind().key_algs() {
                    assert_eq!(key.encrypter(alg).is_ok(), key.fits_enc(alg));
                }
                assert!(PublicKey::from_jwk(&key.to_jwk().into()).as_ref() == Ok(key));
            }
            Ok::<_, KeyFault>(())
        }));
        match outcome {
            Err(_) => panics += 1,
            Ok(Ok(())) => read += 1,
            Ok(Err(_)) => refused += 1,
        }
    }
    assert_eq!(panics, 0, "{read} read, {refused} refused");
    assert!(read > 250 && refused > 750, "{read} read, {refused} refused");
}
