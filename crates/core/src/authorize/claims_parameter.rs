//! The `claims` parameter (OpenID Connect Core section 5.5).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::request::{ClaimRequest, ClaimsRequest};
use crate::fault::Fault;

/// Most claims in one member.
const MAX_CLAIMS: usize = 100;
/// Most acceptable values of one claim.
const MAX_VALUES: usize = 32;

/// Reads the parameter. "Members that are not understood MUST be ignored" holds at the top and within a claim's object.
pub(super) fn read(value: Option<&Value>) -> Result<ClaimsRequest, Fault> {
    let Some(value) = value else { return Ok(ClaimsRequest::default()) };
    let top = value.as_object().filter(|_| !has_nul(value)).ok_or(Fault::ClaimsMalformed)?;
    Ok(ClaimsRequest { userinfo: member(top, "userinfo")?, id_token: member(top, "id_token")? })
}

/// NUL never has a meaning, and not every database can keep it.
pub(crate) fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn member(top: &Map<String, Value>, name: &str) -> Result<BTreeMap<String, ClaimRequest>, Fault> {
    let claims = match top.get(name) {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(claims)) if claims.len() <= MAX_CLAIMS => claims,
        Some(_) => return Err(Fault::ClaimsMalformed),
    };
    claims.iter().map(|(name, request)| Ok((name.clone(), one(request)?))).collect()
}

/// Section 5.5.1: `null`, or an object with `essential`, `value`, `values`.
fn one(request: &Value) -> Result<ClaimRequest, Fault> {
    let object = match request {
        Value::Null => return Ok(ClaimRequest::default()),
        Value::Object(object) => object,
        _ => return Err(Fault::ClaimsMalformed),
    };
    let essential = match object.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err(Fault::ClaimsMalformed),
    };
    let values = match (object.get("value"), object.get("values")) {
        (Some(value), None) => vec![value.clone()],
        (None, Some(Value::Array(values))) if values.len() <= MAX_VALUES => values.clone(),
        (None, None) => Vec::new(),
        _ => return Err(Fault::ClaimsMalformed),
    };
    Ok(ClaimRequest { essential, values })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_example_of_core_5_5() {
        let value = json!({
            "userinfo": {"given_name": {"essential": true}, "nickname": null, "picture": {"x": 1}},
            "id_token": {"acr": {"values": ["a", "b"]}, "sub": {"value": "248289761001"}},
            "something": 1
        });
        let read = read(Some(&value)).unwrap();
        assert!(read.userinfo["given_name"].essential);
        assert!(!read.userinfo["nickname"].essential);
        assert_eq!(read.id_token["acr"].values, [json!("a"), json!("b")]);
        assert_eq!(read.id_token["sub"].values, [json!("248289761001")]);
    }

    #[test]
    fn other_shapes_are_refused() {
        for value in [
            json!([]),
            json!({"userinfo": []}),
            json!({"id_token": {"a": 1}}),
            json!({"id_token": {"a": {"essential": 1}}}),
            json!({"id_token": {"a": {"value": 1, "values": [1]}}}),
            json!({"id_token": {"a": {"values": 1}}}),
            json!({"id_token": {"a\u{0}": null}}),
            json!({"userinfo": {"a": {"values": [["\u{0}"]]}}}),
        ] {
            assert_eq!(read(Some(&value)), Err(Fault::ClaimsMalformed), "{value}");
        }
    }
}
