//! Rules for the URIs that an administrator registers.

use url::Url;

use super::Mode;
use crate::coded::coded;
use crate::records::ApplicationType;
use crate::redirect::is_loopback;

/// Longest accepted URI, in bytes.
const MAX_URI: usize = 2048;

coded! {
    /// What is wrong with a URI. The text is the end of a sentence that begins with the URI.
    UriProblem {
        TooLong = "uri_too_long", "is longer than 2048 bytes";
        TooLongToFetch = "uri_too_long_to_fetch", "is longer than 512 characters";
        Characters = "uri_characters", "contains characters that a URI cannot have; percent-encode them";
        NotAbsolute = "uri_not_absolute", "is not an absolute URI with a scheme and a host";
        Fragment = "uri_fragment", "has a fragment; remove everything from \"#\" on";
        Wildcard = "uri_wildcard", "has a wildcard; URIs are compared character by character, so list each one";
        Credentials = "uri_credentials", "has a user name or password in it; remove that";
        DotSegments = "uri_dot_segments", "has \".\" or \"..\" in its path; write the path out";
        NotHttps = "uri_not_https", "must begin with https://";
        LoopbackHttp = "uri_loopback_http", "is plain http on this machine, which is for native applications and development only; use https, or set application_type to native";
        SchemeWithoutDot = "uri_scheme_without_dot", "has a scheme of its own that is not a reversed domain name such as com.example.app";
        Query = "uri_query", "has a query; remove everything from \"?\" on";
        NotNormal { normal: String } = "uri_not_normal", "is not written in normal form; write {normal}";
    }
}

/// What holds for every URI: RFC 3986 section 4.3 (absolute), and nothing that can be read in two ways.
fn parse(uri: &str) -> Result<Url, UriProblem> {
    if uri.len() > MAX_URI {
        return Err(UriProblem::TooLong);
    }
    // RFC 3986 appendix A: these are in no production of the grammar.
    if !uri.bytes().all(|b| b.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&b)) {
        return Err(UriProblem::Characters);
    }
    if uri.contains('#') {
        return Err(UriProblem::Fragment);
    }
    // Simple string comparison knows no wildcards (RFC 9700 section 2.1); a literal one is written %2A.
    if uri.contains('*') {
        return Err(UriProblem::Wildcard);
    }
    let url = Url::parse(uri).map_err(|_| UriProblem::NotAbsolute)?;
    let rest = uri.split_once(':').map_or("", |(_, rest)| rest);
    let is_web = matches!(url.scheme(), "http" | "https");
    if is_web && (!rest.starts_with("//") || rest.starts_with("///")) {
        return Err(UriProblem::NotAbsolute);
    }
    let authority = rest.strip_prefix("//").map_or("", |rest| rest.split(['/', '?']).next().unwrap_or(""));
    if authority.contains('@') {
        return Err(UriProblem::Credentials);
    }
    let path = rest.split('?').next().unwrap_or("").to_ascii_lowercase().replace("%2e", ".");
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(UriProblem::DotSegments);
    }
    Ok(url)
}

/// Judges a redirect URI that is to be registered.
///
/// RFC 6749 section 3.1.2: "The redirection endpoint URI MUST be an absolute URI [...]. The endpoint URI MUST NOT
/// include a fragment component."
pub fn redirect_uri(uri: &str, kind: ApplicationType, mode: Mode) -> Result<(), UriProblem> {
    let url = parse(uri)?;
    match (url.scheme(), kind) {
        ("https", _) => Ok(()),
        // RFC 8252 section 7.3 for native applications; A-127 for everybody while developing.
        ("http", ApplicationType::Native) if is_loopback(&url) => Ok(()),
        ("http", ApplicationType::Web) if is_loopback(&url) => match mode {
            Mode::Development => Ok(()),
            Mode::Production => Err(UriProblem::LoopbackHttp),
        },
        ("http", _) | (_, ApplicationType::Web) => Err(UriProblem::NotHttps),
        // RFC 8252 section 7.1: "apps MUST use a URI scheme based on a domain name under their control, expressed in
        // reverse order". This leaves out javascript:, data: and their like.
        (scheme, ApplicationType::Native) if !is_reversed_domain(scheme) => Err(UriProblem::SchemeWithoutDot),
        (_, ApplicationType::Native) => Ok(()),
    }
}

fn is_reversed_domain(scheme: &str) -> bool {
    scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty())
}

/// Judges the address of a page or image that people are shown: https.
pub fn page_uri(uri: &str) -> Result<(), UriProblem> {
    let url = parse(uri)?;
    if url.scheme() == "https" { Ok(()) } else { Err(UriProblem::NotHttps) }
}

/// Judges an address that this provider calls or that its pages load: https, or loopback http while developing.
pub fn called(uri: &str, mode: Mode) -> Result<(), UriProblem> {
    let url = parse(uri)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if mode == Mode::Development && is_loopback(&url) => Ok(()),
        _ => Err(UriProblem::NotHttps),
    }
}

/// Judges an address that request objects are fetched from. OpenID Connect Core section 6.2: "The entire Request URI
/// MUST NOT exceed 512 ASCII characters." It may have a fragment, which is compared but not sent.
pub fn request_uri(uri: &str, mode: Mode) -> Result<(), UriProblem> {
    if uri.len() > 512 {
        return Err(UriProblem::TooLongToFetch);
    }
    let (address, fragment) = uri.split_once('#').unwrap_or((uri, ""));
    // RFC 3986 section 3.5: of the same characters as a query.
    if !fragment.bytes().all(|b| b.is_ascii_graphic() && !br#"#"<>\^`{|}"#.contains(&b)) {
        return Err(UriProblem::Characters);
    }
    called(address, mode)
}

