"""Request objects made by jwcrypto: every pair of algorithms is accepted, and what must be refused is."""

import json
import secrets
import time

import pytest
from jwcrypto import jwk

from support import rp
from support.rp import ENCS, SIG_ALGS, SIG_KEY_OF

CLIENT = "requester"
# The entries that the provider's JWKS must have for encryption: algorithm and kind of key.
ENTRIES = tuple(
    (alg, kind)
    for alg in rp.KEY_ALGS
    for kind in (("RSA",) if alg.startswith("RSA") else ("P-256", "X25519"))
)
NESTED = [(sig, alg, kind, enc) for alg, kind in ENTRIES for sig in SIG_ALGS for enc in ENCS]


@pytest.fixture(scope="module")
def requester(provider):
    """A client with a signing key of every kind."""
    kinds = dict.fromkeys(SIG_KEY_OF.get(alg, "RSA") for alg in SIG_ALGS)
    keys = [rp.declared_key(rp.key(kind, "sig")) for kind in kinds]
    provider.declare(clients=[rp.declaration(CLIENT, keys, require_request_object=True, require_jti=True)])
    return rp.Browser(provider)


@pytest.fixture(scope="module")
def entries(provider):
    keys = [key for key in provider.jwks() if key["use"] == "enc"]
    found = {(key["alg"], key.get("crv", key["kty"])): key for key in keys}
    assert len(found) == len(keys) and set(found) == set(ENTRIES)
    return found


def claims(provider, **changed) -> dict:
    now = int(time.time())
    return {
        "iss": CLIENT,
        "aud": provider.issuer,
        "iat": now,
        "exp": now + 300,
        "jti": secrets.token_urlsafe(),
        "client_id": CLIENT,
        "response_type": "code",
        "redirect_uri": rp.REDIRECT_URI,
        "scope": "openid",
        "state": "inside",
        "nonce": "n",
        **changed,
    }


def signed(provider, alg: str, **changed) -> str:
    return rp.signed(claims(provider, **changed), alg, rp.key(SIG_KEY_OF.get(alg, "RSA"), "sig"))


def accepted(answer) -> bool:
    return answer.status_code == 303 and "/interaction/" in answer.headers["Location"]


def refused(answer, error: str) -> bool:
    location = answer.headers.get("Location", "")
    return answer.status_code == 303 and location.startswith(f"{rp.REDIRECT_URI}?error={error}&")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("alg", SIG_ALGS)
def test_a_signed_object_is_accepted(provider, requester, alg, method):
    answer = requester.authorize(method, client_id=CLIENT, request=signed(provider, alg))
    assert accepted(answer), answer.headers.get("Location", answer.text)


@pytest.mark.parametrize(("sig", "alg", "kind", "enc"), NESTED)
def test_a_nested_object_is_accepted_once(provider, requester, entries, sig, alg, kind, enc):
    sealed = rp.sealed(signed(provider, sig), enc, entries[alg, kind])
    answer = requester.authorize("POST", client_id=CLIENT, request=sealed)
    assert accepted(answer), answer.headers.get("Location", answer.text)
    # "each request object token can only be used once": the jti was used up.
    assert refused(requester.authorize("POST", client_id=CLIENT, request=sealed), "invalid_request_object")


def test_nothing_outside_the_object_is_needed_not_even_client_id(provider, requester, entries):
    sealed = rp.sealed(signed(provider, "ES256"), "A256GCM", entries["ECDH-ES", "X25519"])
    assert accepted(requester.authorize(request=sealed))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "another"},
        {"aud": "https://elsewhere.example"},
        {"exp": int(time.time()) - 3_600},
        {"iat": int(time.time()) + 3_600, "exp": int(time.time()) + 3_900},
        {"sub": CLIENT},
    ],
    ids=str,
)
def test_an_object_with_wrong_claims_is_refused(provider, requester, entries, changed):
    token = signed(provider, "PS256", **changed)
    for request in (token, rp.sealed(token, "A128GCM", entries["RSA-OAEP-256", "RSA"])):
        answer = requester.authorize("POST", client_id=CLIENT, request=request)
        # Its parameters count for nothing, so there is no redirect URI to answer to.
        assert answer.status_code == 400 and "Location" not in answer.headers


def test_what_a_stranger_signed_or_nobody_signed_is_refused(provider, requester, entries):
    entry = entries["RSA-OAEP", "RSA"]
    stranger = jwk.JWK.generate(kty="RSA", size=2048, use="sig", kid=rp.key("RSA", "sig")["kid"])
    forged = rp.signed(claims(provider), "RS256", stranger)
    bare = json.dumps(claims(provider))
    twice = rp.sealed(rp.sealed(signed(provider, "RS256"), "A128GCM", entry), "A128GCM", entry)
    for token in (forged, rp.sealed(forged, "A128GCM", entry), rp.sealed(bare, "A128GCM", entry), twice):
        answer = requester.authorize("POST", client_id=CLIENT, request=token)
        # None of these tells whose redirect URI to trust.
        assert answer.status_code == 400 and "Location" not in answer.headers
