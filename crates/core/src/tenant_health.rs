//! What about a tenant and its node somebody should look at.

use signet_jose::KeyUse;

use crate::coded::coded;
use crate::context::UnixTime;
use crate::records::{TenantKey, TenantSettings};

coded! {
    /// Something that somebody should look at.
    Warning {
        KeyMissing { alg: &'static str } = "tenant_key_missing", "No key of this tenant serves {alg}. Rotate the keys.";
        KeyEnding { alg: &'static str } = "tenant_key_ending", "The key for {alg} ends soon and has no successor. Is the job that makes keys running?";
        ClockDrift { seconds: u64, tolerated: i64 } = "clock_drift", "The clocks of this node and of the database differ by {seconds} seconds; {tolerated} are tolerated. Let both set their clocks by NTP.";
        MailOff = "mail_off", "No mail is sent, so nobody can be invited or reset a password by mail: the settings name no mail server.";
        Development = "development", "This tenant was made by \"signet dev\": its secrets are known to everybody.";
    }
}

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The tenant's settings.
    pub settings: &'a TenantSettings,
    /// The tenant's keys.
    pub keys: &'a [TenantKey],
    /// How far the database's clock is ahead of this node's, in seconds.
    pub drift: i64,
    /// How many seconds of that are tolerated; `None` where nobody minds.
    pub tolerated: Option<i64>,
    /// Whether mail is sent.
    pub mail: bool,
    /// The instant.
    pub now: UnixTime,
}

/// What somebody should look at, the most pressing first.
pub fn warnings(facts: &Facts<'_>) -> Vec<Warning> {
    let settings = facts.settings;
    let signing = settings.signing_algs.iter().map(|alg| (KeyUse::Sig, alg.name()));
    let sealing = settings.encryption_algs.iter().map(|alg| (KeyUse::Enc, alg.name()));
    let mut found: Vec<Warning> =
        signing.chain(sealing).filter_map(|(usage, alg)| succession(facts, usage, alg)).collect();
    let seconds = facts.drift.unsigned_abs();
    if let Some(tolerated) = facts.tolerated
        && i64::try_from(seconds).map_or(true, |seconds| seconds > tolerated)
    {
        found.push(Warning::ClockDrift { seconds, tolerated });
    }
    if !facts.mail {
        found.push(Warning::MailOff);
    }
    if settings.development {
        found.push(Warning::Development);
    }
    found
}

/// Successors are published at least `key_propagation` before they are needed.
fn succession(facts: &Facts<'_>, usage: KeyUse, alg: &'static str) -> Option<Warning> {
    let serving = facts.keys.iter().filter(|key| key.usage == usage && key.algs.iter().any(|own| own == alg));
    let left = serving.map(|key| key.use_until).max().map_or(0, |end| end.saturating_sub(facts.now));
    if left <= 0 {
        Some(Warning::KeyMissing { alg })
    } else if left <= facts.settings.key_propagation {
        Some(Warning::KeyEnding { alg })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use signet_jose::{KeyAlg, KeySpec, SigAlg};

    use super::*;

    const NOW: UnixTime = 1_800_000_000;

    fn key(usage: KeyUse, alg: &str, use_until: UnixTime) -> TenantKey {
        TenantKey {
            tenant: "one".into(),
            id: "key".into(),
            usage,
            spec: KeySpec::Rsa2048,
            algs: vec![alg.to_owned()],
            public_jwk: serde_json::Map::new(),
            sealed_private: Vec::new(),
            created_at: 0,
            use_from: 0,
            use_until,
            remove_at: i64::MAX,
            revoked_at: None,
        }
    }

    fn codes(facts: &Facts<'_>) -> Vec<&'static str> {
        warnings(facts).iter().map(Warning::code).collect()
    }

    #[test]
    fn a_key_without_a_successor_is_told_of_in_time() {
        let settings = TenantSettings {
            signing_algs: vec![SigAlg::ES256],
            encryption_algs: vec![KeyAlg::RsaOaep256],
            key_propagation: 100,
            ..TenantSettings::default()
        };
        let enc = key(KeyUse::Enc, "RSA-OAEP-256", i64::MAX);
        let sig = |until| key(KeyUse::Sig, "ES256", until);
        let cases: [(Vec<TenantKey>, &[&str]); 7] = [
            (vec![sig(NOW + 101), enc.clone()], &[]),
            (vec![sig(NOW + 100), enc.clone()], &["tenant_key_ending"]),
            (vec![sig(NOW + 1), sig(NOW + 500), enc.clone()], &[]),
            (vec![sig(NOW), enc.clone()], &["tenant_key_missing"]),
            (vec![enc.clone()], &["tenant_key_missing"]),
            (vec![key(KeyUse::Enc, "ES256", i64::MAX), enc], &["tenant_key_missing"]),
            (Vec::new(), &["tenant_key_missing", "tenant_key_missing"]),
        ];
        for (keys, expected) in cases {
            let facts =
                Facts { settings: &settings, keys: &keys, drift: 0, tolerated: None, mail: true, now: NOW };
            assert_eq!(codes(&facts), expected, "{keys:?}");
        }
    }

    #[test]
    fn clocks_mail_and_development_are_told_of() {
        let settings = TenantSettings {
            signing_algs: Vec::new(),
            encryption_algs: Vec::new(),
            ..TenantSettings::default()
        };
        let made_by_dev = TenantSettings { development: true, ..settings.clone() };
        let calm =
            Facts { settings: &settings, keys: &[], drift: 0, tolerated: Some(5), mail: true, now: NOW };
        let cases: [(Facts<'_>, &[&str]); 8] = [
            (calm, &[]),
            (Facts { drift: 5, ..calm }, &[]),
            (Facts { drift: 6, ..calm }, &["clock_drift"]),
            (Facts { drift: -6, ..calm }, &["clock_drift"]),
            (Facts { drift: i64::MIN, ..calm }, &["clock_drift"]),
            (Facts { drift: 600, tolerated: None, ..calm }, &[]),
            (Facts { mail: false, ..calm }, &["mail_off"]),
            (Facts { settings: &made_by_dev, ..calm }, &["development"]),
        ];
        for (facts, expected) in cases {
            assert_eq!(codes(&facts), expected, "{facts:?}");
        }
    }
}
