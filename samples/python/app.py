"""A relying party whose login is signed and sealed both ways: an example to copy from.

    python app.py          runs it
    python app.py keys     prints the public keys to register, and ends

Settings come from the environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT, FOLDER. Without CLIENT_ID it registers
itself. With CLIENT_SECRET it authenticates by the secret, otherwise by its signing key (private_key_jwt).
"""

import hmac
import json
import os
import secrets
import sys
import time
from pathlib import Path

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from flask import Flask, abort, redirect, render_template_string, request
from joserfc import jwe, jwk, jws, jwt

ISSUER = os.environ.get("ISSUER", "http://localhost:8080")
PORT = int(os.environ.get("PORT", "3000"))
FOLDER = Path(os.environ.get("FOLDER", "keys"))
REDIRECT_URI = f"http://127.0.0.1:{PORT}/callback"

# One algorithm for each purpose. Whatever a message says of itself, nothing else is accepted.
SIGN = "ES256"  # our request objects and client assertions
VERIFY = "RS256"  # the provider's ID tokens and UserInfo
SEAL, CONTENT = "RSA-OAEP-256", "A256GCM"  # both directions
LEEWAY = 60  # seconds that the two clocks may differ
PATIENCE = 10  # seconds to wait for the provider


def http(method, url, **options):
    """A call to the provider that must succeed. What it says of a failure is for the log, not for the person."""
    answer = requests.request(method, url, timeout=PATIENCE, allow_redirects=False, **options)
    if not answer.ok:
        raise RuntimeError(f"{url}: {answer.status_code} {answer.text}")
    return answer


