//! `signet key`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use signet_core::client_policy;
use signet_core::context::UnixTime;
use signet_core::provision::{ClientDeclaration, KeyDeclaration};
use signet_core::records::{Client, ClientKey, Tenant};
use signet_core::tenant_keys;
use signet_jose::{KeySpec, KeyUse, PrivateKey};
use zeroize::Zeroizing;

use super::Common;
use super::admin::Admin;
use super::output::{self, Problem, parse_time};
use crate::provisioning::{Along, Pair, declaration_of};

/// What new key pairs are, if nothing else is asked for.
pub(super) const DEFAULT_SPEC: KeySpec = KeySpec::Rsa2048;
/// Largest key file, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

fn spec(text: &str) -> Result<KeySpec, String> {
    let known: Vec<&str> = KeySpec::ALL.iter().map(|spec| spec.name()).collect();
    KeySpec::from_name(text).ok_or_else(|| format!("one of: {}", known.join(", ")))
}

fn usage(text: &str) -> Result<KeyUse, String> {
    KeyUse::from_name(text).ok_or_else(|| "sig or enc".to_owned())
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the keys of a client, or the tenant's own.
    List {
        /// Whose; the tenant's own if left out.
        #[arg(long, value_name = "CLIENT_ID")]
        client: Option<String>,
    },
    /// Make a key pair for a client. The private part is shown once, as JWK and PEM, and kept nowhere.
    Generate {
        /// For whom.
        #[arg(long, value_name = "CLIENT_ID")]
        client: String,
        /// sig or enc.
        #[arg(long = "use", value_parser = usage, value_name = "USE")]
        usage: KeyUse,
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What kind of key.
        #[arg(long, value_parser = spec, default_value = DEFAULT_SPEC.name())]
        kind: KeySpec,
        /// Start of its period.
        #[arg(long, value_parser = parse_time, value_name = "TIME")]
        not_before: Option<i64>,
        /// End of its period.
        #[arg(long, value_parser = parse_time, value_name = "TIME")]
        not_after: Option<i64>,
    },
    /// Take a client's public key from a file: JWK, JWKS, PEM or X.509.
    Import {
        /// For whom.
        #[arg(long, value_name = "CLIENT_ID")]
        client: String,
        /// sig or enc.
        #[arg(long = "use", value_parser = usage, value_name = "USE")]
        usage: KeyUse,
        /// What people call it.
        #[arg(long)]
        name: String,
        /// The file.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Start of its period; a certificate brings its own.
        #[arg(long, value_parser = parse_time, value_name = "TIME")]
        not_before: Option<i64>,
        /// End of its period; a certificate brings its own.
        #[arg(long, value_parser = parse_time, value_name = "TIME")]
        not_after: Option<i64>,
    },
    /// Withdraw a key at once.
    Revoke {
        /// Whose; the tenant's own if left out.
        #[arg(long, value_name = "CLIENT_ID")]
        client: Option<String>,
        /// The kid of a client's key, or the id of a tenant key.
        key: String,
    },
    /// Bring the next keys of the tenant into use before their time: published now, used after the propagation time.
    Rotate {
        /// sig or enc.
        #[arg(long = "use", value_parser = usage, value_name = "USE")]
        usage: KeyUse,
    },
}

