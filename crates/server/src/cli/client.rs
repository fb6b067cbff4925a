//! `signet client`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use signet_core::client_policy::{self, KeySet, Keys};
use signet_core::ids::ClientId;
use signet_core::provision::{self, ClientDeclaration, Provisioned, Secret};
use signet_core::records::{Client, ClientSettings, Tenant};
use signet_core::remote_keys::Demand;
use signet_core::templates::Template;
use signet_jose::KeyUse;
use signet_store::Page;

use super::Common;
use super::admin::{Admin, words};
use super::assign;
use super::output::{self, Problem};
use super::{key, logouts};
use crate::provisioning::{Along, declaration_of, kept_secret};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List clients by id.
    List {
        /// Only ids after this one.
        #[arg(long)]
        after: Option<String>,
        /// At most this many (1 to 1000).
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show one client: settings, keys, and what deserves a look.
    Show {
        /// The `client_id`.
        client_id: String,
    },
    /// Register a client.
    Create(Create),
    /// Change settings, by the names that `show` gives them.
    Set {
        /// The `client_id`.
        client_id: String,
        /// As in `require_pkce=true`, `id_token.signed=ES256`; an empty value removes.
        #[arg(value_name = "NAME=VALUE", required = true)]
        settings: Vec<String>,
        /// Also give it a new secret, shown once; `client_secret_jwt` needs one.
        #[arg(long)]
        new_secret: bool,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Give a client a new secret, shown once. The old one ends at once.
    Secret {
        /// The `client_id`.
        client_id: String,
    },
    /// List what a client was told of logouts, newest first (Back-Channel Logout).
    Logouts {
        /// The `client_id`.
        client_id: String,
        /// At most this many (1 to 1000).
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Treat a client as unknown.
    Disable {
        /// The `client_id`.
        client_id: String,
    },
    /// Accept a client again.
    Enable {
        /// The `client_id`.
        client_id: String,
    },
    /// Remove a client with its keys, consents and tokens.
    Delete {
        /// The `client_id`.
        client_id: String,
    },
}

fn template(text: &str) -> Result<Template, String> {
    let known: Vec<&str> = Template::ALL.iter().map(|template| template.name()).collect();
    Template::from_name(text).ok_or_else(|| format!("one of: {}", known.join(", ")))
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The `client_id`; made if left out.
    client_id: Option<String>,
    /// What kind of application: web, spa, native, machine or sealed.
    #[arg(long, value_parser = template, default_value = "web")]
    template: Template,
    /// Name shown to people.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Where responses go; may be repeated. Machines need none.
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Scopes it may ask for, separated by spaces; those of its kind if left out.
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// A file with its public signing key (JWK, JWKS, PEM, X.509). Sealed clients get a key pair if none is given.
    #[arg(long, value_name = "FILE")]
    signing_key: Option<std::path::PathBuf>,
    /// A file with its public encryption key (JWK, JWKS, PEM, X.509). Sealed clients get a key pair if none is given.
    #[arg(long, value_name = "FILE")]
    encryption_key: Option<std::path::PathBuf>,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(common: &Common, command: Command) -> Result<ExitCode, Problem> {
    let admin = Admin::open(common).await?;
    let tenant = admin.tenant().await?;
    match command {
        Command::List { after, limit } => list(&admin, &tenant, common.json, Page { after, limit }).await?,
        Command::Show { client_id } => show(&admin, &tenant, &client_id).await?,
        Command::Create(create) => register(&admin, &tenant, common.json, create).await?,
        Command::Set { client_id, settings, new_secret, dry_run } => {
            set(&admin, &tenant, &client_id, &settings, new_secret, dry_run).await?;
        }
        Command::Secret { client_id } => secret(&admin, &tenant, common.json, &client_id).await?,
        Command::Logouts { client_id, limit } => {
            logouts::list(&admin, &tenant, common.json, &client_id, limit).await?;
        }
        Command::Disable { client_id } => switch(&admin, &tenant, &client_id, true).await?,
        Command::Enable { client_id } => switch(&admin, &tenant, &client_id, false).await?,
        Command::Delete { client_id } => delete(&admin, &tenant, &client_id).await?,
    }
    admin.store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list(admin: &Admin, tenant: &Tenant, json: bool, page: Page) -> Result<(), Problem> {
    let rows: Vec<_> = admin.store.clients(&tenant.id, &page).await?.iter().map(row).collect();
    output::table(
        json,
        &["client_id", "name", "state", "authentication", "request_object", "id_token", "userinfo"],
        &rows,
    );
    Ok(())
}

fn row(client: &Client) -> Vec<Value> {
    let settings = &client.settings;
    let object = match (settings.require_request_object, settings.require_encrypted_request_object) {
        (_, true) => "encrypted",
        (true, false) => "signed",
        (false, false) => "optional",
    };
    vec![
        json!(client.client_id),
        json!(settings.client_name),
        json!(if client.disabled { "disabled" } else { "active" }),
        json!(settings.token_endpoint_auth_method),
        json!(object),
        json!(if settings.id_token.encrypted.is_some() { "signed, encrypted" } else { "signed" }),
        json!(settings.userinfo.response_type),
    ]
}

async fn show(admin: &Admin, tenant: &Tenant, id: &str) -> Result<(), Problem> {
    let client = admin.client(&tenant.id, id).await?;
    let keys = admin.store.client_keys(&tenant.id, &client.client_id).await?;
    let settings = &client.settings;
    let mode = Admin::mode(tenant);
    let set = match settings.jwks_uri.as_deref() {
        Some(uri) => {
            let owner = (&tenant.id, &client.client_id);
            Some(Admin::remote_keys(tenant)?.keys(uri, owner, Demand::Look).await.set)
        }
        None => None,
    };
    let known = Keys { registered: &keys, set: set.as_ref() };
    let (own, kept) = (&client.client_id, kept_secret(&client));
    let broken = client_policy::check(own, settings, kept, known, &tenant.settings, mode, admin.now);
    let advice = client_policy::advice(settings, known, admin.now);
    let text = |items: Vec<String>| items;
    let shown = json!({
        "client_id": client.client_id,
        "state": if client.disabled { "disabled" } else { "active" },
        "version": client.version,
        "has_secret": client.secret_hash.is_some(),
        "secret_kept": if client.sealed_secret.is_some() { "sealed" } else { "as a hash" },
        "registered_itself": client.registration_token.is_some(),
        "settings": settings,
        "keys": keys.iter().map(|key| key::shown(key, &keys, &client, tenant, admin.now)).collect::<Vec<_>>(),
        "key_set": set.as_ref().map(key_set),
        "contradictions": text(broken.iter().map(ToString::to_string).collect()),
        "advice": text(advice.iter().map(ToString::to_string).collect()),
        "created": output::time(client.created_at),
        "updated": output::time(client.updated_at),
    });
    output::line(serde_json::to_string_pretty(&shown).unwrap_or_default());
    Ok(())
}

/// What was found at a `jwks_uri` just now.
fn key_set(set: &KeySet) -> Value {
    json!({
        "read": set.read_at.is_some(),
        "keys": set.keys.iter().map(|key| json!({ "kid": key.kid, "usage": key.usage })).collect::<Vec<_>>(),
        "failing": set.failing.as_ref().map(|failing| failing.reason.as_str()),
        "skipped": set.skipped,
    })
}

fn settings(create: &Create, client_id: &str) -> ClientSettings {
    let template = create.template;
    ClientSettings {
        client_name: create.name.clone().unwrap_or_else(|| client_id.to_owned()),
        redirect_uris: create.redirect_uri.clone(),
        scope: create.scope.as_deref().map_or_else(|| template.scope(), words),
        ..template.settings()
    }
}

async fn register(admin: &Admin, tenant: &Tenant, as_json: bool, create: Create) -> Result<(), Problem> {
    let id = create.client_id.clone().unwrap_or_else(|| admin.context().client_id());
    if admin.store.client(&tenant.id, &ClientId::from(id.as_str())).await?.is_some() {
        return Err(Problem::new("exists", format!("there is a client \"{id}\" already")));
    }
    let settings = settings(&create, &id);
    let mut keys = Vec::new();
    let mut pairs = Vec::new();
    for (usage, file, name) in
        [(KeyUse::Sig, &create.signing_key, "signing"), (KeyUse::Enc, &create.encryption_key, "encryption")]
    {
        match file {
            Some(file) => keys.push(key::from_file(file, name.to_owned(), usage)?),
            None if create.template.needs_keys().contains(&usage) => {
                let (declared, private) =
                    key::generate(key::DEFAULT_SPEC, name.to_owned(), usage, None, None)?;
                keys.push(declared);
                pairs.push((name, private));
            }
            None => {}
        }
    }
    let generate_secret = settings.token_endpoint_auth_method.uses_secret();
    let declared = ClientDeclaration {
        client_id: id.as_str().into(),
        disabled: false,
        secret: None,
        generate_secret,
        keys,
        prune_keys: false,
        owner: None,
        settings,
    };
    let provisioned = admin.provisioner(tenant, create.dry_run).client(tenant, &declared).await?;
    let pairs = if create.dry_run { Vec::new() } else { pairs };
    let secret = provisioned.secret.as_ref().filter(|_| !create.dry_run).map(|secret| secret.to_string());
    if as_json {
        let private = pairs.iter().map(|(name, pair)| Ok(((*name).to_owned(), key::private_value(pair)?)));
        let private = private.collect::<Result<serde_json::Map<String, Value>, Problem>>()?;
        output::value(
            &json!({ "client_id": id, "client_secret": secret, "private_keys": private, "dry_run": create.dry_run }),
        );
        return Ok(());
    }
    told(&provisioned);
    if let Some(secret) = secret {
        output::line(format!("client_secret, shown this once: {secret}"));
    }
    for (name, pair) in &pairs {
        let jwk = pair.to_jwk().map_err(|fault| Problem::new(fault.code(), fault.to_string()))?;
        output::line(format!("private {name} key, shown this once:\n{}", *jwk));
    }
    Ok(())
}

fn told(provisioned: &Provisioned) {
    provisioned.differences.iter().for_each(output::line);
    provisioned.advice.iter().for_each(|advice| output::note(format!("note: {advice}")));
}

async fn set(
    admin: &Admin,
    tenant: &Tenant,
    id: &str,
    settings: &[String],
    new_secret: bool,
    dry_run: bool,
) -> Result<(), Problem> {
    let client = admin.client(&tenant.id, id).await?;
    let minted = new_secret.then(|| provision::mint_secret(&admin.context()));
    let declared = ClientDeclaration {
        settings: assign::assigned(&client.settings, settings)?,
        secret: minted.as_ref().map(|minted| Secret::new(minted.secret.as_str())),
        ..declaration_of(&client)
    };
    let provisioned = admin.provisioner(tenant, dry_run).client(tenant, &declared).await?;
    told(&provisioned);
    if let Some(minted) = minted.filter(|_| !dry_run) {
        output::line(format!("client_secret, shown this once: {}", *minted.secret));
    }
    Ok(())
}

async fn secret(admin: &Admin, tenant: &Tenant, as_json: bool, id: &str) -> Result<(), Problem> {
    let client = admin.client(&tenant.id, id).await?;
    let minted = provision::mint_secret(&admin.context());
    let declared =
        ClientDeclaration { secret: Some(Secret::new(minted.secret.as_str())), ..declaration_of(&client) };
    admin.provisioner(tenant, false).client(tenant, &declared).await?;
    if as_json {
        output::value(&json!({ "client_id": id, "client_secret": minted.secret.as_str() }));
    } else {
        output::line(format!("client_secret, shown this once: {}", *minted.secret));
    }
    Ok(())
}

async fn switch(admin: &Admin, tenant: &Tenant, id: &str, disabled: bool) -> Result<(), Problem> {
    let client = admin.client(&tenant.id, id).await?;
    let declared = ClientDeclaration { disabled, ..declaration_of(&client) };
    let provisioned = admin.provisioner(tenant, false).client(tenant, &declared).await?;
    if provisioned.is_unchanged() {
        output::line("Nothing to change.");
    }
    provisioned.differences.iter().for_each(output::line);
    Ok(())
}

async fn delete(admin: &Admin, tenant: &Tenant, id: &str) -> Result<(), Problem> {
    let client = admin.client(&tenant.id, id).await?;
    admin.provisioner(tenant, false).remove_client(tenant, &client, &Along::default()).await?;
    output::line(format!("Client \"{id}\" is gone, with its keys, consents and tokens."));
    Ok(())
}
