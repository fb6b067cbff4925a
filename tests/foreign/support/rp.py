"""A relying party that speaks HTTP like a browser and JOSE through jwcrypto."""

import base64
import functools
import hashlib
import html
import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import requests
from jwcrypto import jwe, jwk, jws

from support.provider import PATIENCE, Provider

SECRET = "a-client-secret-that-is-long-enough"
REDIRECT_URI = "https://rp.example/callback"

SIG_ALGS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
KEY_ALGS = ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
ENCS = ("A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM")
CURVES = ("P-256", "P-384", "P-521", "X25519")
# Every key management algorithm with every kind of key that it works with.
SEALS = tuple((alg, kind) for alg in KEY_ALGS for kind in (("RSA",) if alg.startswith("RSA") else CURVES))

SIG_KEY_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}


@functools.cache
def key(kind: str, use: str) -> jwk.JWK:
    """The relying party's one key of a kind and a use."""
    kid = f"{use}-{kind}"
    if kind == "RSA":
        return jwk.JWK.generate(kty="RSA", size=2048, use=use, kid=kid)
    return jwk.JWK.generate(kty="EC" if kind.startswith("P-") else "OKP", crv=kind, use=use, kid=kid)


def declared_key(one: jwk.JWK, **period) -> dict:
    """A key as `signet apply` takes it."""
    public = one.export_public(as_dict=True)
    return {"name": public["kid"], "usage": public["use"], "source": public, **period}


def declaration(client_id: str, keys: list[dict], **settings) -> dict:
    """A first-party confidential client with the one redirect URI."""
    common = {
        "client_name": f"Client {client_id}",
        "redirect_uris": [REDIRECT_URI],
        "secret": SECRET,
        "require_consent": False,
        "require_pkce": False,
    }
    return {"client_id": client_id, "keys": keys, **common, **settings}


def compact_parts(token: str) -> int:
    return len(token.split("."))


def header(token: str) -> dict:
    """The protected header of a compact token."""
    first = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))


def signed(claims: dict, alg: str, one: jwk.JWK) -> str:
    """A compact JWS."""
    token = jws.JWS(json.dumps(claims).encode())
    token.add_signature(one, alg=alg, protected={"alg": alg, "kid": one["kid"]})
    return token.serialize(compact=True)


def sealed(content: str, enc: str, entry: dict) -> str:
    """A compact JWE to an entry of the provider's JWKS."""
    protected = {"alg": entry["alg"], "enc": enc, "kid": entry["kid"], "cty": "JWT"}
    token = jwe.JWE(content.encode(), recipient=jwk.JWK(**entry), protected=protected)
    return token.serialize(compact=True)


def opened(token: str, one: jwk.JWK, alg: str, enc: str) -> str:
    """The plaintext of a compact JWE that must be made with exactly these algorithms."""
    made = jwe.JWE(algs=[alg, enc])
    made.deserialize(token)
    made.decrypt(one)
    return made.payload.decode()


def verified(token: str, alg: str, keys: list[dict]) -> dict:
    """The claims of a compact JWS that must be signed with exactly this algorithm, by the key it names."""
    named = [entry for entry in keys if entry["kid"] == header(token)["kid"]]
    assert len(named) == 1 and named[0]["use"] == "sig" and named[0]["alg"] == alg
    made = jws.JWS()
    made.allowed_algs = [alg]
    made.deserialize(token)
    made.verify(jwk.JWK(**named[0]))
    return json.loads(made.payload)


class Browser:
    """A browser's cookies, and what a person does in it."""

    def __init__(self, provider: Provider):
        self.provider = provider
        self.session = requests.Session()

    def request(self, method: str, address: str, data=None, **query) -> requests.Response:
        options = {"params": query, "data": data, "allow_redirects": False, "timeout": PATIENCE}
        return self.session.request(method, address, **options)

    def authorize(self, method: str = "GET", **parameters) -> requests.Response:
        """The authorization request, up to its first answer."""
        endpoint = self.provider.metadata["authorization_endpoint"]
        if method == "GET":
            return self.request("GET", endpoint, **parameters)
        return self.request("POST", endpoint, data=parameters)

    def go_on(self, answer: requests.Response, username: str = "alice", password: str = "alice") -> dict:
        """From an accepted request over login and consent to the parameters that the client receives."""
        return self.arrive(answer, username, password)[1]

    def arrive(
        self, answer: requests.Response, username: str = "alice", password: str = "alice"
    ) -> tuple[str, dict[str, str]]:
        """The same, with the way on which they come: `query`, `fragment` or `form_post`."""
        for _ in range(6):
            if arrived := arrival(answer):
                return arrived
            if answer.status_code in (302, 303):
                address = requests.compat.urljoin(self.provider.issuer, answer.headers["Location"])
                answer = self.request("GET", address)
                continue
            assert answer.status_code == 200, answer.text
            person = {"username": username, "password": password} if 'id="password"' in answer.text else {"decision": "accept"}
            action, csrf = form(answer.text, "login" if "username" in person else "consent")
            answer = self.request(
                "POST", requests.compat.urljoin(self.provider.issuer, action), data={"csrf": csrf, **person}
            )
        raise AssertionError("the interaction does not end")


def arrival(answer: requests.Response) -> tuple[str, dict[str, str]] | None:
    """Way and parameters of a response to the client; nothing if it is none."""
    location = answer.headers.get("Location", "")
    if location.startswith(REDIRECT_URI):
        parts = urlsplit(location)
        assert not (parts.query and parts.fragment), location
        way = "fragment" if parts.fragment else "query"
        return way, {name: one for name, (one,) in parse_qs(parts.fragment or parts.query).items()}
    if f'<form method="post" action="{REDIRECT_URI}"' in answer.text:
        fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.text)
        return "form_post", {html.unescape(name): html.unescape(value) for name, value in fields}
    return None


def form(page: str, last: str) -> tuple[str, str]:
    """Action and token of the form that posts to `…/last`."""
    found = re.search(rf'<form method="post" action="([^"]*/{last})".*?name="csrf" value="([^"]+)"', page, re.S)
    assert found, page
    return html.unescape(found[1]), found[2]


def redeem(provider: Provider, client_id: str, code: str, redirect_uri: str = REDIRECT_URI) -> requests.Response:
    """The token request."""
    data = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    endpoint = provider.metadata["token_endpoint"]
    return requests.post(endpoint, data=data, auth=(client_id, SECRET), timeout=PATIENCE)


def user_info(provider: Provider, access_token: str) -> requests.Response:
    """The UserInfo request."""
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(provider.metadata["userinfo_endpoint"], headers=headers, timeout=PATIENCE)


def half_hash(alg: str, text: str) -> str:
    """OpenID Connect Core section 3.1.3.6."""
    size = {"EdDSA": "512"}.get(alg, alg[-3:])
    digest = hashlib.new(f"sha{size}", text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def check_id_token(claims: dict, alg: str, provider: Provider, client_id: str, nonce: str | None, tokens: dict) -> None:
    """OpenID Connect Core section 3.1.3.7."""
    now = time.time()
    assert claims["iss"] == provider.issuer
    assert claims["aud"] in (client_id, [client_id])
    assert claims["iat"] <= now + 1 and claims["exp"] > now
    assert claims.get("nonce") == nonce
    assert claims["at_hash"] == half_hash(alg, tokens["access_token"])
