//! Server CPU of one warm sealed flow (authorize with a nested request object, token, UserInfo; RSA-2048 throughout) as
//! a ratio to the physical floor: three RSA private and three public operations by `openssl speed` in the same run.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a measurement that speaks to people"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use signet_benches::{cpu_seconds, rsa_floor, timed};
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse};
use signet_tests::process::{Dev, binary};
use signet_tests::provider::{between, form};
use signet_tests::rp::{Rp, SECRET, VERIFIER, seal};
use tokio::task::JoinSet;

#[derive(Clone)]
struct Driver {
    http: Client,
    address: String,
    issuer: String,
    rp: Rp,
    jwks: Value,
    cookies: Vec<(String, String)>,
}

impl Driver {
    fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn take(&mut self, response: &Response) {
        for cookie in response.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    async fn get(&mut self, url: &str) -> Response {
        let response = self.http.get(url).header("cookie", self.cookie()).send().await.unwrap();
        self.take(&response);
        response
    }

    async fn post(&mut self, url: &str, pairs: &[(&str, &str)]) -> Response {
        let request = self.http.post(url).header("cookie", self.cookie()).body(form(pairs));
        let response =
            request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        self.take(&response);
        response
    }

    /// A request object, made before the clock starts.
    fn request(&self, number: usize) -> String {
        let now = signet_server::edge::Clock::system().now();
        let claims = self.rp.claims(&self.issuer, now, Some(&format!("flow-{number}")));
        seal(&self.jwks, KeyAlg::RsaOaep, ContentAlg::A128CbcHs256, self.rp.sign(&claims).as_bytes())
    }

    async fn flow(&mut self, request: &str) {
        let address = self.address.clone();
        let query = form(&[("client_id", &self.rp.id), ("request", request)]);
        let accepted = self.get(&format!("{address}/authorize?{query}")).await;
        let mut location = self.step(&accepted);
        while location.starts_with('/') {
            let page = self.get(&format!("{address}{location}")).await;
            location = if page.status().is_redirection() {
                self.step(&page)
            } else {
                let html = page.text().await.unwrap();
                let csrf = between(&html, "name=\"csrf\" value=\"", "\"").to_owned();
                let login = [("csrf", csrf.as_str()), ("username", "alice"), ("password", "alice")];
                let next = self.post(&format!("{address}{location}/login"), &login).await;
                self.step(&next)
            };
        }
        let url = url::Url::parse(&location).unwrap();
        let code = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{SECRET}", self.rp.id)));
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &self.rp.redirect_uri),
            ("code_verifier", VERIFIER),
        ]);
        let request = self.http.post(format!("{address}/token")).header("authorization", basic).body(body);
        let tokens =
            request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        let tokens: Value = tokens.json().await.unwrap();
        assert_eq!(tokens["id_token"].as_str().unwrap().split('.').count(), 5, "the ID token is sealed");
        let token = tokens["access_token"].as_str().unwrap();
        let userinfo = self.http.get(format!("{address}/userinfo")).bearer_auth(token).send().await.unwrap();
        assert_eq!(userinfo.text().await.unwrap().split('.').count(), 5, "UserInfo is sealed");
    }

    #[expect(clippy::unused_self, reason = "reads as a step of the driver")]
    fn step(&self, response: &Response) -> String {
        match response.headers().get("location") {
            Some(location) => location.to_str().unwrap().to_owned(),
            None => panic!("no redirect: {}", response.status()),
        }
    }
}

async fn register(folder: &std::path::Path, data: &str, rp: &Rp, database: Option<&str>) {
    let mut client = serde_json::to_value(rp.sealed_declaration()).unwrap();
    client["secret"] = json!(SECRET);
    client["require_consent"] = json!(false);
    let file = folder.join("client.json");
    std::fs::write(&file, json!({ "version": 1, "clients": [client] }).to_string()).unwrap();
    let mut command = tokio::process::Command::new(binary());
    command.args(["--data", data, "apply", "-f", file.to_str().unwrap()]).env_remove("DATABASE_URL");
    if let Some(url) = database {
        command.env("DATABASE_URL", url).env("SIGNET_MASTER_KEY_FILE", format!("{data}/master.key"));
    }
    assert!(command.status().await.unwrap().success());
}

/// Flows before the measurement, the first of which signs in.
const WARM: usize = 20;

async fn measure(dev: &Dev, at_once: usize, share: usize, drivers: Vec<(Driver, Vec<String>)>) {
    let (private, public) = rsa_floor().await;
    let before = cpu_seconds(dev.id());
    let run = async {
        let mut tasks = JoinSet::new();
        for (mut driver, requests) in drivers {
            tasks.spawn(async move {
                for request in &requests[WARM..] {
                    driver.flow(request).await;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    };
    let ((), took) = timed(run).await;
    let used = cpu_seconds(dev.id()) - before;
    let (private_after, public_after) = rsa_floor().await;
    let floor = 1.5 * (private + private_after + public + public_after);
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let count = (share * at_once) as f64;
    println!(
        "  {at_once} at once: server CPU per flow {:.3} ms, floor (3 private + 3 public RSA-2048) {:.3} ms, ratio {:.2}; \
         {:.0} flows/s with the driver on the same cores",
        used / count * 1e3,
        floor * 1e3,
        used / count / floor,
        count / took.as_secs_f64()
    );
}

#[tokio::main]
async fn main() {
    let flows: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let database = std::env::var("SIGNET_TEST_POSTGRES").ok();
    let environment: Vec<(&str, &str)> = database.iter().map(|url| ("DATABASE_URL", url.as_str())).collect();
    let dev = Dev::start(&["--data", data], &environment).await;
    let mut rp = Rp::new("bench");
    // The floor is that of RSA-2048 keys on both sides.
    rp.encryption = signet_tests::key(KeySpec::Rsa2048).clone().with_kid("enc").with_use(KeyUse::Enc);
    rp.signing =
        signet_jose::PrivateKey::generate(KeySpec::Rsa2048).unwrap().with_kid("sig").with_use(KeyUse::Sig);
    register(folder.path(), data, &rp, database.as_deref()).await;
    let address = dev.address().to_owned();
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let jwks = http.get(format!("{address}/jwks")).send().await.unwrap().json().await.unwrap();
    let issuer = dev.ready["issuer"].as_str().unwrap().to_owned();
    let driver = Driver { http, address, issuer, rp, jwks, cookies: Vec::new() };
    println!("{flows} warm sealed flows on {}:", if database.is_some() { "PostgreSQL" } else { "SQLite" });
    let mut number = 0;
    for at_once in [1, 8] {
        let share = flows / at_once;
        let mut drivers = Vec::new();
        for _ in 0..at_once {
            let mut one = driver.clone();
            let requests: Vec<String> = (0..share + WARM).map(|at| one.request(number + at)).collect();
            number += share + WARM;
            for request in &requests[..WARM] {
                one.flow(request).await;
            }
            drivers.push((one, requests));
        }
        measure(&dev, at_once, share, drivers).await;
    }
    dev.terminate().await;
}
