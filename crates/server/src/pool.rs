//! CPU-heavy work off the async threads, bounded: as many jobs at once as there are cores, a short queue, then 503.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signet_core::fault::Fault;
use tokio::sync::Semaphore;

/// A bounded pool. Clones share the bound.
#[derive(Clone, Debug)]
pub struct Pool {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
}

/// Leaves the queue however the job ends, a dropped request included.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// At most `running` jobs at once and `queue` waiting.
    pub fn new(running: usize, queue: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(running.max(1))), waiting: Arc::default(), queue }
    }

    /// Runs `job` on a blocking thread. [`Fault::Busy`] when the queue is full; a panic in the job is contained and
    /// reported as [`Fault::Internal`].
    pub async fn run<T, F>(&self, job: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Fault::Busy);
        }
        let place = Place(&self.waiting);
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Fault::Busy)?;
        drop(place);
        // The permit travels with the job: a request that is dropped meanwhile does not make room for another.
        let done = tokio::task::spawn_blocking(move || {
            let result = job();
            drop(permit);
            result
        });
        done.await.map_err(|_| Fault::Internal { detail: "a computation failed" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_full_queue_says_busy_and_recovers() {
        let pool = Pool::new(1, 1);
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let running = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(move || wait.recv().is_ok()).await }
        });
        while pool.permits.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let waiting = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(|| 2).await }
        });
        while pool.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|| 3).await, Err(Fault::Busy));
        release.send(()).unwrap();
        assert_eq!(running.await.unwrap(), Ok(true));
        assert_eq!(waiting.await.unwrap(), Ok(2));
        assert_eq!(pool.run(|| 4).await, Ok(4));
    }

    #[tokio::test]
    async fn a_panic_is_contained() {
        let pool = Pool::new(1, 4);
        let result: Result<(), _> = pool.run(|| panic!("job")).await;
        assert!(matches!(result, Err(Fault::Internal { .. })));
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }
}
