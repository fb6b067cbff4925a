//! Whose a client is, which ones are nobody's to change, and what is taken from one at once.

use serde_json::json;
use signet_core::builtin::Builtin;
use signet_core::change::Change;
use signet_core::client_policy::{Contradiction, KeptSecret, Mode};
use signet_core::provision::{ClientFacts, remove_client, withdraw_key};
use uuid::Uuid;

use super::common::{NOW, at, tenant};
use super::{Seal, Stored};

fn owned(owner: &serde_json::Value) -> serde_json::Value {
    json!({ "client_id": "c", "client_name": "c", "redirect_uris": ["https://rp.example/cb"],
            "token_endpoint_auth_method": "none", "owner": owner })
}

#[test]
fn an_owner_is_set_kept_and_taken_away() {
    let id = Uuid::from_u128(7);
    let mut stored = Stored::default();
    stored.apply(&owned(&json!(id)), NOW);
    let owner = |stored: &Stored| stored.client.as_ref().unwrap().owner;
    assert_eq!(owner(&stored), Some(id));
    let mut left_out = owned(&json!(null));
    left_out.as_object_mut().unwrap().remove("owner");
    assert!(stored.apply(&left_out, NOW).is_unchanged());
    let done = stored.apply(&owned(&json!(null)), NOW);
    assert_eq!((owner(&stored), done.differences.len()), (None, 1));
}

#[test]
fn built_in_clients_are_as_this_program_makes_them() {
    let stored = Stored::default();
    let taken = json!({ "client_id": "signet-console", "client_name": "Mine",
        "redirect_uris": ["https://evil.example/cb"], "token_endpoint_auth_method": "none" });
    assert_eq!(stored.refused(&taken), ["client_builtin"]);
    let settings = Builtin::Console.settings(&tenant());
    let mut own = serde_json::to_value(settings).unwrap();
    own["client_id"] = json!("signet-console");
    assert!(stored.try_apply(&own, NOW).is_ok());
    own["disabled"] = json!(true);
    assert_eq!(stored.refused(&own), ["client_builtin"]);
}

#[test]
fn a_key_is_withdrawn_whatever_breaks_and_what_breaks_is_said() {
    let mut stored = Stored::default();
    let mut declared = owned(&json!(null));
    declared["require_request_object"] = json!(true);
    declared["keys"] = json!([{ "name": "signing", "usage": "sig",
        "source": super::common::rp_sig().public_key().to_jwk() }]);
    stored.apply(&declared, NOW);
    let (client, tenant) = (stored.client.clone().unwrap(), tenant());
    let facts = ClientFacts {
        tenant: &tenant,
        current: Some(&client),
        keys: &stored.keys,
        key_set: None,
        secrets: &Seal,
        mode: Mode::Production,
    };
    let withdraw = |id| withdraw_key(&client, id, KeptSecret::Nothing, &facts, "corr", &at(NOW + 1));
    let (done, broken) = withdraw(stored.keys[0].id).unwrap();
    assert_eq!(broken.iter().map(Contradiction::code).collect::<Vec<_>>(), ["objects_without_key"]);
    let [Change::UpdateClient(next), Change::RevokeClientKey { at, .. }, Change::Audit(event)] =
        done.changes.as_slice()
    else {
        panic!("{:?}", done.changes)
    };
    assert_eq!((next.version, *at, event.kind.as_str()), (client.version + 1, NOW + 1, "client.key_revoked"));
    assert!(withdraw(Uuid::from_u128(99)).is_none());
    let gone = remove_client(&client, &tenant, "corr", &super::common::at(NOW));
    let [Change::UpdateClient(last), Change::DeleteClient(_), Change::Audit(_)] = gone.changes.as_slice()
    else {
        panic!()
    };
    assert_eq!(last.version, client.version + 1, "the version that was judged is the one that goes");
}
