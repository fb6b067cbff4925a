//! What people prove themselves with besides the password: the computations. The rules are in `signet_core::interaction`.

pub mod passkeys;
pub mod totp;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use signet_core::context::{Entropy, UnixTime};
use signet_core::fault::Fault;

use crate::vault::Vault;

/// How long a page with something sealed in it may be answered, in seconds.
pub const PATIENCE: i64 = 600;

/// What goes to the browser and comes back with the answer.
#[derive(Serialize, Deserialize)]
struct Carried<T> {
    until: UnixTime,
    what: T,
}

/// Seals `what` until the answer comes. It opens in the same `context` only, which names whom and what it is for.
pub fn seal<T: Serialize>(
    vault: &Vault,
    context: &str,
    what: &T,
    now: UnixTime,
    entropy: &dyn Entropy,
) -> Result<String, Fault> {
    let fault = Fault::Internal { detail: "a second factor could not be sealed" };
    let carried = Carried { until: now + PATIENCE, what };
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&carried).map_err(|_| fault.clone())?);
    let sealed = vault.seal(context, &plain, entropy).map_err(|_| fault)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens what [`seal`] made; `None` for what was not sealed here, for something else, or too long ago.
pub fn open<T: DeserializeOwned>(vault: &Vault, context: &str, sealed: &str, now: UnixTime) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let plain = vault.open(context, &bytes).ok()?;
    let carried: Carried<T> = serde_json::from_slice(&plain).ok()?;
    (now < carried.until).then_some(carried.what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemEntropy;

    #[test]
    fn what_is_carried_opens_for_its_purpose_and_in_time() {
        let vault = Vault::from_text(&Vault::generate(&SystemEntropy)).unwrap();
        let sealed = seal(&vault, "a", &"secret", 100, &SystemEntropy).unwrap();
        let open = |context, now| open::<String>(&vault, context, &sealed, now);
        assert_eq!(open("a", 100 + PATIENCE - 1).as_deref(), Some("secret"));
        assert_eq!(open("a", 100 + PATIENCE), None);
        assert_eq!(open("b", 100), None);
        assert_eq!(super::open::<String>(&vault, "a", "nothing", 100), None);
    }
}
