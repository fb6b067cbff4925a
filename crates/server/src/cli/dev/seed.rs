//! What `signet dev` starts with: a tenant, three people, two clients.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use signet_core::audit::By;
use signet_core::client_policy::Mode;
use signet_core::ids::TenantId;
use signet_core::provision::{
    ClientDeclaration, KeyDeclaration, Secret, TenantDeclaration, UserDeclaration, username,
};
use signet_core::records::{
    ApplicationType, Branding, ClientSettings, Encryption, KeyOrigin, RegistrationPolicy, Role, Tenant,
    TenantSettings, UserInfoResponseType,
};
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse, PrivateKey};
use zeroize::Zeroizing;

use super::folder::Folder;
use crate::app::{App, DemoUsers};
use crate::cli::output::Problem;
use crate::demo::{DemoClient, post_logout_redirect_uri};
use crate::provisioning::Provisioner;

const TENANT: &str = "default";
const PLAIN: &str = "demo-plain";
const SEALED: &str = "demo-sealed";

/// Somebody to sign in as.
pub(super) struct DemoUser {
    pub(super) username: &'static str,
    pub(super) password: &'static str,
    name: [&'static str; 2],
    locale: &'static str,
    birthdate: &'static str,
    role: Option<Role>,
}

/// The people whom the login page offers.
pub(super) const USERS: [DemoUser; 3] = [
    DemoUser {
        username: "alice",
        password: "alice",
        name: ["Alice", "Virtanen"],
        locale: "fi-FI",
        birthdate: "1987-03-14",
        role: None,
    },
    DemoUser {
        username: "bob",
        password: "bob",
        name: ["Bob", "Nilsen"],
        locale: "nb-NO",
        birthdate: "1992-11-02",
        role: None,
    },
    DemoUser {
        username: "admin",
        password: "admin",
        name: ["Olivia", "Owner"],
        locale: "en-GB",
        birthdate: "1979-05-21",
        role: Some(Role::Owner),
    },
];

/// A user as the ready line tells of them.
#[derive(Debug, Serialize)]
pub(super) struct SeededUser {
    pub(super) username: &'static str,
    pub(super) password: &'static str,
    pub(super) sub: String,
    /// What they may do in the console.
    pub(super) role: Option<Role>,
}

/// A client with everything its owner holds.
#[derive(Debug, Serialize)]
pub(super) struct SeededClient {
    pub(super) client_id: &'static str,
    pub(super) client_secret: String,
    pub(super) redirect_uris: Vec<String>,
    /// Private JWK; test data of a development server.
    pub(super) signing_key: Option<Value>,
    /// Private JWK; test data of a development server.
    pub(super) encryption_key: Option<Value>,
}

/// What is kept for the demo application between starts.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    plain_secret: String,
    sealed_secret: String,
    signing_key: Value,
    encryption_key: Value,
}

fn provisioner(app: &App) -> Provisioner {
    Provisioner {
        store: app.store.clone(),
        entropy: app.entropy.clone(),
        vault: Some(app.vault.clone()),
        by: By::CommandLine,
        now: app.clock.now(),
        millis: app.clock.millis(),
        mode: Mode::Development,
        dry_run: false,
    }
}

/// The people that are offered on the login page of the tenant.
pub(super) fn demo_users() -> DemoUsers {
    let people = USERS.iter().map(|user| (user.username.into(), user.password.into())).collect();
    DemoUsers { tenant: TenantId::from(TENANT), people }
}

/// The tenant, with the issuer of this start. Records that were not made by `signet dev` are left alone.
pub(super) async fn tenant(app: &App, issuer: &str) -> Result<Tenant, Problem> {
    let id = TenantId::from(TENANT);
    let find = |tenants: Vec<Tenant>| tenants.into_iter().find(|tenant| tenant.id == id);
    let current = app.store.tenants().await?;
    if current.iter().any(|tenant| !tenant.settings.development) {
        return Err(Problem::new("not_development", "this database was not made by `signet dev`")
            .hint("`signet dev` would add users and clients with well-known passwords. Give it a database of its own."));
    }
    let settings = match find(current) {
        // Made by an earlier version, it may not look after the installation yet.
        Some(tenant) => TenantSettings { operator: true, ..tenant.settings },
        None => TenantSettings {
            development: true,
            operator: true,
            client_id_in_object_only: true,
            registration: RegistrationPolicy::Open,
            self_registration: true,
            branding: Branding { name: "Signet".into(), ..Branding::default() },
            ..TenantSettings::default()
        },
    };
    let declared = TenantDeclaration { id: Some(id.clone()), issuer: Some(issuer.to_owned()), settings };
    provisioner(app).tenant(&id, &declared).await?;
    find(app.store.tenants().await?).ok_or_else(|| Problem::new("missing", "the tenant is gone"))
}

