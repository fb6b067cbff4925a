"""Pages that no link leads to: what is shown once, refusals, conflicts, and the steps between. Each is looked at in both
colour schemes and widths."""

import pytest
import requests

from support import rp
from support.provider import PATIENCE, Provider
from test_console import choose, enter, fill
from test_second_factor import Client, authenticator, enrol_passkey, sign_out  # noqa: F401 - one is a fixture

pytestmark = pytest.mark.browser


@pytest.fixture
def provider(tmp_path):
    with Provider(tmp_path / "data") as running:
        yield running


def looked_at(page, name: str, heading: str | None = None, *, scripts: bool = False) -> None:
    """The page is there, and nothing is wrong with it."""
    if heading is not None:
        assert page.heading() == heading
    assert page.inspect(f"rare-{name}", scripts=scripts) == []


def test_what_is_shown_once(page, provider):
    enter(page, provider, "/console/clients/demo-plain")
    page.click("#make-secret")
    assert page.see("#problems a[href='#sure-secret']"), "the present secret does not end by one click"
    page.see("#sure-secret").click()
    page.click("#make-secret")
    assert page.see("#client-secret").text
    looked_at(page, "secret", "New client secret", scripts=True)
    page.open(f"{provider.issuer}/console/clients/demo-plain/keys")
    fill(page, "#generate-name", "Made on the server")
    choose(page, "#generate-usage", "enc")
    page.click("#generate")
    assert page.all("[data-private-jwk]")
    looked_at(page, "key", "The key is made", scripts=True)
    page.open(f"{provider.issuer}/console/tenant/registration")
    fill(page, "#name", "A partner")
    page.click("#make-token")
    assert page.see("#registration-token").text
    looked_at(page, "token", scripts=True)
    page.open(f"{provider.issuer}/console/new-tenant")
    names = {"id": "rare", "issuer": f"{provider.issuer}/rare", "name": "Rare", "username": "boss"}
    for name, text in names.items():
        fill(page, f"#{name}", text)
    page.click("#create")
    looked_at(page, "tenant-made", "The tenant is made", scripts=True)


def saved_by_another(page, address: str, css: str) -> None:
    """The same form saved from another window, while this one is open."""
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    page.open(address)
    fill(page, css, "Theirs")
    page.see("#save").click()
    assert page.see("#notice").text
    page.driver.close()
    page.driver.switch_to.window(first)


@pytest.mark.parametrize("what", ["client", "tenant", "user"])
def test_somebody_else_was_faster(page, provider, what):
    paths = {
        "client": ("/console/clients/demo-sealed", "#client_name"),
        "tenant": ("/console/tenant/branding", "#branding-name"),
        "user": ("/console/users?search=bob", "#name"),
    }
    path, css = paths[what]
    enter(page, provider, path)
    if what == "user":
        page.click("table.list tbody th a")
    saved_by_another(page, page.driver.current_url, css)
    fill(page, css, "Mine")
    page.click("#save")
    assert "Theirs" in page.see("#meanwhile").text
    assert page.see(css).get_attribute("value") == "Mine"
    looked_at(page, f"conflict-{what}", scripts=what == "tenant")


def test_what_is_wrong_with_a_form(page, provider):
    enter(page, provider, "/console/clients/demo-plain/security")
    choose(page, "#userinfo-response_type", "signed_and_encrypted")
    page.click("#save")
    assert page.see("#problems").text
    looked_at(page, "problems-client")
    page.open(f"{provider.issuer}/console/new-client")
    fill(page, "#name", "No address")
    fill(page, "#redirect_uris", "ftp://rp.example/")
    page.click("#create")
    assert page.see("#problems").text
    looked_at(page, "problems-new-client", scripts=True)
    page.open(f"{provider.issuer}/console/none-such")
    looked_at(page, "nothing", "There is nothing here")
    page.open(f"{provider.issuer}/console/clients/none-such")
    looked_at(page, "no-client", "There is nothing here")


def test_somebody_without_a_role_in_the_console(page, provider):
    page.open(f"{provider.issuer}/console")
    page.login("alice", "alice")
    looked_at(page, "no-role", "You have no role here")


def test_what_goes_wrong_in_the_account(page, provider):
    page.open(f"{provider.issuer}/account/password")
    page.login("alice", "alice")
    page.see("form[action$='/account/password']")
    for field in page.all("input[type=password]"):
        field.send_keys("not the password")
    page.click("#submit")
    assert page.see("#problem").text
    looked_at(page, "account-password")
    page.open(f"{provider.issuer}/account/authenticator")
    page.see("#code").send_keys("000000")
    page.click("#submit")
    assert page.see("#problem").text
    looked_at(page, "account-authenticator")
    page.open(f"{provider.issuer}/account/link?token=none-such")
    looked_at(page, "account-link")


def test_the_page_that_asks_for_a_passkey(page, provider, authenticator):  # noqa: F811
    enrol_passkey(page, provider)
    sign_out(page, provider)
    page.devtools("WebAuthn.setUserVerified", authenticatorId=authenticator, isUserVerified=False)
    page.open(Client(provider).address())
    page.click("#use-passkey")
    looked_at(page, "passkey", "Use a passkey", scripts=True)


def test_the_pages_for_a_device(page, provider):
    grants = ["urn:ietf:params:oauth:grant-type:device_code"]
    settings = {"grant_types": grants, "response_types": [], "redirect_uris": [], "require_consent": True}
    provider.declare(clients=[rp.declaration("television", [], **settings)])
    endpoint = provider.metadata["device_authorization_endpoint"]
    for decision, heading in {"accept": "Device connected", "deny": "Device refused"}.items():
        answer = requests.post(endpoint, data={"scope": "openid"}, auth=("television", rp.SECRET), timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        page.reset()
        page.open(f"{provider.issuer}/device")
        page.see("#user_code").send_keys("BBBB-BBBB")
        page.click("#submit")
        assert page.see("#problem").text
        looked_at(page, "device-problem", "Connect a device")
        page.open(answer.json()["verification_uri_complete"])
        looked_at(page, "device", "Connect a device")
        page.click("#submit")
        page.login("bob", "bob")
        looked_at(page, "device-consent")
        page.click(f"#{decision}")
        looked_at(page, f"device-{decision}", heading)
