//! The algorithm table. Every other list of algorithms in the program derives from the constants here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The kind of key that an algorithm works with; RSA without its modulus size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyFamily {
    /// RSA of any accepted modulus.
    Rsa,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// Edwards curve 25519, signatures only.
    Ed25519,
    /// Montgomery curve 25519, key agreement only.
    X25519,
    /// A shared secret.
    Secret,
}

impl KeyFamily {
    /// The `crv` value, where the family is a curve.
    pub fn curve(self) -> Option<&'static str> {
        match self {
            Self::P256 => Some("P-256"),
            Self::P384 => Some("P-384"),
            Self::P521 => Some("P-521"),
            Self::Ed25519 => Some("Ed25519"),
            Self::X25519 => Some("X25519"),
            Self::Rsa | Self::Secret => None,
        }
    }

    /// The JWK `kty` value.
    ///
    /// RFC 7518 section 6.1, RFC 8037 section 2.
    pub fn kty(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::P256 | Self::P384 | Self::P521 => "EC",
            Self::Ed25519 | Self::X25519 => "OKP",
            Self::Secret => "oct",
        }
    }

    /// Octets of one coordinate (of the public key itself for the curves of RFC 8037).
    pub(crate) fn coordinate_len(self) -> usize {
        match self {
            Self::P256 | Self::Ed25519 | Self::X25519 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
            Self::Rsa | Self::Secret => 0,
        }
    }

    pub(crate) fn from_curve(kty: &str, crv: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521, Self::Ed25519, Self::X25519]
            .into_iter()
            .find(|family| family.kty() == kty && family.curve() == Some(crv))
    }
}

impl fmt::Display for KeyFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.curve().unwrap_or(match self {
            Self::Secret => "shared secret",
            _ => "RSA",
        }))
    }
}

/// What a concrete key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyKind {
    /// RSA with its modulus size in bits.
    Rsa {
        /// Modulus size in bits.
        bits: u32,
    },
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// Edwards curve 25519.
    Ed25519,
    /// Montgomery curve 25519.
    X25519,
}

impl KeyKind {
    /// The kind without sizes.
    pub fn family(self) -> KeyFamily {
        match self {
            Self::Rsa { .. } => KeyFamily::Rsa,
            Self::P256 => KeyFamily::P256,
            Self::P384 => KeyFamily::P384,
            Self::P521 => KeyFamily::P521,
            Self::Ed25519 => KeyFamily::Ed25519,
            Self::X25519 => KeyFamily::X25519,
        }
    }

    /// The signature algorithms that such a key can be used with.
    pub fn sig_algs(self) -> Vec<SigAlg> {
        SigAlg::ALL.iter().copied().filter(|alg| alg.key_kind() == self.family()).collect()
    }

    /// The key management algorithms that such a key can be used with.
    pub fn key_algs(self) -> Vec<KeyAlg> {
        KeyAlg::ALL.iter().copied().filter(|alg| alg.key_kinds().contains(&self.family())).collect()
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            other => other.family().fmt(f),
        }
    }
}

/// Hash functions of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) fn digest(self) -> MessageDigest {
        match self {
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }

    pub(crate) fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// Declares an enum whose values have a registered name, with `ALL`, `name`, `from_name`, `Display`, serde and
/// a schema.
macro_rules! named {
    ($(#[$meta:meta])* $type:ident { $($(#[$vmeta:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type {
            $($(#[$vmeta])* #[doc = concat!("`", $name, "`.")] $variant,)+
        }

        impl $type {
            /// Every value, in the order of preference in which it is shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The registered name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The value with exactly this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::from_name(&name).ok_or_else(|| {
                    let wanted: Vec<&str> = Self::ALL.iter().map(|one| one.name()).collect();
                    de::Error::custom(format_args!("must be one of: {}", wanted.join(", ")))
                })
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": [$($name),+] })
            }
        }
    };
}

named! {
    /// Signature algorithms (RFC 7518 section 3, RFC 8037 section 3.1). `none` does not exist here.
    SigAlg {
        RS256 = "RS256", RS384 = "RS384", RS512 = "RS512",
        PS256 = "PS256", PS384 = "PS384", PS512 = "PS512",
        ES256 = "ES256", ES384 = "ES384", ES512 = "ES512",
        EdDSA = "EdDSA",
        HS256 = "HS256", HS384 = "HS384", HS512 = "HS512",
    }
}

named! {
    /// Key management algorithms (RFC 7518 section 4). `RSA1_5`, `dir`, PBES2 and the symmetric
    /// wraps do not exist here.
    KeyAlg {
        RsaOaep = "RSA-OAEP",
        RsaOaep256 = "RSA-OAEP-256",
        EcdhEs = "ECDH-ES",
        EcdhEsA128Kw = "ECDH-ES+A128KW",
        EcdhEsA256Kw = "ECDH-ES+A256KW",
    }
}

named! {
    /// Content encryption algorithms (RFC 7518 section 5).
    ContentAlg {
        A128CbcHs256 = "A128CBC-HS256",
        A192CbcHs384 = "A192CBC-HS384",
        A256CbcHs512 = "A256CBC-HS512",
        A128Gcm = "A128GCM",
        A192Gcm = "A192GCM",
        A256Gcm = "A256GCM",
    }
}

named! {
    /// What a key is for (RFC 7517 section 4.2).
    KeyUse { Sig = "sig", Enc = "enc" }
}

