//! Everything that the audit trail tells of, one row each.

use std::fmt;

/// One row of the table.
struct Row {
    name: &'static str,
    meaning: &'static str,
    failed: Option<&'static str>,
}

macro_rules! kinds {
    ($($kind:ident: $name:literal, $meaning:literal $(, $failed:literal)?;)+) => {
        /// What happened. Events keep the name; the rest follows from it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(#[doc = $meaning] $kind,)+
        }

        impl Kind {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];
            /// Their names.
            pub const NAMES: &'static [&'static str] = &[$($name,)+];

            fn row(self) -> Row {
                match self {
                    $(Self::$kind => Row { name: $name, meaning: $meaning, failed: [$(Some($failed),)? None][0] },)+
                }
            }
        }
    };
}

// Name, meaning in words, and, if it counts as a failed login, what was refused.
kinds! {
    AuthorizeAccepted: "authorize.accepted", "An authorization request was accepted.";
    AuthorizePushed: "authorize.pushed", "A pushed authorization request was accepted.";
    AuthorizeResponded: "authorize.responded", "A person was sent back to the client with a response: a login came to its end.";
    AuthorizeRefused: "authorize.refused", "An authorization request, or what followed from it, was refused.", "authorization request";
    AuthorizePushRefused: "authorize.push_refused", "A pushed authorization request was refused.", "pushed request";
    LoginIdentified: "login.identified", "The first factor of a login was right; another one is asked for.";
    LoginSucceeded: "login.succeeded", "Somebody signed in.";
    LoginRefused: "login.refused", "A sign-in was refused: the user name, password or passkey was wrong.", "sign-in";
    SecondFactorRefused: "second_factor.refused", "A second factor was wrong, or could not be set up.", "second factor";
    SessionEnded: "session.ended", "A session ended.";
    LogoutRefused: "logout.refused", "A request to sign out was refused.";
    LogoutDelivered: "logout.delivered", "A client was told that a session ended.";
    LogoutUndelivered: "logout.undelivered", "A client could not be told that a session ended.";
    TokenIssued: "token.issued", "Tokens were issued.";
    TokenRefused: "token.refused", "A token request was refused.", "token request";
    TokenRevoked: "token.revoked", "A token was revoked.";
    UserinfoRefused: "userinfo.refused", "A UserInfo request was refused.", "UserInfo request";
    IntrospectionRefused: "introspection.refused", "An introspection request was refused.";
    RevocationRefused: "revocation.refused", "A revocation request was refused.";
    DeviceStarted: "device.started", "A device asked for a code that a person types.";
    DeviceEntered: "device.entered", "A person typed the code of a device.";
    DeviceApproved: "device.approved", "A person let a device in.";
    DeviceDenied: "device.denied", "A person refused a device.";
    DeviceRefused: "device.refused", "The code of a device, or a request for one, was refused.";
    ClientRefused: "client.refused", "A client was not authenticated.";
    ClientRegistered: "client.registered", "A client registered itself.";
    ClientRegistrationRefused: "client.registration_refused", "A client's registration of itself was refused.";
    ClientManagementRefused: "client.management_refused", "A client's request to see or change its registration was refused.";
    ClientCreated: "client.created", "A client was created.";
    ClientUpdated: "client.updated", "A client was changed.";
    ClientDeleted: "client.deleted", "A client was deleted.";
    ClientKeyAdded: "client.key_added", "A client got a key.";
    ClientKeyUpdated: "client.key_updated", "A client's key was changed.";
    ClientKeyRevoked: "client.key_revoked", "A client's key was withdrawn.";
    ClientKeyChanged: "client.key_changed", "A client publishes another key under a kid that was known.";
    ClientAddressUnread: "client.address_unread", "What a client names could not be read when somebody was to save it, or tried to.";
    UserRegistered: "user.registered", "Somebody made an account for themselves.";
    UserRefused: "user.refused", "A new account was refused.";
    UserCreated: "user.created", "A user was created.";
    UserUpdated: "user.updated", "A user was changed.";
    UserDeleted: "user.deleted", "A user was deleted.";
    UserPasswordSet: "user.password_set", "A password was set.";
    UserPasswordRefused: "user.password_refused", "A new password was refused.";
    UserLinkMade: "user.link_made", "A link by which somebody chooses a password was made.";
    UserLinkRefused: "user.link_refused", "A link by which somebody chooses a password was refused.";
    CredentialEnrolled: "credential.enrolled", "A second factor or passkey was set up.";
    CredentialUsed: "credential.used", "A second factor or passkey was used.";
    CredentialRemoved: "credential.removed", "A second factor or passkey was removed.";
    CredentialRefused: "credential.refused", "Setting up a second factor or passkey was refused.";
    ConsentRevoked: "consent.revoked", "An application's access to an account was taken back.";
    TenantCreated: "tenant.created", "A tenant was created.";
    TenantUpdated: "tenant.updated", "A tenant's settings were changed.";
    TenantKeyCreated: "tenant_key.created", "A key of the tenant was made.";
    TenantKeyRotated: "tenant_key.rotated", "The tenant's keys were rotated.";
    TenantKeyRevoked: "tenant_key.revoked", "A key of the tenant was withdrawn.";
    RegistrationTokenCreated: "registration_token.created", "A token to register clients with was made.";
    RegistrationTokenDeleted: "registration_token.deleted", "A token to register clients with was deleted.";
    AdminRefused: "admin.refused", "A request to the administrative interface was refused.";
    ConsoleRefused: "console.refused", "The console refused somebody, or a form that it had not made.";
    AccountRefused: "account.refused", "The account pages refused a form that they had not made.";
    AuditPurged: "audit.purged", "Events whose time was over were removed from the audit trail.";
}

impl Kind {
    /// The kind of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The name, in dotted words, as events hold it. Stable.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What it means, as a sentence.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// What was refused, in words, if it counts as a failed login.
    pub fn failed_login(self) -> Option<&'static str> {
        self.row().failed
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own_and_a_sentence() {
        let names: BTreeSet<&str> = Kind::NAMES.iter().copied().collect();
        assert_eq!((names.len(), Kind::NAMES.len()), (Kind::ALL.len(), Kind::ALL.len()));
        for kind in Kind::ALL {
            let (name, meaning) = (kind.name(), kind.meaning());
            assert_eq!(Kind::find(name), Some(*kind));
            assert!(
                name.split('.').count() == 2 && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_' | b'.'))
            );
            assert!(meaning.starts_with(char::is_uppercase) && meaning.ends_with('.'), "{meaning}");
        }
        assert_eq!(Kind::find("nothing.known"), None);
    }

    #[test]
    fn what_counts_as_a_failed_login_is_a_refusal() {
        let failed: Vec<Kind> =
            Kind::ALL.iter().copied().filter(|kind| kind.failed_login().is_some()).collect();
        assert!(failed.contains(&Kind::SecondFactorRefused) && failed.contains(&Kind::LoginRefused));
        assert!(failed.iter().all(|kind| kind.name().ends_with("refused")));
    }
}
