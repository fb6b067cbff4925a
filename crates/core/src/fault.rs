//! Every way in which a request can be refused: one variant per broken rule, each with its stable reason code, wire
//! error code, HTTP status, log level and safe public text.

use serde_json::Value;
use signet_jose::{JoseFault, Offered};

/// How loudly a refusal is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Expected in daily use.
    Info,
    /// Somebody should look: a client is set up wrongly, or somebody is trying things.
    Warn,
    /// The operator must act.
    Error,
}

/// Declares the enum; each variant states reason code, wire code, status, level and public text in one line.
macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident $({ $($field:ident : $ty:ty),+ })?
        = $code:literal, $wire:literal, $status:literal, $level:ident, $text:literal;)+) => {
        /// A refusal. [`Fault::Object`] wraps what the JOSE policy found in a request object.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Fault {
            $(
                $(#[$doc])*
                #[doc = concat!("`", $code, "`: ``", $text, "``")]
                $variant $({ $(#[doc = concat!("The ", stringify!($field), ".")] $field: $ty),+ })?,
            )+
            /// The request object broke a rule of the JOSE policy.
            Object(JoseFault),
        }

        impl Fault {
            /// The stable reason code, for audit, logs and tests.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$variant $({ $($field: _),+ })? => $code,)+ Self::Object(fault) => fault.code() }
            }

            /// The `error` on the wire.
            pub fn wire(&self) -> &'static str {
                // RFC 9101 section 7: `invalid_request_object` for failures of the object itself.
                match self { $(Self::$variant $({ $($field: _),+ })? => $wire,)+ Self::Object(_) => "invalid_request_object" }
            }

            /// The HTTP status where the answer is not a redirect.
            pub fn status(&self) -> u16 {
                match self { $(Self::$variant $({ $($field: _),+ })? => $status,)+ Self::Object(_) => 400 }
            }

            /// How loudly to log it.
            pub fn level(&self) -> Level {
                match self { $(Self::$variant $({ $($field: _),+ })? => Level::$level,)+ Self::Object(_) => Level::Warn }
            }

            /// Text that may be shown to anybody.
            pub fn public(&self) -> String {
                match self {
                    $(Self::$variant $({ $($field),+ })? => format!($text),)+
                    Self::Object(fault) => object_text(fault),
                }
            }

            /// Every reason code with its wire code, status and text. What varies stands in a text as the name of a
            /// field in braces; for people there is [`Fault::general`].
            pub const TABLE: &'static [(&'static str, &'static str, u16, &'static str)] =
                &[$(($code, $wire, $status, $text)),+];
        }
    };
}

