//! What clients get without anybody being asked for consent.

use std::collections::BTreeSet;

use crate::records::ClientSettings;

/// The first setting by which `after` gives a client more than `before`, with nobody asked for consent; `before` is `None`
/// for a client that is to be made.
///
/// Whoever lets a client go without consent vouches for what it may ask for, for whom, and for where the answers go. What
/// is added later nobody has vouched for.
pub fn more_unasked(before: Option<&ClientSettings>, after: &ClientSettings) -> Option<&'static str> {
    if after.require_consent {
        return None;
    }
    let Some(before) = before.filter(|before| !before.require_consent) else {
        return Some("require_consent");
    };
    let redirects =
        |settings: &ClientSettings| settings.redirect_uris.iter().cloned().collect::<BTreeSet<_>>();
    [
        ("scope", after.scope.is_subset(&before.scope)),
        ("redirect_uris", redirects(after).is_subset(&redirects(before))),
        ("resources", after.resources.is_subset(&before.resources)),
    ]
    .into_iter()
    .find_map(|(setting, within)| (!within).then_some(setting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_consent_nothing_is_added() {
        type Edit = fn(&mut ClientSettings);
        let asked = ClientSettings {
            redirect_uris: vec!["https://rp.example/cb".into(), "https://rp.example/cb2".into()],
            resources: ["https://api.example".to_owned()].into(),
            ..ClientSettings::default()
        };
        let unasked = ClientSettings { require_consent: false, ..asked.clone() };
        let changed = |settings: &ClientSettings, change: Edit| {
            let mut settings = settings.clone();
            change(&mut settings);
            settings
        };
        let more: [(&str, Edit); 3] = [
            ("scope", |s| s.scope.extend(["phone".to_owned()])),
            ("redirect_uris", |s| s.redirect_uris.push("https://elsewhere.example".into())),
            ("resources", |s| s.resources.extend(["https://pay.example".to_owned()])),
        ];
        for (setting, change) in more {
            assert_eq!(more_unasked(Some(&unasked), &changed(&unasked, change)), Some(setting));
            assert_eq!(more_unasked(Some(&asked), &changed(&asked, change)), None, "people are asked");
            assert_eq!(
                more_unasked(Some(&unasked), &changed(&asked, change)),
                None,
                "people are asked from now on"
            );
            assert_eq!(more_unasked(Some(&asked), &changed(&unasked, change)), Some("require_consent"));
        }
        let less = changed(&unasked, |s| {
            s.scope.remove("email");
            s.redirect_uris.remove(0);
            s.resources.clear();
            s.client_name = "Another name".into();
        });
        assert_eq!(more_unasked(Some(&unasked), &less), None);
        assert_eq!(more_unasked(None, &unasked), Some("require_consent"));
        assert_eq!(more_unasked(None, &asked), None);
    }
}
