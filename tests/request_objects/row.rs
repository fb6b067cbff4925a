//! One row of the table: a request that breaks one rule, and what must come of it.

use serde_json::{Map, Value};
use signet_tests::craft;

use crate::bench::{Bench, OPEN, Place, Sent, signing_key};

/// Where the error goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// The redirect URI beside the object, with the state beside it.
    Beside,
    /// The redirect URI in the object, with the state in it.
    Inside,
    /// The redirect URI in the object, without a state.
    Stateless,
    /// A page.
    Page,
}

/// What a row is made with.
pub(crate) struct Case<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) id: &'static str,
    pub(crate) place: Place,
    pub(crate) jti: String,
    pub(crate) now: i64,
}

impl Case<'_> {
    /// Good claims.
    pub(crate) fn claims(&self) -> Map<String, Value> {
        self.bench.claims(self.id, self.place, Some(&self.jti))
    }

    /// Good claims as octets.
    pub(crate) fn payload(&self) -> Vec<u8> {
        craft::json(&self.claims())
    }

    /// A good signed object.
    pub(crate) fn signed(&self) -> String {
        self.bench.sign(self.id, &self.claims())
    }

    /// Good claims signed with the client's RSA key under this header.
    pub(crate) fn under(&self, header: &Value) -> String {
        craft::jws(header.to_string().as_bytes(), &self.payload(), &signing_key(self.id).0)
    }

    /// This content, encrypted under the good header with changes: null removes a member.
    pub(crate) fn sealed_with(&self, changes: &Value, content: &[u8]) -> String {
        let entry = craft::entry(&self.bench.jwks, "enc", "RSA-OAEP");
        let mut header = Map::new();
        for (name, value) in [
            ("alg", "RSA-OAEP"),
            ("enc", "A128CBC-HS256"),
            ("cty", "JWT"),
            ("kid", entry["kid"].as_str().unwrap()),
        ] {
            header.insert(name.into(), value.into());
        }
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                header.remove(name)
            } else {
                header.insert(name.clone(), value.clone())
            };
        }
        craft::jwe(&craft::json(&header), content, entry)
    }

    /// This content, encrypted well.
    pub(crate) fn sealed(&self, content: &[u8]) -> String {
        self.sealed_with(&serde_json::json!({}), content)
    }
}

type Make = Box<dyn Fn(&Case<'_>) -> Sent>;

/// One row.
pub(crate) struct Row {
    pub(crate) rule: String,
    pub(crate) reason: &'static str,
    pub(crate) error: &'static str,
    pub(crate) to: To,
    pub(crate) id: &'static str,
    pub(crate) place: Place,
    /// Too long for an address.
    pub(crate) post_only: bool,
    /// The client has a good object to send afterwards.
    pub(crate) recovers: bool,
    pub(crate) make: Make,
}

impl Row {
    /// A whole request.
    pub(crate) fn request(
        rule: &str,
        reason: &'static str,
        make: impl Fn(&Case<'_>) -> Sent + 'static,
    ) -> Self {
        Self {
            rule: rule.into(),
            reason,
            error: "invalid_request_object",
            to: To::Beside,
            id: "rp",
            place: OPEN,
            post_only: false,
            recovers: true,
            make: Box::new(make),
        }
    }

    /// The usual request around an object.
    pub(crate) fn object(
        rule: &str,
        reason: &'static str,
        make: impl Fn(&Case<'_>) -> String + 'static,
    ) -> Self {
        Self::request(rule, reason, move |case| case.bench.around(case.id, &make(case)))
    }

    pub(crate) fn to(self, to: To) -> Self {
        Self { to, ..self }
    }

    pub(crate) fn error(self, error: &'static str) -> Self {
        Self { error, ..self }
    }

    pub(crate) fn of(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    pub(crate) fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    pub(crate) fn post_only(self) -> Self {
        Self { post_only: true, ..self }
    }

    pub(crate) fn without_good_object(self) -> Self {
        Self { recovers: false, ..self }
    }

    /// The same rule with the object alone and with the object encrypted.
    pub(crate) fn both(
        rule: &str,
        reason: &'static str,
        make: impl Fn(&Case<'_>) -> String + Clone + 'static,
    ) -> [Self; 2] {
        let inner = make.clone();
        [
            Self::object(&format!("{rule}, signed"), reason, make),
            Self::object(&format!("{rule}, nested"), reason, move |case| case.sealed(inner(case).as_bytes())),
        ]
    }
}
