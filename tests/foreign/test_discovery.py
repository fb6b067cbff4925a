"""Whatever discovery says is true: each member of the document is exercised, and each list has an end.

One function for each member: given one value of the list, it does with success what the value promises. One more for each
list: a value that is not on it is refused, when a client registers for it and when it is used.
"""

import json
import secrets
import time
from dataclasses import dataclass

import pytest
import requests
from jwcrypto import jwe, jwk

from support import registered, rp
from support.listener import Listener
from support.provider import PATIENCE, Provider
from support.registered import Client, jwks, own_key, register, unsealed

# A person with every standard claim (OpenID Connect Core section 5.1).
PERSON = {
    "name": "Carol Aalto",
    "family_name": "Aalto",
    "given_name": "Carol",
    "middle_name": "Maria",
    "nickname": "Caro",
    "preferred_username": "caro",
    "profile": "https://people.example/carol",
    "picture": "https://people.example/carol.png",
    "website": "https://carol.example",
    "gender": "female",
    "birthdate": "1990-02-28",
    "zoneinfo": "Europe/Helsinki",
    "locale": "fi-FI",
    "email": "carol@example.org",
    "email_verified": True,
    "address": {"street_address": "Esplanadi 1", "locality": "Helsinki", "country": "Finland"},
    "phone_number": "+358401234567",
    "phone_number_verified": True,
}
NAME, PASSWORD = "carol", "a good password"
# Claims of the ID token, not of a person.
PROTOCOL = {"iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "c_hash"}
AFTER = "https://rp.example/after"
INTROSPECTION = "application/token-introspection+jwt"


@dataclass
class Lab:
    """A running provider, its metadata, and a browser in which somebody is signed in."""

    provider: Provider
    browser: rp.Browser

    @property
    def metadata(self) -> dict:
        return self.provider.metadata

    def client(self, **metadata) -> Client:
        return Client(self.provider, **metadata)

    def keys(self) -> list[dict]:
        return self.provider.jwks()

    def refuses(self, error: str = "invalid_client_metadata", **metadata) -> None:
        """RFC 7591 section 3.2.2."""
        answer = register(self.provider, **metadata)
        assert (answer.status_code, answer.json()["error"]) == (400, error), (metadata, answer.text)

    def error(self, client: Client, **changes) -> str:
        """The error that an authorization request brings back to the client."""
        way = self.browser.authorize("POST", **client.request(**changes))
        _, response = self.browser.arrive(way)
        assert response["iss"] == self.provider.issuer
        return response["error"]

    def object_refused(self, client: Client, request: str) -> None:
        """RFC 9101 section 6.3, at the endpoint itself."""
        beside = client.request(request=request)
        _, response = self.browser.arrive(self.browser.authorize("POST", **beside))
        assert response["error"] == "invalid_request_object", response


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """`signet dev` as it is, with a key for every algorithm and a person who has every claim."""
    with Provider(tmp_path_factory.mktemp("discovery") / "data") as provider:
        tenant = {
            "development": True,
            "registration": "open",
            "self_registration": True,
            "signing_algs": rp.SIG_ALGS,
            "unsigned_id_tokens": True,
            "unsigned_request_objects": True,
        }
        provider.declare(tenant=tenant, users=[{"username": NAME, "password": PASSWORD, "claims": PERSON}])
        provider.metadata = requests.get(provider.ready["discovery"], timeout=PATIENCE).json()
        browser = rp.Browser(provider)
        parameters = Client(provider).request(prompt="login")
        assert "code" in browser.go_on(browser.authorize(**parameters), NAME, PASSWORD)
        yield Lab(provider, browser)


# Addresses and names.


def issuer(lab, value):
    assert value == lab.provider.issuer
    for path in ("openid-configuration", "oauth-authorization-server"):
        assert requests.get(f"{value}/.well-known/{path}", timeout=PATIENCE).json() == lab.metadata


def authorization_endpoint(lab, value):
    for method in ("GET", "POST"):
        client = lab.client()
        assert "code" in lab.browser.go_on(lab.browser.authorize(method, **client.request()))


def token_endpoint(lab, value):
    tokens = lab.client().tokens(lab.browser)
    assert tokens["token_type"] == "Bearer" and tokens["id_token"]


def userinfo_endpoint(lab, value):
    tokens = lab.client().tokens(lab.browser)
    for answer in (
        rp.user_info(lab.provider, tokens["access_token"]),
        requests.post(value, data={"access_token": tokens["access_token"]}, timeout=PATIENCE),
    ):
        assert answer.status_code == 200 and answer.json()["sub"]


def jwks_uri(lab, value):
    for key in lab.keys():
        imported = jwk.JWK(**key)
        assert not imported.has_private and key["kid"] and key["alg"] and key["use"] in ("sig", "enc")


def registration_endpoint(lab, value):
    info = lab.client().info
    bearer = {"Authorization": f"Bearer {info['registration_access_token']}"}
    read = requests.get(info["registration_client_uri"], headers=bearer, timeout=PATIENCE)
    assert read.status_code == 200 and read.json()["client_id"] == info["client_id"]
    assert requests.delete(info["registration_client_uri"], headers=bearer, timeout=PATIENCE).status_code == 204


def introspection_endpoint(lab, value):
    client = lab.client()
    tokens = client.tokens(lab.browser)
    assert client.introspect(tokens["access_token"]).json()["active"] is True
    assert client.introspect("made up").json() == {"active": False}


def revocation_endpoint(lab, value):
    client = lab.client()
    token = client.tokens(lab.browser)["access_token"]
    assert client.post("revocation_endpoint", token=token).status_code == 200
    assert rp.user_info(lab.provider, token).status_code == 401
    assert client.introspect(token).json() == {"active": False}


def pushed_authorization_request_endpoint(lab, value):
    client = lab.client()
    answer = client.post("pushed_authorization_request_endpoint", **client.request())
    assert answer.status_code == 201 and answer.json()["expires_in"] > 0, answer.text
    reference = {"client_id": client.id, "request_uri": answer.json()["request_uri"]}
    assert "code" in lab.browser.go_on(lab.browser.authorize(**reference))


def device_authorization_endpoint(lab, value):
    grant_type(lab, registered.DEVICE_GRANT)


def signed_in_elsewhere(lab, client: Client, **changes) -> tuple[rp.Browser, dict]:
    """A browser of its own, and the tokens of a login there."""
    browser = rp.Browser(lab.provider)
    parameters = client.request(**changes)
    response = browser.go_on(browser.authorize(**parameters), NAME, PASSWORD)
    tokens = client.redeem(response["code"]).json()
    return browser, tokens


def end_session_endpoint(lab, value):
    client = lab.client(post_logout_redirect_uris=[AFTER])
    browser, tokens = signed_in_elsewhere(lab, client)
    query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER, "state": "gone"}
    answer = browser.request("GET", value, **query)
    assert answer.headers["Location"] == f"{AFTER}?state=gone", answer.text
    _, response = browser.arrive(browser.authorize(**client.request(prompt="none")))
    assert response["error"] == "login_required"


