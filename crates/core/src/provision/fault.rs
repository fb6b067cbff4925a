//! Why a declaration was refused.

use signet_jose::{KeyFault, KeyUse};
use uuid::Uuid;

use crate::client_policy::named_settings;
use crate::client_policy::{Contradiction, UriProblem};
use crate::coded::coded;

coded! {
    /// Why a declaration was refused. The text says what to do, and is safe to show.
    Refusal {
        Version { found: u32 } = "declaration_version", "The declaration has version {found}; only version 1 is known.";
        DeclaredTwice { name: String } = "declared_twice", "\"{name}\" is declared twice. Keep one of the two.";

        Setting { problem: Contradiction } = "client_setting", "{problem}";
        Builtin { name: String } = "client_builtin", "The client \"{name}\" is built in: it is always as this program makes it. Choose another client_id.";
        OwnerUnknown { id: Uuid } = "owner_unknown", "There is no user {id} who could own the client.";
        TrialWithoutLogin = "trial_without_login", "response_types is empty, so the client signs nobody in and no login of it can be tried.";
        Fixed { setting: &'static str } = "setting_fixed", "{setting} cannot be changed here. Send it as it is.";
        SecretTwice = "secret_twice", "secret and generate_secret are both given. Keep one of the two.";
        SecretWeak { min: usize } = "secret_weak", "The client secret must have {min} to 255 visible ASCII characters. Let it be made with generate_secret.";

        SecretUnsealed = "secret_unsealed", "The client makes MACs with its secret, so the secret is kept encrypted under the master key; but no master key is given. Set SIGNET_MASTER_KEY or SIGNET_MASTER_KEY_FILE.";

        KeyName { name: String } = "key_name", "The key name \"{name}\" must have 1 to 100 characters and no control characters.";
        KeySource { name: String, fault: KeyFault } = "key_source", "Key \"{name}\": {fault}.";
        KeySourceForm { name: String } = "key_source_form", "Key \"{name}\": the source must be a JWK, a JWK set, a PEM public key or a PEM certificate.";
        KeyUsage { name: String, usage: KeyUse } = "key_usage", "Key \"{name}\": the source has no key that can be used for \"{usage}\".";
        KeyPeriod { name: String } = "key_period", "Key \"{name}\": not_after must be later than not_before.";
        KidTaken { name: String, kid: String } = "kid_taken", "Key \"{name}\": the kid \"{kid}\" belongs to another key of this client already, with other material. Give the new key another kid.";
        KeyReused { name: String, other: String } = "key_reused", "Key \"{name}\" is the same key as \"{other}\". Use one key for signing or for encryption, never for both, and declare it once.";
        KeyWithdrawn { name: String, kid: String } = "key_withdrawn", "Key \"{name}\" (kid \"{kid}\") was withdrawn from this client and is not accepted again. Make a new key.";
        KeysTooMany { found: usize, max: usize } = "keys_too_many", "The client would have {found} keys; at most {max} are kept. Withdraw those that are not used.";

        IssuerMissing = "issuer_missing", "A new tenant needs an issuer.";
        Issuer { uri: String, problem: UriProblem } = "issuer", "issuer: \"{uri}\" {problem}.";
        IssuerTaken { uri: String, other: String } = "issuer_taken", "issuer: addresses below \"{uri}\" would be those of the tenant \"{other}\", or the other way round. Choose another path or host.";
        TenantId = "tenant_id_form", "A tenant id has 1 to 63 characters: lower-case letters, digits and hyphens, with a letter or digit first.";
        TenantIdMismatch { found: String, wanted: String } = "tenant_id_mismatch", "The declaration is for the tenant \"{found}\", but is being applied to \"{wanted}\".";
        Development = "tenant_development", "development can be set only by `signet dev`, for records that production refuses to serve. Remove it.";
        SigningAlgsMissing = "signing_algs_missing", "signing_algs is empty, so no ID token could be signed. Add RS256.";
        SigningAlgSymmetric = "signing_alg_symmetric", "signing_algs has a symmetric algorithm; the tenant's keys are asymmetric. Remove it.";
        Duration { setting: &'static str, found: i64, min: i64, max: i64 } = "duration", "{setting} is {found}; it must lie between {min} and {max} seconds.";
        Branding { problem: &'static str } = "branding", "branding: {problem}.";
        ScopeForm { name: String } = "custom_scope_form", "scopes: the name \"{name}\" must have 1 to 100 visible ASCII characters other than \" and \\.";
        ScopeTaken { name: String } = "custom_scope_taken", "scopes: \"{name}\" is a standard scope, or is there twice. Choose another name.";
        ScopeText { name: String } = "custom_scope_text", "scopes: title and detail of \"{name}\" must have 1 to 200 characters and no control characters; people read them when they consent.";
        ScopeClaim { name: String, claim: String } = "custom_scope_claim", "scopes: \"{name}\" stands for \"{claim}\", which is not the name of a claim about a person. Remove it.";
        ScopesTooMany { max: usize } = "custom_scopes_too_many", "There are more than {max} scopes, or one of them stands for more than {max} claims. Remove those that are not used.";
        ClientLosesSetting { client: String, setting: &'static str } = "client_loses_setting", "The client \"{client}\" relies on {setting}, which would end. Change the client first.";
        ClientLosesAlg { client: String, alg: String } = "client_loses_alg", "signing_algs lacks {alg}, which the client \"{client}\" is set to. Change the client first.";

        TokenName = "token_name", "A registration token's name has 1 to 100 characters and no control characters.";
        TokenExpires = "token_expires", "expires_at lies in the past.";
        TokenUses { max: i64 } = "token_uses", "uses must lie between 1 and {max}; leave it out for any number.";

        Username { name: String } = "username_form", "The username \"{name}\" must have 1 to 128 characters, without spaces, control characters and others that cannot be seen.";
        PasswordTwice = "password_twice", "password and password_hash are both given. Keep one of the two.";
        PasswordHash = "password_hash_form", "password_hash must be a PHC string of argon2id ($argon2id$...).";
        PasswordUnhashed = "password_unhashed", "The password was not hashed before it came here.";
        ClaimUnknown { name: String } = "claim_unknown", "The claim \"{name}\" cannot be set; the standard claims of OpenID Connect Core section 5.1 can, except sub and updated_at.";
        ClaimForm { name: String, wanted: &'static str } = "claim_form", "The claim \"{name}\" must be {wanted}.";
    }
}

impl Refusal {
    /// The settings that the text names, by their paths, in the order in which it does: what contradicts what.
    pub fn settings(&self) -> Vec<String> {
        match self {
            Self::Duration { setting, .. } | Self::Fixed { setting } => vec![(*setting).to_owned()],
            other => named_settings(&other.to_string()),
        }
    }
}
