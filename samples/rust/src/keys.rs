//! Our keys, and who we are at the provider. Both are kept in a folder and made on the first start.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{self, PrivateDecryptingKey};
use aws_lc_rs::signature::{self, EcdsaKeyPair, KeyPair as _};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde_json::{Value, json};

use crate::{Fallible, sent, setting};

/// Our key pairs: one signs, the other opens. They never leave the folder.
pub struct Keys {
    pub signing: EncodingKey,
    /// The `kid` of the signing key.
    pub kid: String,
    pub encryption: PrivateDecryptingKey,
    /// What is registered: a JWK set.
    pub public: Value,
}

fn folder() -> PathBuf {
    PathBuf::from(setting("FOLDER", "keys"))
}

/// What is in a file that only its owner may read; made if it is not there yet.
fn kept(file: &Path, make: impl FnOnce() -> Fallible<Vec<u8>>) -> Fallible<Vec<u8>> {
    if !file.exists() {
        fs::create_dir_all(folder())?;
        let content = make()?;
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(&content)?;
    }
    Ok(fs::read(file)?)
}

/// A public key as it is registered, with its RFC 7638 thumbprint as its name.
fn named(mut jwk: Value, usage: &str, alg: &str) -> Fallible<Value> {
    let key: Jwk = serde_json::from_value(jwk.clone())?;
    jwk["kid"] = json!(key.thumbprint(ThumbprintHash::SHA256)?);
    jwk["use"] = json!(usage);
    jwk["alg"] = json!(alg);
    Ok(jwk)
}

impl Keys {
    /// The keys in the folder, in PKCS#8.
    pub fn own() -> Fallible<Self> {
        let alg = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let signing = kept(&folder().join("signing.der"), || {
            Ok(EcdsaKeyPair::generate(alg)?.to_pkcs8v1()?.as_ref().to_vec())
        })?;
        let encryption = kept(&folder().join("encryption.der"), || {
            let key = PrivateDecryptingKey::generate(rsa::KeySize::Rsa3072)?;
            let der: Pkcs8V1Der<'_> = key.as_der()?;
            Ok(der.as_ref().to_vec())
        })?;

        // RFC 7518 section 6.2.1: the coordinates of the point, which come as 0x04 || x || y.
        let pair = EcdsaKeyPair::from_pkcs8(alg, &signing)?;
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let ec = json!({ "kty": "EC", "crv": "P-256", "x": BASE64.encode(x), "y": BASE64.encode(y) });
        let pair = rsa::KeyPair::from_pkcs8(&encryption)?;
        let n = BASE64.encode(pair.public_key().modulus().big_endian_without_leading_zero());
        let e = BASE64.encode(pair.public_key().exponent().big_endian_without_leading_zero());
        let rsa = json!({ "kty": "RSA", "n": n, "e": e });

        let public = json!({ "keys": [named(ec, "sig", "ES256")?, named(rsa, "enc", "RSA-OAEP-256")?] });
        fs::write(folder().join("public.json"), format!("{public:#}\n"))?;
        Ok(Self {
            signing: EncodingKey::from_ec_der(&signing),
            kid: public["keys"][0]["kid"].as_str().unwrap_or_default().to_owned(),
            encryption: PrivateDecryptingKey::from_pkcs8(&encryption)?,
            public,
        })
    }
}

/// `client_id` and secret as registered at an earlier start, or now (OpenID Connect Dynamic Client Registration).
pub async fn registered(
    http: &reqwest::Client,
    provider: &Value,
    public: &Value,
    redirect_uri: &str,
) -> Fallible<(String, Option<String>)> {
    let file = folder().join("registration.json");
    if !file.exists() {
        let Some(endpoint) = provider["registration_endpoint"].as_str() else {
            return Err("have public.json registered, then set CLIENT_ID".into());
        };
        let metadata = json!({
            "client_name": "Sample in Rust",
            "redirect_uris": [redirect_uri],
            "jwks": public,
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "require_signed_request_object": true,
            "request_object_signing_alg": "ES256",
            "request_object_encryption_alg": "RSA-OAEP-256",
            "request_object_encryption_enc": "A256GCM",
            "id_token_signed_response_alg": "RS256",
            "id_token_encrypted_response_alg": "RSA-OAEP-256",
            "id_token_encrypted_response_enc": "A256GCM",
            "userinfo_signed_response_alg": "RS256",
            "userinfo_encrypted_response_alg": "RSA-OAEP-256",
            "userinfo_encrypted_response_enc": "A256GCM",
        });
        let answer = sent(http.post(endpoint).json(&metadata)).await?;
        kept(&file, || Ok(answer.into_bytes()))?;
    }
    let registered: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let text = |name: &str| registered[name].as_str().map(str::to_owned);
    Ok((text("client_id").ok_or("no client_id")?, text("client_secret")))
}
