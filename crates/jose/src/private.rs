//! Private keys.

use std::fmt;

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ec::EcKey;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Rsa, RsaPrivateKeyBuilder};
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use crate::fault::Offered;
use crate::import::MAX_BYTES;
use crate::material::{self, Material};
use crate::seal::guarded;
use crate::strict;
use crate::{Decrypter, KeyAlg, KeyFamily, KeyFault, KeySpec, KeyUse, PublicKey, SigAlg, Signer, b64, raw};

/// A private key that passed the import rules. OpenSSL holds the material, and clears it when the last copy
/// is dropped; texts made of it are [`Zeroizing`].
#[derive(Clone)]
pub struct PrivateKey {
    pkey: PKey<Private>,
    public: PublicKey,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

fn refused(_: ErrorStack) -> KeyFault {
    KeyFault::Refused
}

impl PrivateKey {
    /// Generates a key, without kid, use and alg.
    pub fn generate(spec: KeySpec) -> Result<Self, KeyFault> {
        let curve = |family| {
            let key = EcKey::generate(&*material::group(family)?).map_err(refused)?;
            PKey::from_ec_key(key).map_err(refused)
        };
        let rsa = |bits| Rsa::generate(bits).and_then(PKey::from_rsa).map_err(refused);
        let pkey = match spec {
            KeySpec::Rsa2048 => rsa(2048)?,
            KeySpec::Rsa3072 => rsa(3072)?,
            KeySpec::Rsa4096 => rsa(4096)?,
            KeySpec::P256 => curve(KeyFamily::P256)?,
            KeySpec::P384 => curve(KeyFamily::P384)?,
            KeySpec::P521 => curve(KeyFamily::P521)?,
            KeySpec::Ed25519 => PKey::generate_ed25519().map_err(refused)?,
            KeySpec::X25519 => PKey::generate_x25519().map_err(refused)?,
        };
        let public = PublicKey::from_material(Material::from_pkey(&pkey)?);
        Ok(Self { pkey, public })
    }

    /// Reads a private JWK. All members of an RSA key must be present and agree with each other; a curve's
    /// private part must belong to its public part.
    ///
    /// RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2.
    pub fn from_jwk(jwk: &str) -> Result<Self, KeyFault> {
        if jwk.len() > MAX_BYTES {
            return Err(KeyFault::DocumentTooLarge { size: jwk.len(), limit: MAX_BYTES });
        }
        let mut map = strict::key_document(jwk.as_bytes(), 8, 256)?;
        let read = Self::read(&map);
        for (_, value) in &mut map {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
        read
    }

    fn read(map: &Map<String, Value>) -> Result<Self, KeyFault> {
        let public = PublicKey::from_members(map)?;
        let pkey = match public.material() {
            Material::Rsa { n, e } => read_rsa(map, n, e)?,
            Material::Curve { family, y, .. } => {
                let d = Zeroizing::new(material::octets(map, "d")?);
                let wanted = family.coordinate_len();
                if d.len() != wanted {
                    return Err(KeyFault::CoordinateLength { member: "d", found: d.len(), wanted });
                }
                if y.is_some() {
                    read_ec(*family, &d, public.material())?
                } else {
                    PKey::private_key_from_raw_bytes(&d, material::id(*family)?).map_err(refused)?
                }
            }
        };
        if Material::from_pkey(&pkey)? != *public.material() {
            return Err(KeyFault::PairMismatch);
        }
        Ok(Self { pkey, public })
    }

    /// The private JWK with kid, use and alg.
    pub fn to_jwk(&self) -> Result<Zeroizing<String>, KeyFault> {
        // Large enough for RSA 4096, so that no copy is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(8192));
        let public = serde_json::to_string(&self.public.to_jwk()).map_err(|_| KeyFault::Refused)?;
        text.push_str(public.trim_end_matches('}'));
        for (name, value) in self.private_members().ok_or(KeyFault::Refused)? {
            text.push_str(",\"");
            text.push_str(name);
            text.push_str("\":\"");
            text.push_str(&value);
            text.push('"');
        }
        text.push('}');
        Ok(text)
    }

    fn private_members(&self) -> Option<Vec<(&'static str, Zeroizing<String>)>> {
        let encode = |bytes: Vec<u8>| Zeroizing::new(b64::encode(&Zeroizing::new(bytes)));
        match self.public.material() {
            Material::Rsa { .. } => {
                let rsa = self.pkey.rsa().ok()?;
                let parts: [(&str, Option<&BigNumRef>); 6] = [
                    ("d", Some(rsa.d())),
                    ("p", rsa.p()),
                    ("q", rsa.q()),
                    ("dp", rsa.dmp1()),
                    ("dq", rsa.dmq1()),
                    ("qi", rsa.iqmp()),
                ];
                parts.into_iter().map(|(name, part)| Some((name, encode(part?.to_vec())))).collect()
            }
            Material::Curve { family, y: Some(_), .. } => {
                let key = self.pkey.ec_key().ok()?;
                let length = i32::try_from(family.coordinate_len()).ok()?;
                Some(vec![("d", encode(key.private_key().to_vec_padded(length).ok()?))])
            }
            Material::Curve { .. } => Some(vec![("d", encode(self.pkey.raw_private_key().ok()?))]),
        }
    }

    /// The private key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyFault> {
        let pem = Zeroizing::new(self.pkey.private_key_to_pem_pkcs8().map_err(refused)?);
        std::str::from_utf8(&pem).map(|pem| Zeroizing::new(pem.to_owned())).map_err(|_| KeyFault::Refused)
    }

