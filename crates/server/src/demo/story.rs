//! The messages of one login, told in order: who protected what for whom, with which key, found where.

use serde_json::{Map, Value, json};
use signet_jose::{Check, Compact, Limits, Trace, Verdict, parse};

use super::check::Response;
use super::provider::{Metadata, Tokens};
use super::request::Sent;
use super::unseal::{Layer, Wrapping, readable, sealed_layer, signed_layer};
use super::words::{ClaimRow, rows, segments, shortened};

/// A finished login.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) client_title: String,
    pub(super) sealed: bool,
    /// Name, user name or subject of who signed in.
    pub(super) person: String,
    pub(super) steps: Vec<Step>,
    /// The request as it was sent; to be sent once more by the curious.
    pub(super) address: String,
    pub(super) end_session: Option<String>,
    /// The signed ID token, which proves at the logout whose it is.
    pub(super) id_token: String,
    pub(super) client_id: String,
}

/// One message, or one exchange.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) route: &'static str,
    pub(super) text: String,
    /// Texts as they went over the wire, shortened where they are secret or shown elsewhere.
    pub(super) wire: Vec<(&'static str, String)>,
    /// The compact token, by segments with their names.
    pub(super) raw: Vec<(&'static str, String)>,
    /// From the outside inwards.
    pub(super) layers: Vec<LayerTold>,
    pub(super) claims: Vec<ClaimRow>,
    pub(super) checks: Vec<CheckTold>,
}

/// A layer with its explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LayerTold {
    pub(super) sealed: bool,
    pub(super) algorithms: String,
    pub(super) header: String,
    pub(super) key: String,
    pub(super) holder: &'static str,
    pub(super) sentence: &'static str,
}

/// A check in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CheckTold {
    pub(super) rule: &'static str,
    pub(super) clause: &'static str,
    pub(super) expected: String,
    pub(super) actual: String,
    pub(super) passed: bool,
}

/// A message with who seals and who signs it.
struct Parties {
    opened_by: &'static str,
    sealed: &'static str,
    verified_by: &'static str,
    signed: &'static str,
}

const REQUEST: Parties = Parties {
    opened_by: "the provider holds the private half",
    sealed: "Encrypted by the application to the provider's public key, found in the provider's JWKS with use enc. Only the provider can open it; the browser that carries it cannot.",
    verified_by: "the application holds the private half",
    signed: "Signed by the application with its own private key. The provider verifies with the public key that is registered for this client_id.",
};

const RESPONSE: Parties = Parties {
    opened_by: "the application holds the private half",
    sealed: "Encrypted by the provider to the application's public key, found among the keys registered for this client. Only the application can open it.",
    verified_by: "the provider holds the private half",
    signed: "Signed by the provider with its private key. The application verifies with the public key of this kid, found in the provider's JWKS.",
};

fn told(layers: &[Layer], parties: &Parties) -> Vec<LayerTold> {
    layers
        .iter()
        .map(|layer| {
            let sealed = layer.wrapping == Wrapping::Sealed;
            LayerTold {
                sealed,
                algorithms: layer.algorithms.clone(),
                header: layer.header.clone(),
                key: layer.kid.clone(),
                holder: if sealed { parties.opened_by } else { parties.verified_by },
                sentence: if sealed { parties.sealed } else { parties.signed },
            }
        })
        .collect()
}

fn checks(trace: &Trace) -> Vec<CheckTold> {
    let told = |check: &Check| CheckTold {
        rule: check.rule,
        clause: check.clause,
        expected: check.expected.clone(),
        actual: check.actual.clone(),
        passed: check.verdict == Verdict::Pass,
    };
    trace.checks.iter().filter(|check| check.verdict != Verdict::Skipped).map(told).collect()
}

/// A message of the provider.
pub(super) struct Received {
    /// As it came.
    pub(super) raw: String,
    /// Signed, without what was around it; empty for JSON.
    pub(super) signed: String,
    /// Empty for JSON.
    pub(super) layers: Vec<Layer>,
    pub(super) claims: Map<String, Value>,
    pub(super) trace: Trace,
}

/// Everything that a story is made of.
pub(super) struct Told<'a> {
    pub(super) client_title: &'a str,
    pub(super) metadata: &'a Metadata,
    pub(super) sent: &'a Sent,
    pub(super) response: &'a Response,
    pub(super) tokens: &'a Tokens,
    pub(super) id_token: &'a Received,
    pub(super) user_info: &'a Received,
    pub(super) redirect_uri: &'a str,
    pub(super) has_secret: bool,
    pub(super) now: i64,
}

/// Tells the login.
pub(super) fn tell(facts: &Told<'_>) -> Story {
    let name = |claim: &str| facts.user_info.claims.get(claim).and_then(Value::as_str);
    let person = name("name").or(name("preferred_username")).or(name("sub")).unwrap_or_default().to_owned();
    Story {
        client_title: facts.client_title.to_owned(),
        sealed: facts.sent.object.is_some(),
        person,
        steps: vec![request(facts), front(facts), exchange(facts), id_token(facts), user_info(facts)],
        address: facts.sent.address.clone(),
        end_session: facts.metadata.end_session_endpoint.clone(),
        id_token: facts.id_token.signed.clone(),
        client_id: facts.sent.client_id.clone(),
    }
}

