//! Support for whole-system tests: a provider in this process with a clock that tests move ([`provider`]), relying
//! parties with their keys ([`rp`]), and real processes to race and to kill ([`process`]).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test support: a failure here is a failed test"
)]

pub mod admin;
pub mod certificates;
pub mod console;
pub mod craft;
pub mod database;
pub mod flow;
pub mod front;
pub mod process;
pub mod provider;
pub mod rp;
pub mod second;

/// One key pair of each kind, made once per test program.
pub fn key(spec: signet_jose::KeySpec) -> &'static signet_jose::PrivateKey {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, OnceLock};
    static KEYS: OnceLock<Mutex<BTreeMap<signet_jose::KeySpec, &'static signet_jose::PrivateKey>>> =
        OnceLock::new();
    let mut keys = KEYS.get_or_init(Mutex::default).lock().unwrap();
    keys.entry(spec).or_insert_with(|| Box::leak(Box::new(signet_jose::PrivateKey::generate(spec).unwrap())))
}
