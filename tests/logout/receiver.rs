//! A client's server: it takes logout tokens and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

/// Requests as they came: content type, and the one form parameter.
type Taken = Arc<Mutex<Vec<(String, String)>>>;

#[derive(Clone, Default)]
struct Inner {
    taken: Taken,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// Never, as far as anybody waits.
    Hang,
}

pub(crate) struct Receiver {
    inner: Inner,
    /// Where it listens.
    pub(crate) uri: String,
}

impl Receiver {
    /// Answers with `answers`, one after the other, then with 200.
    pub(crate) async fn start(answers: &[Answer]) -> Self {
        let inner = Inner::default();
        inner.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/back", listener.local_addr().unwrap());
        let router = Router::new().route("/back", post(take)).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { inner, uri }
    }

    /// The logout tokens that have come so far.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.inner.taken.lock().unwrap().iter().map(|(_, token)| token.clone()).collect()
    }

    /// Their content types.
    pub(crate) fn kinds(&self) -> Vec<String> {
        self.inner.taken.lock().unwrap().iter().map(|(kind, _)| kind.clone()).collect()
    }
}

async fn take(State(inner): State<Inner>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let kind = headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    assert_eq!(pairs.len(), 1, "{pairs:?}");
    assert_eq!(pairs[0].0, "logout_token");
    inner.taken.lock().unwrap().push((kind, pairs[0].1.clone()));
    let answer = inner.answers.lock().unwrap().pop_front();
    match answer {
        None => StatusCode::OK,
        Some(Answer::Status(status)) => StatusCode::from_u16(status).unwrap(),
        Some(Answer::Hang) => std::future::pending().await,
    }
}
