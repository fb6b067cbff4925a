//! Proof Key for Code Exchange (RFC 7636), method S256 only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::fault::Fault;

/// Judges `code_challenge` and `code_challenge_method` of an authorization request.
pub fn challenge(
    challenge: Option<&str>,
    method: Option<&str>,
    required: bool,
) -> Result<Option<String>, Fault> {
    match (challenge, method) {
        (None, Some(_)) => Err(Fault::PkceMethodAlone),
        (None, None) if required => Err(Fault::PkceRequired),
        (None, None) => Ok(None),
        // RFC 7636 section 4.3: the method "defaults to "plain" if not present"; plain is not offered here
        // (RFC 9700 section 2.1.1 wants methods that do not expose the verifier).
        (Some(_), method) if method != Some("S256") => Err(Fault::PkceMethodUnsupported),
        (Some(value), _) => match URL_SAFE_NO_PAD.decode(value) {
            Ok(hash) if hash.len() == 32 => Ok(Some(value.to_owned())),
            _ => Err(Fault::PkceChallengeMalformed),
        },
    }
}

/// Judges `code_verifier` against the stored challenge (RFC 7636 section 4.6).
pub fn verify(stored: Option<&str>, verifier: Option<&str>) -> Result<(), Fault> {
    let (stored, verifier) = match (stored, verifier) {
        (None, None) => return Ok(()),
        (Some(_), None) => return Err(Fault::VerifierMissing),
        // RFC 9700 section 4.8.2: refuse a verifier where no challenge was sent, against PKCE downgrade.
        (None, Some(_)) => return Err(Fault::VerifierUnexpected),
        (Some(stored), Some(verifier)) => (stored, verifier),
    };
    // RFC 7636 section 4.1: code-verifier = 43*128unreserved
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
        return Err(Fault::VerifierMalformed);
    }
    let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    if bool::from(made.as_bytes().ct_eq(stored.as_bytes())) { Ok(()) } else { Err(Fault::VerifierWrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_rfc7636_appendix_b() {
        let stored = challenge(Some(CHALLENGE), Some("S256"), true).unwrap();
        assert_eq!(verify(stored.as_deref(), Some(VERIFIER)), Ok(()));
    }

    #[test]
    fn every_other_combination_is_refused_by_name() {
        assert_eq!(challenge(None, None, true), Err(Fault::PkceRequired));
        assert_eq!(challenge(None, None, false), Ok(None));
        assert_eq!(challenge(Some(CHALLENGE), None, false), Err(Fault::PkceMethodUnsupported));
        assert_eq!(challenge(Some(CHALLENGE), Some("plain"), false), Err(Fault::PkceMethodUnsupported));
        assert_eq!(challenge(None, Some("S256"), false), Err(Fault::PkceMethodAlone));
        assert_eq!(challenge(Some("short"), Some("S256"), false), Err(Fault::PkceChallengeMalformed));
        assert_eq!(verify(Some(CHALLENGE), None), Err(Fault::VerifierMissing));
        assert_eq!(verify(None, Some(VERIFIER)), Err(Fault::VerifierUnexpected));
        assert_eq!(verify(Some(CHALLENGE), Some("short")), Err(Fault::VerifierMalformed));
        assert_eq!(verify(Some(CHALLENGE), Some(&"x".repeat(43))), Err(Fault::VerifierWrong));
        assert_eq!(verify(Some(CHALLENGE), Some(&"ä".repeat(43))), Err(Fault::VerifierMalformed));
    }
}