named! {
    /// Keys that can be generated here.
    KeySpec {
        Rsa2048 = "rsa-2048",
        Rsa3072 = "rsa-3072",
        Rsa4096 = "rsa-4096",
        P256 = "p-256",
        P384 = "p-384",
        P521 = "p-521",
        Ed25519 = "ed25519",
        X25519 = "x25519",
    }
}

impl SigAlg {
    fn row(self) -> (KeyFamily, Hash) {
        match self {
            Self::RS256 | Self::PS256 => (KeyFamily::Rsa, Hash::Sha256),
            Self::RS384 | Self::PS384 => (KeyFamily::Rsa, Hash::Sha384),
            Self::RS512 | Self::PS512 => (KeyFamily::Rsa, Hash::Sha512),
            Self::ES256 => (KeyFamily::P256, Hash::Sha256),
            Self::ES384 => (KeyFamily::P384, Hash::Sha384),
            Self::ES512 => (KeyFamily::P521, Hash::Sha512),
            // RFC 8032 section 5.1: Ed25519 is built on SHA-512.
            Self::EdDSA => (KeyFamily::Ed25519, Hash::Sha512),
            Self::HS256 => (KeyFamily::Secret, Hash::Sha256),
            Self::HS384 => (KeyFamily::Secret, Hash::Sha384),
            Self::HS512 => (KeyFamily::Secret, Hash::Sha512),
        }
    }

    /// Whether both sides hold the same secret.
    pub fn is_symmetric(self) -> bool {
        self.key_kind() == KeyFamily::Secret
    }

    /// The kind of key that the algorithm needs.
    pub fn key_kind(self) -> KeyFamily {
        self.row().0
    }

    pub(crate) fn hash(self) -> Hash {
        self.row().1
    }

    /// The value of `at_hash`, `c_hash` or `s_hash` under this algorithm: base64url of the left half
    /// of the algorithm's hash.
    ///
    /// OpenID Connect Core 1.0 section 3.1.3.6; Ed25519 uses SHA-512.
    #[must_use]
    pub fn half_hash(self, input: &[u8]) -> String {
        let digest: Vec<u8> = match self.hash() {
            Hash::Sha256 => openssl::sha::sha256(input).to_vec(),
            Hash::Sha384 => openssl::sha::sha384(input).to_vec(),
            Hash::Sha512 => openssl::sha::sha512(input).to_vec(),
        };
        URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2])
    }
}

impl KeyAlg {
    /// The kinds of keys that the algorithm works with.
    pub fn key_kinds(self) -> &'static [KeyFamily] {
        match self {
            Self::RsaOaep | Self::RsaOaep256 => &[KeyFamily::Rsa],
            Self::EcdhEs | Self::EcdhEsA128Kw | Self::EcdhEsA256Kw => {
                &[KeyFamily::P256, KeyFamily::P384, KeyFamily::P521, KeyFamily::X25519]
            }
        }
    }

    /// Whether the content key is agreed with an ephemeral key (`epk`) instead of encrypted to RSA.
    pub fn is_agreement(self) -> bool {
        !matches!(self, Self::RsaOaep | Self::RsaOaep256)
    }
}

impl ContentAlg {
    /// Whether this is an AES-CBC with HMAC composition.
    pub fn is_cbc(self) -> bool {
        matches!(self, Self::A128CbcHs256 | Self::A192CbcHs384 | Self::A256CbcHs512)
    }

    /// Octets of the content encryption key (RFC 7518 sections 5.2.3 to 5.2.5 and 5.3).
    pub fn key_len(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A192Gcm => 24,
            Self::A128CbcHs256 | Self::A256Gcm => 32,
            Self::A192CbcHs384 => 48,
            Self::A256CbcHs512 => 64,
        }
    }

    /// Octets of the initialisation vector (RFC 7518 sections 5.2.2.1 and 5.3).
    pub fn iv_len(self) -> usize {
        if self.is_cbc() { 16 } else { 12 }
    }

    /// Octets of the authentication tag (RFC 7518 sections 5.2.3 to 5.2.5 and 5.3).
    pub fn tag_len(self) -> usize {
        if self.is_cbc() { self.key_len() / 2 } else { 16 }
    }
}

impl KeySpec {
    /// What the generated key is.
    pub fn kind(self) -> KeyKind {
        match self {
            Self::Rsa2048 => KeyKind::Rsa { bits: 2048 },
            Self::Rsa3072 => KeyKind::Rsa { bits: 3072 },
            Self::Rsa4096 => KeyKind::Rsa { bits: 4096 },
            Self::P256 => KeyKind::P256,
            Self::P384 => KeyKind::P384,
            Self::P521 => KeyKind::P521,
            Self::Ed25519 => KeyKind::Ed25519,
            Self::X25519 => KeyKind::X25519,
        }
    }

    /// How to generate a key like one that is there: of the same kind, and RSA not shorter where that can be.
    pub fn like(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Rsa { bits: ..=2048 } => Self::Rsa2048,
            KeyKind::Rsa { bits: ..=3072 } => Self::Rsa3072,
            KeyKind::Rsa { .. } => Self::Rsa4096,
            KeyKind::P256 => Self::P256,
            KeyKind::P384 => Self::P384,
            KeyKind::P521 => Self::P521,
            KeyKind::Ed25519 => Self::Ed25519,
            KeyKind::X25519 => Self::X25519,
        }
    }

    /// The signature algorithms of such a key.
    pub fn sig_algs(self) -> Vec<SigAlg> {
        self.kind().sig_algs()
    }

    /// The key management algorithms of such a key.
    pub fn key_algs(self) -> Vec<KeyAlg> {
        self.kind().key_algs()
    }
}
