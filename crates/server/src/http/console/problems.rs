//! Refusals of the desk, as the list above a form.

use signet_core::fault::Fault;
use signet_core::pointer::of_setting;
use signet_core::provision::Refusal;
use signet_core::setting::{Group, SETTINGS, Setting};

use super::fields;
use crate::desk::{Refused, Remark};
use crate::pages::console::Problem;

/// A field or a page where something can be mended: what it is called, and its address.
pub(super) type Target = (String, String);

/// What a form shows of a refusal; `None` for refusals that have a page of their own. `name` points to what must be unique;
/// `target` tells where on the page or beside it a pointer leads.
pub(super) fn of(
    refused: &Refused,
    name: &str,
    target: impl Fn(&str) -> Option<Target>,
) -> Option<Vec<Problem>> {
    let fault = refused.fault();
    let one = |text: String, code: &str, pointers: &[String]| Problem {
        text,
        code: code.to_owned(),
        links: links(pointers, &target),
    };
    let refusal = |one_of: &Refusal| one(one_of.to_string(), one_of.reason(), &one_of.pointers());
    match refused {
        Refused::Invalid(refusals) => Some(refusals.iter().map(refusal).collect()),
        Refused::Malformed { pointer, detail } => {
            Some(vec![one(detail.clone(), fault.code(), std::slice::from_ref(pointer))])
        }
        Refused::Exists => Some(vec![one(fault.public(), fault.code(), &[name.to_owned()])]),
        Refused::KeyReused => Some(vec![one(fault.public(), fault.code(), &[])]),
        Refused::Fault(Fault::AdminScopeMissing { .. }) => None,
        Refused::Fault(_) if [400, 403, 409, 422].contains(&fault.status()) => {
            Some(vec![one(fault.public(), fault.code(), &pointers(&fault))])
        }
        Refused::Part { refused, .. } => of(refused, name, target),
        Refused::Fault(_) | Refused::NotFound | Refused::Stale { .. } | Refused::VersionMissing => None,
    }
}

/// The settings that a fault is about.
fn pointers(fault: &Fault) -> Vec<String> {
    match fault {
        Fault::AdminConsentForbidden { setting } => vec![of_setting(setting), of_setting("require_consent")],
        Fault::AdminGrantForbidden { .. } => vec![of_setting("scope")],
        _ => Vec::new(),
    }
}

fn links(pointers: &[String], target: impl Fn(&str) -> Option<Target>) -> Vec<Target> {
    let mut links: Vec<Target> = Vec::new();
    for link in pointers.iter().filter_map(|pointer| target(pointer)) {
        if !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

/// The field of a form that is made by hand, from its table: pointer, title, id.
pub(super) fn field(table: &[(&str, &str, &str)], pointer: &str) -> Option<Target> {
    let row = table.iter().find(|row| row.0 == pointer)?;
    Some((row.1.to_owned(), format!("#{}", row.2)))
}

/// Where on the pages of a client a pointer leads. `href` is its first page; `here` are the groups of the page that is shown.
pub(super) fn of_client(pointer: &str, href: &str, here: &[Group]) -> Option<Target> {
    if pointer == "/keys" {
        return (!here.contains(&Group::Keys)).then(|| ("Keys".to_owned(), format!("{href}/keys")));
    }
    let setting = Setting::at(SETTINGS, pointer)?;
    let page = if here.contains(&setting.group) {
        String::new()
    } else if Group::SECURITY.contains(&setting.group) {
        format!("{href}/security")
    } else if setting.group == Group::Keys {
        format!("{href}/keys")
    } else {
        href.to_owned()
    };
    Some((setting.title.to_owned(), format!("{page}#{}", fields::id(setting))))
}

/// A remark about a client as it is stored, with links to where it can be mended.
pub(super) fn remark(remark: &Remark, href: &str) -> Problem {
    Problem {
        text: remark.text.clone(),
        code: remark.code.clone(),
        links: links(&remark.pointers, |pointer| of_client(pointer, href, &[])),
    }
}