def check_session_iframe(lab, value):
    answer = requests.get(value, timeout=PATIENCE)
    assert answer.status_code == 200 and "<script" in answer.text
    assert "." in lab.client().log_in(lab.browser)["session_state"]


# What may be asked for.


def scope(lab, value):
    client = lab.client(grant_types=["authorization_code", "refresh_token"])
    asked = " ".join(dict.fromkeys(["openid", value]))
    more = {"prompt": "consent"} if value == "offline_access" else {}
    tokens = client.tokens(lab.browser, scope=asked, **more)
    assert set(tokens.get("scope", asked).split()) == set(asked.split())
    if value == "offline_access":
        assert tokens["refresh_token"]
        return
    claims = rp.user_info(lab.provider, tokens["access_token"]).json()
    wanted = {
        "openid": {"sub"},
        "profile": set(PERSON) - {"email", "email_verified", "address", "phone_number", "phone_number_verified"},
        "email": {"email", "email_verified"},
        "address": {"address"},
        "phone": {"phone_number", "phone_number_verified"},
    }[value]
    assert wanted <= set(claims), wanted - set(claims)


def no_scope(lab, value):
    # RFC 7591 section 3.2.1 lets the server replace what it does not know; Core section 3.1.2.1 lets it ignore that.
    client = lab.client(scope=f"openid email {value}")
    assert value not in client.info["scope"].split()
    tokens = client.tokens(lab.browser, scope=f"openid {value}")
    assert value not in client.introspect(tokens["access_token"]).json()["scope"].split()


def claim(lab, value):
    types = ["code id_token token"]
    client = lab.client(response_types=types, grant_types=["authorization_code", "implicit"])
    asked = json.dumps({place: {value: {"essential": True}} for place in ("id_token", "userinfo")})
    more = {} if value in PROTOCOL | {"sub"} else {"claims": asked}
    # Hybrid, for c_hash and at_hash; auth_time is asked for by max_age.
    response = client.log_in(lab.browser, response_type=types[0], max_age="3600", **more)
    id_token = rp.verified(response["id_token"], "RS256", lab.keys())
    assert value in id_token
    if value in PROTOCOL:
        return
    at_userinfo = rp.user_info(lab.provider, response["access_token"]).json()
    assert at_userinfo[value] == id_token[value]
    assert value in ("sub", "updated_at") or at_userinfo[value] == PERSON[value]


