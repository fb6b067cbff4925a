"""A second real relying party: Authlib, as Flask applications use it. What it cannot do (request objects, encrypted ID
tokens, pushed requests, JARM) the Python sample adds with joserfc, and `openid_client` shows with its library.
"""

import secrets
from urllib.parse import parse_qs, urlsplit

import flask
import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from joserfc import jwk

from support import rp
from support.provider import PATIENCE

AFTER_LOGOUT = "https://rp.example/signed-out"
OFFLINE = "openid profile email offline_access"
SIGNING = jwk.ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": "authlib"})


class Application:
    """A Flask application that registers itself, and a person's browser for each of the two sides."""

    def __init__(self, provider, method: str, **metadata):
        self.provider = provider
        self.registration = register(provider, method, **metadata)
        self.app = flask.Flask("application")
        self.app.secret_key = secrets.token_bytes(32)
        self.method = method
        self.client = OAuth(self.app).register(
            "signet",
            client_id=self.registration["client_id"],
            client_secret=self.proof(),
            server_metadata_url=provider.ready["discovery"],
            client_auth_methods=assertions(provider),
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": method,
            },
        )
        self.app.add_url_rule("/login", view_func=self.login)
        self.app.add_url_rule("/callback", view_func=self.callback)
        self.app.add_url_rule("/logout", view_func=self.logout)
        self.app.add_url_rule("/signed-out", view_func=self.signed_out)
        self.at_client = self.app.test_client()
        self.at_provider = rp.Browser(provider)
        self.tokens = None
        self.info = None

    def proof(self):
        return SIGNING if self.method == "private_key_jwt" else self.registration.get("client_secret")

    # What the application is made of.

    def login(self):
        return self.client.authorize_redirect(rp.REDIRECT_URI)

    def callback(self):
        self.tokens = self.client.authorize_access_token()
        self.info = self.client.userinfo(token=self.tokens)
        return "signed in"

    def logout(self):
        return self.client.logout_redirect(AFTER_LOGOUT, id_token_hint=self.tokens["id_token"])

    def signed_out(self):
        self.client.validate_logout_response()
        return "signed out"

    # What a person does.

    def sign_in(self) -> None:
        address = self.at_client.get("/login").headers["Location"]
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["code_challenge_method"] == "S256" and asked["nonce"] and asked["state"]
        answer = self.at_provider.go_on(self.at_provider.request("GET", address))
        assert self.at_client.get("/callback", query_string=answer).text == "signed in"


def register(provider, method: str, **metadata) -> dict:
    """OpenID Connect Dynamic Client Registration, for which Authlib has no client."""
    wanted = {
        "client_name": "Authlib",
        "redirect_uris": [rp.REDIRECT_URI],
        "token_endpoint_auth_method": method,
        "jwks": {"keys": [SIGNING.as_dict(private=False)]},
        **metadata,
    }
    answer = requests.post(provider.metadata["registration_endpoint"], json=wanted, timeout=PATIENCE)
    assert answer.status_code == 201, answer.text
    return answer.json()


def assertions(provider) -> list:
    """RFC 7523 section 3: made for the issuer."""
    return [ClientSecretJWT(provider.issuer), PrivateKeyJWT(provider.issuer, headers={"kid": "authlib"}, alg="ES256")]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"])
def test_code_with_pkce(provider, method):
    application = Application(provider, method)
    application.sign_in()
    # `authorize_access_token` has verified the ID token: signature, `iss`, `nonce`, `at_hash`, times.
    assert application.tokens["userinfo"]["sub"] == application.info["sub"]
    assert (application.info["name"], application.info["email"]) == ("Alice Virtanen", "alice@example.org")
    # Each assertion has a `jti` of its own, so the next login works too.
    application.sign_in()


def test_an_answer_for_another_login_is_refused(provider):
    application = Application(provider, "client_secret_basic")
    other = Application(provider, "client_secret_basic")
    address = other.at_client.get("/login").headers["Location"]
    answer = other.at_provider.go_on(other.at_provider.request("GET", address))
    application.at_client.get("/login")
    application.app.testing = True
    with pytest.raises(OAuthError, match="mismatching_state"):
        application.at_client.get("/callback", query_string=answer)


@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
def test_refresh_introspection_and_revocation(provider, method):
    registration = register(provider, method, grant_types=["authorization_code", "refresh_token"], scope=OFFLINE)
    proof = SIGNING if method == "private_key_jwt" else registration["client_secret"]
    session = OAuth2Session(
        registration["client_id"],
        proof,
        scope=OFFLINE,
        redirect_uri=rp.REDIRECT_URI,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        code_challenge_method="S256",
        default_timeout=PATIENCE,
    )
    for assertion in assertions(provider):
        session.register_client_auth_method(assertion)
    verifier = secrets.token_urlsafe(32)
    address, state = session.create_authorization_url(
        provider.metadata["authorization_endpoint"], code_verifier=verifier, prompt="consent"
    )
    browser = rp.Browser(provider)
    answer = browser.go_on(browser.request("GET", address))
    response = requests.Request("GET", rp.REDIRECT_URI, params=answer).prepare().url
    endpoint = provider.metadata["token_endpoint"]
    first = dict(session.fetch_token(endpoint, authorization_response=response, state=state, code_verifier=verifier))

    second = dict(session.refresh_token(endpoint, refresh_token=first["refresh_token"]))
    assert second["access_token"] != first["access_token"] and second["refresh_token"] != first["refresh_token"]

    introspection, revocation = provider.metadata["introspection_endpoint"], provider.metadata["revocation_endpoint"]
    assert session.introspect_token(introspection, token=second["access_token"]).json()["active"] is True
    assert session.revoke_token(revocation, token=second["access_token"]).status_code == 200
    assert session.introspect_token(introspection, token=second["access_token"]).json()["active"] is False


def test_rp_initiated_logout(provider):
    application = Application(provider, "client_secret_basic", post_logout_redirect_uris=[AFTER_LOGOUT])
    application.sign_in()
    address = application.at_client.get("/logout").headers["Location"]
    answer = application.at_provider.request("GET", address)
    for _ in range(3):
        location = answer.headers.get("Location", "")
        if location.startswith(AFTER_LOGOUT):
            break
        action, csrf = rp.form(answer.text, "logout")
        action = requests.compat.urljoin(provider.issuer, action)
        answer = application.at_provider.request("POST", action, data={"csrf": csrf})
    assert application.at_client.get("/signed-out", query_string=urlsplit(location).query).text == "signed out"
    # Nobody is signed in any more.
    address = application.at_client.get("/login").headers["Location"]
    answer = application.at_provider.go_on(application.at_provider.request("GET", f"{address}&prompt=none"))
    assert answer["error"] == "login_required"
