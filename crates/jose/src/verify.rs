//! Verification: the signature first, then what the claims say.

use crate::fault::Offered;
use crate::trace::shown;
use crate::{Claims, JoseFault, SigAlg, Trace, UnverifiedJws, Verifier};

/// What the header's `typ` must be. Values are compared without regard to case, and a leading
/// `application/` does not count (RFC 7515 section 4.1.9).
#[derive(Clone, Copy, Debug)]
pub enum Typ<'a> {
    /// Not looked at.
    Any,
    /// May be absent; if present, one of these.
    Optional(&'a [&'a str]),
    /// Must be one of these.
    Required(&'a [&'a str]),
}

/// What a token must say to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// `iss` must equal this.
    pub issuer: &'a str,
    /// `aud` must contain one of these.
    pub audiences: &'a [&'a str],
    /// `alg` must be one of these.
    pub algorithms: &'a [SigAlg],
    /// The current time, Unix seconds.
    pub now: i64,
    /// Tolerated clock difference, seconds.
    pub skew: i64,
    /// Further claims that must be present; for [`verify`], `exp` always is.
    pub require: &'a [&'a str],
    /// Longest accepted `exp - iat` (`exp - now` without `iat`), seconds.
    pub max_lifetime: Option<i64>,
    /// Longest accepted `now - iat`, seconds; demands `iat`.
    pub max_age: Option<i64>,
    /// What `typ` must be.
    pub typ: Typ<'a>,
}

/// A token whose signature and claims were checked. Only [`verify`], [`verify_undated`] and
/// [`verify_expired`] make one.
#[derive(Clone, Debug)]
pub struct Verified {
    claims: Claims,
    alg: SigAlg,
    kid: Option<String>,
    thumbprint: Option<String>,
}

impl Verified {
    /// The claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The claims.
    #[must_use]
    pub fn into_claims(self) -> Claims {
        self.claims
    }

    /// The algorithm.
    pub fn alg(&self) -> SigAlg {
        self.alg
    }

    /// The kid of the key that verified the signature.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The thumbprint of the key that verified the signature; none for a shared secret.
    pub fn thumbprint(&self) -> Option<&str> {
        self.thumbprint.as_deref()
    }
}

/// Verifies the signature with one of `keys`, then every claim; the first broken rule is the fault, and `trace`
/// receives all that were checked.
///
/// With a `kid` in the token, the keys of that kid (or thumbprint) are tried, and if there is none, those without
/// any kid. Without a `kid`, every key of the algorithm is tried, in the order given.
pub fn verify(
    jws: &UnverifiedJws,
    keys: &[&Verifier],
    expect: &Expect<'_>,
    trace: &mut Trace,
) -> Result<Verified, JoseFault> {
    verify_with(jws, keys, expect, Expiry::Demanded, trace)
}

/// As [`verify`], for a message that is read at once and may lack `exp`; one that is there is judged.
///
/// OpenID Connect Core 1.0 section 5.3.2: a signed UserInfo response has `iss` and `aud`; `exp` is not named.
pub fn verify_undated(
    jws: &UnverifiedJws,
    keys: &[&Verifier],
    expect: &Expect<'_>,
    trace: &mut Trace,
) -> Result<Verified, JoseFault> {
    verify_with(jws, keys, expect, Expiry::IfPresent, trace)
}

/// As [`verify`], for a token that is no longer used as what it is, but as a hint at what once was: `exp` must be
/// there and may be past. A token from the future is refused as ever.
///
/// OpenID Connect RP-Initiated Logout 1.0 section 2: "The OP SHOULD accept ID Tokens [...] even when the exp time has
/// passed."
pub fn verify_expired(
    jws: &UnverifiedJws,
    keys: &[&Verifier],
    expect: &Expect<'_>,
    trace: &mut Trace,
) -> Result<Verified, JoseFault> {
    verify_with(jws, keys, expect, Expiry::MayBePast, trace)
}

/// How `exp` is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Demanded,
    IfPresent,
    MayBePast,
}

fn verify_with(
    jws: &UnverifiedJws,
    keys: &[&Verifier],
    expect: &Expect<'_>,
    expiry: Expiry,
    trace: &mut Trace,
) -> Result<Verified, JoseFault> {
    check_algorithm(jws, expect, trace)?;
    check_typ(jws, expect, trace)?;
    let key = check_signature(jws, keys, trace)?;
    let claims = jws.claims().and_then(|claims| claims.check_types().map(|()| claims));
    let claims = match claims {
        Ok(claims) => claims,
        Err(fault) => {
            trace.fail(
                "claims",
                "RFC 7519 section 7.2",
                "a JSON object with well-typed claims",
                fault.code(),
            );
            return Err(fault);
        }
    };
    let mut rules = Rules { claims: &claims, expect, trace, first: None };
    rules.issuer();
    rules.audience();
    rules.times(expiry);
    rules.required();
    match rules.first {
        Some(fault) => Err(fault),
        None => Ok(Verified {
            claims,
            alg: key.alg(),
            kid: key.kid().map(str::to_owned),
            thumbprint: key.thumbprint().map(str::to_owned),
        }),
    }
}

