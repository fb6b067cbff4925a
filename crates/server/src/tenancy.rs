//! Which tenant a request is for, and what is known of that tenant right now.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use signet_core::context::UnixTime;
use signet_core::discovery;
use signet_core::fault::Fault;
use signet_core::ids::TenantId;
use signet_core::records::{KeyState, Tenant, TenantKey};
use signet_core::request_object::DecryptionKey;
use signet_jose::{KeyAlg, KeyUse, SigAlg};
use signet_store::{Store, StoreError};
use url::Url;

use crate::keyring::Keyring;
use crate::vault::Vault;

/// How old a view may be. Published-before-use makes this harmless for keys; a change of a tenant is seen by every
/// node within it.
const FRESHNESS: Duration = Duration::from_secs(1);

/// A tenant with its keys and the documents made from them, at one instant.
#[derive(Debug)]
pub struct TenantView {
    /// The record.
    pub tenant: Tenant,
    /// Its key pairs that are not removed.
    pub keys: Vec<TenantKey>,
    /// Its decryption keys, one for each JWKS entry.
    pub decryption: Vec<DecryptionKey>,
    /// The discovery document.
    pub metadata: String,
    /// The key set.
    pub jwks: String,
    /// The issuer's path, without a slash at the end: the prefix of every address of this tenant.
    pub prefix: String,
    /// The issuer's scheme, host and port.
    pub origin: String,
}

impl TenantView {
    /// Whether cookies can be `__Host-` cookies.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// Seconds that clients may keep the JWKS: well within the time that keys are published before use.
    pub fn cacheable(&self) -> i64 {
        (self.tenant.settings.key_propagation / 2).clamp(0, 3_600)
    }
}

/// The tenants of this installation, as far as requests need them.
#[derive(Debug)]
pub struct Tenancy {
    addresses: Cache<(), Arc<Vec<Address>>>,
    views: Cache<TenantId, Arc<TenantView>>,
}

/// Where a tenant's issuer lives.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    tenant: Tenant,
    authority: String,
    origin: String,
    prefix: String,
}

impl Default for Tenancy {
    fn default() -> Self {
        Self {
            addresses: Cache::builder().max_capacity(1).time_to_live(FRESHNESS).build(),
            views: Cache::builder().max_capacity(10_000).time_to_live(FRESHNESS).build(),
        }
    }
}

/// What a view is made from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The records.
    pub store: &'a Arc<dyn Store>,
    /// The master key.
    pub vault: &'a Arc<Vault>,
    /// The built keys.
    pub keyring: &'a Arc<Keyring>,
    /// The request's instant.
    pub now: UnixTime,
}

impl Tenancy {
    /// The tenant whose issuer has this host and the longest path prefix of `path`, with the rest of the path.
    ///
    /// An installation with one tenant answers to any host name, so that a proxy may rename it; what it says of itself
    /// always comes from the stored issuer and never from `Host`.
    pub async fn find(
        &self,
        host: Option<&str>,
        path: &str,
        sources: &Sources<'_>,
    ) -> Result<Option<(Arc<TenantView>, String)>, Fault> {
        let addresses = self.addresses(sources).await?;
        let Some((address, rest)) = pick(&addresses, host, path) else { return Ok(None) };
        let view = self.view(address, sources).await?;
        Ok(Some((view, rest)))
    }

    /// The tenant with this id; `None` if it is gone.
    pub async fn by_id(
        &self,
        id: &TenantId,
        sources: &Sources<'_>,
    ) -> Result<Option<Arc<TenantView>>, Fault> {
        let addresses = self.addresses(sources).await?;
        match addresses.iter().find(|address| address.tenant.id == *id) {
            Some(address) => self.view(address, sources).await.map(Some),
            None => Ok(None),
        }
    }

    async fn addresses(&self, sources: &Sources<'_>) -> Result<Arc<Vec<Address>>, Fault> {
        self.addresses
            .try_get_with((), async { sources.store.tenants().await.map(|all| Arc::new(addresses(all))) })
            .await
            .map_err(|error| unavailable(&error))
    }

    async fn view(&self, address: &Address, sources: &Sources<'_>) -> Result<Arc<TenantView>, Fault> {
        self.views
            .try_get_with(address.tenant.id.clone(), async {
                let keys = sources.store.tenant_keys(&address.tenant.id, sources.now).await?;
                Ok::<_, StoreError>(Arc::new(build(address, keys, sources)))
            })
            .await
            .map_err(|error| unavailable(&error))
    }

    /// Forgets what is known, so that the next request sees a change made by this process.
    pub fn forget(&self) {
        self.addresses.invalidate_all();
        self.views.invalidate_all();
    }
}

fn unavailable(error: &StoreError) -> Fault {
    tracing::error!(error = %error, "tenants cannot be read");
    Fault::StoreUnavailable
}

fn addresses(tenants: Vec<Tenant>) -> Vec<Address> {
    let mut all: Vec<Address> = tenants.into_iter().filter_map(address).collect();
    // The longest prefix first, so that the first match is the best one.
    all.sort_by_key(|address| std::cmp::Reverse(address.prefix.len()));
    all
}