pub(super) async fn run(common: &Common, command: Command) -> Result<ExitCode, Problem> {
    let admin = Admin::open(common).await?;
    let tenant = admin.tenant().await?;
    match command {
        Command::List { client: Some(id) } => list_client(&admin, &tenant, common.json, &id).await?,
        Command::List { client: None } => list_tenant(&admin, &tenant, common.json).await?,
        Command::Generate { client, usage, name, kind, not_before, not_after } => {
            let (declared, private) = generate(kind, name, usage, not_before, not_after)?;
            add(&admin, &tenant, &client, declared, common.json, Some(private)).await?;
        }
        Command::Import { client, usage, name, file, not_before, not_after } => {
            let declared = KeyDeclaration { not_before, not_after, ..from_file(&file, name, usage)? };
            add(&admin, &tenant, &client, declared, common.json, None).await?;
        }
        Command::Revoke { client: Some(id), key } => revoke_client(&admin, &tenant, &id, &key).await?,
        Command::Revoke { client: None, key } => revoke_tenant(&admin, &tenant, &key).await?,
        Command::Rotate { usage } => rotate(&admin, &tenant, usage).await?,
    }
    admin.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// A client's key as it is shown: with its state, and whether responses are encrypted to it now.
pub(super) fn shown(
    key: &ClientKey,
    all: &[ClientKey],
    client: &Client,
    tenant: &Tenant,
    now: UnixTime,
) -> Value {
    let period = |time: Option<UnixTime>| time.map(output::time);
    let propagation = tenant.settings.key_propagation;
    let (state, _) = client_policy::key_state(key, all, &client.settings, propagation, now);
    json!({
        "kid": key.kid,
        "name": key.name,
        "use": key.usage,
        "state": state.name().replace('_', " "),
        "kind": key.jwk.get("crv").or(key.jwk.get("kty")),
        "not_before": period(key.not_before),
        "not_after": period(key.not_after),
        "origin": key.origin,
        "thumbprint": key.thumbprint,
    })
}

async fn list_client(admin: &Admin, tenant: &Tenant, as_json: bool, id: &str) -> Result<(), Problem> {
    const COLUMNS: [&str; 8] = ["kid", "name", "use", "state", "kind", "not_before", "not_after", "origin"];
    let client = admin.client(&tenant.id, id).await?;
    let keys = admin.store.client_keys(&tenant.id, &client.client_id).await?;
    let rows: Vec<Vec<Value>> = keys
        .iter()
        .map(|key| {
            let shown = shown(key, &keys, &client, tenant, admin.now);
            COLUMNS.iter().map(|column| shown[*column].clone()).collect()
        })
        .collect();
    output::table(as_json, &COLUMNS, &rows);
    Ok(())
}

async fn list_tenant(admin: &Admin, tenant: &Tenant, as_json: bool) -> Result<(), Problem> {
    let keys = admin.store.tenant_keys(&tenant.id, admin.now).await?;
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            vec![
                json!(key.id),
                json!(key.usage),
                json!(key.state(admin.now)),
                json!(key.algs),
                json!(output::time(key.use_from)),
                json!(output::time(key.use_until)),
                json!(output::time(key.remove_at)),
            ]
        })
        .collect();
    output::table(as_json, &["id", "use", "state", "algs", "use_from", "use_until", "remove_at"], &rows);
    Ok(())
}

/// A key pair with the declaration of its public part.
pub(super) fn generate(
    kind: KeySpec,
    name: String,
    usage: KeyUse,
    not_before: Option<i64>,
    not_after: Option<i64>,
) -> Result<(KeyDeclaration, PrivateKey), Problem> {
    let failed = |fault: signet_jose::KeyFault| Problem::new("key_generation", fault.to_string());
    let pair = Pair::generate(kind, name, usage, not_before, not_after).map_err(failed)?;
    Ok((pair.declared, pair.private))
}

/// The declaration of the public key in `file`.
pub(super) fn from_file(file: &Path, name: String, usage: KeyUse) -> Result<KeyDeclaration, Problem> {
    let size = std::fs::metadata(file).map_err(|error| Problem::file(file, &error))?.len();
    if size > MAX_BYTES {
        return Err(Problem::new(
            "file_too_large",
            format!("{} has {size} bytes; at most {MAX_BYTES} are read", file.display()),
        ));
    }
    let bytes = std::fs::read(file).map_err(|error| Problem::file(file, &error))?;
    // Certificates also come in DER; everything else is text.
    let text = String::from_utf8(bytes).unwrap_or_else(|error| pem_of(error.as_bytes()));
    let source = Value::String(text);
    Ok(KeyDeclaration { name, usage, source, not_before: None, not_after: None, origin: None })
}

