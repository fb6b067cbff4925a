//! What people paste: a request object, a whole authorization URL, its query, or a form body.

use crate::fault::Fault;
use crate::params::{MAX_REQUEST_OBJECT, Params};

/// Longest text that is read, in bytes: an object of the greatest length, percent-encoded, with its neighbours.
pub const MAX_PASTE: usize = 3 * MAX_REQUEST_OBJECT + 16 * 1024;

/// A pasted request.
#[derive(Clone, Debug)]
pub struct Pasted {
    /// The parameters beside the object; the object itself is among them as `request`.
    pub params: Params,
    /// The object, as it was sent.
    pub token: Option<String>,
    /// Whether the object alone was pasted, so that nothing is known of what stood beside it.
    pub alone: bool,
}

impl Pasted {
    /// The same object as this client would send it; a request says itself whose it is.
    #[must_use]
    pub fn of_client(mut self, client_id: Option<&str>) -> Self {
        if let Some(id) = client_id.filter(|id| !id.is_empty() && self.alone) {
            let form =
                url::form_urlencoded::Serializer::new(String::new()).append_pair("client_id", id).finish();
            self.params = Params::decode(&[form.as_bytes()]).unwrap_or(self.params);
        }
        self
    }

    /// Reads what was pasted. What does not look like a query is the object itself, broken or not. Refused is what holds
    /// nothing to explain, and a query that cannot be read as one.
    pub fn read(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX_PASTE {
            return Err(Fault::PasteTooLong);
        }
        let text = text.trim().trim_start_matches('\u{feff}');
        if text.is_empty() {
            return Err(Fault::PasteEmpty);
        }
        let Some(query) = query(text) else {
            return Ok(Self { params: Params::default(), token: Some(text.to_owned()), alone: true });
        };
        let params = Params::decode(&[query.as_bytes()])?;
        let token = params.owned("request");
        if token.is_none() && params.get("request_uri").is_some() {
            return Err(Fault::PasteByReference);
        }
        if token.is_none() && params.get("client_id").is_none() {
            return Err(Fault::PasteNoRequest);
        }
        Ok(Self { params, token, alone: false })
    }
}

/// The part that holds form-encoded parameters, if `text` has one: what follows the question mark of an address, or a text
/// that begins with a parameter.
fn query(text: &str) -> Option<&str> {
    let is_address = text.get(..8).is_some_and(|start| {
        let start = start.to_ascii_lowercase();
        start.starts_with("http://") || start.starts_with("https://") || start.starts_with("get ")
    });
    let text = if is_address || text.starts_with('?') || text.starts_with('/') {
        let (_, rest) = text.split_once('?')?;
        rest.split([' ', '#']).next()?
    } else {
        text
    };
    // A token has no "=" before its first dot, save as padding at the end of its header.
    let (name, value) = text.split_once('=')?;
    let named = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.%+".contains(&b));
    let token = name.starts_with("eyJ") || value.is_empty() || value.starts_with(['.', '=']);
    (named && !token).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_in_whatever_is_pasted() {
        for text in [
            "https://op.example/authorize?client_id=c&request=a.b.c",
            "https://op.example/authorize?client_id=c&request=a.b.c#fragment",
            "GET /authorize?client_id=c&request=a.b.c HTTP/1.1",
            "/authorize?client_id=c&request=a.b.c",
            "?client_id=c&request=a.b.c",
            "  client_id=c&request=a.b.c\n",
            "request=a.b.c&client_id=c",
        ] {
            let pasted = Pasted::read(text).unwrap();
            assert_eq!(pasted.token.as_deref(), Some("a.b.c"), "{text}");
            assert_eq!(pasted.params.get("client_id"), Some("c"), "{text}");
            assert!(!pasted.alone);
        }
    }

    #[test]
    fn everything_else_is_the_object_itself() {
        for text in ["a.b.c", "eyJhbGciOiJ9==.e30.x", "eyJh.e30=.x==", "{\"a\":\"=\"}", "-----BEGIN X-----"] {
            let pasted = Pasted::read(&format!("\n{text} ")).unwrap();
            assert_eq!((pasted.token.as_deref(), pasted.alone), (Some(text), true));
        }
    }

    #[test]
    fn what_holds_no_request_says_so() {
        for (text, code) in [
            (" \n", "paste_empty"),
            ("state=5", "paste_no_request"),
            ("client_id=c&request_uri=urn:x", "paste_by_reference"),
            ("client_id=%ff&request=a", "parameter_encoding"),
            ("client_id=a&client_id=b", "parameter_repeated"),
        ] {
            assert_eq!(Pasted::read(text).unwrap_err().code(), code, "{text}");
        }
        assert_eq!(Pasted::read(&"x".repeat(MAX_PASTE + 1)).unwrap_err().code(), "paste_too_long");
    }
}
