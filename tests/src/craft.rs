//! Tokens made by hand, independently of the code under test, so that each rule can be broken alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNum;
use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::{Padding, Rsa};
use openssl::sign::Signer;
use openssl::symm::{Cipher, encrypt};
use serde_json::{Map, Value};
use signet_jose::PrivateKey;

/// Base64url without padding.
pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The octets of a segment.
pub fn unb64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Signs these very octets with RS256, whatever the header says.
pub fn jws(header: &[u8], payload: &[u8], key: &PrivateKey) -> String {
    let input = format!("{}.{}", b64(header), b64(payload));
    let key = PKey::private_key_from_pem(key.to_pem().unwrap().as_bytes()).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
    format!("{input}.{}", b64(signature))
}

/// Makes a MAC over these very octets with SHA-256, whatever the header says.
pub fn mac(header: &[u8], payload: &[u8], secret: &[u8]) -> String {
    let input = format!("{}.{}", b64(header), b64(payload));
    let tag = hmac(secret, &[input.as_bytes()]);
    format!("{input}.{}", b64(tag))
}

fn hmac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let key = PKey::hmac(secret).unwrap();
    let mut mac = Signer::new(MessageDigest::sha256(), &key).unwrap();
    for part in parts {
        mac.update(part).unwrap();
    }
    mac.sign_to_vec().unwrap()
}

/// Encrypts to an RSA JWK with RSA-OAEP and A128CBC-HS256 under this very header (RFC 7518 sections 4.3 and 5.2.3).
pub fn jwe(header: &[u8], plaintext: &[u8], jwk: &Value) -> String {
    let number = |name: &str| BigNum::from_slice(&unb64(jwk[name].as_str().unwrap())).unwrap();
    let public = Rsa::from_public_components(number("n"), number("e")).and_then(PKey::from_rsa).unwrap();
    let mut wrap = Encrypter::new(&public).unwrap();
    wrap.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
    let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7 % 251).unwrap());
    let mut encrypted_key = vec![0; wrap.encrypt_len(&key).unwrap()];
    let length = wrap.encrypt(&key, &mut encrypted_key).unwrap();
    encrypted_key.truncate(length);
    let (mac_key, enc_key) = key.split_at(16);
    let (aad, iv) = (b64(header), [7; 16]);
    let ciphertext = encrypt(Cipher::aes_128_cbc(), enc_key, Some(&iv), plaintext).unwrap();
    let bits = (aad.len() as u64 * 8).to_be_bytes();
    let tag = hmac(mac_key, &[aad.as_bytes(), &iv, &ciphertext, &bits]);
    format!("{aad}.{}.{}.{}.{}", b64(encrypted_key), b64(iv), b64(ciphertext), b64(&tag[..16]))
}

/// The entry of a JWKS for `use` and `alg`.
pub fn entry<'a>(jwks: &'a Value, usage: &str, alg: &str) -> &'a Value {
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter().find(|key| key["use"] == usage && key["alg"] == alg).expect("a published key")
}

/// A JSON object as octets.
pub fn json(map: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(map).unwrap()
}

/// The segments of a compact token, changed.
pub fn segments(token: &str, change: impl FnOnce(&mut Vec<String>)) -> String {
    let mut segments = token.split('.').map(str::to_owned).collect();
    change(&mut segments);
    segments.join(".")
}

/// Changes one significant bit of the first or the last character of a segment; it stays canonical base64url.
pub fn flip(token: &str, segment: usize, last: bool) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    segments(token, |segments| {
        let text = &mut segments[segment];
        let at = if last { text.len() - 1 } else { 0 };
        let index = ALPHABET.iter().position(|c| *c == text.as_bytes()[at]).unwrap() ^ 32;
        text.replace_range(at..=at, &char::from(ALPHABET[index]).to_string());
    })
}
