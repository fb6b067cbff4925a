//! What listings have in common: addresses that keep the filters, and the filter by state.

use signet_core::fault::Fault;
use signet_core::params::Params;

use super::{Visit, posted};
use crate::desk::Refused;

/// One choice of a filter: value, title, whether it is chosen.
pub(super) type Choice = (String, String, bool);

const STATES: [(&str, &str, Option<bool>); 3] =
    [("", "Any", None), ("enabled", "Enabled", Some(false)), ("disabled", "Disabled", Some(true))];

/// A filter that is one of several words; none if it is left out. What is none of them is refused: everything would be listed
/// as if it had been asked for.
pub(super) fn word<T>(
    params: &Params,
    name: &'static str,
    from_name: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Refused> {
    let wanted = "one of the values that the page offers";
    posted::word(params, name, name, from_name)
        .map_err(|_| Fault::AdminParameterMalformed { name, wanted }.into())
}

/// Whether to list what is disabled, or what is not.
pub(super) fn disabled(params: &Params) -> Result<Option<bool>, Refused> {
    word(params, "state", |asked| STATES.iter().find(|(value, ..)| *value == asked)?.2)
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

/// A path segment (RFC 3986 section 3.3).
pub(super) fn path_segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