def no_claim(lab, value):
    asked = json.dumps({place: {value: {"essential": True}} for place in ("id_token", "userinfo")})
    tokens = lab.client().tokens(lab.browser, claims=asked)
    assert value not in rp.verified(tokens["id_token"], "RS256", lab.keys())
    assert value not in rp.user_info(lab.provider, tokens["access_token"]).json()


def claim_type(lab, value):
    assert value == "normal"
    claim(lab, "email")


def no_claim_type(lab, value):
    assert value in ("aggregated", "distributed")
    tokens = lab.client().tokens(lab.browser, scope="openid profile email address phone")
    claims = rp.user_info(lab.provider, tokens["access_token"]).json()
    assert not {"_claim_names", "_claim_sources"} & set(claims)


def claims_parameter(lab, value):
    (claim if value else no_claim)(lab, "email")


def grants_of(response_type: str) -> list[str]:
    """Registration section 2."""
    words = response_type.split()
    code = ["authorization_code"] if "code" in words else []
    return code + (["implicit"] if {"id_token", "token"} & set(words) else [])


def response_type(lab, value):
    client = lab.client(response_types=[value], grant_types=grants_of(value))
    way, response = lab.browser.arrive(lab.browser.authorize(**client.request(response_type=value)))
    assert way == ("query" if value == "code" else "fragment")
    wanted = {{"token": "access_token"}.get(word, word) for word in value.split()}
    assert {"code", "id_token", "access_token"} & set(response) == wanted
    if "code" in response:
        tokens = client.redeem(response["code"])
        assert tokens.status_code == 200, tokens.text
    if "id_token" in response:
        claims = rp.verified(response["id_token"], "RS256", lab.keys())
        for name, hashed in (("code", "c_hash"), ("access_token", "at_hash")):
            # At least where the standard demands it (Core sections 3.2.2.10 and 3.3.2.11).
            if name in response:
                assert claims[hashed] == rp.half_hash("RS256", response[name])
    if "access_token" in response:
        assert rp.user_info(lab.provider, response["access_token"]).status_code == 200


def no_response_type(lab, value):
    lab.refuses(response_types=[value])
    assert lab.error(lab.client(), response_type=value) == "unsupported_response_type"


def response_mode(lab, value):
    plain, _, jwt = value.rpartition("jwt") if value.endswith("jwt") else (value, "", None)
    plain = plain.rstrip(".")
    for kind in ("code", "code id_token") if plain != "query" else ("code",):
        client = lab.client(response_types=[kind], grant_types=grants_of(kind))
        request = client.request(response_type=kind, response_mode=value)
        way, response = lab.browser.arrive(lab.browser.authorize(**request))
        assert way == (plain or ("query" if kind == "code" else "fragment"))
        if jwt is not None:
            assert set(response) == {"response"}
            response = rp.verified(response["response"], "RS256", lab.keys())
            # JARM section 2.1.
            assert (response["iss"], response["aud"]) == (lab.provider.issuer, client.id)
            assert response["exp"] > time.time()
        assert response["state"] == request["state"]
        assert client.redeem(response["code"]).status_code == 200


def no_response_mode(lab, value):
    assert lab.error(lab.client(), response_mode=value) == "invalid_request"


def grant_type(lab, value):
    if value == "implicit":
        return response_type(lab, "id_token token")
    if value == "client_credentials":
        client = lab.client(grant_types=[value], response_types=[], redirect_uris=None)
        answer = client.post("token_endpoint", grant_type=value)
        assert answer.status_code == 200 and "refresh_token" not in answer.json(), answer.text
    elif value == "authorization_code":
        assert "access_token" in lab.client(grant_types=[value]).tokens(lab.browser)
    elif value == "refresh_token":
        client = lab.client(grant_types=["authorization_code", value])
        tokens = client.tokens(lab.browser)
        answer = client.post("token_endpoint", grant_type=value, refresh_token=tokens["refresh_token"])
        assert answer.status_code == 200 and answer.json()["access_token"] != tokens["access_token"], answer.text
    elif value == registered.DEVICE_GRANT:
        client = lab.client(grant_types=[value], response_types=[], redirect_uris=None)
        start = client.post("device_authorization_endpoint", scope="openid").json()
        poll = {"grant_type": value, "device_code": start["device_code"]}
        assert client.post("token_endpoint", **poll).json()["error"] == "authorization_pending"
        registered.allow_device(lab.browser, start)
        time.sleep(start["interval"])
        answer = client.post("token_endpoint", **poll)
        assert answer.status_code == 200 and answer.json()["id_token"], answer.text
    elif value == registered.EXCHANGE_GRANT:
        client = lab.client(grant_types=["authorization_code", value])
        subject = client.tokens(lab.browser)["access_token"]
        kind = "urn:ietf:params:oauth:token-type:access_token"
        form = {"grant_type": value, "subject_token": subject, "subject_token_type": kind}
        answer = client.post("token_endpoint", **form)
        assert answer.status_code == 200 and answer.json()["issued_token_type"] == kind, answer.text
    else:
        raise AssertionError(f"nobody knows how to use {value}")


