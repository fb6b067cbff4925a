//! Every setting of a client once: where it stands in the record, what people call it, and a sentence that explains it.
//! Forms are made from this table, and so are the texts beside them.

use serde_json::{Map, Value};
use signet_jose::{ContentAlg, KeyAlg, SigAlg};

use crate::records::{
    AccessTokenFormat, ClaimPlacement, ClientAuthMethod, GrantType, ResponseType, SubjectType,
};

/// A part of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Who the application is.
    Application,
    /// Where browsers may be sent.
    Addresses,
    /// What the client may ask for.
    Access,
    /// How it hears that a session has ended.
    Logout,
    /// What its authorization requests must be like.
    Requests,
    /// How it proves itself at the token endpoint.
    Authentication,
    /// How ID tokens are protected.
    IdToken,
    /// How UserInfo responses are protected.
    UserInfo,
    /// How other responses are protected.
    Responses,
    /// Access and refresh tokens.
    Tokens,
    /// How long things live.
    Lifetimes,
    /// What people are asked and what is told of them.
    People,
    /// Its public keys.
    Keys,
}

impl Group {
    /// Every group of the page "Settings", in order.
    pub const SETTINGS: &'static [Self] = &[Self::Application, Self::Addresses, Self::Access, Self::Logout];
    /// Every group of the page "Security", in order.
    pub const SECURITY: &'static [Self] = &[
        Self::Requests,
        Self::Authentication,
        Self::IdToken,
        Self::UserInfo,
        Self::Responses,
        Self::People,
        Self::Tokens,
        Self::Lifetimes,
    ];

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Application => "Application",
            Self::Addresses => "Addresses",
            Self::Access => "What it may ask for",
            Self::Logout => "Logout",
            Self::Requests => "Authorization requests",
            Self::Authentication => "Client authentication",
            Self::IdToken => "ID tokens",
            Self::UserInfo => "UserInfo",
            Self::Responses => "Other responses",
            Self::Tokens => "Access and refresh tokens",
            Self::Lifetimes => "Lifetimes",
            Self::People => "People",
            Self::Keys => "Keys that it publishes",
        }
    }
}

/// A word of a setting with what people call it.
pub type Word = (&'static str, &'static str);

/// What a setting holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text that must be there.
    Text,
    /// A text that may be left out.
    OptionalText,
    /// Texts, one a line.
    Lines,
    /// On or off.
    Switch,
    /// One of these words.
    One(fn() -> Vec<Word>),
    /// One of these words, or none.
    OptionalOne(fn() -> Vec<Word>),
    /// Some of these words.
    Some(fn() -> Vec<Word>),
    /// Seconds.
    Seconds,
    /// Seconds, or nothing.
    OptionalSeconds,
    /// An `alg` and `enc` pair, or none.
    Encryption,
    /// Words by name: one `name word` a line.
    Placements,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its members in the record's JSON form, joined by dots.
    pub path: &'static str,
    /// Where it is shown.
    pub group: Group,
    /// What people call it.
    pub title: &'static str,
    /// What it means.
    pub sentence: &'static str,
    /// What it holds.
    pub kind: Kind,
}

fn signatures() -> Vec<Word> {
    SigAlg::ALL.iter().filter(|alg| !alg.is_symmetric()).map(|alg| (alg.name(), alg.name())).collect()
}

fn proofs() -> Vec<Word> {
    SigAlg::ALL.iter().map(|alg| (alg.name(), alg.name())).collect()
}

/// The words of `alg` in an encryption.
pub fn key_algs() -> Vec<Word> {
    KeyAlg::ALL.iter().map(|alg| (alg.name(), alg.name())).collect()
}

/// The words of `enc` in an encryption.
pub fn content_algs() -> Vec<Word> {
    ContentAlg::ALL.iter().map(|alg| (alg.name(), alg.name())).collect()
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

macro_rules! settings {
    ($($group:ident { $($path:literal, $kind:expr, $title:literal, $sentence:literal;)+ })+) => {
        /// Every setting.
        pub const SETTINGS: &[Setting] = &[$($(Setting {
            path: $path,
            group: Group::$group,
            title: $title,
            sentence: $sentence,
            kind: $kind,
        },)+)+];
    };
}

settings! {
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
        "require_jti", Kind::Switch, "Require jti", "Each request object is good once; a copy that somebody caught is refused.";
        "require_request_object_times", Kind::Switch, "Require iat and exp", "Request objects end. Without this one can be sent again for ever.";
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
        "require_consent", Kind::Switch, "Ask for consent", "People are asked before anything is told to the client; leave it off only for applications of your own.";
        "require_second_factor", Kind::Switch, "Require a second factor", "People prove themselves with two factors for this client, whatever its requests say.";
        "subject_type", Kind::One(subject_types), "Subject type", "Whether clients can find out that they know the same person.";
        "require_auth_time", Kind::Switch, "auth_time in ID tokens", "It is always there; kept because clients register it.";
    }
    Keys {
        "jwks_uri", Kind::OptionalText, "Address of its key set", "The client publishes its keys itself, instead of keys that are registered here.";
        "encryption_kid", Kind::OptionalText, "Encrypt to this kid", "The one key that responses are encrypted to; chosen among the valid ones if left out.";
    }
}