fn pem_of(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// The private part in both forms, for `--json`.
pub(super) fn private_value(private: &PrivateKey) -> Result<Value, Problem> {
    let (jwk, pem) = private_texts(private)?;
    let jwk: Value = serde_json::from_str(&jwk).map_err(|error| Problem::new("key", error.to_string()))?;
    Ok(json!({ "jwk": jwk, "pem": pem.as_str() }))
}

type Texts = (Zeroizing<String>, Zeroizing<String>);

fn private_texts(private: &PrivateKey) -> Result<Texts, Problem> {
    let failed = |fault: signet_jose::KeyFault| Problem::new(fault.code(), fault.to_string());
    Ok((private.to_jwk().map_err(failed)?, private.to_pem().map_err(failed)?))
}

async fn add(
    admin: &Admin,
    tenant: &Tenant,
    id: &str,
    declared: KeyDeclaration,
    as_json: bool,
    private: Option<PrivateKey>,
) -> Result<(), Problem> {
    let client = admin.client(&tenant.id, id).await?;
    let declaration = ClientDeclaration { keys: vec![declared], ..declaration_of(&client) };
    let provisioned = admin.provisioner(tenant, false).client(tenant, &declaration).await?;
    if as_json {
        let facts = json!({
            "changed": !provisioned.is_unchanged(),
            "differences": provisioned.differences,
            "private_key": private.as_ref().map(private_value).transpose()?,
        });
        output::value(&facts);
        return Ok(());
    }
    provisioned.differences.iter().for_each(output::line);
    provisioned.advice.iter().for_each(|advice| output::note(format!("note: {advice}")));
    if provisioned.is_unchanged() {
        output::line("Nothing to change: the client has this key already.");
    }
    if let Some(private) = private {
        let (jwk, pem) = private_texts(&private)?;
        output::line(format!("private key, shown this once and kept nowhere:\n{}\n{}", *jwk, *pem));
    }
    Ok(())
}

async fn revoke_client(admin: &Admin, tenant: &Tenant, id: &str, kid: &str) -> Result<(), Problem> {
    let client = admin.client(&tenant.id, id).await?;
    let keys = admin.store.client_keys(&tenant.id, &client.client_id).await?;
    let live = |key: &&ClientKey| key.kid == kid && key.revoked_at.is_none();
    let key = keys.iter().find(live).ok_or_else(|| unknown(kid))?;
    let provisioner = admin.provisioner(tenant, false);
    let done = provisioner.withdraw_key(tenant, &client, key.id, &Along::default()).await?;
    let (_, broken) = done.ok_or_else(|| unknown(kid))?;
    for problem in &broken {
        output::note(format!("warning: {problem}"));
    }
    output::line(format!("Key \"{}\" (kid {kid}) is withdrawn.", key.name));
    Ok(())
}

fn unknown(key: &str) -> Problem {
    Problem::new("key_unknown", format!("there is no key \"{key}\" that is not withdrawn"))
        .hint("See `signet key list`.")
}

async fn revoke_tenant(admin: &Admin, tenant: &Tenant, id: &str) -> Result<(), Problem> {
    let workshop = admin.workshop()?;
    let keys = admin.store.tenant_keys(&tenant.id, admin.now).await?;
    if !keys.iter().any(|key| key.id == id) {
        return Err(unknown(id));
    }
    let (needs, changes) = tenant_keys::revoke(tenant, &keys, id, admin.now);
    let made = workshop.make(tenant, needs, changes, admin.now).await?;
    output::line(format!(
        "Key {id} is withdrawn; {made} made in its place. Every node sees it within a second."
    ));
    Ok(())
}

async fn rotate(admin: &Admin, tenant: &Tenant, usage: KeyUse) -> Result<(), Problem> {
    let workshop = admin.workshop()?;
    let keys = admin.store.tenant_keys(&tenant.id, admin.now).await?;
    let rotation = tenant_keys::rotate_now(tenant, &keys, usage, admin.now);
    let ends = rotation.ends.len();
    let made = workshop.make(tenant, rotation.needs, rotation.ends, admin.now).await?;
    if made == 0 && ends == 0 {
        output::line("Nothing to change: the next keys are published already.");
    } else {
        let from = output::time(admin.now + tenant.settings.key_propagation);
        output::line(format!("{made} keys made; they take over about {from}."));
    }
    Ok(())
}
