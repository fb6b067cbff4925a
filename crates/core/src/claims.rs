//! Which claims go where (OpenID Connect Core section 5).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::records::{CustomScope, TenantSettings, User};

/// OpenID Connect Core section 11.
pub const OFFLINE_ACCESS: &str = "offline_access";

/// One standard scope: what people are told, and which claims it stands for. Discovery, consent page and UserInfo are
/// all made from this table, and from the tenant's own scopes beside it.
#[derive(Clone, Copy, Debug)]
pub struct ScopeInfo {
    /// The scope value.
    pub name: &'static str,
    /// Heading on the consent page.
    pub title: &'static str,
    /// Sentence on the consent page.
    pub detail: &'static str,
    /// OpenID Connect Core section 5.4.
    pub claims: &'static [&'static str],
}

/// The scopes this provider knows.
pub const SCOPES: &[ScopeInfo] = &[
    ScopeInfo {
        name: "openid",
        title: "Know who you are",
        detail: "An identifier that stands for you, and when and how you signed in.",
        claims: &["sub"],
    },
    ScopeInfo {
        name: "profile",
        title: "See your profile",
        detail: "Your name, nickname, picture, website, birth date, gender, language and time zone.",
        claims: &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    },
    ScopeInfo {
        name: "email",
        title: "See your e-mail address",
        detail: "Your address, and whether it has been verified.",
        claims: &["email", "email_verified"],
    },
    ScopeInfo {
        name: "address",
        title: "See your postal address",
        detail: "Street, postal code, town and country.",
        claims: &["address"],
    },
    ScopeInfo {
        name: "phone",
        title: "See your phone number",
        detail: "Your number, and whether it has been verified.",
        claims: &["phone_number", "phone_number_verified"],
    },
    ScopeInfo {
        name: OFFLINE_ACCESS,
        title: "Stay connected while you are away",
        detail: "Use what you allow here also when you are not signed in, until you take it back.",
        claims: &[],
    },
];

/// Claims that say something of a token or of the login, never of a person (RFC 7519 section 4.1, OpenID Connect Core
/// sections 2, 3.1.3.6, 3.3.2.11, 5.3.2 and 5.6, RFC 9068 section 2.2, RFC 7662 section 2.2, RFC 7800 section 3.1,
/// Back-Channel Logout section 2.4, RFC 8693 section 4, RFC 9396 section 9, RFC 9701 section 5). No scope stands for one.
pub(crate) const PROTOCOL: &[&str] = &[
    "iss",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "azp",
    "acr",
    "amr",
    "auth_time",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "events",
    "cnf",
    "scope",
    "client_id",
    "active",
    "token_type",
    "act",
    "may_act",
    "_claim_names",
    "_claim_sources",
    "authorization_details",
    "token_introspection",
];

/// What a scope means to people and to claims: a standard one, or one of the tenant's.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Of the table.
    Standard(&'static ScopeInfo),
    /// Of the tenant.
    Custom(&'a CustomScope),
}

impl<'a> Scope<'a> {
    /// The scope value.
    pub fn name(self) -> &'a str {
        match self {
            Self::Standard(info) => info.name,
            Self::Custom(scope) => &scope.name,
        }
    }

    /// Heading on the consent page.
    pub fn title(self) -> &'a str {
        match self {
            Self::Standard(info) => info.title,
            Self::Custom(scope) => &scope.title,
        }
    }

    /// Sentence on the consent page.
    pub fn detail(self) -> &'a str {
        match self {
            Self::Standard(info) => info.detail,
            Self::Custom(scope) => &scope.detail,
        }
    }

    /// The claims it stands for.
    pub fn claims(self) -> Vec<&'a str> {
        match self {
            Self::Standard(info) => info.claims.to_vec(),
            Self::Custom(scope) => scope.claims.iter().map(String::as_str).collect(),
        }
    }
}

/// Every scope of a tenant: the standard ones, then its own. A tenant cannot give a standard scope another meaning.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue<'a>(&'a [CustomScope]);

impl<'a> Catalogue<'a> {
    /// The scopes of a tenant.
    pub fn of(settings: &'a TenantSettings) -> Self {
        Self(&settings.scopes)
    }

