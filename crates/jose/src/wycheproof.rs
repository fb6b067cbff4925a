//! The Wycheproof sets for the primitives, whose messages and associated data do not have the form of a token
//! and so cannot come in by the public interface. Sets that can are in `tests/wycheproof.rs`.

use wycheproof::TestResult;

use crate::compact::signature_length_fits;
use crate::{ContentAlg, SigAlg, Verifier, import};

/// Agreement of our judgement with the set's: valid is accepted, invalid is refused, the rest may be either.
#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    disagreements: Vec<usize>,
}

impl Tally {
    fn count(&mut self, accepted: bool, result: TestResult, id: usize) {
        if accepted {
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
        let wrong = match result {
            TestResult::Valid => !accepted,
            TestResult::Invalid => accepted,
            TestResult::Acceptable => false,
        };
        if wrong {
            self.disagreements.push(id);
        }
    }

    #[track_caller]
    fn holds(&self, accepted: usize, refused: usize) {
        assert!(self.disagreements.is_empty(), "{self:?}");
        assert_eq!((self.accepted, self.refused), (accepted, refused));
    }
}

#[test]
fn content_encryption() {
    use wycheproof::aead::{TestName, TestSet};
    let mut tally = Tally::default();
    for (name, algs) in [
        (TestName::AesGcm, [ContentAlg::A128Gcm, ContentAlg::A192Gcm, ContentAlg::A256Gcm].as_slice()),
        (TestName::Aes128CbcHmacSha256, &[ContentAlg::A128CbcHs256]),
        (TestName::Aes192CbcHmacSha384, &[ContentAlg::A192CbcHs384]),
        (TestName::Aes256CbcHmacSha512, &[ContentAlg::A256CbcHs512]),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let alg = algs.iter().find(|alg| alg.key_len() * 8 == group.key_size).unwrap();
            let offered = group.nonce_size == alg.iv_len() * 8 && group.tag_size == alg.tag_len() * 8;
            for test in group.tests {
                let opened = alg.decrypt(&test.key, &test.nonce, &test.aad, &test.ct, &test.tag);
                if !offered {
                    assert!(opened.is_none(), "an initialisation vector of another length is refused");
                    continue;
                }
                if let Some(opened) = &opened {
                    assert_eq!(opened.as_slice(), test.pt.as_slice());
                    let sealed = alg.encrypt(&test.key, &test.nonce, &test.aad, &test.pt).unwrap();
                    assert_eq!(sealed, (test.ct.to_vec(), test.tag.to_vec()));
                }
                tally.count(opened.is_some(), test.result, test.tc_id);
            }
        }
    }
    tally.holds(317, 162);
}

/// As for a token: the signature's length first, then the signature.
fn accepts(verifier: &Verifier, message: &[u8], signature: &[u8]) -> bool {
    signature_length_fits(verifier.alg(), signature.len()) && verifier.accepts(message, signature)
}

fn verifier(pem: &str, alg: SigAlg) -> Verifier {
    import(pem.as_bytes()).unwrap().keys[0].key.verifier(alg).unwrap()
}

#[test]
fn rsassa_pkcs1() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    for (name, alg) in [
        (TestName::Rsa2048Sha256, SigAlg::RS256),
        (TestName::Rsa2048Sha384, SigAlg::RS384),
        (TestName::Rsa2048Sha512, SigAlg::RS512),
        (TestName::Rsa3072Sha256, SigAlg::RS256),
        (TestName::Rsa3072Sha384, SigAlg::RS384),
        (TestName::Rsa3072Sha512, SigAlg::RS512),
        (TestName::Rsa4096Sha256, SigAlg::RS256),
        (TestName::Rsa4096Sha384, SigAlg::RS384),
        (TestName::Rsa4096Sha512, SigAlg::RS512),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let verifier = verifier(&group.pem, alg);
            for test in group.tests {
                tally.count(accepts(&verifier, &test.msg, &test.sig), test.result, test.tc_id);
            }
        }
    }
    tally.holds(68, 2262);
}

