//! How many fetches may run at once: in all, and from one host or for one who looks, so that none of them can take every
//! place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::fault::FetchFault;

#[derive(Debug)]
pub(super) struct Gate {
    total: usize,
    each: usize,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    total: usize,
    hosts: HashMap<String, usize>,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    gate: Arc<Gate>,
    host: String,
}

impl Gate {
    pub(super) fn new(total: usize, each: usize) -> Self {
        Self { total, each, running: Mutex::default() }
    }

    /// A place for one fetch from `host`, or for whoever is named in its stead, now or not at all: whoever waits here would only make others wait.
    pub(super) fn enter(self: &Arc<Self>, host: String) -> Result<Place, FetchFault> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.total >= self.total {
            return Err(FetchFault::Busy);
        }
        let here = running.hosts.entry(host.clone()).or_default();
        if *here >= self.each {
            return Err(FetchFault::HostBusy);
        }
        *here += 1;
        running.total += 1;
        Ok(Place { gate: Arc::clone(self), host })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut running = self.gate.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.total = running.total.saturating_sub(1);
        if let Some(here) = running.hosts.get_mut(&self.host) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                running.hosts.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_cannot_take_every_place() {
        let gate = Arc::new(Gate::new(3, 2));
        let enter = |host: &str| gate.enter(host.to_owned());
        let (first, second) = (enter("dead").unwrap(), enter("dead").unwrap());
        assert_eq!(enter("dead").unwrap_err(), FetchFault::HostBusy);
        let third = enter("other").unwrap();
        assert_eq!(enter("third").unwrap_err(), FetchFault::Busy);
        drop(first);
        assert!(enter("dead").is_ok());
        drop((second, third));
        assert!(gate.running.lock().unwrap().hosts.is_empty());
        assert_eq!(gate.running.lock().unwrap().total, 0);
    }
}
