//! Opening what arrives as a JWT: a JWS, or a JWE around one JWS. Request objects, client assertions and ID token hints
//! all come through here.

use signet_jose::{
    Compact, Decrypter, JoseFault, KeyAlg, Limits, Offered, SealedJwe, Trace, UnverifiedJws, parse,
    parse_nested,
};

/// One of the tenant's published decryption keys.
#[derive(Clone, Debug)]
pub struct DecryptionKey {
    /// As in the JWKS.
    pub kid: String,
    /// The algorithm of that JWKS entry.
    pub alg: KeyAlg,
    /// The key.
    pub decrypter: Decrypter,
}

/// What came out. Nothing in it is trusted yet.
#[derive(Debug)]
pub struct OpenedJwt {
    /// The signed token.
    pub jws: UnverifiedJws,
    /// Whether it was inside a JWE.
    pub encrypted: bool,
}

/// Most keys tried when the JWE header names none.
const MAX_TRIES: usize = 6;

/// Parses and decrypts `token`. Exactly two kinds are accepted: a JWS, and a JWE whose plaintext is one JWS.
/// `clause` says in the trace which standard allows these two.
pub fn open_jwt(
    token: &str,
    limits: &Limits,
    clause: &'static str,
    keys: &[DecryptionKey],
    trace: &mut Trace,
) -> Result<OpenedJwt, JoseFault> {
    let parsed = parse(token, limits).inspect_err(|fault| {
        trace.fail("form", clause, "a compact JWS, or a compact JWE around one", fault.to_string());
    })?;
    match parsed {
        Compact::Jws(jws) => {
            trace.pass("form", clause, "a JWS or a nested JWT", "JWS (signed, not encrypted)");
            Ok(OpenedJwt { jws, encrypted: false })
        }
        Compact::Jwe(jwe) => {
            trace.pass("form", clause, "a JWS or a nested JWT", "JWE");
            content_type(jwe.header().cty.as_deref(), trace)?;
            let plaintext = decrypt(&jwe, keys, trace)?;
            // CVE-2026-9793 of another provider: after decryption the content must be a JWS, whatever the switches say
            //
            let jws = parse_nested(&plaintext, limits);
            trace.keep(plaintext);
            let jws = jws.inspect_err(|fault| {
                trace.fail(
                    "nested_jws",
                    clause,
                    "the decrypted content is one compact JWS",
                    fault.to_string(),
                );
            })?;
            trace.pass("nested_jws", clause, "the decrypted content is one compact JWS", "JWS");
            Ok(OpenedJwt { jws, encrypted: true })
        }
    }
}

/// RFC 7519 section 5.2: for nested JWTs "the value of this Header Parameter MUST be "JWT"". The vendor's own sample
/// leaves it out, so absence is tolerated.
fn content_type(cty: Option<&str>, trace: &mut Trace) -> Result<(), JoseFault> {
    const CLAUSE: &str = "RFC 7519 section 5.2";
    match cty {
        None => trace.skip("cty", CLAUSE, "JWT, if present"),
        Some(cty) if cty.eq_ignore_ascii_case("JWT") => trace.pass("cty", CLAUSE, "JWT, if present", cty),
        Some(cty) => {
            let offered = Offered::new(cty);
            trace.fail("cty", CLAUSE, "JWT, if present", offered.as_str());
            return Err(JoseFault::CtyMismatch { offered });
        }
    }
    Ok(())
}

/// the key named by `kid`; without `kid` each published key of the algorithm; an unknown `kid` is not tried.
fn decrypt(
    jwe: &SealedJwe,
    keys: &[DecryptionKey],
    trace: &mut Trace,
) -> Result<zeroize::Zeroizing<Vec<u8>>, JoseFault> {
    const CLAUSE: &str = "RFC 7516 section 5.2";
    let header = jwe.header();
    let candidates: Vec<_> = keys
        .iter()
        .filter(|key| key.alg == header.alg && header.kid.as_ref().is_none_or(|kid| *kid == key.kid))
        .take(MAX_TRIES)
        .collect();
    let offered = header
        .kid
        .as_deref()
        .map_or_else(|| "no kid".to_owned(), |kid| Offered::new(kid).as_str().to_owned());
    if candidates.is_empty() {
        let known: Vec<_> = keys.iter().map(|key| key.kid.as_str()).collect();
        trace.fail(
            "jwe_key",
            "RFC 7516 section 4.1.6",
            format!("a published encryption key for {}: one of {}", header.alg, known.join(", ")),
            format!("{} with {offered}", header.alg),
        );
        return Err(JoseFault::UndecryptableKeyUnknown);
    }
    trace.pass(
        "jwe_key",
        "RFC 7516 section 4.1.6",
        format!("a published encryption key for {}", header.alg),
        offered,
    );
    for key in candidates {
        if let Ok(plaintext) = key.decrypter.open(jwe) {
            trace.pass(
                "jwe_decrypt",
                CLAUSE,
                format!("{} with {}", header.alg, header.enc),
                format!("opened with {}", key.kid),
            );
            return Ok(plaintext);
        }
    }
    trace.fail(
        "jwe_decrypt",
        CLAUSE,
        format!("{} with {}: key and authentication tag fit", header.alg, header.enc),
        "cannot be decrypted with the named key",
    );
    Err(JoseFault::Undecryptable)
}
