//! Which claims go where (OpenID Connect Core section 5).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::records::User;

/// One standard scope: what people are told, and which claims it stands for. Discovery, consent page and UserInfo are
/// all made from this table.
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
];

/// The table's entry for `name`.
pub fn scope_info(name: &str) -> Option<&'static ScopeInfo> {
    SCOPES.iter().find(|scope| scope.name == name)
}

/// The scope that stands for the claim `name`, among others.
pub fn scope_of(name: &str) -> Option<&'static str> {
    SCOPES.iter().find(|scope| scope.claims.contains(&name)).map(|scope| scope.name)
}

/// The values of `names` that this user has, `sub` included.
///
/// Section 5.3.2: "If a Claim is not returned, that Claim Name SHOULD be omitted from the JSON object"; claims that the
/// user lacks are left out, however essential the client calls them (section 5.5.1).
pub fn user_claims<'a>(user: &User, names: impl IntoIterator<Item = &'a str>) -> Map<String, Value> {
    let mut claims = Map::new();
    for name in names {
        if let Some(value) = user_claim(user, name) {
            claims.insert(name.to_owned(), value);
        }
    }
    claims
}

fn user_claim(user: &User, name: &str) -> Option<Value> {
    let own = |name: &str| user.claims.get(name).filter(|value| !value.is_null()).cloned();
    match name {
        "sub" => Some(user.id.to_string().into()),
        "preferred_username" => own(name).or_else(|| Some(user.username.clone().into())),
        "updated_at" => Some(user.updated_at.into()),
        // Only what the standard defines: a user's record never leaks through a claim's name.
        name if is_standard(name) => own(name),
        _ => None,
    }
}

/// Whether `name` is one of the standard claims of section 5.1.
pub fn is_standard(name: &str) -> bool {
    scope_of(name).is_some()
}

/// The claims that `scope` stands for, and those asked for one by one.
pub fn granted_claims<'a>(scope: &'a BTreeSet<String>, named: &'a BTreeSet<String>) -> BTreeSet<&'a str> {
    let by_scope =
        scope.iter().filter_map(|name| scope_info(name)).flat_map(|info| info.claims.iter().copied());
    by_scope.chain(named.iter().map(String::as_str)).collect()
}
