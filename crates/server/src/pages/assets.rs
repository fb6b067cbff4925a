//! Stylesheets, seal, icon and small scripts: the only files that pages load.

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::Accent;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const SEAL: &str = include_str!("../../assets/seal.svg");

/// Files whose names change with their content: the beginning of the name, its ending, the content and its type.
const FILES: &[(&str, &str, &str, &str)] = &[
    ("signet", ".css", include_str!("../../assets/signet.css"), CSS),
    ("demo", ".css", include_str!("../../assets/demo.css"), CSS),
    ("console", ".css", include_str!("../../assets/console.css"), CSS),
    // A page has one script; what several pages do stands in front of what is theirs.
    ("copy", ".js", include_str!("../../assets/copy.js"), JS),
    ("form", ".js", concat!(include_str!("../../assets/copy.js"), include_str!("../../assets/leave.js")), JS),
    (
        "keys",
        ".js",
        concat!(
            include_str!("../../assets/copy.js"),
            include_str!("../../assets/parts.js"),
            include_str!("../../assets/keys.js")
        ),
        JS,
    ),
    (
        "looks",
        ".js",
        concat!(include_str!("../../assets/leave.js"), include_str!("../../assets/looks.js")),
        JS,
    ),
    (
        "trial",
        ".js",
        concat!(
            include_str!("../../assets/copy.js"),
            include_str!("../../assets/parts.js"),
            include_str!("../../assets/jose.js"),
            include_str!("../../assets/trial.js")
        ),
        JS,
    ),
    ("check-session", ".js", include_str!("../../assets/check-session.js"), JS),
    ("frames", ".js", include_str!("../../assets/frames.js"), JS),
    ("passkey", ".js", include_str!("../../assets/passkey.js"), JS),
];

/// The colours in `seal.svg` that stand for the accent and for the text on it.
const SEAL_WAX: &str = "#8c1c2e";
const SEAL_RELIEF: &str = "#ffffff";

fn digest(content: &str) -> String {
    hex::encode(&Sha256::digest(content.as_bytes())[..8])
}

/// The names of [`FILES`], in their order.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    FILES.iter().map(|(stem, end, content, _)| format!("{stem}-{}{end}", digest(content))).collect()
});

/// The name under which the file that begins with `stem` is served; empty if there is none.
pub fn asset_name(stem: &str) -> &'static str {
    let at = FILES.iter().position(|file| file.0 == stem);
    at.and_then(|at| NAMES.get(at)).map_or("", String::as_str)
}

pub(super) fn passkey_name() -> &'static str {
    asset_name("passkey")
}

pub(super) fn check_session_name() -> &'static str {
    asset_name("check-session")
}

/// Address of the script that waits for frames at the end of a logout.
pub fn frames_script_path(prefix: &str) -> String {
    format!("{prefix}/assets/{}", asset_name("frames"))
}

pub(super) fn stylesheet_name() -> &'static str {
    asset_name("signet")
}

pub(super) fn demo_stylesheet_name() -> &'static str {
    asset_name("demo")
}

pub(super) fn console_stylesheet_name() -> &'static str {
    asset_name("console")
}

/// A file with what its answer says of it.
#[derive(Clone, Debug)]
pub struct Asset {
    content: Cow<'static, str>,
    content_type: &'static str,
    /// Whether the name changes with the content.
    immutable: bool,
}

/// The file called `name` under `/assets/`.
pub fn find(name: &str) -> Option<Asset> {
    if let Some(at) = NAMES.iter().position(|known| known == name) {
        let (_, _, content, content_type) = FILES[at];
        return Some(Asset { content: content.into(), content_type, immutable: true });
    }
    if name == "seal.svg" {
        return Some(Asset { content: SEAL.into(), content_type: SVG, immutable: false });
    }
    if let Some(accent) = coloured(name, "theme-", ".css") {
        return Some(Asset { content: accent.stylesheet().into(), content_type: CSS, immutable: false });
    }
    let accent = coloured(name, "seal-", ".svg")?;
    let seal = SEAL
        .replace(SEAL_RELIEF, &format!("#{}", accent.text().hex()))
        .replace(SEAL_WAX, &format!("#{}", accent.hex()));
    Some(Asset { content: seal.into(), content_type: SVG, immutable: false })
}

fn coloured(name: &str, before: &str, after: &str) -> Option<Accent> {
    Accent::from_hex(name.strip_prefix(before)?.strip_suffix(after)?)
}

impl Asset {
    /// The answer: 304 when the browser has this content already (RFC 9110 section 13.1.2).
    pub fn respond(&self, request: &HeaderMap) -> Response {
        let etag = format!("\"{}\"", digest(&self.content));
        let known = request
            .get(header::IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|list| list.split(',').any(|one| one.trim().trim_start_matches("W/") == etag));
        let lifetime =
            if self.immutable { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: HeaderValue| headers.insert(name, value);
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            set(header::ETAG, etag);
        }
        set(header::CACHE_CONTROL, HeaderValue::from_static(lifetime));
        set(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        set(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // An SVG that is opened by itself is a document, and may do nothing.
        set(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
        if known {
            headers.remove(header::CONTENT_TYPE);
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, self.content.clone().into_owned()).into_response()
    }
}

async fn serve(Path(name): Path<String>, request: HeaderMap) -> Response {
    match find(&name) {
        Some(asset) => asset.respond(&request),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn favicon(request: HeaderMap) -> Response {
    serve(Path("seal.svg".into()), request).await
}

/// `/assets/…` and `/favicon.ico`.
pub fn assets() -> Router<()> {
    Router::new().route("/assets/{name}", get(serve)).route("/favicon.ico", get(favicon))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(response: &Response, name: HeaderName) -> String {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn names_with_the_content_in_them_are_cached_for_ever_and_others_are_not() {
        for (name, immutable) in
            [(stylesheet_name(), true), (demo_stylesheet_name(), true), ("theme-00ff7f.css", false)]
        {
            let response = find(name).unwrap().respond(&HeaderMap::new());
            assert_eq!(
                header_of(&response, header::CACHE_CONTROL).contains("immutable"),
                immutable,
                "{name}"
            );
            assert_eq!(header_of(&response, header::CONTENT_TYPE), "text/css; charset=utf-8");
            assert_eq!(header_of(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        }
    }

    #[test]
    fn a_known_etag_is_answered_without_content() {
        let asset = find("seal-00ff7f.svg").unwrap();
        let etag = header_of(&asset.respond(&HeaderMap::new()), header::ETAG);
        for (value, status) in [
            (etag.clone(), StatusCode::NOT_MODIFIED),
            (format!("\"x\", W/{etag}"), StatusCode::NOT_MODIFIED),
            ("\"x\"".to_owned(), StatusCode::OK),
        ] {
            let mut request = HeaderMap::new();
            request.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            assert_eq!(asset.respond(&request).status(), status, "{value}");
        }
    }

    #[test]
    fn the_seal_takes_the_accent_and_its_text_colour() {
        let seal = find("seal-ffee00.svg").unwrap().content;
        assert!(seal.contains("#ffee00") && seal.contains("#000000"));
        assert!(!seal.contains(SEAL_WAX) && !seal.contains(SEAL_RELIEF));
        assert!(SEAL.contains(SEAL_WAX) && SEAL.contains(SEAL_RELIEF));
    }

    #[test]
    fn other_names_are_nothing() {
        for name in [
            "",
            "signet.css",
            "signet-0000000000000000.css",
            "theme-FFFFFF.css",
            "theme-fff.css",
            "seal-.svg",
        ] {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
