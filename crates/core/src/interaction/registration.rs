//! A person makes an account (Initiating User Registration via OpenID Connect).

use std::fmt;

use zeroize::Zeroizing;

use super::LoggedIn;
use super::level::Proof;
use super::login::log_in;
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::context::Context;
use crate::fault::Fault;
use crate::people;
use crate::provision;
use crate::records::{Interaction, Session, Tenant, User};

/// Longest name and e-mail address, in characters.
const MAX_TEXT: usize = 200;

/// What stands in the form.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// How the person wants to sign in.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// The password once more.
    pub repeated: &'a str,
    /// What the person is called.
    pub name: &'a str,
    /// Where to reach them.
    pub email: &'a str,
}

/// A wish that can be fulfilled, unless somebody has the user name.
pub struct Account {
    /// In the form in which it is stored.
    pub username: String,
    /// To be hashed.
    pub password: Zeroizing<String>,
    name: String,
    email: String,
}

impl fmt::Debug for Wish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wish").field("username", &self.username).finish_non_exhaustive()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Account {
    /// Judges the form.
    pub fn new(tenant: &Tenant, wish: &Wish<'_>) -> Result<Self, Fault> {
        if !tenant.settings.self_registration {
            return Err(Fault::SelfRegistrationOff);
        }
        let username = provision::chosen_username(wish.username).map_err(|_| Fault::NewUsernameUnfit)?;
        people::new_password(wish.password, wish.repeated)?;
        let (name, email) = (wish.name.trim(), wish.email.trim());
        if !fits(name) {
            return Err(Fault::NewNameUnfit);
        }
        // The claim says that it is not known whether mail arrives.
        if !fits(email) || !people::is_email(email) {
            return Err(Fault::NewEmailUnfit);
        }
        let password = Zeroizing::new(wish.password.to_owned());
        Ok(Self { username, password, name: name.to_owned(), email: email.to_owned() })
    }
}

fn fits(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Makes the account and logs the person in. That the user name is free is decided by the write
/// ([`crate::change::Conflict::Exists`]).
pub fn register(
    tenant: &Tenant,
    interaction: &Interaction,
    account: Account,
    password_hash: String,
    old: Option<&Session>,
    context: &Context<'_>,
) -> LoggedIn {
    let mut user = User {
        tenant: tenant.id.clone(),
        id: context.uuid(),
        username: account.username,
        password_hash: Some(password_hash),
        claims: serde_json::Map::new(),
        role: None,
        disabled: false,
        version: 1,
        created_at: context.now,
        updated_at: context.now,
    };
    user.claims.insert("name".into(), account.name.into());
    user.claims.insert("email".into(), account.email.into());
    // OpenID Connect Core section 5.1: true only after "affirmative steps to ensure that this e-mail address was controlled
    // by the End-User".
    user.claims.insert("email_verified".into(), false.into());
    let mut made = log_in(tenant, interaction, &user, &Proof::password(context.now), old, context);
    let event = audit::success(&tenant.id, Kind::UserRegistered, &interaction.correlation_id, context)
        .client(&interaction.request.client_id)
        .user(user.id)
        .change();
    // The user first: what follows refers to it. Nobody has written an account that is made here.
    made.changes.retain(|change| !matches!(change, Change::NeedUser { .. }));
    made.changes.splice(0..0, [Change::InsertUser(user), event]);
    made
}