#[test]
fn rsa_keys_of_8192_bits_are_refused() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    for group in TestSet::load(TestName::Rsa8192Sha256).unwrap().test_groups {
        assert_eq!(import(group.pem.as_bytes()).unwrap_err().code(), "key_rsa_too_large");
    }
}

#[test]
fn rsassa_pss() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    // RFC 7518 section 3.5: MGF1 with the same hash, a salt as long as the hash.
    for (name, alg) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, SigAlg::PS256),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, SigAlg::PS384),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, SigAlg::PS256),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, SigAlg::PS256),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, SigAlg::PS384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, SigAlg::PS512),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let verifier = verifier(&group.pem, alg);
            for test in group.tests {
                tally.count(accepts(&verifier, &test.msg, &test.sig), test.result, test.tc_id);
            }
        }
    }
    // Another salt length is another scheme: nothing of these sets verifies.
    for (name, alg) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, SigAlg::PS256),
        (TestName::RsaPss4096Sha512Mgf1SaltLen32, SigAlg::PS512),
        (TestName::RsaPss2048Sha256Mgf1Sha1_20, SigAlg::PS256),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let verifier = verifier(&group.pem, alg);
            for test in group.tests {
                // A salt that was forged to our length makes a signature of our scheme.
                let ours =
                    name == TestName::RsaPss2048Sha256Mgf1SaltLen0 && test.comment == "s_len changed to 32";
                let wanted = if ours { TestResult::Valid } else { TestResult::Invalid };
                tally.count(accepts(&verifier, &test.msg, &test.sig), wanted, test.tc_id);
            }
        }
    }
    tally.holds(512, 661);
}

#[test]
fn ecdsa() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut tally = Tally::default();
    for (name, alg) in [
        (TestName::EcdsaSecp256r1Sha256P1363, SigAlg::ES256),
        (TestName::EcdsaSecp384r1Sha384P1363, SigAlg::ES384),
        (TestName::EcdsaSecp521r1Sha512P1363, SigAlg::ES512),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let verifier = verifier(&group.pem, alg);
            for test in group.tests {
                tally.count(accepts(&verifier, &test.msg, &test.sig), test.result, test.tc_id);
            }
        }
    }
    // RFC 7518 section 3.4: the DER form of the same signatures is refused.
    for group in TestSet::load(TestName::EcdsaSecp256r1Sha256).unwrap().test_groups {
        let verifier = verifier(&group.pem, SigAlg::ES256);
        for test in group.tests {
            tally.count(accepts(&verifier, &test.msg, &test.sig), TestResult::Invalid, test.tc_id);
        }
    }
    tally.holds(597, 747);
}

#[test]
fn eddsa() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let verifier = verifier(&group.pem, SigAlg::EdDSA);
        for test in group.tests {
            tally.count(accepts(&verifier, &test.msg, &test.sig), test.result, test.tc_id);
        }
    }
    tally.holds(88, 63);
}

#[test]
fn hmac() {
    use wycheproof::mac::{TestName, TestSet};
    let mut tally = Tally::default();
    for (name, alg) in [
        (TestName::HmacSha256, SigAlg::HS256),
        (TestName::HmacSha384, SigAlg::HS384),
        (TestName::HmacSha512, SigAlg::HS512),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let Ok(verifier) = Verifier::hmac(&test.key, alg) else {
                    assert!(test.key.len() < alg.hash().len());
                    continue;
                };
                // RFC 7518 section 3.2: the whole MAC; a cut one is refused, though others accept it.
                let whole = test.tag.len() == alg.hash().len();
                let wanted = if whole { test.result } else { TestResult::Invalid };
                tally.count(accepts(&verifier, &test.msg, &test.tag), wanted, test.tc_id);
            }
        }
    }
    tally.holds(90, 414);
}
