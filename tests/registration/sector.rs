//! `sector_identifier_uri`: read and checked before anything is registered (OpenID Connect Registration section 5).

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use serde_json::json;

use crate::{CALLBACK, Known, open, refusal, register};

const OTHER: &str = "https://other.example/callback";

/// A client's own server, with a good document, one that lacks an address, and others.
async fn documents() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let json =
        |body: &'static str| get(move || async move { ([(header::CONTENT_TYPE, "application/json")], body) });
    let router = Router::new()
        .route("/good", json(r#"["https://rp.example/callback", "https://other.example/callback"]"#))
        .route("/lacking", json(r#"["https://rp.example/callback"]"#))
        .route("/object", json(r#"{"redirect_uris":["https://rp.example/callback"]}"#))
        .route("/html", get(|| async { "[]" }))
        .route("/elsewhere", get(|| async { Redirect::to("/good").into_response() }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sector_document_lists_every_redirect_uri_registration_5() {
    let provider = open().await;
    let server = documents().await;
    let asked = |document: &str| {
        json!({
            "subject_type": "pairwise",
            "redirect_uris": [CALLBACK, OTHER],
            "sector_identifier_uri": format!("{server}{document}"),
        })
    };
    let known = Known::new(&provider, asked("/good")).await;
    assert_eq!(known.info["sector_identifier_uri"], format!("{server}/good"));
    for document in ["/lacking", "/object", "/html", "/elsewhere", "/missing"] {
        let reply = register(&provider, asked(document)).await;
        assert_eq!(refusal(&reply), (400, "invalid_client_metadata".to_owned()), "{document}");
        let changed = known.put(&provider, asked(document)).await;
        assert_eq!(refusal(&changed), (400, "invalid_client_metadata".to_owned()), "{document}");
    }
    assert_eq!(provider.provisioner().clients(&"default".into()).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_joins_a_sector_that_does_not_list_them_core_8_1() {
    let provider = open().await;
    let server = documents().await;
    let reply = register(
        &provider,
        json!({
            "subject_type": "pairwise",
            "redirect_uris": ["https://spy.example/callback"],
            "sector_identifier_uri": format!("{server}/good"),
        }),
    )
    .await;
    assert_eq!(refusal(&reply), (400, "invalid_client_metadata".to_owned()));
    assert_eq!(provider.reason(&reply).await, "sector_identifier_mismatch");
}
