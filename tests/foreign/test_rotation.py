"""A client's encryption key is rotated through the administrative interface while people log in: no login fails."""

import threading
import time

import pytest
import requests
from jwcrypto import jwk

from support import rp
from support.provider import PATIENCE, Provider

SEAL = {"alg": "RSA-OAEP-256", "enc": "A256GCM"}
WORKERS = 4


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
    """A provider that takes a client's new key two seconds after it was registered, instead of a day."""
    with Provider(tmp_path / "data") as running:
        running.declare(tenant={"development": True, "registration": "open", "key_propagation": 2})
        yield running


def test_no_login_fails_while_a_clients_encryption_key_is_rotated(quick):
    provider = quick
    old = jwk.JWK.generate(kty="RSA", size=2048, use="enc", kid="old")
    new = jwk.JWK.generate(kty="RSA", size=2048, use="enc", kid="new")
    settings = {"id_token": {"encrypted": SEAL}, "token_endpoint_auth_method": "client_secret_basic"}
    provider.declare(clients=[rp.declaration("rotating", [rp.declared_key(old)], **settings)])
    interface = Interface(provider, "clients.read", "clients.write")
    done, used, failures = threading.Event(), [], []

    def log_in() -> None:
        browser = rp.Browser(provider)
        request = {"client_id": "rotating", "response_type": "code", "redirect_uri": rp.REDIRECT_URI, "scope": "openid"}
        while not done.is_set():
            answer = browser.go_on(browser.authorize(**request))
            tokens = rp.redeem(provider, "rotating", answer["code"])
            if tokens.status_code != 200:
                failures.append(tokens.text)
                return
            kid = rp.header(tokens.json()["id_token"])["kid"]
            one = {"old": old, "new": new}[kid]
            rp.verified(rp.opened(tokens.json()["id_token"], one, **SEAL), "RS256", provider.jwks())
            used.append(kid)

    def guarded() -> None:
        try:
            log_in()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a login that failed
            failures.append(repr(error))

    threads = [threading.Thread(target=guarded) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()

    def wait_for(kid: str, count: int) -> None:
        """Until so many logins have used the key."""
        end = time.monotonic() + PATIENCE
        while used.count(kid) < count and not failures and time.monotonic() < end:
            done.wait(0.05)

    wait_for("old", 8)
    listed = interface.call("GET", "/clients/rotating/keys").json()
    [key] = [one for one in listed if one["kid"] == "old"]
    version = interface.call("GET", "/clients/rotating").headers["ETag"]
    body = {"source": rp.declared_key(new)["source"], "overlap": 3600}
    rotated = interface.call("POST", f"/clients/rotating/keys/{key['id']}/rotate", body, **{"If-Match": version})
    assert rotated.status_code in (200, 201), rotated.text
    wait_for("new", 8)
    done.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert failures == []
    assert used.count("old") >= 8 and used.count("new") >= 8
    # Once the new key was taken, the old one was not used again but by logins that had begun before.
    assert "old" not in used[used.index("new") + 2 * WORKERS :]