def no_grant_type(lab, value):
    lab.refuses(grant_types=[value])
    form = {"grant_type": value, "username": NAME, "password": PASSWORD}
    answer = lab.client().post("token_endpoint", **form)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def subject_type(lab, value):
    first, second = (lab.client(subject_type=value) for _ in range(2))
    other_sector = lab.client(subject_type=value, redirect_uris=[rp.REDIRECT_URI.replace("rp.", "other.")])
    public = lab.client(subject_type="public")
    subs = [
        rp.verified(client.tokens(lab.browser)["id_token"], "RS256", lab.keys())["sub"]
        for client in (first, second, public)
    ]
    assert subs[0] == subs[1]
    assert (subs[0] == subs[2]) == (value == "public")
    assert other_sector.info["subject_type"] == value


def no_subject_type(lab, value):
    lab.refuses(subject_type=value)


def acr_value(lab, value):
    client = lab.client()
    essential = json.dumps({"id_token": {"acr": {"essential": True, "values": [value]}}})
    for changes in ({"acr_values": value}, {"claims": essential}):
        tokens = client.tokens(lab.browser, **changes)
        assert rp.verified(tokens["id_token"], "RS256", lab.keys())["acr"] == value


def no_acr_value(lab, value):
    client = lab.client()
    # A wish is not a demand (Core section 3.1.2.1), and what was not done is not claimed.
    tokens = client.tokens(lab.browser, acr_values=value)
    assert rp.verified(tokens["id_token"], "RS256", lab.keys())["acr"] != value
    essential = json.dumps({"id_token": {"acr": {"essential": True, "values": [value]}}})
    assert lab.error(client, claims=essential) == "unmet_authentication_requirements"


def page_of(lab, **changes) -> str:
    """The first page that somebody sees who is not signed in."""
    browser = rp.Browser(lab.provider)
    answer = browser.authorize(**lab.client().request(**changes))
    answer = browser.request("GET", requests.compat.urljoin(lab.provider.issuer, answer.headers["Location"]))
    while answer.status_code in (302, 303):
        answer = browser.request("GET", requests.compat.urljoin(lab.provider.issuer, answer.headers["Location"]))
    assert answer.status_code == 200, answer.text
    return answer.text


def prompt(lab, value):
    client = lab.client()
    if value == "none":
        client.log_in(lab.browser)
        answer = lab.browser.authorize(**client.request(prompt=value))
        shown = rp.arrival(answer) or lab.browser.arrive(answer)
        assert "code" in shown[1]
        return
    assert lab.error(client, prompt=f"none {value}") == "invalid_request"
    answer = lab.browser.authorize(**client.request(prompt=value))
    answer = lab.browser.request("GET", requests.compat.urljoin(lab.provider.issuer, answer.headers["Location"]))
    while answer.status_code in (302, 303):
        assert rp.arrival(answer) is None, "nobody was asked"
        answer = lab.browser.request("GET", requests.compat.urljoin(lab.provider.issuer, answer.headers["Location"]))
    if value == "create":
        action, csrf = rp.form(answer.text, "register")
        name = f"new-{secrets.token_hex(4)}"
        person = {"username": name, "password": "longenough", "password_again": "longenough", "name": "New Person"}
        browser = lab.browser
        address = requests.compat.urljoin(lab.provider.issuer, action)
        made = browser.request("POST", address, data={"csrf": csrf, "email": f"{name}@example.org", **person})
        assert "code" in browser.go_on(made)
        # The browser belongs to the first person for what comes next.
        assert "code" in browser.go_on(browser.authorize(**client.request(prompt="login")), NAME, PASSWORD)
    elif value == "consent":
        assert 'id="accept"' in answer.text
        assert "code" in lab.browser.go_on(answer)
    else:
        assert 'id="password"' in answer.text
        assert "code" in lab.browser.go_on(answer, NAME, PASSWORD)


def no_prompt(lab, value):
    assert lab.error(lab.client(), prompt=value) == "invalid_request"


def display(lab, value):
    assert 'id="password"' in page_of(lab, display=value)
    assert "code" in lab.client().log_in(lab.browser, display=value)


def ui_locale(lab, value):
    assert f'<html lang="{value}"' in page_of(lab, ui_locales=f"tlh {value}")


