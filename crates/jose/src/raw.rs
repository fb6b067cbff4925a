//! The bindings to the library below: which of its algorithms stands for which of ours.

use josekit::JoseError;
use josekit::jwe::alg::ecdh_es::EcdhEsJweAlgorithm;
use josekit::jwe::alg::rsaes::RsaesJweAlgorithm;
use josekit::jwe::{JweDecrypter, JweEncrypter};
use josekit::jws::alg::ecdsa::EcdsaJwsAlgorithm;
use josekit::jws::alg::eddsa::EddsaJwsAlgorithm;
use josekit::jws::alg::rsassa::RsassaJwsAlgorithm;
use josekit::jws::alg::rsassa_pss::RsassaPssJwsAlgorithm;
use josekit::jws::{JwsSigner, JwsVerifier};

use crate::{KeyAlg, KeyFault, SigAlg};

fn rsaes(alg: KeyAlg) -> Option<RsaesJweAlgorithm> {
    match alg {
        KeyAlg::RsaOaep => Some(RsaesJweAlgorithm::RsaOaep),
        KeyAlg::RsaOaep256 => Some(RsaesJweAlgorithm::RsaOaep256),
        _ => None,
    }
}

fn ecdh(alg: KeyAlg) -> EcdhEsJweAlgorithm {
    match alg {
        KeyAlg::EcdhEsA128Kw => EcdhEsJweAlgorithm::EcdhEsA128kw,
        KeyAlg::EcdhEsA256Kw => EcdhEsJweAlgorithm::EcdhEsA256kw,
        _ => EcdhEsJweAlgorithm::EcdhEs,
    }
}

pub(crate) fn encrypter(alg: KeyAlg, der: &[u8]) -> Result<Box<dyn JweEncrypter>, JoseError> {
    match rsaes(alg) {
        Some(rsaes) => Ok(Box::new(rsaes.encrypter_from_der(der)?)),
        None => Ok(Box::new(ecdh(alg).encrypter_from_der(der)?)),
    }
}

pub(crate) fn decrypter(alg: KeyAlg, der: &[u8]) -> Result<Box<dyn JweDecrypter>, JoseError> {
    match rsaes(alg) {
        Some(rsaes) => Ok(Box::new(rsaes.decrypter_from_der(der)?)),
        None => Ok(Box::new(ecdh(alg).decrypter_from_der(der)?)),
    }
}

enum RawAlg {
    Rsa(RsassaJwsAlgorithm),
    Pss(RsassaPssJwsAlgorithm),
    Ec(EcdsaJwsAlgorithm),
    Ed(EddsaJwsAlgorithm),
    Secret,
}

fn raw_alg(alg: SigAlg) -> RawAlg {
    match alg {
        SigAlg::RS256 => RawAlg::Rsa(RsassaJwsAlgorithm::Rs256),
        SigAlg::RS384 => RawAlg::Rsa(RsassaJwsAlgorithm::Rs384),
        SigAlg::RS512 => RawAlg::Rsa(RsassaJwsAlgorithm::Rs512),
        SigAlg::PS256 => RawAlg::Pss(RsassaPssJwsAlgorithm::Ps256),
        SigAlg::PS384 => RawAlg::Pss(RsassaPssJwsAlgorithm::Ps384),
        SigAlg::PS512 => RawAlg::Pss(RsassaPssJwsAlgorithm::Ps512),
        SigAlg::ES256 => RawAlg::Ec(EcdsaJwsAlgorithm::Es256),
        SigAlg::ES384 => RawAlg::Ec(EcdsaJwsAlgorithm::Es384),
        SigAlg::ES512 => RawAlg::Ec(EcdsaJwsAlgorithm::Es512),
        SigAlg::EdDSA => RawAlg::Ed(EddsaJwsAlgorithm::Eddsa),
        SigAlg::HS256 | SigAlg::HS384 | SigAlg::HS512 => RawAlg::Secret,
    }
}

fn no_secret() -> JoseError {
    JoseError::UnsupportedSignatureAlgorithm(KeyFault::Refused.into())
}

pub(crate) fn verifier(alg: SigAlg, der: &[u8]) -> Result<Box<dyn JwsVerifier>, JoseError> {
    match raw_alg(alg) {
        RawAlg::Rsa(raw) => Ok(Box::new(raw.verifier_from_der(der)?)),
        RawAlg::Pss(raw) => Ok(Box::new(raw.verifier_from_der(der)?)),
        RawAlg::Ec(raw) => Ok(Box::new(raw.verifier_from_der(der)?)),
        RawAlg::Ed(raw) => Ok(Box::new(raw.verifier_from_der(der)?)),
        RawAlg::Secret => Err(no_secret()),
    }
}

pub(crate) fn signer(alg: SigAlg, der: &[u8]) -> Result<Box<dyn JwsSigner>, JoseError> {
    match raw_alg(alg) {
        RawAlg::Rsa(raw) => Ok(Box::new(raw.signer_from_der(der)?)),
        RawAlg::Pss(raw) => Ok(Box::new(raw.signer_from_der(der)?)),
        RawAlg::Ec(raw) => Ok(Box::new(raw.signer_from_der(der)?)),
        RawAlg::Ed(raw) => Ok(Box::new(raw.signer_from_der(der)?)),
        RawAlg::Secret => Err(no_secret()),
    }
}
