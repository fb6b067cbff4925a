//! Password hashing with argon2id. Slow on purpose, so it runs on its own small pool.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use signet_core::context::Entropy;
use zeroize::Zeroizing;

pub use signet_core::people::{MAX_PASSWORD as MAX_LEN, MIN_PASSWORD_CHARS as MIN_CHARS};

/// Of a random password that nobody kept; only its cost matters.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2lnbmV0LWR1bW15LXNhbHQ$7eKqdL5Yn5GxKq0dM2Q3bJxh4o1rZc8W9yTqVnP6mEw";

/// OWASP's first choice: 19 MiB, two passes, one lane.
fn params() -> Params {
    Params::new(19 * 1024, 2, 1, None).unwrap_or_default()
}

/// Hashes passwords in memory that is used again: as many blocks as ever ran at once. Given back and taken anew, memory
/// of this size stays with the allocator once for every thread that ever hashed, an order of magnitude more.
#[derive(Default)]
pub struct Hasher {
    spare: Mutex<Vec<Vec<Block>>>,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

impl Hasher {
    /// The PHC string of `password`; `None` if hashing failed.
    pub fn hash(&self, password: &str, entropy: &dyn Entropy) -> Option<String> {
        let mut salt = [0_u8; 16];
        entropy.fill(&mut salt);
        let salt = SaltString::encode_b64(&salt).ok()?;
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        let argon2 = Argon2::new(algorithm, version, params());
        let hash = self.output(&argon2, password, salt.as_salt(), Params::DEFAULT_OUTPUT_LEN)?;
        let made = PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params()).ok()?,
            salt: Some(salt.as_salt()),
            hash: Some(hash),
        };
        Some(made.to_string())
    }

    /// Whether `password` is the one that `stored` was made of. Without a stored hash the same work is done in vain, so
    /// that the time of an answer does not tell whether an account exists.
    pub fn verify(&self, password: &Zeroizing<String>, stored: Option<&str>) -> bool {
        self.fits(password, stored.unwrap_or(DUMMY)).unwrap_or(false) && stored.is_some()
    }

    /// `None` if `stored` is not a hash that can be computed here.
    fn fits(&self, password: &str, stored: &str) -> Option<bool> {
        let parsed = PasswordHash::new(stored).ok()?;
        let algorithm = Algorithm::try_from(parsed.algorithm).ok()?;
        let version = parsed.version.map_or(Ok(Version::V0x13), Version::try_from).ok()?;
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&parsed).ok()?);
        let expected = parsed.hash?;
        // Compared in constant time (`Output` has no other comparison).
        Some(self.output(&argon2, password, parsed.salt?, expected.len())? == expected)
    }

    fn output(&self, argon2: &Argon2<'_>, password: &str, salt: Salt<'_>, length: usize) -> Option<Output> {
        let mut buffer = [0; Salt::MAX_LENGTH];
        let salt = salt.decode_b64(&mut buffer).ok()?;
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = spare().pop().unwrap_or_default();
        let needed = argon2.params().block_count();
        memory.resize(memory.len().max(needed), Block::default());
        let result = Output::init_with(length, |out| {
            Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory)?)
        });
        // An imported hash may ask for more than this installation's own; that much is not kept.
        if memory.len() <= params().block_count() {
            spare().push(memory);
        }
        result.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemEntropy;

    #[test]
    fn only_the_right_password_of_a_known_account_passes() {
        let hasher = Hasher::default();
        let right = Zeroizing::new("correct horse".to_owned());
        let stored = hasher.hash(&right, &SystemEntropy).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hasher.verify(&right, Some(&stored)));
        assert!(!hasher.verify(&Zeroizing::new("wrong".into()), Some(&stored)));
        assert!(!hasher.verify(&right, None));
        assert!(!hasher.verify(&right, Some("not a hash")));
        assert_ne!(hasher.hash(&right, &SystemEntropy).unwrap(), stored);
    }

    #[test]
    fn hashes_made_elsewhere_are_understood_and_ours_are_understood_elsewhere() {
        use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
        let hasher = Hasher::default();
        let password = Zeroizing::new("correct horse".to_owned());
        let salt = SaltString::encode_b64(b"another salt").unwrap();
        // Less and more memory by turns: what an earlier computation left behind does not matter.
        for cost in [64, 19 * 1024, 20 * 1024, 256] {
            let theirs =
                Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(cost, 1, 2, Some(24)).unwrap());
            let stored = theirs.hash_password(password.as_bytes(), &salt).unwrap().to_string();
            assert!(hasher.verify(&password, Some(&stored)), "{stored}");
            assert!(!hasher.verify(&Zeroizing::new("wrong".into()), Some(&stored)));
        }
        let ours = hasher.hash(&password, &SystemEntropy).unwrap();
        let parsed = PasswordHash::new(&ours).unwrap();
        assert!(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
    }

    #[test]
    fn the_dummy_hash_is_well_formed_so_it_costs_the_same() {
        // A hash that could not be parsed would return at once.
        let parsed = PasswordHash::new(DUMMY).unwrap();
        assert!(parsed.hash.is_some_and(|hash| hash.len() == 32) && parsed.salt.is_some());
    }
}
