//! Single use of `jti`: under which key it is remembered, and for how long.

use sha2::{Digest, Sha256};

use crate::context::UnixTime;
use crate::ids::{ClientId, TenantId};
use crate::records::{Replay, ReplayKind};

/// A `jti` is single-use for this long at least, in seconds.
pub const WINDOW: i64 = 24 * 3600;
/// Longest accepted `jti`, in bytes.
pub const MAX_JTI: usize = 256;

/// One use of `jti` at `now` in a message that expires at `exp`.
///
/// remembered for `max(24 h, exp - now + skew)`, since the message itself is acceptable until `exp + skew`. The
/// entry ends one second later, so that the instant at the end of the window still refuses.
pub fn claim(
    tenant: &TenantId,
    client: &ClientId,
    kind: ReplayKind,
    jti: &str,
    exp: UnixTime,
    skew: i64,
    now: UnixTime,
) -> Replay {
    let until = now.saturating_add(WINDOW).max(exp.saturating_add(skew)).saturating_add(1);
    Replay { key: key(tenant, client, kind, jti), now, until }
}

/// First 16 bytes of SHA-256 over length-prefixed fields: no two different tuples give the same input.
fn key(tenant: &TenantId, client: &ClientId, kind: ReplayKind, jti: &str) -> [u8; 16] {
    let kind = match kind {
        ReplayKind::RequestObject => "request_object",
        ReplayKind::ClientAssertion => "client_assertion",
        ReplayKind::DpopProof => "dpop_proof",
    };
    let mut hasher = Sha256::new();
    for field in [tenant.as_str(), kind, client.as_str(), jti] {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field.as_bytes());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(now: i64, exp: i64) -> Replay {
        claim(&"t".into(), &"c".into(), ReplayKind::RequestObject, "j", exp, 60, now)
    }

    #[test]
    fn the_window_is_24_hours_or_the_objects_own_life() {
        assert_eq!(at(1000, 1600).until, 1000 + WINDOW + 1);
        assert_eq!(at(1000, 1000 + 2 * WINDOW).until, 1000 + 2 * WINDOW + 61);
        assert_eq!(at(1000, i64::MAX).until, i64::MAX);
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let of = |t: &str, c: &str, k, j: &str| key(&t.into(), &c.into(), k, j);
        let base = of("t", "client", ReplayKind::RequestObject, "jti");
        assert_ne!(base, of("tc", "lient", ReplayKind::RequestObject, "jti"));
        assert_ne!(base, of("t", "clientj", ReplayKind::RequestObject, "ti"));
        assert_ne!(base, of("t", "client", ReplayKind::ClientAssertion, "jti"));
    }

    proptest! {
        /// while the object would still be accepted, and for 24 hours in any case, its jti stays used.
        #[test]
        fn nothing_acceptable_is_forgotten(now in 0_i64..4_000_000_000, life in -60_i64..10_000_000, later in 0_i64..20_000_000) {
            let exp = now + life;
            let replay = at(now, exp);
            let instant = now + later;
            let still_acceptable = instant <= exp + 60;
            if later <= WINDOW || still_acceptable {
                prop_assert!(replay.until > instant);
            } else {
                prop_assert!(replay.until <= instant);
            }
        }
    }
}
