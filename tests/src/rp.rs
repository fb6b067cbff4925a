//! A relying party: its registration and its keys, and the request objects it makes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use signet_core::provision::{ClientDeclaration, KeyDeclaration, Secret};
use signet_core::records::{ClientAuthMethod, ClientSettings, Encryption, UserInfoResponseType};
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse, PrivateKey, PublicKey, SealHeader, SigAlg};

use crate::key;

/// The PKCE verifier of every request made here, and its challenge (RFC 7636 appendix B).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The secret of every client made here.
pub const SECRET: &str = "a-client-secret-that-is-long-enough";

/// The S256 challenge of [`VERIFIER`].
pub fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// A relying party with RSA keys `sig` and `enc`.
#[derive(Clone, Debug)]
pub struct Rp {
    /// `client_id`.
    pub id: String,
    /// Where responses go.
    pub redirect_uri: String,
    /// Signs request objects.
    pub signing: PrivateKey,
    /// Opens responses.
    pub encryption: PrivateKey,
}

impl Rp {
    /// A relying party named `id`, with a key for RS256 and one for RSA-OAEP.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            redirect_uri: format!("https://{id}.example/callback"),
            signing: key(KeySpec::Rsa2048).clone().with_kid("sig").with_use(KeyUse::Sig),
            encryption: key(KeySpec::Rsa4096).clone().with_kid("enc").with_use(KeyUse::Enc),
        }
    }

    /// Its registration: confidential, PKCE, request objects optional, plain responses. Tests change `settings`.
    pub fn declaration(&self) -> ClientDeclaration {
        let declare = |name: &str, usage, key: &PrivateKey| KeyDeclaration {
            name: name.into(),
            usage,
            source: Value::Object(key.public_key().to_jwk()),
            not_before: None,
            not_after: None,
            origin: None,
        };
        ClientDeclaration {
            client_id: self.id.as_str().into(),
            disabled: false,
            secret: Some(Secret::new(SECRET)),
            generate_secret: false,
            keys: vec![
                declare("signing", KeyUse::Sig, &self.signing),
                declare("encryption", KeyUse::Enc, &self.encryption),
            ],
            prune_keys: false,
            owner: None,
            settings: ClientSettings {
                client_name: self.id.clone(),
                redirect_uris: vec![self.redirect_uri.clone()],
                token_endpoint_auth_method: ClientAuthMethod::ClientSecretBasic,
                ..ClientSettings::default()
            },
        }
    }

    /// Its registration as a fully sealed client.
    pub fn sealed_declaration(&self) -> ClientDeclaration {
        let mut declaration = self.declaration();
        let encryption = Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A128CbcHs256 };
        let settings = &mut declaration.settings;
        settings.require_request_object = true;
        settings.require_encrypted_request_object = true;
        settings.id_token.encrypted = Some(encryption);
        settings.userinfo.response_type = UserInfoResponseType::SignedAndEncrypted;
        settings.userinfo.encrypted = Some(encryption);
        declaration
    }

    /// The parameters of a good request, without `client_id`.
    pub fn parameters(&self) -> Vec<(String, String)> {
        [
            ("response_type", "code"),
            ("redirect_uri", &self.redirect_uri),
            ("scope", "openid profile"),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
            ("code_challenge", &challenge()),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// The claims of a good request object; tests add, change and remove.
    pub fn claims(&self, issuer: &str, now: i64, jti: Option<&str>) -> Map<String, Value> {
        let mut claims: Map<String, Value> =
            self.parameters().into_iter().map(|(name, value)| (name, value.into())).collect();
        for (name, value) in [
            ("iss", json!(self.id)),
            ("aud", json!(issuer)),
            ("client_id", json!(self.id)),
            ("iat", json!(now)),
            ("exp", json!(now + 600)),
        ] {
            claims.insert(name.into(), value);
        }
        if let Some(jti) = jti {
            claims.insert("jti".into(), jti.into());
        }
        claims
    }

    /// The claims of a good client assertion (RFC 7523 section 3); tests add, change and remove.
    pub fn assertion_claims(&self, audience: &str, now: i64, jti: &str) -> Map<String, Value> {
        let claims = json!({
            "iss": self.id, "sub": self.id, "aud": audience, "iat": now, "exp": now + 60, "jti": jti,
        });
        claims.as_object().cloned().unwrap()
    }

    /// Signs claims as a request object with RS256.
    pub fn sign(&self, claims: &Map<String, Value>) -> String {
        let signer = self.signing.signer(SigAlg::RS256).unwrap();
        signer.sign(None, &serde_json::to_vec(claims).unwrap()).unwrap()
    }
}

/// Seals `content` to the first key of a JWKS that has `use: enc` and `alg`.
pub fn seal(jwks: &Value, alg: KeyAlg, enc: ContentAlg, content: &[u8]) -> String {
    let keys = jwks["keys"].as_array().unwrap();
    let jwk = keys.iter().find(|key| key["use"] == "enc" && key["alg"] == alg.name()).unwrap();
    let encrypter = PublicKey::from_jwk(jwk).unwrap().encrypter(alg).unwrap();
    encrypter.seal(&SealHeader { cty: Some("JWT"), ..SealHeader::new(enc) }, content).unwrap()
}
