"""What may be asked for at the authorization endpoint, and what tokens are given for."""

import json
import secrets
import time

import requests

from support import registered, rp
from support.discovery.lab import NAME, PASSWORD, PERSON, PROTOCOL
from support.discovery.messages import id_token


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
    """What needs a second factor is met in test_second_factor.py; here by a person who has none."""
    if value != "urn:signet:acr:password":
        return acr_value_beyond(lab, value)
    client = lab.client()
    essential = json.dumps({"id_token": {"acr": {"essential": True, "values": [value]}}})
    for changes in ({"acr_values": value}, {"claims": essential}):
        tokens = client.tokens(lab.browser, **changes)
        assert rp.verified(tokens["id_token"], "RS256", lab.keys())["acr"] == value


def acr_value_beyond(lab, value):
    client = lab.client()
    # A wish that cannot be fulfilled is no obstacle, and nothing is claimed.
    tokens = client.tokens(lab.browser, acr_values=value)
    assert rp.verified(tokens["id_token"], "RS256", lab.keys())["acr"] == "urn:signet:acr:password"
    essential = json.dumps({"id_token": {"acr": {"essential": True, "values": [value]}}})
    if value == "urn:signet:acr:passkey":
        # A passkey cannot be made on the way.
        assert lab.error(client, claims=essential) == "unmet_authentication_requirements"
        return
    # An authenticator application can: the login waits for its first code, and gives nothing without it.
    answer = lab.browser.authorize("POST", **client.request(claims=essential))
    page = lab.browser.request("GET", requests.compat.urljoin(lab.provider.issuer, answer.headers["Location"]))
    assert page.status_code == 200 and 'id="code"' in page.text, page.text


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
