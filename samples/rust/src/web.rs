//! The three pages.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{Query, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Router, routing::get};

use crate::{App, Login, random};

const PATIENCE: Duration = Duration::from_secs(600); // for a person to sign in

pub fn routes(app: Arc<App>) -> Router {
    let start = || async { page(&[("", "Not signed in".to_owned())]) };
    let routes =
        Router::new().route("/", get(start)).route("/login", get(login)).route("/callback", get(callback));
    routes.with_state(app)
}

async fn login(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let handle = random()?;
    let login = Login::new()?;
    let query = [("client_id", &app.client_id), ("request", &app.request_object(&login).await?)];
    let url = reqwest::Url::parse_with_params(app.endpoint("authorization_endpoint"), query)?;
    {
        let mut logins = app.logins.lock().unwrap();
        logins.retain(|_, old| old.started.elapsed().is_ok_and(|age| age < PATIENCE));
        logins.insert(handle.clone(), login);
    }
    let secure = if app.redirect_uri.starts_with("https:") { "; Secure" } else { "" };
    let cookie = format!("login={handle}; Path=/; HttpOnly; SameSite=Lax{secure}");
    Ok(([(SET_COOKIE, cookie)], Redirect::to(url.as_str())).into_response())
}

async fn callback(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(answer): Query<HashMap<String, String>>,
) -> Result<Html<String>, Refusal> {
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let handle = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("login=")).unwrap_or_default();
    let login = app.logins.lock().unwrap().remove(handle); // once
    let login = login.ok_or("this answer belongs to no login of this browser")?;
    let text = |name: &str| answer.get(name).map(String::as_str).unwrap_or_default();
    if verify_slices_are_equal(text("state").as_bytes(), login.state.as_bytes()).is_err() {
        return Err("this answer belongs to another login".into());
    }
    // RFC 9207 section 2.4: the answer must come from the provider that was asked.
    if text("iss") != app.issuer {
        return Err("this answer comes from another provider".into());
    }
    let code = answer.get("code").ok_or_else(|| format!("no login: {}", text("error")))?;
    Ok(page(&app.finished(code, &login).await?))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The first part is the title.
fn page(parts: &[(&str, String)]) -> Html<String> {
    let shown = |(name, text): &(&str, String)| {
        let id = name.to_lowercase().replace(' ', "-");
        format!("<h2>{name}</h2><pre id=\"{id}\">{}</pre>", escaped(text))
    };
    let title = escaped(&parts[0].1);
    let parts: String = parts[1..].iter().map(shown).collect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sample in Rust</title>\n\
         <h1>{title}</h1>{parts}<p><a id=\"login\" href=\"/login\">Sign in</a></p></html>"
    ))
}

/// What went wrong is for the log, not for the person.
struct Refusal(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        eprintln!("not accepted: {}", self.0);
        (StatusCode::BAD_REQUEST, page(&[("", "You are not signed in.".to_owned())])).into_response()
    }
}
