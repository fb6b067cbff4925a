//! Mistakes in what the object says of itself: times, audience, issuer.

use super::super::sighting::Sighting;
use super::super::snippets::{AUDIENCE, FRESH, ISSUER, TIMES};
use super::{Kind, Mistake};
use crate::discovery::Endpoint;
use crate::duration::roughly;

const TIME_CLAIMS: [&str; 3] = ["exp", "iat", "nbf"];
const AUD: &[&str] = &["aud_mismatch"];
const ISS: &[&str] = &["iss_mismatch", "object_client_id_mismatch", "client_unknown"];
/// The year 5138: no clock shows that, but milliseconds do.
const TOO_LATE_FOR_SECONDS: i64 = 100_000_000_000;

pub(super) const ROWS: &[Mistake] = &[
    Mistake {
        id: "milliseconds",
        kind: Kind::Cause,
        codes: &["iat_in_future", "nbf_in_future", "lifetime_too_long", "time_invalid"],
        title: "Times in milliseconds",
        happened: "A time of the object is in milliseconds since 1970. JWTs count seconds (RFC 7519 section 2, NumericDate).",
        remedy: "Divide by 1000 and drop the fraction.",
        code: TIMES,
        sign: |seen| {
            let time = |name: &&str| seen.number(name).filter(|at| *at > TOO_LATE_FOR_SECONDS);
            TIME_CLAIMS.iter().find_map(|name| Some(format!("{name} is {}", time(name)?)))
        },
    },
    Mistake {
        id: "time_as_text",
        kind: Kind::Cause,
        codes: &["time_invalid"],
        title: "A time that is text",
        happened: "A time of the object is a JSON string. It must be a number, without quotation marks (RFC 7519 section 2, NumericDate).",
        remedy: "Write the seconds since 1970 as a number.",
        code: TIMES,
        sign: |seen| {
            let text = |name: &&&str| seen.claims.get(**name).is_some_and(serde_json::Value::is_string);
            TIME_CLAIMS.iter().find(text).map(|name| format!("{name} is a string"))
        },
    },
    Mistake {
        id: "time_zone",
        kind: Kind::Cause,
        codes: &["iat_in_future", "nbf_in_future", "token_expired", "token_too_old"],
        title: "Local time instead of UTC",
        happened: "The object's time is off by whole hours: local time was taken for UTC.",
        remedy: "Take the time in UTC: DateTime.UtcNow instead of DateTime.Now, datetime.now(timezone.utc) instead of datetime.now().",
        code: TIMES,
        sign: |seen| {
            let iat = seen.number("iat").or_else(|| seen.number("nbf"))?;
            let off = iat - seen.scene.now;
            let hours = (off + if off < 0 { -900 } else { 900 }) / 1_800;
            let whole =
                hours != 0 && hours.abs() <= 28 && (off - hours * 1_800).abs() <= 90 && hours % 2 == 0;
            whole.then(|| format!("iat is {} hours {} this server's clock", hours.abs() / 2, side(off)))
        },
    },
    Mistake {
        id: "clock_skew",
        kind: Kind::Cause,
        codes: &["iat_in_future", "nbf_in_future"],
        title: "The client's clock is fast",
        happened: "The object comes from the future: the clock of the client's machine is ahead by more than this server tolerates.",
        remedy: "Let the machine set its clock by NTP. Setting iat and nbf a few seconds back helps against small differences.",
        code: TIMES,
        sign: |seen| {
            let ahead = TIME_CLAIMS[1..].iter().filter_map(|name| seen.number(name)).max()? - seen.scene.now;
            let whole_hours = (ahead + 90) % 3_600 <= 180 && ahead >= 3_500;
            let near = ahead > 0 && ahead < TOO_LATE_FOR_SECONDS / 2 && !whole_hours;
            near.then(|| {
                format!(
                    "{} ahead; {} seconds are tolerated",
                    roughly(ahead),
                    seen.scene.tenant.settings.clock_skew
                )
            })
        },
    },
    Mistake {
        id: "reused_object",
        kind: Kind::Cause,
        codes: &["token_expired", "token_too_old"],
        title: "An object that was made long ago",
        happened: "The object was made long before it was sent: it was kept, put into a bookmark or a link, or sent again from the browser's history.",
        remedy: "Make a new object for each login, when the person asks for it.",
        code: FRESH,
        sign: |seen| {
            let age = seen.scene.now - seen.number("iat")?;
            let off = (age + 90) % 3_600 <= 180 && age < 15 * 3_600;
            (age > 600 && !off).then(|| format!("made {} ago", roughly(age)))
        },
    },
    Mistake {
        id: "no_lifetime",
        kind: Kind::Cause,
        codes: &["token_expired"],
        title: "The object expires when it is made",
        happened: "\"exp\" is not later than \"iat\", so the object never is valid.",
        remedy: "Set \"exp\" some minutes after \"iat\".",
        code: TIMES,
        sign: |seen| {
            let (iat, exp) = (seen.number("iat")?, seen.number("exp")?);
            (exp <= iat).then(|| format!("iat is {iat}, exp is {exp}"))
        },
    },
    Mistake {
        id: "aud_is_endpoint",
        kind: Kind::Cause,
        codes: AUD,
        title: "The audience is an endpoint instead of the issuer",
        happened: "\"aud\" is the address of an endpoint of this server. The audience of a request object is the issuer (RFC 9101 section 4). Client assertions often name the token endpoint, and the code was shared.",
        remedy: "Set \"aud\" to the issuer from the discovery document.",
        code: AUDIENCE,
        sign: |seen| {
            let issuer = &seen.scene.tenant.issuer;
            let endpoints =
                [Endpoint::Token, Endpoint::Authorize, Endpoint::PushedAuthorization, Endpoint::UserInfo];
            let known = |aud: &&&str| {
                endpoints.iter().any(|endpoint| endpoint.url(issuer) == **aud)
                    || (aud.starts_with(issuer.as_str()) && aud.contains("/.well-known/"))
            };
            seen.audiences().iter().find(known).map(|aud| format!("aud is \"{aud}\""))
        },
    },
    Mistake {
        id: "aud_slash",
        kind: Kind::Cause,
        codes: AUD,
        title: "The audience differs from the issuer by a slash at the end",
        happened: "Issuers are compared character by character, so a slash at the end makes another issuer. Many URL classes add one by themselves.",
        remedy: "Set \"aud\" to the issuer exactly as the discovery document has it, as text and not as a URL object.",
        code: AUDIENCE,
        sign: |seen| {
            let bare = |text: &str| text.trim_end_matches('/').to_owned();
            let issuer = &seen.scene.tenant.issuer;
            let near = |aud: &&&str| bare(aud) == bare(issuer) && **aud != issuer.as_str();
            seen.audiences()
                .iter()
                .find(near)
                .map(|aud| format!("aud is \"{aud}\", the issuer is \"{issuer}\""))
        },
    },
    Mistake {
        id: "aud_spelling",
        kind: Kind::Cause,
        codes: AUD,
        title: "The audience is the issuer in another spelling",
        happened: "\"aud\" means this issuer, but is written in another way: another scheme, capital letters, or a default port.",
        remedy: "Set \"aud\" to the issuer exactly as the discovery document has it.",
        code: AUDIENCE,
        sign: |seen| {
            let place = |text: &str| {
                let url = url::Url::parse(text).ok()?;
                Some((
                    url.host_str()?.to_ascii_lowercase(),
                    url.path().trim_end_matches('/').to_ascii_lowercase(),
                ))
            };
            let issuer = &seen.scene.tenant.issuer;
            let bare = issuer.trim_end_matches('/');
            let near = |aud: &&&str| aud.trim_end_matches('/') != bare && place(aud) == place(issuer);
            seen.audiences()
                .iter()
                .find(near)
                .map(|aud| format!("aud is \"{aud}\", the issuer is \"{issuer}\""))
        },
    },
    Mistake {
        id: "aud_is_client",
        kind: Kind::Cause,
        codes: AUD,
        title: "The audience is the client itself",
        happened: "\"aud\" is the client_id. In an ID token that is right; a request object goes the other way, from the client to this server.",
        remedy: "Set \"iss\" to the client_id and \"aud\" to the issuer.",
        code: AUDIENCE,
        sign: |seen| {
            let own = seen.client_id()?;
            seen.audiences().contains(&own).then(|| format!("aud is \"{own}\""))
        },
    },
    Mistake {
        id: "aud_of_another_server",
        kind: Kind::Cause,
        codes: AUD,
        title: "The object is meant for another server",
        happened: "\"aud\" names somebody else: perhaps another environment or tenant is configured.",
        remedy: "Set \"aud\" to the issuer from this server's discovery document.",
        code: AUDIENCE,
        sign: other_server,
    },
    Mistake {
        id: "iss_is_server",
        kind: Kind::Cause,
        codes: ISS,
        title: "The issuer of the object is this server",
        happened: "\"iss\" is this server's issuer. The object is issued by the client; \"iss\" and \"aud\" are perhaps the wrong way round.",
        remedy: "Set \"iss\" to the client_id and \"aud\" to this server's issuer.",
        code: ISSUER,
        sign: |seen| {
            let issuer = seen.scene.tenant.issuer.trim_end_matches('/');
            let iss = seen.claim("iss").filter(|iss| iss.trim_end_matches('/') == issuer)?;
            Some(format!("iss is \"{iss}\""))
        },
    },
    Mistake {
        id: "iss_is_not_client",
        kind: Kind::Cause,
        codes: ISS,
        title: "The issuer of the object is not the client_id",
        happened: "\"iss\" is something else than the client_id: an address of the application, or its name. Only the client_id tells whose keys verify the object (RFC 9101 section 4).",
        remedy: "Set both \"iss\" and \"client_id\" to the client_id.",
        code: ISSUER,
        sign: |seen| {
            let (iss, own) = (seen.claim("iss")?, seen.client_id()?);
            let server = iss.trim_end_matches('/') == seen.scene.tenant.issuer.trim_end_matches('/');
            (iss != own && !server).then(|| format!("iss is \"{iss}\", the client_id is \"{own}\""))
        },
    },
    Mistake {
        id: "client_id_differs",
        kind: Kind::Cause,
        codes: &["object_client_id_mismatch"],
        title: "Another client_id beside the object than inside",
        happened: "The parameter client_id and the claim \"client_id\" name two clients. RFC 9101 section 5 wants them to be identical.",
        remedy: "Send the same client_id in both places.",
        code: ISSUER,
        sign: |seen| {
            let (beside, inside) = (seen.scene.params.get("client_id")?, seen.claim("client_id")?);
            (beside != inside).then(|| format!("beside it \"{beside}\", inside \"{inside}\""))
        },
    },
    Mistake {
        id: "client_assertion",
        kind: Kind::Cause,
        codes: &["object_sub_is_client"],
        title: "A client assertion instead of a request object",
        happened: "\"sub\" is the client_id, as in an assertion that authenticates the client (RFC 7523). To keep the two apart, a request object must not have it.",
        remedy: "Leave \"sub\" out of request objects.",
        code: ISSUER,
        sign: |seen| Some(format!("sub is \"{}\"", seen.claim("sub")?)),
    },
];

fn side(off: i64) -> &'static str {
    if off > 0 { "ahead of" } else { "behind" }
}

fn other_server(seen: &Sighting<'_>) -> Option<String> {
    let auds = seen.audiences();
    let issuer = &seen.scene.tenant.issuer;
    let host = |text: &str| Some((url::Url::parse(text).ok()?.host_str()?.to_owned(), ()));
    let ours =
        auds.iter().any(|aud| aud.starts_with(issuer.trim_end_matches('/')) || host(aud) == host(issuer));
    let own = seen.client_id().is_some_and(|own| auds.contains(&own));
    (!ours && !own && !auds.is_empty()).then(|| format!("aud is \"{}\"", auds.join(" ")))
}
