//! What a decision wants written. A list of changes is applied in one transaction: all or nothing.

use uuid::Uuid;

use crate::context::UnixTime;
use crate::ids::{ClientId, TokenHash};
use crate::records::{
    AccessToken, AuditEvent, Client, ClientKey, Code, Consent, Grant, Interaction, Replay, Session, Tenant,
    TenantKey, User,
};

/// One write. Those on single-use or versioned values carry the state they expect, and the row
/// count decides; see [`Conflict`].
#[derive(Clone, Debug)]
pub enum Change {
    /// Adds a tenant; its id and issuer must be new ([`Conflict::Exists`]).
    InsertTenant(Tenant),
    /// Replaces a tenant whose stored version is `tenant.version - 1` ([`Conflict::Version`]).
    UpdateTenant(Tenant),
    /// Adds a key pair of the tenant ([`Conflict::Exists`] on the same id).
    InsertTenantKey(TenantKey),
    /// Sets `use_until` and `remove_at` of a key ([`Conflict::Missing`]).
    EndTenantKey {
        /// The key's id.
        id: String,
        /// New end of use.
        use_until: UnixTime,
        /// New end of publication.
        remove_at: UnixTime,
    },
    /// Withdraws a key at once ([`Conflict::Missing`]).
    RevokeTenantKey {
        /// The key's id.
        id: String,
        /// From here on.
        at: UnixTime,
    },

    /// Adds a client ([`Conflict::Exists`]).
    InsertClient(Client),
    /// Replaces a client whose stored version is `client.version - 1` ([`Conflict::Version`]).
    UpdateClient(Client),
    /// Removes a client with its keys, consents, codes and tokens ([`Conflict::Missing`]).
    DeleteClient(ClientId),
    /// Adds a client's key; the `kid` must be new among that client's unrevoked keys ([`Conflict::Exists`]).
    InsertClientKey(ClientKey),
    /// Changes name and period of a key ([`Conflict::Missing`]).
    UpdateClientKey {
        /// Whose.
        client_id: ClientId,
        /// Which.
        id: Uuid,
        /// New name.
        name: String,
        /// New start.
        not_before: Option<UnixTime>,
        /// New end.
        not_after: Option<UnixTime>,
    },
    /// Withdraws a client's key at once ([`Conflict::Missing`]).
    RevokeClientKey {
        /// Whose.
        client_id: ClientId,
        /// Which.
        id: Uuid,
        /// From here on.
        at: UnixTime,
    },

    /// Adds a user; id and username must be new ([`Conflict::Exists`]).
    InsertUser(User),
    /// Replaces a user whose stored version is `user.version - 1` ([`Conflict::Version`]).
    UpdateUser(User),
    /// Removes a user with sessions, consents, codes and tokens ([`Conflict::Missing`]).
    DeleteUser(Uuid),

    /// Adds a session.
    InsertSession(Session),
    /// Moves `last_seen` forward; silent if the session is gone.
    TouchSession {
        /// Which.
        hash: TokenHash,
        /// To when.
        last_seen: UnixTime,
    },
    /// Ends a session; silent if it is gone.
    DeleteSession(TokenHash),

    /// Adds an interaction.
    InsertInteraction(Interaction),
    /// Replaces an interaction whose stored version is `interaction.version - 1` and which is
    /// unexpired at `now` ([`Conflict::Interaction`]).
    UpdateInteraction {
        /// The new state.
        interaction: Interaction,
        /// The request's instant.
        now: UnixTime,
    },

    /// Adds or replaces a consent.
    PutConsent(Consent),
    /// Takes a consent back, with every grant of this user to this client; silent if there is none.
    DeleteConsent {
        /// Whose.
        user_id: Uuid,
        /// To whom.
        client_id: ClientId,
        /// When.
        at: UnixTime,
    },

    /// Adds a grant.
    InsertGrant(Grant),
    /// Ends a grant and everything issued under it; silent if it has ended already.
    RevokeGrant {
        /// Which.
        id: Uuid,
        /// When.
        at: UnixTime,
    },
    /// Adds a code.
    InsertCode(Code),
    /// Marks a code as redeemed: it must be unredeemed, unexpired, of this client, and its grant
    /// unrevoked ([`Conflict::Code`]).
    RedeemCode {
        /// Which.
        hash: TokenHash,
        /// By whom.
        client_id: ClientId,
        /// When.
        at: UnixTime,
    },
    /// Adds an access token; its grant must stand unrevoked ([`Conflict::Grant`]).
    InsertAccessToken(AccessToken),

    /// Uses a `jti`: one statement on the primary decides ([`Conflict::Replay`]).
    ClaimReplay(Replay),

    /// Adds to the audit trail.
    Audit(Box<AuditEvent>),
}

/// Why nothing was written: the state was not the one a change expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Conflict {
    /// The `jti` has been used.
    #[error("the jti has been used before")]
    Replay,
    /// The code is redeemed, expired, or another client's.
    #[error("the code is no longer redeemable")]
    Code,
    /// The grant was revoked.
    #[error("the grant was revoked")]
    Grant,
    /// The interaction has moved on or expired.
    #[error("the interaction has moved on")]
    Interaction,
    /// Somebody else changed the record in between.
    #[error("the record was changed by somebody else in between")]
    Version,
    /// A record of this name exists.
    #[error("a record of this name exists already")]
    Exists,
    /// There is no such record.
    #[error("there is no such record")]
    Missing,
}