/// Alice and Bob, and Olivia, who owns the place.
pub(super) async fn users(app: &App, tenant: &Tenant) -> Result<Vec<SeededUser>, Problem> {
    let provisioner = provisioner(app);
    let mut seeded = Vec::new();
    for user in &USERS {
        let name =
            username(user.username).map_err(|refusal| Problem::new(refusal.code(), refusal.to_string()))?;
        let there = app.store.user_by_name(&tenant.id, &name).await?;
        if there.is_none() {
            provisioner.user(&tenant.id, &user.declaration()).await?;
        }
        let stored = app.store.user_by_name(&tenant.id, &name).await?;
        let sub = stored.map(|user| user.id.to_string()).unwrap_or_default();
        seeded.push(SeededUser { username: user.username, password: user.password, sub, role: user.role });
    }
    Ok(seeded)
}

impl DemoUser {
    fn declaration(&self) -> UserDeclaration {
        UserDeclaration {
            username: self.username.into(),
            disabled: false,
            password: Some(Secret::new(self.password)),
            password_hash: None,
            claims: self.claims(),
            role: self.role.map(Some),
        }
    }

    fn claims(&self) -> Map<String, Value> {
        let [given, family] = self.name;
        let claims = json!({
            "name": format!("{given} {family}"),
            "given_name": given,
            "family_name": family,
            "email": format!("{}@example.org", self.username),
            "email_verified": true,
            "birthdate": self.birthdate,
            "locale": self.locale,
            "zoneinfo": "Europe/Helsinki",
            "phone_number": "+358401234567",
            "phone_number_verified": false,
            "address": { "street_address": "Esplanadi 1", "postal_code": "00100", "locality": "Helsinki", "country": "Finland" },
        });
        claims.as_object().cloned().unwrap_or_default()
    }
}

/// What the demo application keeps in `folder`, made the first time; on a thread that may be kept busy.
pub(super) async fn kept(app: &App, folder: Folder) -> Result<Kept, Problem> {
    let app = app.clone();
    let text = tokio::task::spawn_blocking(move || folder.demo(|| make(&app))).await;
    let text = text.map_err(|error| Problem::new("demo_file", error.to_string()))??;
    serde_json::from_str(&text).map_err(|error| {
        Problem::new("demo_file", format!("demo.json: {error}")).hint("Remove it; it is made anew.")
    })
}

/// The demo application's two registrations, as this start finds or makes them.
pub(super) async fn clients(
    app: &App,
    tenant: &Tenant,
    kept: Kept,
    origin: &str,
) -> Result<Vec<SeededClient>, Problem> {
    let redirect_uris: Vec<String> =
        [&format!("{origin}/demo/callback"), "http://localhost/callback", "http://127.0.0.1/callback"]
            .map(String::from)
            .into();
    let provisioner = provisioner(app);
    let mut plain = declaration(PLAIN, "Plain demo", &kept.plain_secret, &redirect_uris);
    let mut sealed = declaration(SEALED, "Sealed demo", &kept.sealed_secret, &redirect_uris);
    seal(&mut sealed.settings);
    for declared in [&mut plain, &mut sealed] {
        declared.settings.post_logout_redirect_uris = vec![post_logout_redirect_uri(origin)];
    }
    for (name, usage, key) in
        [("signing", KeyUse::Sig, &kept.signing_key), ("encryption", KeyUse::Enc, &kept.encryption_key)]
    {
        sealed.keys.push(public(name, usage, key)?);
    }
    for declared in [&plain, &sealed] {
        provisioner.client(tenant, declared).await?;
    }
    let Kept { plain_secret, sealed_secret, signing_key, encryption_key } = kept;
    Ok(vec![
        SeededClient {
            client_id: PLAIN,
            client_secret: plain_secret,
            redirect_uris: redirect_uris.clone(),
            signing_key: None,
            encryption_key: None,
        },
        SeededClient {
            client_id: SEALED,
            client_secret: sealed_secret,
            redirect_uris,
            signing_key: Some(signing_key),
            encryption_key: Some(encryption_key),
        },
    ])
}

