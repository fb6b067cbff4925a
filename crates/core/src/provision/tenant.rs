//! Tenants: issuer, policies and looks.

use super::declaration::TenantDeclaration;
use super::fault::Refusal;
use super::{Provisioned, difference};
use crate::audit::Kind;
use crate::audit::{self, chain};
use crate::builtin::Builtin;
use crate::change::Change;
use crate::claims::{self, Catalogue, SCOPES};
use crate::client_policy::{self, Mode};
use crate::context::Context;
use crate::discovery::is_own_segment;
use crate::ids::TenantId;
use crate::records::{Branding, Client, CustomScope, Tenant, TenantSettings};

/// What is there already.
#[derive(Clone, Copy, Debug)]
pub struct TenantFacts<'a> {
    /// Which tenant the declaration is applied to.
    pub id: &'a TenantId,
    /// That tenant, if it exists.
    pub current: Option<&'a Tenant>,
    /// Every tenant of the installation, this one among them or not.
    pub all: &'a [Tenant],
    /// Its clients; those that the new policies would leave without a signing key are named.
    pub clients: &'a [Client],
    /// How strict the installation is.
    pub mode: Mode,
}

/// Makes a tenant as `declared`. All that is wrong is said at once. The keys of a new tenant are for
/// [`crate::tenant_keys::plan`].
pub fn tenant(
    declared: &TenantDeclaration,
    facts: &TenantFacts<'_>,
    correlation_id: &str,
    context: &Context<'_>,
) -> Result<Provisioned, Vec<Refusal>> {
    let mut refusals = Vec::new();
    refusals.extend(tenant_id(facts.id).err());
    if let Some(found) = declared.id.as_ref().filter(|id| *id != facts.id) {
        let (found, wanted) = (found.to_string(), facts.id.to_string());
        refusals.push(Refusal::TenantIdMismatch { found, wanted });
    }
    let issuer = declared.issuer.clone().or_else(|| facts.current.map(|tenant| tenant.issuer.clone()));
    match &issuer {
        None => refusals.push(Refusal::IssuerMissing),
        Some(uri) => {
            if let Err(problem) = client_policy::issuer(uri, facts.mode) {
                refusals.push(Refusal::Issuer { uri: uri.chars().take(200).collect(), problem });
            }
            let others = facts.all.iter().filter(|other| other.id != *facts.id);
            refusals.extend(others.filter(|other| collides(uri, &other.issuer)).map(|other| {
                Refusal::IssuerTaken { uri: uri.chars().take(200).collect(), other: other.id.to_string() }
            }));
        }
    }
    if declared.settings.development && facts.mode == Mode::Production {
        refusals.push(Refusal::Development);
    }
    check(&declared.settings, &mut refusals);
    refusals.extend(facts.clients.iter().flat_map(|client| loses(client, &declared.settings)));
    match issuer {
        Some(issuer) if refusals.is_empty() => {
            let mut settings = declared.settings.clone();
            // Where records came from does not change by declaring something else.
            settings.development = facts.current.map_or(settings.development, |now| now.settings.development);
            // Whoever looks after the installation goes on doing so; a declaration that does not say it takes nothing away.
            settings.operator |= facts.current.is_some_and(|now| now.settings.operator);
            Ok(assemble(issuer, &settings, facts, correlation_id, context))
        }
        _ => Err(refusals),
    }
}

/// Whether two issuers would share addresses: they differ by a slash at most, or one lies where the other has its own
/// addresses.
fn collides(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_end_matches('/'), other.trim_end_matches('/'));
    let inside = |upper: &str, lower: &str| {
        let below = lower.strip_prefix(upper).and_then(|rest| rest.strip_prefix('/'));
        below.and_then(|rest| rest.split('/').next()).is_some_and(is_own_segment)
    };
    one == other || inside(one, other) || inside(other, one)
}

/// A tenant's id is part of keys, logs and command lines.
fn tenant_id(id: &TenantId) -> Result<(), Refusal> {
    let bytes = id.as_str().as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fits = (1..=63).contains(&bytes.len())
        && bytes.first().is_some_and(plain)
        && bytes.iter().all(|b| plain(b) || *b == b'-');
    if fits { Ok(()) } else { Err(Refusal::TenantId) }
}

fn check(settings: &TenantSettings, refusals: &mut Vec<Refusal>) {
    const HOUR: i64 = 3600;
    const DAY: i64 = 86_400;
    if settings.signing_algs.is_empty() {
        refusals.push(Refusal::SigningAlgsMissing);
    }
    if settings.signing_algs.iter().any(|alg| alg.is_symmetric()) {
        refusals.push(Refusal::SigningAlgSymmetric);
    }
    let propagation = settings.key_propagation;
    for (setting, found, min, max) in [
        ("key_propagation", propagation, 0, 30 * DAY),
        // Room for a successor to be published, to spread, and to take over.
        ("key_lifetime", settings.key_lifetime, HOUR.max(propagation.saturating_mul(4)), 730 * DAY),
        ("key_retention", settings.key_retention, 0, 365 * DAY),
        ("clock_skew", settings.clock_skew, 0, 300),
        ("request_object_max_lifetime", settings.request_object_max_lifetime, 60, 7 * DAY),
        ("request_object_max_age", settings.request_object_max_age, 60, 7 * DAY),
        ("session_lifetime", settings.session_lifetime, 300, 30 * DAY),
        ("session_idle", settings.session_idle, 60, settings.session_lifetime),
        ("interaction_lifetime", settings.interaction_lifetime, 60, DAY),
    ] {
        if !(min..=max).contains(&found) {
            refusals.push(Refusal::Duration { setting, found, min, max });
        }
    }
    if let Some(found) = settings.audit_retention {
        let (min, max) = (chain::MIN_RETENTION, chain::MAX_RETENTION);
        if !(min..=max).contains(&found) {
            refusals.push(Refusal::Duration { setting: "audit_retention", found, min, max });
        }
    }
    refusals.extend(branding(&settings.branding).err());
    scopes(&settings.scopes, refusals);
}