/// RFC 8725 section 3.1: the algorithm is the verifier's choice, and the token's must be in it.
fn check_algorithm(jws: &UnverifiedJws, expect: &Expect<'_>, trace: &mut Trace) -> Result<(), JoseFault> {
    const CLAUSE: &str = "RFC 8725 section 3.1";
    let alg = jws.header().alg;
    let names: Vec<&str> = expect.algorithms.iter().map(|alg| alg.name()).collect();
    if expect.algorithms.contains(&alg) {
        trace.pass("jws_algorithm", CLAUSE, names.join(" "), alg.name());
        Ok(())
    } else {
        trace.fail("jws_algorithm", CLAUSE, names.join(" "), alg.name());
        Err(JoseFault::AlgorithmNotAllowed { offered: alg })
    }
}

fn bare_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned)
}

/// RFC 8725 section 3.11: explicit typing keeps tokens of one kind from passing as another.
fn check_typ(jws: &UnverifiedJws, expect: &Expect<'_>, trace: &mut Trace) -> Result<(), JoseFault> {
    const CLAUSE: &str = "RFC 8725 section 3.11";
    let (accepted, required) = match expect.typ {
        Typ::Any => return Ok(()),
        Typ::Optional(accepted) => (accepted, false),
        Typ::Required(accepted) => (accepted, true),
    };
    let wanted = accepted.join(" ");
    match &jws.header().typ {
        None if required => {
            trace.fail("typ", CLAUSE, wanted, "absent");
            Err(JoseFault::TypMissing)
        }
        None => {
            trace.skip("typ", CLAUSE, wanted);
            Ok(())
        }
        Some(typ) if accepted.iter().any(|one| bare_type(one) == bare_type(typ)) => {
            trace.pass("typ", CLAUSE, wanted, shown(typ));
            Ok(())
        }
        Some(typ) => {
            trace.fail("typ", CLAUSE, wanted, shown(typ));
            Err(JoseFault::TypMismatch { offered: Offered::new(typ) })
        }
    }
}

fn candidates<'k>(jws: &UnverifiedJws, keys: &[&'k Verifier]) -> Vec<&'k Verifier> {
    let fitting = || keys.iter().copied().filter(|key| key.alg() == jws.header().alg);
    let Some(kid) = jws.header().kid.as_deref() else { return fitting().collect() };
    let named: Vec<_> =
        fitting().filter(|key| key.kid() == Some(kid) || key.thumbprint() == Some(kid)).collect();
    if named.is_empty() { fitting().filter(|key| key.kid().is_none()).collect() } else { named }
}

/// RFC 7515 section 5.2; which key is meant: section 4.1.4 and appendix D.
fn check_signature<'k>(
    jws: &UnverifiedJws,
    keys: &[&'k Verifier],
    trace: &mut Trace,
) -> Result<&'k Verifier, JoseFault> {
    const KEY: &str = "RFC 7515 section 4.1.4";
    const SIGNATURE: &str = "RFC 7515 section 5.2";
    let kid = jws.header().kid.as_deref();
    let candidates = candidates(jws, keys);
    let available: Vec<String> =
        keys.iter().map(|key| format!("{} {}", key.alg(), shown(key.kid().unwrap_or("-")))).collect();
    let named = kid.map_or_else(|| "no kid".to_owned(), |kid| format!("kid {}", shown(kid)));
    if candidates.is_empty() {
        trace.fail("jws_key", KEY, available.join(", "), named);
        return Err(JoseFault::KeyUnknown { offered: kid.map(Offered::new) });
    }
    trace.pass("jws_key", KEY, available.join(", "), named);
    let found = candidates.iter().find(|key| key.accepts(jws.signing_input.as_bytes(), &jws.signature));
    let Some(key) = found else {
        let actual = format!("invalid with each of {} keys", candidates.len());
        trace.fail("signature", SIGNATURE, "valid", actual);
        return Err(JoseFault::SignatureInvalid);
    };
    let name = key.kid().or(key.thumbprint()).unwrap_or("shared secret");
    trace.pass("signature", SIGNATURE, "valid", format!("valid with {}", shown(name)));
    Ok(key)
}

struct Rules<'a> {
    claims: &'a Claims,
    expect: &'a Expect<'a>,
    trace: &'a mut Trace,
    first: Option<JoseFault>,
}

