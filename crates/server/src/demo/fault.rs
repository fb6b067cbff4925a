//! What can go wrong at the demo, and what its page says about it.

use signet_jose::{JoseFault, KeyFault};

/// A refusal, by the provider or by the demo's own checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DemoFault {
    /// No such client.
    ClientUnknown,
    /// No answer.
    Unreachable { what: &'static str },
    /// An answer that cannot be used.
    Answer { what: &'static str, status: u16, detail: String },
    /// The provider sent an error to the redirect URI (RFC 6749 section 4.1.2.1).
    Refused { error: String, description: String },
    /// The same, for a request that had been accepted before.
    ReplayRefused { error: String, description: String },
    /// `state` is missing or unknown here, or belongs to another browser (RFC 6749 section 10.12).
    StateUnknown,
    /// The response came a second time.
    Finished,
    /// `iss` is not the provider's (RFC 9207 section 2.4).
    IssuerMismatch,
    /// Neither `code` nor `error`.
    ResponseEmpty,
    /// The provider offers nothing to encrypt to.
    EncryptionKeyMissing,
    /// The demo's own key or one of the provider's cannot be used.
    Key(KeyFault),
    /// A message broke a rule of the JOSE policy.
    Message { what: &'static str, fault: JoseFault },
    /// A claim is not what this login wants.
    Claim { what: &'static str, claim: &'static str },
    /// No result to show.
    StoryMissing,
    /// Work was broken off.
    Interrupted,
}

/// Texts of a fault's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) heading: &'static str,
    pub(super) text: String,
    pub(super) hint: &'static str,
}

impl From<KeyFault> for DemoFault {
    fn from(fault: KeyFault) -> Self {
        Self::Key(fault)
    }
}

const START_AGAIN: &str = "Start again from the demo's first page.";
const SEE_LOG: &str = "The provider's log has one line for each refusal, with the reason. Then start again.";

impl DemoFault {
    #[expect(clippy::too_many_lines, reason = "one row for each fault")]
    pub(super) fn told(&self) -> Told {
        let tell = |status, code: &str, heading, text: String, hint| Told {
            status,
            code: code.to_owned(),
            heading,
            text,
            hint,
        };
        match self {
            Self::ClientUnknown => {
                let text = "The demo has no client of this name.".into();
                tell(400, "demo_client_unknown", "Unknown client", text, START_AGAIN)
            }
            Self::Unreachable { what } => tell(
                502,
                "demo_provider_unreachable",
                "The provider does not answer",
                format!("There was no answer to the demo's request for the {what}."),
                "See whether the provider runs and is reached under its issuer URL, then start again.",
            ),
            Self::Answer { what, status, detail } => tell(
                502,
                "demo_provider_answer",
                "The provider's answer cannot be used",
                format!("{what}: status {status}. {detail}"),
                SEE_LOG,
            ),
            Self::Refused { error, description } => tell(
                400,
                error,
                "The provider refused",
                sentence("It gave no reason.", description),
                "Start again. If you chose to cancel or to deny, this is how an application learns of it.",
            ),
            Self::ReplayRefused { error, description } => tell(
                400,
                error,
                "Refused, as it must be",
                sentence("The provider does not accept this request a second time.", description),
                "A request object is good for one login: its jti was consumed by the first. Start again to make a new one.",
            ),
            Self::StateUnknown => tell(
                400,
                "demo_state_unknown",
                "This response belongs to no login of this browser",
                "Its state is missing, expired, or was made for another browser.".into(),
                START_AGAIN,
            ),
            Self::Finished => tell(
                400,
                "demo_login_finished",
                "This login is finished",
                "Its response was used before, and is not used a second time.".into(),
                "Open the result again, or start anew.",
            ),
            Self::IssuerMismatch => tell(
                400,
                "demo_iss_mismatch",
                "This response comes from somebody else",
                "The iss of the authorization response is not the provider that was asked (RFC 9207).".into(),
                START_AGAIN,
            ),
            Self::ResponseEmpty => tell(
                400,
                "demo_response_empty",
                "This response says nothing",
                "It has neither code nor error.".into(),
                START_AGAIN,
            ),
            Self::EncryptionKeyMissing => tell(
                502,
                "demo_encryption_key_missing",
                "There is no key to seal with",
                "The provider's JWKS has no key with use enc, so no request object can be encrypted.".into(),
                "Add an encryption key to the provider, then start again.",
            ),
            Self::Key(fault) => {
                tell(500, fault.code(), "A key cannot be used", sentence("", &fault.to_string()), SEE_LOG)
            }
            Self::Message { what, fault } => tell(
                502,
                fault.code(),
                "A message did not pass the demo's checks",
                format!("{what}: {fault}."),
                SEE_LOG,
            ),
            Self::Claim { what, claim } => tell(
                502,
                &format!("demo_{claim}_mismatch"),
                "A message did not pass the demo's checks",
                format!("{what}: the claim {claim} does not belong to this login."),
                "Start again. If it happens again, somebody swaps messages, or one side is set up wrongly.",
            ),
            Self::StoryMissing => tell(
                404,
                "demo_result_missing",
                "There is no login to show",
                "Results are kept for a quarter of an hour, and only for the browser that signed in.".into(),
                START_AGAIN,
            ),
            Self::Interrupted => tell(
                500,
                "demo_interrupted",
                "The work was broken off",
                "The demo could not finish its part.".into(),
                START_AGAIN,
            ),
        }
    }
}

/// Ends with a full stop; `nothing` stands in for an empty text.
fn sentence(nothing: &str, text: &str) -> String {
    let text = text.trim();
    match text.chars().next_back() {
        None => nothing.to_owned(),
        Some('.' | '!' | '?') => text.to_owned(),
        Some(_) => format!("{text}."),
    }
}