    /// The public part, with the same kid, use and alg.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Sets the key id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.public = self.public.with_kid(kid);
        self
    }

    /// Sets the use.
    #[must_use]
    pub fn with_use(mut self, key_use: KeyUse) -> Self {
        self.public = self.public.with_use(key_use);
        self
    }

    /// Sets or removes the algorithm that the key is bound to.
    #[must_use]
    pub fn with_alg(mut self, alg: Option<&str>) -> Self {
        self.public = self.public.with_alg(alg);
        self
    }

    /// Builds a signer; build once, use often.
    pub fn signer(&self, alg: SigAlg) -> Result<Signer, KeyFault> {
        if !self.public.fits_sig(alg) {
            return Err(self.public.misfit(alg.name()));
        }
        let der = self.der()?;
        let raw = guarded(|| raw::signer(alg, &der)).ok_or(KeyFault::Refused)?;
        Ok(Signer::new(alg, self.public.kid(), raw))
    }

    /// Builds a decrypter for every key management algorithm that the key fits; the token's header chooses
    /// among them.
    pub fn decrypter(&self) -> Result<Decrypter, KeyFault> {
        let der = self.der()?;
        let mut keys = Vec::new();
        for alg in KeyAlg::ALL.iter().copied().filter(|alg| self.public.fits_enc(*alg)) {
            keys.push((alg, guarded(|| raw::decrypter(alg, &der)).ok_or(KeyFault::Refused)?));
        }
        if keys.is_empty() {
            return Err(KeyFault::Unfit { key: self.public.described() });
        }
        let modulus_len = match self.public.material() {
            Material::Rsa { n, .. } => Some(n.len()),
            Material::Curve { .. } => None,
        };
        Ok(Decrypter::new(self.public.kid(), modulus_len, keys))
    }

    fn der(&self) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
        self.pkey.private_key_to_pkcs8().map(Zeroizing::new).map_err(refused)
    }
}

