//! Accounts: passwords that people choose, links that they choose them by, and the last owner of a tenant.

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::audit::{self, By, Kind};
use crate::change::Change;
use crate::context::{Context, UnixTime};
use crate::fault::Fault;
use crate::interaction;
use crate::records::{Credential, CredentialKind, LinkPurpose, Role, Tenant, User, UserLink};

/// Shortest accepted password, in characters (NIST SP 800-63B section 3.1.1.2 asks for 8 at least).
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Longest accepted password, in bytes: enough for any passphrase, and a bound on the work of one attempt.
pub const MAX_PASSWORD: usize = 512;
/// The version of an account that was not written since it was made.
const FIRST_VERSION: i64 = 1;
/// Prefix of the secrets in links.
pub const LINK_PREFIX: &str = "sgn_li_";

/// How long a link is good, in seconds.
pub const fn lifetime(purpose: LinkPurpose) -> i64 {
    match purpose {
        LinkPurpose::Invitation => 7 * 86_400,
        LinkPurpose::PasswordReset | LinkPurpose::Forgotten => 1_800,
    }
}

/// How long a link that somebody asked for without being known is left alone, in seconds: who asks again meanwhile gets no
/// other one, and it stays good.
pub const QUIET: i64 = 900;

/// A password that somebody chooses, typed twice.
pub fn new_password(password: &str, repeated: &str) -> Result<(), Fault> {
    if password.chars().count() < MIN_PASSWORD_CHARS || password.len() > MAX_PASSWORD {
        return Err(Fault::NewPasswordUnfit);
    }
    if password == repeated { Ok(()) } else { Err(Fault::NewPasswordsDiffer) }
}

/// A link with the secret that goes to the person, and the changes; the user's earlier one for the same purpose ends. It is for
/// the account that was judged: one that was written since gets none ([`crate::change::Conflict::Version`]).
///
/// Anybody can say that they have forgotten somebody's password. That ends no link but one of its own kind, and none of the
/// last [`QUIET`] seconds that is still good ([`crate::change::Conflict::Link`]): nobody keeps a person's links unusable by
/// asking on, nor has mail sent to them without end.
pub fn link(
    user: &User,
    purpose: LinkPurpose,
    by: Option<&By>,
    correlation_id: &str,
    context: &Context<'_>,
) -> (Zeroizing<String>, UserLink, Vec<Change>) {
    let minted = context.mint(LINK_PREFIX);
    let link = UserLink {
        tenant: user.tenant.clone(),
        hash: minted.hash,
        user_id: user.id,
        purpose,
        created_at: context.now,
        expires_at: context.now + lifetime(purpose),
    };
    let mut event = audit::success(&user.tenant, Kind::UserLinkMade, correlation_id, context)
        .user(user.id)
        .fact("purpose", purpose.name());
    if let Some(by) = by {
        event = event.by(by);
    }
    let judged = Change::NeedUser { id: user.id, version: user.version };
    let insert = match purpose {
        LinkPurpose::Invitation | LinkPurpose::PasswordReset => Change::InsertUserLink(link.clone()),
        // One that is good no more (see `open`) is not left alone.
        LinkPurpose::Forgotten => {
            let good_since = user.updated_at + i64::from(user.version != FIRST_VERSION);
            Change::OfferUserLink { link: link.clone(), since: good_since.max(context.now - QUIET + 1) }
        }
    };
    let changes = vec![judged, insert, event.change()];
    (minted.secret, link, changes)
}

/// Whom a link is for, if it is good at `now`. Looking at it does not use it up.
///
/// A link is for the account as it was: once its password, its address or anything else is written, it is good no more. Of
/// what happens within one second the order is not known, so there only an account that was just made, and not written since,
/// keeps its link.
pub fn open<'a>(link: Option<&UserLink>, user: Option<&'a User>, now: UnixTime) -> Result<&'a User, Fault> {
    let link = link.filter(|link| now < link.expires_at).ok_or(Fault::LinkUnusable)?;
    let unwritten = |user: &User| user.version == FIRST_VERSION && user.updated_at == link.created_at;
    user.filter(|user| user.id == link.user_id && !user.disabled)
        .filter(|user| user.updated_at < link.created_at || unwritten(user))
        .ok_or(Fault::LinkUnusable)
}

/// A password by a link: the write decides who of several has used it ([`crate::change::Conflict::Version`] or
/// [`crate::change::Conflict::Link`]). Nobody is signed in by it, so it does not get around a second factor. The user comes
/// first, as where a link is made: two transactions that take the two in different orders would wait for each other.
pub fn password_by_link(
    link: &UserLink,
    user: &User,
    password_hash: String,
    correlation_id: &str,
    context: &Context<'_>,
) -> Vec<Change> {
    let mut changes = password(user, password_hash, link.purpose.name(), correlation_id, context);
    changes.insert(1, Change::UseUserLink { hash: link.hash, at: context.now });
    changes
}

