//! Why a declaration was refused.

use signet_jose::{KeyFault, KeyUse};
use uuid::Uuid;

use crate::client_policy::{Contradiction, UriProblem};
use crate::coded::coded;
use crate::pointer::{of_member, of_setting, pointer};

coded! {
    /// Why a declaration was refused. The text says what to do, and is safe to show.
    Refusal {
        Version { found: u32 } = "declaration_version", "The declaration has version {found}; only version 1 is known.", at [of_member("version")];
        DeclaredTwice { name: String } = "declared_twice", "\"{name}\" is declared twice. Keep one of the two.";

        Setting { problem: Contradiction } = "client_setting", "{problem}", at problem.pointers();
        Builtin { name: String } = "client_builtin", "The client \"{name}\" is built in: it is always as this program makes it. Choose another client_id.", at [of_member("client_id")];
        OwnerUnknown { id: Uuid } = "owner_unknown", "There is no user {id} who could own the client.", at [of_member("owner")];
        TrialWithoutLogin = "trial_without_login", "response_types is empty, so the client signs nobody in and no login of it can be tried.", at [of_setting("response_types")];
        Fixed { setting: &'static str } = "setting_fixed", "{setting} cannot be changed here. Send it as it is.", at [of_setting(setting)];
        SecretTwice = "secret_twice", "secret and generate_secret are both given. Keep one of the two.", at [of_member("secret")];
        SecretWeak { min: usize } = "secret_weak", "The client secret must have {min} to 255 visible ASCII characters. Let it be made with generate_secret.", at [of_member("secret")];

        SecretUnsealed = "secret_unsealed", "The client makes MACs with its secret, so the secret is kept encrypted under the master key; but no master key is given. Set SIGNET_MASTER_KEY or SIGNET_MASTER_KEY_FILE.", at [of_setting("token_endpoint_auth_method")];

        KeyName { name: String } = "key_name", "The key name \"{name}\" must have 1 to 100 characters and no control characters.", at [of_member("keys"), of_member("name")];
        KeySource { name: String, fault: KeyFault } = "key_source", "Key \"{name}\": {fault}.", at [of_member("keys"), of_member("source")];
        KeySourceForm { name: String } = "key_source_form", "Key \"{name}\": the source must be a JWK, a JWK set, a PEM public key or a PEM certificate.", at [of_member("keys"), of_member("source")];
        KeyUsage { name: String, usage: KeyUse } = "key_usage", "Key \"{name}\": the source has no key that can be used for \"{usage}\".", at [of_member("keys"), of_member("usage")];
        KeyPeriod { name: String } = "key_period", "Key \"{name}\": not_after must be later than not_before.", at [of_member("keys"), of_member("not_after")];
        KidTaken { name: String, kid: String } = "kid_taken", "Key \"{name}\": the kid \"{kid}\" belongs to another key of this client already, with other material. Give the new key another kid.", at [of_member("keys"), of_member("source")];
        KeyReused { name: String, other: String } = "key_reused", "Key \"{name}\" is the same key as \"{other}\". Use one key for signing or for encryption, never for both, and declare it once.", at [of_member("keys"), of_member("source")];
        KeyWithdrawn { name: String, kid: String } = "key_withdrawn", "Key \"{name}\" (kid \"{kid}\") was withdrawn from this client and is not accepted again. Make a new key.", at [of_member("keys"), of_member("source")];
        KeysTooMany { found: usize, max: usize } = "keys_too_many", "The client would have {found} keys; at most {max} are kept. Withdraw those that are not used.", at [of_member("keys"), of_member("source")];

        IssuerMissing = "issuer_missing", "A new tenant needs an issuer.", at [of_member("issuer")];
        Issuer { uri: String, problem: UriProblem } = "issuer", "issuer: \"{uri}\" {problem}.", at [of_member("issuer")];
        IssuerTaken { uri: String, other: String } = "issuer_taken", "issuer: addresses below \"{uri}\" would be those of the tenant \"{other}\", or the other way round. Choose another path or host.", at [of_member("issuer")];
        TenantId = "tenant_id_form", "A tenant id has 1 to 63 characters: lower-case letters, digits and hyphens, with a letter or digit first.", at [of_member("id")];
        TenantIdMismatch { found: String, wanted: String } = "tenant_id_mismatch", "The declaration is for the tenant \"{found}\", but is being applied to \"{wanted}\".", at [of_member("id")];
        Development = "tenant_development", "development can be set only by `signet dev`, for records that production refuses to serve. Remove it.", at [of_setting("development")];
        SigningAlgsMissing = "signing_algs_missing", "signing_algs is empty, so no ID token could be signed. Add RS256.", at [of_setting("signing_algs")];
        SigningAlgSymmetric = "signing_alg_symmetric", "signing_algs has a symmetric algorithm; the tenant's keys are asymmetric. Remove it.", at [of_setting("signing_algs")];
        Duration { setting: &'static str, found: i64, min: i64, max: i64 } = "duration", "{setting} is {found}; it must lie between {min} and {max} seconds.", at [of_setting(setting), of_member(setting)];
        Branding { setting: &'static str, problem: &'static str } = "branding", "branding: {setting} {problem}.", at [of_setting(&format!("branding.{setting}")), of_member(setting)];
        ScopeForm { name: String } = "custom_scope_form", "scopes: the name \"{name}\" must have 1 to 100 visible ASCII characters other than \" and \\.", at [of_setting("scopes")];
        ScopeTaken { name: String } = "custom_scope_taken", "scopes: \"{name}\" is a standard scope, or is there twice. Choose another name.", at [of_setting("scopes")];
        ScopeText { name: String } = "custom_scope_text", "scopes: title and detail of \"{name}\" must have 1 to 200 characters and no control characters; people read them when they consent.", at [of_setting("scopes")];
        ScopeClaim { name: String, claim: String } = "custom_scope_claim", "scopes: \"{name}\" stands for \"{claim}\", which is not the name of a claim about a person. Remove it.", at [of_setting("scopes")];
        ScopesTooMany { max: usize } = "custom_scopes_too_many", "There are more than {max} scopes, or one of them stands for more than {max} claims. Remove those that are not used.", at [of_setting("scopes")];
        ClientLosesSetting { client: String, setting: &'static str } = "client_loses_setting", "The client \"{client}\" relies on {setting}, which would end. Change the client first.", at [of_setting(setting)];
        ClientLosesAlg { client: String, alg: String } = "client_loses_alg", "signing_algs lacks {alg}, which the client \"{client}\" is set to. Change the client first.", at [of_setting("signing_algs")];

        TokenName = "token_name", "A registration token's name has 1 to 100 characters and no control characters.", at [of_member("name")];
        TokenExpires = "token_expires", "expires_at lies in the past.", at [of_member("expires_at")];
        TokenUses { max: i64 } = "token_uses", "uses must lie between 1 and {max}; leave it out for any number.", at [of_member("uses")];

        Username { name: String } = "username_form", "The username \"{name}\" must have 1 to 128 characters, without spaces, control characters and others that cannot be seen.", at [of_member("username"), pointer(&["owner", "username"])];
        PasswordTwice = "password_twice", "password and password_hash are both given. Keep one of the two.", at [of_member("password")];
        PasswordHash = "password_hash_form", "password_hash must be a PHC string of argon2id ($argon2id$...).", at [of_member("password_hash")];
        PasswordUnhashed = "password_unhashed", "The password was not hashed before it came here.", at [of_member("password")];
        ClaimUnknown { name: String } = "claim_unknown", "The claim \"{name}\" cannot be set; the standard claims of OpenID Connect Core section 5.1 can, except sub and updated_at.", at [pointer(&["claims", name]), pointer(&["owner", "claims", name])];
        ClaimForm { name: String, wanted: &'static str } = "claim_form", "The claim \"{name}\" must be {wanted}.", at [pointer(&["claims", name]), pointer(&["owner", "claims", name])];
    }
}

impl Refusal {
    /// The stable code of what is wrong; for a setting that of the contradiction.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Setting { problem } => problem.code(),
            other => other.code(),
        }
    }
}
