"""Second factors in a real browser: passkeys of a virtual authenticator, an authenticator application, recovery codes."""

import base64
import hashlib
import json
import time
from urllib.parse import urlencode

import pytest
import requests

from support.provider import Provider
from support.totp import totp

pytestmark = pytest.mark.browser


@pytest.fixture
def provider():
    with Provider(None) as running:
        yield running


@pytest.fixture
def authenticator(page):
    """Chromium's own, with room for passkeys and with somebody in front of it."""
    page.devtools("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = page.devtools("WebAuthn.addVirtualAuthenticator", options=options)
    yield made["authenticatorId"]
    page.devtools("WebAuthn.disable")


def next_step(after: float) -> float:
    """Waits until the step of `after` is over: each one-time password is good once."""
    while int(time.time()) // 30 == int(after) // 30:
        time.sleep(0.5)
    return time.time()


def account(page, provider, path: str = "") -> None:
    page.open(f"{provider.issuer}/account{path}")


def sign_out(page, provider) -> None:
    page.open(f"{provider.issuer}/logout")
    page.click("#logout-confirm")


class Client:
    """The plain demo client with a redirect URI of its own, which nobody listens at."""

    def __init__(self, provider):
        self.provider = provider
        self.known = next(one for one in provider.ready["clients"] if one["client_id"] == "demo-plain")
        self.verifier = "v" * 43

    def address(self, **more: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": "demo-plain",
            "response_type": "code",
            "redirect_uri": "http://localhost/callback",
            "scope": "openid",
            "state": "s",
            "nonce": "n",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **more,
        }
        return f"{self.provider.issuer}/authorize?{urlencode(asked)}"

    def claims(self, page) -> dict:
        """The claims of the ID token for the code in the browser's address."""
        code = page.driver.current_url.split("code=")[1].split("&")[0]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": "http://localhost/callback",
            "code_verifier": self.verifier,
        }
        reply = requests.post(
            f"{self.provider.issuer}/token", data=form, auth=("demo-plain", self.known["client_secret"]), timeout=30
        )
        assert reply.status_code == 200, reply.text
        payload = reply.json()["id_token"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def visit(page, address: str) -> None:
    """Opens an address that may lead to where nobody listens."""
    try:
        page.open(address)
    except Exception as error:  # noqa: BLE001 - chromium's own page for a refused connection
        assert "ERR_CONNECTION_REFUSED" in str(error), error


def accept(page) -> None:
    """Allows what is asked; the redirect leads to where nobody listens."""
    page.see("#accept").click()
    page.until(lambda: "code=" in page.driver.current_url)


def enrol_passkey(page, provider, username: str = "alice", password: str = "alice", name: str = "Mine") -> None:
    """Signs in to the account, and makes a passkey of that name there."""
    account(page, provider, "/passkeys/new")
    page.login(username, password)
    page.see("#name").clear()
    page.see("#name").send_keys(name)
    page.click("#start-passkey")
    assert page.heading() == "Your recovery codes"


def test_a_passkey_is_enrolled_and_signs_in_without_user_name_and_password(page, provider, authenticator):
    account(page, provider, "/security")
    page.login()
    assert page.heading() == "How you sign in"
    page.click("#add-passkey")
    assert page.inspect("account-new-passkey", scripts=True) == []
    page.see("#name").clear()
    page.see("#name").send_keys("My telephone")
    page.click("#start-passkey")
    assert page.heading() == "Your recovery codes"
    assert len(page.all("#recovery-codes li")) == 10
    page.click("#continue")
    assert "My telephone" in page.see("#passkeys").text
    kept = page.devtools("WebAuthn.getCredentials", authenticatorId=authenticator)["credentials"]
    assert len(kept) == 1 and kept[0]["isResidentCredential"] and kept[0]["rpId"] == "localhost"
    sign_out(page, provider)

    client = Client(provider)
    page.open(client.address())
    assert page.heading() == "Sign in"
    page.see("#use-passkey").click()
    # The browser gives the passkey by itself, and the way goes on.
    accept(page)
    claims = client.claims(page)
    assert claims["acr"] == "urn:signet:acr:passkey" and "user" in claims["amr"] and "pwd" not in claims["amr"]
    counted = page.devtools("WebAuthn.getCredentials", authenticatorId=authenticator)["credentials"][0]["signCount"]
    assert counted > kept[0]["signCount"]

    # With the password, the passkey is the second step.
    sign_out(page, provider)
    page.open(client.address())
    page.login()
    assert page.heading() == "One more step"
    assert page.inspect("second-step") == []
    page.see("#use-passkey").click()
    page.until(lambda: "code=" in page.driver.current_url)
    assert client.claims(page)["amr"][0] == "pwd"
    assert all("ERR_CONNECTION_REFUSED" in text for text in page.messages())


def test_a_passkey_whose_person_is_not_verified_opens_nothing(page, provider, authenticator):
    enrol_passkey(page, provider)
    page.click("#continue")
    sign_out(page, provider)
    page.devtools("WebAuthn.setUserVerified", authenticatorId=authenticator, isUserVerified=False)
    page.open(Client(provider).address())
    page.click("#use-passkey")
    page.until(lambda: not page.driver.execute_script("return document.getElementById('passkey-problem').hidden"))
    assert page.heading() == "Use a passkey"
    page.click("#other-way")
    assert page.heading() == "Sign in"


def test_an_authenticator_application_is_set_up_and_demanded_by_acr_values(page, provider):
    account(page, provider, "/security")
    page.login()
    assert page.inspect("account-security") == []
    page.click("#add-authenticator")
    assert page.inspect("account-authenticator") == []
    secret = page.see("#totp-secret").text
    at = time.time()
    page.see("#code").send_keys(totp(secret, at))
    page.click("#submit")
    codes = [one.text for one in page.all("#recovery-codes code")]
    assert len(codes) == 10
    assert page.inspect("account-codes") == []
    page.click("#continue")
    for part in ("", "/sessions", "/applications", "/password"):
        account(page, provider, part)
        assert page.inspect(f"account{part.replace('/', '-')}") == []

    # The session was raised by the enrolment: nothing more is asked.
    client = Client(provider)
    page.open(client.address(acr_values="urn:signet:acr:mfa"))
    accept(page)
    assert client.claims(page)["acr"] == "urn:signet:acr:mfa"

    # A new one needs a code, each once.
    sign_out(page, provider)
    page.open(client.address(acr_values="urn:signet:acr:mfa"))
    page.login()
    page.see("#code").send_keys(totp(secret, at))
    page.click("#submit")
    assert "used before" in page.see("#problem").text
    at = next_step(at)
    page.see("#code").send_keys(totp(secret, at))
    visit_submit(page)
    assert client.claims(page)["amr"] == ["pwd", "otp", "mfa"]

    # A recovery code, once.
    sign_out(page, provider)
    for wanted in (True, False):
        page.open(client.address())
        page.login()
        page.see("#code").send_keys(codes[0])
        if wanted:
            visit_submit(page)
            sign_out(page, provider)
        else:
            page.click("#submit")
            assert "used before" in page.see("#problem").text
    account(page, provider)


def visit_submit(page) -> None:
    """Sends the code; what was allowed before is not asked again."""
    page.see("#submit").click()
    page.until(lambda: "code=" in page.driver.current_url)


def test_a_second_factor_that_a_client_insists_on_is_enrolled_on_the_way(page, provider):
    client = Client(provider)
    wanted = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:signet:acr:mfa"]}}})
    page.open(client.address(claims=wanted))
    page.login("bob", "bob")
    assert page.heading() == "Set up a second step"
    assert page.inspect("enrol") == []
    # Each look at the page has a key of its own.
    page.open(page.driver.current_url)
    page.see("#code").send_keys(totp(page.see("#totp-secret").text, time.time()))
    page.click("#submit")
    assert page.heading() == "Your recovery codes"
    assert page.inspect("recovery") == []
    page.click("#continue")
    accept(page)
    assert client.claims(page)["acr"] == "urn:signet:acr:mfa"


def test_a_forgotten_password_comes_back_by_mail(page, provider):
    page.open(Client(provider).address())
    page.click("#forgot")
    assert page.inspect("forgot") == []
    page.see("#account").send_keys("alice@example.org")
    page.click("#submit")
    assert "on its way" in page.see("#sent").text
    page.until(lambda: page.open(provider.ready["mail"]) or page.all("#mails a"))
    assert page.inspect("dev-mails") == []
    page.click("#mails a")
    page.click("#mail-link")
    assert page.heading() == "Choose a new password"
    assert page.inspect("choose") == []
    for field in ("#password", "#password_again"):
        page.see(field).send_keys("an entirely new one")
    page.click("#submit")
    assert page.heading() == "Your password is set"
    page.click("#continue")
    page.login("alice", "an entirely new one")
    assert page.heading() == "Your account"


def administer(page, provider, path: str, change) -> None:
    """Changes a page of settings in the console, and signs out."""
    page.open(f"{provider.issuer}/console{path}")
    page.login("admin", "admin")
    change()
    page.click("#save")
    assert page.see("#notice").text == "Saved."
    sign_out(page, provider)


def tick(page, css: str) -> None:
    """Ticks a box in the middle of the window, where the bar that stays at its end does not cover it."""
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", page.see(css))
    page.see(css).click()


def enrol_on_the_way(page) -> None:
    """Sets up what is demanded after the password."""
    assert page.heading() == "Set up a second step"
    page.see("#code").send_keys(totp(page.see("#totp-secret").text, time.time()))
    page.click("#submit")
    page.click("#continue")


def test_a_second_factor_that_is_switched_on_for_a_client_in_the_console_is_demanded_at_the_next_login(page, provider):
    client = Client(provider)
    page.open(client.address())
    page.login()
    accept(page)
    assert client.claims(page)["amr"] == ["pwd"], "one was enough until now"
    sign_out(page, provider)
    administer(page, provider, "/clients/demo-plain/security", lambda: tick(page, "#require_second_factor"))
    page.open(client.address())
    page.login("bob", "bob")
    enrol_on_the_way(page)
    accept(page)
    assert client.claims(page)["acr"] == "urn:signet:acr:mfa"


def test_a_second_factor_that_the_console_demands_of_everybody_is_demanded_of_everybody(page, provider):
    everybody = "#second_factor option[value='required']"
    administer(page, provider, "/tenant", lambda: tick(page, everybody))
    client = Client(provider)
    page.open(client.address())
    page.login("bob", "bob")
    enrol_on_the_way(page)
    accept(page)
    assert client.claims(page)["acr"] == "urn:signet:acr:mfa"
    # Of the one who demanded it, too, and where no client is in between.
    sign_out(page, provider)
    page.open(f"{provider.issuer}/console")
    page.login("admin", "admin")
    enrol_on_the_way(page)
    assert page.heading() == "Overview"