fn request(facts: &Told<'_>) -> Step {
    let (layers, raw, title, text) = if let Some(object) = &facts.sent.object {
        let limits = Limits::default();
        let mut layers = Vec::new();
        if let Ok(Compact::Jwe(jwe)) = parse(&object.sealed, &limits) {
            layers.push(sealed_layer(&object.sealed, &jwe));
        }
        if let Ok(Compact::Jws(jws)) = parse(&object.signed, &limits) {
            layers.push(signed_layer(&object.signed, &jws));
        }
        let text =
            "The application wrote its request into a letter, signed it and sealed it for the provider.";
        (layers, segments(&object.sealed), "Request object", text)
    } else {
        let text = "The application put its request into plain parameters. Nobody signed them: who holds the browser can read and change them, and only state, nonce and PKCE protect the answer.";
        (Vec::new(), Vec::new(), "Request parameters", text)
    };
    Step {
        title,
        route: "Made by the application",
        text: text.into(),
        wire: Vec::new(),
        raw,
        layers: told(&layers, &REQUEST),
        claims: rows(&facts.sent.claims, facts.sent.now),
        checks: Vec::new(),
    }
}

fn front(facts: &Told<'_>) -> Step {
    let endpoint = &facts.metadata.authorization_endpoint;
    let out = if let Some(object) = &facts.sent.object {
        format!(
            "GET {endpoint}\n  ?client_id={}\n  &request={}",
            facts.sent.client_id,
            shortened(&object.sealed)
        )
    } else {
        let parameters = facts.sent.claims.iter().enumerate();
        parameters.fold(format!("GET {endpoint}"), |line, (index, (name, value))| {
            let sign = if index == 0 { '?' } else { '&' };
            format!("{line}\n  {sign}{name}={}", value.as_str().unwrap_or_default())
        })
    };
    let response = facts.response;
    let back = format!(
        "GET {}\n  ?code={}\n  &state={}\n  &iss={}",
        facts.redirect_uri,
        shortened(response.code.as_deref().unwrap_or_default()),
        response.state.as_deref().unwrap_or_default(),
        response.iss.as_deref().unwrap_or("(absent)")
    );
    let mut trace = Trace::new();
    trace.pass("state", "RFC 6749 section 10.12", facts.sent.state.clone(), facts.sent.state.clone());
    if let Some(iss) = &response.iss {
        trace.pass("iss", "RFC 9207 section 2.4", facts.metadata.issuer.clone(), iss.clone());
    }
    Step {
        title: "Front channel",
        route: "Application → browser → provider → browser → application",
        text: "The browser carried the request to the provider, the person signed in there, and the browser brought back a code. The code alone opens nothing.".into(),
        wire: vec![("Sent", out), ("Came back", back)],
        raw: Vec::new(),
        layers: Vec::new(),
        claims: Vec::new(),
        checks: checks(&trace),
    }
}

fn exchange(facts: &Told<'_>) -> Step {
    let authorization = if facts.has_secret {
        format!("\nAuthorization: Basic {} and its secret", facts.sent.client_id)
    } else {
        format!("\n  client_id={}", facts.sent.client_id)
    };
    let out = format!(
        "POST {}{authorization}\n  grant_type=authorization_code\n  code={}\n  redirect_uri={}\n  code_verifier={}",
        facts.metadata.token_endpoint,
        shortened(facts.response.code.as_deref().unwrap_or_default()),
        facts.redirect_uri,
        shortened(&facts.sent.verifier),
    );
    let tokens = facts.tokens;
    let back = json!({
        "access_token": shortened(&tokens.access_token),
        "id_token": shortened(&tokens.id_token),
        "token_type": tokens.token_type,
        "expires_in": tokens.expires_in,
        "scope": tokens.scope,
    });
    Step {
        title: "Code for tokens",
        route: "Application → provider, without the browser",
        text: "The application handed in the code with the verifier behind its code_challenge, and got an access token and an ID token. The code is used up.".into(),
        wire: vec![("Sent", out), ("Came back", readable(&back))],
        raw: Vec::new(),
        layers: Vec::new(),
        claims: Vec::new(),
        checks: Vec::new(),
    }
}

fn id_token(facts: &Told<'_>) -> Step {
    let received = facts.id_token;
    let text = if received.layers.len() > 1 {
        "The provider's statement about who signed in: signed by the provider, then sealed for the application."
    } else {
        "The provider's statement about who signed in: signed, and readable for whoever holds it."
    };
    Step {
        title: "ID token",
        route: "Provider → application",
        text: text.into(),
        wire: Vec::new(),
        raw: segments(&received.raw),
        layers: told(&received.layers, &RESPONSE),
        claims: rows(&received.claims, facts.now),
        checks: checks(&received.trace),
    }
}

fn user_info(facts: &Told<'_>) -> Step {
    let received = facts.user_info;
    let is_jwt = !received.layers.is_empty();
    let text = if is_jwt {
        "With the access token the application asked for the person's details. The answer is a token as well: it stays provable after it arrived, and sealed on the way."
    } else {
        "With the access token the application asked for the person's details. The answer is plain JSON: the connection protects it on the way, nothing afterwards."
    };
    Step {
        title: "UserInfo",
        route: "Provider → application, without the browser",
        text: text.into(),
        wire: Vec::new(),
        raw: if is_jwt { segments(&received.raw) } else { Vec::new() },
        layers: told(&received.layers, &RESPONSE),
        claims: rows(&received.claims, facts.now),
        checks: checks(&received.trace),
    }
}
