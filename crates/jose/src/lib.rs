#![doc = include_str!("../README.md")]

mod alg;
mod b64;
mod claims;
mod compact;
mod content;
mod fault;
mod header;
mod import;
mod key;
mod material;
mod private;
mod raw;
mod seal;
mod sign;
mod strict;
mod trace;
mod unsigned;
mod verify;
#[cfg(test)]
mod wycheproof;

pub use alg::{ContentAlg, KeyAlg, KeyFamily, KeyKind, KeySpec, KeyUse, SigAlg};
pub use claims::Claims;
pub use compact::{
    Compact, JweHeader, JwsHeader, Limits, Peek, SealedJwe, UnverifiedJws, parse, parse_nested,
};
pub use fault::{JoseFault, KeyFault, Offered};
pub use import::{Import, ImportedKey, Origin, import, import_set};
pub use key::PublicKey;
pub use private::PrivateKey;
pub use seal::{Decrypter, Encrypter, SealHeader};
pub use sign::{Signer, Verifier};
pub use trace::{Check, Trace, Verdict};
pub use unsigned::{UnsignedClaims, parse_unsigned, unsigned};
pub use verify::{Expect, Typ, Verified, verify, verify_expired, verify_undated};
