//! The provider as seen over HTTP.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::Value;
use signet_jose::{KeyAlg, KeyUse, PublicKey, SigAlg, Verifier};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::DemoClient;
use super::fault::DemoFault;

/// Most bytes read of one answer.
const MAX_ANSWER: usize = 256 * 1024;

pub(super) struct Provider {
    http: Client,
    discovery: String,
}

/// The members of the metadata that the demo uses (OpenID Connect Discovery 1.0 section 3).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) userinfo_endpoint: String,
    pub(super) jwks_uri: String,
    #[serde(default)]
    pub(super) end_session_endpoint: Option<String>,
    #[serde(default)]
    pub(super) id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Algorithms that the provider may sign with. A shared secret is not one of the demo's keys.
    pub(super) fn signing_algs(&self) -> Vec<SigAlg> {
        let named = self.id_token_signing_alg_values_supported.iter();
        named.filter_map(|name| SigAlg::from_name(name)).filter(|alg| !alg.is_symmetric()).collect()
    }
}

/// The provider's public keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(pub(super) Vec<PublicKey>);

impl Keys {
    /// Reads a JWKS; entries that cannot be read are left out (RFC 7517 section 5).
    pub(super) fn read(jwks: &Value) -> Self {
        let entries = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Self(entries.iter().filter_map(|entry| PublicKey::from_jwk(entry).ok()).collect())
    }

    pub(super) fn verifiers(&self) -> Result<Vec<Verifier>, DemoFault> {
        let signing = self.0.iter().filter(|key| key.key_use() != Some(KeyUse::Enc));
        let mut verifiers = Vec::new();
        for key in signing {
            for alg in SigAlg::ALL.iter().copied().filter(|alg| key.fits_sig(*alg)) {
                verifiers.push(key.verifier(alg)?);
            }
        }
        Ok(verifiers)
    }

    /// The key that request objects are encrypted to: the first that fits the preferred algorithm.
    pub(super) fn encryption(&self) -> Option<(&PublicKey, KeyAlg)> {
        let preferred =
            [KeyAlg::RsaOaep256, KeyAlg::EcdhEsA256Kw, KeyAlg::EcdhEsA128Kw, KeyAlg::EcdhEs, KeyAlg::RsaOaep];
        let offered = || self.0.iter().filter(|key| key.key_use() == Some(KeyUse::Enc));
        preferred.into_iter().find_map(|alg| offered().find(|key| key.fits_enc(alg)).map(|key| (key, alg)))
    }
}

/// A token response (OpenID Connect Core section 3.1.3.3).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) id_token: String,
    #[serde(default)]
    pub(super) token_type: String,
    #[serde(default)]
    pub(super) expires_in: Option<i64>,
    #[serde(default)]
    pub(super) scope: Option<String>,
}

/// A UserInfo response.
#[derive(Clone, Debug)]
pub(super) struct UserInfo {
    /// Whether it is a JWT; otherwise it is JSON.
    pub(super) is_jwt: bool,
    pub(super) body: String,
}

impl Provider {
    pub(super) fn new(issuer: &str) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .timeout(Duration::from_secs(10))
            .connect_timeout(Duration::from_secs(3))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        Ok(Self { http, discovery })
    }

    /// OpenID Connect Discovery 1.0 section 4.3: the issuer in the metadata must be the one that was asked.
    pub(super) async fn metadata(&self, issuer: &str) -> Result<Metadata, DemoFault> {
        const WHAT: &str = "configuration";
        let metadata: Metadata = self.json(WHAT, self.http.get(&self.discovery)).await?;
        if metadata.issuer == issuer { Ok(metadata) } else { Err(DemoFault::IssuerMismatch) }
    }

    pub(super) async fn keys(&self, metadata: &Metadata) -> Result<Keys, DemoFault> {
        let jwks: Value = self.json("public keys", self.http.get(&metadata.jwks_uri)).await?;
        Ok(Keys::read(&jwks))
    }

    /// RFC 6749 sections 4.1.3 and 2.3.1: `client_secret_basic`; a public client names itself in the body.
    pub(super) async fn redeem(
        &self,
        metadata: &Metadata,
        client: &DemoClient,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<Tokens, DemoFault> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = self.http.post(&metadata.token_endpoint);
        match &client.client_secret {
            Some(secret) => {
                request = request.header(AUTHORIZATION, basic(&client.client_id, secret).as_str());
            }
            None => form.push(("client_id", &client.client_id)),
        }
        self.json("token response", request.form(&form)).await
    }

    /// OpenID Connect Core section 5.3.2: the media type says whether it is JSON or a JWT.
    pub(super) async fn user_info(
        &self,
        metadata: &Metadata,
        access_token: &str,
    ) -> Result<UserInfo, DemoFault> {
        const WHAT: &str = "UserInfo response";
        let request = self.http.get(&metadata.userinfo_endpoint).bearer_auth(access_token);
        let response = request.send().await.map_err(|_| DemoFault::Unreachable { what: WHAT })?;
        let media = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_jwt =
            media.is_some_and(|media| media.trim().to_ascii_lowercase().starts_with("application/jwt"));
        let (status, body) = read(WHAT, response).await?;
        if status != 200 {
            return Err(answer(WHAT, status, &body));
        }
        Ok(UserInfo { is_jwt, body })
    }

    async fn json<T: for<'de> Deserialize<'de>>(
        &self,
        what: &'static str,
        request: RequestBuilder,
    ) -> Result<T, DemoFault> {
        let request = request.header(ACCEPT, "application/json");
        let response = request.send().await.map_err(|_| DemoFault::Unreachable { what })?;
        let (status, body) = read(what, response).await?;
        if status != 200 {
            return Err(answer(what, status, &body));
        }
        serde_json::from_str(&body).map_err(|_| answer(what, status, "It is not the JSON that was wanted."))
    }
}

async fn read(what: &'static str, mut response: Response) -> Result<(u16, String), DemoFault> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| DemoFault::Unreachable { what })? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(answer(what, status, "It is larger than the limit."));
        }
    }
    let text = String::from_utf8(body).map_err(|_| answer(what, status, "It is not text."))?;
    Ok((status, text))
}

/// What an error answer says (RFC 6749 section 5.2), or its beginning.
fn answer(what: &'static str, status: u16, body: &str) -> DemoFault {
    let error: Option<Value> = serde_json::from_str(body).ok();
    let member = |name: &str| error.as_ref().and_then(|error| error.get(name)?.as_str().map(str::to_owned));
    let detail = match (member("error"), member("error_description")) {
        (Some(error), Some(description)) => format!("{error}: {description}"),
        (Some(error), None) => error,
        _ => body.to_owned(),
    };
    DemoFault::Answer { what, status, detail: detail.chars().take(300).collect() }
}

fn basic(client_id: &str, secret: &str) -> Zeroizing<String> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encoded(client_id), encoded(secret)));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded_first_rfc6749_2_3_1() {
        assert_eq!(
            basic("a b", "c:d+é").as_str(),
            format!("Basic {}", STANDARD.encode("a+b:c%3Ad%2B%C3%A9"))
        );
    }

    #[test]
    fn an_error_answer_is_told_in_its_own_words() {
        let fault = answer("token response", 400, r#"{"error":"invalid_grant","error_description":"used"}"#);
        assert!(matches!(fault, DemoFault::Answer { detail, .. } if detail == "invalid_grant: used"));
        let fault = answer("token response", 500, &"x".repeat(9_000));
        assert!(matches!(fault, DemoFault::Answer { detail, .. } if detail.len() == 300));
    }
}