/// Another password. `cause` says how for the audit trail.
pub fn password(
    user: &User,
    password_hash: String,
    cause: &str,
    correlation_id: &str,
    context: &Context<'_>,
) -> Vec<Change> {
    let next = User {
        password_hash: Some(password_hash),
        version: user.version + 1,
        updated_at: context.now,
        ..user.clone()
    };
    let event = audit::success(&user.tenant, Kind::UserPasswordSet, correlation_id, context)
        .user(user.id)
        .fact("cause", cause);
    vec![Change::UpdateUser(next), event.change()]
}

/// What goes along with taking the role, or the account, from owners, all of one transaction at once. `owners` are all who are
/// owners now, `tenant` was read before them. One owner stays who can sign in; of two such changes at the same time one meets
/// [`crate::change::Conflict::Version`], because each moves the tenant on.
pub fn without_owners(tenant: &Tenant, owners: &[User], leaving: &[Uuid]) -> Result<Change, Fault> {
    let stays =
        |user: &&User| user.role == Some(Role::Owner) && !user.disabled && !leaving.contains(&user.id);
    if owners.iter().any(|user| stays(&user)) {
        Ok(Change::UpdateTenant(Tenant { version: tenant.version + 1, ..tenant.clone() }))
    } else {
        Err(Fault::LastOwner)
    }
}

/// The claims that people write themselves: name and label.
pub const PROFILE: &[(&str, &str)] = &[
    ("name", "Name"),
    ("given_name", "Given name"),
    ("family_name", "Family name"),
    ("nickname", "Nickname"),
    ("email", "E-mail address"),
    ("phone_number", "Telephone"),
    ("birthdate", "Date of birth"),
    ("website", "Website"),
    ("locale", "Language"),
    ("zoneinfo", "Time zone"),
];

/// Longest value of one of them, in characters.
const MAX_PROFILE: usize = 200;

/// The account with a profile that its person wrote; empty values remove. `None` if nothing differs. What was verified is
/// verified no more once it changes (OpenID Connect Core section 5.1).
pub fn profile<'a>(
    user: &User,
    written: impl Fn(&str) -> Option<&'a str>,
    now: UnixTime,
) -> Result<Option<User>, Fault> {
    let mut claims = user.claims.clone();
    for (name, label) in PROFILE {
        let value = written(name).unwrap_or_default().trim();
        if value.chars().count() > MAX_PROFILE || value.chars().any(char::is_control) {
            return Err(Fault::ProfileUnfit { name: label });
        }
        if *name == "email" && !value.is_empty() && !is_email(value) {
            return Err(Fault::NewEmailUnfit);
        }
        if claims.get(*name).and_then(serde_json::Value::as_str).unwrap_or_default() == value {
            continue;
        }
        if value.is_empty() {
            claims.remove(*name);
        } else {
            claims.insert((*name).to_owned(), value.into());
        }
        match *name {
            "email" => unverified(&mut claims, "email_verified", value),
            "phone_number" => unverified(&mut claims, "phone_number_verified", value),
            _ => {}
        }
    }
    let changed = claims != user.claims;
    Ok(changed.then(|| User { claims, version: user.version + 1, updated_at: now, ..user.clone() }))
}

fn unverified(claims: &mut serde_json::Map<String, serde_json::Value>, name: &str, value: &str) {
    if value.is_empty() {
        claims.remove(name);
    } else {
        claims.insert(name.to_owned(), false.into());
    }
}

