//! Placeholder.
use crate::records::{ClientKey, ClientSettings};
use signet_jose::KeyAlg;
/// No key.
#[derive(Debug)]
pub struct NoKey;
/// Choice.
pub fn encryption_key<'a>(
    keys: &'a [ClientKey],
    _settings: &ClientSettings,
    _alg: KeyAlg,
    _propagation: i64,
    now: i64,
) -> Result<&'a ClientKey, NoKey> {
    keys.iter().find(|k| k.usable_at(now)).ok_or(NoKey)
}
