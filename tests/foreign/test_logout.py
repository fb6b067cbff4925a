"""Logout in a real browser: frames that tell a client, messages to its server, and the frame that a client asks."""

import http.server
import json
import threading
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from support import rp
from support.provider import PATIENCE

pytestmark = pytest.mark.browser

CLIENT = "logged-out"
# What a client's page does (OpenID Connect Session Management section 3.1).
WATCH = """<!doctype html><title>Asking</title><link rel=icon href='data:,'><h1>Asking</h1>
<iframe id=op src="%s" hidden></iframe>
<script>
const given = new URLSearchParams(location.search);
const op = document.getElementById('op');
addEventListener('message', event => {
  if (event.source === op.contentWindow && event.origin === new URL(op.src).origin) document.title = event.data;
});
op.addEventListener('load', () => op.contentWindow.postMessage(given.get('message'), new URL(op.src).origin));
</script>"""


class Client(http.server.ThreadingHTTPServer):
    """A client's site."""

    def __init__(self, provider):
        super().__init__(("127.0.0.1", 0), Handler)
        # One site with the provider (ports do not count), as browsers without TLS want it for cookies in frames.
        self.origin = f"http://{urlsplit(provider.issuer).hostname}:{self.server_port}"
        self.watch = WATCH % provider.metadata["check_session_iframe"]
        self.came: list[tuple[str, dict]] = []

    def requests(self, path: str) -> list[dict]:
        return [query for where, query in self.came if where == path]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802 - the library's name
        url = urlsplit(self.path)
        self.server.came.append((url.path, dict(parse_qsl(url.query))))
        page = f"<!doctype html><title>{url.path}</title><link rel=icon href='data:,'><h1>{url.path}</h1>"
        self.answer((self.server.watch if url.path == "/watch" else page).encode())

    def do_POST(self):  # noqa: N802 - the library's name
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.came.append((self.path, dict(parse_qsl(body, strict_parsing=True))))
        self.answer(b"")

    def answer(self, page: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


@pytest.fixture
def site(provider):
    server = Client(provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "application_type": "native",
        "redirect_uris": [f"{server.origin}/callback"],
        "post_logout_redirect_uris": [f"{server.origin}/after"],
        "frontchannel_logout_uri": f"{server.origin}/front?own=1",
        "backchannel_logout_uri": f"{server.origin}/back",
    }
    provider.declare(clients=[rp.declaration(CLIENT, [], **settings)])
    yield server
    server.shutdown()


def titled(page, *titles: str) -> str:
    """Waits until the page has one of these titles."""
    return WebDriverWait(page.driver, PATIENCE).until(lambda driver: driver.title in titles and driver.title)


def sign_in(page, provider, site) -> dict:
    """A login in the browser; gives the response."""
    redirect_uri = f"{site.origin}/callback"
    query = {"client_id": CLIENT, "redirect_uri": redirect_uri, "response_type": "code", "scope": "openid"}
    page.open(f"{provider.metadata['authorization_endpoint']}?{urlencode(query)}")
    page.login()
    titled(page, "/callback")
    return site.requests("/callback")[-1]


def id_token(provider, site, response: dict) -> str:
    answer = rp.redeem(provider, CLIENT, response["code"], f"{site.origin}/callback")
    assert answer.status_code == 200, answer.text
    return answer.json()["id_token"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_logout_tells_the_client_by_frame_and_by_message_and_comes_back(page, provider, site, scripts):
    hint = id_token(provider, site, sign_in(page, provider, site))
    claims = rp.verified(hint, "RS256", provider.jwks())
    page.devtools("Emulation.setScriptExecutionDisabled", value=not scripts)
    query = {
        "id_token_hint": hint,
        "post_logout_redirect_uri": f"{site.origin}/after",
        "state": "a b&c",
    }
    page.open(f"{provider.metadata['end_session_endpoint']}?{urlencode(query)}")
    titled(page, "/after")
    assert site.requests("/after") == [{"state": "a b&c"}]
    assert site.requests("/front") == [{"own": "1", "iss": provider.issuer, "sid": claims["sid"]}]
    (message,) = site.requests("/back")
    token = rp.verified(message["logout_token"], "RS256", provider.jwks())
    assert rp.header(message["logout_token"])["typ"] == "logout+jwt"
    assert (token["sub"], token["sid"], token["aud"]) == (claims["sub"], claims["sid"], CLIENT)
    assert token["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    told = json.loads(provider.command("client", "logouts", CLIENT, "--json"))[0]
    assert (told["state"], told["sid"], told["attempts"]) == ("delivered", claims["sid"], 1)
    # The client hears of it before the browser moves on.
    assert [where for where, _ in site.came][-3:] == ["/back", "/front", "/after"]


def test_the_session_frame_tells_unchanged_changed_and_error(page, provider, site):
    response = sign_in(page, provider, site)
    state = response["session_state"]

    def ask(message: str) -> str:
        page.open(f"{site.origin}/watch?{urlencode({'message': message})}")
        return titled(page, "unchanged", "changed", "error")

    assert ask(f"{CLIENT} {state}") == "unchanged"
    assert ask(f"{CLIENT} {state}") == "unchanged"
    assert ask(f"other {state}") == "changed"
    digest, salt = state.split(".")
    assert ask(f"{CLIENT} {'0' * 64}.{salt}") == "changed"
    assert ask(f"{CLIENT} {digest}.other") == "changed"
    for nonsense in ("", CLIENT, f"{CLIENT} ", f"{CLIENT} {digest}", f" {state}", state):
        assert ask(nonsense) == "error", nonsense
    page.open(provider.metadata["end_session_endpoint"])
    page.click("#logout-confirm")
    assert page.heading() == "You are signed out"
    assert ask(f"{CLIENT} {state}") == "changed"
    again = sign_in(page, provider, site)
    assert ask(f"{CLIENT} {state}") == "changed"
    assert ask(f"{CLIENT} {again['session_state']}") == "unchanged"
