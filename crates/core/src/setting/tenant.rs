//! The settings of a tenant.

use super::{Kind, Word, key_algs, settings, signatures};
use crate::records::{AssertionAudience, RegistrationPolicy, SecondFactor};

fn registrations() -> Vec<Word> {
    RegistrationPolicy::ALL
        .iter()
        .map(|one| match one {
            RegistrationPolicy::Off => (one.name(), "Nobody"),
            RegistrationPolicy::InitialAccessToken => (one.name(), "Whoever holds a registration token"),
            RegistrationPolicy::Open => (one.name(), "Anybody"),
        })
        .collect()
}

fn audiences() -> Vec<Word> {
    AssertionAudience::ALL
        .iter()
        .map(|one| match one {
            AssertionAudience::IssuerOnly => (one.name(), "The issuer alone (FAPI 2.0)"),
            AssertionAudience::IssuerOrEndpoint => (one.name(), "The issuer or the endpoint that is called"),
        })
        .collect()
}

fn factors() -> Vec<Word> {
    SecondFactor::ALL
        .iter()
        .map(|one| match one {
            SecondFactor::Optional => (one.name(), "Those who want one"),
            SecondFactor::Required => (one.name(), "Everybody"),
        })
        .collect()
}

settings! {
    /// Every setting of a tenant that people choose here.
    TENANT_SETTINGS;
    Sessions {
        "session_idle", Kind::Seconds, "Session, unused", "Seconds of silence after which people sign in again.";
        "session_lifetime", Kind::Seconds, "Session, in all", "Seconds after which people sign in again in any case.";
        "interaction_lifetime", Kind::Seconds, "Time to sign in", "Seconds that people may take between the request and the consent.";
        "second_factor", Kind::One(factors), "Second factor", "Who needs one; whoever has one is always asked for it.";
        "self_registration", Kind::Switch, "People make accounts", "People may make an account for themselves (prompt=create).";
    }
    Acceptance {
        "require_pushed_authorization_requests", Kind::Switch, "Requires PAR of everybody", "Every authorization request must be pushed by its client first (RFC 9126).";
        "client_id_in_object_only", Kind::Switch, "client_id inside the object alone", "Requests may name their client in the request object only.";
        "assertion_audience", Kind::One(audiences), "Audience of client assertions", "What clients that prove themselves with a JWT write as its aud.";
        "clock_skew", Kind::Seconds, "Clock tolerance", "Seconds that the clocks of others may differ.";
        "request_object_max_lifetime", Kind::Seconds, "Longest request object", "Seconds between iat and exp of a request object.";
        "request_object_max_age", Kind::Seconds, "Oldest request object", "Seconds since iat of a request object.";
        "unsigned_request_objects", Kind::Switch, "Unsigned request objects", "Clients may be allowed them; for conformance tests only.";
        "unsigned_id_tokens", Kind::Switch, "Unsigned ID tokens", "Clients may be given them; for conformance tests only.";
    }
    Registration {
        "registration", Kind::One(registrations), "Who registers clients", "Over the network (RFC 7591); administrators always do so here.";
    }
    TenantKeys {
        "signing_algs", Kind::Some(signatures), "Signature algorithms", "The tenant keeps a signing key for each.";
        "encryption_algs", Kind::Some(key_algs), "Encryption algorithms", "The tenant keeps a decryption key for each.";
        "key_lifetime", Kind::Seconds, "Time of use", "Seconds that a key is used before the next one takes over.";
        "key_propagation", Kind::Seconds, "Time to spread", "Seconds that a key is published before it is used; clients may keep the key set for half as long.";
        "key_retention", Kind::Seconds, "Time after use", "Seconds that a key stays published after its last use.";
    }
    Scopes {
        "scopes", Kind::Scopes, "Scopes of this tenant", "One a line: name | title | sentence for the consent page | claims with spaces between them.";
        "audit_retention", Kind::OptionalSeconds, "Audit trail", "Seconds that events are kept; for ever if left empty.";
    }
    Branding {
        "branding.name", Kind::Text, "Name", "In headings and titles of every page.";
        "branding.logo_url", Kind::OptionalText, "Logo", "An image above the forms in place of the seal; an https or data address.";
        "branding.accent", Kind::Colour, "Accent colour", "Of buttons, links and the seal. Text colours are derived from it, so that every choice can be read.";
    }
}
