//! What a decision wants written. A list of changes is applied in one transaction: all or nothing.

use uuid::Uuid;

use crate::context::UnixTime;
use crate::ids::{ClientId, TokenHash};
use crate::records::{
    AccessToken, AuditEvent, AuditSeal, AuditTally, Client, ClientKey, Code, Consent, Credential,
    CredentialKind, DeviceCode, Grant, InitialAccessToken, Interaction, LogoutDelivery, PushedRequest,
    Receipt, RefreshToken, Replay, Session, SessionClient, Tenant, TenantKey, User, UserLink,
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
    /// Writes nothing, and lets nobody write this user until the transaction ends: the stored version must be `version`
    /// ([`Conflict::Version`], also if the user is gone). What was judged by the record stands or falls with it.
    NeedUser {
        /// Who.
        id: Uuid,
        /// The version that was seen.
        version: i64,
    },

    /// Adds a session.
    InsertSession(Session),
    /// Moves `last_seen` forward; silent if the session is gone.
    TouchSession {
        /// Which.
        hash: TokenHash,
        /// To when.
        last_seen: UnixTime,
    },
    /// Writes nothing, and lets nobody end this session until the transaction ends: it must be there
    /// ([`Conflict::Session`]).
    NeedSession(TokenHash),
    /// Replaces when and how the person of a session has proved who they are, and its last use ([`Conflict::Session`] if it
    /// is gone).
    UpdateSession(Session),
    /// Ends a session; silent if it is gone.
    DeleteSession(TokenHash),
    /// Ends a session whose place another one takes: it must be there ([`Conflict::Session`]).
    TakeSession(TokenHash),
    /// Ends every session of a user, with the grants that hang on them and what they have logged in to; silent if there is
    /// none. Behind a change of the user's version it also finds those that were begun since the user was read, because a
    /// login needs the version that it saw.
    EndUserSessions {
        /// Whose.
        user_id: Uuid,
        /// All but this one.
        keep: Option<TokenHash>,
        /// When.
        at: UnixTime,
    },

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

    /// Adds a grant; its parent, if it has one, must stand unrevoked ([`Conflict::Grant`]).
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

    /// Adds a refresh token; its grant must stand unrevoked and be of its client and user ([`Conflict::Grant`]).
    InsertRefreshToken(RefreshToken),
    /// Exchanges a refresh token for a successor, which is added beside: it must be of this client, unexpired at `at`, not
    /// superseded, exchanged exactly `rotations` times before, its grant unrevoked. If `rotations` is not zero, its successors
    /// must all be unused, and those not superseded yet become so ([`Conflict::RefreshToken`]). Write it before the successor.
    RotateRefreshToken {
        /// Which.
        hash: TokenHash,
        /// By whom.
        client_id: ClientId,
        /// The count that was seen.
        rotations: i64,
        /// When.
        at: UnixTime,
    },
    /// Moves `expires_at` of a refresh token that is not rotated, under the same conditions ([`Conflict::RefreshToken`]).
    ProlongRefreshToken {
        /// Which.
        hash: TokenHash,
        /// By whom.
        client_id: ClientId,
        /// When.
        at: UnixTime,
        /// The new end.
        expires_at: UnixTime,
    },
    /// Ends one access token; silent if it is gone.
    DeleteAccessToken(TokenHash),
    /// Ends every grant that hangs on a session; silent if there is none.
    RevokeSessionGrants {
        /// The session's `sid`.
        sid: String,
        /// When.
        at: UnixTime,
    },

    /// Adds a pushed authorization request.
    InsertPushedRequest(PushedRequest),
    /// Uses a pushed authorization request: it must be there, of this client and unexpired ([`Conflict::PushedRequest`]).
    TakePushedRequest {
        /// Which.
        hash: TokenHash,
        /// By whom.
        client_id: ClientId,
        /// When.
        at: UnixTime,
    },

    /// Adds a device authorization; its user code must be new among those that live ([`Conflict::Exists`]).
    InsertDeviceCode(DeviceCode),
    /// Replaces stage, interval and last poll of a device authorization whose stored version is `version - 1` and which is
    /// unexpired at `at` ([`Conflict::Device`]). A grant it is approved with must stand unrevoked and be of its client and
    /// user ([`Conflict::Grant`]): write it after the grant.
    UpdateDeviceCode {
        /// The new state.
        device: DeviceCode,
        /// The request's instant.
        at: UnixTime,
    },

    /// Notes that a session has logged in to a client; silent if it is noted already.
    PutSessionClient(SessionClient),
    /// Forgets what a session has logged in to.
    DeleteSessionClients {
        /// The session's `sid`.
        sid: String,
    },
    /// Adds a logout delivery.
    InsertLogoutDelivery(LogoutDelivery),
    /// Replaces the state of a delivery whose stored count of attempts is `seen_attempts` and which is not settled
    /// ([`Conflict::Delivery`]).
    UpdateLogoutDelivery {
        /// The new state.
        delivery: LogoutDelivery,
        /// The count that was seen.
        seen_attempts: i64,
    },

    /// Adds an initial access token; its name must be new ([`Conflict::Exists`]).
    InsertInitialAccessToken(InitialAccessToken),
    /// Uses an initial access token once: it must be unexpired and have uses left ([`Conflict::InitialAccessToken`]).
    UseInitialAccessToken {
        /// Which.
        hash: TokenHash,
        /// When.
        at: UnixTime,
    },
    /// Removes an initial access token by its name ([`Conflict::Missing`]).
    DeleteInitialAccessToken {
        /// Its name.
        name: String,
    },

    /// Adds a credential of a user: a second authenticator application, or a passkey that is enrolled already, meets
    /// [`Conflict::Credential`].
    InsertCredential(Credential),
    /// Notes a use: the stored counts must be those that were seen ([`Conflict::Credential`]), so each one-time password is
    /// good once, and none is once too many were wrong.
    UseCredential {
        /// The new state.
        credential: Credential,
        /// The count that was seen.
        seen_counter: i64,
        /// The count of wrong codes that was seen.
        seen_failures: i64,
    },
    /// Counts a wrong code ([`Conflict::Credential`] if the credential is gone).
    MissCredential {
        /// Whose.
        user_id: Uuid,
        /// Which.
        id: Uuid,
    },
    /// Renames a credential ([`Conflict::Missing`]).
    RenameCredential {
        /// Whose.
        user_id: Uuid,
        /// Which.
        id: Uuid,
        /// To what.
        name: String,
    },
    /// Removes a credential ([`Conflict::Credential`] if it is gone: a recovery code is used by removing it).
    DeleteCredential {
        /// Whose.
        user_id: Uuid,
        /// Which.
        id: Uuid,
    },
    /// Removes every credential of one kind; silent if there is none.
    DeleteCredentials {
        /// Whose.
        user_id: Uuid,
        /// Of which kind.
        kind: CredentialKind,
    },
    /// Adds a link; the user's earlier ones for the same purpose end.
    InsertUserLink(UserLink),
    /// The same, but one that was made at `since` or later, is unused and has not expired stays, and then nothing is written
    /// ([`Conflict::Link`]).
    OfferUserLink {
        /// The link.
        link: UserLink,
        /// See above.
        since: UnixTime,
    },
    /// Uses a link once: it must be there and unexpired ([`Conflict::Link`]).
    UseUserLink {
        /// Which.
        hash: TokenHash,
        /// When.
        at: UnixTime,
    },

    /// Notes a creation; its key must be new for this actor ([`Conflict::Receipt`]).
    InsertReceipt(Receipt),

    /// Adds the next link of the audit chain, over exactly these events, none of which has a link yet ([`Conflict::Exists`]
    /// if another node was faster), and counts them.
    SealAudit {
        /// The link.
        seal: AuditSeal,
        /// The events it covers.
        events: Vec<Uuid>,
        /// What they add to the tallies.
        tallies: Vec<AuditTally>,
    },
    /// Removes the events of a link whose time is over; the link stays ([`Conflict::Missing`] if it has none any more).
    PurgeAudit {
        /// The link's number.
        number: i64,
        /// When.
        at: UnixTime,
        /// The MAC that says who removed them.
        mac: [u8; 32],
    },

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
    /// The refresh token was exchanged, superseded, has expired, or is another client's.
    #[error("the refresh token is no longer usable")]
    RefreshToken,
    /// The pushed request was used, has expired, or is another client's.
    #[error("the pushed request is no longer usable")]
    PushedRequest,
    /// The device authorization has moved on or expired.
    #[error("the device authorization has moved on")]
    Device,
    /// Another node makes this attempt, or the delivery is settled.
    #[error("the delivery has moved on")]
    Delivery,
    /// The initial access token is used up or has expired.
    #[error("the initial access token is no longer usable")]
    InitialAccessToken,
    /// The credential was used at the same time, or is gone.
    #[error("the credential is no longer as it was")]
    Credential,
    /// The session has ended.
    #[error("the session has ended")]
    Session,
    /// The link was used or has expired.
    #[error("the link is no longer usable")]
    Link,
    /// The idempotency key was used.
    #[error("the idempotency key has been used")]
    Receipt,
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
