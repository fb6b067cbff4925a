//! How well a person has proved who they are, what is wanted of them, and what they could give.

use serde_json::Value;

use super::Input;
use crate::authorize::AuthorizationRequest;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::records::{Credential, CredentialKind, SecondFactor, Session, Stage, Tenant};

/// How well a person has proved who they are, in order: a higher level meets a demand for a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A password alone.
    Password,
    /// A password and a one-time password or recovery code.
    Mfa,
    /// A passkey, whose authenticator has verified the person.
    Passkey,
}

impl Level {
    /// Every level, the lowest first.
    pub const ALL: [Self; 3] = [Self::Password, Self::Mfa, Self::Passkey];

    /// Its name in `acr` and `acr_values`.
    pub const fn acr(self) -> &'static str {
        match self {
            Self::Password => "urn:signet:acr:password",
            Self::Mfa => "urn:signet:acr:mfa",
            Self::Passkey => "urn:signet:acr:passkey",
        }
    }

    /// The level of that name.
    pub fn parse(acr: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.acr() == acr)
    }

    /// The level of a session; what is not known counts as the lowest.
    pub fn of(session: &Session) -> Self {
        Self::parse(&session.acr).unwrap_or(Self::Password)
    }
}

/// What a person has enrolled besides the password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// A passkey.
    pub passkey: bool,
    /// An authenticator application.
    pub totp: bool,
    /// A recovery code that is unused. By itself it is no second factor, only a way around a lost one.
    pub recovery: bool,
}

impl Factors {
    /// Of these credentials, all of one person.
    pub fn of(credentials: &[Credential]) -> Self {
        let has = |kind| credentials.iter().any(|credential| credential.kind == kind);
        Self {
            passkey: has(CredentialKind::Passkey),
            totp: has(CredentialKind::Totp),
            recovery: has(CredentialKind::RecoveryCode),
        }
    }

    /// Whether the password alone is not enough any more.
    pub fn has_second(self) -> bool {
        self.passkey || self.totp
    }

    /// Whether this person could reach `level` with what is enrolled.
    pub fn reach(self, level: Level) -> bool {
        match level {
            Level::Password => true,
            Level::Mfa => self.has_second(),
            Level::Passkey => self.passkey,
        }
    }
}

/// The level that a login of a person with these factors must reach for this request, or ends without.
///
/// Whoever has a second factor is always asked for it; tenant and client may ask everybody. An essential `acr` is met or
/// refused (OpenID Connect Core section 5.5.1.1).
pub(super) fn demanded(input: &Input<'_>) -> Result<Level, Fault> {
    let everybody = input.tenant.settings.second_factor == SecondFactor::Required
        || input.client.settings.require_second_factor;
    let base = if everybody || input.factors.has_second() { Level::Mfa } else { Level::Password };
    let level = base.max(essential(&input.interaction.request)?.unwrap_or(Level::Password));
    // An authenticator application can be enrolled on the way; a passkey cannot.
    if level == Level::Passkey && !input.factors.passkey { Err(Fault::AcrUnmet) } else { Ok(level) }
}

/// The level that is asked for. Of the voluntary ones, which are "in order of preference" (section 3.1.2.1), the first counts
/// that the person could meet. Once somebody has authenticated within this interaction, what they gave is what they could.
pub(super) fn wanted(input: &Input<'_>) -> Result<Level, Fault> {
    let asked = !matches!(input.interaction.stage, Stage::Authenticated { .. });
    let voluntary = || voluntary(&input.interaction.request).find(|level| input.factors.reach(*level));
    let wished = if asked { voluntary() } else { None };
    Ok(demanded(input)?.max(wished.unwrap_or(Level::Password)))
}

/// Whether a session is enough for the account pages of its person.
pub fn opens_account(tenant: &Tenant, session: &Session, factors: Factors) -> bool {
    let needed = tenant.settings.second_factor == SecondFactor::Required || factors.has_second();
    Level::of(session) >= if needed { Level::Mfa } else { Level::Password }
}