def own_keys():
    """Our key pairs, made on the first start: one signs, the other opens. They never leave the folder."""
    file = FOLDER / "private.json"
    if not file.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        made = (jwk.ECKey.generate_key("P-256", {"use": "sig", "alg": SIGN}),
                jwk.RSAKey.generate_key(3072, {"use": "enc", "alg": SEAL}))  # fmt: skip
        keys = [{**key.as_dict(private=True), "kid": key.thumbprint()} for key in made]
        with open(file, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            json.dump({"keys": keys}, out, indent=1)
    keys = {entry["use"]: jwk.import_key(entry) for entry in json.loads(file.read_text())["keys"]}
    public = {"keys": [key.as_dict(private=False) for key in keys.values()]}
    (FOLDER / "public.json").write_text(json.dumps(public, indent=1) + "\n")
    return keys["sig"], keys["enc"], public


def discover():
    """OpenID Connect Discovery section 4.3: the issuer in the document must be the one that was asked."""
    found = http("GET", f"{ISSUER}/.well-known/openid-configuration").json()
    if found["issuer"] != ISSUER:
        raise RuntimeError(f"the provider calls itself {found['issuer']}")
    return found


def registered():
    """Who we are there: as configured, as registered at an earlier start, or as registered now."""
    if "CLIENT_ID" in os.environ:
        return {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ.get("CLIENT_SECRET")}
    file = FOLDER / "registration.json"
    if not file.exists():
        if "registration_endpoint" not in PROVIDER:
            sys.exit(f"Have {FOLDER}/public.json registered, then set CLIENT_ID.")
        metadata = {
            "client_name": "Sample in Python",
            "redirect_uris": [REDIRECT_URI],
            "jwks": PUBLIC,
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": SIGN,
            "require_signed_request_object": True,
            "request_object_signing_alg": SIGN,
            "request_object_encryption_alg": SEAL,
            "request_object_encryption_enc": CONTENT,
            "id_token_signed_response_alg": VERIFY,
            "id_token_encrypted_response_alg": SEAL,
            "id_token_encrypted_response_enc": CONTENT,
            "userinfo_signed_response_alg": VERIFY,
            "userinfo_encrypted_response_alg": SEAL,
            "userinfo_encrypted_response_enc": CONTENT,
        }
        answer = http("POST", PROVIDER["registration_endpoint"], json=metadata).json()
        with open(file, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            json.dump(answer, out, indent=1)
    return json.loads(file.read_text())


def provider_keys():
    """The provider's keys as they are now. A busy application keeps them for some minutes, and asks again when it
    meets a `kid` that it does not know."""
    return http("GET", PROVIDER["jwks_uri"]).json()["keys"]


def request_object(login):
    """RFC 9101: the authorization request, signed with our key, then encrypted to the provider's."""
    now = int(time.time())
    claims = {
        "iss": CLIENT["client_id"],
        "aud": ISSUER,
        "iat": now,
        "exp": now + 300,
        "jti": secrets.token_urlsafe(16),
        "client_id": CLIENT["client_id"],
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email",
        "state": login["state"],
        "nonce": login["nonce"],
        "code_challenge": create_s256_code_challenge(login["verifier"]),
        "code_challenge_method": "S256",
    }
    signed = jwt.encode({"alg": SIGN, "kid": SIGNING.kid, "typ": "oauth-authz-req+jwt"}, claims, SIGNING, [SIGN])
    theirs = next(key for key in provider_keys() if key.get("use") == "enc" and key.get("alg") == SEAL)
    header = {"alg": SEAL, "enc": CONTENT, "kid": theirs["kid"], "cty": "JWT"}
    return jwe.encrypt_compact(header, signed, jwk.import_key(theirs), [SEAL, CONTENT])


def opened(token):
    """The other way round: a nested JWT, decrypted with our key, then verified with the provider's key that it names."""
    inner = jwe.decrypt_compact(token, ENCRYPTION, [SEAL, CONTENT]).plaintext
    kid = jws.extract_compact(inner).headers().get("kid")
    key = next(key for key in provider_keys() if key.get("use") == "sig" and key["kid"] == kid)
    return jwt.decode(inner, jwk.import_key(key), [VERIFY])


def redeemed(code, login):
    """The token request. We prove who we are, and that it was us who asked for the code."""
    method = "client_secret_basic" if CLIENT.get("client_secret") else "private_key_jwt"
    proof = CLIENT.get("client_secret") or SIGNING
    with OAuth2Session(CLIENT["client_id"], proof, token_endpoint_auth_method=method) as session:
        session.register_client_auth_method(PrivateKeyJWT(ISSUER, headers={"kid": SIGNING.kid}, alg=SIGN))
        return session.fetch_token(
            PROVIDER["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            redirect_uri=REDIRECT_URI,
            code_verifier=login["verifier"],
            timeout=PATIENCE,
        )


def id_token_claims(tokens, nonce):
    """OpenID Connect Core section 3.1.3.7."""
    token = opened(tokens["id_token"])
    options = {name: {"essential": True, "value": value}
               for name, value in (("iss", ISSUER), ("aud", CLIENT["client_id"]), ("nonce", nonce))}  # fmt: skip
    options["at_hash"] = {"essential": True}
    known = {"client_id": CLIENT["client_id"], "nonce": nonce, "access_token": tokens["access_token"]}
    claims = CodeIDToken(token.claims, token.header, options, known)
    claims.validate(leeway=LEEWAY)
    return claims


def user_info(tokens, sub):
    """OpenID Connect Core section 5.3.2: the answer must come from the provider, for us, about the same person."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = http("GET", PROVIDER["userinfo_endpoint"], headers=headers)
    claims = opened(answer.text).claims
    rules = {name: {"essential": True, "value": value}
             for name, value in (("iss", ISSUER), ("aud", CLIENT["client_id"]), ("sub", sub))}  # fmt: skip
    jwt.JWTClaimsRegistry(leeway=LEEWAY, **rules).validate(claims)
    return answer.text, claims


SIGNING, ENCRYPTION, PUBLIC = own_keys()
if sys.argv[1:] == ["keys"]:
    print(json.dumps(PUBLIC, indent=1))
    sys.exit()
PROVIDER = discover()
CLIENT = registered()
app = Flask(__name__)
logins = {}  # started, not finished: by cookie. Several processes would share them in a database.

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sample in Python</title>
<h1>{{ title }}</h1>
{% for name, text in parts.items() %}<h2>{{ name }}</h2><pre id="{{ name.lower().replace(' ', '-') }}">{{ text }}</pre>{% endfor %}
<p><a id="login" href="/login">Sign in</a></p></html>"""


@app.get("/")
def start():
    return render_template_string(PAGE, title="Not signed in", parts={})


@app.get("/login")
def login():
    for old in [key for key, login in logins.items() if login["started"] < time.time() - 600]:
        del logins[old]
    handle = secrets.token_urlsafe(32)
    logins[handle] = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    logins[handle]["started"] = time.time()
    query = {"client_id": CLIENT["client_id"], "request": request_object(logins[handle])}
    answer = redirect(requests.Request("GET", PROVIDER["authorization_endpoint"], params=query).prepare().url)
    answer.set_cookie("login", handle, httponly=True, samesite="Lax", secure=REDIRECT_URI.startswith("https:"))
    return answer


@app.get("/callback")
def callback():
    started = logins.pop(request.cookies.get("login", ""), None)  # once
    if not started or not hmac.compare_digest(started["state"].encode(), request.args.get("state", "").encode()):
        abort(400, "This answer belongs to no login of this browser.")
    # RFC 9207 section 2.4: the answer must come from the provider that was asked.
    if request.args.get("iss") != ISSUER:
        abort(400, "This answer comes from another provider.")
    if "code" not in request.args:
        abort(400, f"No login: {request.args.get('error')}")
    try:
        tokens = redeemed(request.args["code"], started)
        claims = id_token_claims(tokens, started["nonce"])
        sealed_info, info = user_info(tokens, claims["sub"])
    except Exception as fault:  # whatever it was, nobody is signed in; what it was is for the log
        app.logger.error("not accepted: %r", fault)
        abort(400, "You are not signed in.")
    parts = {"ID token": json.dumps(claims, indent=1), "UserInfo": json.dumps(info, indent=1),
             "ID token as it came": tokens["id_token"], "UserInfo as it came": sealed_info}  # fmt: skip
    return render_template_string(PAGE, title=f"Signed in as {info.get('name', claims['sub'])}", parts=parts)


if __name__ == "__main__":
    print(json.dumps(PUBLIC, indent=1))
    print(f"{CLIENT['client_id']}: http://127.0.0.1:{PORT}/", flush=True)
    app.run(port=PORT)
