"""The two example programs that Signicat prints for its customers work against this provider as they are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jwcrypto import jwk

from support import rp
from support.provider import PATIENCE

PROGRAMS = Path(__file__).parent / "programs"
CLIENT = "dev-annoyed-sloth-492"
REDIRECT_URI = rp.REDIRECT_URI


def run(program: str, **inserted: str) -> str:
    """What a program prints."""
    command = [sys.executable, str(PROGRAMS / program)]
    environment = {**os.environ, **inserted}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def keys():
    """The customer's private keys, as the document has them: JWKs with `alg`, `kid` and `use`."""
    signing = jwk.JWK.generate(kty="RSA", size=2048, alg="RS256", kid="abc123321cba", use="sig")
    encryption = jwk.JWK.generate(kty="RSA", size=2048, alg="RSA-OAEP", kid="mykey-123", use="enc")
    return {"sig": signing, "enc": encryption}


@pytest.fixture(scope="module")
def customer(provider, keys):
    """The client: encrypted ID tokens, UserInfo `SignedAndEncrypted`, and neither PKCE nor nonce, as in the document."""
    encryption = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256"}
    client = rp.declaration(
        CLIENT,
        [rp.declared_key(keys["sig"]), rp.declared_key(keys["enc"])],
        require_request_object=True,
        require_encrypted_request_object=True,
        require_consent=True,
        id_token={"encrypted": encryption},
        userinfo={"response_type": "signed_and_encrypted", "encrypted": encryption},
    )
    provider.declare(clients=[client])
    return client


def nested_request(provider, keys) -> tuple[str, str]:
    """The address that the first program prints, split at its request object."""
    entry = next(key for key in provider.jwks() if key["use"] == "enc" and key["alg"] == "RSA-OAEP")
    printed = run(
        "nested_request.py",
        JWS_PRIVATE_KEY=keys["sig"].export_private(),
        JWE_PUBLIC_KEY=json.dumps(entry),
        CLIENT_ID=CLIENT,
        REDIRECT_URI=REDIRECT_URI,
        ISSUER=provider.issuer,
        AUTHORIZATION_ENDPOINT=provider.metadata["authorization_endpoint"],
    )
    address = printed.strip()
    return address, address.split("&request=")[1]


def opened_by_the_program(token: str, keys) -> str:
    """The inner JWS that the second program prints, as Python prints bytes."""
    printed = run("open_nested.py", NESTED_JWT=token, JWE_PRIVATE_KEY=keys["enc"].export_private())
    last = printed.strip().splitlines()[-1]
    assert last.startswith("b'") and last.endswith("'")
    return last[2:-1]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_nested_request_object_is_accepted_and_both_responses_open(provider, customer, keys, method):
    address, request_object = nested_request(provider, keys)
    browser = rp.Browser(provider)
    if method == "GET":
        # Exactly the printed address.
        answer = browser.request("GET", address)
    else:
        answer = browser.authorize("POST", client_id=CLIENT, request=request_object)
    reply = browser.go_on(answer)
    assert reply["state"] == "ABCDEF012345"
    assert reply["iss"] == provider.issuer

    answer = rp.redeem(provider, CLIENT, reply["code"])
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert rp.header(tokens["id_token"]) == {
        "alg": "RSA-OAEP",
        "enc": "A128CBC-HS256",
        "kid": "mykey-123",
        "cty": "JWT",
        "typ": "JWT",
    }
    id_token = rp.verified(opened_by_the_program(tokens["id_token"], keys), "RS256", provider.jwks())
    rp.check_id_token(id_token, "RS256", provider, CLIENT, None, tokens)

    answer = rp.user_info(provider, tokens["access_token"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/jwt")
    claims = rp.verified(opened_by_the_program(answer.text, keys), "RS256", provider.jwks())
    assert (claims["sub"], claims["iss"], claims["name"]) == (id_token["sub"], provider.issuer, "Alice Virtanen")


def test_without_jti_the_same_object_may_be_sent_again(provider, customer, keys):
    # "If you do not wish to have unique request objects enforced, you simply omit the jti claim."
    address, _ = nested_request(provider, keys)
    for _ in range(2):
        answer = rp.Browser(provider).request("GET", address)
        assert answer.status_code == 303 and "/interaction/" in answer.headers["Location"]


def test_the_same_request_in_the_open_is_refused(provider, customer):
    parameters = {"response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "openid profile", "state": "s"}
    answer = rp.Browser(provider).authorize(client_id=CLIENT, **parameters)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{REDIRECT_URI}?error=invalid_request")
