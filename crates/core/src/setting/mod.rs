//! Every setting of a client and of a tenant once: where it stands in the record, what people call it, and a sentence that
//! explains it. Forms are made from these tables, and so are the texts beside them.

mod client;
mod tenant;

use serde_json::{Map, Value};
use signet_jose::{ContentAlg, KeyAlg, SigAlg};

use crate::records::ClaimPlacement;

pub use client::SETTINGS;
pub use tenant::TENANT_SETTINGS;

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
    /// How long people stay signed in to a tenant, and how they prove themselves.
    Sessions,
    /// What a tenant accepts from clients.
    Acceptance,
    /// How clients come to a tenant.
    Registration,
    /// A tenant's own keys.
    TenantKeys,
    /// Scopes of a tenant's own.
    Scopes,
    /// How a tenant's pages look.
    Branding,
    /// What is kept because clients register it and changes nothing; no form shows it.
    Kept,
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

    /// Every group of a tenant's policies, in order.
    pub const POLICIES: &'static [Self] =
        &[Self::Sessions, Self::Acceptance, Self::Registration, Self::TenantKeys, Self::Scopes];

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
            Self::Sessions => "Sessions",
            Self::Acceptance => "What is accepted",
            Self::Registration => "Registration",
            Self::TenantKeys => "Keys",
            Self::Scopes => "Scopes and audit",
            Self::Branding => "Branding",
            Self::Kept => "Kept for clients that register it",
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
    /// Scopes of the tenant's own: one a line, name, title, sentence and claims with bars between them.
    Scopes,
    /// A colour, `#rrggbb`.
    Colour,
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

/// The words of `alg` in an encryption.
pub fn key_algs() -> Vec<Word> {
    KeyAlg::ALL.iter().map(|alg| (alg.name(), alg.name())).collect()
}

/// The words of `enc` in an encryption.
pub fn content_algs() -> Vec<Word> {
    ContentAlg::ALL.iter().map(|alg| (alg.name(), alg.name())).collect()
}

macro_rules! settings {
    ($(#[$doc:meta])* $table:ident; $($group:ident { $($path:literal, $kind:expr, $title:literal, $sentence:literal;)+ })+) => {
        $(#[$doc])*
        pub const $table: &[$crate::setting::Setting] = &[$($($crate::setting::Setting {
            path: $path,
            group: $crate::setting::Group::$group,
            title: $title,
            sentence: $sentence,
            kind: $kind,
        },)+)+];
    };
}

use settings;

impl Setting {
    /// The setting of this path, of a client or else of a tenant.
    pub fn of(path: &str) -> Option<&'static Self> {
        SETTINGS.iter().chain(TENANT_SETTINGS).find(|setting| setting.path == path)
    }

    /// The settings of a group, in order.
    pub fn in_group(group: Group) -> impl Iterator<Item = &'static Self> {
        SETTINGS.iter().chain(TENANT_SETTINGS).filter(move |setting| setting.group == group)
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

    /// The settings of `table` that a text about them names, in the order in which it does: a refusal leads people to the
    /// fields. `id_token.encrypted.alg` lies within `id_token.encrypted`.
    pub fn named_in(table: &'static [Self], text: &str) -> Vec<&'static Self> {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let mut named: Vec<&'static Self> = Vec::new();
        for word in text.split(|c| !part(c)).map(|word| word.trim_matches('.')) {
            let within = |setting: &&Self| {
                let below = word.strip_prefix(setting.path);
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let found = table.iter().find(within);
            named.extend(found.filter(|setting| !named.iter().any(|known| known.path == setting.path)));
        }
        named
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
            (Kind::Scopes, all @ Value::Array(_)) => scope_lines(all).replace('\n', "; "),
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

/// Custom scopes, one a line: name, title, sentence and claims, with bars between them.
pub fn scope_lines(scopes: &Value) -> String {
    let text = |scope: &Value, name: &str| scope[name].as_str().unwrap_or_default().to_owned();
    let line = |scope: &Value| {
        let claims = scope["claims"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let claims = claims.collect::<Vec<_>>().join(" ");
        format!("{} | {} | {} | {claims}", text(scope, "name"), text(scope, "title"), text(scope, "detail"))
    };
    scopes.as_array().into_iter().flatten().map(line).collect::<Vec<_>>().join("\n")
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
        let shown = [Group::SETTINGS, Group::SECURITY, &[Group::Keys, Group::Kept]].concat();
        assert!(SETTINGS.iter().all(|setting| shown.contains(&setting.group)));
        for setting in SETTINGS {
            assert!(setting.sentence.ends_with('.') && !setting.title.ends_with('.'), "{}", setting.path);
        }
    }

    #[test]
    fn every_setting_of_a_tenant_is_in_its_table_once_but_those_that_nobody_chooses() {
        let record = serde_json::to_value(crate::records::TenantSettings::default()).unwrap();
        let mut wanted: BTreeSet<String> = record.as_object().unwrap().keys().cloned().collect();
        for name in ["branding", "operator", "development"] {
            assert!(wanted.remove(name));
        }
        wanted.extend(["branding.name", "branding.logo_url", "branding.accent"].map(str::to_owned));
        let found: BTreeSet<String> = TENANT_SETTINGS.iter().map(|setting| setting.path.to_owned()).collect();
        assert_eq!(found, wanted);
        let shown = [Group::POLICIES, &[Group::Branding]].concat();
        assert!(TENANT_SETTINGS.iter().all(|setting| shown.contains(&setting.group)));
        assert!(TENANT_SETTINGS.iter().all(|setting| setting.sentence.ends_with('.')));
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
            Setting::named_in(SETTINGS, text).into_iter().map(|setting| setting.path).collect()
        };
        let text =
            Contradiction::ResponseTypeWithoutGrant { response_type: "code", grant: "authorization_code" };
        assert_eq!(paths(&text.to_string()), ["response_types", "grant_types"]);
        let text = Contradiction::UserInfoEncryptionUnused.to_string();
        assert_eq!(paths(&text), ["userinfo.encrypted", "userinfo.response_type"]);
        assert_eq!(paths("lifetimes.code is 0; it must lie"), ["lifetimes.code"]);
        assert!(paths("nothing here, require_jtix").is_empty());
    }
}
