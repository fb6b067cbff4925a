"""Addresses and names."""

import requests
from jwcrypto import jwk

from support import registered, rp
from support.discovery.asking import grant_type
from support.discovery.lab import AFTER, NAME, PASSWORD
from support.provider import PATIENCE
from support.registered import Client


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
