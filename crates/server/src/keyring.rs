//! Key objects, built once and kept. Each is found by its own content (thumbprint or key id), so nothing here can go
//! stale: a revoked key is not asked for any more. What a client says its key is for (RFC 7517 sections 4.2 and 4.4) is no
//! part of that content, and is asked each time.

use moka::sync::Cache;
use serde_json::Value;
use signet_core::client_policy::{fits_enc, fits_sig};
use signet_core::ids::TenantId;
use signet_core::records::{ClientKey, TenantKey};
use signet_jose::{Decrypter, Encrypter, KeyAlg, PrivateKey, PublicKey, SigAlg, Signer, Verifier};

use crate::vault::Vault;

/// Caches of built keys. Building one costs as much as a signature, so it belongs on the crypto pool.
#[derive(Debug)]
pub struct Keyring {
    verifiers: Cache<(String, Option<String>, SigAlg), Verifier>,
    encrypters: Cache<(String, String, KeyAlg), Encrypter>,
    signers: Cache<(TenantId, String, SigAlg), Signer>,
    decrypters: Cache<(TenantId, String), Decrypter>,
}

impl Default for Keyring {
    fn default() -> Self {
        Self {
            verifiers: Cache::new(10_000),
            encrypters: Cache::new(10_000),
            signers: Cache::new(1_000),
            decrypters: Cache::new(1_000),
        }
    }
}

impl Keyring {
    /// The verifier of a client's signing key; `None` if key and algorithm do not fit.
    pub fn verifier(&self, key: &ClientKey, alg: SigAlg) -> Option<Verifier> {
        if !fits_sig(key, alg) {
            return None;
        }
        let named = key.jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
        let name = (key.thumbprint.clone(), named, alg);
        self.verifiers.optionally_get_with(name, || {
            let public = public(key)?;
            if public.fits_sig(alg) { public.verifier(alg).ok() } else { None }
        })
    }

    /// The encrypter of a client's encryption key; `None` if key and algorithm do not fit.
    pub fn encrypter(&self, key: &ClientKey, alg: KeyAlg) -> Option<Encrypter> {
        if !fits_enc(key, alg) {
            return None;
        }
        let name = (key.thumbprint.clone(), key.kid.clone(), alg);
        self.encrypters.optionally_get_with(name, || {
            let public = public(key)?.with_kid(key.kid.clone());
            if public.fits_enc(alg) { public.encrypter(alg).ok() } else { None }
        })
    }

    /// The signer of a tenant key for `alg`.
    pub fn signer(&self, key: &TenantKey, alg: SigAlg, vault: &Vault) -> Option<Signer> {
        self.signers.optionally_get_with((key.tenant.clone(), key.id.clone(), alg), || {
            private(key, vault)?.with_kid(key.kid(alg.name())).signer(alg).ok()
        })
    }

    /// The decrypter of a tenant key.
    pub fn decrypter(&self, key: &TenantKey, vault: &Vault) -> Option<Decrypter> {
        self.decrypters.optionally_get_with((key.tenant.clone(), key.id.clone()), || {
            private(key, vault)?.decrypter().ok()
        })
    }
}

/// The key as its owner gave it. One without `kid` stays without: it verifies whatever `kid` a header has, since nobody
/// said that it goes by one. What is encrypted to it carries the record's.
fn public(key: &ClientKey) -> Option<PublicKey> {
    PublicKey::from_jwk(&Value::Object(key.jwk.clone())).ok()
}

fn private(key: &TenantKey, vault: &Vault) -> Option<PrivateKey> {
    let plain = vault.open(&crate::vault::tenant_key_context(key), &key.sealed_private).ok()?;
    let text = std::str::from_utf8(&plain).ok()?;
    let private = PrivateKey::from_jwk(text);
    if let Err(fault) = &private {
        tracing::error!(key = key.id, tenant = %key.tenant, reason = fault.code(), "a tenant key cannot be read");
    }
    private.ok()
}