fn read_ec(family: KeyFamily, d: &[u8], public: &Material) -> Result<PKey<Private>, KeyFault> {
    let group = material::group(family)?;
    let number = BigNum::from_slice(d).map_err(refused)?;
    let point = public.to_pkey()?.ec_key().map_err(refused)?;
    let key = EcKey::from_private_components(&group, &number, point.public_key())
        .map_err(|_| KeyFault::PairMismatch)?;
    // SEC 1 section 3.2.1: 1 <= d < n and Q = dG.
    key.check_key().map_err(|_| KeyFault::PairMismatch)?;
    PKey::from_ec_key(key).map_err(refused)
}

fn read_rsa(map: &Map<String, Value>, n: &[u8], e: &[u8]) -> Result<PKey<Private>, KeyFault> {
    // RFC 7518 section 6.3.2.7: keys of more than two primes are not supported.
    if map.contains_key("oth") {
        return Err(KeyFault::TypeUnsupported { found: Offered::new("RSA with more than two primes") });
    }
    let part = |member: &'static str| {
        let bytes = Zeroizing::new(material::integer(map, member)?);
        let mut number = BigNum::new_secure().map_err(refused)?;
        number.copy_from_slice(&bytes).map_err(refused)?;
        Ok::<_, KeyFault>(number)
    };
    let n = BigNum::from_slice(n).map_err(refused)?;
    let e = BigNum::from_slice(e).map_err(refused)?;
    let parts = RsaParts {
        d: part("d")?,
        p: part("p")?,
        q: part("q")?,
        dp: part("dp")?,
        dq: part("dq")?,
        qi: part("qi")?,
    };
    if let Some(member) = parts.contradiction(&n, &e).map_err(refused)? {
        return Err(KeyFault::RsaInconsistent { member });
    }
    let RsaParts { d, p, q, dp, dq, qi } = parts;
    RsaPrivateKeyBuilder::new(n, e, d)
        .and_then(|builder| builder.set_factors(p, q))
        .and_then(|builder| builder.set_crt_params(dp, dq, qi))
        .and_then(|builder| PKey::from_rsa(builder.build()))
        .map_err(refused)
}

struct RsaParts {
    d: BigNum,
    p: BigNum,
    q: BigNum,
    dp: BigNum,
    dq: BigNum,
    qi: BigNum,
}

impl RsaParts {
    /// RFC 8017 section 3.2: d < n, n = pq, e·dP ≡ 1 (mod p−1), e·dQ ≡ 1 (mod q−1), q·qInv ≡ 1 (mod p), and the CRT
    /// exponents are those of d. A composite "prime" shows when a number is put through e and d.
    fn contradiction(&self, n: &BigNumRef, e: &BigNumRef) -> Result<Option<&'static str>, ErrorStack> {
        let mut context = BigNumContext::new_secure()?;
        let one = BigNum::from_u32(1)?;
        if self.d >= *n {
            return Ok(Some("d"));
        }
        let mut product = BigNum::new_secure()?;
        product.checked_mul(&self.p, &self.q, &mut context)?;
        if product != *n {
            return Ok(Some("p"));
        }
        for (prime, exponent, member) in [(&self.p, &self.dp, "dp"), (&self.q, &self.dq, "dq")] {
            let mut order = BigNum::new_secure()?;
            order.checked_sub(prime, &one)?;
            let mut rest = BigNum::new_secure()?;
            rest.nnmod(&self.d, &order, &mut context)?;
            if rest != *exponent {
                return Ok(Some(member));
            }
            product.mod_mul(e, exponent, &order, &mut context)?;
            if product != one {
                return Ok(Some("d"));
            }
        }
        product.mod_mul(&self.q, &self.qi, &self.p, &mut context)?;
        if product != one {
            return Ok(Some("qi"));
        }
        let probe = BigNum::from_u32(0x5157_1a7d)?;
        let mut there = BigNum::new_secure()?;
        there.mod_exp(&probe, e, n, &mut context)?;
        let mut back = BigNum::new_secure()?;
        back.mod_exp(&there, &self.d, n, &mut context)?;
        Ok((back != probe).then_some("d"))
    }
}