/// RFC 5322 in full helps nobody: what counts is whether mail arrives.
pub fn is_email(text: &str) -> bool {
    let parts = text.split_once('@').filter(|(local, host)| !local.is_empty() && !host.is_empty());
    parts.is_some() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// What people call a passkey.
pub fn credential_name(text: &str) -> Result<&str, Fault> {
    let text = text.trim();
    let fits = (1..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(Fault::CredentialNameUnfit) }
}

/// Removes a passkey or an authenticator application. With the last of them go the recovery codes, which stand for nothing
/// then. The account counts up, so that no login goes on that began before.
pub fn remove_credential(user: &User, all: &[Credential], gone: &Credential) -> Vec<Change> {
    let mut changes =
        vec![interaction::enrolment(user), Change::DeleteCredential { user_id: gone.user_id, id: gone.id }];
    let rest = all.iter().any(|one| one.id != gone.id && one.kind != CredentialKind::RecoveryCode);
    if !rest {
        changes.push(Change::DeleteCredentials { user_id: gone.user_id, kind: CredentialKind::RecoveryCode });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TokenHash;
    use crate::records::TenantSettings;

    struct Zeros;

    impl crate::context::Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn user(id: u128, role: Option<Role>, disabled: bool) -> User {
        User {
            tenant: "t".into(),
            id: Uuid::from_u128(id),
            username: "ada".into(),
            password_hash: None,
            claims: serde_json::Map::new(),
            role,
            disabled,
            version: 4,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn a_link_is_good_for_its_person_and_its_time() {
        let context = Context { now: 1_000, millis: 0, entropy: &Zeros };
        let ada = user(1, None, false);
        for (purpose, seconds) in [(LinkPurpose::Invitation, 604_800), (LinkPurpose::PasswordReset, 1_800)] {
            let (secret, link, changes) = super::link(&ada, purpose, None, "c", &context);
            assert!(link.hash.matches(&secret) && secret.starts_with(LINK_PREFIX));
            assert!(!format!("{changes:?}").contains(secret.as_str()));
            let judge =
                |user: Option<&User>, now| open(Some(&link), user, now).map_err(|fault| fault.code()).is_ok();
            assert!(judge(Some(&ada), 1_000 + seconds - 1));
            assert!(!judge(Some(&ada), 1_000 + seconds));
            assert!(!judge(Some(&user(2, None, false)), 1_000));
            assert!(!judge(Some(&user(1, None, true)), 1_000));
            assert!(!judge(None, 1_000));
            let changes = password_by_link(&link, &ada, "hash".into(), "c", &context);
            // As one who makes a link: the user, then the link. In two orders, two transactions wait for each other.
            assert!(matches!(&changes[0], Change::UpdateUser(next) if next.version == 5));
            assert!(matches!(&changes[1], Change::UseUserLink { hash, at: 1_000 } if *hash == link.hash));
        }
        assert!(open(None, Some(&ada), 0).is_err());
        assert_ne!(TokenHash::of("a"), TokenHash::of("b"));
    }

    #[test]
    fn a_link_is_good_for_the_account_as_it_was() {
        let context = Context { now: 1_000, millis: 0, entropy: &Zeros };
        let made = User { version: 1, created_at: 1_000, updated_at: 1_000, ..user(1, None, false) };
        let (_, link, changes) = super::link(&made, LinkPurpose::Invitation, None, "c", &context);
        let judge = |user: &User| open(Some(&link), Some(user), 1_001).is_ok();
        assert!(judge(&made), "made in the same second");
        assert!(!changes.iter().any(|change| matches!(change, Change::UpdateUser(_))));
        assert!(judge(&User { version: 9, updated_at: 999, ..made.clone() }), "written before");
        for at in [1_000, 1_001] {
            let context = Context { now: at, millis: 0, entropy: &Zeros };
            let [Change::UpdateUser(next), ..] = &password(&made, "hash".into(), "own", "c", &context)[..]
            else {
                unreachable!()
            };
            assert!(!judge(next), "another password at {at}");
            let moved = profile(&made, |name| (name == "email").then_some("b@example.org"), at);
            assert!(!judge(&moved.unwrap().unwrap()), "another address at {at}");
        }
    }

    #[test]
    fn a_link_that_anybody_asked_for_leaves_alone_what_is_good_and_was_just_sent() {
        let context = Context { now: 10_000, millis: 0, entropy: &Zeros };
        // The first change is the need of the account that was judged.
        let since = |user: &User, purpose| match &super::link(user, purpose, None, "c", &context).2[1] {
            Change::OfferUserLink { since, link } => {
                assert_eq!(link.purpose, LinkPurpose::Forgotten);
                Some(*since)
            }
            Change::InsertUserLink(_) => None,
            other => unreachable!("{other:?}"),
        };
        let ada = user(1, None, false);
        assert_eq!(since(&ada, LinkPurpose::Forgotten), Some(10_000 - QUIET + 1));
        let written = User { updated_at: 9_990, ..ada.clone() };
        assert_eq!(since(&written, LinkPurpose::Forgotten), Some(9_991), "what is older is good no more");
        let made = User { version: 1, ..written };
        assert_eq!(since(&made, LinkPurpose::Forgotten), Some(9_990));
        for purpose in [LinkPurpose::Invitation, LinkPurpose::PasswordReset] {
            assert_eq!(since(&ada, purpose), None, "an administrator's is always made");
        }
    }

    #[test]
    fn what_is_removed_counts_the_account_up() {
        let ada = user(1, None, false);
        let gone = Credential {
            tenant: "t".into(),
            user_id: ada.id,
            id: Uuid::from_u128(5),
            kind: CredentialKind::Totp,
            name: "one".into(),
            secret: vec![1],
            counter: 0,
            failures: 0,
            created_at: 0,
            last_used_at: None,
        };
        let changes = remove_credential(&ada, std::slice::from_ref(&gone), &gone);
        assert!(matches!(&changes[0], Change::UpdateUser(next) if next.version == ada.version + 1));
        assert!(matches!(&changes[1], Change::DeleteCredential { id, .. } if *id == gone.id));
        assert!(matches!(&changes[2], Change::DeleteCredentials { kind: CredentialKind::RecoveryCode, .. }));
    }

    #[test]
    fn passwords_have_a_length_and_are_typed_twice() {
        let judge =
            |password: &str, repeated: &str| new_password(password, repeated).map_err(|fault| fault.code());
        assert_eq!(judge("12345678", "12345678"), Ok(()));
        assert_eq!(judge("1234567", "1234567"), Err("new_password_unfit"));
        assert_eq!(judge(&"x".repeat(513), &"x".repeat(513)), Err("new_password_unfit"));
        assert_eq!(judge("12345678", "12345679"), Err("new_passwords_differ"));
        assert_eq!(judge("ääääääää", "ääääääää"), Ok(()));
    }

    #[test]
    fn what_people_write_of_themselves_is_kept_and_what_was_verified_is_so_no_more() {
        let mut ada = user(1, None, false);
        for (name, value) in [("name", "Ada"), ("email", "ada@example.org"), ("birthdate", "1815-12-10")] {
            ada.claims.insert(name.into(), value.into());
        }
        ada.claims.insert("email_verified".into(), true.into());
        ada.claims.insert("address".into(), serde_json::json!({ "country": "UK" }));
        let same = |name: &str| ada.claims.get(name).and_then(serde_json::Value::as_str);
        assert_eq!(profile(&ada, same, 9), Ok(None));
        let renamed = profile(&ada, |name| if name == "name" { Some(" Ada L. ") } else { same(name) }, 9);
        let renamed = renamed.unwrap().unwrap();
        assert_eq!(
            (&renamed.claims["name"], &renamed.claims["email_verified"]),
            (&"Ada L.".into(), &true.into())
        );
        assert_eq!((renamed.version, renamed.updated_at), (5, 9));
        let moved = profile(&ada, |name| if name == "email" { Some("b@c") } else { None }, 9);
        let moved = moved.unwrap().unwrap();
        assert_eq!(moved.claims["email_verified"], false);
        assert!(!moved.claims.contains_key("birthdate") && moved.claims.contains_key("address"));
        let gone = profile(&ada, |_| None, 9).unwrap().unwrap();
        assert!(!gone.claims.contains_key("email_verified"));
        for (field, value) in
            [("email", "nobody"), ("email", "a b@c"), ("name", "a\u{7}b"), ("locale", &"x".repeat(201))]
        {
            assert!(
                profile(&ada, |name| if name == field { Some(value) } else { same(name) }, 9).is_err(),
                "{field}"
            );
        }
    }

    #[test]
    fn one_owner_stays_who_can_sign_in() {
        let tenant = Tenant {
            id: "t".into(),
            issuer: "https://op.example".into(),
            version: 7,
            settings: TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        };
        let owner = |id| user(id, Some(Role::Owner), false);
        let leave = |owners: &[User], leaving: &[u128]| {
            let leaving: Vec<Uuid> = leaving.iter().copied().map(Uuid::from_u128).collect();
            match without_owners(&tenant, owners, &leaving) {
                Ok(Change::UpdateTenant(next)) => Ok(next.version),
                Ok(other) => unreachable!("{other:?}"),
                Err(fault) => Err(fault.code()),
            }
        };
        let judge = |owners: &[User]| leave(owners, &[1]);
        assert_eq!(judge(&[owner(1), owner(2)]), Ok(8));
        assert_eq!(judge(&[owner(1)]), Err("last_owner"));
        assert_eq!(judge(&[owner(1), user(2, Some(Role::Owner), true)]), Err("last_owner"));
        assert_eq!(judge(&[owner(1), user(2, Some(Role::Administrator), false)]), Err("last_owner"));
        assert_eq!(leave(&[owner(1), owner(2), owner(3)], &[1, 3]), Ok(8));
        assert_eq!(leave(&[owner(1), owner(2)], &[1, 2]), Err("last_owner"));
    }
}
