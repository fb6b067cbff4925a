//! Contradictions among the addresses of a client.

use url::Url;

use super::Mode;
use super::contradiction::Contradiction;
use super::reading::{shown, uses_browser};
use super::uris::{self, UriProblem};
use crate::records::{ApplicationType, ClientSettings, GrantType, SubjectType};
use crate::redirect::is_loopback;
use crate::subject;

/// Most addresses of one kind.
const MAX: usize = 100;

pub(super) fn check(settings: &ClientSettings, mode: Mode, found: &mut Vec<Contradiction>) {
    redirect_uris(settings, mode, found);
    lists(settings, mode, found);
    single(settings, mode, found);
    // OpenID Connect Core section 8.1: "If there are multiple hostnames in the registered redirect_uris, the Client MUST
    // register a sector_identifier_uri."
    if settings.subject_type == SubjectType::Pairwise && subject::sector(settings).is_none() {
        found.push(Contradiction::PairwiseWithoutSector);
    }
}

fn redirect_uris(settings: &ClientSettings, mode: Mode, found: &mut Vec<Contradiction>) {
    let uris = &settings.redirect_uris;
    if uris.is_empty() && uses_browser(settings) {
        found.push(Contradiction::RedirectUrisMissing);
    }
    if uris.len() > MAX {
        found.push(Contradiction::RedirectUrisTooMany);
    }
    // Registration section 2: "Web Clients using the OAuth Implicit Grant Type MUST only register URLs using the https
    // scheme as redirect_uris; they MUST NOT use localhost as the hostname."
    let implicit = settings.grant_types.contains(&GrantType::Implicit)
        && settings.application_type == ApplicationType::Web
        && mode == Mode::Production;
    let local = |uri: &str| Url::parse(uri).is_ok_and(|url| is_loopback(&url));
    found.extend(uris.iter().take(MAX).filter_map(|uri| {
        match uris::redirect_uri(uri, settings.application_type, mode) {
            Err(problem) => Some(Contradiction::RedirectUri { uri: shown(uri), problem }),
            Ok(()) if implicit && local(uri) => Some(Contradiction::ImplicitLocalhost { uri: shown(uri) }),
            Ok(()) => None,
        }
    }));
}

type Judge<'a> = &'a dyn Fn(&str) -> Result<(), UriProblem>;

fn lists(settings: &ClientSettings, mode: Mode, found: &mut Vec<Contradiction>) {
    let request: Judge<'_> = &|uri| uris::request_uri(uri, mode);
    // RP-Initiated Logout section 3.1: https, or what a native application listens to.
    let logout: Judge<'_> = &|uri| uris::redirect_uri(uri, settings.application_type, mode);
    let resource: Judge<'_> = &uris::resource;
    let resources: Vec<String> = settings.resources.iter().cloned().collect();
    for (setting, all, judge) in [
        ("request_uris", &settings.request_uris, request),
        ("post_logout_redirect_uris", &settings.post_logout_redirect_uris, logout),
        ("resources", &resources, resource),
    ] {
        if all.len() > MAX {
            found.push(Contradiction::TooMany { setting, max: MAX });
        }
        found.extend(all.iter().take(MAX).filter_map(|uri| {
            let problem = judge(uri).err()?;
            Some(Contradiction::Uri { setting, uri: shown(uri), problem })
        }));
    }
}

fn single(settings: &ClientSettings, mode: Mode, found: &mut Vec<Contradiction>) {
    let called: Judge<'_> = &|uri| uris::called(uri, mode);
    // OpenID Connect Core section 4: initiate_login_uri "MUST use the https scheme".
    let shown_to_people: Judge<'_> = &uris::page_uri;
    for (setting, uri, judge) in [
        ("jwks_uri", &settings.jwks_uri, called),
        ("sector_identifier_uri", &settings.sector_identifier_uri, called),
        ("backchannel_logout_uri", &settings.backchannel_logout_uri, called),
        ("frontchannel_logout_uri", &settings.frontchannel_logout_uri, called),
        ("initiate_login_uri", &settings.initiate_login_uri, shown_to_people),
    ] {
        let Some(uri) = uri else { continue };
        if let Err(problem) = judge(uri) {
            found.push(Contradiction::Uri { setting, uri: shown(uri), problem });
        }
    }
    // Front-Channel Logout section 2: "The domain, port, and scheme of this URL MUST be the same as that of a registered
    // Redirection URI value."
    let origin = |uri: &String| Url::parse(uri).ok().map(|url| url.origin());
    if let Some(uri) = &settings.frontchannel_logout_uri
        && !settings.redirect_uris.iter().any(|known| origin(known) == origin(uri))
    {
        found.push(Contradiction::FrontchannelOrigin { uri: shown(uri) });
    }
}