    /// All of them.
    pub fn scopes(self) -> impl Iterator<Item = Scope<'a>> {
        SCOPES.iter().map(Scope::Standard).chain(self.0.iter().map(Scope::Custom))
    }

    /// The scope of this name.
    pub fn find(self, name: &str) -> Option<Scope<'a>> {
        self.scopes().find(|scope| scope.name() == name)
    }

    /// Whether an operator may give a client the scope `name`: those here, and those that guard the tenant's administration,
    /// which registration (RFC 7591) does not know, and the authorization endpoint only for clients that were given them.
    pub fn may_be_registered(self, name: &str) -> bool {
        self.find(name).is_some() || crate::admin::is_scope(name)
    }

    /// The scopes that stand for the claim `name`, among others.
    pub fn with_claim(self, name: &str) -> Vec<&'a str> {
        self.scopes().filter(|scope| scope.claims().contains(&name)).map(Scope::name).collect()
    }

    /// The claims that these scopes stand for.
    pub fn claims_of(self, scope: &BTreeSet<String>) -> BTreeSet<&'a str> {
        self.scopes().filter(|known| scope.contains(known.name())).flat_map(Scope::claims).collect()
    }

    /// Every claim that some scope stands for.
    pub fn claims(self) -> BTreeSet<&'a str> {
        self.scopes().flat_map(Scope::claims).filter(|name| !PROTOCOL.contains(name)).collect()
    }

    /// The values of `names` that this user has, without `sub`, which depends on the client ([`crate::subject::of`]).
    ///
    /// Section 5.3.2: "If a Claim is not returned, that Claim Name SHOULD be omitted from the JSON object"; claims that the
    /// user lacks are left out, however essential the client calls them (section 5.5.1).
    pub fn user_claims<'b>(
        self,
        user: &User,
        names: impl IntoIterator<Item = &'b str>,
    ) -> Map<String, Value> {
        let mut claims = Map::new();
        for name in names {
            if let Some(value) = self.user_claim(user, name) {
                claims.insert(name.to_owned(), value);
            }
        }
        claims
    }

    fn user_claim(self, user: &User, name: &str) -> Option<Value> {
        let own = |name: &str| user.claims.get(name).filter(|value| !value.is_null()).cloned();
        match name {
            "sub" => None,
            "preferred_username" => own(name).or_else(|| Some(user.username.clone().into())),
            "updated_at" => Some(user.updated_at.into()),
            // Only what a scope stands for: a user's record never leaks through a claim's name.
            name if !PROTOCOL.contains(&name) && !self.with_claim(name).is_empty() => own(name),
            _ => None,
        }
    }
}

/// Whether a tenant's own scope may stand for a claim of this name.
pub fn may_be_custom(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        && name != "sub"
        && !PROTOCOL.contains(&name)
}

/// Whether `name` is one of the standard claims of section 5.1.
pub fn is_standard(name: &str) -> bool {
    SCOPES.iter().any(|scope| scope.claims.contains(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::records::CustomScope;

    #[test]
    fn a_record_gives_only_what_a_scope_stands_for_and_never_what_the_protocol_says() {
        let own = json!({"name": "Ada", "salary": 1, "iss": "https://evil.example", "sub": "x", "note": "n", "email": null});
        let user = User {
            tenant: "t".into(),
            id: uuid::Uuid::from_u128(7),
            username: "ada".into(),
            password_hash: None,
            claims: own.as_object().cloned().unwrap_or_default(),
            role: None,
            disabled: false,
            version: 1,
            created_at: 0,
            updated_at: 5,
        };
        let claims = ["salary", "iss", "sub", "nonce"].map(String::from).into();
        let scopes = vec![CustomScope { name: "pay".into(), claims, ..CustomScope::default() }];
        let settings = TenantSettings { scopes, ..TenantSettings::default() };
        let catalogue = Catalogue::of(&settings);
        let asked = ["name", "salary", "iss", "sub", "note", "email", "nonce", "password_hash", "updated_at"];
        let given = catalogue.user_claims(&user, asked);
        assert_eq!(Value::Object(given), json!({"name": "Ada", "salary": 1, "updated_at": 5}));
        let named: BTreeSet<String> = ["pay", "email"].map(String::from).into();
        assert!(catalogue.claims_of(&named).contains("salary"));
        assert!(!catalogue.claims().contains("iss") && catalogue.claims().contains("sub"));
    }
}
