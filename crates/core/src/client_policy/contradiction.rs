//! The table of settings that cannot work together.

use signet_jose::{KeyAlg, SigAlg};

use super::{NoKey, UriProblem};
use crate::coded::coded;
use crate::pointer::{of_member, of_setting};

coded! {
    /// Settings that cannot work. The text says what contradicts what, and what to do.
    Contradiction {
        ClientId = "client_id_form", "A client_id has 1 to 100 visible ASCII characters. Choose another one.", at [of_member("client_id")];
        ClientName = "client_name_form", "client_name must have 1 to 100 characters and no control characters. Shorten or fill it in.", at [of_setting("client_name")];
        PageUri { setting: &'static str, uri: String, problem: UriProblem } = "page_uri", "{setting}: \"{uri}\" {problem}.", at [of_setting(setting)];
        RedirectUrisMissing = "redirect_uris_missing", "The client has no redirect_uris, so no response could reach it. Register at least one.", at [of_setting("redirect_uris")];
        RedirectUrisTooMany = "redirect_uris_too_many", "The client has more than 100 redirect_uris. Remove those that are not used.", at [of_setting("redirect_uris")];
        ImplicitLocalhost { uri: String } = "implicit_localhost", "redirect_uris: \"{uri}\" leads to this machine, but grant_types has implicit and application_type is web. Use a public host name, remove implicit, or set application_type to native.", at [of_setting("redirect_uris"), of_setting("grant_types"), of_setting("application_type")];
        RedirectUri { uri: String, problem: UriProblem } = "redirect_uri", "redirect_uris: \"{uri}\" {problem}.", at [of_setting("redirect_uris")];

        GrantTypesMissing = "grant_types_missing", "The client has no grant_types, so it could not get any token. Add authorization_code.", at [of_setting("grant_types")];
        ResponseTypeWithoutGrant { response_type: &'static str, grant: &'static str } = "response_type_without_grant", "response_types has \"{response_type}\", which needs {grant} in grant_types. Add it there, or remove the response type.", at [of_setting("response_types"), of_setting("grant_types")];
        ResponseTypesMissing { grant: &'static str } = "response_types_missing", "grant_types has {grant}, but response_types has nothing that starts it. Add \"code\", or remove the grant.", at [of_setting("response_types"), of_setting("grant_types")];
        RefreshAlone = "refresh_alone", "grant_types has refresh_token, but neither authorization_code nor device_code, so there would be no first refresh token. Add one of them, or remove refresh_token.", at [of_setting("grant_types")];
        TooMany { setting: &'static str, max: usize } = "too_many_values", "{setting} has more than {max} values. Remove those that are not used.", at [of_setting(setting)];
        TextForm { setting: &'static str, max: usize } = "text_form", "{setting} must have 1 to {max} characters and no control characters.", at [of_setting(setting)];
        Uri { setting: &'static str, uri: String, problem: UriProblem } = "client_uri_setting", "{setting}: \"{uri}\" {problem}.", at [of_setting(setting)];
        FrontchannelOrigin { uri: String } = "frontchannel_origin", "frontchannel_logout_uri: \"{uri}\" has another scheme, host or port than every one of redirect_uris. Use an address beside one of them.", at [of_setting("frontchannel_logout_uri"), of_setting("redirect_uris")];
        PairwiseWithoutSector = "pairwise_without_sector", "subject_type is pairwise, but redirect_uris do not share one host, so there is no sector. Set sector_identifier_uri, or use redirect URIs of one host.", at [of_setting("subject_type"), of_setting("redirect_uris"), of_setting("sector_identifier_uri")];

        SecretMissing { method: &'static str } = "secret_missing", "token_endpoint_auth_method is {method}, but the client has no secret. Give it one, or set the method to none.", at [of_setting("token_endpoint_auth_method")];
        SecretOfPublicClient = "secret_of_public_client", "token_endpoint_auth_method is none, but the client has a secret. Remove the secret, or choose a method that uses it.", at [of_setting("token_endpoint_auth_method")];
        SecretNotKept { method: &'static str } = "secret_not_kept", "token_endpoint_auth_method is {method}, which makes a MAC with the secret; but only a hash of the client's secret is kept. Give the client a new secret, or choose another method.", at [of_setting("token_endpoint_auth_method")];
        SecretTooShort { alg: SigAlg, found: usize, min: usize } = "secret_too_short", "The secret has {found} bytes, but {alg} needs at least {min}. Give the client a longer secret, or set token_endpoint_auth_signing_alg to an algorithm that it is long enough for.", at [of_setting("token_endpoint_auth_signing_alg")];
        AssertionAlgMethod { alg: SigAlg, method: &'static str } = "assertion_alg_method", "token_endpoint_auth_signing_alg is {alg}, which does not go with token_endpoint_auth_method {method}. HS256 and its kin are for client_secret_jwt, all others for private_key_jwt.", at [of_setting("token_endpoint_auth_signing_alg"), of_setting("token_endpoint_auth_method")];
        AssertionsWithoutKey = "assertions_without_key", "token_endpoint_auth_method is private_key_jwt, but the client has no signing key that is valid now or later, and no jwks_uri. Register a key with the usage \"sig\".", at [of_setting("token_endpoint_auth_method"), of_setting("jwks_uri"), of_member("keys")];
        AssertionAlgWithoutKey { alg: SigAlg, place: &'static str } = "assertion_alg_without_key", "token_endpoint_auth_signing_alg is {alg}, but none of the client's signing keys{place} can do that. Choose another algorithm, or register a key that fits.", at [of_setting("token_endpoint_auth_signing_alg"), of_member("keys")];
        PublicClientCredentials = "public_client_credentials", "token_endpoint_auth_method is none, but grant_types has client_credentials, which is for clients that prove who they are. Remove the grant, or choose a method.", at [of_setting("token_endpoint_auth_method"), of_setting("grant_types")];
        PublicIntrospection = "public_introspection", "token_endpoint_auth_method is none, but introspection is set; a public client cannot ask about tokens. Remove introspection, or choose a method.", at [of_setting("token_endpoint_auth_method"), of_setting("introspection.signed")];
        PublicWithoutRotation = "public_without_rotation", "token_endpoint_auth_method is none and refresh_token_rotation is off, so a stolen refresh token would go unnoticed. Switch refresh_token_rotation on.", at [of_setting("token_endpoint_auth_method"), of_setting("refresh_token_rotation")];
        PublicWithoutPkce = "public_without_pkce", "token_endpoint_auth_method is none and require_pkce is off, so nothing would prove who redeems a code. Switch require_pkce on (RFC 7636).", at [of_setting("token_endpoint_auth_method"), of_setting("require_pkce")];

        OpenidNotInScope = "openid_not_in_scope", "scope lacks \"openid\", without which no request is accepted. Add it.", at [of_setting("scope")];
        ScopeUnknown { scope: String } = "scope_unknown", "scope has \"{scope}\", which is not known here. Remove it.", at [of_setting("scope")];
        AdministersUnasked { scope: &'static str } = "administers_unasked", "require_consent is off, but scope has \"{scope}\", and people who sign in could be made to administer without knowing. Switch require_consent on, remove the scope, or let the client act for itself alone (grant_types: client_credentials).", at [of_setting("require_consent"), of_setting("scope"), of_setting("grant_types")];
        ClaimPlacementUnknown { claim: String } = "claim_placement_unknown", "claim_placement has \"{claim}\", which is no claim of a person that is known here. Remove it.", at [of_setting("claim_placement")];
        Lifetime { setting: &'static str, found: i64, min: i64, max: i64 } = "lifetime", "lifetimes.{setting} is {found}; it must lie between {min} and {max} seconds.", at [of_setting(&format!("lifetimes.{setting}"))];
        MaxAge = "default_max_age_negative", "default_max_age is negative. Set it to zero seconds or more, or remove it.", at [of_setting("default_max_age")];

        SymmetricResponse { setting: &'static str, alg: SigAlg } = "response_alg_symmetric", "{setting} is {alg}, which needs the client secret as a key; but secrets are kept only as hashes. Choose an asymmetric algorithm.", at [of_setting(setting)];
        ResponseAlgWithoutKey { setting: &'static str, alg: SigAlg } = "response_alg_without_key", "{setting} is {alg}, but this tenant keeps no signing key for it. Choose one of the tenant's signing_algs, or add {alg} to them.", at [of_setting(setting)];
        UserInfoEncryptionMissing = "userinfo_encryption_missing", "userinfo.response_type is encrypted, but userinfo.encrypted has no alg and enc. Set both, or choose another response_type.", at [of_setting("userinfo.response_type"), of_setting("userinfo.encrypted")];
        UserInfoEncryptionUnused = "userinfo_encryption_unused", "userinfo.encrypted is set, but userinfo.response_type is not encrypted, so responses would go out readable. Choose encrypted or signed_and_encrypted, or remove userinfo.encrypted.", at [of_setting("userinfo.encrypted"), of_setting("userinfo.response_type")];
        EncryptionWithoutKey { setting: &'static str, alg: KeyAlg, reason: NoKey } = "encryption_without_key", "{setting} is set to {alg}, but there is no key for it. {reason}", at [of_setting(setting), of_member("keys")];
        UnsignedIdTokenNotAllowed = "unsigned_id_token_not_allowed", "id_token.unsigned is on, but this tenant's unsigned_id_tokens is off. Leave ID tokens signed, or switch it on for the tenant.", at [of_setting("id_token.unsigned")];
        UnsignedIdTokenInBrowser { response_type: &'static str } = "unsigned_id_token_in_browser", "id_token.unsigned is on, but response_types has \"{response_type}\", which sends ID tokens by the browser. Remove one of the two.", at [of_setting("id_token.unsigned"), of_setting("response_types")];
        UnsignedIdTokenEncrypted = "unsigned_id_token_encrypted", "id_token.unsigned and id_token.encrypted are both set; an ID token is signed before it is encrypted. Remove one of the two.", at [of_setting("id_token.unsigned"), of_setting("id_token.encrypted")];
        KeySetUnreadable { uri: String, reason: String, needed: String } = "key_set_unreadable", "jwks_uri: no key set can be read at \"{uri}\": {reason}. Keys of it are needed for {needed}. Serve the set there, and save again; to save before it is served, disable the client until then.", at [of_setting("jwks_uri")].into_iter().chain(needed.split(", ").map(of_setting)).collect::<Vec<_>>();
        KeySetWithoutKey { setting: &'static str, alg: KeyAlg, set: String, reason: NoKey } = "key_set_without_key", "{setting} is set to {alg}, but the key set at jwks_uri has no key for it; it has {set}. {reason}", at [of_setting(setting), of_setting("jwks_uri")];
        KeySetWithoutSigningKey { setting: &'static str, set: String } = "key_set_without_signing_key", "{setting} needs a signing key of the client, but the key set at jwks_uri has none that is valid now or later; it has {set}. Publish one with \"use\": \"sig\".", at [of_setting(setting), of_setting("jwks_uri")];
        KeysTwice = "keys_twice", "jwks_uri is set, but the client has keys registered by value too. Keep one of the two.", at [of_setting("jwks_uri"), of_member("keys")];
        EncryptionKidUnknown { kid: String } = "encryption_kid_unknown", "encryption_kid is \"{kid}\", but the client has no encryption key of that kid. Register it, or remove encryption_kid.", at [of_setting("encryption_kid"), of_member("keys")];

        ObjectAlgSymmetric { alg: SigAlg } = "object_alg_symmetric", "request_object_signing_algs has {alg}, which needs the client secret as a key; but secrets are kept only as hashes. Remove it.", at [of_setting("request_object_signing_algs")];
        ObjectsWithoutKey = "objects_without_key", "require_request_object is on, but the client has no signing key that is valid now or later, so no request could be accepted. Register one with the usage \"sig\".", at [of_setting("require_request_object"), of_member("keys")];
        ObjectAlgsWithoutKey { place: &'static str } = "object_algs_without_key", "request_object_signing_algs names only algorithms that none of the client's signing keys{place} can do. Add an algorithm that fits, or register a key that does.", at [of_setting("request_object_signing_algs"), of_member("keys")];
        UnsignedObjectsNotAllowed = "unsigned_objects_not_allowed", "allow_unsigned_request_object is on, but this tenant's unsigned_request_objects is off. Switch it off, or switch the tenant's on.", at [of_setting("allow_unsigned_request_object")];
        UnsignedObjectsContradiction { setting: &'static str } = "unsigned_objects_contradiction", "allow_unsigned_request_object and {setting} are both on, but a request object that anybody can write proves nothing. Switch one of the two off.", at [of_setting("allow_unsigned_request_object"), of_setting(setting)];
        ObjectEncryptionWithoutKey { alg: KeyAlg } = "object_encryption_without_key", "request_object_encryption is {alg}, but this tenant keeps no key for it. Choose one of the tenant's encryption_algs, or leave it out.", at [of_setting("request_object_encryption")];
        EncryptedObjectsImpossible = "encrypted_objects_impossible", "require_encrypted_request_object is on, but this tenant has no encryption_algs and so publishes no key to encrypt to. Add one to the tenant, or switch the demand off.", at [of_setting("require_encrypted_request_object")];
    }
}