def no_ui_locale(lab, value):
    # Core section 3.1.2.1: "An error SHOULD NOT result if some or all of the requested locales are not supported".
    assert f'lang="{value}"' not in page_of(lab, ui_locales=value)


def challenge_method(lab, value):
    assert value == "S256"
    client = lab.client(token_endpoint_auth_method="none")
    assert client.redeem(client.log_in(lab.browser)["code"]).status_code == 200
    code = client.log_in(lab.browser)["code"]
    client.verifier = "another" * 8
    assert client.redeem(code).json()["error"] == "invalid_grant"


def no_challenge_method(lab, value):
    assert lab.error(lab.client(), code_challenge_method=value) == "invalid_request"


# Client authentication.


def authenticates(lab, endpoint: str, client: Client, **how) -> None:
    """Something that only that client may do."""
    code = client.log_in(lab.browser)["code"]
    if endpoint == "token":
        answer = client.redeem(code, **how)
        assert answer.status_code == 200 and "id_token" in answer.json(), answer.text
        return
    token = client.redeem(code).json()["access_token"]
    answer = client.post(f"{endpoint}_endpoint", token=token, **how)
    assert answer.status_code == 200, answer.text
    if endpoint == "introspection":
        assert answer.json()["active"] is True
    else:
        assert rp.user_info(lab.provider, token).status_code == 401


def auth_method(endpoint: str):
    def exercise(lab, value):
        authenticates(lab, endpoint, lab.client(token_endpoint_auth_method=value))

    return exercise


def no_auth_method(endpoint: str):
    def exercise(lab, value):
        if value != "none":
            lab.refuses(token_endpoint_auth_method=value)
        registered_as = value if value == "none" else "client_secret_basic"
        client = lab.client(token_endpoint_auth_method=registered_as)
        token = client.tokens(lab.browser)["access_token"]
        # A certificate, or nothing at all, beside the client_id.
        answer = client.post(f"{endpoint}_endpoint", "none", token=token, grant_type="authorization_code", code="x")
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text

    return exercise


def auth_alg(endpoint: str):
    def exercise(lab, value):
        method = "client_secret_jwt" if value.startswith("HS") else "private_key_jwt"
        client = lab.client(token_endpoint_auth_method=method, token_endpoint_auth_signing_alg=value)
        how = {"method": method, "alg": value}
        code = client.log_in(lab.browser)["code"]
        tokens = client.redeem(code, **how)
        assert tokens.status_code == 200, tokens.text
        if endpoint != "token":
            answer = client.post(f"{endpoint}_endpoint", token=tokens.json()["access_token"], **how)
            assert answer.status_code == 200, answer.text

    return exercise


def unsigned(claims: dict) -> str:
    """RFC 7518 section 3.6."""
    return f"{registered.unpadded(json.dumps({'alg': 'none'}).encode())}.{registered.unpadded(json.dumps(claims).encode())}."


def no_auth_alg(endpoint: str):
    def exercise(lab, value):
        lab.refuses(token_endpoint_auth_method="private_key_jwt", token_endpoint_auth_signing_alg=value)
        client = lab.client(token_endpoint_auth_method="private_key_jwt")
        now = int(time.time())
        claims = {"iss": client.id, "sub": client.id, "aud": lab.provider.issuer, "iat": now, "exp": now + 60}
        form = {
            "client_assertion_type": registered.ASSERTION_TYPE,
            "client_assertion": unsigned({**claims, "jti": secrets.token_urlsafe()}),
            "token": "x",
            "grant_type": "client_credentials",
        }
        answer = requests.post(lab.metadata[f"{endpoint}_endpoint"], data=form, timeout=PATIENCE)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text

    return exercise


# What is signed, and what is encrypted, by message: each takes how the client is registered and gives the token.


def id_token(lab, **metadata):
    client = lab.client(**metadata)
    tokens = client.tokens(lab.browser)
    return tokens["id_token"], lambda claims: client.id in claims["aud"] and claims["sub"]


def userinfo(lab, **metadata):
    client = lab.client(**metadata)
    answer = rp.user_info(lab.provider, client.tokens(lab.browser)["access_token"])
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("application/jwt")
    return answer.text, lambda claims: claims["sub"] and client.id in claims.get("aud", client.id)


def authorization(lab, **metadata):
    client = lab.client(**metadata)
    request = client.request(response_mode="form_post.jwt")
    way, response = lab.browser.arrive(lab.browser.authorize(**request))
    assert way == "form_post"
    # JARM section 2.3: errors too.
    _, failed = lab.browser.arrive(lab.browser.authorize(**client.request(response_mode="query.jwt", prompt="bad")))
    assert set(failed) == {"response"}
    assert rp.compact_parts(failed["response"]) == rp.compact_parts(response["response"])
    return response["response"], lambda claims: claims["code"] and claims["aud"] == client.id


