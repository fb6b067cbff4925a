//! A client's secret: set, made, kept or removed.

use zeroize::Zeroizing;

use super::client_facts::ClientFacts;
use super::declaration::{ClientDeclaration, Secret};
use super::fault::Refusal;
use crate::client_policy::{KeptSecret, Mode};
use crate::context::{Context, Minted};
use crate::ids::TokenHash;
use crate::records::{ClientAuthMethod, ClientSettings};

/// Prefix of client secrets that are made here.
pub const SECRET_PREFIX: &str = "sgn_cs_";
/// Shortest secret that may be set. Secrets are stored as plain hashes, which protects only what cannot be guessed
/// (RFC 6749 section 10.10).
const MIN_SECRET: usize = 24;
/// Longest secret that may be set.
const MAX_SECRET: usize = 255;

/// The client's secret as it will be.
pub(super) struct DecidedSecret {
    pub(super) hash: Option<TokenHash>,
    /// Only where a MAC is made with it; nobody else's secret is ever stored so that it can be read back.
    pub(super) sealed: Option<Vec<u8>>,
    bytes: usize,
    pub(super) minted: Option<Minted>,
}

impl DecidedSecret {
    pub(super) fn kept(&self) -> KeptSecret {
        match (self.hash, &self.sealed) {
            (None, _) => KeptSecret::Nothing,
            (Some(_), None) => KeptSecret::Hashed,
            (Some(_), Some(_)) => KeptSecret::Sealed { bytes: self.bytes },
        }
    }
}

/// OpenID Connect Core section 9: the MAC of `client_secret_jwt` is made with the octets of the secret itself.
fn makes_macs(settings: &ClientSettings) -> bool {
    settings.token_endpoint_auth_method == ClientAuthMethod::ClientSecretJwt
}

pub(super) fn decide(
    declared: &ClientDeclaration,
    facts: &ClientFacts<'_>,
    context: &Context<'_>,
) -> Result<DecidedSecret, Refusal> {
    let current = facts.current.and_then(|client| client.secret_hash);
    let sealed = facts.current.and_then(|client| client.sealed_secret.as_deref());
    let macs = makes_macs(&declared.settings);
    match (&declared.secret, declared.generate_secret) {
        (Some(_), true) => Err(Refusal::SecretTwice),
        (Some(secret), false) if current.is_some_and(|hash| hash.matches(secret.expose())) => match sealed {
            Some(_) if macs => Ok(kept(current, sealed, macs, facts)),
            _ => known(secret.expose(), declared, facts),
        },
        (Some(secret), false) => {
            strong(secret, facts.mode)?;
            known(secret.expose(), declared, facts)
        }
        (None, true) if current.is_none() || (macs && sealed.is_none()) => {
            let minted = mint_secret(context);
            let decided = known(&minted.secret, declared, facts)?;
            Ok(DecidedSecret { minted: Some(minted), ..decided })
        }
        // A client that becomes public has no use for the secret it had.
        (None, false) if declared.settings.token_endpoint_auth_method == ClientAuthMethod::None => {
            Ok(kept(None, None, macs, facts))
        }
        (None, _) => Ok(kept(current, sealed, macs, facts)),
    }
}

/// A fresh client secret. Long enough for the MAC of every algorithm: HS512 needs 64 octets (RFC 7518 section 3.2).
pub fn mint_secret(context: &Context<'_>) -> Minted {
    let secret = Zeroizing::new(format!("{}{}", *context.mint(SECRET_PREFIX).secret, context.handle()));
    Minted { hash: TokenHash::of(&secret), secret }
}

/// A secret whose text is at hand.
fn known(
    secret: &str,
    declared: &ClientDeclaration,
    facts: &ClientFacts<'_>,
) -> Result<DecidedSecret, Refusal> {
    let seal = || facts.secrets.seal(&facts.tenant.id, &declared.client_id, secret);
    let sealed = makes_macs(&declared.settings).then(|| seal().ok_or(Refusal::SecretUnsealed)).transpose()?;
    Ok(DecidedSecret { hash: Some(TokenHash::of(secret)), sealed, bytes: secret.len(), minted: None })
}

/// The secret that is there already.
fn kept(
    hash: Option<TokenHash>,
    sealed: Option<&[u8]>,
    macs: bool,
    facts: &ClientFacts<'_>,
) -> DecidedSecret {
    let sealed = sealed.filter(|_| macs);
    let bytes = sealed.map_or(0, |sealed| facts.secrets.length(sealed));
    DecidedSecret { hash, sealed: sealed.map(<[u8]>::to_vec), bytes, minted: None }
}

/// RFC 6749 appendix A.2: visible ASCII. Tests may use short ones.
fn strong(secret: &Secret, mode: Mode) -> Result<(), Refusal> {
    let min = if mode == Mode::Development { 1 } else { MIN_SECRET };
    let text = secret.expose();
    if (min..=MAX_SECRET).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Refusal::SecretWeak { min })
    }
}
