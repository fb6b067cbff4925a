//! The master key: everything secret that has to be read back is encrypted under it before it is stored.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use sha2::{Digest, Sha256};
use signet_core::audit::chain::ChainKeys;
use signet_core::context::Entropy;
use signet_core::ids::{ClientId, TenantId};
use signet_core::provision::SecretKeeper;
use signet_core::records::TenantKey;
use zeroize::Zeroizing;

/// Octets of a master key.
pub const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// Names the key among several, so that an old one still opens what it sealed.
const ID_LEN: usize = 4;
const VERSION: u8 = 1;

/// Why a master key was refused, or something could not be opened. Never says what was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Not base64.
    #[error("the master key is not base64")]
    NotBase64,
    /// Of the wrong length.
    #[error(
        "the master key has {found} bytes; it must have {KEY_LEN} (make one with `openssl rand -base64 32`)"
    )]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// A key that nobody drew at random.
    #[error("the master key is not random (make one with `openssl rand -base64 32`)")]
    Weak,
    /// Not sealed by one of these keys, or changed since.
    #[error("a stored secret cannot be opened with this master key")]
    Sealed,
    /// Nothing could be sealed.
    #[error("a secret could not be sealed")]
    Failed,
}

/// Seals and opens secrets with AES-256-GCM. The first key seals; all of them open, which is how a master key is
/// replaced.
pub struct Vault {
    keys: Vec<Zeroizing<[u8; KEY_LEN]>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Vault {
    /// Reads one master key, or several separated by commas, each 32 bytes in base64 or base64url.
    pub fn from_text(text: &str) -> Result<Self, VaultError> {
        let keys = text.trim().split(',').map(|one| read(one.trim())).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { keys })
    }

    /// A fresh master key, as text.
    pub fn generate(entropy: &dyn Entropy) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0_u8; KEY_LEN]);
        entropy.fill(bytes.as_mut_slice());
        Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    /// Keys of the audit chain, one for each master key. RFC 5869 section 3.3: where the input is a strong key already, "one may
    /// skip the extract part"; this is the first block of its expand step (section 2.3).
    pub fn chain_keys(&self) -> ChainKeys {
        let expand = |key| Zeroizing::new(mac(key, &[b"signet audit chain\x01"]));
        ChainKeys::new(self.keys.iter().map(expand).collect())
    }

    /// What tells one text from another and tells nobody what it is: its MAC under a key of its own for each master key, that
    /// of the first one first. Without the master key nobody can try guesses against it.
    pub fn fingerprints(&self, text: &[u8]) -> Vec<[u8; 32]> {
        let of = |key| mac(&Zeroizing::new(mac(key, &[b"signet fingerprint\x01"])), &[text]);
        self.keys.iter().map(of).collect()
    }

    /// Seals `plain`; it opens only with the same `context`, so sealed values cannot be swapped between records.
    pub fn seal(&self, context: &str, plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, VaultError> {
        let key = self.keys.first().ok_or(VaultError::Failed)?;
        let mut nonce = [0_u8; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut tag = [0_u8; TAG_LEN];
        let cipher = Cipher::aes_256_gcm();
        let sealed = encrypt_aead(cipher, key.as_slice(), Some(&nonce), context.as_bytes(), plain, &mut tag)
            .map_err(|_| VaultError::Failed)?;
        Ok([&[VERSION], id(key).as_slice(), &nonce, &tag, &sealed].concat())
    }

    /// Opens what [`Vault::seal`] made.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (head, rest) = sealed.split_at_checked(1 + ID_LEN).ok_or(VaultError::Sealed)?;
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN).ok_or(VaultError::Sealed)?;
        let (tag, body) = rest.split_at_checked(TAG_LEN).ok_or(VaultError::Sealed)?;
        if head[0] != VERSION {
            return Err(VaultError::Sealed);
        }
        let key = self.keys.iter().find(|key| id(key) == head[1..]).ok_or(VaultError::Sealed)?;
        decrypt_aead(Cipher::aes_256_gcm(), key.as_slice(), Some(nonce), context.as_bytes(), body, tag)
            .map(Zeroizing::new)
            .map_err(|_| VaultError::Sealed)
    }
}

fn read(text: &str) -> Result<Zeroizing<[u8; KEY_LEN]>, VaultError> {
    let decoded = [&STANDARD, &URL_SAFE, &URL_SAFE_NO_PAD]
        .into_iter()
        .find_map(|engine| engine.decode(text).ok())
        .map(Zeroizing::new)
        .ok_or(VaultError::NotBase64)?;
    let key: [u8; KEY_LEN] =
        decoded.as_slice().try_into().map_err(|_| VaultError::Length { found: decoded.len() })?;
    let distinct: std::collections::BTreeSet<u8> = key.iter().copied().collect();
    // 32 random bytes have fewer than 16 different values once in 10^17 draws.
    if distinct.len() < 16 || key.is_ascii() {
        return Err(VaultError::Weak);
    }
    Ok(Zeroizing::new(key))
}

/// A fingerprint; one way, so it tells nothing of the key.
fn id(key: &[u8; KEY_LEN]) -> [u8; ID_LEN] {
    let digest = Sha256::digest([b"signet master key".as_slice(), key].concat());
    let mut id = [0; ID_LEN];
    id.copy_from_slice(&digest[..ID_LEN]);
    id
}

