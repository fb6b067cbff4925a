//! Public keys.

use serde_json::{Map, Value};

use crate::fault::Offered;
use crate::header::{KID_LIMIT, kid_fits};
use crate::import::certificate;
use crate::material::Material;
use crate::seal::guarded;
use crate::strict::type_name;
use crate::{Encrypter, KeyAlg, KeyFault, KeyKind, KeyUse, SigAlg, Verifier, b64, raw};

/// A public key that passed the import rules. It has no room for private members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    material: Material,
    kid: Option<String>,
    key_use: Option<KeyUse>,
    alg: Option<String>,
    thumbprint: String,
}

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1: the members that only a private or symmetric key has.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl PublicKey {
    /// Reads a JWK. Members that are not known are ignored; private ones are refused by name.
    ///
    /// RFC 7517 section 4.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyFault> {
        let jwk = jwk.as_object().ok_or_else(|| KeyFault::NotObject { found: type_name(jwk) })?;
        if jwk.get("kty").and_then(Value::as_str) == Some("oct") {
            return Err(KeyFault::SymmetricGiven);
        }
        if let Some(found) = PRIVATE_MEMBERS.into_iter().find(|member| jwk.contains_key(*member)) {
            return Err(KeyFault::PrivateGiven { found: private_name(found) });
        }
        Self::from_members(jwk)
    }

    /// Reads the public members of a JWK and does not mind others.
    pub(crate) fn from_members(jwk: &Map<String, Value>) -> Result<Self, KeyFault> {
        let mut key = Self::from_material(Material::from_jwk(jwk)?);
        key.kid = optional(jwk, "kid")?.map(str::to_owned);
        if let Some(kid) = &key.kid {
            check_kid(kid)?;
        }
        key.key_use = optional(jwk, "use")?
            .map(|name| {
                KeyUse::from_name(name).ok_or_else(|| KeyFault::UseUnsupported { found: Offered::new(name) })
            })
            .transpose()?;
        // RFC 7517 section 4.3: `use` and `key_ops` must agree; `key_ops` alone says the use as well.
        if let Some(meant) = use_of_operations(jwk)? {
            if let Some(stated) = key.key_use.filter(|stated| *stated != meant) {
                return Err(KeyFault::KeyOpsUse { found: meant.name(), wanted: stated.name() });
            }
            key.key_use = Some(meant);
        }
        key.alg = optional(jwk, "alg")?.map(str::to_owned);
        key.check_binding()?;
        key.check_certificate(jwk)?;
        Ok(key)
    }

    pub(crate) fn from_material(material: Material) -> Self {
        let thumbprint = material.thumbprint();
        Self { material, kid: None, key_use: None, alg: None, thumbprint }
    }

    pub(crate) fn material(&self) -> &Material {
        &self.material
    }

    /// The JWK: `kty`, the key's own members, and `kid`, `use` and `alg` if they are set.
    pub fn to_jwk(&self) -> Map<String, Value> {
        let mut jwk = Map::new();
        for (name, value) in self.material.members() {
            jwk.insert(name.into(), value.into());
        }
        for (name, value) in [
            ("kid", self.kid.as_deref()),
            ("use", self.key_use.map(KeyUse::name)),
            ("alg", self.alg.as_deref()),
        ] {
            if let Some(value) = value {
                jwk.insert(name.into(), value.into());
            }
        }
        jwk
    }

    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Sets the key id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// Sets the use.
    #[must_use]
    pub fn with_use(mut self, key_use: KeyUse) -> Self {
        self.key_use = Some(key_use);
        self
    }

    /// Sets or removes the algorithm that the key is bound to. A key bound to an algorithm that it cannot do
    /// fits none.
    #[must_use]
    pub fn with_alg(mut self, alg: Option<&str>) -> Self {
        self.alg = alg.map(str::to_owned);
        self
    }

    /// Removes the algorithm.
    #[must_use]
    pub fn without_alg(self) -> Self {
        self.with_alg(None)
    }

    /// RFC 7638 thumbprint, SHA-256, base64url.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The use.
    pub fn key_use(&self) -> Option<KeyUse> {
        self.key_use
    }

    /// The algorithm that the key is bound to.
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.material.kind()
    }

    /// Whether the key may verify this algorithm: kind, use and bound algorithm agree.
    pub fn fits_sig(&self, alg: SigAlg) -> bool {
        alg.key_kind() == self.kind().family()
            && self.key_use != Some(KeyUse::Enc)
            && self.alg().is_none_or(|bound| bound == alg.name())
    }

    /// Whether the key may be encrypted to with this algorithm: kind, use and bound algorithm agree.
    pub fn fits_enc(&self, alg: KeyAlg) -> bool {
        alg.key_kinds().contains(&self.kind().family())
            && self.key_use != Some(KeyUse::Sig)
            && self.alg().is_none_or(|bound| bound == alg.name())
    }

    /// Whether there is any algorithm for which the key can have this usage. RFC 7517 section 4.2: a key without `use`
    /// is for both.
    pub fn can(&self, usage: KeyUse) -> bool {
        match usage {
            KeyUse::Sig => self.kind().sig_algs().into_iter().any(|alg| self.fits_sig(alg)),
            KeyUse::Enc => self.kind().key_algs().into_iter().any(|alg| self.fits_enc(alg)),
        }
    }

    /// Kind, use and bound algorithm in words.
    pub(crate) fn described(&self) -> String {
        let mut key = self.kind().to_string();
        if let Some(key_use) = self.key_use {
            key.push_str(", use ");
            key.push_str(key_use.name());
        }
        if let Some(bound) = self.alg() {
            key.push_str(", alg ");
            key.push_str(Offered::new(bound).as_str());
        }
        key
    }

    pub(crate) fn misfit(&self, alg: &str) -> KeyFault {
        KeyFault::AlgMismatch { alg: alg.to_owned(), key: self.described() }
    }

    /// Builds a verifier; build once, use often.
    pub fn verifier(&self, alg: SigAlg) -> Result<Verifier, KeyFault> {
        if !self.fits_sig(alg) {
            return Err(self.misfit(alg.name()));
        }
        let der = self.der()?;
        let raw = guarded(|| raw::verifier(alg, &der)).ok_or(KeyFault::Refused)?;
        Ok(Verifier::new(alg, self.kid(), &self.thumbprint, raw))
    }

    /// Builds an encrypter; build once, use often.
    pub fn encrypter(&self, alg: KeyAlg) -> Result<Encrypter, KeyFault> {
        if !self.fits_enc(alg) {
            return Err(self.misfit(alg.name()));
        }
        let der = self.der()?;
        let raw = guarded(|| raw::encrypter(alg, &der)).ok_or(KeyFault::Refused)?;
        Ok(Encrypter::new(alg, self.kid(), raw))
    }

    fn der(&self) -> Result<Vec<u8>, KeyFault> {
        self.material.to_pkey()?.public_key_to_der().map_err(|_| KeyFault::Refused)
    }

    /// RFC 7517 sections 4.2 and 4.4: `use` and `alg` must be such that the key can be used.
    fn check_binding(&self) -> Result<(), KeyFault> {
        let kind = self.kind();
        match self.key_use {
            Some(KeyUse::Sig) if kind.sig_algs().is_empty() => {
                return Err(KeyFault::UseKind { found: "sig", kind: kind.to_string(), wanted: "enc" });
            }
            Some(KeyUse::Enc) if kind.key_algs().is_empty() => {
                return Err(KeyFault::UseKind { found: "enc", kind: kind.to_string(), wanted: "sig" });
            }
            _ => {}
        }
        let Some(name) = self.alg() else { return Ok(()) };
        let wanted = || {
            let sig = kind.sig_algs().into_iter().map(SigAlg::name);
            sig.chain(kind.key_algs().into_iter().map(KeyAlg::name)).collect::<Vec<_>>().join(", ")
        };
        let (fits_kind, meant) = if let Some(alg) = SigAlg::from_name(name) {
            (kind.sig_algs().contains(&alg), KeyUse::Sig)
        } else if let Some(alg) = KeyAlg::from_name(name) {
            (kind.key_algs().contains(&alg), KeyUse::Enc)
        } else {
            return Err(KeyFault::AlgUnsupported { found: Offered::new(name), wanted: wanted() });
        };
        if !fits_kind {
            let kind = kind.to_string();
            return Err(KeyFault::AlgKind { alg: name.to_owned(), kind, wanted: wanted() });
        }
        match self.key_use {
            Some(stated) if stated != meant => {
                Err(KeyFault::AlgUse { alg: name.to_owned(), found: stated.name() })
            }
            _ => Ok(()),
        }
    }

    /// RFC 7517 section 4.7: the key in the first certificate must match the other members.
    fn check_certificate(&self, jwk: &Map<String, Value>) -> Result<(), KeyFault> {
        let Some(chain) = jwk.get("x5c") else { return Ok(()) };
        let leaf = strings(chain).and_then(|chain| chain.first().copied()).ok_or(KeyFault::MemberType {
            member: "x5c",
            found: if chain.is_array() { "an empty or mixed array" } else { type_name(chain) },
            wanted: "an array of base64 strings",
        })?;
        let der = b64::decode_standard(leaf).ok_or(KeyFault::CertificateMalformed)?;
        let pkey = certificate(&der)
            .and_then(|certificate| certificate.public_key().ok())
            .ok_or(KeyFault::CertificateMalformed)?;
        if Material::from_pkey(&pkey).is_ok_and(|material| material == self.material) {
            check_certificate_thumbprints(jwk, &der)
        } else {
            Err(KeyFault::CertificateMismatch)
        }
    }
}

