//! The second step of a login: what follows the password.

use serde_json::json;
use uuid::Uuid;

use super::level::{Proof, wanted};
use super::login::log_in;
use super::{Input, Level, LoggedIn, Second};
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::context::{Context, UnixTime};
use crate::fault::Fault;
use crate::ids::TokenHash;
use crate::records::{Credential, CredentialKind, Session, Stage, User};

/// How long a password that was given waits for the second step, and how old a proof may be that lets somebody enrol one;
/// in seconds.
pub const PATIENCE: i64 = 600;
/// Whether the person of a session has proved a moment ago who they are: enough for what could lock them out, or let
/// somebody else in.
pub fn is_recent(session: &Session, now: UnixTime) -> bool {
    now - session.auth_time <= PATIENCE
}

/// So many wrong codes in a row, and those of an authenticator application are refused until it is set up anew. NIST SP
/// 800-63B section 5.2.2: "the verifier SHALL limit consecutive failed authentication attempts on a single account to no more
/// than 100".
pub const MAX_WRONG_CODES: i64 = 20;

/// Most passkeys of one person.
pub const MAX_PASSKEYS: usize = 20;

/// What a right password leads to.
#[derive(Debug)]
pub enum Accepted {
    /// A session.
    Session(Box<LoggedIn>),
    /// The second step, with what is to be written before it.
    Second(Vec<Change>),
    /// Nothing that this person could give is enough for the request.
    Refused(Fault),
}

/// The person has given the right password of `user`, whose factors `input` has. There is a session only where nothing more
/// is wanted.
pub fn password_accepted(input: &Input<'_>, user: &User, context: &Context<'_>) -> Accepted {
    match wanted(input) {
        Err(fault) => Accepted::Refused(fault),
        Ok(Level::Password) => {
            let proof = Proof::password(context.now);
            let login = log_in(input.tenant, input.interaction, user, &proof, input.session, context);
            Accepted::Session(Box::new(login))
        }
        Ok(_) => Accepted::Second(identify(input, user, context)),
    }
}

fn identify(input: &Input<'_>, user: &User, context: &Context<'_>) -> Vec<Change> {
    let mut next = input.interaction.clone();
    next.version += 1;
    next.stage = Stage::Identified { user_id: user.id, since: context.now, version: user.version };
    let correlation = &input.interaction.correlation_id;
    let event = audit::success(&input.tenant.id, Kind::LoginIdentified, correlation, context)
        .client(&input.interaction.request.client_id)
        .user(user.id);
    vec![Change::UpdateInteraction { interaction: next, now: context.now }, event.change()]
}

/// Whose second step it is, with what they have proved so far: who has given the password within this interaction, or who is
/// logged in at a lower level than is wanted.
#[derive(Clone, Debug)]
pub struct Pending<'a> {
    /// Who.
    pub user: &'a User,
    /// What they have proved.
    pub first: Proof,
}

/// Whose step it is: of whoever has given the password within this interaction, as long as that holds, else of nobody.
/// Where no password waits for its second step, it is the session's `user`.
///
/// Both what is asked next and whose factors are looked at follow from this, so that nobody's factor speaks for the session
/// of somebody else.
pub fn at_hand<'a>(
    stage: &Stage,
    identified: Option<&'a User>,
    user: Option<&'a User>,
    now: UnixTime,
) -> Option<&'a User> {
    let Stage::Identified { user_id, since, version } = *stage else { return user };
    let same = |user: &&User| user.id == user_id && user.version == version && !user.disabled;
    identified.filter(same).filter(|_| now - since <= PATIENCE)
}

/// The person who has given the password within this interaction and has still to take the second step.
pub(super) fn identified<'a>(input: &Input<'a>, now: UnixTime) -> Option<Pending<'a>> {
    let stage = &input.interaction.stage;
    let waits = matches!(stage, Stage::Identified { .. });
    let user = at_hand(stage, input.identified, input.user, now).filter(|_| waits)?;
    Some(Pending { user, first: Proof::password(now) })
}

/// The second step is taken: a session, in which whoever had one at a lower level goes on and keeps its `sid`. `written` is
/// what the store has to hear of the credential, which must be that person's own, or of an [`enrolment`].
pub fn second_accepted(
    input: &Input<'_>,
    pending: &Pending<'_>,
    second: Second,
    mut written: Vec<Change>,
    context: &Context<'_>,
) -> Result<LoggedIn, Fault> {
    if written.iter().any(|change| owner(change).is_some_and(|owner| owner != pending.user.id)) {
        return Err(Fault::SecondFactorWrong);
    }
    let proof = pending.first.clone().and(second, context.now);
    let mut login = log_in(input.tenant, input.interaction, pending.user, &proof, input.session, context);
    // Who writes the account expects its version by that: of two who only needed it first, neither could go on.
    if let Some(at) = written.iter().position(|change| matches!(change, Change::UpdateUser(_))) {
        login.changes.retain(|change| !matches!(change, Change::NeedUser { .. }));
        login.changes.insert(0, written.remove(at));
    }
    login.changes.extend(written);
    Ok(login)
}

/// Whose credential a change is about.
fn owner(change: &Change) -> Option<Uuid> {
    match change {
        Change::UseCredential { credential, .. } | Change::InsertCredential(credential) => {
            Some(credential.user_id)
        }
        Change::UpdateUser(user) => Some(user.id),
        Change::DeleteCredential { user_id, .. } | Change::DeleteCredentials { user_id, .. } => {
            Some(*user_id)
        }
        _ => None,
    }
}

