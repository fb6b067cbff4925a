//! Liveness and readiness.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::app::App;

/// The process answers.
pub(super) async fn alive() -> impl IntoResponse {
    Json(json!({ "status": "alive" }))
}

/// The process can do its work: the database answers, has the right schema, and agrees about the time.
pub(super) async fn ready(State(app): State<App>) -> impl IntoResponse {
    let (clock, current) = tokio::join!(app.store.clock(), app.store.is_current());
    let skew = clock.as_ref().map(|theirs| (theirs - app.clock.now()).abs()).ok();
    // Times decide what is valid and what was replayed, so nodes must agree on them (design section 5).
    let clock_agrees = match (skew, app.clock_tolerance) {
        (Some(skew), Some(tolerance)) => skew <= tolerance,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let schema = matches!(current, Ok(true));
    let ready = clock_agrees && schema;
    let body: Value = json!({
        "status": if ready { "ready" } else { "not_ready" },
        "database": clock.is_ok(),
        "schema_current": schema,
        "clock_agrees": clock_agrees,
        "clock_skew_seconds": skew,
    });
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
}
