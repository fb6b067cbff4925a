//! Faults: one variant per broken rule, each with a stable reason code.

use std::fmt;

/// Text that somebody offered: cut, made printable, kept for the operator and out of every public text.
#[derive(Clone, PartialEq, Eq)]
pub struct Offered(String);

impl Offered {
    const MAX_CHARS: usize = 64;

    /// Keeps at most 64 characters; anything but printable ASCII becomes `?`.
    pub fn new(text: &str) -> Self {
        Self(
            text.chars()
                .take(Self::MAX_CHARS)
                .map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' })
                .collect(),
        )
    }

    /// The cleaned text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Declares an error enum in which every variant states its reason code beside its text.
macro_rules! faults {
    ($(#[$meta:meta])* $type:ident { $($(#[$vmeta:meta])* $code:literal $variant:ident $({ $($field:ident : $ftype:ty),+ $(,)? })? => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum $type {
            $(
                $(#[$vmeta])*
                #[doc = concat!("`", $code, "`: ``", $text, "``")]
                #[error($text)]
                $variant $({ $(#[doc = concat!("The ", stringify!($field), ".")] $field: $ftype),+ })?,
            )+
        }

        impl $type {
            /// The stable reason code.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$variant $({ $($field: _),+ })? => $code,)+ }
            }

            /// Every reason code.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// Every reason code with its text; what varies stands there as the name of a field in braces.
            pub const TEXTS: &'static [(&'static str, &'static str)] = &[$(($code, $text)),+];
        }
    };
}

faults! {
    /// Why a key was refused. The text says what was found and what was wanted, and is safe to show to the
    /// key's owner: it never carries key material.
    KeyFault {
        "key_document_too_large" DocumentTooLarge { size: usize, limit: usize } => "the key document has {size} bytes, at most {limit} are read",
        "key_too_many" TooManyKeys { count: usize, limit: usize } => "the set has {count} keys, at most {limit} are accepted",
        "key_format_unrecognised" Unrecognised => "this is neither a JWK, a JWK Set, a PEM public key nor an X.509 certificate",
        "key_not_json" NotJson => "this is not well-formed JSON; a JWK or a JWK Set is wanted",
        "key_json_too_deep" TooDeep { limit: usize } => "the JSON is nested deeper than {limit} levels",
        "key_json_too_many" TooManyValues { limit: usize } => "the JSON has more than {limit} values",
        "key_duplicate_member" DuplicateMember { name: Offered } => "the JSON member \"{name}\" occurs twice",
        "key_not_set" NotSet => "this is not a JWK Set: it has no member \"keys\"",
        "key_not_object" NotObject { found: &'static str } => "a JWK must be a JSON object, not {found}",
        "key_set_empty" EmptySet => "the JWK Set has no keys",
        "key_set_unusable" NoUsableKey { count: usize, first: String } => "none of the {count} keys in the JWK Set is usable; the first one: {first}",
        "key_private" PrivateGiven { found: &'static str } => "this is a private key ({found} found); only the public part may be registered, and a key that was sent here must be replaced",
        "key_symmetric" SymmetricGiven => "this is a symmetric key (kty \"oct\"); a public key is wanted",
        "key_member_missing" MemberMissing { member: &'static str } => "the member \"{member}\" is missing",
        "key_member_type" MemberType { member: &'static str, found: &'static str, wanted: &'static str } => "the member \"{member}\" must be {wanted}, not {found}",
        "key_member_encoding" MemberEncoding { member: &'static str } => "the member \"{member}\" is not base64url without padding and of at least one octet",
        "key_leading_zero" LeadingZero { member: &'static str } => "the member \"{member}\" must use the minimum number of octets, but starts with a zero octet",
        "key_type_unsupported" TypeUnsupported { found: Offered } => "the key type \"{found}\" is not supported; RSA, EC and OKP are",
        "key_curve_unsupported" CurveUnsupported { found: Offered } => "the curve \"{found}\" is not supported; P-256, P-384, P-521, Ed25519 and X25519 are",
        "key_rsa_too_small" RsaTooSmall { bits: u32 } => "the RSA modulus has {bits} bits, at least 2048 are wanted",
        "key_rsa_too_large" RsaTooLarge { bits: u32 } => "the RSA modulus has {bits} bits, at most 4096 are accepted",
        "key_rsa_modulus" RsaModulus => "the RSA modulus is even; a product of two odd primes is wanted",
        "key_rsa_exponent" RsaExponent { found: String } => "the RSA public exponent is {found}; it must be odd, at least 3 and less than 2^32 (65537 is usual)",
        "key_coordinate_length" CoordinateLength { member: &'static str, found: usize, wanted: usize } => "the member \"{member}\" has {found} octets, {wanted} are wanted",
        "key_not_on_curve" NotOnCurve { curve: &'static str } => "the coordinates are not a usable point of the curve {curve}",
        "key_use_unsupported" UseUnsupported { found: Offered } => "the use \"{found}\" is not supported; \"sig\" and \"enc\" are",
        "key_use_kind" UseKind { found: &'static str, kind: String, wanted: &'static str } => "a key of kind {kind} cannot have the use \"{found}\"; \"{wanted}\" is wanted",
        "key_ops_repeated" KeyOpsRepeated { found: Offered } => "\"key_ops\" has the value \"{found}\" twice",
        "key_ops_mixed" KeyOpsMixed => "\"key_ops\" mixes signing with encryption; a key is for one of them",
        "key_ops_use" KeyOpsUse { found: &'static str, wanted: &'static str } => "\"key_ops\" means the use \"{found}\", but \"use\" is \"{wanted}\"",
        "key_alg_unsupported" AlgUnsupported { found: Offered, wanted: String } => "the algorithm \"{found}\" is not supported; for this key one of {wanted} is wanted",
        "key_alg_kind" AlgKind { alg: String, kind: String, wanted: String } => "the algorithm {alg} cannot be used with a key of kind {kind}; one of {wanted} is wanted",
        "key_alg_use" AlgUse { alg: String, found: &'static str } => "the algorithm {alg} contradicts the use \"{found}\"",
        "key_kid_length" KidLength { found: usize, limit: usize } => "the kid has {found} characters; 1 to {limit} are accepted",
        "key_kid_characters" KidCharacters => "the kid contains control characters; printable ones are wanted",
        "key_certificate_malformed" CertificateMalformed => "the certificate cannot be read; exactly one DER-encoded X.509 certificate with a readable key is wanted",
        "key_certificate_mismatch" CertificateMismatch => "the first certificate of \"x5c\" belongs to another key; the certificate of this very key is wanted",
        "key_certificate_thumbprint" CertificateThumbprint { member: &'static str } => "\"{member}\" is not the thumbprint of the first certificate of \"x5c\"",
        "key_pem_malformed" PemMalformed { label: &'static str } => "the PEM block \"{label}\" cannot be read; base64 of one DER structure, without headers, is wanted",
        "key_pem_label" PemLabel { found: Offered } => "a PEM block \"{found}\" is not accepted; \"PUBLIC KEY\" and \"CERTIFICATE\" are",
        "key_period" Period => "the end of the validity period lies before its start",
        "key_rsa_inconsistent" RsaInconsistent { member: &'static str } => "the member \"{member}\" contradicts the other members of the RSA key",
        "key_pair_mismatch" PairMismatch => "the private part does not belong to the public part",
        "key_secret_too_short" SecretTooShort { alg: SigAlg, found: usize, wanted: usize } => "the secret has {found} bytes, {alg} wants at least {wanted} (RFC 7518 section 3.2); a longer secret or another algorithm is wanted",
        "key_alg_mismatch" AlgMismatch { alg: String, key: String } => "the key ({key}) may not be used with {alg}",
        "key_unfit" Unfit { key: String } => "the key ({key}) fits no key management algorithm",
        "key_refused" Refused => "the cryptographic library refused the key",
    }
}

faults! {
    /// Why a token was refused, or could not be made. The text names the rule and nothing that was offered; what
    /// was offered is in [`JoseFault::offered`].
    JoseFault {
        "token_too_large" TokenTooLarge => "the token is larger than the limit",
        "header_too_large" HeaderTooLarge => "the header is larger than the limit",
        "json_serialization" JsonSerialization => "JSON serialization is not accepted, compact serialization is wanted",
        "segments" Segments { found: usize } => "a compact token has 3 or 5 segments, not {found}",
        "not_base64url" NotBase64Url { segment: &'static str } => "the {segment} segment is not base64url without padding",
        "header_not_json" HeaderNotJson => "the header is not a JSON object",
        "header_too_deep" HeaderTooDeep => "the header is nested deeper than the limit",
        "header_too_many" HeaderTooMany => "the header has more members than the limit",
        "duplicate_member" DuplicateMember { name: Offered } => "a JSON member occurs twice",
        "header_member_type" HeaderMemberType { member: &'static str } => "the header member \"{member}\" has the wrong type",
        "alg_missing" AlgMissing => "the header has no \"alg\"",
        "enc_missing" EncMissing => "the header has no \"enc\"",
        "alg_none" AlgNone => "unsigned tokens are not accepted",
        "signature_not_expected" SignatureNotExpected => "the token is signed where an unsigned one is wanted",
        "alg_unsupported" UnsupportedAlgorithm { offered: Offered } => "the signature algorithm is not supported",
        "key_alg_unsupported" UnsupportedKeyAlgorithm { offered: Offered } => "the key management algorithm is not supported",
        "enc_unsupported" UnsupportedContentEncryption { offered: Offered } => "the content encryption is not supported",
        "crit_present" CritPresent => "critical header extensions are not supported",
        "zip_present" ZipPresent => "compression is not accepted",
        "b64_present" B64Present => "the \"b64\" header is not accepted",
        "p2c_present" P2cPresent => "the \"p2c\" header is not accepted",
        "p2s_present" P2sPresent => "the \"p2s\" header is not accepted",
        "jwk_present" JwkPresent => "a key in the header is not accepted",
        "jku_present" JkuPresent => "a key set address in the header is not accepted",
        "x5u_present" X5uPresent => "a certificate address in the header is not accepted",
        "x5c_present" X5cPresent => "a certificate in the header is not accepted",
        "kid_invalid" KidInvalid => "the kid must have 1 to 256 characters without control characters",
        "payload_missing" PayloadMissing => "the payload is empty or detached",
        "signature_missing" SignatureMissing => "the signature is empty",
        "signature_length" SignatureLength => "the signature has the wrong length for its algorithm",
        "encrypted_key_length" EncryptedKeyLength => "the encrypted key has the wrong length for its algorithm",
        "iv_length" IvLength => "the initialisation vector has the wrong length for its algorithm",
        "ciphertext_length" CiphertextLength => "the ciphertext has an impossible length for its algorithm",
        "tag_length" TagLength => "the authentication tag has the wrong length for its algorithm",
        "epk_invalid" EpkInvalid => "the ephemeral public key is missing or malformed",
        "party_info_invalid" PartyInfoInvalid => "\"apu\" or \"apv\" is malformed",
        "undecryptable" Undecryptable => "the token cannot be decrypted",
        "undecryptable_key_unknown" UndecryptableKeyUnknown => "the token cannot be decrypted",
        "jwe_content_not_jws" ContentNotJws => "the decrypted content is not a signed token",
        "jwe_in_jwe" ContentIsJwe => "the decrypted content is encrypted again",
        "cty_mismatch" CtyMismatch { offered: Offered } => "the header \"cty\" of an encrypted token must be \"JWT\" if present",
        "encryption_not_expected" SealedNotExpected => "the token is encrypted where a signed one is wanted",
        "encryption_expected" SealedExpected => "the token is not encrypted where an encrypted one is wanted",
        "jws_algorithm_not_allowed" AlgorithmNotAllowed { offered: SigAlg } => "the signature algorithm is not allowed here",
        "jws_key_unknown" KeyUnknown { offered: Option<Offered> } => "no key of this party fits the token",
        "jws_signature_invalid" SignatureInvalid => "the signature does not verify",
        "typ_missing" TypMissing => "the header has no \"typ\"",
        "typ_mismatch" TypMismatch { offered: Offered } => "the header \"typ\" is not the expected one",
        "claims_too_large" ClaimsTooLarge => "the claims are larger than the limit",
        "claims_too_deep" ClaimsTooDeep => "the claims are nested deeper than the limit",
        "claims_too_many" ClaimsTooMany => "the claims have more values than the limit",
        "claims_not_json" ClaimsNotJson => "the claims are not a JSON object",
        "claim_type" ClaimType { claim: Offered } => "a claim has the wrong type",
        "claim_missing" ClaimMissing { claim: Offered } => "a required claim is missing",
        "iss_missing" IssMissing => "the claim \"iss\" is missing",
        "iss_mismatch" IssMismatch { offered: Offered } => "the claim \"iss\" is not the expected issuer",
        "aud_missing" AudMissing => "the claim \"aud\" is missing",
        "aud_mismatch" AudMismatch { offered: Offered } => "the claim \"aud\" does not contain an expected audience",
        "time_invalid" TimeInvalid { claim: &'static str } => "the claim \"{claim}\" is not a number of seconds",
        "exp_missing" ExpMissing => "the claim \"exp\" is missing",
        "token_expired" Expired { exp: i64, now: i64 } => "the token expired",
        "nbf_in_future" NbfInFuture { nbf: i64, now: i64 } => "the token is not valid yet",
        "iat_missing" IatMissing => "the claim \"iat\" is missing",
        "iat_in_future" IatInFuture { iat: i64, now: i64 } => "the token was issued in the future",
        "lifetime_too_long" LifetimeTooLong { lifetime: i64, limit: i64 } => "the token's lifetime is longer than {limit} seconds",
        "token_too_old" TooOld { age: i64, limit: i64 } => "the token was issued more than {limit} seconds ago",
        "seal_header" SealHeader => "a header member cannot be set here",
        "seal_failed" SealFailed => "the content could not be encrypted",
        "sign_failed" SignFailed => "the content could not be signed",
    }
}

use crate::SigAlg;

impl JoseFault {
    /// What was offered in place of something acceptable; for logs and the operator, never for the sender.
    pub fn offered(&self) -> Option<&str> {
        match self {
            Self::DuplicateMember { name: offered }
            | Self::UnsupportedAlgorithm { offered }
            | Self::UnsupportedKeyAlgorithm { offered }
            | Self::UnsupportedContentEncryption { offered }
            | Self::TypMismatch { offered }
            | Self::CtyMismatch { offered }
            | Self::ClaimType { claim: offered }
            | Self::ClaimMissing { claim: offered }
            | Self::IssMismatch { offered }
            | Self::AudMismatch { offered }
            | Self::KeyUnknown { offered: Some(offered) } => Some(offered.as_str()),
            Self::AlgorithmNotAllowed { offered } => Some(offered.name()),
            _ => None,
        }
    }
}
