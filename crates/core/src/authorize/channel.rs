//! By which way a response travels (OAuth 2.0 Multiple Response Type Encoding Practices, Form Post Response Mode, JARM).

use crate::context::UnixTime;
use crate::fault::Fault;
use crate::records::{Client, ClientKey, ResponseMode, ResponseType, TenantSettings};
use crate::response::{self, Protection};

/// A response mode with what it needs. Made by [`Channel::new`], so that a JWT mode without its protection does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    mode: ResponseMode,
    protection: Option<Protection>,
}

impl Channel {
    /// The way of `mode`. JARM section 3: signed, and encrypted if the client is set so; without a usable key there is no
    /// channel at all, and a page tells why.
    pub fn new(
        mode: ResponseMode,
        client: &Client,
        keys: &[ClientKey],
        tenant: &TenantSettings,
        now: UnixTime,
    ) -> Result<Self, Fault> {
        let wanted = client.settings.authorization_response;
        let protection =
            if is_jwt(mode) { Some(response::protection(wanted, client, keys, tenant, now)?) } else { None };
        Ok(Self { mode, protection })
    }

    /// The query of the redirect URI, in the clear.
    pub fn query() -> Self {
        Self { mode: ResponseMode::Query, protection: None }
    }

    pub(crate) fn mode(&self) -> ResponseMode {
        self.mode
    }

    pub(crate) fn protection(&self) -> Option<&Protection> {
        self.protection.as_ref()
    }
}

fn is_jwt(mode: ResponseMode) -> bool {
    use ResponseMode::{FormPostJwt, FragmentJwt, Jwt, QueryJwt};
    matches!(mode, QueryJwt | FragmentJwt | FormPostJwt | Jwt)
}

/// A response mode, and why the one that was asked for is not it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) mode: ResponseMode,
    pub(super) refused: Option<Fault>,
}

/// Chooses the mode before the rest is judged, since errors travel by it too: the one that was asked for, if it is known
/// and may carry this response type, else the default of the type. `encrypted`: whether this client's JARM responses are.
pub(super) fn choose(response_type: Option<&str>, response_mode: Option<&str>, encrypted: bool) -> Chosen {
    let tokens = carries_tokens(response_type.unwrap_or_default());
    let default = if tokens { ResponseMode::Fragment } else { ResponseMode::Query };
    let instead = |fault| Chosen { mode: default, refused: Some(fault) };
    let Some(asked) = response_mode else { return Chosen { mode: default, refused: None } };
    let mode = match ResponseMode::from_name(asked) {
        None => return instead(Fault::ResponseModeUnsupported),
        // Multiple Response Types section 5, of each type with a token: "The authorization server MUST NOT use the query
        // encoding"; sections 2.1 and 3: a client may only choose among secure ones.
        Some(ResponseMode::Query) if tokens => return instead(Fault::ResponseModeUnfit),
        // JARM section 2.3.1: query.jwt "MUST NOT be used in conjunction with response types that contain "token" or
        // "id_token" unless the response JWT is encrypted to prevent token leakage in the URL."
        Some(ResponseMode::QueryJwt) if tokens && !encrypted => return instead(Fault::ResponseModeUnfit),
        // JARM section 2.3.4: "the default redirect encoding (query, fragment) for the requested response type".
        Some(ResponseMode::Jwt) if tokens => ResponseMode::FragmentJwt,
        Some(ResponseMode::Jwt) => ResponseMode::QueryJwt,
        Some(mode) => mode,
    };
    Chosen { mode, refused: None }
}

/// Also of types that are not supported: an error about `token` goes where `token` would have gone.
fn carries_tokens(response_type: &str) -> bool {
    match ResponseType::parse(response_type) {
        Some(known) => known.default_mode() == ResponseMode::Fragment,
        None => response_type.split(' ').any(|word| word == "token" || word == "id_token"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_follows_request_and_type_multiple_response_types_2_1_jarm_2_3() {
        use ResponseMode::{FormPost, FormPostJwt, Fragment, FragmentJwt, Query, QueryJwt};
        let unfit = Some(Fault::ResponseModeUnfit);
        let unknown = Some(Fault::ResponseModeUnsupported);
        for (kind, asked, encrypted, mode, refused) in [
            (Some("code"), None, false, Query, None),
            (None, None, false, Query, None),
            (Some("banana"), None, false, Query, None),
            (Some("token"), None, false, Fragment, None),
            (Some("token banana"), None, false, Fragment, None),
            (Some("id_token"), None, false, Fragment, None),
            (Some("token code"), None, false, Fragment, None),
            (Some("code"), Some("fragment"), false, Fragment, None),
            (Some("code"), Some("form_post"), false, FormPost, None),
            (Some("id_token"), Some("form_post"), false, FormPost, None),
            (Some("id_token"), Some("query"), false, Fragment, unfit.clone()),
            (Some("code token"), Some("query"), true, Fragment, unfit.clone()),
            (Some("code"), Some("Query"), false, Query, unknown.clone()),
            (Some("code id_token"), Some("web_message"), false, Fragment, unknown.clone()),
            (Some("code"), Some("jwt"), false, QueryJwt, None),
            (Some("code id_token"), Some("jwt"), false, FragmentJwt, None),
            (Some("code"), Some("query.jwt"), false, QueryJwt, None),
            (Some("code id_token"), Some("query.jwt"), false, Fragment, unfit.clone()),
            (Some("code id_token"), Some("query.jwt"), true, QueryJwt, None),
            (Some("code"), Some("fragment.jwt"), false, FragmentJwt, None),
            (Some("id_token token"), Some("form_post.jwt"), false, FormPostJwt, None),
        ] {
            assert_eq!(choose(kind, asked, encrypted), Chosen { mode, refused }, "{kind:?} {asked:?}");
        }
    }
}
