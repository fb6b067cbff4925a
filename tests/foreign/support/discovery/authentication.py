"""How clients prove who they are."""

import json
import secrets
import time

import requests

from support import registered, rp
from support.provider import PATIENCE
from support.registered import Client


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