/// The lowest level that meets an essential `acr`, if there is one. Section 5.5.1.1: "If this is an Essential Claim and the
/// requirement cannot be met, then the Authorization Server MUST treat that outcome as a failed authentication attempt."
pub(super) fn essential(request: &AuthorizationRequest) -> Result<Option<Level>, Fault> {
    let Some(acr) = request.claims.id_token.get("acr").filter(|acr| acr.essential && !acr.values.is_empty())
    else {
        return Ok(None);
    };
    acr.values.iter().filter_map(level).min().map(Some).ok_or(Fault::AcrUnmet)
}

/// Levels that the client wishes, best first. Section 5.5.1.1: `acr_values` asks for the claim as a voluntary one.
fn voluntary(request: &AuthorizationRequest) -> impl Iterator<Item = Level> {
    let claim = request.claims.id_token.get("acr").filter(|acr| !acr.essential);
    let by_claim = claim.into_iter().flat_map(|acr| acr.values.iter().filter_map(level));
    by_claim.chain(request.acr_values.iter().filter_map(|acr| Level::parse(acr)))
}

fn level(value: &Value) -> Option<Level> {
    value.as_str().and_then(Level::parse)
}

/// What `acr` says of a session to this client. Section 5.5.1.1, of an essential claim: "the Authorization Server MUST return
/// an `acr` Claim Value that matches one of the requested values": where a better level meets a lower one, the best of the
/// requested ones that are met is named.
pub(super) fn reported(request: &AuthorizationRequest, session: &Session) -> String {
    let own = Level::of(session);
    let asked = request.claims.id_token.get("acr").filter(|acr| acr.essential);
    let named = asked.and_then(|acr| acr.values.iter().filter_map(level).filter(|level| *level <= own).max());
    named.map_or_else(|| session.acr.clone(), |level| level.acr().to_owned())
}

/// How a person has proved who they are, all steps together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How well.
    pub level: Level,
    /// The methods (RFC 8176 section 2).
    pub amr: Vec<String>,
    /// When (`auth_time`).
    pub at: UnixTime,
}

/// What was given beside, or instead of, the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// A one-time password of an authenticator application.
    OneTimePassword,
    /// A recovery code.
    RecoveryCode,
    /// A passkey whose authenticator has verified the person.
    Passkey {
        /// Whether the key stays in its hardware (`hwk`), or may be copied by its provider (`swk`).
        hardware: bool,
    },
}

impl Proof {
    /// The password alone.
    pub fn password(at: UnixTime) -> Self {
        Self { level: Level::Password, amr: vec!["pwd".into()], at }
    }

    /// A passkey without a password.
    pub fn passkey(hardware: bool, at: UnixTime) -> Self {
        Self { level: Level::Password, amr: Vec::new(), at }.and(Second::Passkey { hardware }, at)
    }

    /// What a session stands for.
    pub fn of(session: &Session) -> Self {
        Self { level: Level::of(session), amr: session.amr.clone(), at: session.auth_time }
    }

    /// With one more step at `now`. A passkey is a whole proof by itself; a code is none without what came before it, so
    /// then the older time counts.
    #[must_use]
    pub fn and(mut self, second: Second, now: UnixTime) -> Self {
        let (level, methods): (_, &[&str]) = match second {
            Second::OneTimePassword => (Level::Mfa, &["otp", "mfa"]),
            // RFC 8176 section 2, `otp`: "One-time password [...] specifications that this authentication method applies
            // to include [RFC4226] and [RFC6238]." A recovery code is neither.
            Second::RecoveryCode => (Level::Mfa, &["mfa"]),
            Second::Passkey { hardware: true } => (Level::Passkey, &["hwk", "user", "mfa"]),
            Second::Passkey { hardware: false } => (Level::Passkey, &["swk", "user", "mfa"]),
        };
        for method in methods {
            if !self.amr.iter().any(|known| known == method) {
                self.amr.push((*method).to_owned());
            }
        }
        let at = if level == Level::Passkey { now } else { self.at };
        Self { level: self.level.max(level), amr: self.amr, at }
    }
}
