//! Time and number.

use std::sync::Arc;
use std::time::Duration;

use signet_core::client_policy::Mode;
use signet_server::fetch::{Fetcher, Kind, Resolve};
use tokio::net::TcpListener;

use crate::hostile::{Conduct, Hostile, good};
use crate::{Dns, HOST, Site, get, refused};

#[tokio::test]
async fn one_deadline_holds_for_everything() {
    let site = Site::new();
    let fetcher = site.fetcher();
    for conduct in [Conduct::DripsBody, Conduct::DripsHead, Conduct::Hangs] {
        let server = Hostile::start(Some(&site.identity), conduct.clone()).await;
        assert_eq!(refused(&fetcher, &server.url(HOST)).await, "fetch_timeout", "{conduct:?}");
    }
    // Accepts connections and never says a word, not even TLS.
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{HOST}:{}/", dead.local_addr().unwrap().port());
    assert_eq!(refused(&fetcher, &url).await, "fetch_timeout");
    // Nobody there.
    let port = dead.local_addr().unwrap().port();
    drop(dead);
    assert_eq!(refused(&fetcher, &format!("https://{HOST}:{port}/")).await, "fetch_unreachable");
}

#[derive(Debug)]
struct Silent;

impl Resolve for Silent {
    fn resolve(&self, _: &str) -> std::pin::Pin<Box<dyn Future<Output = Vec<std::net::IpAddr>> + Send>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn the_deadline_holds_for_the_name_too() {
    let site = Site::new();
    let fetcher = Fetcher::with_resolver(&site.settings(&[]), Mode::Production, Arc::new(Silent)).unwrap();
    assert_eq!(refused(&fetcher, "https://rp.example/").await, "fetch_timeout");
}

#[tokio::test]
async fn a_dead_host_takes_its_own_places_and_not_those_of_others() {
    let site = Site::new();
    let mut settings = site.settings(&[HOST, "dead.example"]);
    settings.max_concurrent = 4.try_into().unwrap();
    settings.timeout_seconds = 20.try_into().unwrap();
    settings.max_concurrent_per_host = 2.try_into().unwrap();
    let dns = Dns::says(&[(HOST, &[&["127.0.0.1"]]), ("dead.example", &[&["127.0.0.1"]])]);
    let fetcher = Fetcher::with_resolver(&settings, Mode::Production, dns).unwrap();
    let identity = site.authority.issue(&["dead.example"], signet_tests::certificates::Flaw::None);
    let dead = Hostile::start(Some(&identity), Conduct::Hangs).await;
    let alive = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    let hanging: Vec<_> = (0..2)
        .map(|_| {
            let (fetcher, url) = (fetcher.clone(), dead.url("dead.example"));
            tokio::spawn(async move { fetcher.get(&url, Kind::Jwks).await })
        })
        .collect();
    while dead.requests.lock().unwrap().len() < 2 {
        assert!(!hanging.iter().any(tokio::task::JoinHandle::is_finished), "given up before it was seen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(refused(&fetcher, &dead.url("dead.example")).await, "fetch_host_busy");
    // On every port: one silent host is not as many hosts as it has ports.
    assert_eq!(refused(&fetcher, "https://dead.example:1/").await, "fetch_host_busy");
    for _ in 0..10 {
        assert!(get(&fetcher, &alive.url(HOST)).await.is_ok());
    }
    for fetch in hanging {
        fetch.abort();
        assert!(fetch.await.unwrap_err().is_cancelled());
    }
    // Its places are free again.
    let again = {
        let (fetcher, url) = (fetcher.clone(), dead.url("dead.example"));
        tokio::spawn(async move { fetcher.get(&url, Kind::Jwks).await })
    };
    while dead.requests.lock().unwrap().len() < 3 {
        assert!(!again.is_finished(), "the place was not free");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    again.abort();
}

#[tokio::test]
async fn the_number_of_fetches_is_bounded() {
    let site = Site::new();
    let mut settings = site.settings(&["127.0.0.1"]);
    settings.max_concurrent = 1.try_into().unwrap();
    settings.timeout_seconds = 20.try_into().unwrap();
    let fetcher = Fetcher::new(&settings, Mode::Production).unwrap();
    let dead = Hostile::start(Some(&site.identity), Conduct::Hangs).await;
    let hanging = tokio::spawn({
        let (fetcher, url) = (fetcher.clone(), dead.url("127.0.0.1"));
        async move { fetcher.get(&url, Kind::Jwks).await }
    });
    while dead.requests.lock().unwrap().is_empty() {
        assert!(!hanging.is_finished(), "given up before it was seen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(refused(&fetcher, "https://127.0.0.1:1/").await, "fetch_busy");
    // Whoever gives up gives the place back.
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled());
    assert_eq!(refused(&fetcher, "https://127.0.0.1:1/").await, "fetch_unreachable");
}

#[tokio::test]
async fn looks_take_places_of_their_own_and_leave_those_of_logins() {
    let site = Site::new();
    let mut settings = site.settings(&["127.0.0.1"]);
    settings.max_concurrent = 1.try_into().unwrap();
    settings.max_concurrent_per_host = 1.try_into().unwrap();
    settings.timeout_seconds = 20.try_into().unwrap();
    let fetcher = Fetcher::new(&settings, Mode::Production).unwrap();
    let dead = Hostile::start(Some(&site.identity), Conduct::Hangs).await;
    let alive = Hostile::start(Some(&site.identity), good("application/json", "{}")).await;
    let look = |who: &str| {
        let (fetcher, url, place) = (fetcher.clone(), dead.url("127.0.0.1"), fetcher.look_place(who));
        let place = place.map_err(|fault| fault.code())?;
        Ok::<_, &str>(tokio::spawn(async move { fetcher.look(&url, Kind::Jwks, place).await }))
    };
    let mut looks: Vec<_> = (0..4).map(|_| look("one").unwrap()).collect();
    while dead.requests.lock().unwrap().len() < 4 {
        assert!(!looks.iter().any(tokio::task::JoinHandle::is_finished), "given up before it was seen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(look("one").unwrap_err(), "fetch_host_busy");
    looks.extend(["two", "three"].iter().flat_map(|who| (0..4).map(|_| look(who).unwrap())));
    assert_eq!(look("four").unwrap_err(), "fetch_busy");
    assert!(get(&fetcher, &alive.url("127.0.0.1")).await.is_ok());
    for look in looks {
        look.abort();
        assert!(look.await.unwrap_err().is_cancelled());
    }
    assert!(fetcher.look_place("four").is_ok());
}
