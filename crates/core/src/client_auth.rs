//! Client authentication (RFC 6749 section 2.3, OpenID Connect Core section 9).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::ids::ClientId;
use crate::params::Params;
use crate::records::{Client, ClientAuthMethod};

/// What a client presented. Made by [`presented`]; not yet judged.
#[derive(Clone)]
pub struct Credentials {
    /// Who the client says it is.
    pub client_id: ClientId,
    method: ClientAuthMethod,
    secret: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// A client that has proved who it is. Only [`authenticate`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticatedClient<'a>(&'a Client);

impl<'a> AuthenticatedClient<'a> {
    /// The client.
    pub fn client(self) -> &'a Client {
        self.0
    }
}

/// Finds the one way of authentication in a request. RFC 6749 section 2.3: "The client MUST NOT use more than one
/// authentication method in each request."
pub fn presented(authorization: Option<&str>, params: &Params) -> Result<Credentials, Fault> {
    let in_form = params.get("client_id");
    let secret = params.get("client_secret");
    let assertion = params.get("client_assertion");
    match (authorization, secret) {
        (authorization, secret) if assertion.is_some() && (authorization.is_some() || secret.is_some()) => {
            Err(Fault::ClientAuthMultiple)
        }
        (Some(_), Some(_)) => Err(Fault::ClientAuthMultiple),
        (Some(header), None) => {
            let credentials = basic(header)?;
            match in_form {
                Some(id) if id != credentials.client_id.as_str() => Err(Fault::ClientAuthMultiple),
                _ => Ok(credentials),
            }
        }
        (None, _) if assertion.is_some() => Err(Fault::ClientAuthMethodWrong),
        (None, secret) => {
            let client_id = in_form.map(ClientId::from).ok_or(Fault::ClientAuthMissing)?;
            let method = match secret {
                Some(_) => ClientAuthMethod::ClientSecretPost,
                None => ClientAuthMethod::None,
            };
            Ok(Credentials { client_id, method, secret: secret.map(|s| Zeroizing::new(s.to_owned())) })
        }
    }
}

/// RFC 6749 section 2.3.1: user and password of HTTP Basic are form-encoded first.
fn basic(header: &str) -> Result<Credentials, Fault> {
    let bad = Fault::ClientAuthMalformed;
    let (scheme, value) = header.split_once(' ').ok_or(bad.clone())?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(bad);
    }
    let decoded = Zeroizing::new(STANDARD.decode(value.trim()).map_err(|_| bad.clone())?);
    let decoded = std::str::from_utf8(&decoded).map_err(|_| bad.clone())?;
    let (id, secret) = decoded.split_once(':').ok_or(bad.clone())?;
    let (id, secret) = (form_decode(id).ok_or(bad.clone())?, form_decode(secret).ok_or(bad.clone())?);
    // RFC 6749 appendices A.1 and A.2: both are made of visible ASCII and spaces.
    let visible = |text: &str| !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if !visible(&id) || !visible(&secret) {
        return Err(bad);
    }
    Ok(Credentials {
        client_id: ClientId::new(id.as_str()),
        method: ClientAuthMethod::ClientSecretBasic,
        secret: Some(secret),
    })
}

fn form_decode(text: &str) -> Option<Zeroizing<String>> {
    let plus = Zeroizing::new(text.replace('+', " "));
    percent_decode(plus.as_bytes()).decode_utf8().ok().map(|text| Zeroizing::new(text.into_owned()))
}