/// Judges the name of a resource server. RFC 8707 section 2: "Its value MUST be an absolute URI, as specified by Section
/// 4.3 of \[RFC3986\]. The URI MUST NOT include a fragment component."
pub fn resource(uri: &str) -> Result<(), UriProblem> {
    parse(uri).map(|_| ())
}

/// Judges an issuer. It is kept as it is written, since it is compared character by character.
///
/// OpenID Connect Discovery section 3: "URL using the https scheme with no query or fragment components". Plain http is
/// for loopback while developing. The normal form is demanded because requests are matched by host and path.
pub fn issuer(uri: &str, mode: Mode) -> Result<(), UriProblem> {
    let url = parse(uri)?;
    match url.scheme() {
        "https" => {}
        "http" if mode == Mode::Development && is_loopback(&url) => {}
        _ => return Err(UriProblem::NotHttps),
    }
    if uri.contains('?') {
        return Err(UriProblem::Query);
    }
    let normal = url.as_str();
    let bare = normal.strip_suffix('/').unwrap_or(normal);
    if uri != normal && uri != bare {
        return Err(UriProblem::NotNormal { normal: bare.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(judged: Result<(), UriProblem>) -> &'static str {
        judged.map_or_else(|problem| problem.code(), |()| "ok")
    }

    #[test]
    fn redirect_uris_rfc6749_3_1_2_rfc8252_7() {
        use ApplicationType::{Native, Web};
        use Mode::{Development, Production};
        let long = format!("https://rp.example/{}", "x".repeat(2048));
        for (uri, kind, mode, expected) in [
            ("https://rp.example/cb", Web, Production, "ok"),
            ("https://rp.example", Web, Production, "ok"),
            ("https://rp.example/cb?x=1", Web, Production, "ok"),
            ("https://localhost/cb", Web, Production, "ok"),
            ("https://rp.example/a..b", Web, Production, "ok"),
            ("https://rp.example/cb", Native, Production, "ok"),
            ("http://localhost:3000/cb", Web, Development, "ok"),
            ("http://[::1]/cb", Web, Development, "ok"),
            ("http://127.0.0.1:3000/cb", Web, Production, "uri_loopback_http"),
            ("http://127.0.0.1/cb", Native, Production, "ok"),
            ("http://rp.example/cb", Web, Development, "uri_not_https"),
            ("http://rp.example/cb", Native, Development, "uri_not_https"),
            ("http://localhost.evil.example/cb", Web, Development, "uri_not_https"),
            ("com.example.app:/cb", Native, Production, "ok"),
            ("com.example.app://cb", Native, Production, "ok"),
            ("com.example.app:/cb", Web, Development, "uri_not_https"),
            ("myapp://cb", Native, Production, "uri_scheme_without_dot"),
            ("com.:/cb", Native, Production, "uri_scheme_without_dot"),
            ("javascript:alert(1)", Native, Development, "uri_scheme_without_dot"),
            ("data:text/html,x", Native, Development, "uri_scheme_without_dot"),
            ("javascript:alert(1)", Web, Development, "uri_not_https"),
            ("https://rp.example/cb#", Web, Production, "uri_fragment"),
            ("https://*.rp.example/cb", Web, Production, "uri_wildcard"),
            ("https://rp.example/*", Web, Production, "uri_wildcard"),
            ("https://u:p@rp.example/cb", Web, Production, "uri_credentials"),
            ("https://@rp.example/cb", Web, Production, "uri_credentials"),
            ("https://rp.example/cb?m=a@b", Web, Production, "ok"),
            ("https://rp.example/a/../cb", Web, Production, "uri_dot_segments"),
            ("https://rp.example/a/%2E%2e/cb", Web, Production, "uri_dot_segments"),
            ("https:rp.example/cb", Web, Production, "uri_not_absolute"),
            ("https:///rp.example/cb", Web, Production, "uri_not_absolute"),
            ("https://", Web, Production, "uri_not_absolute"),
            ("/cb", Web, Production, "uri_not_absolute"),
            ("", Web, Production, "uri_not_absolute"),
            ("https://rp.example/c b", Web, Production, "uri_characters"),
            ("https://rp.example\\@evil.example/", Web, Production, "uri_characters"),
            ("https://rp.ex\u{e4}mple/", Web, Production, "uri_characters"),
            (long.as_str(), Web, Production, "uri_too_long"),
        ] {
            assert_eq!(code(redirect_uri(uri, kind, mode)), expected, "{uri} {kind:?} {mode:?}");
        }
    }

    #[test]
    fn issuers_discovery_3() {
        use Mode::{Development, Production};
        for (uri, mode, expected) in [
            ("https://id.example.com", Production, "ok"),
            ("https://id.example.com/", Production, "ok"),
            ("https://id.example.com/auth/open", Production, "ok"),
            ("https://id.example.com:8443/acme", Production, "ok"),
            ("http://localhost:8080", Development, "ok"),
            ("http://localhost:8080", Production, "uri_not_https"),
            ("http://id.example.com", Development, "uri_not_https"),
            ("https://id.example.com/?a", Production, "uri_query"),
            ("https://id.example.com/#a", Production, "uri_fragment"),
            ("https://ID.example.com", Production, "uri_not_normal"),
            ("https://id.example.com:443", Production, "uri_not_normal"),
            ("com.example:/x", Development, "uri_not_https"),
        ] {
            assert_eq!(code(issuer(uri, mode)), expected, "{uri} {mode:?}");
        }
    }
}
