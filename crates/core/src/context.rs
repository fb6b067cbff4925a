//! What a decision may know of the world: one instant and a source of randomness, both handed in.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::ids::TokenHash;

/// Unix time in whole seconds. The core never reads a clock; every instant is handed in.
pub type UnixTime = i64;

/// A source of unpredictable bytes. The edge backs it with the operating system, tests with a seed.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The one instant of a request and its entropy.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The request's one instant.
    pub now: UnixTime,
    /// Milliseconds since `now`, 0 to 999. Only the order of identifiers made in one second follows from it.
    pub millis: u16,
    /// Where fresh identifiers and secrets come from.
    pub entropy: &'a dyn Entropy,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Context<'_> {
    /// A fresh 256-bit secret with a recognisable prefix, and the hash under which it is stored.
    pub fn mint(&self, prefix: &str) -> Minted {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        self.entropy.fill(bytes.as_mut_slice());
        let secret = Zeroizing::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes.as_slice())));
        let hash = TokenHash::of(&secret);
        Minted { secret, hash }
    }

    /// 256 fresh bits.
    pub fn random(&self) -> [u8; 32] {
        let mut bytes = [0_u8; 32];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A fresh public identifier of 128 bits (base64url, 22 characters).
    pub fn handle(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.entropy.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A fresh `client_id`: a handle that no command line takes for an option.
    pub fn client_id(&self) -> String {
        let handle = self.handle();
        match handle.strip_prefix('-') {
            Some(rest) => format!("x{rest}"),
            None => handle,
        }
    }

    /// A fresh UUID, version 7: ordered by this context's time (RFC 9562 section 5.7).
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0_u8; 10];
        self.entropy.fill(&mut bytes);
        let millis =
            u64::try_from(self.now).unwrap_or(0).saturating_mul(1000) + u64::from(self.millis.min(999));
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

/// A secret that leaves the server once, with what is kept of it.
pub struct Minted {
    /// Goes to the party it is for, and nowhere else.
    pub secret: Zeroizing<String>,
    /// Goes to the store.
    pub hash: TokenHash,
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minted").field("hash", &self.hash).finish_non_exhaustive()
    }
}