/// Judges the credentials of a client that was looked up by their `client_id`. Public text never says which part was
/// wrong.
pub fn authenticate<'a>(
    credentials: &Credentials,
    client: Option<&'a Client>,
) -> Result<AuthenticatedClient<'a>, Fault> {
    let client = client.filter(|client| !client.disabled).ok_or(Fault::ClientAuthUnknown)?;
    let registered = client.settings.token_endpoint_auth_method;
    // RFC 6749 section 2.3.1 leaves the choice to the client; here it is fixed at registration (RFC 7591 section 2).
    if credentials.method != registered {
        return Err(match credentials.method {
            ClientAuthMethod::None => Fault::ClientAuthMissing,
            _ => Fault::ClientAuthMethodWrong,
        });
    }
    match (&client.secret_hash, &credentials.secret) {
        (_, None) if registered == ClientAuthMethod::None => Ok(AuthenticatedClient(client)),
        (Some(hash), Some(secret)) if hash.matches(secret) => Ok(AuthenticatedClient(client)),
        _ => Err(Fault::ClientSecretWrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TokenHash;
    use crate::testing::client;

    fn judge(header: Option<&str>, form: &str, method: ClientAuthMethod) -> Result<(), Fault> {
        let mut client = client("a b");
        client.settings.token_endpoint_auth_method = method;
        client.secret_hash = (method != ClientAuthMethod::None).then(|| TokenHash::of("s:e%c+r"));
        let params = Params::decode(&[form.as_bytes()])?;
        let credentials = presented(header, &params)?;
        let found = (credentials.client_id == client.client_id).then_some(&client);
        authenticate(&credentials, found).map(|_| ())
    }

    #[test]
    fn each_way_of_authentication_rfc6749_2_3() {
        use ClientAuthMethod::{ClientSecretBasic as Basic, ClientSecretPost as Post, None as Public};
        let good = format!("Basic {}", STANDARD.encode("a+b:s%3Ae%25c%2Br"));
        let wrong = format!("basic {}", STANDARD.encode("a+b:x"));
        let other = format!("Basic {}", STANDARD.encode("z:s%3Ae%25c%2Br"));
        let form = "client_id=a+b&client_secret=s%3Ae%25c%2Br";
        assert_eq!(judge(Some(&good), "", Basic), Ok(()));
        assert_eq!(judge(Some(&good), "client_id=a+b", Basic), Ok(()));
        assert_eq!(judge(None, form, Post), Ok(()));
        assert_eq!(judge(None, "client_id=a+b", Public), Ok(()));
        assert_eq!(judge(Some(&wrong), "", Basic), Err(Fault::ClientSecretWrong));
        assert_eq!(judge(Some(&other), "", Basic), Err(Fault::ClientAuthUnknown));
        assert_eq!(judge(Some(&good), "client_id=z", Basic), Err(Fault::ClientAuthMultiple));
        assert_eq!(judge(Some(&good), form, Basic), Err(Fault::ClientAuthMultiple));
        assert_eq!(judge(None, form, Basic), Err(Fault::ClientAuthMethodWrong));
        assert_eq!(judge(Some(&good), "", Post), Err(Fault::ClientAuthMethodWrong));
        assert_eq!(judge(None, "client_id=a+b", Basic), Err(Fault::ClientAuthMissing));
        assert_eq!(judge(None, form, Public), Err(Fault::ClientAuthMethodWrong));
        assert_eq!(judge(None, "", Basic), Err(Fault::ClientAuthMissing));
        assert_eq!(judge(None, "client_assertion=x&client_id=a+b", Basic), Err(Fault::ClientAuthMethodWrong));
        // RFC 6749 section 2.3, RFC 7521 section 4.2: one way, assertions included.
        let assertion = "client_assertion=x&client_id=a+b";
        assert_eq!(judge(Some(&good), assertion, Basic), Err(Fault::ClientAuthMultiple));
        let both = format!("{assertion}&client_secret=x");
        assert_eq!(judge(None, &both, Post), Err(Fault::ClientAuthMultiple));
        for header in ["Basic", "Basic !", "Basic YQ==", "Bearer YTpi", "Basic Og==", "Basic YSUwMDpi"] {
            assert_eq!(judge(Some(header), "", Basic), Err(Fault::ClientAuthMalformed), "{header}");
        }
    }
}