faults! {
    ParameterRepeated { name: Offered } = "parameter_repeated", "invalid_request", 400, Warn, "The parameter \"{name}\" occurs more than once.";
    ParameterTooLong { name: Offered } = "parameter_too_long", "invalid_request", 400, Warn, "The parameter \"{name}\" is too long.";
    TooManyParameters = "too_many_parameters", "invalid_request", 400, Warn, "The request has too many parameters.";
    ParameterEncoding = "parameter_encoding", "invalid_request", 400, Warn, "The request is not well-formed: parameters must be UTF-8 in form encoding.";
    ContentTypeUnsupported = "content_type_unsupported", "invalid_request", 415, Warn, "The body must be application/x-www-form-urlencoded.";
    BodyTooLarge = "body_too_large", "invalid_request", 413, Warn, "The body is too large.";
    UriTooLong = "uri_too_long", "invalid_request", 414, Warn, "The address is too long; send the request by POST instead.";

    ClientIdMissing = "client_id_missing", "invalid_request", 400, Warn, "The parameter \"client_id\" is missing.";
    ClientUnknown = "client_unknown", "invalid_request", 400, Warn, "There is no client with this client_id here.";
    RedirectUriMissing = "redirect_uri_missing", "invalid_request", 400, Warn, "The parameter \"redirect_uri\" is missing.";
    RedirectUriUnregistered = "redirect_uri_unregistered", "invalid_request", 400, Warn, "The redirect_uri is not registered for this client; it must be equal to a registered one, character by character.";
    ResponseTypeMissing = "response_type_missing", "invalid_request", 400, Warn, "The parameter \"response_type\" is missing.";
    ResponseTypeUnsupported = "response_type_unsupported", "unsupported_response_type", 400, Warn, "This response_type is not supported.";
    ResponseTypeNotAllowed = "response_type_not_allowed", "unauthorized_client", 400, Warn, "This client is not registered for this response_type.";
    ResponseModeUnsupported = "response_mode_unsupported", "invalid_request", 400, Warn, "This response_mode is not supported.";
    ResponseModeUnfit = "response_mode_unfit", "invalid_request", 400, Warn, "This response_mode must not carry tokens; leave it out, or use \"fragment\" or \"form_post\".";
    NonceMissing = "nonce_missing", "invalid_request", 400, Warn, "The parameter \"nonce\" is missing; it is required when an ID token comes by the browser.";
    ScopeMissing = "scope_missing", "invalid_scope", 400, Warn, "The parameter \"scope\" is missing; it must contain \"openid\".";
    ScopeWithoutOpenid = "scope_without_openid", "invalid_scope", 400, Warn, "The scope must contain \"openid\".";
    ScopeMalformed = "scope_malformed", "invalid_scope", 400, Warn, "The scope contains characters that a scope cannot have.";
    ScopeNotAllowed { scope: Offered } = "scope_not_allowed", "invalid_scope", 400, Warn, "This client may not ask for the scope \"{scope}\".";
    PkceRequired = "pkce_required", "invalid_request", 400, Warn, "This client must use PKCE: the parameter \"code_challenge\" is missing.";
    PkceMethodUnsupported = "pkce_method_unsupported", "invalid_request", 400, Warn, "code_challenge_method must be \"S256\".";
    PkceChallengeMalformed = "pkce_challenge_malformed", "invalid_request", 400, Warn, "code_challenge must be the base64url form of a SHA-256 hash: 43 characters.";
    PkceMethodAlone = "pkce_method_alone", "invalid_request", 400, Warn, "code_challenge_method without code_challenge.";
    PromptUnknown = "prompt_unknown", "invalid_request", 400, Warn, "prompt has an unknown value; none, login, consent, select_account and, where people may make accounts, create are known.";
    PromptNoneCombined = "prompt_none_combined", "invalid_request", 400, Warn, "prompt=none cannot be combined with other values.";
    MaxAgeMalformed = "max_age_malformed", "invalid_request", 400, Warn, "max_age must be a whole number of seconds, zero or more.";
    ResourceMalformed = "resource_malformed", "invalid_target", 400, Warn, "The parameter \"resource\" must be an absolute URI without a fragment.";
    ResourceUnknown = "resource_unknown", "invalid_target", 400, Warn, "The resource is not one that this client may ask tokens for.";
    ClaimsMalformed = "claims_malformed", "invalid_request", 400, Warn, "The claims parameter is not a JSON object of the form that OpenID Connect Core section 5.5 describes.";
    RequestUriTooLong = "request_uri_too_long", "invalid_request_uri", 400, Warn, "request_uri must not exceed 512 ASCII characters.";
    RequestUriUnregistered = "request_uri_unregistered", "invalid_request_uri", 400, Warn, "The request_uri is not registered for this client; it must be equal to a registered one, character by character, fragment included.";
    RequestUriNotFetched { reason: &'static str } = "request_uri_not_fetched", "invalid_request_uri", 400, Warn, "The request object could not be fetched from the request_uri ({reason}).";
    PushRequired = "push_required", "invalid_request", 400, Warn, "The request must be pushed to the pushed authorization request endpoint first.";
    PushOfRequestUri = "push_of_request_uri", "invalid_request", 400, Warn, "A request_uri cannot be pushed; push the parameters themselves, or a request object.";
    PushForAnother = "push_for_another", "invalid_request", 400, Warn, "client_id must be the client that pushes the request.";
    PushedRequestUnknown = "pushed_request_unknown", "invalid_request_uri", 400, Info, "This request_uri is not known here or was used before. Start again from the application.";
    PushedRequestExpired = "pushed_request_expired", "invalid_request_uri", 400, Info, "This request_uri has expired. Start again from the application.";
    PushedRequestForeign = "pushed_request_foreign", "invalid_request_uri", 400, Warn, "This request_uri was issued to another client.";
    RegistrationUnsupported = "registration_unsupported", "registration_not_supported", 400, Warn, "The registration parameter is not supported.";
    RequestObjectRequired = "request_object_required", "invalid_request", 400, Warn, "This client must send its requests as a request object.";
    EncryptedObjectRequired = "request_object_not_encrypted", "invalid_request_object", 400, Warn, "This client must encrypt its request objects.";
    RequestAndRequestUri = "request_and_request_uri", "invalid_request", 400, Warn, "request and request_uri cannot be used together.";
    EncryptionKeyMissing = "encryption_key_missing", "unauthorized_client", 400, Error, "This client is set to receive encrypted responses, but none of its encryption keys is valid now. Its owner must register one.";

    ObjectClientIdMissing = "object_client_id_missing", "invalid_request_object", 400, Warn, "The request object names no client: \"iss\" and \"client_id\" are missing.";
    ObjectClientIdMismatch = "object_client_id_mismatch", "invalid_request_object", 400, Warn, "client_id in the request object and beside it must be equal.";
    ObjectUnsigned = "object_unsigned", "invalid_request_object", 400, Warn, "This client must sign its request objects.";
    ObjectResponseTypeMismatch = "object_response_type_mismatch", "invalid_request_object", 400, Warn, "response_type in the request object and beside it must be equal.";
    ObjectKeyMissing = "object_key_missing", "invalid_request_object", 400, Warn, "This client has no signing key that is valid now.";
    ObjectSubIsClient = "object_sub_is_client", "invalid_request_object", 400, Warn, "A request object must not have the client_id as its \"sub\".";
    ObjectContainsRequest = "object_contains_request", "invalid_request_object", 400, Warn, "A request object must not contain request or request_uri.";
    ObjectParameterType { name: Offered } = "object_parameter_type", "invalid_request_object", 400, Warn, "The claim \"{name}\" of the request object has the wrong type.";
    ObjectContentType = "object_cty", "invalid_request_object", 400, Warn, "The header \"cty\" of an encrypted request object must be \"JWT\" if present.";
    ObjectJtiMissing = "object_jti_missing", "invalid_request_object", 400, Warn, "This client's request objects must have a \"jti\".";
    ObjectJtiMalformed = "object_jti_malformed", "invalid_request_object", 400, Warn, "\"jti\" must be a string of 1 to 256 bytes.";
    ObjectReplayed = "object_replayed", "invalid_request_object", 400, Warn, "This \"jti\" has been used before; make a new request object for each attempt.";

    InteractionUnknown = "interaction_unknown", "invalid_request", 400, Info, "This sign-in is not known here. Start again from the application.";
    InteractionExpired = "interaction_expired", "invalid_request", 400, Info, "This sign-in took too long. Start again from the application.";
    InteractionFinished = "interaction_finished", "invalid_request", 400, Info, "This sign-in has been completed already. Go back to the application.";
    InteractionForeign = "interaction_foreign", "invalid_request", 403, Warn, "This sign-in was started in another browser. Start again from the application, and allow cookies.";
    FormForged = "form_forged", "invalid_request", 403, Warn, "This form did not come from our page. Go back and try again.";
    FormMalformed = "form_malformed", "invalid_request", 400, Info, "The form is incomplete. Go back and try again.";
    CredentialsWrong = "credentials_wrong", "access_denied", 401, Info, "The user name or password is wrong.";
    SecondFactorWrong = "second_factor_wrong", "access_denied", 401, Info, "This code is wrong, or was used before.";
    PasskeyWrong = "passkey_wrong", "access_denied", 401, Info, "This passkey is not known here, or its answer came too late. Try again.";
    SecondFactorLocked = "second_factor_locked", "access_denied", 401, Warn, "Too many codes in a row were wrong, so those of the authenticator application are not accepted any more. Use a recovery code or a passkey, or ask an administrator to remove the application; then set it up anew.";
    PasskeyCopied = "passkey_copied", "access_denied", 401, Warn, "This passkey may have been copied: its counter has gone back. Use another way to sign in.";
    ProfileUnfit { name: &'static str } = "profile_unfit", "invalid_request", 400, Info, "{name} is too long, or has characters that it cannot have.";
    AccountChanged = "account_changed", "invalid_request", 409, Info, "The account was changed elsewhere in the meantime. Look again.";
    LinkUnusable = "link_unusable", "invalid_request", 400, Info, "This link was used already, has expired, or another one took its place. Ask for a new one.";
    PasswordWrong = "password_wrong", "access_denied", 401, Info, "This is not your present password.";
    CredentialNameUnfit = "credential_name_unfit", "invalid_request", 400, Info, "A name has 1 to 60 characters.";
    TooManyPasskeys = "too_many_passkeys", "invalid_request", 400, Info, "There are as many passkeys as one account can have. Remove one first.";
    LastOwner = "last_owner", "invalid_request", 409, Warn, "This is the last owner who can sign in. Make another one first.";
    UserForbidden = "user_forbidden", "insufficient_scope", 403, Warn, "This role allows more than you may do yourself, or is an owner's: only owners change owners.";
    AttemptsExhausted = "attempts_exhausted", "temporarily_unavailable", 429, Warn, "Too many attempts. Wait a minute, then try again.";
    SelfRegistrationOff = "self_registration_off", "invalid_request", 400, Warn, "Accounts cannot be made here.";
    NewUsernameUnfit = "new_username_unfit", "invalid_request", 400, Info, "A user name has 1 to 128 letters and digits, of one alphabet, and of these signs: . _ - + @ ' (not at its beginning).";
    NewUsernameTaken = "new_username_taken", "invalid_request", 400, Info, "Somebody has this user name already. Choose another one.";
    NewPasswordUnfit = "new_password_unfit", "invalid_request", 400, Info, "A password has at least 8 characters, and at most 512 bytes.";
    NewPasswordsDiffer = "new_passwords_differ", "invalid_request", 400, Info, "The two passwords are not the same.";
    NewNameUnfit = "new_name_unfit", "invalid_request", 400, Info, "A name has 1 to 200 characters.";
    NewEmailUnfit = "new_email_unfit", "invalid_request", 400, Info, "This is not an e-mail address.";
    AccessDenied = "access_denied", "access_denied", 400, Info, "The person declined.";
    LoginRequired = "login_required", "login_required", 400, Info, "The person must log in.";
    ConsentRequired = "consent_required", "consent_required", 400, Info, "The person must give consent.";
    AccountSelectionRequired = "account_selection_required", "account_selection_required", 400, Info, "The person must choose an account.";
    AcrUnmet = "acr_unmet", "unmet_authentication_requirements", 400, Info, "The demanded authentication context cannot be met.";

    HintMalformed { fault: JoseFault } = "hint_malformed", "invalid_request", 400, Warn, "The id_token_hint is not an ID token that this server accepts: {fault}.";
    HintUndecryptable = "hint_undecryptable", "invalid_request", 400, Warn, "The id_token_hint cannot be decrypted here. An ID token that was encrypted to the client must be decrypted by the client first: send the signed ID token that is inside, or encrypt that to a key of this server's jwks_uri.";
    HintKeyUnknown = "hint_key_unknown", "invalid_request", 400, Warn, "The id_token_hint was not signed with a key that this server has now; leave it out and start a new login.";
    HintForged = "hint_forged", "invalid_request", 400, Warn, "The signature of the id_token_hint does not verify; send an ID token exactly as this server signed it.";
    HintIssuer = "hint_issuer", "invalid_request", 400, Warn, "The id_token_hint was issued by somebody else; send an ID token of this server.";
    HintForeign = "hint_foreign", "invalid_request", 400, Warn, "The id_token_hint was issued to another client; send one that was issued to this client.";
    HintNoIdToken = "hint_no_id_token", "invalid_request", 400, Warn, "The id_token_hint is a token of another kind; send an ID token.";
    SessionEnded = "session_ended", "invalid_request", 400, Info, "You were signed out at the same time. Reload the page and sign in once more.";
    PostLogoutUriUnregistered = "post_logout_redirect_uri_unregistered", "invalid_request", 400, Warn, "The post_logout_redirect_uri is not registered for this client; it must be equal to a registered one, character by character.";
    LogoutUndelivered = "logout_undelivered", "server_error", 502, Warn, "The client could not be told of a logout.";

    ClientAuthMissing = "client_auth_missing", "invalid_client", 401, Warn, "Client authentication is missing.";
    ClientAuthMultiple = "client_auth_multiple", "invalid_request", 400, Warn, "Use one way of client authentication, not several.";
    ClientAuthMalformed = "client_auth_malformed", "invalid_client", 401, Warn, "The Authorization header is not well-formed Basic authentication.";
    ClientAuthMethodWrong = "client_auth_method_wrong", "invalid_client", 401, Warn, "Client authentication failed.";
    ClientAuthUnknown = "client_auth_unknown", "invalid_client", 401, Warn, "Client authentication failed.";
    ClientSecretWrong = "client_secret_wrong", "invalid_client", 401, Warn, "Client authentication failed.";
    AssertionTypeUnsupported = "client_assertion_type_unsupported", "invalid_client", 401, Warn, "client_assertion_type must be \"urn:ietf:params:oauth:client-assertion-type:jwt-bearer\".";
    AssertionMalformed { fault: JoseFault } = "assertion_malformed", "invalid_client", 401, Warn, "The client assertion is not acceptable: {fault}.";
    AssertionType = "assertion_typ", "invalid_client", 401, Warn, "The header \"typ\" of a client assertion must be \"client-authentication+jwt\" or \"JWT\", or be left out.";
    AssertionAlgorithm { wanted: String } = "assertion_algorithm", "invalid_client", 401, Warn, "The client assertion must be signed with the algorithm that the client is registered for: {wanted}.";
    AssertionKeyMissing = "assertion_key_missing", "invalid_client", 401, Warn, "This client has no signing key that is valid now; register one in its jwks or at its jwks_uri.";
    AssertionSecretMissing = "assertion_secret_missing", "invalid_client", 401, Warn, "This client has no secret that can verify its assertions; HS256, HS384 and HS512 need a client_secret of at least 32, 48 and 64 bytes.";
    AssertionKeyUnknown = "assertion_key_unknown", "invalid_client", 401, Warn, "No signing key of this client that is valid now fits the client assertion; register the key, or sign with a registered one and name it in \"kid\".";
    AssertionSignature = "assertion_signature", "invalid_client", 401, Warn, "The signature of the client assertion does not verify; sign with the registered key or secret.";
    AssertionNamesNoClient = "assertion_names_no_client", "invalid_client", 401, Warn, "The client assertion does not name one client; \"iss\" and \"sub\" must both be the client_id.";
    AssertionIssuer = "assertion_iss", "invalid_client", 401, Warn, "\"iss\" of the client assertion must be the client_id.";
    AssertionSubject = "assertion_sub", "invalid_client", 401, Warn, "\"sub\" of the client assertion must be the client_id.";
    AssertionAudience { wanted: String } = "assertion_audience", "invalid_client", 401, Warn, "\"aud\" of the client assertion must be {wanted}.";
    AssertionExpiryMissing = "assertion_exp_missing", "invalid_client", 401, Warn, "The client assertion must have \"exp\".";
    AssertionExpired = "assertion_expired", "invalid_client", 401, Warn, "The client assertion has expired; make a new one for each request, and check the clock.";
    AssertionLifetime { limit: i64 } = "assertion_lifetime", "invalid_client", 401, Warn, "\"exp\" of the client assertion is too far ahead; it may be at most {limit} seconds from now.";
    AssertionNotYetValid = "assertion_not_yet_valid", "invalid_client", 401, Warn, "\"iat\" or \"nbf\" of the client assertion lies in the future; check the clock.";
    AssertionJti = "assertion_jti", "invalid_client", 401, Warn, "The client assertion must have a \"jti\": a string of 1 to 256 bytes, another one each time.";
    AssertionReplayed = "assertion_replayed", "invalid_client", 401, Warn, "This client assertion has been used before; make a new one for each request, with a new \"jti\".";
    GrantTypeMissing = "grant_type_missing", "invalid_request", 400, Warn, "The parameter \"grant_type\" is missing.";
    GrantTypeUnsupported = "grant_type_unsupported", "unsupported_grant_type", 400, Warn, "This grant_type is not supported.";
    GrantTypeNotAllowed = "grant_type_not_allowed", "unauthorized_client", 400, Warn, "This client may not use this grant_type.";
    CodeMissing = "code_missing", "invalid_request", 400, Warn, "The parameter \"code\" is missing.";
    CodeUnknown = "code_unknown", "invalid_grant", 400, Warn, "The code is not valid.";
    CodeForeign = "code_foreign", "invalid_grant", 400, Warn, "The code is not valid.";
    CodeExpired = "code_expired", "invalid_grant", 400, Info, "The code is not valid.";
    CodeReplayed = "code_replayed", "invalid_grant", 400, Warn, "The code is not valid.";
    CodeRedirectMissing = "code_redirect_uri_missing", "invalid_request", 400, Warn, "The parameter \"redirect_uri\" is missing; it must repeat the one of the authorization request.";
    CodeRedirectMismatch = "code_redirect_uri_mismatch", "invalid_grant", 400, Warn, "redirect_uri differs from the one of the authorization request.";
    ExchangeSubjectMissing = "exchange_subject_missing", "invalid_request", 400, Warn, "The parameter \"subject_token\" is missing.";
    ExchangeTypeUnsupported = "exchange_type_unsupported", "invalid_request", 400, Warn, "Only access tokens are exchanged: each token needs its type, urn:ietf:params:oauth:token-type:access_token or, for clients whose access tokens are JWTs, urn:ietf:params:oauth:token-type:jwt.";
    ExchangeSubjectInvalid = "exchange_subject_invalid", "invalid_request", 400, Warn, "The subject_token is not one that this client may exchange.";
    ExchangeActorInvalid = "exchange_actor_invalid", "invalid_request", 400, Warn, "The actor_token is not one that this client may use.";
    ExchangeTooDeep = "exchange_too_deep", "invalid_request", 400, Warn, "The subject_token has been handed on too often.";
    DeviceCodeMissing = "device_code_missing", "invalid_request", 400, Warn, "The parameter \"device_code\" is missing.";
    DeviceCodeUnknown = "device_code_unknown", "invalid_grant", 400, Warn, "The device code is not valid.";
    DeviceCodeForeign = "device_code_foreign", "invalid_grant", 400, Warn, "The device code is not valid.";
    DeviceCodeReplayed = "device_code_replayed", "invalid_grant", 400, Warn, "The device code is not valid.";
    DeviceCodeExpired = "device_code_expired", "expired_token", 400, Info, "The device code has expired; start again.";
    DeviceDenied = "device_denied", "access_denied", 400, Info, "The person declined.";
    AuthorizationPending = "authorization_pending", "authorization_pending", 400, Info, "The person has not answered yet.";
    SlowDown = "slow_down", "slow_down", 400, Info, "Ask less often: wait five seconds more between two requests.";
    UserCodeUnknown = "user_code_unknown", "invalid_request", 400, Info, "This code is not known here, has been used or has expired. Check it, or start again on the device.";
    VerifierMissing = "code_verifier_missing", "invalid_grant", 400, Warn, "The parameter \"code_verifier\" is missing.";
    VerifierUnexpected = "code_verifier_unexpected", "invalid_grant", 400, Warn, "code_verifier was sent, but the authorization request had no code_challenge.";
    VerifierMalformed = "code_verifier_malformed", "invalid_grant", 400, Warn, "code_verifier must have 43 to 128 unreserved characters.";
    VerifierWrong = "code_verifier_wrong", "invalid_grant", 400, Warn, "code_verifier does not fit the code_challenge.";

    RefreshMissing = "refresh_token_missing", "invalid_request", 400, Warn, "The parameter \"refresh_token\" is missing.";
    RefreshUnknown = "refresh_token_unknown", "invalid_grant", 400, Warn, "The refresh token is not valid.";
    RefreshForeign = "refresh_token_foreign", "invalid_grant", 400, Warn, "The refresh token is not valid.";
    RefreshExpired = "refresh_token_expired", "invalid_grant", 400, Info, "The refresh token is not valid.";
    RefreshReused = "refresh_token_reused", "invalid_grant", 400, Warn, "The refresh token is not valid.";
    RefreshSessionEnded = "refresh_token_session_ended", "invalid_grant", 400, Info, "The refresh token is not valid.";
    RefreshContended = "refresh_token_contended", "temporarily_unavailable", 503, Warn, "Other requests are using this refresh token at this moment. Try again in a moment.";
    GrantScopeExceeded = "grant_scope_exceeded", "invalid_scope", 400, Warn, "The scope may not exceed the granted one.";
    ScopeNeedsUser = "scope_needs_user", "invalid_scope", 400, Warn, "A client that acts for itself cannot have the scopes \"openid\" and \"offline_access\".";
    ResourceNotAllowed = "resource_not_allowed", "invalid_target", 400, Warn, "The resource is not one that this client may ask tokens for here.";
    TokenParameterMissing = "token_parameter_missing", "invalid_request", 400, Warn, "The parameter \"token\" is missing.";
    RevocationForeign = "revocation_foreign", "invalid_grant", 400, Warn, "The token was issued to another client.";
    IntrospectionPublic = "introspection_public_client", "invalid_client", 401, Warn, "Introspection needs client authentication.";
    TokenMissing = "token_missing", "", 401, Info, "An access token is needed.";
    TokenMultiple = "token_multiple", "invalid_request", 400, Warn, "Send the access token once: in the header or in the form.";
    TokenMalformed = "token_malformed", "invalid_request", 400, Warn, "The Authorization header is not a Bearer token.";
    TokenUnknown = "token_unknown", "invalid_token", 401, Info, "The access token is not valid.";
    TokenExpired = "access_token_expired", "invalid_token", 401, Info, "The access token has expired.";
    ScopeInsufficient = "scope_insufficient", "insufficient_scope", 403, Info, "The access token lacks the scope \"openid\".";
    TokenOfClient = "token_of_client", "insufficient_scope", 403, Info, "The access token was issued to a client that acts for itself; there are no claims about a person.";
    AdminScopeMissing { scope: &'static str } = "admin_scope_missing", "insufficient_scope", 403, Warn, "The access token lacks the scope \"{scope}\".";
    AdminRoleMissing = "admin_role_missing", "insufficient_scope", 403, Info, "This account has no role in the administration of this tenant.";
    AdminRoleNeeded = "admin_role_needed", "access_denied", 400, Info, "This account has no role in the administration of this tenant. Ask an owner of the tenant for one.";
    AdminGrantForbidden { scope: &'static str } = "admin_grant_forbidden", "insufficient_scope", 403, Warn, "The client has, or is to have, the scope \"{scope}\". Only who holds it may give it, and developers give none.";
    AdminConsentForbidden { setting: &'static str } = "admin_consent_forbidden", "insufficient_scope", 403, Warn, "{setting}: only administrators let a client go without consent, and decide what it may ask for and where its answers go without it. Switch require_consent on, or ask an administrator.";
    AdminOwnerForbidden = "admin_owner_forbidden", "insufficient_scope", 403, Warn, "Developers own the clients that they make; only administrators say whose a client is.";
    ClientBuiltin = "client_built_in", "invalid_request", 403, Info, "This client is built in; it can be seen, not changed.";
    AdminTrialKeyNeedless { usage: &'static str } = "admin_trial_key_needless", "invalid_request", 409, Info, "The client has a key for {usage} already, so none is made to test a login with: it would take that key's place. Paste the private part of the key that is there, or remove the trial's keys and begin anew.";
    AdminClientNeeded = "admin_client_needed", "insufficient_scope", 403, Info, "Developers see the audit trail of their own clients; name one.";
    PasteEmpty = "paste_empty", "invalid_request", 400, Info, "Nothing was pasted. Paste a request object, an authorization URL, its query, or a form body.";
    PasteTooLong = "paste_too_long", "invalid_request", 413, Info, "This is longer than any request that is accepted.";
    PasteNoRequest = "paste_no_request", "invalid_request", 400, Info, "There is neither a request object nor a client_id in this.";
    PasteByReference = "paste_by_reference", "invalid_request", 400, Info, "This request names its object by request_uri. Paste the object itself.";
    AdminBodyMalformed = "admin_body_malformed", "invalid_request", 400, Info, "The body must be a JSON object of the members that the documentation names, no others.";
    AdminBodyUnexpected = "admin_body_unexpected", "invalid_request", 400, Info, "This operation has no body.";
    AdminContentType { wanted: &'static str } = "admin_content_type", "invalid_request", 415, Info, "The body must be {wanted}.";
    AdminParameterUnknown { name: Offered } = "admin_parameter_unknown", "invalid_request", 400, Info, "There is no query parameter \"{name}\" here.";
    AdminParameterMalformed { name: &'static str, wanted: &'static str } = "admin_parameter_malformed", "invalid_request", 400, Info, "{name} must be {wanted}.";
    AdminVersionMissing = "admin_version_missing", "invalid_request", 428, Info, "A change names the version that was seen, in If-Match; read the record first.";
    AdminVersionStale = "admin_version_stale", "invalid_request", 412, Info, "Somebody else has changed the record since it was read. Read it again, and decide anew.";
    AdminRecordMissing = "admin_record_missing", "invalid_request", 404, Info, "There is none of this name here, or none that you may see.";
    AdminRecordExists = "admin_record_exists", "invalid_request", 409, Info, "There is one of this name already.";
    AdminRecordInvalid = "admin_record_invalid", "invalid_request", 422, Info, "What was sent cannot work; nothing was written.";
    AdminKeyReused = "admin_idempotency_key_reused", "invalid_request", 422, Info, "The idempotency key was used for another request. Use a new one for each creation.";
    TokenForOther = "token_for_other_resource", "invalid_token", 401, Warn, "The access token is meant for another resource server.";
    UserGone = "user_gone", "invalid_token", 401, Warn, "The access token is not valid.";
    ResponseKeyMissing = "response_key_missing", "invalid_token", 401, Error, "This client is set to receive encrypted responses, but none of its encryption keys is valid now.";

    RegistrationTokenMissing = "registration_token_missing", "", 401, Info, "A token is needed: an initial access token to register, the registration access token to manage a client.";
    RegistrationTokenMalformed = "registration_token_malformed", "invalid_request", 400, Warn, "The Authorization header is not a Bearer token.";
    InitialTokenUnusable = "initial_access_token_unusable", "invalid_token", 401, Warn, "The initial access token is unknown, used up or expired.";
    RegistrationTokenWrong = "registration_access_token_wrong", "invalid_token", 401, Warn, "The registration access token is not valid for this client.";
    RegistrationContentType = "registration_content_type", "invalid_request", 415, Warn, "The body must be application/json.";
    RegistrationBody = "registration_body", "invalid_client_metadata", 400, Warn, "The body must be a JSON object of at most 64 KiB.";
    MetadataType { name: &'static str, wanted: &'static str } = "client_metadata_type", "invalid_client_metadata", 400, Warn, "{name} must be {wanted}.";
    MetadataValue { name: &'static str, value: Offered } = "client_metadata_value", "invalid_client_metadata", 400, Warn, "{name}: the value \"{value}\" is not supported.";
    MetadataEncAlone { alg: &'static str, enc: &'static str } = "client_metadata_enc_alone", "invalid_client_metadata", 400, Warn, "{enc} is given without {alg}.";
    MetadataKeysTwice = "client_metadata_keys_twice", "invalid_client_metadata", 400, Warn, "jwks and jwks_uri are both given; they must not be used together.";
    MetadataKey { problem: String } = "client_metadata_key", "invalid_client_metadata", 400, Warn, "jwks: {problem}.";
    MetadataContradiction { problem: String } = "client_metadata_contradiction", "invalid_client_metadata", 400, Warn, "{problem}";
    MetadataRedirectUri { problem: String } = "client_metadata_redirect_uri", "invalid_redirect_uri", 400, Warn, "{problem}";
    MetadataServersOwn { name: &'static str } = "client_metadata_servers_own", "invalid_client_metadata", 400, Warn, "{name} is the server's to give and must not be sent.";
    MetadataClientId = "client_metadata_client_id", "invalid_client_metadata", 400, Warn, "client_id must be that of the client at this address.";
    MetadataSecret = "client_metadata_secret", "invalid_client_metadata", 400, Warn, "client_secret is not the client's present one; a client cannot choose its secret.";
    SoftwareStatement = "software_statement", "unapproved_software_statement", 400, Warn, "Software statements are not accepted here.";
    SectorUnreadable = "sector_identifier_unreadable", "invalid_client_metadata", 400, Warn, "sector_identifier_uri could not be read as a JSON array of strings.";
    SectorMismatch = "sector_identifier_mismatch", "invalid_client_metadata", 400, Warn, "The document at sector_identifier_uri does not list every redirect URI.";

    RateLimited = "rate_limited", "temporarily_unavailable", 429, Warn, "Too many requests. Wait a moment.";
    Busy = "busy", "temporarily_unavailable", 503, Warn, "The server is busy. Try again in a moment.";
    StoreUnavailable = "store_unavailable", "temporarily_unavailable", 503, Error, "The server cannot reach its database. Try again in a moment.";
    SigningKeyMissing = "signing_key_missing", "server_error", 500, Error, "The server has no signing key for this client's algorithm.";
    Internal { detail: &'static str } = "internal", "server_error", 500, Error, "Something went wrong here ({detail}).";
    NotFound = "not_found", "invalid_request", 404, Info, "This address leads nowhere.";
    MethodNotAllowed = "method_not_allowed", "invalid_request", 405, Info, "This address does not answer to this method.";
}

/// RFC 7516 section 11.5: one text for every failure to decrypt, so that nobody learns from it.
fn object_text(fault: &JoseFault) -> String {
    object_text_of(fault.code(), &fault.to_string())
}

fn object_text_of(code: &str, text: &str) -> String {
    match code {
        "undecryptable" | "undecryptable_key_unknown" => "The request object cannot be decrypted.".to_owned(),
        _ => format!("The request object is not acceptable: {text}."),
    }
}

/// What is said in place of a part of a text that varies.
const PLACES: &[(&str, &str)] = &[
    ("wanted", "(what is wanted)"),
    ("limit", "(the limit)"),
    ("name", "(its name)"),
    ("value", "(its value)"),
    ("scope", "(the scope)"),
    ("fault", "(what is wrong with it)"),
    ("problem", "(what is wrong)"),
    ("reason", "(the reason)"),
    ("detail", "(what)"),
    ("found", "(what was found)"),
    ("segment", "(one)"),
    ("member", "(its name)"),
    ("claim", "(its name)"),
];

/// The text with words in place of each field in braces.
fn in_words(text: &str) -> String {
    let mut words = String::new();
    let mut rest = text;
    while let Some((before, (field, after))) =
        rest.split_once('{').and_then(|(before, from)| Some((before, from.split_once('}')?)))
    {
        words.push_str(before);
        match PLACES.iter().find(|(known, _)| *known == field) {
            Some((_, place)) => words.push_str(place),
            None => words.extend(["(", field, ")"]),
        }
        rest = after;
    }
    words + rest
}

impl Fault {
    /// Every reason code, those of request objects last.
    pub fn codes() -> Vec<&'static str> {
        Self::TABLE.iter().map(|row| row.0).chain(JoseFault::CODES.iter().copied()).collect()
    }

    /// The public text that belongs to a reason code, where nothing but the code is known: what varies is named in words.
    /// `None` for codes that there are none of.
    pub fn general(code: &str) -> Option<String> {
        let row = Self::TABLE.iter().find(|row| row.0 == code).map(|row| in_words(row.3));
        row.or_else(|| {
            let (_, text) = JoseFault::TEXTS.iter().find(|row| row.0 == code)?;
            Some(object_text_of(code, &in_words(text)))
        })
    }

    /// The public text, if the reason code alone does not tell it.
    pub fn particular(&self) -> Option<String> {
        let text = self.public();
        (Self::general(self.code()).as_ref() != Some(&text)).then_some(text)
    }

    /// What the operator may know and the sender may not, or `null`.
    pub fn detail(&self) -> Value {
        match self {
            Self::Object(fault) | Self::AssertionMalformed { fault } | Self::HintMalformed { fault } => {
                fault.offered().map_or(Value::Null, Into::into)
            }
            Self::RequestUriNotFetched { reason } => (*reason).into(),
            _ => Value::Null,
        }
    }
}

impl From<JoseFault> for Fault {
    fn from(fault: JoseFault) -> Self {
        Self::Object(fault)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use signet_jose::JoseFault;

    use super::Fault;

    #[test]
    fn reason_codes_are_unique_and_lower_case() {
        let codes: BTreeSet<_> = Fault::TABLE.iter().map(|row| row.0).collect();
        assert_eq!(codes.len(), Fault::TABLE.len());
        for code in codes {
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
        }
    }

    #[test]
    fn general_texts_name_what_varies_and_particular_ones_tell_it() {
        let codes = Fault::codes();
        for code in codes {
            let text = Fault::general(code).unwrap();
            assert!(!text.is_empty() && !text.contains(['{', '}']), "{code}: {text}");
        }
        assert_eq!(Fault::general("nothing"), None);
        assert_eq!(Fault::CodeUnknown.particular(), None, "the code tells it");
        let fault = Fault::AssertionLifetime { limit: 60 };
        assert!(fault.particular().unwrap().contains("at most 60 seconds"));
        assert!(Fault::general(fault.code()).unwrap().contains("at most (the limit) seconds"));
        let object = Fault::Object(JoseFault::Segments { found: 4 });
        assert_eq!(object.particular(), Some(object.public()));
        assert_eq!(Fault::Object(JoseFault::ExpMissing).particular(), None);
    }

    #[test]
    fn error_descriptions_keep_to_the_characters_of_rfc6749() {
        // RFC 6749 section 4.1.2.1: %x20-21 / %x23-5B / %x5D-7E; quotes are replaced when rendered.
        for (_, _, _, text) in Fault::TABLE {
            assert!(text.bytes().all(|b| (0x20..=0x7e).contains(&b)), "{text}");
        }
    }
}
