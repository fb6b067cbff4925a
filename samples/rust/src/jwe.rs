//! JWE (RFC 7516) in compact form with RSA-OAEP-256 and A256GCM, and nothing else: no negotiation, no compression, no
//! other key than the one that is given.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey};
use aws_lc_rs::rsa::{PrivateDecryptingKey, PublicEncryptingKey, PublicKeyComponents};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use crate::Fallible;

/// RFC 7516 section 5.1: encrypts a JWT to the owner of the RSA key `jwk`.
pub fn seal(jwt: &str, jwk: &Value) -> Fallible<String> {
    let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": jwk["kid"], "cty": "JWT" });
    let header = BASE64.encode(header.to_string());

    let mut content_key = [0; 32];
    rand::fill(&mut content_key)?;
    let member = |name: &str| BASE64.decode(jwk[name].as_str().unwrap_or_default());
    let public: PublicEncryptingKey = PublicKeyComponents { n: member("n")?, e: member("e")? }.try_into()?;
    let public = OaepPublicEncryptingKey::new(public)?;
    let mut encrypted_key = vec![0; public.ciphertext_size()];
    let encrypted_key = public.encrypt(&OAEP_SHA256_MGF1SHA256, &content_key, &mut encrypted_key, None)?;

    let mut iv = [0; NONCE_LEN];
    rand::fill(&mut iv)?;
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &content_key)?);
    let mut text = jwt.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = cipher.seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut text)?;

    let parts = [&*encrypted_key, &iv, &text, tag.as_ref()].map(|part| BASE64.encode(part));
    Ok(format!("{header}.{}", parts.join(".")))
}

/// RFC 7516 section 5.2: what is in a token that was encrypted to us. Every failure to decrypt is the same one.
pub fn open(token: &str, key: &PrivateDecryptingKey) -> Fallible<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, encrypted_key, iv, text, tag] = parts[..] else {
        return Err("not encrypted".into());
    };
    let said: Value = serde_json::from_slice(&BASE64.decode(header)?)?;
    let other = said["alg"] != "RSA-OAEP-256" || said["enc"] != "A256GCM";
    if other || said.get("zip").is_some() || said.get("crit").is_some() {
        return Err("not encrypted as registered".into());
    }

    let private = OaepPrivateDecryptingKey::new(key.clone())?;
    let mut content_key = vec![0; private.min_output_size()];
    let encrypted_key = BASE64.decode(encrypted_key)?;
    let content_key = private.decrypt(&OAEP_SHA256_MGF1SHA256, &encrypted_key, &mut content_key, None)?;

    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, content_key)?);
    let nonce = Nonce::try_assume_unique_for_key(&BASE64.decode(iv)?)?;
    let tag = BASE64.decode(tag)?;
    if tag.len() != AES_256_GCM.tag_len() {
        return Err("a tag of another length".into());
    }
    let mut sealed = [BASE64.decode(text)?, tag].concat();
    let plain = cipher.open_in_place(nonce, Aad::from(header.as_bytes()), &mut sealed)?;
    Ok(String::from_utf8(plain.to_vec())?)
}
