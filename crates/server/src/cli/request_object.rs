//! `signet request-object`: makes one as a client would, or explains one check by check.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use signet_core::discovery::Endpoint;
use signet_core::records::{KeyState, Tenant, TenantKey};
use signet_jose::{ContentAlg, KeyAlg, KeyUse, PrivateKey, PublicKey, SealHeader, SigAlg};
use zeroize::Zeroizing;

use super::admin::Admin;
use super::output::{self, Problem};
use super::{Common, explain};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a signed (and encrypted) request object for a client.
    Make(Make),
    /// Explain a request object, or a whole request, check by check. Nothing is consumed: its `jti` stays usable.
    Explain(explain::Explain),
}

fn named<T: Copy>(
    text: &str,
    from: fn(&str) -> Option<T>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, String> {
    let known: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    from(text).ok_or_else(|| format!("one of: {}", known.join(", ")))
}

fn key_alg(text: &str) -> Result<KeyAlg, String> {
    named(text, KeyAlg::from_name, KeyAlg::ALL, KeyAlg::name)
}

fn content_alg(text: &str) -> Result<ContentAlg, String> {
    named(text, ContentAlg::from_name, ContentAlg::ALL, ContentAlg::name)
}

#[derive(Debug, Args)]
pub(super) struct Make {
    /// For which client.
    #[arg(long, value_name = "CLIENT_ID")]
    client: String,
    /// The client's private signing key: a file with a JWK. The demo's own client needs none.
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// Where the response goes; the first registered one if left out.
    #[arg(long, value_name = "URI")]
    redirect_uri: Option<String>,
    /// What is asked for.
    #[arg(long, default_value = "openid profile")]
    scope: String,
    /// A further claim, or another value for one: JSON, or text. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    claim: Vec<String>,
    /// A claim to leave out. May be repeated.
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Seconds until it expires.
    #[arg(long, default_value_t = 600, allow_negative_numbers = true)]
    lifetime: i64,
    /// Sign only.
    #[arg(long)]
    signed_only: bool,
    /// How the content key is encrypted.
    #[arg(long, value_parser = key_alg, default_value = KeyAlg::RsaOaep256.name())]
    alg: KeyAlg,
    /// How the content is encrypted.
    #[arg(long, value_parser = content_alg, default_value = ContentAlg::A256Gcm.name())]
    enc: ContentAlg,
}

pub(super) async fn run(common: &Common, command: Command) -> Result<ExitCode, Problem> {
    let admin = Admin::open(common).await?;
    let tenant = admin.tenant().await?;
    let code = match command {
        Command::Make(make) => self::make(common, &admin, &tenant, make).await?,
        Command::Explain(explain) => explain::run(common.json, &admin, &tenant, explain).await?,
    };
    admin.store.close().await;
    Ok(code)
}

async fn make(common: &Common, admin: &Admin, tenant: &Tenant, make: Make) -> Result<ExitCode, Problem> {
    let client = admin.client(&tenant.id, &make.client).await?;
    let redirect_uri = make.redirect_uri.clone().or_else(|| client.settings.redirect_uris.first().cloned());
    let context = admin.context();
    let verifier = context.mint("");
    let mut claims = json!({
        "iss": make.client,
        "aud": tenant.issuer,
        "client_id": make.client,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": make.scope,
        "state": context.handle(),
        "nonce": context.handle(),
        "code_challenge": s256(&verifier.secret),
        "code_challenge_method": "S256",
        "iat": admin.now,
        "nbf": admin.now,
        "exp": admin.now + make.lifetime,
        "jti": context.handle(),
    });
    let map = claims.as_object_mut().ok_or_else(|| Problem::new("claims", "the claims are no object"))?;
    for text in &make.claim {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| Problem::new("claim", format!("\"{text}\" is not of the form NAME=VALUE")))?;
        map.insert(name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()));
    }
    map.retain(|name, _| !make.without.contains(name));
    let signed = sign(common, &make, &claims)?;
    let request = if make.signed_only { signed } else { seal(admin, tenant, &make, &signed).await? };
    let mut url = url::Url::parse(&Endpoint::Authorize.url(&tenant.issuer))
        .map_err(|error| Problem::new("issuer", error.to_string()))?;
    url.query_pairs_mut().append_pair("client_id", &make.client).append_pair("request", &request);
    if common.json {
        let facts = json!({ "request": request, "url": url.as_str(), "claims": claims, "code_verifier": verifier.secret.as_str() });
        output::value(&facts);
    } else {
        output::note(format!("code_verifier: {}", *verifier.secret));
        output::note(format!("authorization request: {url}"));
        output::line(request);
    }
    Ok(ExitCode::SUCCESS)
}

/// RFC 7636 section 4.2.
fn s256(verifier: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier.as_bytes()))
}

fn sign(common: &Common, make: &Make, claims: &Value) -> Result<String, Problem> {
    let key = signing_key(common, make)?;
    let alg = match key.public_key().alg() {
        Some(name) => SigAlg::from_name(name),
        None => key.public_key().kind().sig_algs().first().copied(),
    };
    let alg = alg.ok_or_else(|| Problem::new("signing_key", "the key cannot sign"))?;
    let signed = key
        .signer(alg)
        .map_err(|fault| Problem::new("signing_key", fault.to_string()))?
        .sign(Some("oauth-authz-req+jwt"), claims.to_string().as_bytes());
    signed.map_err(|fault| Problem::new("signing", fault.to_string()))
}

fn signing_key(common: &Common, make: &Make) -> Result<PrivateKey, Problem> {
    let (file, member) = match &make.signing_key {
        Some(file) => (file.clone(), None),
        None => (common.data.join("demo.json"), Some("signing_key")),
    };
    let text = Zeroizing::new(std::fs::read_to_string(&file).map_err(|error| {
        Problem::file(&file, &error).hint("Give the client's private signing key with --signing-key FILE.")
    })?);
    let text = match member {
        None => text,
        Some(member) => {
            let all: Value =
                serde_json::from_str(&text).map_err(|error| Problem::new("demo_file", error.to_string()))?;
            Zeroizing::new(all[member].to_string())
        }
    };
    PrivateKey::from_jwk(&text)
        .map_err(|fault| Problem::new(fault.code(), format!("{}: {fault}", file.display())))
}

async fn seal(admin: &Admin, tenant: &Tenant, make: &Make, signed: &str) -> Result<String, Problem> {
    let keys = admin.store.tenant_keys(&tenant.id, admin.now).await?;
    let fits = |key: &&TenantKey| {
        key.usage == KeyUse::Enc
            && key.state(admin.now) == KeyState::Active
            && key.algs.iter().any(|alg| alg == make.alg.name())
    };
    let none = || Problem::new("encryption_key", format!("the tenant publishes no key for {}", make.alg));
    let key = keys.iter().find(fits).ok_or_else(none)?;
    let failed = |text: String| Problem::new("encryption", text);
    let public = PublicKey::from_jwk(&Value::Object(key.public_jwk.clone()))
        .map_err(|fault| failed(fault.to_string()))?
        .with_kid(key.kid(make.alg.name()));
    let encrypter = public.encrypter(make.alg).map_err(|fault| failed(fault.to_string()))?;
    let header = SealHeader { cty: Some("JWT"), ..SealHeader::new(make.enc) };
    encrypter.seal(&header, signed.as_bytes()).map_err(|fault| failed(fault.to_string()))
}
