//! Strict base64url: no padding, no white space, no stray bits.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// RFC 7515 section 2: base64url with all trailing `=` omitted and no further characters. RFC 4648 section
/// 3.5: pad bits must be zero, else one value has several spellings.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// RFC 7517 section 4.7: `x5c` alone uses base64 with padding.
pub(crate) fn decode_standard(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