fn address(tenant: Tenant) -> Option<Address> {
    let url = Url::parse(&tenant.issuer).ok()?;
    let host = url.host_str()?;
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Some(Address {
        origin: url.origin().ascii_serialization(),
        prefix: url.path().trim_end_matches('/').to_owned(),
        authority: authority.to_ascii_lowercase(),
        tenant,
    })
}

fn pick<'a>(addresses: &'a [Address], host: Option<&str>, path: &str) -> Option<(&'a Address, String)> {
    let host = host.map(str::to_ascii_lowercase);
    let only_one = addresses.len() == 1;
    addresses.iter().find_map(|address| {
        let same_host = host.as_deref() == Some(address.authority.as_str());
        if !same_host && !only_one {
            return None;
        }
        below(path, &address.prefix).map(|rest| (address, rest))
    })
}

/// `path` without `prefix`. RFC 8414 section 3.1 puts the well-known part before the issuer's path; both forms are
/// answered.
fn below(path: &str, prefix: &str) -> Option<String> {
    for known in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        if let Some(after) = path.strip_prefix(known)
            && after.trim_end_matches('/') == prefix
        {
            return Some(known.to_owned());
        }
    }
    let rest = path.strip_prefix(prefix)?;
    match rest.chars().next() {
        None => Some("/".to_owned()),
        Some('/') => Some(rest.to_owned()),
        Some(_) => None,
    }
}

fn build(address: &Address, keys: Vec<TenantKey>, sources: &Sources<'_>) -> TenantView {
    let tenant = address.tenant.clone();
    TenantView {
        metadata: discovery::metadata(&tenant, &keys, sources.now).to_string(),
        jwks: discovery::jwks(&keys, sources.now).to_string(),
        prefix: address.prefix.clone(),
        origin: address.origin.clone(),
        decryption: decryption_keys(&keys, sources.keyring, sources.vault, sources.now),
        keys,
        tenant,
    }
}

/// The tenant's decryption keys at `now`, one for each JWKS entry.
pub fn decryption_keys(
    keys: &[TenantKey],
    keyring: &Keyring,
    vault: &Vault,
    now: UnixTime,
) -> Vec<DecryptionKey> {
    let published = keys.iter().filter(|key| key.usage == KeyUse::Enc && key.state(now) != KeyState::Removed);
    published
        .filter_map(|key| Some((key, keyring.decrypter(key, vault)?)))
        .flat_map(|(key, decrypter)| {
            key.algs.iter().filter_map(move |name| {
                let alg = KeyAlg::from_name(name)?;
                Some(DecryptionKey { kid: key.kid(name), alg, decrypter: decrypter.clone() })
            })
        })
        .collect()
}

impl TenantView {
    /// The key that signs with `alg` at `now`.
    pub fn signing_key(&self, alg: SigAlg, now: UnixTime) -> Result<&TenantKey, Fault> {
        discovery::signing_key(&self.keys, alg.name(), now).ok_or(Fault::SigningKeyMissing)
    }
}

#[cfg(test)]
mod tests {
    use signet_core::records::TenantSettings;

    use super::*;

    fn at(issuers: &[&str], host: &str, path: &str) -> Option<(String, String)> {
        let tenants = issuers.iter().map(|issuer| Tenant {
            id: (*issuer).into(),
            issuer: (*issuer).into(),
            version: 1,
            settings: TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        });
        let all = addresses(tenants.collect());
        pick(&all, Some(host), path).map(|(address, rest)| (address.tenant.issuer.clone(), rest))
    }

    #[test]
    fn a_request_is_matched_by_host_and_longest_path_prefix() {
        let issuers = ["https://id.example", "https://id.example/acme", "https://other.example/auth/open"];
        let is = |host: &str, path: &str, issuer: &str, rest: &str| {
            assert_eq!(at(&issuers, host, path), Some((issuer.into(), rest.into())), "{host}{path}");
        };
        is("id.example", "/authorize", "https://id.example", "/authorize");
        is("ID.example", "/acme/authorize", "https://id.example/acme", "/authorize");
        is("id.example", "/acmex/authorize", "https://id.example", "/acmex/authorize");
        is("id.example", "/acme", "https://id.example/acme", "/");
        is("other.example", "/auth/open/token", "https://other.example/auth/open", "/token");
        let known = "/.well-known/oauth-authorization-server";
        let of_acme = format!("{known}/acme");
        is("id.example", &of_acme, "https://id.example/acme", known);
        is("id.example", known, "https://id.example", known);
        assert_eq!(at(&issuers, "evil.example", "/authorize"), None);
        assert_eq!(at(&issuers, "other.example", "/token"), None);
    }

    #[test]
    fn a_single_tenant_answers_to_any_host_but_keeps_its_path() {
        assert!(at(&["https://id.example/a"], "10.0.0.1:8080", "/a/jwks").is_some());
        assert!(at(&["https://id.example/a"], "10.0.0.1:8080", "/jwks").is_none());
    }
}