def introspection(lab, **metadata):
    client = lab.client(**metadata)
    token = client.tokens(lab.browser)["access_token"]
    answer = client.introspect(token, accept=INTROSPECTION)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(INTROSPECTION)
    return answer.text, lambda claims: claims["token_introspection"]["active"] is True


MESSAGES = {
    "id_token": id_token,
    "userinfo": userinfo,
    "authorization": authorization,
    "introspection": introspection,
}


def response_signing(message: str):
    def exercise(lab, value):
        token, fits = MESSAGES[message](lab, **{f"{message}_signed_response_alg": value})
        if value == "none":
            assert rp.header(token)["alg"] == "none" and token.endswith(".")
            assert fits(json.loads(jwk.base64url_decode(token.split(".")[1])))
        else:
            assert fits(rp.verified(token, value, lab.keys()))

    return exercise


def no_response_alg(member: str):
    def exercise(lab, value):
        lab.refuses(**{member: value, "jwks": jwks("RSA", "P-256")})

    return exercise


def response_encryption(message: str, alg: str, kind: str, enc: str | None):
    """A nested response by these algorithms; the content encryption has a default (Registration section 2)."""

    def exercise(lab):
        names = f"{message}_encrypted_response_alg", f"{message}_encrypted_response_enc"
        metadata = {names[0]: alg, names[1]: enc, f"{message}_signed_response_alg": "ES256", "jwks": jwks(kind)}
        token, fits = MESSAGES[message](lab, **metadata)
        outer = rp.header(token)
        assert outer["cty"] == "JWT" and outer["kid"] == rp.key(kind, "enc")["kid"]
        assert fits(rp.verified(unsealed(token, alg, enc or "A128CBC-HS256"), "ES256", lab.keys()))

    return exercise


def response_alg(message: str):
    def exercise(lab, value):
        kinds = ("RSA",) if value.startswith("RSA") else rp.CURVES
        for kind in kinds:
            response_encryption(message, value, kind, None)(lab)

    return exercise


def response_enc(message: str):
    def exercise(lab, value):
        response_encryption(message, "ECDH-ES+A256KW", "P-384", value)(lab)

    return exercise


def no_response_enc(member: str):
    def exercise(lab, value):
        lab.refuses(**{member.replace("_enc", "_alg"): "RSA-OAEP", member: value, "jwks": jwks("RSA")})

    return exercise


# Request objects.


def entry(lab, alg: str) -> dict:
    return next(key for key in lab.keys() if key["use"] == "enc" and key["alg"] == alg)


def accepted(lab, client: Client, request: str) -> None:
    answer = lab.browser.authorize("POST", client_id=client.id, response_type="code", scope="openid", request=request)
    assert "code" in lab.browser.go_on(answer)


def object_signing(lab, value):
    client = lab.client(request_object_signing_alg=value)
    if value == "none":
        accepted(lab, client, unsigned({**client.request(), "iss": client.id, "aud": lab.provider.issuer}))
        lab.object_refused(client, client.object("RS256"))
        return
    accepted(lab, client, client.object(value))
    other = "PS256" if value == "ES256" else "ES256"
    lab.object_refused(client, client.object(other))


def no_object_signing(lab, value):
    lab.refuses(request_object_signing_alg=value)
    client = lab.client()
    claims = {**client.request(), "iss": client.id, "aud": lab.provider.issuer}
    secret = jwk.JWK(kty="oct", k=registered.unpadded(client.info["client_secret"].encode()))
    token = registered.jws.JWS(json.dumps(claims).encode())
    token.add_signature(secret, alg=value, protected={"alg": value})
    lab.object_refused(client, token.serialize(compact=True))


def object_alg(lab, value):
    client = lab.client(request_object_encryption_alg=value)
    accepted(lab, client, rp.sealed(client.object(), "A128CBC-HS256", entry(lab, value)))


def no_object_alg(lab, value):
    lab.refuses(request_object_encryption_alg=value)
    client = lab.client()
    # OpenID Connect Core section 10.2: a key from the client's secret, which is as long as the algorithm wants it.
    octets = registered.hashlib.sha256(client.info["client_secret"].encode()).digest()
    size = int(value[1:4]) // 8 if value != "dir" else 32
    secret = jwk.JWK(kty="oct", k=registered.unpadded(octets[:size]))
    protected = {"alg": value, "enc": "A256GCM" if value == "dir" else "A128GCM", "cty": "JWT"}
    token = jwe.JWE(client.object().encode(), recipient=secret, protected=protected)
    lab.object_refused(client, token.serialize(compact=True))


