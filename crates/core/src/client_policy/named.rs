//! Which settings a text names.

use crate::setting::{SETTINGS, Setting};

/// The client's settings that a text names, by their paths, in the order in which it does. Contradictions name the settings
/// that contradict each other, so forms and programs can point at them.
pub fn named_settings(text: &str) -> Vec<String> {
    Setting::named_in(SETTINGS, text).into_iter().map(|setting| setting.path.to_owned()).collect()
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
