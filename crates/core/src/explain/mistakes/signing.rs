//! Mistakes of signing: names of algorithms, forms of signatures, and whose key it was.

use crate::duration::roughly;
use signet_jose::{KeyUse, SigAlg};

use super::super::snippets::{RAW_ECDSA, SIGN};
use super::form::{quoted, xml_name};
use super::{Kind, Mistake};

const NO_KEY: &[&str] = &["jws_key_unknown", "object_key_missing"];

pub(super) const ROWS: &[Mistake] = &[
    Mistake {
        id: "xml_signature_uri",
        kind: Kind::Cause,
        codes: &["alg_unsupported"],
        title: "An XML Signature URI as the name of the algorithm",
        happened: "The header names the signature algorithm by a URI of XML Signature, such as SecurityAlgorithms.RsaSha256Signature of .NET.",
        remedy: "Use the JOSE name: RS256, PS256 or ES256.",
        code: SIGN,
        sign: |seen| quoted(seen.inner("alg").filter(|alg| xml_name(alg)), "alg"),
    },
    Mistake {
        id: "es256k",
        kind: Kind::Cause,
        codes: &["alg_unsupported"],
        title: "ES256K is the curve of Bitcoin, not P-256",
        happened: "The signature is made on the curve secp256k1. It looks like ES256 and is another algorithm.",
        remedy: "Make a key on P-256 (also called prime256v1 or secp256r1) and sign with ES256.",
        code: SIGN,
        sign: |seen| quoted(seen.inner("alg").filter(|alg| *alg == "ES256K"), "alg"),
    },
    Mistake {
        id: "unsigned",
        kind: Kind::Cause,
        codes: &["alg_none", "object_unsigned", "signature_missing"],
        title: "The object is not signed",
        happened: "The header says \"none\", or the signature is missing. Anybody could have written this object.",
        remedy: "Sign it with the client's private key, and register the public part here.",
        code: SIGN,
        sign: |seen| {
            let none = seen.inner("alg").filter(|alg| alg.eq_ignore_ascii_case("none"));
            quoted(none, "alg").or_else(|| seen.signature.is_empty().then(|| "no signature".into()))
        },
    },
    Mistake {
        id: "signed_with_secret",
        kind: Kind::Cause,
        codes: &["jws_algorithm_not_allowed"],
        title: "Signed with the client's secret",
        happened: "The signature is a MAC made with a shared secret. Whoever holds the secret could have made it, this server too, so it proves nothing to anybody else.",
        remedy: "Sign with the client's private key: RS256, PS256, ES256 or EdDSA.",
        code: SIGN,
        sign: |seen| quoted(seen.inner("alg").filter(|alg| alg.starts_with("HS")), "alg"),
    },
    Mistake {
        id: "der_signature",
        kind: Kind::Cause,
        codes: &["signature_length", "jws_signature_invalid"],
        title: "A DER-encoded ECDSA signature",
        happened: "The signature is the ASN.1 structure that OpenSSL and Java make. JOSE wants the two numbers R and S with a fixed length, one after the other (RFC 7518 section 3.4).",
        remedy: "Convert the signature, or ask the library for the form that is called IEEE P1363, raw or fixed-size.",
        code: RAW_ECDSA,
        sign: |seen| {
            let ecdsa = seen.inner("alg").filter(|alg| alg.starts_with("ES"))?;
            is_der(&seen.signature).then(|| {
                format!("{ecdsa} with a signature of {} bytes that begins with 30", seen.signature.len())
            })
        },
    },
    Mistake {
        id: "retired_client_key",
        kind: Kind::Cause,
        codes: NO_KEY,
        title: "Signed with a key whose time is over",
        happened: "The \"kid\" names a key of this client that is registered for signing, but not valid now.",
        remedy: "Sign with the client's current key, or register a new one with a period that covers today.",
        code: SIGN,
        sign: |seen| {
            let now = seen.scene.now;
            let key = seen.client_key(seen.inner("kid")?).filter(|key| key.usage == KeyUse::Sig)?;
            let since = |at: i64| format!("{} ago", roughly(now - at));
            let how = match (key.revoked_at, key.not_after, key.not_before) {
                (Some(at), _, _) if at <= now => format!("revoked {}", since(at)),
                (_, Some(at), _) if at <= now => format!("not valid any more since {}", since(at)),
                (_, _, Some(at)) if now < at => format!("valid in {} only", roughly(at - now)),
                _ => return None,
            };
            Some(format!("kid names the key \"{}\": {how}", key.name))
        },
    },
    Mistake {
        id: "signed_with_encryption_key",
        kind: Kind::Cause,
        codes: NO_KEY,
        title: "Signed with the client's encryption key",
        happened: "The \"kid\" names a key of this client that is registered for encryption. One key must not do both.",
        remedy: "Sign with the signing key. If this is meant to be one, register it again with the usage Signing.",
        code: SIGN,
        sign: |seen| {
            let key = seen.client_key(seen.inner("kid")?).filter(|key| key.usage == KeyUse::Enc)?;
            Some(format!("kid names the encryption key \"{}\"", key.name))
        },
    },
    Mistake {
        id: "algorithm_of_another_key",
        kind: Kind::Cause,
        codes: &["jws_key_unknown"],
        title: "The key is not for this algorithm",
        happened: "The \"kid\" names a signing key of this client, but the key is of another kind, or is bound to another algorithm, than the header's \"alg\".",
        remedy: "Sign with an algorithm that fits the key, or register the key without \"alg\".",
        code: SIGN,
        sign: |seen| {
            let key = seen.client_key(seen.inner("kid")?)?;
            let usable = key.usage == KeyUse::Sig && key.usable_at(seen.scene.now);
            let text = |name: &str| key.jwk.get(name).and_then(serde_json::Value::as_str).unwrap_or("any");
            let kind = format!("{} {}", text("kty"), key.jwk.get("crv").map_or("", |_| text("crv")));
            usable.then(|| {
                format!(
                    "alg is {}, the key is {} (alg: {})",
                    seen.inner("alg").unwrap_or_default(),
                    kind.trim(),
                    text("alg")
                )
            })
        },
    },
    Mistake {
        id: "unregistered_client_key",
        kind: Kind::Cause,
        codes: &["jws_key_unknown", "object_key_missing"],
        title: "The signing key is not registered for this client",
        happened: "No key of this client has this \"kid\" or this thumbprint. Perhaps it is the key of another client or environment, or it was renewed and not registered here.",
        remedy: "Register the public part of the key for this client, or sign with a key that is registered.",
        code: SIGN,
        sign: |seen| {
            let kid = seen.inner("kid")?;
            seen.client_key(kid).is_none().then(|| format!("kid is \"{kid}\""))
        },
    },
    Mistake {
        id: "signature_of_another_key",
        kind: Kind::Cause,
        codes: &["jws_signature_invalid"],
        title: "Signed with another private key than the registered one",
        happened: "There is a key of this name, and the signature was not made with it. Mostly the private key is that of another client or environment, or was renewed under the same \"kid\". It also happens when the token was changed after it was signed.",
        remedy: "Compare the thumbprint (RFC 7638) of the private key in use with that of the registered key.",
        code: SIGN,
        sign: |seen| {
            if is_der(&seen.signature) && seen.inner("alg").is_some_and(|alg| alg.starts_with("ES")) {
                return None;
            }
            let alg = seen.inner("alg").and_then(SigAlg::from_name)?;
            let key = seen.inner("kid").and_then(|kid| seen.client_key(kid));
            let named = key.map(|key| format!("{alg}, registered thumbprint {}", key.thumbprint));
            Some(named.unwrap_or_else(|| format!("{alg}, without a kid")))
        },
    },
    Mistake {
        id: "key_in_header",
        kind: Kind::Cause,
        codes: &["jwk_present", "jku_present", "x5u_present", "x5c_present"],
        title: "The token brings its own key",
        happened: "A key, a certificate or the address of one stands in the header. A token must not choose the key it is verified with (RFC 8725 section 3.10).",
        remedy: "Leave it out of the header, register the public key here and name it by \"kid\".",
        code: SIGN,
        sign: |seen| {
            let member = |name: &&&str| seen.inner.contains_key(**name) || seen.outer.contains_key(**name);
            ["jwk", "jku", "x5u", "x5c"].iter().find(member).map(|name| format!("the member \"{name}\""))
        },
    },
    Mistake {
        id: "another_message",
        kind: Kind::Cause,
        codes: &["typ_mismatch"],
        title: "A token of another kind",
        happened: "The header's \"typ\" says that this token is something else than a request object.",
        remedy: "Set \"typ\" to \"oauth-authz-req+jwt\" (RFC 9101 section 10.8), or leave it out.",
        code: SIGN,
        sign: |seen| quoted(seen.inner("typ"), "typ"),
    },
    Mistake {
        id: "kid_missing",
        kind: Kind::Advice,
        codes: &[],
        title: "The signature does not name its key",
        happened: "The header of the signed token has no \"kid\". Every registered key is tried, which goes well only as long as there are few.",
        remedy: "Set \"kid\" to that of the registered key.",
        code: SIGN,
        sign: |seen| {
            (!seen.inner.is_empty() && !seen.inner.contains_key("kid"))
                .then(|| "no \"kid\" in the inner header".into())
        },
    },
];

/// Whether the octets are the DER form of an ECDSA signature: a SEQUENCE of two INTEGERs and nothing else (RFC 3279 section
/// 2.2.3).
fn is_der(signature: &[u8]) -> bool {
    fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let (head, rest) = bytes.split_at_checked(2)?;
        let (length, rest) = match (head[0] == tag, head[1]) {
            (true, short) if short < 0x80 => (usize::from(short), rest),
            (true, 0x81) => (usize::from(*rest.first()?), &rest[1..]),
            _ => return None,
        };
        rest.split_at_checked(length)
    }
    let numbers = || {
        let (inside, after) = element(0x30, signature)?;
        let (r, rest) = element(0x02, inside)?;
        let (s, rest) = element(0x02, rest)?;
        Some(after.is_empty() && rest.is_empty() && !r.is_empty() && !s.is_empty())
    };
    numbers().unwrap_or(false)
}
