"""A relying party that registers itself, with the ways of authentication and the forms of responses it chooses."""

import base64
import hashlib
import json
import secrets
import time

import requests
from jwcrypto import jwk, jws

from support import rp
from support.provider import PATIENCE, Provider

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SIGNING_KINDS = ("RSA", "P-256", "P-384", "P-521", "Ed25519")


def unpadded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def jwks(*encryption_kinds: str) -> dict:
    """A signing key of every kind, and encryption keys of these."""
    keys = [rp.key(kind, "sig") for kind in SIGNING_KINDS] + [rp.key(kind, "enc") for kind in encryption_kinds]
    return {"keys": [one.export_public(as_dict=True) for one in keys]}


def register(provider: Provider, **metadata) -> requests.Response:
    """The client registration request. `None` leaves a member out."""
    body = {"redirect_uris": [rp.REDIRECT_URI], "client_name": "Shop", "jwks": jwks(), **metadata}
    body = {name: value for name, value in body.items() if value is not None}
    return requests.post(provider.metadata["registration_endpoint"], json=body, timeout=PATIENCE)


class Client:
    """A registered client."""

    def __init__(self, provider: Provider, **metadata):
        self.provider = provider
        answer = register(provider, **metadata)
        assert answer.status_code == 201, (metadata, answer.text)
        self.info: dict = answer.json()
        self.id: str = self.info["client_id"]
        for name, value in metadata.items():
            if value is not None and name not in ("jwks", "scope"):
                told = self.info[name]
                assert sorted(told) == sorted(value) if isinstance(value, list) else told == value, (name, value, told)

    # Authorization.

    def request(self, **changes) -> dict:
        """The parameters of a good request, with changes; `None` leaves one out. Each has a verifier of its own."""
        self.verifier = secrets.token_urlsafe(48)
        parameters = {
            "client_id": self.id,
            "response_type": "code",
            "redirect_uri": rp.REDIRECT_URI,
            "scope": "openid",
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": unpadded(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def log_in(self, browser: rp.Browser, **changes) -> dict[str, str]:
        """The response to a request in which nothing goes wrong."""
        parameters = self.request(**changes)
        _, response = browser.arrive(browser.authorize("POST", **parameters))
        assert "error" not in response, response
        assert response["state"] == parameters.get("state") and response["iss"] == self.provider.issuer
        return response

    def tokens(self, browser: rp.Browser, **changes) -> dict:
        """The tokens of a login by the code flow."""
        answer = self.redeem(self.log_in(browser, **changes)["code"])
        assert answer.status_code == 200, answer.text
        return answer.json()

    # Endpoints that it calls itself.

    def post(self, endpoint: str, method: str | None = None, alg: str | None = None, accept: str | None = None, **form):
        """A request with client authentication."""
        headers = {"Accept": accept} if accept else {}
        address = self.provider.metadata[endpoint]
        method = method or self.info["token_endpoint_auth_method"]
        auth = None
        if method == "client_secret_basic":
            auth = (self.id, self.info["client_secret"])
        elif method in ("client_secret_post", "none"):
            form["client_id"] = self.id
            if method == "client_secret_post":
                form["client_secret"] = self.info["client_secret"]
        else:
            form["client_assertion_type"] = ASSERTION_TYPE
            form["client_assertion"] = self.assertion(alg or ("HS256" if method == "client_secret_jwt" else "RS256"))
        return requests.post(address, data=form, auth=auth, headers=headers, timeout=PATIENCE)

    def assertion(self, alg: str, **changes) -> str:
        """RFC 7523 section 3, OpenID Connect Core section 9."""
        now = int(time.time())
        claims = {"iss": self.id, "sub": self.id, "aud": self.provider.issuer, "iat": now, "exp": now + 60}
        claims |= {"jti": secrets.token_urlsafe(), **changes}
        if not alg.startswith("HS"):
            return rp.signed(claims, alg, rp.key(rp.SIG_KEY_OF.get(alg, "RSA"), "sig"))
        token = jws.JWS(json.dumps(claims).encode())
        secret = jwk.JWK(kty="oct", k=unpadded(self.info["client_secret"].encode()))
        token.add_signature(secret, alg=alg, protected={"alg": alg})
        return token.serialize(compact=True)

    def redeem(self, code: str, **how) -> requests.Response:
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": self.verifier}
        return self.post("token_endpoint", redirect_uri=rp.REDIRECT_URI, **form, **how)

    def introspect(self, token: str, **how) -> requests.Response:
        return self.post("introspection_endpoint", token=token, **how)

    # Request objects.

    def object(self, alg: str = "RS256", **changes) -> str:
        """A signed request object with all parameters inside (RFC 9101 section 4)."""
        now = int(time.time())
        claims = {"iss": self.id, "aud": self.provider.issuer, "iat": now, "exp": now + 300}
        claims |= {"jti": secrets.token_urlsafe(), **self.request(**changes)}
        return rp.signed(claims, alg, rp.key(rp.SIG_KEY_OF.get(alg, "RSA"), "sig"))


def own_key(token: str) -> jwk.JWK:
    """The relying party's key that a JWE names."""
    use, kind = rp.header(token)["kid"].split("-", 1)
    assert use == "enc"
    return rp.key(kind, use)


def unsealed(token: str, alg: str, enc: str) -> str:
    """What is in a JWE that must be made with exactly these algorithms, to the key that it names."""
    outer = rp.header(token)
    assert (outer["alg"], outer["enc"]) == (alg, enc), outer
    return rp.opened(token, own_key(token), alg, enc)


DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"


def allow_device(browser: rp.Browser, start: dict) -> None:
    """What a person does who is signed in: types the code and agrees (RFC 8628 section 3.3)."""
    page = browser.request("GET", start["verification_uri"])
    action, csrf = rp.form(page.text, "device")
    address = requests.compat.urljoin(browser.provider.issuer, action)
    answer = browser.request("POST", address, data={"csrf": csrf, "user_code": start["user_code"]})
    while answer.status_code in (302, 303):
        answer = browser.request("GET", requests.compat.urljoin(browser.provider.issuer, answer.headers["Location"]))
    action, csrf = rp.form(answer.text, "consent")
    address = requests.compat.urljoin(browser.provider.issuer, action)
    answer = browser.request("POST", address, data={"csrf": csrf, "decision": "accept"})
    assert answer.status_code in (200, 302, 303), answer.text
