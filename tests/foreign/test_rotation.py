"""A client's encryption key is rotated, by the interface and by the console, while people log in: no login fails."""

import json
import threading
import time

import pytest
import requests
from jwcrypto import jwk

from support import rp
from support.provider import PATIENCE, Provider

SEAL = {"alg": "RSA-OAEP-256", "enc": "A256GCM"}
WORKERS = 4
# Seconds: enough for a browser to hand the new key over before it is used.
PROPAGATION = 20


class Interface:
    """The administrative interface, as a client that acts for itself."""

    def __init__(self, provider, *scopes: str):
        self.base = f"{provider.issuer}/admin/v1"
        scope = " ".join(f"signet:{one}" for one in scopes)
        settings = {"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []}
        client = rp.declaration("operator", [], scope=scope.split(), **{"require_pkce": False}) | settings
        provider.declare(clients=[client])
        form = {"grant_type": "client_credentials", "scope": scope}
        endpoint = provider.metadata["token_endpoint"]
        answer = requests.post(endpoint, data=form, auth=("operator", rp.SECRET), timeout=PATIENCE)
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def call(self, method: str, path: str, body: dict | None = None, **headers: str) -> requests.Response:
        options = {"json": body, "headers": {**self.headers, **headers}, "timeout": PATIENCE}
        return requests.request(method, self.base + path, **options)


@pytest.fixture
def quick(tmp_path):
    """A provider that takes a client's new key some seconds after it was registered, instead of a day."""
    with Provider(tmp_path / "data") as running:
        running.declare(tenant={"development": True, "registration": "open", "key_propagation": PROPAGATION})
        yield running


class Logins:
    """A client with one encryption key, and people who log in to it all the time, several at once."""

    def __init__(self, provider: Provider):
        self.provider = provider
        # What the application can open with.
        self.keys = {"old": jwk.JWK.generate(kty="RSA", size=2048, use="enc", kid="old")}
        settings = {"id_token": {"encrypted": SEAL}, "token_endpoint_auth_method": "client_secret_basic"}
        declared = rp.declared_key(self.keys["old"])
        provider.declare(clients=[rp.declaration("rotating", [declared], **settings)])
        self.done, self.used, self.failures = threading.Event(), [], []
        self.threads = [threading.Thread(target=self.guarded) for _ in range(WORKERS)]

    def log_in(self) -> None:
        browser = rp.Browser(self.provider)
        request = {"client_id": "rotating", "response_type": "code", "redirect_uri": rp.REDIRECT_URI, "scope": "openid"}
        while not self.done.is_set():
            answer = browser.go_on(browser.authorize(**request))
            tokens = rp.redeem(self.provider, "rotating", answer["code"])
            if tokens.status_code != 200:
                self.failures.append(tokens.text)
                return
            token = tokens.json()["id_token"]
            kid = rp.header(token)["kid"]
            rp.verified(rp.opened(token, self.key(kid), **SEAL), "RS256", self.provider.jwks())
            self.used.append(kid)

    def key(self, kid: str) -> jwk.JWK:
        """A key of the application; one that was just registered may be on its way to it."""
        end = time.monotonic() + PATIENCE
        while kid not in self.keys and time.monotonic() < end:
            time.sleep(0.05)
        return self.keys[kid]

    def guarded(self) -> None:
        try:
            self.log_in()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a login that failed
            self.failures.append(repr(error))

    def wait_for(self, kid: str, count: int) -> None:
        """Until so many logins have used the key."""
        end = time.monotonic() + PROPAGATION + PATIENCE
        while self.used.count(kid) < count and not self.failures and time.monotonic() < end:
            self.done.wait(0.05)

    def __enter__(self) -> "Logins":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.done.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def assert_went_over_to(self, kid: str) -> None:
        """None failed, and once the new key was taken, the old one was not used but by logins that had begun before."""
        assert self.failures == []
        assert self.used.count("old") >= 8 and self.used.count(kid) >= 8
        assert "old" not in self.used[self.used.index(kid) + 2 * WORKERS :]


def test_no_login_fails_while_a_clients_encryption_key_is_rotated(quick):
    with Logins(quick) as logins:
        interface = Interface(quick, "clients.read", "clients.write")
        logins.wait_for("old", 8)
        listed = interface.call("GET", "/clients/rotating/keys").json()
        [key] = [one for one in listed if one["kid"] == "old"]
        version = interface.call("GET", "/clients/rotating").headers["ETag"]
        logins.keys["new"] = new = jwk.JWK.generate(kty="RSA", size=2048, use="enc", kid="new")
        body = {"source": rp.declared_key(new)["source"], "overlap": 3600}
        rotated = interface.call("POST", f"/clients/rotating/keys/{key['id']}/rotate", body, **{"If-Match": version})
        assert rotated.status_code in (200, 201), rotated.text
        logins.wait_for("new", 8)
    logins.assert_went_over_to("new")


@pytest.mark.browser
def test_no_login_fails_while_a_clients_encryption_key_is_rotated_in_the_console(page, quick):
    with Logins(quick) as logins:
        page.open(f"{quick.issuer}/console/clients/rotating/keys")
        page.login("admin", "admin")
        logins.wait_for("old", 8)
        page.see("summary[data-rotates=enc]").click()
        page.click("button[data-rotate=enc]")
        assert page.heading() == "The new key takes over"
        # It is shown this once, and has reached the application before it is used.
        private = json.loads(page.see("[data-private-jwk]").text)
        logins.keys[private["kid"]] = jwk.JWK(**private)
        page.click("#go-on")
        logins.wait_for(private["kid"], 8)
    logins.assert_went_over_to(private["kid"])
