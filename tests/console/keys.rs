//! The keys of clients in the console.

use axum::http::StatusCode;
use serde_json::Value;
use signet_core::records::Role;
use signet_jose::{KeySpec, KeyUse, PrivateKey};
use signet_tests::console::{Person, below};
use signet_tests::provider::{Provider, between};

use super::clients::{make, stored};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_key_is_said_at_its_fields_and_what_was_typed_is_kept() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "web").await;
    let version = || async { stored(&provider, "app").await.version.to_string() };
    let base = "/console/clients/app/keys";
    // All that is wrong is said at once, each beside its field.
    let fields = [("version", &*version().await), ("name", ""), ("usage", "sig"), ("source", "not a key")];
    let refused = person.post(&format!("{base}/import"), &fields).await;
    for wanted in ["key_name", "key_source", "href=\"#name\"", "href=\"#source\""] {
        assert!(refused.body.contains(wanted), "{wanted}: {}", refused.body);
    }
    let fields = [("version", &*version().await), ("name", "x"), ("usage", "sig"), ("source", " ")];
    let refused = person.post(&format!("{base}/import"), &fields).await;
    assert_eq!(refused.body.matches("Nothing was pasted").count(), 2, "above the form and at the field");
    let fields = [("version", &*version().await), ("name", ""), ("usage", "enc"), ("kind", "p-384")];
    let refused = person.post(&format!("{base}/generate"), &fields).await;
    for kept in ["href=\"#generate-name\"", "value=\"enc\" selected", "value=\"p-384\" selected"] {
        assert!(refused.body.contains(kept), "{kept}: {}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_imported_changed_rotated_and_revoked() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "web").await;
    let keys = || async { provider.app.store.client_keys(&"default".into(), &"app".into()).await.unwrap() };
    let version = || async { stored(&provider, "app").await.version.to_string() };
    let base = "/console/clients/app/keys";

    // On the server: the private part is in this answer and nowhere else.
    let fields = [("version", &*version().await), ("name", "First"), ("usage", "enc"), ("kind", "rsa-2048")];
    let made = person.post(&format!("{base}/generate"), &fields).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let jwk = between(&made.body, "data-private-jwk><code>", "</code>").replace("&#34;", "\"");
    let private: Value = serde_json::from_str(&jwk).unwrap();
    let secret = private["d"].as_str().unwrap();
    let page = person.get(base).await;
    assert!(!page.body.contains(secret) && page.body.contains("First"));
    assert_eq!(keys().await.len(), 1);
    assert!(!serde_json::to_string(&keys().await[0]).unwrap().contains(secret));
    for event in provider.audit(made.correlation_id()).await {
        assert!(!serde_json::to_string(&event).unwrap().contains(secret));
    }

    // Imported, with what is wrong told.
    let public = PrivateKey::generate(KeySpec::P256).unwrap().with_use(KeyUse::Sig).public_key().to_jwk();
    let source = serde_json::to_string(&public).unwrap();
    for (source, name, wanted) in
        [("not a key", "Second", "key_source"), (&*source, "", "key_name"), (&*jwk, "Second", "key_source")]
    {
        let fields = [("version", &*version().await), ("name", name), ("usage", "sig"), ("source", source)];
        let refused = person.post(&format!("{base}/import"), &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
        let code = between(&refused.body, "<code class=\"code\">", "</code>");
        assert!(code.starts_with(wanted), "{code}");
    }
    let fields = [
        ("version", &*version().await),
        ("name", "Second"),
        ("usage", "sig"),
        ("source", &source),
        ("not_after", "2027-01-01T00:00"),
    ];
    let done = person.post(&format!("{base}/import"), &fields).await;
    assert_eq!(below(&done), base, "{}", done.body);
    let second = keys().await.into_iter().find(|key| key.name == "Second").unwrap();
    assert_eq!(second.not_after, Some(1_798_761_600));

    let fields = [("version", &*version().await), ("name", "Renamed"), ("not_after", "")];
    let done = person.post(&format!("{base}/{}/change", second.id), &fields).await;
    assert_eq!(below(&done), base, "{}", done.body);
    let second = keys().await.into_iter().find(|key| key.id == second.id).unwrap();
    assert_eq!((second.name.as_str(), second.not_after), ("Renamed", None));

    // One click: the old key is good for a while yet.
    provider.advance(1);
    let first = keys().await.into_iter().find(|key| key.name == "First").unwrap();
    let rotated = person.post(&format!("{base}/{}/rotate", first.id), &[("version", &version().await)]).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    assert!(rotated.body.contains("data-private-jwk"));
    let after = keys().await;
    // A key of this very second has its successor from the next one on.
    let soon = provider.now() + 1;
    assert_eq!(after.iter().filter(|key| key.usage == KeyUse::Enc && key.usable_at(soon)).count(), 2);
    assert!(after.iter().find(|key| key.id == first.id).unwrap().not_after.is_some());

    // To a key of the client's own, with an overlap of its own; what does not fit is told, and kept.
    let own = PrivateKey::generate(KeySpec::P256).unwrap().with_use(KeyUse::Sig).public_key().to_jwk();
    let own = serde_json::to_string(&own).unwrap();
    let (path, id) = (format!("{base}/{}/rotate", second.id), second.id.to_string());
    for (source, overlap, wanted) in [
        (&*own, "soon", "whole number of seconds"),
        (&*own, "-1", "overlap"),
        (&*own, "31536001", "overlap"),
        (&*source, "60", "key_"),
        (&*jwk, "60", "key_source"),
    ] {
        let fields =
            [("version", &*version().await), ("rotated", &id), ("source", source), ("overlap", overlap)];
        let refused = person.post(&path, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{overlap}: {}", refused.body);
        let told = between(&refused.body, "id=\"problems\"", "</div>");
        assert!(told.contains(wanted) && refused.body.contains("<details open>"), "{overlap}: {told}");
        assert!(refused.body.contains(&format!("value=\"{overlap}\"")), "{overlap}");
    }
    let before = keys().await.len();
    let fields = [("version", &*version().await), ("rotated", &id), ("source", &own), ("overlap", "600")];
    let done = person.post(&path, &fields).await;
    assert_eq!(below(&done), base, "{}", done.body);
    let after = keys().await;
    let ended = after.iter().find(|key| key.id == second.id).unwrap().not_after.unwrap();
    let next = after.iter().find(|key| key.name == second.name && key.id != second.id).unwrap();
    assert_eq!((after.len(), ended), (before + 1, next.not_before.unwrap() + 600));

    // Nothing is revoked without the box.
    let path = format!("{base}/{}/revoke", first.id);
    let refused = person.post(&path, &[("version", &version().await)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = person.post(&path, &[("version", &version().await), ("sure", "yes")]).await;
    assert_eq!(below(&done), base, "{}", done.body);
    assert!(keys().await.iter().find(|key| key.id == first.id).unwrap().revoked_at.is_some());
    assert!(person.get(base).await.body.contains("Withdrawn"));
}
