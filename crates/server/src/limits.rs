//! Rate limits: per client address for everything, per account and per address for passwords. In memory, per node.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use signet_core::fault::Fault;
use signet_core::ids::TenantId;

/// How much is allowed. `None` in [`Limits`] means no limit.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Requests per second and address.
    pub requests: NonZeroU32,
    /// Requests at once and address.
    pub burst: NonZeroU32,
    /// Password attempts per minute and account, and ten times that per address.
    pub passwords: NonZeroU32,
}

/// The limiters of one node.
#[derive(Debug, Default)]
pub struct Limits(Option<Limiters>);

#[derive(Debug)]
struct Limiters {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    accounts: DefaultKeyedRateLimiter<(TenantId, String)>,
    guesses: DefaultKeyedRateLimiter<IpAddr>,
}

impl Limits {
    /// No limits: `signet dev`.
    pub fn none() -> Self {
        Self(None)
    }

    /// Limits for production.
    pub fn new(rates: Rates) -> Self {
        let guesses = rates.passwords.saturating_mul(NonZeroU32::MIN.saturating_add(9));
        Self(Some(Limiters {
            addresses: RateLimiter::keyed(Quota::per_second(rates.requests).allow_burst(rates.burst)),
            accounts: RateLimiter::keyed(Quota::per_minute(rates.passwords)),
            guesses: RateLimiter::keyed(Quota::per_minute(guesses)),
        }))
    }

    /// One request from `address`.
    pub fn request(&self, address: IpAddr) -> Result<(), Fault> {
        let Some(limiters) = &self.0 else { return Ok(()) };
        limiters.addresses.check_key(&prefix(address)).map_err(|_| Fault::RateLimited)
    }

    /// One password attempt, judged before any hashing. Address and account are counted together.
    pub fn password(&self, address: IpAddr, tenant: &TenantId, username: &str) -> Result<(), Fault> {
        let Some(limiters) = &self.0 else { return Ok(()) };
        let by_address = limiters.guesses.check_key(&prefix(address)).is_ok();
        let by_account = limiters.accounts.check_key(&(tenant.clone(), username.to_owned())).is_ok();
        if by_address && by_account { Ok(()) } else { Err(Fault::AttemptsExhausted) }
    }

    /// Forgets addresses and accounts that are back at rest. To be called on a timer.
    pub fn forget(&self) {
        if let Some(limiters) = &self.0 {
            limiters.addresses.retain_recent();
            limiters.accounts.retain_recent();
            limiters.guesses.retain_recent();
        }
    }
}

/// One household's IPv6 addresses count as one: the first 64 bits.
fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}
