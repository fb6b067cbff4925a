//! Forms over the table of settings ([`signet_core::setting`]): fields from a record, and a record from what was sent. A
//! record is its JSON form here, so that no setting needs code of its own.

use serde_json::{Map, Value, json};
use signet_core::params::Params;
use signet_core::setting::{self, Group, Kind, Setting};

use crate::pages::console::Problem;

/// A field of a form.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) id: String,
    pub(super) title: &'static str,
    pub(super) sentence: &'static str,
    pub(super) control: Control,
    /// Whether a problem is about it.
    pub(super) wrong: bool,
}

/// What people fill in.
#[derive(Clone, Debug)]
pub(super) enum Control {
    Line(String),
    Number(String),
    Area(String),
    Colour(String),
    Switch(bool),
    Choice(Vec<Choice>),
    Choices(Vec<Choice>),
    Pair { alg: Vec<Choice>, enc: Vec<Choice> },
}

/// One of several words.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) value: &'static str,
    pub(super) title: &'static str,
    pub(super) on: bool,
}

/// A part of a form.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) fields: Vec<Field>,
}

/// The name of a setting's field.
pub(super) fn id(setting: &Setting) -> String {
    setting.path.replace('.', "-")
}

fn choice_id(setting: &Setting, value: &str) -> String {
    let plain: String = value.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("{}--{plain}", id(setting))
}

fn enc_id(setting: &Setting) -> String {
    format!("{}--enc", id(setting))
}

/// The form for `groups`, filled from a record.
pub(super) fn sections(groups: &[Group], record: &Value, problems: &[Problem]) -> Vec<Section> {
    let field = |setting: &'static Setting| {
        let id = id(setting);
        let own = format!("#{id}");
        let wrong = problems.iter().any(|one| one.links.iter().any(|(_, href)| *href == own));
        let control = control(setting, setting.value(record));
        Field { id, title: setting.title, sentence: setting.sentence, control, wrong }
    };
    let section = |group: &Group| Section {
        title: group.title(),
        fields: Setting::in_group(*group).map(field).collect(),
    };
    groups.iter().map(section).collect()
}

fn control(setting: &Setting, value: &Value) -> Control {
    let text = || value.as_str().unwrap_or_default().to_owned();
    let choices = |words: Vec<setting::Word>, is_on: &dyn Fn(&str) -> bool| -> Vec<Choice> {
        let choice = |(value, title): setting::Word| Choice {
            id: choice_id(setting, value),
            value,
            title,
            on: is_on(value),
        };
        words.into_iter().map(choice).collect()
    };
    let or_none = |words: Vec<setting::Word>| [vec![("", "None chosen")], words].concat();
    match setting.kind {
        Kind::Text | Kind::OptionalText => Control::Line(text()),
        Kind::Lines | Kind::Placements => Control::Area(lines(value)),
        Kind::Switch => Control::Switch(value.as_bool().unwrap_or_default()),
        Kind::One(words) => Control::Choice(choices(words(), &|one| value == one)),
        Kind::OptionalOne(words) => {
            Control::Choice(choices(or_none(words()), &|one| value.as_str().unwrap_or_default() == one))
        }
        Kind::Some(words) => {
            let all = value.as_array();
            let has = |one: &str| all.is_some_and(|all| all.iter().any(|value| value == one));
            Control::Choices(choices(words(), &has))
        }
        Kind::Seconds | Kind::OptionalSeconds => {
            Control::Number(value.as_i64().map(|seconds| seconds.to_string()).unwrap_or_default())
        }
        Kind::Encryption => {
            let part = |name: &str, or: &'static str| value[name].as_str().unwrap_or(or).to_owned();
            let (alg, enc) = (part("alg", ""), part("enc", "A256GCM"));
            let algs = [vec![("", "Not encrypted")], setting::key_algs()].concat();
            Control::Pair {
                alg: choices(algs, &|one| one == alg),
                enc: choices(setting::content_algs(), &|one| one == enc),
            }
        }
        Kind::Scopes => Control::Area(setting::scope_lines(value)),
        Kind::Colour => Control::Colour(text()),
    }
}

/// Texts, one a line; of a map, name and word.
fn lines(value: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all: Vec<String> = match value {
        Value::Array(all) => all.iter().map(text).collect(),
        Value::Object(all) => all.iter().map(|(name, word)| format!("{name} {}", text(word))).collect(),
        _ => Vec::new(),
    };
    all.join("\n")
}

/// Puts what was sent for `groups` into a record. What cannot be read is told, and the record keeps what it had there.
pub(super) fn read(groups: &[Group], form: &Params, record: &mut Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    for setting in groups.iter().flat_map(|group| Setting::in_group(*group)) {
        match sent(setting, form) {
            Ok(value) => setting.put(record, value),
            Err(text) => problems.push(Problem::of_field(&id(setting), setting.title, text)),
        }
    }
    problems
}

