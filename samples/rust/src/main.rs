//! A relying party whose login is signed and sealed both ways: an example to copy from.
//!
//! ```text
//! signet-sample          runs it
//! signet-sample keys     prints the public keys to register, and ends
//! ```
//!
//! Settings come from the environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT, FOLDER. Without CLIENT_ID it registers
//! itself. With CLIENT_SECRET it authenticates by the secret, otherwise by its signing key (private_key_jwt).

mod jwe;
mod keys;
mod web;

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_lc_rs::{digest, rand};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Value, json};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

// One algorithm for each purpose. Whatever a message says of itself, nothing else is accepted. How messages are
// encrypted is in jwe.rs.
const SIGN: Algorithm = Algorithm::ES256; // our request objects and client assertions
const VERIFY: Algorithm = Algorithm::RS256; // the provider's ID tokens and UserInfo

/// A login that has been started and not finished.
struct Login {
    state: String,
    nonce: String,
    verifier: String,
    started: SystemTime,
}

impl Login {
    fn new() -> Fallible<Self> {
        Ok(Self { state: random()?, nonce: random()?, verifier: random()?, started: SystemTime::now() })
    }
}

struct App {
    issuer: String,
    redirect_uri: String,
    keys: keys::Keys,
    http: reqwest::Client,
    provider: Value,
    client_id: String,
    client_secret: Option<String>,
    logins: Mutex<HashMap<String, Login>>, // by cookie; several processes would share them in a database
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn random() -> Fallible<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes)?;
    Ok(BASE64.encode(bytes))
}

fn sha256(text: &str) -> digest::Digest {
    digest::digest(&digest::SHA256, text.as_bytes())
}

/// An answer that must be a success. What it says of a failure is for the log, not for the person.
async fn sent(request: reqwest::RequestBuilder) -> Fallible<String> {
    let answer = request.send().await?;
    let (status, url) = (answer.status(), answer.url().clone());
    let text = answer.text().await?;
    if status.is_success() { Ok(text) } else { Err(format!("{url}: {status} {text}").into()) }
}

impl App {
    async fn new() -> Fallible<Self> {
        let issuer = setting("ISSUER", "http://localhost:8080");
        let redirect_uri = format!("http://127.0.0.1:{}/callback", setting("PORT", "3000"));
        let keys = keys::Keys::own()?;
        let never = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().redirect(never).timeout(Duration::from_secs(10)).build()?;
        let document = sent(http.get(format!("{issuer}/.well-known/openid-configuration"))).await?;
        let provider: Value = serde_json::from_str(&document)?;
        // OpenID Connect Discovery section 4.3: the issuer in the document must be the one that was asked.
        if provider["issuer"] != issuer.as_str() {
            return Err(format!("the provider calls itself {}", provider["issuer"]).into());
        }
        let (client_id, client_secret) = match env::var("CLIENT_ID") {
            Ok(id) => (id, env::var("CLIENT_SECRET").ok()),
            Err(_) => keys::registered(&http, &provider, &keys.public, &redirect_uri).await?,
        };
        let logins = Mutex::default();
        Ok(Self { issuer, redirect_uri, keys, http, provider, client_id, client_secret, logins })
    }

    fn endpoint(&self, name: &str) -> &str {
        self.provider[name].as_str().unwrap_or_default()
    }

    /// The provider's one key that fits. A busy application keeps the set for some minutes, and asks again when it meets
    /// a `kid` that it does not know.
    async fn provider_key(&self, fits: impl Fn(&Value) -> bool) -> Fallible<Value> {
        let text = sent(self.http.get(self.endpoint("jwks_uri"))).await?;
        let set: Value = serde_json::from_str(&text)?;
        let key = set["keys"].as_array().and_then(|keys| keys.iter().find(|key| fits(key)));
        Ok(key.ok_or("the provider has no such key")?.clone())
    }

    fn signed(&self, kind: &str, mut claims: Value) -> Fallible<String> {
        let now = jsonwebtoken::get_current_timestamp();
        claims["iss"] = json!(self.client_id);
        claims["aud"] = json!(self.issuer);
        claims["iat"] = json!(now);
        claims["exp"] = json!(now + 300);
        claims["jti"] = json!(random()?);
        let (typ, kid) = (Some(kind.to_owned()), Some(self.keys.kid.clone()));
        let header = Header { typ, kid, ..Header::new(SIGN) };
        Ok(jsonwebtoken::encode(&header, &claims, &self.keys.signing)?)
    }

