//! The edge of the process: the only place that reads the clock and the operating system's randomness.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU16, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signet_core::context::{Entropy, UnixTime};

/// Tells the time. Handlers ask once per request and pass the instant on.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The system's clock, moved by so many seconds.
    System(i64),
    /// Whatever the holder of the other half says.
    Manual(Arc<AtomicI64>, Arc<AtomicU16>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::shifted(0)
    }

    /// The system's clock, moved by `offset` seconds. For `signet dev` and tests only.
    pub fn shifted(offset: i64) -> Self {
        Self(Source::System(offset))
    }

    /// A clock that stands where `instant` says, for tests.
    pub fn manual(instant: Arc<AtomicI64>) -> Self {
        Self(Source::Manual(instant, Arc::default()))
    }

    /// This instant.
    #[expect(clippy::disallowed_methods, reason = "the edge is where time comes in")]
    pub fn now(&self) -> UnixTime {
        match &self.0 {
            Source::Manual(instant, _) => instant.load(Ordering::SeqCst),
            Source::System(offset) => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX).saturating_add(*offset)
            }
        }
    }
}

impl Clock {
    /// Milliseconds within this second, for the order of what happens in it. A manual clock counts the questions.
    #[expect(clippy::disallowed_methods, reason = "the edge is where time comes in")]
    pub fn millis(&self) -> u16 {
        match &self.0 {
            Source::Manual(_, asked) => asked.fetch_add(1, Ordering::Relaxed).min(999),
            Source::System(_) => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                u16::try_from(since.subsec_millis()).unwrap_or(999)
            }
        }
    }
}

/// Measures how long something took, for logs and metrics only.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "the edge is where time comes in")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the edge is where randomness comes in")]
    #[expect(
        clippy::panic,
        reason = "without randomness no secret may be made; failing closed is all that is left"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no randomness: {error}");
        }
    }
}

/// The shared default source.
pub fn entropy() -> Arc<dyn Entropy> {
    Arc::new(SystemEntropy)
}