/// Octets of what was sealed, from what sealing it gave.
pub fn plain_len(sealed: &[u8]) -> usize {
    sealed.len().saturating_sub(1 + ID_LEN + NONCE_LEN + TAG_LEN)
}

/// What a client's secret is bound to. A tenant's id has no slash in it, so no two clients share a context.
pub fn client_secret_context(tenant: &TenantId, client: &ClientId) -> String {
    format!("client_secret/{tenant}/{client}")
}

/// Keeps the secrets of clients that make MACs with them; without a master key nothing can be kept.
pub struct ClientSecrets {
    /// The master key.
    pub vault: Option<Arc<Vault>>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for ClientSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecrets").field("vault", &self.vault).finish_non_exhaustive()
    }
}

impl SecretKeeper for ClientSecrets {
    fn seal(&self, tenant: &TenantId, client: &ClientId, secret: &str) -> Option<Vec<u8>> {
        let vault = self.vault.as_ref()?;
        vault.seal(&client_secret_context(tenant, client), secret.as_bytes(), self.entropy.as_ref()).ok()
    }

    fn length(&self, sealed: &[u8]) -> usize {
        plain_len(sealed)
    }
}

/// HMAC-SHA-256 (RFC 2104) over the parts one after the other.
fn mac(key: &Zeroizing<[u8; KEY_LEN]>, parts: &[&[u8]]) -> [u8; 32] {
    let mut block = Zeroizing::new([0; 64]);
    block[..KEY_LEN].copy_from_slice(key.as_slice());
    let mut mac = <Hmac<Sha256> as Mac>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// What a tenant key's private part is bound to.
pub fn tenant_key_context(key: &TenantKey) -> String {
    format!("tenant_key/{}/{}", key.tenant, key.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemEntropy;

    fn vault() -> Vault {
        Vault::from_text(&Vault::generate(&SystemEntropy)).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_context_only() {
        let vault = vault();
        let sealed = vault.seal("a", b"secret", &SystemEntropy).unwrap();
        assert_eq!(vault.open("a", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(vault.open("b", &sealed), Err(VaultError::Sealed));
        assert_ne!(vault.seal("a", b"secret", &SystemEntropy).unwrap(), sealed);
        assert_eq!(plain_len(&sealed), 6);
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(vault.open("a", &changed), Err(VaultError::Sealed), "byte {at}");
            assert_eq!(vault.open("a", &sealed[..at]), Err(VaultError::Sealed), "cut at {at}");
        }
    }

    #[test]
    fn a_clients_secret_opens_for_that_client_of_that_tenant_only() {
        let vault = Arc::new(vault());
        let secrets = ClientSecrets { vault: Some(vault.clone()), entropy: Arc::new(SystemEntropy) };
        let sealed = secrets.seal(&"t".into(), &"a/b".into(), "secret").unwrap();
        let open = |tenant: &str, client: &str| {
            vault.open(&client_secret_context(&tenant.into(), &client.into()), &sealed).is_ok()
        };
        assert!(open("t", "a/b") && !open("t", "a") && !open("u", "a/b"));
        assert_eq!(secrets.length(&sealed), 6);
    }

    #[test]
    fn a_replaced_master_key_still_opens_what_it_sealed() {
        let (old, new) = (Vault::generate(&SystemEntropy), Vault::generate(&SystemEntropy));
        let sealed = Vault::from_text(&old).unwrap().seal("a", b"x", &SystemEntropy).unwrap();
        let both = Vault::from_text(&format!("{},{}", *new, *old)).unwrap();
        assert_eq!(both.open("a", &sealed).unwrap().as_slice(), b"x");
        let resealed = both.seal("a", b"x", &SystemEntropy).unwrap();
        assert_eq!(Vault::from_text(&new).unwrap().open("a", &resealed).unwrap().as_slice(), b"x");
        assert_eq!(Vault::from_text(&new).unwrap().open("a", &sealed), Err(VaultError::Sealed));
    }

    #[test]
    fn fingerprints_tell_texts_apart_and_need_the_master_key() {
        let (old, new) = (Vault::generate(&SystemEntropy), Vault::generate(&SystemEntropy));
        let (one, both) =
            (Vault::from_text(&old).unwrap(), Vault::from_text(&format!("{},{}", *new, *old)).unwrap());
        assert_ne!(one.fingerprints(b"a"), one.fingerprints(b"b"));
        assert_eq!(one.fingerprints(b"a")[0], both.fingerprints(b"a")[1]);
        assert_ne!(one.fingerprints(b"a")[0], both.fingerprints(b"a")[0]);
        let plain: [u8; 32] = Sha256::digest(b"a").into();
        assert_ne!(one.fingerprints(b"a")[0], plain);
    }

    #[test]
    fn weak_and_malformed_master_keys_are_refused_by_name() {
        assert_eq!(Vault::from_text("short").err(), Some(VaultError::NotBase64));
        assert_eq!(Vault::from_text("c2hvcnQ=").err(), Some(VaultError::Length { found: 5 }));
        assert_eq!(Vault::from_text(&STANDARD.encode([7; 32])).err(), Some(VaultError::Weak));
        let phrase = STANDARD.encode(b"correct horse battery staple 123");
        assert_eq!(Vault::from_text(&phrase).err(), Some(VaultError::Weak));
        assert!(!format!("{:?}", vault()).contains("keys: ["));
    }
}