fn sent(setting: &Setting, form: &Params) -> Result<Value, String> {
    let name = id(setting);
    let text = form.get(&name).map(str::trim).filter(|text| !text.is_empty());
    let each = || text.unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty());
    let known = |words: Vec<setting::Word>, one: &str| words.iter().any(|word| word.0 == one);
    let unknown = || format!("{} has a value that is not among those offered.", setting.title);
    Ok(match setting.kind {
        Kind::Text | Kind::Colour => json!(text.unwrap_or_default()),
        Kind::OptionalText => json!(text),
        Kind::Lines => {
            let mut all: Vec<&str> = Vec::new();
            for line in each() {
                if !all.contains(&line) {
                    all.push(line);
                }
            }
            json!(all)
        }
        Kind::Switch => json!(text.is_some()),
        Kind::One(words) => json!(text.filter(|one| known(words(), one)).ok_or_else(unknown)?),
        Kind::OptionalOne(words) => match text {
            Some(one) if !known(words(), one) => return Err(unknown()),
            one => json!(one),
        },
        Kind::Some(words) => {
            let on = |word: &setting::Word| form.get(&choice_id(setting, word.0)).is_some();
            json!(words().iter().filter(|word| on(word)).map(|word| word.0).collect::<Vec<_>>())
        }
        Kind::Seconds | Kind::OptionalSeconds => {
            let number = text.map(str::parse::<i64>).transpose();
            let wrong = || format!("{} must be a whole number of seconds.", setting.title);
            match (number.map_err(|_| wrong())?, setting.kind) {
                (None, Kind::Seconds) => return Err(wrong()),
                (number, _) => json!(number),
            }
        }
        Kind::Encryption => match (text, form.get(&enc_id(setting))) {
            (None, _) => Value::Null,
            (Some(alg), Some(enc))
                if known(setting::key_algs(), alg) && known(setting::content_algs(), enc) =>
            {
                json!({ "alg": alg, "enc": enc })
            }
            _ => return Err(unknown()),
        },
        Kind::Scopes => Value::Array(each().map(custom_scope).collect::<Result<_, _>>()?),
        Kind::Placements => {
            let mut all = Map::new();
            for line in each() {
                let (claim, place) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
                let place = place.trim();
                if !setting::placements().contains(&place) {
                    let known = setting::placements().join(", ");
                    return Err(format!("\"{line}\" is not a claim and one of {known}."));
                }
                all.insert(claim.to_owned(), json!(place));
            }
            Value::Object(all)
        }
    })
}

/// A line of [`setting::scope_lines`].
fn custom_scope(line: &str) -> Result<Value, String> {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    let [name, title, detail, claims] = parts.as_slice() else {
        return Err(format!("\"{line}\" does not have the four parts name | title | sentence | claims."));
    };
    let claims: Vec<&str> = claims.split_whitespace().collect();
    Ok(json!({ "name": name, "title": title, "detail": detail, "claims": claims }))
}

/// What somebody else changed while this person filled in the form: setting, before, now, and whether this person changed it
/// too, to something else.
#[derive(Clone, Debug)]
pub(super) struct Meanwhile {
    pub(super) title: String,
    pub(super) before: String,
    pub(super) now: String,
    pub(super) kept: Option<String>,
}

/// Three values of one thing: as it was when the form was made, as it is stored now, and as it was sent, which is brought up
/// to date. Where one side alone changed it, that holds; where both did, what was sent is kept in the form, for the person to
/// judge. Tells what somebody else changed.
pub(super) fn merge_one(
    title: &str,
    (before, now): (&Value, &Value),
    mine: &mut Value,
    words: impl Fn(&Value) -> String,
) -> Option<Meanwhile> {
    if before == now {
        return None;
    }
    let untouched = *mine == *before;
    if untouched {
        mine.clone_from(now);
    }
    Some(Meanwhile {
        title: title.to_owned(),
        before: words(before),
        now: words(now),
        kept: (*mine != *now).then(|| words(mine)),
    })
}

/// Brings together three records, setting by setting ([`merge_one`]).
pub(super) fn merge(groups: &[Group], base: &Value, stored: &Value, sent: &mut Value) -> Vec<Meanwhile> {
    let mut found = Vec::new();
    for setting in groups.iter().flat_map(|group| Setting::in_group(*group)) {
        let mut mine = setting.value(sent).clone();
        let both = (setting.value(base), setting.value(stored));
        found.extend(merge_one(setting.title, both, &mut mine, |value| setting.words(value)));
        setting.put(sent, mine);
    }
    found
}

