//! `id_token_hint` with what this node holds.

use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::hint::{self, Hint, HintPolicy};
use signet_core::records::{Client, Tenant, TenantKey};
use signet_core::request_object::DecryptionKey;
use signet_jose::Trace;

/// Opens and judges a hint that `client` sends. CPU-heavy: a signature, and perhaps a decryption.
pub fn judge(
    token: &str,
    client: &Client,
    tenant: &Tenant,
    keys: &[TenantKey],
    decryption: &[DecryptionKey],
    now: UnixTime,
) -> Result<Hint, Fault> {
    let mut trace = Trace::new();
    let opened = hint::open(token, decryption, &mut trace)?;
    let policy = HintPolicy {
        issuer: &tenant.issuer,
        keys,
        verifier: &hint::tenant_verifier,
        secret: None,
        client_id: Some(&client.client_id),
        now,
        skew: tenant.settings.clock_skew,
    };
    hint::judge(opened, &policy, &mut trace)
}
