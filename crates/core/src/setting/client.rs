//! The settings of a client.

use super::{Kind, Word, settings, signatures};
use crate::records::{AccessTokenFormat, ClientAuthMethod, GrantType, ResponseType, SubjectType};
use signet_jose::SigAlg;

fn proofs() -> Vec<Word> {
    SigAlg::ALL.iter().map(|alg| (alg.name(), alg.name())).collect()
}

fn application_types() -> Vec<Word> {
    vec![("web", "Web (https redirect URIs)"), ("native", "Native (loopback or a scheme of its own)")]
}

fn parameters() -> Vec<Word> {
    vec![
        ("object_only", "Only those inside the object count (RFC 9101)"),
        ("object_overrides", "Those inside override those beside it (OpenID Connect Core)"),
    ]
}

fn userinfo_forms() -> Vec<Word> {
    vec![
        ("json", "Plain"),
        ("signed", "Signed"),
        ("encrypted", "Encrypted"),
        ("signed_and_encrypted", "SignedAndEncrypted"),
    ]
}

fn methods() -> Vec<Word> {
    ClientAuthMethod::ALL
        .iter()
        .map(|method| {
            let title = match method {
                ClientAuthMethod::ClientSecretBasic => {
                    "Secret in the Authorization header (client_secret_basic)"
                }
                ClientAuthMethod::ClientSecretPost => "Secret in the form (client_secret_post)",
                ClientAuthMethod::ClientSecretJwt => {
                    "JWT with a MAC made from the secret (client_secret_jwt)"
                }
                ClientAuthMethod::PrivateKeyJwt => "JWT signed with its own key (private_key_jwt)",
                ClientAuthMethod::None => "None: a public client (none)",
            };
            (method.name(), title)
        })
        .collect()
}

fn grants() -> Vec<Word> {
    GrantType::ALL
        .iter()
        .map(|grant| {
            let title = match grant {
                GrantType::AuthorizationCode => "Authorization code",
                GrantType::Implicit => "Implicit",
                GrantType::RefreshToken => "Refresh token",
                GrantType::ClientCredentials => "Client credentials",
                GrantType::DeviceCode => "Device code",
                GrantType::TokenExchange => "Token exchange",
            };
            (grant.name(), title)
        })
        .collect()
}

fn response_types() -> Vec<Word> {
    ResponseType::ALL.iter().map(|one| (one.name(), one.name())).collect()
}

fn subject_types() -> Vec<Word> {
    SubjectType::ALL
        .iter()
        .map(|one| match one {
            SubjectType::Public => (one.name(), "Public: the same as other clients see"),
            SubjectType::Pairwise => (one.name(), "Pairwise: another one for each sector"),
        })
        .collect()
}

fn token_formats() -> Vec<Word> {
    AccessTokenFormat::ALL
        .iter()
        .map(|one| match one {
            AccessTokenFormat::Opaque => (one.name(), "Opaque: random text, asked about by introspection"),
            AccessTokenFormat::Jwt => (one.name(), "JWT (RFC 9068): resource servers verify it themselves"),
        })
        .collect()
}

