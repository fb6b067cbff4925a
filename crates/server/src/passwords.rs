//! Password hashing with argon2id. Slow on purpose, so it runs on its own small pool.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use signet_core::context::Entropy;
use zeroize::Zeroizing;

/// Longest accepted password, in bytes: enough for any passphrase, and a bound on the work of one attempt.
pub const MAX_LEN: usize = 512;
/// Shortest accepted new password, in characters (NIST SP 800-63B section 3.1.1.2 asks for 8 at least).
pub const MIN_CHARS: usize = 8;

/// Of a random password that nobody kept; only its cost matters.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2lnbmV0LWR1bW15LXNhbHQ$7eKqdL5Yn5GxKq0dM2Q3bJxh4o1rZc8W9yTqVnP6mEw";

/// OWASP's first choice: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The PHC string of `password`; `None` if hashing failed.
pub fn hash(password: &str, entropy: &dyn Entropy) -> Option<String> {
    let mut salt = [0_u8; 16];
    entropy.fill(&mut salt);
    let salt = SaltString::encode_b64(&salt).ok()?;
    argon2().hash_password(password.as_bytes(), &salt).ok().map(|hash| hash.to_string())
}

/// Whether `password` is the one that `stored` was made of. Without a stored hash the same work is done in vain, so
/// that the time of an answer does not tell whether an account exists.
pub fn verify(password: &Zeroizing<String>, stored: Option<&str>) -> bool {
    let known = stored.is_some();
    let Ok(parsed) = PasswordHash::new(stored.unwrap_or(DUMMY)) else { return false };
    argon2().verify_password(password.as_bytes(), &parsed).is_ok() && known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemEntropy;

    #[test]
    fn only_the_right_password_of_a_known_account_passes() {
        let right = Zeroizing::new("correct horse".to_owned());
        let stored = hash(&right, &SystemEntropy).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify(&right, Some(&stored)));
        assert!(!verify(&Zeroizing::new("wrong".into()), Some(&stored)));
        assert!(!verify(&right, None));
        assert!(!verify(&right, Some("not a hash")));
        assert_ne!(hash(&right, &SystemEntropy).unwrap(), stored);
    }

    #[test]
    fn the_dummy_hash_is_well_formed_so_it_costs_the_same() {
        // A hash that could not be parsed would return at once.
        let parsed = PasswordHash::new(DUMMY).unwrap();
        assert!(parsed.hash.is_some_and(|hash| hash.len() == 32) && parsed.salt.is_some());
    }
}