def object_enc(lab, value):
    client = lab.client(request_object_encryption_alg="RSA-OAEP", request_object_encryption_enc=value)
    accepted(lab, client, rp.sealed(client.object(), value, entry(lab, "RSA-OAEP")))


def no_object_enc(lab, value):
    lab.refuses(request_object_encryption_alg="RSA-OAEP", request_object_encryption_enc=value)
    client = lab.client()
    parts = rp.sealed(client.object(), "A256GCM", entry(lab, "RSA-OAEP")).split(".")
    head = {**rp.header(parts[0]), "enc": value}
    lab.object_refused(client, ".".join([registered.unpadded(json.dumps(head).encode()), *parts[1:]]))


def request_parameter(lab, value):
    assert value is True
    client = lab.client()
    accepted(lab, client, client.object())


def request_uri_parameter(lab, value):
    client = lab.client()
    if not value:
        assert lab.error(client, request_uri="https://rp.example/object") == "request_uri_not_supported"
        return
    with Listener() as listener:
        address = f"{listener.address}/object"
        client = lab.client(request_uris=[address])
        listener.serve("application/oauth-authz-req+jwt", client.object())
        beside = {"client_id": client.id, "response_type": "code", "scope": "openid", "request_uri": address}
        assert "code" in lab.browser.go_on(lab.browser.authorize(**beside))


def request_uri_registration(lab, value):
    if lab.metadata["request_uri_parameter_supported"]:
        assert value is True
        assert lab.error(lab.client(), request_uri="https://rp.example/unknown") == "invalid_request_uri"


def signed_object_demanded(lab, value):
    assert value is False
    lab.client().log_in(lab.browser)
    demanding = lab.client(require_signed_request_object=True)
    assert lab.error(demanding) == "invalid_request"
    accepted(lab, demanding, demanding.object())


def pushing_demanded(lab, value):
    assert value is False
    lab.client().log_in(lab.browser)
    assert lab.error(lab.client(require_pushed_authorization_requests=True)) == "invalid_request"


def iss_parameter(lab, value):
    assert value is True
    client = lab.client()
    # RFC 9207 section 2: in errors too; `log_in` checks the rest.
    client.log_in(lab.browser)
    assert lab.error(client, prompt="none login")


# Logout.


def back_channel(lab, value):
    assert value is True
    with Listener() as listener:
        client = lab.client(
            backchannel_logout_uri=f"{listener.address}/logout",
            backchannel_logout_session_required=True,
            post_logout_redirect_uris=[AFTER],
        )
        browser, tokens = signed_in_elsewhere(lab, client)
        sid = rp.verified(tokens["id_token"], "RS256", lab.keys())["sid"]
        hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER}
        browser.request("GET", lab.metadata["end_session_endpoint"], **hint)
        form = listener.received()
        claims = rp.verified(form["logout_token"], "RS256", lab.keys())
        # Back-Channel Logout section 2.4.
        assert claims["sid"] == sid and "nonce" not in claims
        assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}


def front_channel(lab, value):
    assert value is True
    frame = "https://rp.example/front"
    client = lab.client(
        frontchannel_logout_uri=frame,
        frontchannel_logout_session_required=True,
        post_logout_redirect_uris=[AFTER],
    )
    browser, tokens = signed_in_elsewhere(lab, client)
    hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER}
    answer = browser.request("GET", lab.metadata["end_session_endpoint"], **hint)
    while answer.status_code in (302, 303):
        answer = browser.request("GET", requests.compat.urljoin(lab.provider.issuer, answer.headers["Location"]))
    address = rp.html.unescape(rp.re.search(rf'src="({frame}[^"]*)"', answer.text)[1])
    query = rp.parse_qs(rp.urlsplit(address).query)
    sid = rp.verified(tokens["id_token"], "RS256", lab.keys())["sid"]
    assert query == {"iss": [lab.provider.issuer], "sid": [sid]}


# The table: for each member what exercises it, and for each list a value that is not on it and what shows that.

SINGLE = {
    "issuer": issuer,
    "authorization_endpoint": authorization_endpoint,
    "token_endpoint": token_endpoint,
    "userinfo_endpoint": userinfo_endpoint,
    "jwks_uri": jwks_uri,
    "registration_endpoint": registration_endpoint,
    "introspection_endpoint": introspection_endpoint,
    "revocation_endpoint": revocation_endpoint,
    "pushed_authorization_request_endpoint": pushed_authorization_request_endpoint,
    "device_authorization_endpoint": device_authorization_endpoint,
    "end_session_endpoint": end_session_endpoint,
    "check_session_iframe": check_session_iframe,
    "claims_parameter_supported": claims_parameter,
    "request_parameter_supported": request_parameter,
    "request_uri_parameter_supported": request_uri_parameter,
    "require_request_uri_registration": request_uri_registration,
    "require_signed_request_object": signed_object_demanded,
    "require_pushed_authorization_requests": pushing_demanded,
    "authorization_response_iss_parameter_supported": iss_parameter,
    "backchannel_logout_supported": back_channel,
    "backchannel_logout_session_supported": back_channel,
    "frontchannel_logout_supported": front_channel,
    "frontchannel_logout_session_supported": front_channel,
}

