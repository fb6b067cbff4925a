//! Seeded mutation of tokens, JSON and octets. The fuzzing driver shares this file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// Deterministic noise (xorshift64*), so that a failure can be repeated.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % limit.max(1)
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_be_bytes()[0]).collect()
    }
}

/// The octets of a segment; of one that is not base64url, the text.
fn raw(segment: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(segment).unwrap_or_else(|_| segment.as_bytes().to_vec())
}

/// Values of every type and of awkward sizes, for typed mutation.
fn awkward(noise: &mut Noise) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("none"),
        json!("RS256"),
        json!("HS256"),
        json!("dir"),
        json!("RSA1_5"),
        json!("ECDH-ES"),
        json!("A128GCM"),
        json!("A256CBC-HS512"),
        json!("\u{0}"),
        json!("DEF"),
        json!([]),
        json!(["exp"]),
        json!({}),
        json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
        json!({ "d": "AA" }),
        json!("AAAA"),
        json!("é".repeat(300)),
    ];
    values[noise.below(values.len())].clone()
}

pub(crate) fn typed(map: &mut Map<String, Value>, noise: &mut Noise) {
    let names = [
        "alg", "enc", "kid", "typ", "cty", "crit", "zip", "epk", "apu", "apv", "b64", "p2c", "p2s", "jwk",
        "jku", "x5u", "x5c", "kty", "crv", "x", "y", "n", "e", "d", "use", "key_ops", "exp", "nbf", "iv",
        "tag",
    ];
    let present: Vec<String> = map.keys().cloned().collect();
    match noise.below(4) {
        0 if !present.is_empty() => drop(map.remove(&present[noise.below(present.len())])),
        1 if !present.is_empty() => {
            let name = &present[noise.below(present.len())];
            match map.get_mut(name) {
                Some(Value::Object(inner)) => typed(inner, noise),
                Some(slot) => *slot = awkward(noise),
                None => {}
            }
        }
        _ => drop(map.insert(names[noise.below(names.len())].into(), awkward(noise))),
    }
}

pub(crate) fn octets(bytes: &mut Vec<u8>, noise: &mut Noise) {
    let place = noise.below(bytes.len());
    match noise.below(5) {
        0 if !bytes.is_empty() => bytes[place] ^= 1 << noise.below(8),
        1 => bytes.truncate(place),
        2 => bytes.insert(place, noise.next().to_be_bytes()[0]),
        3 if !bytes.is_empty() => drop(bytes.remove(place)),
        _ => {
            let length = noise.below(40);
            *bytes = noise.bytes(length);
        }
    }
}

/// One change of a compact token.
pub(crate) fn mutate(token: &str, noise: &mut Noise) -> String {
    let mut segments: Vec<String> = token.split('.').map(str::to_owned).collect();
    let at = noise.below(segments.len());
    match noise.below(9) {
        0 => {
            let mut text = token.as_bytes().to_vec();
            let place = noise.below(text.len());
            if let Some(octet) = text.get_mut(place) {
                *octet = (*octet ^ (1 << noise.below(7))) & 0x7f;
            }
            return String::from_utf8_lossy(&text).into_owned();
        }
        1 => return String::from_utf8_lossy(&token.as_bytes()[..noise.below(token.len())]).into_owned(),
        2 => {
            let other = noise.below(segments.len());
            segments.swap(at, other);
        }
        3 => drop(segments.remove(at)),
        4 => segments.insert(at, segments[at].clone()),
        5 => {
            let length = noise.below(80);
            segments[at] = URL_SAFE_NO_PAD.encode(noise.bytes(length));
        }
        6 | 7 => {
            if let Ok(mut map) = serde_json::from_slice::<Map<String, Value>>(&raw(&segments[0])) {
                typed(&mut map, noise);
                segments[0] = URL_SAFE_NO_PAD.encode(Value::from(map).to_string());
            }
        }
        _ => {
            let mut segment = raw(&segments[at]);
            octets(&mut segment, noise);
            segments[at] = URL_SAFE_NO_PAD.encode(segment);
        }
    }
    segments.join(".")
}
