//! One-time passwords by time (RFC 6238), as authenticator applications make them: SHA-1, six digits, thirty seconds.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::{Deserialize, Serialize};
use signet_core::change::Change;
use signet_core::context::{Context, Entropy, UnixTime};
use signet_core::fault::Fault;
use signet_core::interaction::{can_be_tried, use_one_time};
use signet_core::params::Params;
use signet_core::records::{Credential, CredentialKind, User};
use totp_rs::{Builder, Totp};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::vault::Vault;

/// RFC 4226 section 4: "This document RECOMMENDs a shared secret length of 160 bits."
const SECRET: usize = 20;
/// Seconds of one step.
const STEP: u64 = 30;

/// The secret that an application and this server share.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared(Zeroizing<Vec<u8>>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    /// A fresh one.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new(vec![0; SECRET]);
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// The one that the form offers once more after a wrong code, because an application has it by now; a fresh one without a
    /// form, or when the form's time is over. `purpose` is what [`enrolment`] names.
    pub fn offered(
        vault: &Vault,
        purpose: &str,
        form: Option<&Params>,
        now: UnixTime,
        entropy: &dyn Entropy,
    ) -> Self {
        let sealed = form.and_then(|form| form.get("enrolment"));
        let kept = sealed.and_then(|sealed| super::open(vault, purpose, sealed, now));
        kept.unwrap_or_else(|| Self::fresh(entropy))
    }

    /// As people type it (RFC 4648 section 6), in groups of four.
    pub fn text(&self) -> Zeroizing<String> {
        let plain = self.base32();
        let groups: Vec<&str> =
            plain.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
        Zeroizing::new(groups.join(" "))
    }

    fn base32(&self) -> Zeroizing<String> {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (mut text, mut held, mut bits) = (Zeroizing::new(String::new()), 0_u32, 0);
        for byte in self.0.iter() {
            held = (held << 8) | u32::from(*byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                text.push(char::from(ALPHABET[((held >> bits) & 31) as usize]));
            }
        }
        text
    }

    /// The address that applications read off a QR code.
    pub fn address(&self, provider: &str, username: &str) -> Zeroizing<String> {
        // The colon divides the two.
        let name = |text: &str| utf8_percent_encode(&text.replace(':', " "), NON_ALPHANUMERIC).to_string();
        let (provider, username, secret) = (name(provider), name(username), self.base32());
        Zeroizing::new(format!(
            "otpauth://totp/{provider}:{username}?secret={}&issuer={provider}&algorithm=SHA1&digits=6&period=30",
            *secret
        ))
    }

    /// The time step whose one-time password `code` is, one step to either side included (RFC 6238 section 5.2: "We RECOMMEND
    /// that at most one time step is allowed as the network delay").
    pub fn step_of(&self, code: &str, now: UnixTime) -> Option<i64> {
        let digits = digits(code)?;
        let step = self.totp()?.check(&digits, u64::try_from(now).ok()?)?;
        i64::try_from(step).ok()
    }

    fn totp(&self) -> Option<Totp> {
        let secret: [u8; SECRET] = self.0.as_slice().try_into().ok()?;
        Builder::new().with_secret(secret).with_skew(1).with_step_duration(STEP).build().ok()
    }

    /// The one-time password at `now`; what an application would show.
    pub fn code(&self, now: UnixTime) -> Option<String> {
        Some(self.totp()?.generate(u64::try_from(now).ok()?).to_string())
    }
}

/// The six digits of a one-time password, however people group them.
fn digits(code: &str) -> Option<Zeroizing<String>> {
    let digits: Zeroizing<String> = Zeroizing::new(code.chars().filter(|c| !c.is_whitespace()).collect());
    (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Whether this has the form of a one-time password; recovery codes have another one.
pub fn is_code(text: &str) -> bool {
    digits(text).is_some()
}

/// An address as a picture for the page: plain black on white, in any scheme of colours.
pub fn picture(address: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(address, EcLevel::M).ok()?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    // Within HTML there is no XML declaration.
    drawn.find("<svg").map(|start| drawn[start..].to_owned())
}

/// What the stored secret is bound to.
fn context(credential: &Credential) -> String {
    format!("totp/{}/{}/{}", credential.tenant, credential.user_id, credential.id)
}

/// The record of an application that has just shown the one-time password of `step`.
pub fn enrolled(
    vault: &Vault,
    user: &User,
    shared: &Shared,
    step: i64,
    context_: &Context<'_>,
) -> Result<Credential, Fault> {
    let mut credential = Credential {
        tenant: user.tenant.clone(),
        user_id: user.id,
        id: context_.uuid(),
        kind: CredentialKind::Totp,
        name: "Authenticator application".into(),
        secret: Vec::new(),
        counter: step,
        failures: 0,
        created_at: context_.now,
        last_used_at: None,
    };
    let sealed = vault.seal(&context(&credential), &shared.0, context_.entropy);
    credential.secret =
        sealed.map_err(|_| Fault::Internal { detail: "a second factor could not be sealed" })?;
    Ok(credential)
}

/// The use of `code`, if it is one of the application's. Once too many were wrong, none is judged.
pub fn used(vault: &Vault, credentials: &[Credential], code: &str, now: UnixTime) -> Result<Change, Fault> {
    let applications = credentials.iter().filter(|one| one.kind == CredentialKind::Totp);
    for credential in applications {
        can_be_tried(credential)?;
        let sealed = vault.open(&context(credential), &credential.secret);
        let plain =
            sealed.map_err(|_| Fault::Internal { detail: "a stored second factor cannot be read" })?;
        if let Some(step) = Shared(plain).step_of(code, now) {
            return use_one_time(credential, step, now);
        }
    }
    Err(Fault::SecondFactorWrong)
}

/// What an enrolment on a page is bound to.
pub fn enrolment(user: Uuid, page: &str) -> String {
    format!("totp_enrolment/{user}/{page}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemEntropy;

    fn shared() -> Shared {
        Shared(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    #[test]
    fn the_vectors_of_rfc6238_appendix_b() {
        // The last six of the eight digits there.
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(shared().step_of(code, time), Some(time / 30), "{time}");
            assert_eq!(shared().code(time).as_deref(), Some(code));
        }
    }

    #[test]
    fn one_step_to_either_side_counts_and_no_more() {
        let now = 1_111_111_111;
        for (offset, accepted) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let code = shared().code(now + offset).unwrap();
            assert_eq!(shared().step_of(&code, now).is_some(), accepted, "{offset}");
        }
        for wrong in ["", "05047", "0504711", "05047a", "٠٥٠٤٧١", "-50471", " 050 471 x"] {
            assert_eq!(shared().step_of(wrong, now), None, "{wrong}");
        }
        assert!(shared().step_of("050 471", now).is_some());
    }

    #[test]
    fn the_secret_is_written_as_rfc4648_6_does_and_drawn() {
        assert_eq!(shared().base32().as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(shared().text().as_str(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let address = shared().address("Bank: <b>", "alice@example.org");
        assert!(address.starts_with("otpauth://totp/Bank%20%20%3Cb%3E:alice%40example%2Eorg?secret=GEZD"));
        let drawn = picture(&address).unwrap();
        assert!(drawn.starts_with("<svg") && drawn.ends_with("</svg>"), "{drawn}");
        assert_eq!(format!("{:?}", shared()), "Shared { .. }");
        assert_ne!(Shared::fresh(&SystemEntropy), Shared::fresh(&SystemEntropy));
    }
}
