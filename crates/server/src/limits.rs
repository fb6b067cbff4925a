//! Rate limits: per client address for everything, per account and per address for passwords. In memory, per node.

use std::collections::HashSet;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use signet_core::fault::Fault;
use signet_core::ids::{TenantId, TokenHash};
use signet_core::provision;
use uuid::Uuid;

/// How much is allowed. `None` in [`Limits`] means no limit.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Requests per second and address.
    pub requests: NonZeroU32,
    /// Requests at once and address.
    pub burst: NonZeroU32,
    /// Password attempts per minute and account, and ten times that per address.
    pub passwords: NonZeroU32,
    /// Registrations per minute and address.
    pub registrations: NonZeroU32,
}

/// The limiters of one node.
#[derive(Debug, Default)]
pub struct Limits(Option<Limiters>);

/// What attempts are counted by. Nothing that somebody types makes a key of another kind, and none is longer than a user
/// name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// The password of the account of this name.
    Password(String),
    /// The password of a name that no account can have: all of these together.
    NoName,
    /// The second factor of this person.
    Second(Uuid),
    /// A mail for what was typed, by its hash.
    Forgotten(TokenHash),
    /// User codes typed from this address.
    Device(IpAddr),
}

#[derive(Debug)]
struct Limiters {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    accounts: DefaultKeyedRateLimiter<(TenantId, Key)>,
    guesses: DefaultKeyedRateLimiter<IpAddr>,
    registrations: DefaultKeyedRateLimiter<IpAddr>,
    mails: DefaultKeyedRateLimiter<(TenantId, TokenHash)>,
    /// Addresses for which a mail was counted that was not sent then: at most one each.
    unsent: Mutex<HashSet<(TenantId, TokenHash)>>,
}

/// Mails an hour to one address that nobody has shown to be theirs, however many accounts say that it is.
const MAILS: NonZeroU32 = NonZeroU32::MIN.saturating_add(5);

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
            registrations: RateLimiter::keyed(Quota::per_minute(rates.registrations)),
            mails: RateLimiter::keyed(Quota::per_hour(MAILS)),
            unsent: Mutex::default(),
        }))
    }

    /// One request from `address`.
    pub fn request(&self, address: IpAddr) -> Result<(), Fault> {
        let Some(limiters) = &self.0 else { return Ok(()) };
        limiters.addresses.check_key(&prefix(address)).map_err(|_| Fault::RateLimited)
    }

    /// One password attempt, judged before any hashing, by address and by account.
    pub fn password(&self, address: IpAddr, tenant: &TenantId, username: &str) -> Result<(), Fault> {
        let key = provision::username(username).map_or(Key::NoName, Key::Password);
        self.attempt(address, tenant, key)
    }

    /// What an address is refused is not counted against the account: nobody locks out somebody else by going on.
    fn attempt(&self, address: IpAddr, tenant: &TenantId, key: Key) -> Result<(), Fault> {
        let Some(limiters) = &self.0 else { return Ok(()) };
        limiters.guesses.check_key(&prefix(address)).map_err(|_| Fault::AttemptsExhausted)?;
        limiters.accounts.check_key(&(tenant.clone(), key)).map_err(|_| Fault::AttemptsExhausted)
    }

    /// One account that somebody wants to make, judged before any hashing; counted with the guesses of the address.
    pub fn account(&self, address: IpAddr) -> Result<(), Fault> {
        let Some(limiters) = &self.0 else { return Ok(()) };
        limiters.guesses.check_key(&prefix(address)).map_err(|_| Fault::AttemptsExhausted)
    }

    /// One client that wants to be registered from `address`; each one stays in the database.
    pub fn registration(&self, address: IpAddr) -> Result<(), Fault> {
        let Some(limiters) = &self.0 else { return Ok(()) };
        limiters.registrations.check_key(&prefix(address)).map_err(|_| Fault::RateLimited)
    }

    /// One user code typed from `address` (RFC 8628 section 5.1): as many as passwords for one account. With 20^8 codes and
    /// ten minutes for each, who tries every one they may has no chance worth the name.
    pub fn user_code(&self, address: IpAddr, tenant: &TenantId) -> Result<(), Fault> {
        let Some(limiters) = &self.0 else { return Ok(()) };
        let key = (tenant.clone(), Key::Device(prefix(address)));
        limiters.accounts.check_key(&key).map_err(|_| Fault::AttemptsExhausted)
    }

    /// One attempt at somebody's second factor: as many as passwords for the account, and counted apart from them.
    pub fn second_factor(&self, address: IpAddr, tenant: &TenantId, user: Uuid) -> Result<(), Fault> {
        self.attempt(address, tenant, Key::Second(user))
    }

    /// One mail that somebody unknown causes to be sent to `to`, of which nobody knows whether it is theirs.
    pub fn mail(&self, tenant: &TenantId, to: &str) -> Result<(), Fault> {
        let Some(limiters) = &self.0 else { return Ok(()) };
        let key = mailbox(tenant, to);
        if limiters.unsent().remove(&key) {
            return Ok(());
        }
        limiters.mails.check_key(&key).map_err(|_| Fault::AttemptsExhausted)
    }

    /// The mail that was counted last has not been sent: the next one is not counted. So nobody keeps mail from somebody by
    /// asking on while none is sent. Only for addresses of accounts, which bound what is remembered.
    pub fn mail_unsent(&self, tenant: &TenantId, to: &str) {
        if let Some(limiters) = &self.0 {
            limiters.unsent().insert(mailbox(tenant, to));
        }
    }

    /// One request for a new password, whether there is such an account or not: as many as passwords for the account.
    pub fn forgotten(&self, address: IpAddr, tenant: &TenantId, typed: &str) -> Result<(), Fault> {
        self.attempt(address, tenant, Key::Forgotten(TokenHash::of(typed)))
    }

    /// Forgets addresses and accounts that are back at rest. To be called on a timer.
    pub fn forget(&self) {
        if let Some(limiters) = &self.0 {
            limiters.addresses.retain_recent();
            limiters.accounts.retain_recent();
            limiters.guesses.retain_recent();
            limiters.registrations.retain_recent();
            limiters.mails.retain_recent();
        }
    }
}

