//! How things are written with common libraries.

use schemars::JsonSchema;
use serde::Serialize;

/// A line of code for one library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Snippet {
    /// Library and language.
    pub library: &'static str,
    /// The code.
    pub code: &'static str,
}

macro_rules! snippets {
    ($($name:ident: $doc:literal { $($library:expr => $code:literal,)+ })+) => {
        $(#[doc = $doc] pub(super) const $name: &[Snippet] = &[$(Snippet { library: $library, code: $code }),+];)+
    };
}

const JS: &str = "jose (JavaScript)";
const OPENID_CLIENT: &str = "openid-client (JavaScript)";
const NODE: &str = "node:crypto (JavaScript)";
const JWCRYPTO: &str = "jwcrypto (Python)";
const AUTHLIB: &str = "Authlib (Python)";
const PYTHON: &str = "Python";
const NIMBUS: &str = "Nimbus JOSE+JWT (Java)";
const MICROSOFT: &str = "Microsoft.IdentityModel (.NET)";
const JOSE_JWT: &str = "jose-jwt (.NET)";
const DOTNET: &str = ".NET";

snippets! {
    NEST: "Sign, then encrypt." {
        JS => "const jws = await new SignJWT(claims).setProtectedHeader({ alg: \"RS256\", kid: ownKid }).sign(ownKey);\nconst request = await new CompactEncrypt(new TextEncoder().encode(jws))\n  .setProtectedHeader({ alg: \"RSA-OAEP-256\", enc: \"A256GCM\", kid: serverJwk.kid, cty: \"JWT\" }).encrypt(serverKey);",
        JWCRYPTO => "jws = jwt.JWT(header={\"alg\": \"RS256\", \"kid\": own_kid}, claims=claims); jws.make_signed_token(own_key)\njwe = jwt.JWT(header={\"alg\": \"RSA-OAEP-256\", \"enc\": \"A256GCM\", \"kid\": server_kid, \"cty\": \"JWT\"}, claims=jws.serialize())\njwe.make_encrypted_token(server_key)",
        AUTHLIB => "jws = jwt.encode({\"alg\": \"RS256\", \"kid\": own_kid}, claims, own_key)\nrequest = JsonWebEncryption().serialize_compact({\"alg\": \"RSA-OAEP-256\", \"enc\": \"A256GCM\", \"kid\": server_kid, \"cty\": \"JWT\"}, jws, server_key)",
        NIMBUS => "jws.sign(new RSASSASigner(ownKey));\nJWEObject jwe = new JWEObject(new JWEHeader.Builder(JWEAlgorithm.RSA_OAEP_256, EncryptionMethod.A256GCM)\n    .keyID(serverKey.getKeyID()).contentType(\"JWT\").build(), new Payload(jws));\njwe.encrypt(new RSAEncrypter(serverKey));",
        JOSE_JWT => "var jws = JWT.Encode(claims, ownKey, JwsAlgorithm.RS256, extraHeaders: new Dictionary<string, object> { [\"kid\"] = ownKid });\nvar request = JWT.Encode(jws, serverKey, JweAlgorithm.RSA_OAEP_256, JweEncryption.A256GCM,\n    extraHeaders: new Dictionary<string, object> { [\"kid\"] = serverKid, [\"cty\"] = \"JWT\" });",
    }
    SEAL: "The names of the encryption." {
        JS => "new CompactEncrypt(bytes).setProtectedHeader({ alg: \"RSA-OAEP-256\", enc: \"A256GCM\", kid: serverJwk.kid, cty: \"JWT\" })",
        JWCRYPTO => "jwt.JWT(header={\"alg\": \"RSA-OAEP-256\", \"enc\": \"A256GCM\", \"kid\": server_kid, \"cty\": \"JWT\"}, claims=jws)",
        AUTHLIB => "JsonWebEncryption().serialize_compact({\"alg\": \"RSA-OAEP-256\", \"enc\": \"A256GCM\", \"kid\": server_kid, \"cty\": \"JWT\"}, jws, server_key)",
        NIMBUS => "new JWEHeader.Builder(JWEAlgorithm.RSA_OAEP_256, EncryptionMethod.A256GCM).keyID(serverKey.getKeyID()).contentType(\"JWT\")",
        MICROSOFT => "new EncryptingCredentials(serverKey, SecurityAlgorithms.RsaOAEP, SecurityAlgorithms.Aes256CbcHmacSha512)",
        JOSE_JWT => "JWT.Encode(jws, serverKey, JweAlgorithm.RSA_OAEP_256, JweEncryption.A256GCM)",
    }
    SERVER_KEY: "The right key of this server." {
        JS => "const { keys } = await (await fetch(metadata.jwks_uri)).json();\nconst serverJwk = keys.find((key) => key.use === \"enc\" && key.alg === \"RSA-OAEP-256\");\nconst serverKey = await importJWK(serverJwk, serverJwk.alg);",
        JWCRYPTO => "server_key = next(k for k in jwk.JWKSet.from_json(requests.get(jwks_uri).text)\n                  if k.get(\"use\") == \"enc\" and k.get(\"alg\") == \"RSA-OAEP-256\")",
        AUTHLIB => "server_jwk = next(k for k in requests.get(jwks_uri).json()[\"keys\"] if k[\"use\"] == \"enc\" and k[\"alg\"] == \"RSA-OAEP-256\")\nserver_key = JsonWebKey.import_key(server_jwk)",
        NIMBUS => "RSAKey serverKey = (RSAKey) new JWKSelector(new JWKMatcher.Builder().keyUse(KeyUse.ENCRYPTION)\n    .algorithm(JWEAlgorithm.RSA_OAEP_256).build()).select(JWKSet.load(jwksUri)).get(0);",
        MICROSOFT => "var serverKey = new JsonWebKeySet(json).Keys.First(key => key.Use == \"enc\" && key.Alg == \"RSA-OAEP\");",
    }
    SIGN: "The names of the signature." {
        OPENID_CLIENT => "client.buildAuthorizationUrlWithJAR(config, parameters, { key: ownKey, kid: ownKid })",
        JS => "new SignJWT(claims).setProtectedHeader({ alg: \"RS256\", kid: ownKid, typ: \"oauth-authz-req+jwt\" }).sign(ownKey)",
        JWCRYPTO => "jws = jwt.JWT(header={\"alg\": \"RS256\", \"kid\": own_kid}, claims=claims); jws.make_signed_token(own_key)",
        AUTHLIB => "jwt.encode({\"alg\": \"RS256\", \"kid\": own_kid}, claims, own_key)",
        NIMBUS => "new SignedJWT(new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(ownKid).build(), claims).sign(new RSASSASigner(ownKey))",
        MICROSOFT => "new SigningCredentials(ownKey, SecurityAlgorithms.RsaSha256)",
    }
    RAW_ECDSA: "ECDSA signatures of fixed length." {
        NODE => "crypto.sign(\"sha256\", input, { key: ownKey, dsaEncoding: \"ieee-p1363\" })",
        PYTHON => "r, s = decode_dss_signature(der); signature = r.to_bytes(32, \"big\") + s.to_bytes(32, \"big\")",
        NIMBUS => "ECDSA.transcodeSignatureToConcat(der, ECDSA.getSignatureByteArrayLength(JWSAlgorithm.ES256))",
        DOTNET => "ownKey.SignData(input, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)",
    }
    TIMES: "Times in seconds." {
        JS => "new SignJWT(claims).setIssuedAt().setExpirationTime(\"5m\")   // by hand: Math.floor(Date.now() / 1000)",
        PYTHON => "now = int(time.time()); claims |= {\"iat\": now, \"exp\": now + 300}",
        NIMBUS => "claims.issueTime(Date.from(Instant.now())).expirationTime(Date.from(Instant.now().plusSeconds(300)))",
        DOTNET => "claims[\"iat\"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(); claims[\"exp\"] = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds();",
    }
    AUDIENCE: "The audience is the issuer, character by character." {
        JS => "new SignJWT(claims).setAudience(config.serverMetadata().issuer)",
        PYTHON => "claims[\"aud\"] = metadata[\"issuer\"]",
        NIMBUS => "claims.audience(metadata.getIssuer().getValue())",
        MICROSOFT => "new SecurityTokenDescriptor { Audience = configuration.Issuer }",
    }
    ISSUER: "The issuer of a request object is the client." {
        JS => "new SignJWT({ ...parameters, client_id: clientId }).setIssuer(clientId)",
        PYTHON => "claims |= {\"iss\": client_id, \"client_id\": client_id}",
        NIMBUS => "claims.issuer(clientId).claim(\"client_id\", clientId)",
        MICROSOFT => "new SecurityTokenDescriptor { Issuer = clientId }   // and the claim \"client_id\"",
    }
    FRESH: "A new jti each time." {
        JS => "new SignJWT(claims).setJti(crypto.randomUUID())",
        PYTHON => "claims[\"jti\"] = secrets.token_urlsafe(16)",
        NIMBUS => "claims.jwtID(UUID.randomUUID().toString())",
        DOTNET => "claims[\"jti\"] = Guid.NewGuid().ToString();",
    }
    BASE64URL: "Base64url without padding." {
        JS => "base64url.encode(bytes)   // node: Buffer.from(bytes).toString(\"base64url\")",
        PYTHON => "base64.urlsafe_b64encode(data).rstrip(b\"=\")",
        NIMBUS => "Base64URL.encode(bytes)   // java.util: Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)",
        MICROSOFT => "Base64UrlEncoder.Encode(bytes)",
    }
    QUERY: "Let one function encode the parameters, once." {
        JS => "url.searchParams.set(\"request\", request)   // no encodeURIComponent before it",
        PYTHON => "urllib.parse.urlencode({\"client_id\": client_id, \"request\": request})",
        NIMBUS => "new AuthorizationRequest.Builder(jwt, clientId).endpointURI(endpoint).build().toURI()   // OAuth 2.0 SDK",
        DOTNET => "QueryHelpers.AddQueryString(endpoint, new Dictionary<string, string?> { [\"client_id\"] = clientId, [\"request\"] = request })",
    }
    INSIDE: "Every parameter inside the object." {
        OPENID_CLIENT => "client.buildAuthorizationUrlWithJAR(config, { redirect_uri, scope: \"openid\", response_type: \"code\", state, nonce, code_challenge, code_challenge_method: \"S256\" }, ownKey)",
        PYTHON => "claims |= {\"response_type\": \"code\", \"redirect_uri\": redirect_uri, \"scope\": \"openid\", \"state\": state, \"nonce\": nonce}",
        NIMBUS => "JWTClaimsSet claims = authenticationRequest.toJWTClaimsSet();   // OAuth 2.0 SDK",
        DOTNET => "foreach (var (name, value) in parameters) claims[name] = value;",
    }
    PLAIN: "The parameters of a request without an object." {
        OPENID_CLIENT => "client.buildAuthorizationUrl(config, { redirect_uri, scope: \"openid\", response_type: \"code\", state, nonce, code_challenge, code_challenge_method: \"S256\" })",
        AUTHLIB => "OAuth2Session(client_id, redirect_uri=redirect_uri, scope=\"openid\").create_authorization_url(endpoint, nonce=nonce)",
        NIMBUS => "new AuthenticationRequest.Builder(new ResponseType(\"code\"), new Scope(\"openid\"), clientId, redirectUri)\n    .endpointURI(endpoint).state(state).nonce(nonce).build().toURI()   // OAuth 2.0 SDK",
        DOTNET => "options.ResponseType = \"code\"; options.Scope.Add(\"openid\"); options.CallbackPath = \"/callback\";   // OpenIdConnectOptions",
    }
    ASSERTION: "A client assertion." {
        OPENID_CLIENT => "client.PrivateKeyJwt({ key: ownKey, kid: ownKid })   // as the fourth argument of discovery()",
        JS => "new SignJWT({}).setProtectedHeader({ alg: \"RS256\", kid: ownKid }).setIssuer(clientId).setSubject(clientId)\n  .setAudience(config.serverMetadata().issuer).setJti(crypto.randomUUID()).setIssuedAt().setExpirationTime(\"1m\").sign(ownKey)",
        JWCRYPTO => "claims = {\"iss\": client_id, \"sub\": client_id, \"aud\": metadata[\"issuer\"], \"jti\": secrets.token_urlsafe(16), \"iat\": now, \"exp\": now + 60}\njws = jwt.JWT(header={\"alg\": \"RS256\", \"kid\": own_kid}, claims=claims); jws.make_signed_token(own_key)",
        NIMBUS => "new PrivateKeyJWT(clientId, issuerUri, JWSAlgorithm.RS256, ownKey, ownKid, null)   // OAuth 2.0 SDK",
        MICROSOFT => "new SecurityTokenDescriptor { Issuer = clientId, Audience = configuration.Issuer, Expires = DateTime.UtcNow.AddMinutes(1),\n    SigningCredentials = ownCredentials, Claims = new Dictionary<string, object> { [\"sub\"] = clientId, [\"jti\"] = Guid.NewGuid().ToString() } }",
    }
    PKCE: "Proof key for code exchange." {
        OPENID_CLIENT => "const verifier = client.randomPKCECodeVerifier(); parameters.code_challenge = await client.calculatePKCECodeChallenge(verifier); parameters.code_challenge_method = \"S256\";",
        AUTHLIB => "OAuth2Session(client_id, code_challenge_method=\"S256\").create_authorization_url(endpoint, code_verifier=generate_token(48))",
        NIMBUS => "new AuthenticationRequest.Builder(type, scope, clientId, redirectUri).codeChallenge(new CodeVerifier(), CodeChallengeMethod.S256)",
        DOTNET => "options.UsePkce = true;   // OpenIdConnectOptions",
    }
    PUSH: "Push the request first." {
        OPENID_CLIENT => "const url = await client.buildAuthorizationUrlWithPAR(config, parameters);",
        PYTHON => "request_uri = requests.post(par_endpoint, data=parameters, auth=(client_id, secret)).json()[\"request_uri\"]",
        NIMBUS => "new PushedAuthorizationRequest(endpoint, clientAuth, request).toHTTPRequest().send()",
        DOTNET => "options.PushedAuthorizationBehavior = PushedAuthorizationBehavior.Require;   // OpenIdConnectOptions, .NET 9",
    }
}