LISTS = {
    "scopes_supported": (scope, no_scope, "banking"),
    "claims_supported": (claim, no_claim, "shoe_size"),
    "claim_types_supported": (claim_type, no_claim_type, "distributed"),
    "response_types_supported": (response_type, no_response_type, "token"),
    "response_modes_supported": (response_mode, no_response_mode, "web_message"),
    "grant_types_supported": (grant_type, no_grant_type, "password"),
    "subject_types_supported": (subject_type, no_subject_type, "ephemeral"),
    "acr_values_supported": (acr_value, no_acr_value, "urn:mace:incommon:iap:silver"),
    "prompt_values_supported": (prompt, no_prompt, "admin_consent"),
    # Values that are not known are ignored: they are wishes (Core section 3.1.2.1).
    "display_values_supported": (display, display, "hologram"),
    "ui_locales_supported": (ui_locale, no_ui_locale, "tlh"),
    "code_challenge_methods_supported": (challenge_method, no_challenge_method, "plain"),
    "request_object_signing_alg_values_supported": (object_signing, no_object_signing, "HS256"),
    "request_object_encryption_alg_values_supported": (object_alg, no_object_alg, "A256KW"),
    "request_object_encryption_enc_values_supported": (object_enc, no_object_enc, "XC20P"),
}
for _endpoint, _unproved in (("token", "tls_client_auth"), ("introspection", "none"), ("revocation", "tls_client_auth")):
    LISTS[f"{_endpoint}_endpoint_auth_methods_supported"] = auth_method(_endpoint), no_auth_method(_endpoint), _unproved
    _alg = auth_alg(_endpoint), no_auth_alg(_endpoint), "none"
    LISTS[f"{_endpoint}_endpoint_auth_signing_alg_values_supported"] = _alg
for _message in MESSAGES:
    _prefix = f"{_message}_encrypted_response"
    _sign = response_signing(_message), no_response_alg(f"{_message}_signed_response_alg"), "HS256"
    LISTS[f"{_message}_signing_alg_values_supported"] = _sign
    _alg = response_alg(_message), no_response_alg(f"{_prefix}_alg"), "RSA1_5"
    LISTS[f"{_message}_encryption_alg_values_supported"] = _alg
    LISTS[f"{_message}_encryption_enc_values_supported"] = response_enc(_message), no_response_enc(f"{_prefix}_enc"), "XC20P"


def test_every_member_of_the_document_is_exercised_and_every_list_is_tried_beyond_its_end(lab):
    assert set(lab.metadata) - set(SINGLE) - set(LISTS) == set()
    for name, (_, _, value) in LISTS.items():
        assert value not in lab.metadata.get(name, []), f"{name} has {value}"
    # What is not yet advertised need not be there; all else must.
    assert len(set(LISTS) & set(lab.metadata)) >= 32


@pytest.mark.parametrize("name", SINGLE)
def test_what_a_member_says_holds(lab, name):
    if name not in lab.metadata:
        pytest.skip("not advertised")
    SINGLE[name](lab, lab.metadata[name])


@pytest.mark.parametrize("name", LISTS)
def test_each_value_of_a_list_works(lab, name):
    values = lab.metadata[name]
    assert values and len(set(values)) == len(values)
    wrong = {}
    for value in values:
        try:
            LISTS[name][0](lab, value)
        except AssertionError as error:
            wrong[value] = error
    assert not wrong, "\n".join(f"{name} {value}: {error}" for value, error in wrong.items())


@pytest.mark.parametrize("name", LISTS)
def test_a_value_beyond_a_list_is_refused(lab, name):
    _, refused, value = LISTS[name]
    refused(lab, value)


# Section 7.2.20 and 7.3.27 of what the suites leave out: nothing symmetric is advertised, so nothing symmetric is taken.


@pytest.mark.parametrize("alg", ["A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "dir"])
def test_symmetric_encryption_is_neither_advertised_nor_taken_core_10_2(lab, alg):
    for name, values in lab.metadata.items():
        assert not name.endswith("_encryption_alg_values_supported") or alg not in values
    for message in MESSAGES:
        no_response_alg(f"{message}_encrypted_response_alg")(lab, alg)
    no_object_alg(lab, alg)
