//! Request objects by reference (OpenID Connect Core section 6.2, RFC 9101 section 5.2).

use crate::fault::Fault;
use crate::records::Client;

/// OpenID Connect Core section 6.2: "The entire Request URI MUST NOT exceed 512 ASCII characters."
const MAX_LEN: usize = 512;

/// A `request_uri` that its client registered, so that it may be fetched. Only [`reference()`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// What is fetched: everything but the fragment.
    pub fn address(&self) -> &str {
        self.0.split('#').next().unwrap_or_default()
    }
}

/// Compares `uri` with those that the client registered, character by character.
///
/// RFC 9101 section 10.4.1 names the attack, a `request_uri` that is chosen to harm who fetches it or somebody else; its
/// first remedy is to "check that the value of the `request_uri` parameter does not point to an unexpected location".
/// OpenID Connect Core section 6.2 lets a fragment carry the hash of the content, for caches. Nothing is cached here: each
/// request fetches its object anew, so what was fetched for one login never serves another, and a signature, not a hash in
/// the same request, says whose it is. The fragment counts in the comparison alone.
pub fn reference(client: &Client, uri: &str) -> Result<Reference, Fault> {
    if uri.len() > MAX_LEN || !uri.is_ascii() {
        return Err(Fault::RequestUriTooLong);
    }
    if !client.settings.request_uris.iter().any(|registered| registered == uri) {
        return Err(Fault::RequestUriUnregistered);
    }
    Ok(Reference(uri.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::client;

    #[test]
    fn only_registered_request_uris_are_fetched_and_without_their_fragment_core_6_2() {
        let mut client = client("c");
        let long = format!("https://rp.example/{}", "a".repeat(MAX_LEN));
        client.settings.request_uris =
            vec!["https://rp.example/ro.jwt#x1".into(), "https://rp.example/ü".into(), long.clone()];
        let known = reference(&client, "https://rp.example/ro.jwt#x1").unwrap();
        assert_eq!(known.address(), "https://rp.example/ro.jwt");
        for other in [
            "https://rp.example/ro.jwt",
            "https://rp.example/ro.jwt#x2",
            "https://rp.example/ro.jwt?#x1",
            "https://RP.example/ro.jwt#x1",
            "",
        ] {
            assert_eq!(reference(&client, other), Err(Fault::RequestUriUnregistered), "{other}");
        }
        assert_eq!(reference(&client, "https://rp.example/ü"), Err(Fault::RequestUriTooLong));
        assert_eq!(reference(&client, &long), Err(Fault::RequestUriTooLong));
    }
}
