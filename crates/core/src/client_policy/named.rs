//! Which settings a text names.

use std::sync::LazyLock;

use serde_json::Value;

use crate::records::ClientSettings;

/// Every path of a client's settings, such as `id_token.signed`.
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut paths = Vec::new();
    let Ok(Value::Object(members)) = serde_json::to_value(ClientSettings::default()) else { return paths };
    for (name, value) in members {
        if let Value::Object(below) = &value {
            paths.extend(below.keys().map(|inner| format!("{name}.{inner}")));
        }
        paths.push(name);
    }
    paths
});

/// The client's settings that a text names, by their paths, in the order in which it does. Contradictions name the settings
/// that contradict each other, so forms and programs can point at them.
pub fn named_settings(text: &str) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    for word in text.split(|c: char| !is_path(c)) {
        let word = word.trim_matches('.');
        // `id_token.encrypted.alg` lies within `id_token.encrypted`.
        let within = |path: &&String| {
            word == path.as_str()
                || word.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        let longest = PATHS.iter().filter(within).max_by_key(|path| path.len());
        if let Some(path) = longest.filter(|path| !named.contains(path)) {
            named.push(path.clone());
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_policy::Contradiction;

    #[test]
    fn paths_are_found_once_and_whole() {
        let text = "userinfo.encrypted.alg is X and id_token.encrypted is Y. Set userinfo.encrypted. scope";
        assert_eq!(named_settings(text), ["userinfo.encrypted", "id_token.encrypted", "scope"]);
        assert!(named_settings("nothing of the kind").is_empty());
    }

    #[test]
    fn almost_every_contradiction_names_a_setting() {
        // Those whose setting is filled in, or whose subject is no setting.
        let others = ["client_id_form", "page_uri", "too_many_values", "text_form", "client_uri_setting"];
        for (code, text) in Contradiction::TABLE {
            let dynamic = text.contains("{setting}") || others.contains(code);
            assert!(dynamic || !named_settings(text).is_empty(), "{code}: {text}");
        }
    }
}