/// A passkey instead of a password.
pub fn passkey_accepted(
    input: &Input<'_>,
    user: &User,
    hardware: bool,
    written: Vec<Change>,
    context: &Context<'_>,
) -> LoggedIn {
    let proof = Proof::passkey(hardware, context.now);
    let mut login = log_in(input.tenant, input.interaction, user, &proof, input.session, context);
    login.changes.extend(written);
    login
}

/// The use of a one-time password that fits the time step `step`. RFC 6238 section 5.2: "The verifier MUST NOT accept the
/// second attempt of the OTP after the successful validation has been issued for the first OTP": a step is good once, and
/// none before it.
pub fn use_one_time(credential: &Credential, step: i64, now: UnixTime) -> Result<Change, Fault> {
    if credential.kind != CredentialKind::Totp || step <= credential.counter {
        return Err(Fault::SecondFactorWrong);
    }
    can_be_tried(credential)?;
    Ok(counted(credential, step, now))
}

/// Whether a code of this authenticator application is still judged, however right it is.
pub fn can_be_tried(credential: &Credential) -> Result<(), Fault> {
    if credential.failures < MAX_WRONG_CODES { Ok(()) } else { Err(Fault::SecondFactorLocked) }
}

/// The use of a passkey whose authenticator counts `count` signatures. Web Authentication section 7.2 step 22: where one of
/// the two counts is not zero, the new one must be greater, or the key may have been copied.
pub fn use_passkey(credential: &Credential, count: u32, now: UnixTime) -> Result<Change, Fault> {
    let count = i64::from(count);
    let grows = count > credential.counter || (count == 0 && credential.counter == 0);
    if credential.kind != CredentialKind::Passkey || !grows {
        return Err(Fault::PasskeyCopied);
    }
    Ok(counted(credential, count, now))
}

fn counted(credential: &Credential, counter: i64, now: UnixTime) -> Change {
    let next = Credential { counter, failures: 0, last_used_at: Some(now), ..credential.clone() };
    let (seen_counter, seen_failures) = (credential.counter, credential.failures);
    Change::UseCredential { credential: next, seen_counter, seen_failures }
}

/// The use of a recovery code: its record goes, so the write decides who has used it.
pub fn use_recovery_code(credentials: &[Credential], typed: &str) -> Result<Change, Fault> {
    let found = credentials.iter().filter(|one| one.kind == CredentialKind::RecoveryCode).find(|one| {
        let hash = recovery_hash(one.user_id, typed);
        subtle::ConstantTimeEq::ct_eq(hash.as_bytes().as_slice(), one.secret.as_slice()).into()
    });
    let found = found.ok_or(Fault::SecondFactorWrong)?;
    Ok(Change::DeleteCredential { user_id: found.user_id, id: found.id })
}

/// Under which a recovery code is stored. Case and separators are the reader's convenience.
fn recovery_hash(user: Uuid, code: &str) -> TokenHash {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    TokenHash::of(&format!("recovery_code/{user}/{}", plain.to_ascii_uppercase()))
}

/// Letters and digits of recovery codes; none that looks like another one.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// How many recovery codes a person gets.
pub const RECOVERY_CODES: usize = 10;

/// The account with another factor, or with other recovery codes. It counts up: of two enrolments at a time one is asked
/// anew, so none goes beyond what the other has left room for, and no login goes on that began before.
pub fn enrolment(user: &User) -> Change {
    Change::UpdateUser(User { version: user.version + 1, ..user.clone() })
}

/// Fresh recovery codes in place of the old ones, and the changes, which go along with an [`enrolment`]. Each has 80 random bits, so a plain hash keeps it.
pub fn recovery_codes(user: &User, context: &Context<'_>) -> (Vec<String>, Vec<Change>) {
    let mut changes =
        vec![Change::DeleteCredentials { user_id: user.id, kind: CredentialKind::RecoveryCode }];
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let letters = context.random().map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        let groups: Vec<String> = letters[..16].chunks(4).map(|group| group.iter().collect()).collect();
        let code = groups.join("-");
        let secret = recovery_hash(user.id, &code).as_bytes().to_vec();
        changes.push(Change::InsertCredential(Credential {
            tenant: user.tenant.clone(),
            user_id: user.id,
            id: context.uuid(),
            kind: CredentialKind::RecoveryCode,
            name: String::new(),
            secret,
            counter: 0,
            failures: 0,
            created_at: context.now,
            last_used_at: None,
        }));
        codes.push(code);
    }
    (codes, changes)
}

/// What the audit trail tells of a credential: enrolled, used, renamed or removed.
pub fn credential_event(
    kind: Kind,
    credential: CredentialKind,
    user: &User,
    correlation_id: &str,
    context: &Context<'_>,
) -> Change {
    audit::success(&user.tenant, kind, correlation_id, context)
        .user(user.id)
        .fact("credential", json!(credential))
        .change()
}

/// The same session at the level of the second factor that its person has just enrolled and proved to have.
pub fn raised(session: &Session, second: Second, now: UnixTime) -> Change {
    let proof = Proof::of(session).and(second, now);
    Change::UpdateSession(Session {
        auth_time: proof.at,
        acr: proof.level.acr().to_owned(),
        amr: proof.amr,
        last_seen: now,
        ..session.clone()
    })
}
