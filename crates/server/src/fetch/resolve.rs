//! Names to addresses.

use std::fmt::Debug;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

/// Asks for the addresses of a name. Asked once for each fetch; what it says is judged and then connected to.
pub trait Resolve: Debug + Send + Sync {
    /// Every address of `host`; empty if there is none.
    fn resolve(&self, host: &str) -> BoxFuture<'static, Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug)]
pub struct SystemResolver(Arc<Semaphore>);

impl SystemResolver {
    /// With at most `limit` questions at once. A question that nobody waits for any more still counts, because its
    /// thread is still there.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Semaphore::new(limit)))
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, Vec<IpAddr>> {
        let (host, bound) = (host.to_owned(), Arc::clone(&self.0));
        Box::pin(async move {
            let Ok(permit) = bound.acquire_owned().await else { return Vec::new() };
            let ask = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                let found = (host.as_str(), 0).to_socket_addrs();
                found.map(|all| all.map(|one| one.ip()).collect()).unwrap_or_default()
            });
            ask.await.unwrap_or_default()
        })
    }
}
