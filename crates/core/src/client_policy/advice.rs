//! Settings that work but should be looked at. Nothing here is refused.

use signet_jose::{KeyAlg, KeyUse};

use super::check_protection::{encrypted, needed};
use super::fits_enc;
use super::key_set::{KeySet, Keys, Unreadable};
use crate::coded::coded;
use crate::context::UnixTime;
use crate::pointer::{of_member, of_setting};
use crate::records::{ClientKey, ClientSettings, RequestObjectParameters, UserInfoResponseType};

/// Days before a key's end at which to say so, nearest first.
const NOTICE_DAYS: [i64; 3] = [1, 7, 30];

coded! {
    /// Something that works but should be looked at.
    Advice {
        RsaOaepSha1 { setting: &'static str } = "rsa_oaep_sha1", "{setting}.alg is RSA-OAEP, which uses SHA-1. The client's key can do RSA-OAEP-256; use it if the client's software can.", at [of_setting(setting)];
        UserInfoUnsigned = "userinfo_unsigned", "userinfo.response_type is encrypted without a signature: anybody who knows the client's public key can make such a message. Use signed_and_encrypted.", at [of_setting("userinfo.response_type")];
        KeyEnds { kid: String, at: UnixTime, days: i64 } = "key_ends", "The key \"{kid}\" ends within {days} day(s), at {at} (Unix time). Register its successor now.", at [of_member("keys")];
        KeySetFailing { since: UnixTime, reason: String, then: &'static str } = "key_set_failing", "jwks_uri has not been readable since {since} (Unix time): {reason}. {then}", at [of_setting("jwks_uri")];
        JtiOptional = "jti_optional", "require_request_object is on but require_jti is off: an object without a jti can be sent again until it expires. Switch require_jti on if the client sends one.", at [of_setting("require_jti"), of_setting("require_request_object")];
        EncryptionAvoidable = "encryption_avoidable", "require_encrypted_request_object is on but require_request_object is off: requests without any object are still accepted, and are not encrypted.", at [of_setting("require_encrypted_request_object"), of_setting("require_request_object")];
        ParametersOutside = "parameters_outside", "require_request_object is on, but request_object_parameters is object_overrides: parameters that the object leaves out are taken from the unsigned query. Use object_only (RFC 9101).", at [of_setting("request_object_parameters"), of_setting("require_request_object")];
        PkceOff = "pkce_off", "require_pkce is off. RFC 9700 recommends PKCE for every client; switch it on if the client's software can.", at [of_setting("require_pkce")];
        Localhost { uri: String } = "redirect_uri_localhost", "redirect_uris has \"{uri}\": the name localhost may lead elsewhere. Use 127.0.0.1 or [::1] (RFC 8252 section 8.3).", at [of_setting("redirect_uris")];
    }
}

/// What to tell the administrator about these settings at `now`.
pub fn advice<'a>(settings: &ClientSettings, keys: impl Into<Keys<'a>>, now: UnixTime) -> Vec<Advice> {
    let known: Keys<'_> = keys.into();
    let keys = known.all();
    let mut found = Vec::new();
    found.extend(known.set.and_then(|set| failing(settings, set)));
    let alive = |key: &&ClientKey| key.revoked_at.is_none_or(|at| now < at);
    // A.13-f.
    let could_256 = keys
        .iter()
        .filter(alive)
        .any(|key| key.usage == KeyUse::Enc && key.usable_at(now) && fits_enc(key, KeyAlg::RsaOaep256));
    let sha1 = encrypted(settings).into_iter().filter(|(_, own)| own.alg == KeyAlg::RsaOaep && could_256);
    found.extend(sha1.map(|(setting, _)| Advice::RsaOaepSha1 { setting }));
    // A.13-g.
    if settings.userinfo.response_type == UserInfoResponseType::Encrypted {
        found.push(Advice::UserInfoUnsigned);
    }
    found.extend(keys.iter().filter(alive).filter_map(|key| ends(key, now)));
    if settings.require_request_object {
        //
        if !settings.require_jti {
            found.push(Advice::JtiOptional);
        }
        if settings.request_object_parameters == RequestObjectParameters::ObjectOverrides {
            found.push(Advice::ParametersOutside);
        }
    } else if settings.require_encrypted_request_object {
        found.push(Advice::EncryptionAvoidable);
    }
    if !settings.require_pkce {
        found.push(Advice::PkceOff);
    }
    let by_name = |uri: &&String| {
        url::Url::parse(uri).is_ok_and(|url| url.scheme() == "http" && url.host_str() == Some("localhost"))
    };
    found.extend(
        settings.redirect_uris.iter().filter(by_name).map(|uri| Advice::Localhost { uri: uri.clone() }),
    );
    found
}

/// A set that cannot be read any more: with what was read before, logins go on for a while, and where no key is needed
/// nothing fails. Anything else is a contradiction.
fn failing(settings: &ClientSettings, set: &KeySet) -> Option<Advice> {
    let Unreadable { since, reason, .. } = set.failing.as_ref().filter(|_| settings.jwks_uri.is_some())?;
    let then = match set.read_at {
        Some(_) => "What was read before is used for a day at most. Serve the key set there again.",
        None if needed(settings).is_empty() => "No setting needs a key of it now.",
        None => return None,
    };
    Some(Advice::KeySetFailing { since: *since, reason: reason.clone(), then })
}

/// the shortest notice that a key's end is within; silent for a key that has ended.
fn ends(key: &ClientKey, now: UnixTime) -> Option<Advice> {
    let at = key.not_after.filter(|at| now < *at)?;
    let days = NOTICE_DAYS.into_iter().find(|days| at.saturating_sub(now) <= days * 86_400)?;
    Some(Advice::KeyEnds { kid: key.kid.clone(), at, days })
}
