//! Which check belongs to which layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The layers of a request, from the outside in, as they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayerName {
    /// How the request came and which client it names.
    Arrival,
    /// The header of the JWE.
    OuterHeader,
    /// The decryption.
    Decryption,
    /// The header of the JWS.
    InnerHeader,
    /// The signature.
    Signature,
    /// What the object says of itself.
    Claims,
    /// The request's parameters.
    Parameters,
    /// What the client's settings and keys demand.
    Policy,
    /// Whether it was used before.
    Replay,
}

impl LayerName {
    /// Every layer with its heading.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Arrival, "The request and its client"),
        (Self::OuterHeader, "Outer header (JWE)"),
        (Self::Decryption, "Decryption"),
        (Self::InnerHeader, "Inner header (JWS)"),
        (Self::Signature, "Signature"),
        (Self::Claims, "Claims"),
        (Self::Parameters, "Parameters"),
        (Self::Policy, "Policy of the client"),
        (Self::Replay, "Single use"),
    ];

    /// The layer of a rule. Rules that are not named here are about parameters, of which there are most.
    pub(super) fn of(rule: &str) -> Self {
        match rule {
            "client" | "form" | "client_id_outside" | "request" => Self::Arrival,
            "cty" | "jwe_key" => Self::OuterHeader,
            "jwe_decrypt" => Self::Decryption,
            "nested_jws" | "jws_algorithm" | "typ" => Self::InnerHeader,
            "signing_key" | "secret" | "jws_key" | "signature" | "unsigned" => Self::Signature,
            "claims" | "client_id" | "iss" | "aud" | "aud_form" | "exp" | "nbf" | "iat" | "lifetime"
            | "age" | "required_claim" | "sub" | "nested_request" | "jti" | "unsigned_claims" => Self::Claims,
            "encrypted" | "pushed" | "request_object" | "responses" => Self::Policy,
            "single_use" => Self::Replay,
            _ => Self::Parameters,
        }
    }
}
