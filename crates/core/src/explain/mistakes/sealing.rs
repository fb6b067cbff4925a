//! Mistakes of encryption: names of algorithms, and whose key it was.

use signet_jose::KeyUse;

use super::super::sighting::Sighting;
use super::super::snippets::{NEST, SEAL, SERVER_KEY};
use super::form::{quoted, sealed, xml_name};
use super::{Kind, Mistake};
use crate::records::KeyState;

const KEY_UNKNOWN: &[&str] = &["undecryptable_key_unknown"];
const UNDECRYPTABLE: &[&str] = &["undecryptable", "undecryptable_key_unknown"];

pub(super) const ROWS: &[Mistake] = &[
    Mistake {
        id: "xml_encryption_uri",
        kind: Kind::Cause,
        codes: &["key_alg_unsupported", "enc_unsupported"],
        title: "An XML Encryption URI as the name of the algorithm",
        happened: "The header names its algorithm by a URI of XML Encryption. The framework made its encrypting credentials with the names it uses for SAML and WS-Trust; in .NET these are the defaults of X509EncryptingCredentials, and SecurityAlgorithms.RsaOaepKeyWrap.",
        remedy: "Use the JOSE names of RFC 7518: for example RSA-OAEP with A256CBC-HS512.",
        code: SEAL,
        sign: |seen| {
            let named = |name| seen.outer(name).filter(|value| xml_name(value));
            quoted(named("alg"), "alg").or_else(|| quoted(named("enc"), "enc"))
        },
    },
    Mistake {
        id: "rsa1_5",
        kind: Kind::Cause,
        codes: &["key_alg_unsupported"],
        title: "RSA1_5, the old RSA padding",
        happened: "The content key is encrypted with PKCS #1 v1.5 padding. It is open to Bleichenbacher's attack and is not accepted (RFC 8725 section 3.2).",
        remedy: "Encrypt with RSA-OAEP-256 or RSA-OAEP, or with ECDH-ES.",
        code: SEAL,
        sign: |seen| quoted(seen.outer("alg").filter(|alg| *alg == "RSA1_5"), "alg"),
    },
    Mistake {
        id: "symmetric_encryption",
        kind: Kind::Cause,
        codes: &["key_alg_unsupported", "p2c_present", "p2s_present"],
        title: "Encrypted with a shared secret",
        happened: "The object is encrypted with a secret (a password, or the client's secret) instead of this server's public key.",
        remedy: "Take an encryption key from this server's jwks_uri and encrypt to that.",
        code: SERVER_KEY,
        sign: |seen| {
            let alg = seen.outer("alg")?;
            let shared =
                alg == "dir" || alg.starts_with("PBES2-") || (alg.starts_with('A') && alg.ends_with("KW"));
            shared.then(|| format!("alg is \"{alg}\""))
        },
    },
    Mistake {
        id: "oaep_hash",
        kind: Kind::Cause,
        codes: KEY_UNKNOWN,
        title: "RSA-OAEP and RSA-OAEP-256 mixed up",
        happened: "The header's \"alg\" and the key that \"kid\" names are for different hashes: RSA-OAEP uses SHA-1, RSA-OAEP-256 uses SHA-256. This server publishes one entry for each.",
        remedy: "Take \"alg\" and \"kid\" from the same entry of the key set.",
        code: SERVER_KEY,
        sign: |seen| {
            let (alg, kid) = (seen.outer("alg")?, seen.outer("kid")?);
            let (key, wanted) = seen.tenant_key(kid)?;
            let differs =
                key.usage == KeyUse::Enc && alg.starts_with("RSA-OAEP") && wanted.starts_with("RSA-OAEP");
            (differs && alg != wanted).then(|| format!("alg is {alg}, kid names the entry for {wanted}"))
        },
    },
    Mistake {
        id: "oaep_hash_unnamed",
        kind: Kind::Cause,
        codes: UNDECRYPTABLE,
        title: "Encrypted with another RSA-OAEP than the header says",
        happened: "The content key opens with the other hash: the library encrypted with one of RSA-OAEP (SHA-1) and RSA-OAEP-256 (SHA-256), and the header names the other.",
        remedy: "Name in \"alg\" what the library does: a key that was imported for SHA-1 makes RSA-OAEP, whatever the header says.",
        code: SEAL,
        sign: |seen| {
            let really = seen.really_sealed_with()?;
            Some(format!("alg is {}, made with {really}", seen.outer("alg").unwrap_or_default()))
        },
    },
    Mistake {
        id: "alg_of_another_entry",
        kind: Kind::Cause,
        codes: KEY_UNKNOWN,
        title: "The key is published for another algorithm",
        happened: "The key that \"kid\" names is there, but its entry in the key set is for another \"alg\".",
        remedy: "Take \"alg\" and \"kid\" from the same entry of the key set.",
        code: SERVER_KEY,
        sign: |seen| {
            let (alg, kid) = (seen.outer("alg")?, seen.outer("kid")?);
            let (key, wanted) = seen.tenant_key(kid)?;
            let oaep = alg.starts_with("RSA-OAEP") && wanted.starts_with("RSA-OAEP");
            let differs = key.usage == KeyUse::Enc && alg != wanted && !oaep;
            differs.then(|| format!("alg is {alg}, kid names the entry for {wanted}"))
        },
    },
    Mistake {
        id: "encrypted_to_signing_key",
        kind: Kind::Cause,
        codes: KEY_UNKNOWN,
        title: "Encrypted to a signing key",
        happened: "The key that \"kid\" names is one that this server signs with (use \"sig\"). The first key of the set was taken, whatever it is for.",
        remedy: "Choose the entry with use \"enc\".",
        code: SERVER_KEY,
        sign: |seen| {
            let kid = seen.outer("kid")?;
            let current = seen.tenant_key(kid).is_some_and(|(key, _)| key.usage == KeyUse::Sig);
            (current || kid.starts_with("sig-")).then(|| format!("kid is \"{kid}\""))
        },
    },
    Mistake {
        id: "encrypted_to_own_key",
        kind: Kind::Cause,
        codes: KEY_UNKNOWN,
        title: "Encrypted to the client's own key",
        happened: "The key that \"kid\" names is the client's. Only the client could open that; a request object is encrypted to this server.",
        remedy: "Take the encryption key from this server's jwks_uri. The client's own encryption key is for what it receives.",
        code: SERVER_KEY,
        sign: |seen| {
            let key = seen.client_key(seen.outer("kid")?)?;
            Some(format!("kid names the client's key \"{}\"", key.name))
        },
    },
    Mistake {
        id: "retired_server_key",
        kind: Kind::Cause,
        codes: KEY_UNKNOWN,
        title: "Encrypted to a key that this server has retired",
        happened: "The \"kid\" is one of this server's, but the key is gone from its key set. The client keeps a copy of the key set for too long, or has the key in its configuration.",
        remedy: "Read the jwks_uri again, at least once a day and whenever a request is refused for this reason.",
        code: SERVER_KEY,
        sign: retired,
    },
    Mistake {
        id: "kid_of_certificate",
        kind: Kind::Cause,
        codes: KEY_UNKNOWN,
        title: "The kid is the thumbprint of a certificate",
        happened: "The \"kid\" is a SHA-1 thumbprint in hexadecimal, as .NET names keys that come from a certificate. This server does not know its keys by such names.",
        remedy: "Set \"kid\" to that of the entry in the key set.",
        code: SERVER_KEY,
        sign: |seen| {
            let kid = seen.outer("kid").filter(|kid| hexadecimal(kid))?;
            Some(format!("kid is \"{kid}\""))
        },
    },
    Mistake {
        id: "foreign_kid",
        kind: Kind::Cause,
        codes: KEY_UNKNOWN,
        title: "Encrypted to a key that is not of this issuer",
        happened: "No key of this issuer has, or had, this \"kid\". Perhaps the key set of another environment or tenant is configured, or the client names the key by itself.",
        remedy: "Take key and \"kid\" from the jwks_uri in this issuer's discovery document.",
        code: SERVER_KEY,
        sign: |seen| {
            let kid = seen.outer("kid")?;
            let known = seen.tenant_key(kid).is_some() || seen.client_key(kid).is_some();
            let named = known || retired(seen).is_some() || hexadecimal(kid) || kid.starts_with("sig-");
            (!named).then(|| format!("kid is \"{kid}\""))
        },
    },
    Mistake {
        id: "zip",
        kind: Kind::Cause,
        codes: &["zip_present"],
        title: "Compressed before it was encrypted",
        happened: "The header has \"zip\". Compression before encryption tells something about the content, and is not accepted (RFC 8725 section 3.6).",
        remedy: "Switch compression off; a request object is small.",
        code: NEST,
        sign: |seen| quoted(seen.outer("zip").filter(|_| sealed(seen)), "zip"),
    },
];

/// What a `kid` of this server's making tells of a key that is gone: usage, kind, since when it was used, algorithm.
fn retired(seen: &Sighting<'_>) -> Option<String> {
    let kid = seen.outer("kid")?;
    let gone = seen.tenant_key(kid).is_none_or(|(key, _)| key.state(seen.scene.now) == KeyState::Removed);
    let rest = kid.strip_prefix("enc-").filter(|_| gone)?;
    let since: i64 = rest.split('-').find_map(|part| part.parse().ok().filter(|at| *at > 1_000_000_000))?;
    let days = seen.scene.now.saturating_sub(since).max(0) / 86_400;
    (since <= seen.scene.now).then(|| format!("kid is \"{kid}\": in use from {days} days ago, and gone now"))
}

fn hexadecimal(kid: &str) -> bool {
    matches!(kid.len(), 40 | 64) && kid.bytes().all(|b| b.is_ascii_hexdigit())
}