impl Rules<'_> {
    fn judge(
        &mut self,
        rule: &'static str,
        clause: &'static str,
        expected: String,
        actual: String,
        broken: Option<JoseFault>,
    ) {
        match broken {
            None => self.trace.pass(rule, clause, expected, actual),
            Some(fault) => {
                self.trace.fail(rule, clause, expected, actual);
                self.first.get_or_insert(fault);
            }
        }
    }

    /// RFC 7519 section 4.1.1.
    fn issuer(&mut self) {
        let (actual, broken) = match self.claims.iss() {
            None => ("absent".to_owned(), Some(JoseFault::IssMissing)),
            Some(iss) if iss == self.expect.issuer => (shown(iss), None),
            Some(iss) => (shown(iss), Some(JoseFault::IssMismatch { offered: Offered::new(iss) })),
        };
        self.judge("iss", "RFC 7519 section 4.1.1", self.expect.issuer.to_owned(), actual, broken);
    }

    /// RFC 7519 section 4.1.3: the reader must find itself in the audience.
    fn audience(&mut self) {
        let aud = self.claims.aud();
        let actual = shown(&aud.join(" "));
        let broken = if aud.is_empty() {
            Some(JoseFault::AudMissing)
        } else if aud.iter().any(|one| self.expect.audiences.contains(one)) {
            None
        } else {
            Some(JoseFault::AudMismatch { offered: Offered::new(&aud.join(" ")) })
        };
        let actual = if aud.is_empty() { "absent".to_owned() } else { actual };
        self.judge("aud", "RFC 7519 section 4.1.3", self.expect.audiences.join(" "), actual, broken);
    }

    /// One time claim: absent, unreadable, or judged.
    fn time(
        &mut self,
        claim: &'static str,
        clause: &'static str,
        expected: String,
        missing: Option<JoseFault>,
        judge: impl FnOnce(i64) -> Option<JoseFault>,
    ) -> Option<i64> {
        match self.claims.time(claim) {
            Ok(Some(seconds)) => {
                self.judge(claim, clause, expected, seconds.to_string(), judge(seconds));
                Some(seconds)
            }
            Ok(None) => {
                match missing {
                    Some(fault) => self.judge(claim, clause, expected, "absent".into(), Some(fault)),
                    None => self.trace.skip(claim, clause, expected),
                }
                None
            }
            Err(fault) => {
                self.judge(claim, clause, expected, "not a number of seconds".into(), Some(fault));
                None
            }
        }
    }

    fn times(&mut self, expiry: Expiry) {
        let Expect { now, skew, max_lifetime, max_age, .. } = *self.expect;
        let skew = skew.max(0);
        let latest = now.saturating_add(skew);
        // RFC 7519 section 4.1.4: on or after the expiry the token is not accepted; a small leeway is allowed.
        let earliest_exp = now.saturating_sub(skew);
        let may_be_past = expiry == Expiry::MayBePast;
        let exp = self.time(
            "exp",
            "RFC 7519 section 4.1.4",
            if may_be_past { "any, even past".to_owned() } else { format!("later than {earliest_exp}") },
            (expiry != Expiry::IfPresent).then_some(JoseFault::ExpMissing),
            |exp| (!may_be_past && exp <= earliest_exp).then_some(JoseFault::Expired { exp, now }),
        );
        // RFC 7519 section 4.1.5.
        self.time("nbf", "RFC 7519 section 4.1.5", format!("at most {latest}"), None, |nbf| {
            (nbf > latest).then_some(JoseFault::NbfInFuture { nbf, now })
        });
        // RFC 7519 section 4.1.6; a time of issue that lies ahead is a clock or a lie.
        let iat_missing = max_age.map(|_| JoseFault::IatMissing);
        let iat =
            self.time("iat", "RFC 7519 section 4.1.6", format!("at most {latest}"), iat_missing, |iat| {
                (iat > latest).then_some(JoseFault::IatInFuture { iat, now })
            });
        // RFC 7523 section 3 (4) and RFC 9101 section 10.2 leave it to the reader to refuse an unreasonably
        // long life or an old token.
        if let (Some(limit), Some(exp)) = (max_lifetime, exp) {
            let lifetime = exp.saturating_sub(iat.unwrap_or(now));
            let broken = (lifetime > limit).then_some(JoseFault::LifetimeTooLong { lifetime, limit });
            let clause = "RFC 7523 section 3";
            self.judge("lifetime", clause, format!("at most {limit}"), lifetime.to_string(), broken);
        }
        if let (Some(limit), Some(iat)) = (max_age, iat) {
            let age = now.saturating_sub(iat);
            let broken = (age > limit.saturating_add(skew)).then_some(JoseFault::TooOld { age, limit });
            self.judge("age", "RFC 7523 section 3", format!("at most {limit}"), age.to_string(), broken);
        }
    }

    /// RFC 7519 section 4: which further claims are required is the application's to say.
    fn required(&mut self) {
        for name in self.expect.require {
            // A null says nothing, so it does not satisfy a demand.
            if self.claims.get(name).is_none_or(serde_json::Value::is_null) {
                let fault = match *name {
                    "exp" => JoseFault::ExpMissing,
                    "iat" => JoseFault::IatMissing,
                    other => JoseFault::ClaimMissing { claim: Offered::new(other) },
                };
                let clause = "RFC 7519 section 4";
                self.judge("required_claim", clause, (*name).to_owned(), "absent".into(), Some(fault));
            }
        }
    }
}