/// The values of `groups` alone, as a hidden field keeps them.
pub(super) fn base(groups: &[Group], record: &Value) -> String {
    let mut part = Value::Null;
    for setting in groups.iter().flat_map(|group| Setting::in_group(*group)) {
        setting.put(&mut part, setting.value(record).clone());
    }
    part.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use signet_core::records::ClientSettings;

    const ALL: &[&[Group]] = &[Group::SETTINGS, Group::SECURITY, &[Group::Keys]];

    /// What a browser sends for a form that nobody touched.
    fn untouched(sections: &[Section]) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for field in sections.iter().flat_map(|section| &section.fields) {
            match &field.control {
                Control::Line(text) | Control::Number(text) | Control::Area(text) | Control::Colour(text) => {
                    pairs.append_pair(&field.id, text);
                }
                Control::Switch(on) => {
                    if *on {
                        pairs.append_pair(&field.id, "on");
                    }
                }
                Control::Choice(all) => {
                    let on = all.iter().find(|one| one.on).unwrap();
                    pairs.append_pair(&field.id, on.value);
                }
                Control::Choices(all) => {
                    for one in all.iter().filter(|one| one.on) {
                        pairs.append_pair(&one.id, "on");
                    }
                }
                Control::Pair { alg, enc } => {
                    pairs.append_pair(&field.id, alg.iter().find(|one| one.on).unwrap().value);
                    pairs.append_pair(
                        &format!("{}--enc", field.id),
                        enc.iter().find(|one| one.on).unwrap().value,
                    );
                }
            }
        }
        pairs.finish()
    }

    #[test]
    fn a_form_that_nobody_touched_changes_nothing() {
        let mut settings = ClientSettings {
            client_name: "An & \"app\"".into(),
            redirect_uris: vec!["https://b.example/".into(), "https://a.example/".into()],
            default_max_age: Some(7),
            ..signet_core::templates::Template::Sealed.settings()
        };
        settings.claim_placement.insert("email".into(), signet_core::records::ClaimPlacement::Both);
        for settings in [settings, ClientSettings::default()] {
            let record = serde_json::to_value(&settings).unwrap();
            let mut after = record.clone();
            for groups in ALL {
                let body = untouched(&sections(groups, &record, &[]));
                let form = Params::decode_form(body.as_bytes()).unwrap();
                assert!(read(groups, &form, &mut after).is_empty());
            }
            assert_eq!(after, record);
            assert_eq!(serde_json::from_value::<ClientSettings>(after).unwrap(), settings);
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_at_its_field() {
        let mut record = serde_json::to_value(ClientSettings::default()).unwrap();
        let before = record.clone();
        for (groups, body, field) in [
            (Group::SECURITY, "lifetimes-code=soon", "#lifetimes-code"),
            (Group::SECURITY, "id_token-signed=HS999", "#id_token-signed"),
            (Group::SECURITY, "userinfo-encrypted=RSA1_5", "#userinfo-encrypted"),
            (Group::SECURITY, "userinfo-encrypted=RSA-OAEP-256", "#userinfo-encrypted"),
            (Group::SECURITY, "id_token-encrypted=ECDH-ES&id_token-encrypted--enc=A1", "#id_token-encrypted"),
            (Group::SECURITY, "claim_placement=email+nowhere", "#claim_placement"),
            (Group::SETTINGS, "application_type=robot", "#application_type"),
        ] {
            let form = Params::decode_form(body.as_bytes()).unwrap();
            let problems = read(groups, &form, &mut record);
            assert!(problems.iter().any(|one| one.links[0].1 == field), "{body}: {problems:?}");
        }
        assert_eq!(record["lifetimes"]["code"], before["lifetimes"]["code"]);
    }

    #[test]
    fn two_people_at_once_lose_nothing() {
        let base = serde_json::to_value(ClientSettings::default()).unwrap();
        let (mut stored, mut sent) = (base.clone(), base.clone());
        stored["client_name"] = json!("theirs");
        stored["tos_uri"] = json!("https://theirs.example/");
        sent["tos_uri"] = json!("https://mine.example/");
        sent["policy_uri"] = json!("https://mine.example/p");
        let found = merge(Group::SETTINGS, &base, &stored, &mut sent);
        assert_eq!(sent["client_name"], "theirs", "what only they changed is taken over");
        assert_eq!(sent["policy_uri"], "https://mine.example/p", "what only I changed stays");
        assert_eq!(sent["tos_uri"], "https://mine.example/", "what both changed is mine to judge");
        let told: Vec<_> = found.iter().map(|one| (one.title.as_str(), one.kept.is_some())).collect();
        assert_eq!(told, [("Name", false), ("Terms of service", true)]);
    }
}