    /// RFC 9101: the authorization request, signed with our key, then encrypted to the provider's.
    async fn request_object(&self, login: &Login) -> Fallible<String> {
        let claims = json!({
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": login.state,
            "nonce": login.nonce,
            "code_challenge": BASE64.encode(sha256(&login.verifier)),
            "code_challenge_method": "S256",
        });
        let signed = self.signed("oauth-authz-req+jwt", claims)?;
        let theirs = self.provider_key(|key| key["use"] == "enc" && key["alg"] == "RSA-OAEP-256").await?;
        jwe::seal(&signed, &theirs)
    }

    /// The other way round: a nested JWT, decrypted with our key, then verified with the provider's key that it names.
    async fn opened(&self, token: &str, required: &[&str]) -> Fallible<Value> {
        let inner = jwe::open(token, &self.keys.encryption)?;
        let kid = jsonwebtoken::decode_header(&inner)?.kid.ok_or("no kid")?;
        let key = self.provider_key(|key| key["use"] == "sig" && key["kid"] == kid.as_str()).await?;
        let key = DecodingKey::from_jwk(&serde_json::from_value(key)?)?;
        let mut rules = Validation::new(VERIFY);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.client_id]);
        rules.set_required_spec_claims(required);
        Ok(jsonwebtoken::decode::<Value>(&inner, &key, &rules)?.claims)
    }

    /// The token request. We prove who we are, and that it was us who asked for the code.
    async fn redeemed(&self, code: &str, login: &Login) -> Fallible<Value> {
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("code_verifier", login.verifier.clone()),
        ];
        let mut request = self.http.post(self.endpoint("token_endpoint"));
        if let Some(secret) = &self.client_secret {
            request = request.basic_auth(&self.client_id, Some(secret));
        } else {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            form.push(("client_id", self.client_id.clone()));
            form.push(("client_assertion_type", kind.to_owned()));
            form.push(("client_assertion", self.signed("JWT", json!({ "sub": self.client_id }))?));
        }
        Ok(serde_json::from_str(&sent(request.form(&form)).await?)?)
    }

    /// From the code to the claims: OpenID Connect Core sections 3.1.3.7 and 5.3.2.
    async fn finished(&self, code: &str, login: &Login) -> Fallible<Vec<(&'static str, String)>> {
        let tokens = self.redeemed(code, login).await?;
        let text = |name: &str| tokens[name].as_str().ok_or(format!("no {name}"));
        let (access_token, id_token) = (text("access_token")?, text("id_token")?);
        let claims = self.opened(id_token, &["iss", "aud", "exp", "sub"]).await?;
        let half_hash = BASE64.encode(&sha256(access_token).as_ref()[..16]);
        if claims["nonce"] != login.nonce.as_str() || claims["at_hash"] != half_hash.as_str() {
            return Err("nonce or at_hash of the ID token is wrong".into());
        }
        let request = self.http.get(self.endpoint("userinfo_endpoint")).bearer_auth(access_token);
        let sealed = sent(request).await?;
        let info = self.opened(&sealed, &["iss", "aud", "sub"]).await?;
        if info["sub"] != claims["sub"] {
            return Err("UserInfo is about somebody else".into());
        }
        let name = info["name"].as_str().or(info["sub"].as_str()).unwrap_or_default();
        Ok(vec![
            ("", format!("Signed in as {name}")),
            ("ID token", format!("{claims:#}")),
            ("UserInfo", format!("{info:#}")),
            ("ID token as it came", id_token.to_owned()),
            ("UserInfo as it came", sealed.clone()),
        ])
    }
}

#[tokio::main]
async fn main() -> Fallible<()> {
    if env::args().nth(1).as_deref() == Some("keys") {
        println!("{:#}", keys::Keys::own()?.public);
        return Ok(());
    }
    let app = Arc::new(App::new().await?);
    let address = format!("127.0.0.1:{}", setting("PORT", "3000"));
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("{:#}\n{}: http://{address}/", app.keys.public, app.client_id);
    Ok(axum::serve(listener, web::routes(app)).await?)
}
