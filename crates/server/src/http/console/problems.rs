//! Refusals of the desk, as the list above a form.

use signet_core::fault::Fault;
use signet_core::provision::Refusal;
use signet_core::setting::{Group, SETTINGS, Setting, TENANT_SETTINGS};

use super::fields;
use crate::desk::{Refused, Remark};
use crate::pages::console::Problem;

/// What a form shows of a refusal, each with links to the settings that it names; `None` for refusals that have a page of
/// their own. `keys` is the address of the client's keys; `elsewhere` gives the address of the page that a setting is on,
/// if that is another one.
pub(super) fn of(
    refused: &Refused,
    keys: &str,
    elsewhere: impl Fn(&Setting) -> Option<String>,
) -> Option<Vec<Problem>> {
    within(SETTINGS, refused, keys, elsewhere)
}

/// The same for the settings of the tenant.
pub(super) fn of_tenant(
    refused: &Refused,
    elsewhere: impl Fn(&Setting) -> Option<String>,
) -> Option<Vec<Problem>> {
    within(TENANT_SETTINGS, refused, "", elsewhere)
}

fn within(
    table: &'static [Setting],
    refused: &Refused,
    keys: &str,
    elsewhere: impl Fn(&Setting) -> Option<String>,
) -> Option<Vec<Problem>> {
    let problem = |text: String, code: &str| {
        let address = |setting: &&'static Setting| {
            let page = elsewhere(setting).unwrap_or_default();
            (setting.title.to_owned(), format!("{page}#{}", fields::id(setting)))
        };
        let mut links: Vec<(String, String)> = Setting::named_in(table, &text).iter().map(address).collect();
        if !keys.is_empty() && text.to_lowercase().contains("key") {
            links.push(("Keys".to_owned(), keys.to_owned()));
        }
        Problem { text, code: code.to_owned(), links }
    };
    let of_refusal = |refusal: &Refusal| match refusal {
        Refusal::Setting { problem: other } => problem(refusal.to_string(), other.code()),
        other => problem(other.to_string(), other.code()),
    };
    match refused {
        Refused::Invalid(refusals) => Some(refusals.iter().map(of_refusal).collect()),
        Refused::Fault(fault @ Fault::AdminConsentForbidden { .. }) => {
            Some(vec![problem(fault.public(), fault.code())])
        }
        Refused::Malformed { pointer, detail } => Some(vec![Problem {
            text: format!("{pointer}: {detail}"),
            code: "malformed".to_owned(),
            links: Vec::new(),
        }]),
        _ => None,
    }
}

/// The address of the page of a client that a setting is on; `None` if it is among `here`. `href` is the client's first page.
pub(super) fn page_of(setting: &Setting, href: &str, here: &[Group]) -> Option<String> {
    if here.contains(&setting.group) {
        return None;
    }
    Some(if Group::SECURITY.contains(&setting.group) {
        format!("{href}/security")
    } else if setting.group == Group::Keys {
        format!("{href}/keys")
    } else {
        href.to_owned()
    })
}

/// A remark about a client as it is stored, with links to where it can be mended.
pub(super) fn remark(remark: &Remark, href: &str) -> Problem {
    let address = |setting: &&'static Setting| {
        let page = page_of(setting, href, &[]).unwrap_or_default();
        (setting.title.to_owned(), format!("{page}#{}", fields::id(setting)))
    };
    let mut links: Vec<(String, String)> =
        Setting::named_in(SETTINGS, &remark.text).iter().map(address).collect();
    if remark.text.to_lowercase().contains(" key") {
        links.push(("Keys".to_owned(), format!("{href}/keys")));
    }
    Problem { text: remark.text.clone(), code: remark.code.clone(), links }
}
