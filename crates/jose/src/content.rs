//! Content encryption (RFC 7518 section 5), implemented on OpenSSL's ciphers.

use josekit::JoseError;
use josekit::jwe::JweContentEncryption;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{self, Cipher};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{ContentAlg, JoseFault};

impl ContentAlg {
    fn cipher(self) -> Cipher {
        match self {
            Self::A128CbcHs256 => Cipher::aes_128_cbc(),
            Self::A192CbcHs384 => Cipher::aes_192_cbc(),
            Self::A256CbcHs512 => Cipher::aes_256_cbc(),
            Self::A128Gcm => Cipher::aes_128_gcm(),
            Self::A192Gcm => Cipher::aes_192_gcm(),
            Self::A256Gcm => Cipher::aes_256_gcm(),
        }
    }

    fn digest(self) -> MessageDigest {
        match self {
            Self::A256CbcHs512 => MessageDigest::sha512(),
            Self::A192CbcHs384 => MessageDigest::sha384(),
            _ => MessageDigest::sha256(),
        }
    }

    /// RFC 7518 section 5.2.2.1 step 5: the HMAC over AAD, IV, ciphertext and the AAD's length in bits,
    /// cut to half.
    fn mac(self, key: &[u8], aad: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let key = PKey::hmac(key).ok()?;
        let mut signer = Signer::new(self.digest(), &key).ok()?;
        let aad_bits = u64::try_from(aad.len()).ok()?.checked_mul(8)?;
        for part in [aad, iv, ciphertext, &aad_bits.to_be_bytes()] {
            signer.update(part).ok()?;
        }
        let mut mac = Zeroizing::new(signer.sign_to_vec().ok()?);
        mac.truncate(self.tag_len());
        Some(mac)
    }

    fn lengths_fit(self, key: &[u8], iv: &[u8]) -> bool {
        key.len() == self.key_len() && iv.len() == self.iv_len()
    }

    /// Encrypts; returns ciphertext and tag.
    pub(crate) fn encrypt(
        self,
        key: &[u8],
        iv: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        if !self.lengths_fit(key, iv) {
            return None;
        }
        if self.is_cbc() {
            // RFC 7518 section 5.2.2.1: the first half of the key authenticates, the second encrypts.
            let (mac_key, enc_key) = key.split_at(key.len() / 2);
            let ciphertext = symm::encrypt(self.cipher(), enc_key, Some(iv), plaintext).ok()?;
            let tag = self.mac(mac_key, aad, iv, &ciphertext)?;
            Some((ciphertext, tag.to_vec()))
        } else {
            let mut tag = vec![0; self.tag_len()];
            let ciphertext =
                symm::encrypt_aead(self.cipher(), key, Some(iv), aad, plaintext, &mut tag).ok()?;
            Some((ciphertext, tag))
        }
    }

    /// Decrypts; `None` whatever went wrong.
    pub(crate) fn decrypt(
        self,
        key: &[u8],
        iv: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        // RFC 7518 section 5.3: the tag of AES-GCM is 128 bits; OpenSSL would accept a shorter one.
        if !self.lengths_fit(key, iv) || tag.len() != self.tag_len() {
            return None;
        }
        if self.is_cbc() {
            // RFC 7518 section 5.2.2.2: the tag is checked first, in constant time, and the ciphertext is
            // decrypted (and its padding seen) only if that succeeded.
            let (mac_key, enc_key) = key.split_at(key.len() / 2);
            let wanted = self.mac(mac_key, aad, iv, ciphertext)?;
            if !bool::from(wanted.as_slice().ct_eq(tag))
                || ciphertext.is_empty()
                || !ciphertext.len().is_multiple_of(16)
            {
                return None;
            }
            symm::decrypt(self.cipher(), enc_key, Some(iv), ciphertext).ok().map(Zeroizing::new)
        } else {
            symm::decrypt_aead(self.cipher(), key, Some(iv), aad, ciphertext, tag).ok().map(Zeroizing::new)
        }
    }
}

/// The content encryption as the key management code below sees it: a name and a key length. Should it ever
/// encrypt or decrypt by itself, it does so with the functions above.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content(pub(crate) ContentAlg);

impl JweContentEncryption for Content {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn iv_len(&self) -> usize {
        self.0.iv_len()
    }

    fn encrypt(
        &self,
        key: &[u8],
        iv: Option<&[u8]>,
        message: &[u8],
        aad: &[u8],
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), JoseError> {
        self.0
            .encrypt(key, iv.unwrap_or_default(), aad, message)
            .map(|(ciphertext, tag)| (ciphertext, Some(tag)))
            .ok_or_else(|| JoseError::InvalidJweFormat(JoseFault::SealFailed.into()))
    }

    fn decrypt(
        &self,
        key: &[u8],
        iv: Option<&[u8]>,
        encrypted_message: &[u8],
        aad: &[u8],
        tag: Option<&[u8]>,
    ) -> Result<Vec<u8>, JoseError> {
        self.0
            .decrypt(key, iv.unwrap_or_default(), aad, encrypted_message, tag.unwrap_or_default())
            .map(|plaintext| plaintext.to_vec())
            .ok_or_else(|| JoseError::InvalidJweFormat(JoseFault::Undecryptable.into()))
    }

    fn box_clone(&self) -> Box<dyn JweContentEncryption> {
        Box::new(*self)
    }
}
