//! What happens between an accepted request and its response: login, consent, and the response itself
//! (OpenID Connect Core sections 3.1.2.3 to 3.1.2.6).

mod device;
mod level;
mod login;
mod registration;
mod respond;
mod second;

use std::collections::BTreeSet;

use crate::admin;
use crate::authorize::{Channel, Prompt};
use crate::builtin::Builtin;
use crate::claims::Catalogue;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::records::{Client, ClientKey, Consent, Interaction, Session, Stage, Tenant, User};
use crate::redirect::{self, ReturnTo};
use crate::subject;

pub use device::{approve, deny};
pub use level::{Factors, Level, Proof, Second, opens_account};
pub use login::{LoggedIn, switch_account};
pub use registration::{Account, Wish, register};
pub use respond::{Answer, Made, Responded, refuse, respond};
pub use second::{
    Accepted, MAX_PASSKEYS, MAX_WRONG_CODES, PATIENCE, Pending, RECOVERY_CODES, at_hand, can_be_tried,
    credential_event, enrolment, is_recent, passkey_accepted, password_accepted, raised, recovery_codes,
    second_accepted, use_one_time, use_passkey, use_recovery_code,
};

/// Every `acr` value that this provider can meet, the lowest first; discovery is made from this.
pub const ACR_VALUES: &[&str] = &[Level::Password.acr(), Level::Mfa.acr(), Level::Passkey.acr()];
/// Prefix of session cookies.
pub const SESSION_PREFIX: &str = "sgn_se_";

/// The facts of one step.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose page.
    pub tenant: &'a Tenant,
    /// Where the login stands.
    pub interaction: &'a Interaction,
    /// For whom.
    pub client: &'a Client,
    /// That client's keys.
    pub client_keys: &'a [ClientKey],
    /// The browser's session, if it has one.
    pub session: Option<&'a Session>,
    /// The session's user.
    pub user: Option<&'a User>,
    /// What that user allows this client already.
    pub consent: Option<&'a Consent>,
    /// Who has given the password within this interaction; see [`Stage::Identified`].
    pub identified: Option<&'a User>,
    /// What the person [`at_hand`] has enrolled.
    pub factors: Factors,
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Show the login page.
    Login,
    /// Show the page on which people make an account.
    Register,
    /// Ask for the second factor of whoever [`pending`] names.
    Second {
        /// Nothing less than a passkey is enough.
        passkey_only: bool,
    },
    /// Let whoever [`pending`] names enrol an authenticator application.
    Enrol,
    /// Show the consent page for these scopes.
    Consent(BTreeSet<String>),
    /// Nothing more to ask: respond with what was asked for.
    Respond,
    /// Respond with an error.
    Refuse(Fault),
}

/// The interaction, if it may go on at `now` in the browser that holds `secret`.
///
/// The end is told before the browser is asked for: its cookie ends with the interaction, so whoever comes back to one
/// that is over has none, and is not to be told of another browser.
pub fn resume(interaction: Option<&Interaction>, secret: Option<&str>, now: UnixTime) -> Result<(), Fault> {
    let interaction = interaction.ok_or(Fault::InteractionUnknown)?;
    if interaction.stage == Stage::Finished {
        return Err(Fault::InteractionFinished);
    }
    if now >= interaction.expires_at {
        return Err(Fault::InteractionExpired);
    }
    if !secret.is_some_and(|secret| interaction.browser.matches(secret)) {
        return Err(Fault::InteractionForeign);
    }
    Ok(())
}

/// The place a response of this interaction goes to. Client, redirect URI and encryption key are checked once more: each
/// may have been withdrawn since the request was accepted.
pub fn return_to(input: &Input<'_>, now: UnixTime) -> Result<ReturnTo, Fault> {
    let Input { tenant, interaction, client, client_keys, .. } = *input;
    let request = &interaction.request;
    if client.disabled || client.client_id != request.client_id {
        return Err(Fault::ClientUnknown);
    }
    let channel = Channel::new(request.response_mode, client, client_keys, &tenant.settings, now)?;
    redirect::check(client, &request.redirect_uri, request.state.as_deref(), &tenant.issuer, channel)
}

/// Decides the next step.
pub fn next(input: &Input<'_>, now: UnixTime) -> Step {
    let request = &input.interaction.request;
    let silent = request.prompt.contains(&Prompt::None);
    let ask = |step| if silent { Step::Refuse(Fault::LoginRequired) } else { step };
    // Said before anybody types a password for nothing.
    if !silent && let Err(fault) = level::essential(request) {
        return Step::Refuse(fault);
    }
    if second::identified(input, now).is_some() {
        return ask(second_step(input));
    }
    let Some((session, user)) = usable_login(input, now) else {
        // Initiating User Registration via OpenID Connect: `create` asks for the account creation page.
        let create = request.prompt.contains(&Prompt::Create) && input.tenant.settings.self_registration;
        return if create { Step::Register } else { ask(Step::Login) };
    };
    match level::wanted(input) {
        Err(fault) => return Step::Refuse(fault),
        // Whoever finds somebody's browser open shall not enrol a second factor of their own there.
        Ok(level)
            if Level::of(session) < level && !input.factors.has_second() && !is_recent(session, now) =>
        {
            return ask(Step::Login);
        }
        Ok(level) if Level::of(session) < level => return ask(second_step(input)),
        Ok(_) => {}
    }
    if !is_wanted(input, user) {
        return ask(Step::Login);
    }
    if let Err(fault) = granted_scope(input, user) {
        return Step::Refuse(fault);
    }
    if consent_needed(input) {
        return if silent { Step::Refuse(Fault::ConsentRequired) } else { Step::Consent(asked_scope(input)) };
    }
    Step::Respond
}