/// Scopes of the tenant's own. RFC 6749 section 3.3 says of what characters a scope value is.
fn scopes(scopes: &[CustomScope], refusals: &mut Vec<Refusal>) {
    const MAX: usize = 100;
    let shown = |text: &str| text.chars().take(MAX).collect::<String>();
    let text =
        |text: &str| (1..=200).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control);
    if scopes.len() > MAX || scopes.iter().any(|scope| scope.claims.len() > MAX) {
        refusals.push(Refusal::ScopesTooMany { max: MAX });
    }
    for (index, scope) in scopes.iter().enumerate() {
        let name = scope.name.as_str();
        let valid = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if !(1..=MAX).contains(&name.len()) || !name.bytes().all(valid) {
            refusals.push(Refusal::ScopeForm { name: shown(name) });
        }
        let standard = SCOPES.iter().any(|standard| standard.name == name) || name.starts_with("signet:");
        if standard || scopes[..index].iter().any(|other| other.name == name) {
            refusals.push(Refusal::ScopeTaken { name: shown(name) });
        }
        if !text(&scope.title) || !text(&scope.detail) {
            refusals.push(Refusal::ScopeText { name: shown(name) });
        }
        let unfit = scope.claims.iter().filter(|claim| !claims::may_be_custom(claim));
        refusals.extend(unfit.map(|claim| Refusal::ScopeClaim { name: shown(name), claim: shown(claim) }));
    }
}

fn branding(branding: &Branding) -> Result<(), Refusal> {
    let refuse = |problem| Err(Refusal::Branding { problem });
    let Branding { name, logo_url, accent } = branding;
    if !(1..=100).contains(&name.trim().chars().count()) || name.chars().any(char::is_control) {
        return refuse("name must have 1 to 100 characters and no control characters");
    }
    let hex = accent.strip_prefix('#').unwrap_or_default();
    if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return refuse("accent must be a colour of the form #rrggbb");
    }
    let data = |url: &str| {
        url.starts_with("data:image/") && url.len() <= 65_536 && url.bytes().all(|b| b.is_ascii_graphic())
    };
    match logo_url {
        Some(url) if !data(url) && client_policy::page_uri(url).is_err() => {
            refuse("logo_url must be an https address, or a data: image of at most 64 KiB")
        }
        _ => Ok(()),
    }
}

/// What a client relies on and would no longer have.
fn loses(client: &Client, settings: &TenantSettings) -> Vec<Refusal> {
    // What is built in follows the tenant by itself.
    if Builtin::of(&client.client_id).is_some() {
        return Vec::new();
    }
    let own = &client.settings;
    let name = || client.client_id.to_string();
    let mut lost = Vec::new();
    let mut algs = client_policy::signed(own).into_iter().map(|(_, alg)| alg);
    if let Some(alg) = algs.find(|alg| !settings.signing_algs.contains(alg)) {
        lost.push(Refusal::ClientLosesAlg { client: name(), alg: alg.name().to_owned() });
    }
    for (setting, gone) in [
        ("unsigned_id_tokens", own.id_token.unsigned && !settings.unsigned_id_tokens),
        ("unsigned_request_objects", own.allow_unsigned_request_object && !settings.unsigned_request_objects),
        ("scopes", own.scope.iter().any(|scope| !Catalogue::of(settings).may_be_registered(scope))),
    ] {
        if gone {
            lost.push(Refusal::ClientLosesSetting { client: name(), setting });
        }
    }
    lost
}

fn assemble(
    issuer: String,
    settings: &TenantSettings,
    facts: &TenantFacts<'_>,
    correlation_id: &str,
    context: &Context<'_>,
) -> Provisioned {
    let what = format!("tenant \"{}\"", facts.id);
    let mut next = facts.current.cloned().unwrap_or_else(|| Tenant {
        id: facts.id.clone(),
        issuer: issuer.clone(),
        version: 0,
        settings: settings.clone(),
        pairwise_salt: context.random(),
        created_at: context.now,
    });
    let mut differences = match facts.current {
        Some(current) => difference::between(&format!("{what}: issuer"), &current.issuer, &issuer),
        None => vec![format!("{what}: new, issuer {issuer}")],
    };
    differences.extend(difference::between(&what, &next.settings, settings));
    if differences.is_empty() {
        return Provisioned::default();
    }
    next.version += 1;
    next.issuer = issuer;
    next.settings = settings.clone();
    let (kind, change) = match facts.current {
        Some(_) => (Kind::TenantUpdated, Change::UpdateTenant(next)),
        None => (Kind::TenantCreated, Change::InsertTenant(next)),
    };
    let event = audit::success(facts.id, kind, correlation_id, context)
        .fact("differences", differences.clone())
        .change();
    Provisioned { changes: vec![change, event], differences, ..Provisioned::default() }
}
