//! What clients poll to notice a logout (Session Management 1.0 sections 2 and 3.2).

use sha2::{Digest, Sha256};
use url::Url;

use crate::ids::ClientId;

/// What this browser's scripts may know of its session: it is another one after each login and none after a logout, and
/// says nothing of the session cookie that it is made from.
pub fn browser_state(session_cookie: &str) -> String {
    hex::encode(Sha256::digest(format!("browser-state:{session_cookie}")))
}

/// Session Management section 3.2: "The OP iframe MUST [...] recalculate it from the Client ID, the source origin URL (from
/// the `postMessage`), and the current OP User Agent state". So the value is the hash of just those, and a salt.
/// `redirect_uri` is where the response goes; one that belongs to no web origin (a native application) has none.
pub fn session_state(
    client: &ClientId,
    redirect_uri: &str,
    browser_state: &str,
    salt: &str,
) -> Option<String> {
    let origin = Url::parse(redirect_uri).ok()?.origin();
    if !origin.is_tuple() {
        return None;
    }
    let text = format!("{client} {} {browser_state} {salt}", origin.ascii_serialization());
    // Section 2: "It MUST NOT contain the space character."
    Some(format!("{}.{salt}", hex::encode(Sha256::digest(text))))
}
