//! What listings have in common: addresses that keep the filters, and the filter by state.

use signet_core::params::Params;

use super::Visit;

/// One choice of a filter: value, title, whether it is chosen.
pub(super) type Choice = (String, String, bool);

const STATES: [(&str, &str, Option<bool>); 3] =
    [("", "Any", None), ("enabled", "Enabled", Some(false)), ("disabled", "Disabled", Some(true))];

/// Whether to list what is disabled, or what is not.
pub(super) fn disabled(params: &Params) -> Option<bool> {
    let asked = params.get("state")?;
    STATES.iter().find(|(value, ..)| *value == asked)?.2
}

/// The filter by state.
pub(super) fn states(disabled: Option<bool>) -> Vec<Choice> {
    STATES.iter().map(|(value, title, of)| ((*value).into(), (*title).into(), *of == disabled)).collect()
}

/// The address of a page of a listing: the filters that were asked for, and where it begins.
pub(super) fn address(visit: &Visit, path: &str, filters: &[&str], after: Option<&str>) -> String {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for name in filters {
        if let Some(value) = visit.params.get(name) {
            pairs.append_pair(name, value);
        }
    }
    if let Some(after) = after {
        pairs.append_pair("after", after);
    }
    visit.href(&format!("{path}?{}", pairs.finish()))
}
