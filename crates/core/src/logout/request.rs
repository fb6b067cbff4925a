//! The end-session endpoint (RP-Initiated Logout 1.0 sections 2 and 3).

use serde::{Deserialize, Serialize};

use crate::context::UnixTime;
use crate::fault::Fault;
use crate::hint::Hint;
use crate::params::Params;
use crate::records::{Client, Session, Tenant};
use crate::subject;

/// A logout request. `logout_hint` and `ui_locales` are taken and have no effect: the page says who is signed in, in the
/// one language that there is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutRequest {
    /// An ID token that was issued to the client.
    pub id_token_hint: Option<String>,
    /// The client.
    pub client_id: Option<String>,
    /// Where the browser is to go afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// Goes back with it.
    pub state: Option<String>,
}

impl std::fmt::Debug for LogoutRequest {
    /// Without the ID token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogoutRequest").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl LogoutRequest {
    /// Reads the parameters; others are ignored.
    pub fn read(params: &Params) -> Self {
        Self {
            id_token_hint: params.owned("id_token_hint"),
            client_id: params.owned("client_id"),
            post_logout_redirect_uri: params.owned("post_logout_redirect_uri"),
            state: params.owned("state"),
        }
    }
}

/// Where the browser may go after a logout. Only [`post_logout`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostLogout {
    uri: String,
    state: Option<String>,
}

impl PostLogout {
    /// The registered address.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The `state` that goes back.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Section 3: "If the `state` parameter is included in the logout request, the OP passes this value back to the RP using
    /// the `state` parameter when redirecting the User Agent back to the RP." Nothing else goes with it.
    pub fn location(&self) -> String {
        let Some(state) = &self.state else { return self.uri.clone() };
        let separator = if self.uri.contains('?') { '&' } else { '?' };
        let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
        format!("{}{separator}{pair}", self.uri)
    }
}

/// Section 3: "The OP MUST NOT perform post-logout redirection if the `post_logout_redirect_uri` value supplied does not
/// exactly match one of the previously registered `post_logout_redirect_uris` values."
pub fn post_logout(client: &Client, uri: &str, state: Option<&str>) -> Result<PostLogout, Fault> {
    let registered = client.settings.post_logout_redirect_uris.iter().any(|known| known == uri);
    if client.disabled || !registered || !leads_somewhere(uri) {
        return Err(Fault::PostLogoutUriUnregistered);
    }
    Ok(PostLogout { uri: uri.to_owned(), state: state.map(str::to_owned) })
}

/// http and https, and the schemes of native applications (RFC 8252 section 7.1). Others are refused at registration too;
/// here once more, since the address becomes a link on a page of ours.
fn leads_somewhere(uri: &str) -> bool {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    matches!(scheme, "https" | "http") || scheme.contains('.')
}

/// The facts of a logout request.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// What was asked.
    pub request: &'a LogoutRequest,
    /// The ID token, verified. There is one whenever the request has one.
    pub hint: Option<&'a Hint>,
    /// The client that the hint was issued to, or else the one that `client_id` names.
    pub client: Option<&'a Client>,
    /// The session that this browser's cookie names.
    pub session: Option<&'a Session>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the person.
    Ask(Option<PostLogout>),
    /// End the session, then go on.
    End(Option<PostLogout>),
    /// Nobody is signed in here; go on.
    Over(Option<PostLogout>),
    /// Nobody is signed in here, and nothing proves who asks: offer a link at most.
    Offer(Option<PostLogout>),
}

/// Judges a logout request.
///
/// Section 2: "the OP SHOULD ask the End-User whether to log out of the OP as well. Furthermore, the OP MUST ask the
/// End-User this question if an `id_token_hint` was not provided or if the supplied ID Token does not belong to the
/// current OP session with the RP and/or currently logged in End-User." So it is left out in one case only: the ID token is
/// of this browser's session and of its user. A hint that names another session ends neither that one nor this one.
pub fn decide(input: &Input<'_>, now: UnixTime) -> Result<Step, Fault> {
    let to = destination(input)?;
    let Some(session) = input.session else { return Ok(nobody(input, to)) };
    if is_own(input, session) {
        return Ok(Step::End(to));
    }
    let alive = session.is_alive(&input.tenant.settings, now);
    Ok(if alive { Step::Ask(to) } else { nobody(input, to) })
}

/// The person has said yes. The request comes from our own page and is judged once more; that the person agreed is what
/// proves a client that sent no ID token.
pub fn confirmed(input: &Input<'_>) -> Result<Step, Fault> {
    let to = destination(input)?;
    Ok(if input.session.is_some() { Step::End(to) } else { Step::Over(to) })
}

fn nobody(input: &Input<'_>, to: Option<PostLogout>) -> Step {
    if input.hint.is_some() { Step::Over(to) } else { Step::Offer(to) }
}

fn is_own(input: &Input<'_>, session: &Session) -> bool {
    let (Some(hint), Some(client)) = (input.hint, input.client) else { return false };
    hint.client_id() == &client.client_id
        && hint.sid() == Some(session.sid.as_str())
        && hint.sub() == subject::of(input.tenant, client, session.user_id)
}

/// Section 3: "An `id_token_hint` carrying an ID Token for the RP is also RECOMMENDED when requesting post-logout
/// redirection; if it is not supplied with `post_logout_redirect_uri`, the OP MUST NOT perform post-logout redirection unless
/// the OP has other means of confirming the legitimacy of the post-logout redirection target." Here that is the client's
/// name and the person's word. Without a client the address is not used at all.
fn destination(input: &Input<'_>) -> Result<Option<PostLogout>, Fault> {
    let named = input.request.client_id.is_some() || input.request.id_token_hint.is_some();
    let client = input.client.filter(|client| !client.disabled);
    match (&input.request.post_logout_redirect_uri, client) {
        (_, None) if named => Err(Fault::ClientUnknown),
        (None, _) | (_, None) => Ok(None),
        (Some(uri), Some(client)) => post_logout(client, uri, input.request.state.as_deref()).map(Some),
    }
}