impl Limiters {
    fn unsent(&self) -> MutexGuard<'_, HashSet<(TenantId, TokenHash)>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What mails to an address are counted by.
fn mailbox(tenant: &TenantId, to: &str) -> (TenantId, TokenHash) {
    (tenant.clone(), TokenHash::of(&to.trim().to_lowercase()))
}

/// One household's IPv6 addresses count as one: the first 64 bits.
fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let few = NonZeroU32::MIN.saturating_add(2);
        Limits::new(Rates { requests: few, burst: few, passwords: few, registrations: few })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn guesses_are_counted_by_account_wherever_they_come_from() {
        let (limits, tenant) = (limits(), TenantId::from("t"));
        let guess = |at: &str, name: &str| limits.password(address(at), &tenant, name);
        for at in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
            assert_eq!(guess(at, "alice"), Ok(()));
        }
        assert_eq!(guess("10.0.0.4", "alice"), Err(Fault::AttemptsExhausted));
        assert_eq!(guess("10.0.0.4", "bob"), Ok(()));
        assert_eq!(limits.password(address("10.0.0.4"), &TenantId::from("other"), "alice"), Ok(()));
    }

    #[test]
    fn guesses_are_counted_by_address_whomever_they_are_about() {
        let (limits, tenant) = (limits(), TenantId::from("t"));
        let refused =
            |at: &str, n: u32| limits.password(address(at), &tenant, &format!("user-{at}-{n}")).is_err();
        assert_eq!((0..40).filter(|n| refused("10.0.0.1", *n)).count(), 10);
        assert!(!refused("10.0.0.2", 0));
    }

    #[test]
    fn nothing_that_is_typed_is_counted_as_something_else() {
        let (limits, tenant, user) = (limits(), TenantId::from("t"), Uuid::from_u128(7));
        let guess = |at: &str, name: &str| limits.password(address(at), &tenant, name);
        let long = "x".repeat(10_000);
        for (n, name) in
            [format!("second factor of {user}"), "forgotten alice".into(), long].iter().enumerate()
        {
            assert_eq!(guess(&format!("10.0.0.{n}"), name), Ok(()));
        }
        assert_eq!(
            guess("10.0.0.3", "device code/10.0.0.9"),
            Err(Fault::AttemptsExhausted),
            "one key for all"
        );
        for name in ["alice", &user.to_string()] {
            assert_eq!(guess("10.0.0.4", name), Ok(()));
        }
        for n in 5..8 {
            assert_eq!(limits.second_factor(address(&format!("10.0.0.{n}")), &tenant, user), Ok(()));
            assert_eq!(limits.forgotten(address(&format!("10.0.0.{n}")), &tenant, "alice"), Ok(()));
            assert_eq!(limits.user_code(address("10.0.0.9"), &tenant), Ok(()));
        }
        let Some(limiters) = &limits.0 else { unreachable!() };
        // alice, the name that is an id, no name; second, forgotten, device.
        assert_eq!(limiters.accounts.len(), 6);
    }

    #[test]
    fn what_an_address_is_refused_locks_nobody_out() {
        let (limits, tenant) = (limits(), TenantId::from("t"));
        for n in 0..30 {
            let tried = limits.password(address("10.0.0.1"), &tenant, &format!("user-{n}"));
            assert_eq!(tried, Ok(()));
        }
        for _ in 0..10 {
            let tried = limits.password(address("10.0.0.1"), &tenant, "alice");
            assert_eq!(tried, Err(Fault::AttemptsExhausted));
        }
        assert_eq!(limits.password(address("10.0.0.2"), &tenant, "alice"), Ok(()));
    }

    #[test]
    fn registrations_are_counted_by_address_rfc7591_5() {
        let limits = limits();
        let from = |at: &str| limits.registration(address(at));
        for _ in 0..3 {
            assert_eq!(from("10.0.0.1"), Ok(()));
        }
        assert_eq!(from("10.0.0.1"), Err(Fault::RateLimited));
        assert_eq!(from("10.0.0.2"), Ok(()));
        assert_eq!(Limits::none().registration(address("10.0.0.1")), Ok(()));
    }

    #[test]
    fn mails_are_counted_by_tenant_and_address() {
        let (limits, tenant) = (limits(), TenantId::from("t"));
        let sent = |to: &str| limits.mail(&tenant, to).is_ok();
        assert_eq!((0..20).filter(|_| sent("ada@example.org")).count(), 6);
        assert!(!sent(" Ada@Example.org") && sent("bob@example.org"));
        assert_eq!(limits.mail(&TenantId::from("other"), "ada@example.org"), Ok(()));
        assert_eq!(Limits::none().mail(&tenant, "ada@example.org"), Ok(()));
    }

    #[test]
    fn a_mail_that_was_counted_and_not_sent_is_not_counted_again() {
        let (limits, tenant) = (limits(), TenantId::from("t"));
        for _ in 0..20 {
            assert_eq!(limits.mail(&tenant, "ada@example.org"), Ok(()));
            limits.mail_unsent(&tenant, " Ada@example.org");
        }
        // Several at a time leave one behind, and not more.
        limits.mail_unsent(&tenant, "ada@example.org");
        let sent = (0..20).filter(|_| limits.mail(&tenant, "ada@example.org").is_ok()).count();
        assert_eq!(sent, 6);
        Limits::none().mail_unsent(&tenant, "ada@example.org");
    }

    #[test]
    fn user_codes_are_bounded_by_address_rfc8628_5_1() {
        let (limits, tenant) = (limits(), TenantId::from("t"));
        let enter = |at: &str| limits.user_code(address(at), &tenant);
        assert_eq!((0..10).filter(|_| enter("10.0.0.1").is_ok()).count(), 3);
        assert_eq!(enter("10.0.0.1"), Err(Fault::AttemptsExhausted));
        assert_eq!(enter("10.0.0.2"), Ok(()));
    }

    #[test]
    fn second_factors_are_counted_by_account_and_apart_from_passwords() {
        let (limits, tenant) = (limits(), TenantId::from("t"));
        let user = uuid::Uuid::from_u128(7);
        let guess = |at: &str| limits.second_factor(address(at), &tenant, user);
        assert_eq!((1..=4).filter(|n| guess(&format!("10.0.0.{n}")).is_ok()).count(), 3);
        assert_eq!(limits.second_factor(address("10.0.0.9"), &tenant, uuid::Uuid::from_u128(8)), Ok(()));
        assert_eq!(limits.password(address("10.0.0.9"), &tenant, "alice"), Ok(()));
    }

    #[test]
    fn addresses_of_one_household_count_as_one() {
        let limits = limits();
        for at in ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"] {
            assert_eq!(limits.request(address(at)), Ok(()));
        }
        assert_eq!(limits.request(address("2001:db8::4")), Err(Fault::RateLimited));
        assert_eq!(limits.request(address("2001:db8:0:1::4")), Ok(()));
        assert_eq!(limits.request(address("::ffff:10.0.0.1")), Ok(()));
        limits.forget();
        assert_eq!(Limits::none().request(address("2001:db8::4")), Ok(()));
    }
}