impl Setting {
    /// The setting of this path.
    pub fn of(path: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.path == path)
    }

    /// The settings of a group, in order.
    pub fn in_group(group: Group) -> impl Iterator<Item = &'static Self> {
        SETTINGS.iter().filter(move |setting| setting.group == group)
    }

    /// Its value in the JSON form of a record; null if it is left out.
    pub fn value<'a>(&self, settings: &'a Value) -> &'a Value {
        self.path.split('.').fold(settings, |value, member| &value[member])
    }

    /// Sets its value in the JSON form of a record.
    pub fn put(&self, settings: &mut Value, value: Value) {
        let mut at = settings;
        for member in self.path.split('.') {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[member];
        }
        *at = value;
    }

    /// The settings that a text about them names, in the order of the table: a refusal leads people to the fields.
    pub fn named_in(text: &str) -> Vec<&'static Self> {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let words: Vec<&str> = text.split(|c| !part(c)).map(|word| word.trim_end_matches('.')).collect();
        SETTINGS.iter().filter(|setting| words.contains(&setting.path)).collect()
    }

    /// Its value in words, for people who compare two of them.
    pub fn words(&self, value: &Value) -> String {
        match (self.kind, value) {
            (_, Value::Bool(on)) => if *on { "on" } else { "off" }.to_owned(),
            (Kind::Encryption, Value::Object(pair)) => {
                let text = |name| pair.get(name).and_then(Value::as_str).unwrap_or_default();
                format!("{} with {}", text("alg"), text("enc"))
            }
            (_, Value::Null) => "not set".to_owned(),
            (_, Value::Array(all)) if all.is_empty() => "none".to_owned(),
            (_, Value::Array(all)) => {
                all.iter().map(|one| one.as_str().unwrap_or_default()).collect::<Vec<_>>().join(", ")
            }
            (_, Value::Object(all)) if all.is_empty() => "none".to_owned(),
            (_, Value::Object(all)) => {
                let pair =
                    |(name, word): (&String, &Value)| format!("{name} {}", word.as_str().unwrap_or_default());
                all.iter().map(pair).collect::<Vec<_>>().join(", ")
            }
            (_, Value::String(text)) => text.clone(),
            (_, Value::Number(number)) => number.to_string(),
        }
    }
}

/// The words of a claim's place.
pub fn placements() -> Vec<&'static str> {
    ClaimPlacement::ALL.iter().map(|one| one.name()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::client_policy::Contradiction;
    use crate::records::ClientSettings;

    /// The paths of every leaf; an encryption, a map and a list are leaves.
    fn leaves(prefix: &str, value: &Value, found: &mut BTreeSet<String>) {
        const PARTS: [&str; 5] =
            ["id_token", "userinfo", "authorization_response", "introspection", "lifetimes"];
        for (name, value) in value.as_object().unwrap() {
            if prefix.is_empty() && PARTS.contains(&name.as_str()) {
                leaves(&format!("{name}."), value, found);
            } else {
                found.insert(format!("{prefix}{name}"));
            }
        }
    }

    #[test]
    fn every_setting_of_the_record_is_in_the_table_once() {
        let mut wanted = BTreeSet::new();
        leaves("", &serde_json::to_value(ClientSettings::default()).unwrap(), &mut wanted);
        let found: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.path.to_owned()).collect();
        assert_eq!(found, wanted);
        assert_eq!(found.len(), SETTINGS.len());
        let shown = [Group::SETTINGS, Group::SECURITY, &[Group::Keys]].concat();
        assert!(SETTINGS.iter().all(|setting| shown.contains(&setting.group)));
        for setting in SETTINGS {
            assert!(setting.sentence.ends_with('.') && !setting.title.ends_with('.'), "{}", setting.path);
        }
    }

    #[test]
    fn what_is_read_and_put_back_is_the_same_record() {
        let settings = serde_json::to_value(ClientSettings::default()).unwrap();
        let mut copy = json!({});
        for setting in SETTINGS {
            setting.put(&mut copy, setting.value(&settings).clone());
        }
        assert_eq!(copy, settings);
        for setting in SETTINGS {
            let value = setting.value(&settings);
            match setting.kind {
                Kind::One(words) => {
                    assert!(words().iter().any(|word| word.0 == value), "{}: {value}", setting.path);
                }
                Kind::Some(words) => {
                    let known: Vec<&str> = words().iter().map(|word| word.0).collect();
                    let all = value.as_array().unwrap();
                    assert!(all.iter().all(|one| known.contains(&one.as_str().unwrap())), "{}", setting.path);
                }
                Kind::Switch => assert!(value.is_boolean(), "{}", setting.path),
                Kind::Seconds => assert!(value.is_i64(), "{}", setting.path),
                _ => {}
            }
        }
    }

    #[test]
    fn a_refusal_leads_to_every_setting_that_it_names() {
        let paths = |text: &str| -> Vec<&str> {
            Setting::named_in(text).into_iter().map(|setting| setting.path).collect()
        };
        let text =
            Contradiction::ResponseTypeWithoutGrant { response_type: "code", grant: "authorization_code" };
        assert_eq!(paths(&text.to_string()), ["grant_types", "response_types"]);
        let text = Contradiction::UserInfoEncryptionUnused.to_string();
        assert_eq!(paths(&text), ["userinfo.response_type", "userinfo.encrypted"]);
        assert_eq!(paths("lifetimes.code is 0; it must lie"), ["lifetimes.code"]);
        assert!(paths("nothing here, require_jtix").is_empty());
    }
}