/// Whether the person who is logged in is the one that the client means.
///
/// OpenID Connect Core section 3.1.2.1, `id_token_hint`: "If the End-User identified by the ID Token is already logged in
/// or is logged in as a result of the request [...], then the Authorization Server returns a positive response; otherwise,
/// it MUST return an error, such as `login_required`." Section 5.5.1 says the same of a `sub` asked for by value.
fn is_wanted(input: &Input<'_>, user: &User) -> bool {
    let request = &input.interaction.request;
    let sub = subject::of(input.tenant, input.client, user.id);
    let hinted = request.hinted_subject.as_ref().is_none_or(|hinted| *hinted == sub);
    let by_value = [&request.claims.id_token, &request.claims.userinfo].into_iter().all(|asked| {
        let values = asked.get("sub").map_or(&[][..], |claim| &claim.values);
        values.is_empty() || values.iter().any(|value| value.as_str() == Some(sub.as_str()))
    });
    hinted && by_value
}

/// What the person at hand is asked for beside the password.
fn second_step(input: &Input<'_>) -> Step {
    match (level::demanded(input), level::wanted(input)) {
        (Err(fault), _) | (_, Err(fault)) => Step::Refuse(fault),
        (_, Ok(Level::Password)) => Step::Login,
        (Ok(demanded), _) if input.factors.has_second() => {
            Step::Second { passkey_only: demanded == Level::Passkey }
        }
        _ => Step::Enrol,
    }
}

/// Whose second step it is, if [`next`] asks for one.
pub fn pending<'a>(input: &Input<'a>, now: UnixTime) -> Option<Pending<'a>> {
    second::identified(input, now).or_else(|| {
        let (session, user) = usable_login(input, now)?;
        Some(Pending { user, first: Proof::of(session) })
    })
}

/// The scope that this person can give: administrative ones are cut to what their role allows.
fn granted_scope(input: &Input<'_>, user: &User) -> Result<BTreeSet<String>, Fault> {
    admin::granted(&input.interaction.request.scope, user.role, input.tenant)
}

/// What a person is asked to allow: the scope, and the scopes that stand for claims asked for one by one. A client does
/// not get around the question by naming claims (OpenID Connect Core section 5.5).
fn asked_scope(input: &Input<'_>) -> BTreeSet<String> {
    let request = &input.interaction.request;
    let asked = input.user.and_then(|user| granted_scope(input, user).ok());
    let asked = asked.unwrap_or_else(|| request.scope.clone());
    let (catalogue, allowed) = (Catalogue::of(&input.tenant.settings), &input.client.settings.scope);
    let named = request.claims.userinfo.keys().chain(request.claims.id_token.keys());
    // Of several scopes with this claim, one that is asked for already, else the first that the client may ask for; some
    // one in any case, so that nothing is delivered that nobody was asked about.
    let by_claim = named.filter_map(|name| {
        let scopes = catalogue.with_claim(name);
        let within = |set: &BTreeSet<String>| scopes.iter().copied().find(|scope| set.contains(*scope));
        let chosen = within(&asked).or_else(|| within(allowed)).or_else(|| scopes.first().copied());
        chosen.map(str::to_owned)
    });
    let by_claim: Vec<String> = by_claim.collect();
    asked.into_iter().chain(by_claim).collect()
}

fn usable_login<'a>(input: &Input<'a>, now: UnixTime) -> Option<(&'a Session, &'a User)> {
    // Once somebody has given a password here, the browser's older session answers for nobody.
    if matches!(input.interaction.stage, Stage::Identified { .. }) {
        return None;
    }
    let (session, user) = (input.session?, input.user?);
    let alive = session.is_alive(&input.tenant.settings, now);
    if !alive || user.disabled || user.id != session.user_id {
        return None;
    }
    let request = &input.interaction.request;
    let within = matches!(&input.interaction.stage, Stage::Authenticated { sid } if *sid == session.sid);
    if within {
        return Some((session, user));
    }
    // Section 3.1.2.1: `login` SHOULD reauthenticate; `select_account` SHOULD prompt to select an account. `create` asks
    // for a new one.
    if [Prompt::Login, Prompt::SelectAccount, Prompt::Create]
        .iter()
        .any(|asked| request.prompt.contains(asked))
    {
        return None;
    }
    // Section 3.1.2.1, max_age: "If the elapsed time is greater than this value, the OP MUST attempt to actively
    // re-authenticate the End-User." Zero stands for `prompt=login`.
    if request.max_age.is_some_and(|limit| limit == 0 || now - session.auth_time > limit) {
        return None;
    }
    Some((session, user))
}

fn consent_needed(input: &Input<'_>) -> bool {
    let (request, settings) = (&input.interaction.request, &input.client.settings);
    // RFC 8628 section 5.4, remote phishing: a code may have come from somebody else's device, so whoever is logged in is
    // asked each time, whatever was remembered and even where the client needs no consent.
    if request.device.is_some() || request.prompt.contains(&Prompt::Consent) {
        return true;
    }
    let asked = asked_scope(input);
    // RFC 6749 section 10.2: "The authorization server SHOULD NOT process repeated authorization requests automatically
    // (without active resource owner interaction) without authenticating the client or relying on other measures to ensure
    // that the repeated request comes from the original client and not an impersonator." Whoever administers clients can
    // make any of them their own, so nobody's right to administer goes anywhere without a page, each time. The console is
    // this program itself.
    if Builtin::of(&input.client.client_id).is_none() && asked.iter().any(|name| admin::is_scope(name)) {
        return true;
    }
    // Without consent a client gets what its scope stands for. Claims beyond it, asked for one by one, nobody has allowed.
    let unasked = !settings.require_consent && asked.is_subset(&settings.scope);
    !unasked && !input.consent.is_some_and(|consent| asked.is_subset(&consent.scope))
}