/// Secrets and key pairs of the demo application. RSA for encryption, since that is what the national profiles use;
/// an elliptic curve for signing, since it is quickly made.
fn make(app: &App) -> Zeroizing<String> {
    let context = app.context(app.clock.now());
    let secret = || format!("{}{}", context.handle(), context.handle());
    let key = |spec, usage| {
        let private = PrivateKey::generate(spec).ok()?.with_use(usage);
        let kid = private.public_key().thumbprint().to_owned();
        serde_json::from_str::<Value>(&private.with_kid(kid).to_jwk().ok()?).ok()
    };
    let kept = Kept {
        plain_secret: secret(),
        sealed_secret: secret(),
        signing_key: key(KeySpec::P256, KeyUse::Sig).unwrap_or_default(),
        encryption_key: key(KeySpec::Rsa2048, KeyUse::Enc).unwrap_or_default(),
    };
    Zeroizing::new(serde_json::to_string_pretty(&kept).unwrap_or_default())
}

fn declaration(id: &str, name: &str, secret: &str, redirect_uris: &[String]) -> ClientDeclaration {
    ClientDeclaration {
        client_id: id.into(),
        disabled: false,
        secret: Some(Secret::new(secret)),
        generate_secret: false,
        keys: Vec::new(),
        prune_keys: false,
        owner: None,
        settings: ClientSettings {
            client_name: name.into(),
            // Native, so that a test suite can listen on any loopback port (RFC 8252 section 7.3).
            application_type: ApplicationType::Native,
            redirect_uris: redirect_uris.to_vec(),
            scope: ["openid", "profile", "email", "address", "phone"].map(String::from).into(),
            ..ClientSettings::default()
        },
    }
}

/// Everything that a national scheme asks for: signed and encrypted in, signed and encrypted out.
fn seal(settings: &mut ClientSettings) {
    let encryption = Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm };
    settings.require_request_object = true;
    settings.require_encrypted_request_object = true;
    settings.require_jti = true;
    settings.id_token.encrypted = Some(encryption);
    settings.userinfo.response_type = UserInfoResponseType::SignedAndEncrypted;
    settings.userinfo.encrypted = Some(encryption);
}

fn private(jwk: &Value) -> Result<PrivateKey, Problem> {
    let text = Zeroizing::new(jwk.to_string());
    PrivateKey::from_jwk(&text).map_err(|fault| {
        Problem::new("demo_file", format!("demo.json: {fault}")).hint("Remove it; it is made anew.")
    })
}

fn public(name: &str, usage: KeyUse, jwk: &Value) -> Result<KeyDeclaration, Problem> {
    let source = Value::Object(private(jwk)?.public_key().to_jwk());
    let (not_before, not_after) = (None, None);
    Ok(KeyDeclaration {
        name: name.into(),
        usage,
        source,
        not_before,
        not_after,
        origin: Some(KeyOrigin::Generated),
    })
}

/// The registrations as the demo application holds them.
pub(super) fn demo_clients(seeded: &[SeededClient]) -> Result<Vec<DemoClient>, Problem> {
    let key = |jwk: &Option<Value>| jwk.as_ref().map(private).transpose();
    // The sealed one is what people come for.
    seeded
        .iter()
        .rev()
        .map(|client| {
            let sealed = client.encryption_key.is_some();
            let (title, description) = if sealed {
                ("Sealed login", "The request is signed and encrypted; so are ID token and UserInfo.")
            } else {
                (
                    "Plain login",
                    "Authorization code with PKCE; the ID token is signed, UserInfo is plain JSON.",
                )
            };
            Ok(DemoClient {
                client_id: client.client_id.into(),
                client_secret: Some(Zeroizing::new(client.client_secret.clone())),
                title: title.into(),
                description: description.into(),
                signing_key: key(&client.signing_key)?,
                encryption_key: key(&client.encryption_key)?,
                sealed,
            })
        })
        .collect()
}
