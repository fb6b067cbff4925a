//! JWEs made by hand, independently of the code under test.

use openssl::encrypt::Encrypter as RsaEncrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::Signer as Mac;
use openssl::symm::{Cipher, encrypt, encrypt_aead};
use serde_json::Value;
use signet_jose::*;

use super::{b64, unb64};

/// A JWE of these parts; content key, initialisation vector and header are the caller's.
pub(crate) fn assemble(header: &Value, encrypted_key: &[u8], key: &[u8], iv: &[u8], text: &[u8]) -> String {
    let enc = ContentAlg::from_name(header["enc"].as_str().unwrap()).unwrap();
    let aad = b64(serde_json::to_vec(header).unwrap());
    let (ciphertext, tag) = content(enc, key, iv, aad.as_bytes(), text);
    format!("{aad}.{}.{}.{}.{}", b64(encrypted_key), b64(iv), b64(ciphertext), b64(tag))
}

/// RFC 7518 sections 5.2.2.1 and 5.3.
fn content(enc: ContentAlg, key: &[u8], iv: &[u8], aad: &[u8], text: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (cipher, digest) = match enc {
        ContentAlg::A128CbcHs256 => (Cipher::aes_128_cbc(), MessageDigest::sha256()),
        ContentAlg::A192CbcHs384 => (Cipher::aes_192_cbc(), MessageDigest::sha384()),
        ContentAlg::A256CbcHs512 => (Cipher::aes_256_cbc(), MessageDigest::sha512()),
        gcm => {
            let cipher = match gcm {
                ContentAlg::A128Gcm => Cipher::aes_128_gcm(),
                ContentAlg::A192Gcm => Cipher::aes_192_gcm(),
                _ => Cipher::aes_256_gcm(),
            };
            let mut tag = vec![0; 16];
            let ciphertext = encrypt_aead(cipher, key, Some(iv), aad, text, &mut tag).unwrap();
            return (ciphertext, tag);
        }
    };
    let (mac_key, enc_key) = key.split_at(key.len() / 2);
    let ciphertext = encrypt(cipher, enc_key, Some(iv), text).unwrap();
    let mut tag = mac(mac_key, digest, &[aad, iv, &ciphertext, &(aad.len() as u64 * 8).to_be_bytes()]);
    tag.truncate(key.len() / 2);
    (ciphertext, tag)
}

pub(crate) fn mac(key: &[u8], digest: MessageDigest, parts: &[&[u8]]) -> Vec<u8> {
    let key = PKey::hmac(key).unwrap();
    let mut mac = Mac::new(digest, &key).unwrap();
    for part in parts {
        mac.update(part).unwrap();
    }
    mac.sign_to_vec().unwrap()
}

pub(crate) fn rsa(key: &PublicKey) -> PKey<Public> {
    let jwk = key.to_jwk();
    let number = |name: &str| openssl::bn::BigNum::from_slice(&unb64(jwk[name].as_str().unwrap())).unwrap();
    PKey::from_rsa(Rsa::from_public_components(number("n"), number("e")).unwrap()).unwrap()
}

/// `secret` encrypted to an RSA key with the given padding and, for OAEP, hash.
pub(crate) fn rsa_encrypt(key: &PublicKey, padding: Padding, hash: MessageDigest, secret: &[u8]) -> Vec<u8> {
    let key = rsa(key);
    let mut encrypter = RsaEncrypter::new(&key).unwrap();
    encrypter.set_rsa_padding(padding).unwrap();
    if padding == Padding::PKCS1_OAEP {
        encrypter.set_rsa_oaep_md(hash).unwrap();
        encrypter.set_rsa_mgf1_md(hash).unwrap();
    }
    let mut out = vec![0; encrypter.encrypt_len(secret).unwrap()];
    let length = encrypter.encrypt(secret, &mut out).unwrap();
    out.truncate(length);
    out
}

/// RFC 7518 section 4.6.2: the Concat KDF with SHA-256, one round, for direct agreement on an `enc`.
pub(crate) fn concat_kdf(enc: ContentAlg, shared: &[u8], apu: &[u8], apv: &[u8]) -> Vec<u8> {
    assert!(enc.key_len() <= 32);
    let mut input = vec![0, 0, 0, 1];
    input.extend_from_slice(shared);
    for part in [enc.name().as_bytes(), apu, apv] {
        input.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        input.extend_from_slice(part);
    }
    input.extend_from_slice(&(u32::try_from(enc.key_len()).unwrap() * 8).to_be_bytes());
    openssl::sha::sha256(&input)[..enc.key_len()].to_vec()
}