/// RFC 7517 sections 4.8 and 4.9: the thumbprints of the certificate, base64url.
fn check_certificate_thumbprints(jwk: &Map<String, Value>, der: &[u8]) -> Result<(), KeyFault> {
    let sha1 = ("x5t", openssl::sha::sha1(der).to_vec());
    for (member, digest) in [sha1, ("x5t#S256", openssl::sha::sha256(der).to_vec())] {
        if optional(jwk, member)?.is_some_and(|stated| b64::decode(stated) != Some(digest)) {
            return Err(KeyFault::CertificateThumbprint { member });
        }
    }
    Ok(())
}

fn strings(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

fn private_name(member: &str) -> &'static str {
    match member {
        "d" => "member \"d\"",
        "k" => "member \"k\"",
        _ => "RSA private members",
    }
}

fn optional<'a>(jwk: &'a Map<String, Value>, member: &'static str) -> Result<Option<&'a str>, KeyFault> {
    match jwk.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(KeyFault::MemberType { member, found: type_name(other), wanted: "a string" }),
    }
}

/// RFC 7517 section 4.5: a string; its length and characters are bounded here.
pub(crate) fn check_kid(kid: &str) -> Result<(), KeyFault> {
    let found = kid.chars().count();
    if kid_fits(kid) {
        Ok(())
    } else if (1..=KID_LIMIT).contains(&found) {
        Err(KeyFault::KidCharacters)
    } else {
        Err(KeyFault::KidLength { found, limit: KID_LIMIT })
    }
}

/// RFC 7517 section 4.3: operations must not repeat, and unrelated ones should not be together.
fn use_of_operations(jwk: &Map<String, Value>) -> Result<Option<KeyUse>, KeyFault> {
    let Some(operations) = jwk.get("key_ops") else { return Ok(None) };
    let names = strings(operations).ok_or(KeyFault::MemberType {
        member: "key_ops",
        found: if operations.is_array() { "a mixed array" } else { type_name(operations) },
        wanted: "an array of strings",
    })?;
    let mut meant = None;
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            return Err(KeyFault::KeyOpsRepeated { found: Offered::new(name) });
        }
        let this = match *name {
            "sign" | "verify" => KeyUse::Sig,
            "encrypt" | "decrypt" | "wrapKey" | "unwrapKey" | "deriveKey" | "deriveBits" => KeyUse::Enc,
            _ => continue,
        };
        if meant.is_some_and(|other| other != this) {
            return Err(KeyFault::KeyOpsMixed);
        }
        meant = Some(this);
    }
    Ok(meant)
}
