"""Responses that a real browser posts to the client (OAuth 2.0 Form Post Response Mode), with and without JavaScript."""

import http.server
import threading
from urllib.parse import parse_qsl, urlencode

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from support import rp
from support.provider import PATIENCE

pytestmark = pytest.mark.browser

TYPES = ("code", "id_token", "id_token token", "code id_token", "code token", "code id_token token")
CLIENT = "posted-to"


class Callback(http.server.ThreadingHTTPServer):
    """A client's redirect URI: it keeps what is posted to it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.posted: list[dict] = []
        self.uri = f"http://127.0.0.1:{self.server_port}/callback"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # noqa: N802 - the library's name
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
        pairs = parse_qsl(body, strict_parsing=True)
        assert len(dict(pairs)) == len(pairs)
        self.server.posted.append(dict(pairs))
        page = b"<!doctype html><title>Received</title><link rel=icon href='data:,'><h1>Received</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def callback(provider):
    server = Callback()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "application_type": "native",
        "redirect_uris": [server.uri],
        "response_types": list(TYPES),
        "grant_types": ["authorization_code", "implicit"],
    }
    provider.declare(clients=[rp.declaration(CLIENT, [], **settings)])
    yield server
    server.shutdown()


def address(provider, callback, **changes) -> str:
    parameters = {
        "client_id": CLIENT,
        "redirect_uri": callback.uri,
        "response_type": "code",
        "response_mode": "form_post",
        "scope": "openid",
        "state": "a \"b\" <c> & ü",
        "nonce": "n",
        **changes,
    }
    return f"{provider.metadata['authorization_endpoint']}?{urlencode(parameters)}"


def received(page) -> None:
    """Waits until the client shows that it has the response."""
    WebDriverWait(page.driver, PATIENCE).until(lambda driver: driver.title == "Received")


@pytest.mark.parametrize("response_type", TYPES)
def test_the_browser_posts_the_response_by_itself(page, provider, callback, response_type):
    page.open(address(provider, callback, response_type=response_type))
    page.login()
    received(page)
    assert page.driver.current_url == callback.uri
    response = callback.posted.pop()
    assert response["state"] == "a \"b\" <c> & ü" and response["iss"] == provider.issuer
    # OpenID Connect Session Management section 2 adds session_state.
    tokens = {"token": {"access_token", "token_type", "expires_in", "scope"}}
    expected = set().union(*(tokens.get(word, {word}) for word in response_type.split(" ")))
    assert set(response) == expected | {"state", "iss", "session_state"}
    if "code" in response:
        assert rp.redeem(provider, CLIENT, response["code"], callback.uri).status_code == 200
    if "access_token" in response:
        assert rp.user_info(provider, response["access_token"]).status_code == 200
    if "id_token" in response:
        claims = rp.verified(response["id_token"], "RS256", provider.jwks())
        hashes = {name: rp.half_hash("RS256", response[of]) for name, of in (("c_hash", "code"), ("at_hash", "access_token")) if of in response}
        assert {name: claims.get(name) for name in hashes} == hashes


def test_errors_and_jwts_are_posted_too(page, provider, callback):
    page.open(address(provider, callback, prompt="none"))
    received(page)
    assert callback.posted.pop()["error"] == "login_required"
    page.open(address(provider, callback, response_mode="form_post.jwt", prompt="none"))
    received(page)
    response = callback.posted.pop()
    assert set(response) == {"response"}
    assert rp.verified(response["response"], "RS256", provider.jwks())["error"] == "login_required"


def test_without_scripts_there_is_a_button(page, provider, callback):
    page.devtools("Emulation.setScriptExecutionDisabled", value=True)
    page.open(address(provider, callback))
    page.login()
    assert page.heading() == "Back to the application"
    assert callback.posted == []
    page.click("#continue")
    received(page)
    assert "code" in callback.posted.pop()
