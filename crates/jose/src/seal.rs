//! Encryption and decryption of compact JWEs.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use josekit::jwe::{JweDecrypter, JweEncrypter, JweHeader as RawHeader};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::content::Content;
use crate::header::kid_fits;
use crate::{ContentAlg, JoseFault, KeyAlg, SealedJwe, b64};

/// What the header of a new JWE says, besides `alg` and `epk`.
#[derive(Clone, Copy, Debug)]
pub struct SealHeader<'a> {
    /// `enc`.
    pub enc: ContentAlg,
    /// `kid`; the key's own if not given.
    pub kid: Option<&'a str>,
    /// `typ`.
    pub typ: Option<&'a str>,
    /// `cty`.
    pub cty: Option<&'a str>,
    /// Further members; those above, and those that a reader would have to act on, are refused.
    pub extra: Option<&'a Map<String, Value>>,
}

impl SealHeader<'_> {
    /// A header with only `enc`.
    #[must_use]
    pub fn new(enc: ContentAlg) -> Self {
        Self { enc, kid: None, typ: None, cty: None, extra: None }
    }
}

/// Encrypts to one key with one key management algorithm. Cheap to clone.
#[derive(Clone)]
pub struct Encrypter(Arc<EncrypterInner>);

struct EncrypterInner {
    alg: KeyAlg,
    kid: Option<String>,
    raw: Box<dyn JweEncrypter>,
}

/// Decrypts with one key and every algorithm that the key fits. Cheap to clone.
#[derive(Clone)]
pub struct Decrypter(Arc<DecrypterInner>);

struct DecrypterInner {
    algs: Vec<KeyAlg>,
    kid: Option<String>,
    modulus_len: Option<usize>,
    raw: Vec<Box<dyn JweDecrypter>>,
}

impl fmt::Debug for Encrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypter")
            .field("alg", &self.0.alg)
            .field("kid", &self.0.kid)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Decrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypter")
            .field("algs", &self.0.algs)
            .field("kid", &self.0.kid)
            .finish_non_exhaustive()
    }
}

/// Runs library code; a panic there is one more way to fail.
pub(crate) fn guarded<T, E>(run: impl FnOnce() -> Result<T, E>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()?.ok()
}

fn random(length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    openssl::rand::rand_bytes(&mut bytes).ok()?;
    Some(bytes)
}

/// Members that `extra` may not set: they are set elsewhere, or our own reader would refuse them.
const RESERVED: [&str; 15] = [
    "alg", "enc", "kid", "typ", "cty", "epk", "crit", "zip", "b64", "p2c", "p2s", "jwk", "jku", "x5u", "x5c",
];

impl Encrypter {
    pub(crate) fn new(alg: KeyAlg, kid: Option<&str>, raw: Box<dyn JweEncrypter>) -> Self {
        Self(Arc::new(EncrypterInner { alg, kid: kid.map(str::to_owned), raw }))
    }

    /// The key management algorithm.
    pub fn alg(&self) -> KeyAlg {
        self.0.alg
    }

    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// Encrypts `plaintext` into a compact JWE.
    ///
    /// RFC 7516 section 5.1.
    pub fn seal(&self, header: &SealHeader<'_>, plaintext: &[u8]) -> Result<String, JoseFault> {
        let map = self.header(header)?;
        if plaintext.is_empty() {
            return Err(JoseFault::SealFailed);
        }
        guarded(|| self.seal_with(header.enc, map, plaintext).ok_or(())).ok_or(JoseFault::SealFailed)
    }

    fn header(&self, header: &SealHeader<'_>) -> Result<Map<String, Value>, JoseFault> {
        let kid = header.kid.or(self.kid());
        if kid.is_some_and(|kid| !kid_fits(kid)) {
            return Err(JoseFault::SealHeader);
        }
        let mut map = Map::new();
        map.insert("alg".into(), self.0.alg.name().into());
        map.insert("enc".into(), header.enc.name().into());
        for (name, value) in [("kid", kid), ("typ", header.typ), ("cty", header.cty)] {
            if let Some(value) = value {
                map.insert(name.into(), value.into());
            }
        }
        for (name, value) in header.extra.into_iter().flatten() {
            if RESERVED.contains(&name.as_str()) {
                return Err(JoseFault::SealHeader);
            }
            map.insert(name.clone(), value.clone());
        }
        Ok(map)
    }

