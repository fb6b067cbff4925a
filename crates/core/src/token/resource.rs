//! Resource indicators at the token endpoint (RFC 8707 section 2.2).

use std::collections::BTreeSet;

use crate::fault::Fault;
use crate::params::Params;
use crate::records::Client;

/// The audience of an access token: the resources that the request names, else all that were granted; empty means this
/// provider's own.
///
/// RFC 8707 section 2.2: the request may name "a subset of the resources" of the grant; section 2: "`invalid_target`: The
/// requested resource is invalid, missing, unknown, or malformed." Where the grant names none, the client's registration
/// is the bound. A registered resource is an absolute URI without a fragment (section 2), and one that is none is never
/// equal to it.
pub fn audience(
    params: &Params,
    granted: &BTreeSet<String>,
    client: &Client,
) -> Result<BTreeSet<String>, Fault> {
    let registered = &client.settings.resources;
    let asked: BTreeSet<String> = params.all("resource").map(str::to_owned).collect();
    let wanted = if asked.is_empty() { granted } else { &asked };
    let within_grant = granted.is_empty() || wanted.is_subset(granted);
    // A registration that shrank meanwhile narrows nothing silently: the token would be for this provider instead.
    if within_grant && wanted.is_subset(registered) {
        Ok(wanted.clone())
    } else {
        Err(Fault::ResourceNotAllowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::client;

    #[test]
    fn the_audience_is_within_grant_and_registration_rfc8707_2_2() {
        let mut client = client("c");
        client.settings.resources = ["https://a.example/", "https://b.example/"].map(String::from).into();
        let judge = |form: &str, granted: &[&str]| {
            let granted = granted.iter().map(|uri| (*uri).to_owned()).collect();
            let params = Params::decode(&[form.as_bytes()]).unwrap();
            audience(&params, &granted, &client).map(|uris| uris.into_iter().collect::<Vec<_>>().join(" "))
        };
        let both = ["https://a.example/", "https://b.example/"];
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(judge("", &[]), ok(""));
        assert_eq!(judge("", &both), ok("https://a.example/ https://b.example/"));
        assert_eq!(judge("resource=https://a.example/", &both), ok("https://a.example/"));
        assert_eq!(judge("resource=https://a.example/", &[]), ok("https://a.example/"));
        assert_eq!(
            judge("resource=https://a.example/&resource=https://b.example/", &[]),
            ok("https://a.example/ https://b.example/")
        );
        let refused = Err(Fault::ResourceNotAllowed);
        assert_eq!(judge("resource=https://b.example/", &both[..1]), refused);
        assert_eq!(judge("resource=https://a.example/&resource=https://b.example/", &both[..1]), refused);
        for other in
            ["https://c.example/", "https://a.example", "https://a.example/%23x", "a", "HTTPS://a.example/"]
        {
            assert_eq!(judge(&format!("resource={other}"), &[]), refused, "{other}");
        }
        assert_eq!(judge("", &["https://c.example/"]), refused, "no longer registered");
    }
}