settings! {
    /// Every setting of a client.
    SETTINGS;

    Application {
        "client_name", Kind::Text, "Name", "What people read when they sign in and when they are asked for consent.";
        "client_uri", Kind::OptionalText, "Home page", "Linked from the sign-in page, so that people can find out whom they deal with.";
        "logo_uri", Kind::OptionalText, "Logo", "An image shown beside the name; an https address.";
        "policy_uri", Kind::OptionalText, "Privacy policy", "Linked from the pages where people sign in and consent.";
        "tos_uri", Kind::OptionalText, "Terms of service", "Linked from the pages where people sign in and consent.";
        "application_type", Kind::One(application_types), "Kind of application", "Decides which redirect URIs are allowed.";
        "contacts", Kind::Lines, "Contacts", "Addresses of people responsible for the client, one a line; nobody but administrators sees them.";
        "software_id", Kind::OptionalText, "Software id", "Names the software that the client runs, across installations (RFC 7591).";
        "software_version", Kind::OptionalText, "Software version", "The version of that software.";
    }
    Addresses {
        "redirect_uris", Kind::Lines, "Redirect URIs", "Where responses may go, one a line. A request must name one of them, character by character.";
        "post_logout_redirect_uris", Kind::Lines, "Addresses after logout", "Where browsers may go after a logout that the client started, one a line.";
        "initiate_login_uri", Kind::OptionalText, "Where a login starts", "Lets people start the application from elsewhere (OpenID Connect Core section 4).";
        "request_uris", Kind::Lines, "Addresses of request objects", "Request objects may be fetched from exactly these addresses, one a line.";
        "sector_identifier_uri", Kind::OptionalText, "Sector document", "Lists the redirect URIs of one sector, for pairwise subjects with several hosts.";
    }
    Access {
        "grant_types", Kind::Some(grants), "Grant types", "What the client may send to the token endpoint.";
        "response_types", Kind::Some(response_types), "Response types", "What may come back by the browser; \"code\" alone is the safest.";
        "scope", Kind::Lines, "Scopes", "What the client may ask for, one a line; clients that people sign in to need \"openid\".";
        "resources", Kind::Lines, "Resource servers", "Absolute URIs that access tokens may be asked for (RFC 8707), one a line.";
    }
    Logout {
        "backchannel_logout_uri", Kind::OptionalText, "Back-channel address", "Logout tokens are sent here when a session ends, without the browser.";
        "backchannel_logout_session_required", Kind::Switch, "Session id in logout tokens", "The client needs \"sid\" to know which of its sessions ended.";
        "frontchannel_logout_uri", Kind::OptionalText, "Front-channel address", "This page is loaded in a frame when a session ends; browsers that block third-party cookies defeat it.";
        "frontchannel_logout_session_required", Kind::Switch, "Issuer and session id in that address", "The client needs \"iss\" and \"sid\" to know which of its sessions ended.";
        "logout_token_signed", Kind::OptionalOne(signatures), "Signature of logout tokens", "That of ID tokens if none is chosen.";
    }
    Requests {
        "require_request_object", Kind::Switch, "Requires Request Object", "Requests without a signed request object are refused, so nobody can change one on its way through the browser.";
        "require_encrypted_request_object", Kind::Switch, "Requires encrypted object", "Request objects that are not encrypted to this provider are refused; what is asked stays unread on its way.";
        "require_jti", Kind::Switch, "Requires jti", "Each request object is good once; a copy that somebody caught is refused.";
        "require_request_object_times", Kind::Switch, "Requires iat and exp", "Request objects end. Without this one can be sent again for ever.";
        "request_object_signing_algs", Kind::Some(signatures), "Signature of request objects", "Which algorithms are accepted; every one of these if none is ticked.";
        "allow_unsigned_request_object", Kind::Switch, "Accept unsigned objects", "For conformance tests only: anybody can write such an object.";
        "request_object_encryption", Kind::Encryption, "Announced encryption of objects", "What the client says it will use; others that the tenant supports work all the same.";
        "request_object_parameters", Kind::One(parameters), "Parameters beside the object", "Whether parameters outside the object count.";
        "require_pkce", Kind::Switch, "Requires PKCE", "A code is worth nothing to whoever lacks the secret it was asked with (RFC 7636).";
        "require_pushed_authorization_requests", Kind::Switch, "Requires PAR", "Requests are pushed by the client first, and the browser carries only a reference (RFC 9126).";
        "default_acr_values", Kind::Lines, "Default acr_values", "How people shall prove themselves where a request does not say, one a line.";
        "default_max_age", Kind::OptionalSeconds, "Default max_age", "How many seconds ago people may have signed in where a request does not say.";
    }
    Authentication {
        "token_endpoint_auth_method", Kind::One(methods), "Method", "How the client proves itself when it redeems codes.";
        "token_endpoint_auth_signing_alg", Kind::OptionalOne(proofs), "Signature of the proof", "The one accepted algorithm of its JWTs; any that fits the method if none is chosen.";
    }
    IdToken {
        "id_token.signed", Kind::One(signatures), "Signature of ID tokens", "The tenant signs with its key for this algorithm.";
        "id_token.encrypted", Kind::Encryption, "Encrypt ID Tokens", "Encrypted to the client's encryption key, so only the client reads who signed in.";
        "id_token.include_scope_claims", Kind::Switch, "Claims of scopes in the ID token", "Names, addresses and the like also in the ID token, and not at UserInfo alone.";
        "id_token.unsigned", Kind::Switch, "ID tokens without signature", "For conformance tests only, and only from the token endpoint.";
    }
    UserInfo {
        "userinfo.response_type", Kind::One(userinfo_forms), "User Info Response Type", "The form in which claims about a person are delivered.";
        "userinfo.signed", Kind::One(signatures), "Signature of UserInfo", "Used when the form is signed.";
        "userinfo.encrypted", Kind::Encryption, "Encryption of UserInfo", "Needed when the form is encrypted.";
        "claim_placement", Kind::Placements, "Single claims elsewhere", "One \"claim place\" a line; the place is userinfo, id_token or both. All others follow their scope.";
    }
    Responses {
        "authorization_response.signed", Kind::One(signatures), "Signature of authorization responses", "For response modes in JWT form (JARM).";
        "authorization_response.encrypted", Kind::Encryption, "Encryption of authorization responses", "For response modes in JWT form (JARM).";
        "introspection.signed", Kind::One(signatures), "Signature of introspection responses", "When they are asked for as a JWT (RFC 9701).";
        "introspection.encrypted", Kind::Encryption, "Encryption of introspection responses", "When they are asked for as a JWT (RFC 9701).";
    }
    Tokens {
        "access_token_format", Kind::One(token_formats), "Form of access tokens", "Opaque ones tell nobody anything; JWTs save resource servers a question.";
        "access_token_signed", Kind::One(signatures), "Signature of access tokens", "For access tokens in JWT form.";
        "refresh_token_rotation", Kind::Switch, "Rotate refresh tokens", "Each use gives a new one and ends the old one, so a stolen one is noticed.";
    }
    Lifetimes {
        "lifetimes.code", Kind::Seconds, "Authorization code", "Seconds until a code must be redeemed.";
        "lifetimes.access_token", Kind::Seconds, "Access token", "Seconds until an access token ends.";
        "lifetimes.id_token", Kind::Seconds, "ID token", "Seconds until an ID token ends.";
        "lifetimes.pushed_request", Kind::Seconds, "Pushed request", "Seconds until the browser must come with a pushed request.";
        "lifetimes.device_code", Kind::Seconds, "Device code", "Seconds until a person must have typed the code of a device.";
        "lifetimes.refresh_token_idle", Kind::Seconds, "Refresh token, unused", "Seconds of silence after which refresh tokens end.";
        "lifetimes.refresh_token", Kind::Seconds, "Refresh token, in all", "Seconds after which refresh tokens of one login end in any case.";
        "lifetimes.refresh_token_grace", Kind::Seconds, "Refresh token, again", "Seconds in which a used refresh token may be sent again, because an answer may be lost.";
    }
    People {
        "require_consent", Kind::Switch, "Ask for consent", "People are asked before anything is told to the client; administrators switch it off for applications of their own. The right to administer is asked for in any case.";
        "require_second_factor", Kind::Switch, "Requires a second factor", "People prove themselves with two factors for this client, whatever its requests say.";
        "subject_type", Kind::One(subject_types), "Subject type", "Whether clients can find out that they know the same person.";
    }
    Kept {
        "require_auth_time", Kind::Switch, "auth_time in ID tokens", "It is always there; kept because clients register it.";
    }
    Keys {
        "jwks_uri", Kind::OptionalText, "Address of its key set", "The client publishes its keys itself, instead of keys that are registered here.";
        "encryption_kid", Kind::OptionalText, "Encrypt to this kid", "The one key that responses are encrypted to; chosen among the valid ones if left out.";
    }
}