    fn seal_with(&self, enc: ContentAlg, map: Map<String, Value>, plaintext: &[u8]) -> Option<String> {
        let content = Content(enc);
        let given = RawHeader::from_map(map).ok()?;
        let mut header = given.clone();
        let agreed = self.0.raw.compute_content_encryption_key(&content, &given, &mut header).ok()?;
        let key = match agreed {
            Some(key) => Zeroizing::new(key.into_owned()),
            None => random(enc.key_len())?,
        };
        let encrypted_key = self.0.raw.encrypt(&key, &given, &mut header).ok()?.unwrap_or_default();
        let iv = random(enc.iv_len())?;
        let aad = b64::encode(&serde_json::to_vec(header.claims_set()).ok()?);
        let (ciphertext, tag) = enc.encrypt(&key, &iv, aad.as_bytes(), plaintext)?;
        Some(format!(
            "{aad}.{}.{}.{}.{}",
            b64::encode(&encrypted_key),
            b64::encode(&iv),
            b64::encode(&ciphertext),
            b64::encode(&tag)
        ))
    }
}

impl Decrypter {
    pub(crate) fn new(
        kid: Option<&str>,
        modulus_len: Option<usize>,
        keys: Vec<(KeyAlg, Box<dyn JweDecrypter>)>,
    ) -> Self {
        let (algs, raw) = keys.into_iter().unzip();
        Self(Arc::new(DecrypterInner { algs, kid: kid.map(str::to_owned), modulus_len, raw }))
    }

    /// The algorithms that the key fits.
    pub fn algs(&self) -> &[KeyAlg] {
        &self.0.algs
    }

    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// Decrypts. There is one fault for every reason, and one path to it.
    ///
    /// RFC 7516 section 11.5: when the content key cannot be recovered, a random one takes its place, so
    /// that a bad encrypted key and a bad tag cannot be told apart.
    pub fn open(&self, jwe: &SealedJwe) -> Result<Zeroizing<Vec<u8>>, JoseFault> {
        let header = jwe.header();
        let substitute = random(header.enc.key_len()).ok_or(JoseFault::Undecryptable)?;
        let key = self.content_key(jwe).filter(|key| key.len() == header.enc.key_len()).unwrap_or(substitute);
        header
            .enc
            .decrypt(&key, &jwe.iv, jwe.aad.as_bytes(), &jwe.ciphertext, &jwe.tag)
            .ok_or(JoseFault::Undecryptable)
    }

    /// Whether the token would open if its `alg` were `alg`: its sender named another one than it used. The answer is for
    /// the operator of this key and must never reach the sender (RFC 7516 section 11.5).
    pub fn opens_as(&self, jwe: &SealedJwe, alg: KeyAlg) -> bool {
        let enc = jwe.header().enc;
        self.content_key_as(jwe, alg).is_some_and(|key| {
            enc.decrypt(&key, &jwe.iv, jwe.aad.as_bytes(), &jwe.ciphertext, &jwe.tag).is_some()
        })
    }

    fn content_key(&self, jwe: &SealedJwe) -> Option<Zeroizing<Vec<u8>>> {
        self.content_key_as(jwe, jwe.header().alg)
    }

    fn content_key_as(&self, jwe: &SealedJwe, alg: KeyAlg) -> Option<Zeroizing<Vec<u8>>> {
        let header = jwe.header();
        let raw = &self.0.raw[self.0.algs.iter().position(|own| *own == alg)?];
        // RFC 8017 section 7.1.2 step 1b: the ciphertext is as long as the modulus.
        if self.0.modulus_len.is_some_and(|length| length != jwe.encrypted_key.len()) {
            return None;
        }
        let map = jwe.ephemeral.as_ref().map(crate::header::Ephemeral::to_map).unwrap_or_default();
        let encrypted_key = (!jwe.encrypted_key.is_empty()).then_some(jwe.encrypted_key.as_slice());
        guarded(|| {
            let agreement = RawHeader::from_map(map)?;
            let key = raw.decrypt(encrypted_key, &Content(header.enc), &agreement)?;
            Ok::<_, josekit::JoseError>(Zeroizing::new(key.into_owned()))
        })
    }
}
