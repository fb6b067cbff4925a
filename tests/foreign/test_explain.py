"""Explaining requests and testing logins, in a real browser."""

import json
import time
from urllib.parse import urlencode

import pytest
import requests
from jwcrypto import jwk, jwt
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from support.provider import PATIENCE, Provider

pytestmark = pytest.mark.browser

CALLBACK = "https://rp.example/callback"


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with Provider(tmp_path_factory.mktemp("explain") / "data") as running:
        yield running


@pytest.fixture
def console(page, provider):
    """The console, with its owner signed in."""
    page.open(f"{provider.issuer}/console")
    page.login("admin", "admin")
    assert page.see("main").get_attribute("data-page") == "overview"
    return page


def where(page) -> str:
    return page.see("main").get_attribute("data-page")


def declare(provider, client_id: str, **settings) -> jwk.JWK:
    """A client with a signing key of its own; gives the private key."""
    key = jwk.JWK.generate(kty="EC", crv="P-256", use="sig", kid="sig")
    settings = {"client_name": client_id, "redirect_uris": [CALLBACK], **settings}
    source = json.loads(key.export_public())
    client = {"client_id": client_id, "generate_secret": True, **settings}
    provider.declare(clients=[{**client, "keys": [{"name": "sig", "usage": "sig", "source": source}]}])
    return key


def refused(provider, client_id: str, key: jwk.JWK, **claims) -> str:
    """Sends a request object that is refused; gives the query."""
    now = int(time.time())
    good = {
        "iss": client_id, "client_id": client_id, "aud": provider.issuer, "response_type": "code",
        "redirect_uri": CALLBACK, "scope": "openid", "iat": now, "exp": now + 300,
    }  # fmt: skip
    token = jwt.JWT(header={"alg": "ES256", "kid": "sig"}, claims={**good, **claims})
    token.make_signed_token(key)
    return urlencode({"client_id": client_id, "request": token.serialize()})


def test_a_failed_login_is_opened_by_its_reference_and_explained(console, provider):
    key = declare(provider, "fails")
    now = int(time.time())
    query = refused(provider, "fails", key, exp=(now + 300) * 1000)
    answer = requests.get(f"{provider.issuer}/authorize?{query}", allow_redirects=False, timeout=PATIENCE)
    reference = answer.headers["x-correlation-id"]

    console.open(f"{provider.issuer}/console/explain")
    assert console.inspect("console-explain-empty") == []
    console.see("#reference").send_keys(reference)
    console.click("form[method=get] button")
    assert console.see("#reason").text == "lifetime_too_long"
    finding = console.see("[data-finding=milliseconds]")
    assert "Times in milliseconds" in finding.text and "setExpirationTime" in finding.text
    failed = console.see(".layer.bad")
    assert "Claims" in failed.text and "lifetime" in failed.text
    assert console.inspect("console-explain-failure") == []

    # The same object, pasted.
    console.open(f"{provider.issuer}/console/explain")
    console.see("#pasted").send_keys(query)
    console.click("form[method=post][action$='/explain'] button")
    assert console.see("[data-finding]").get_attribute("data-finding") == "milliseconds"

    # From the trail to the story, and from there to the explanation.
    console.open(f"{provider.issuer}/console/audit?client_id=fails&outcome=refused")
    assert console.inspect("console-audit") == []
    console.click("table.events tbody tr:first-child td[data-label=Story] a[href*='/story/']")
    assert where(console) == "story" and "authorize.refused" in console.see(".timeline").text
    assert console.inspect("console-story") == []
    console.click("#explain")
    assert console.see("#reason").text == "lifetime_too_long"


def test_a_good_request_is_shown_layer_by_layer(console, provider):
    key = declare(provider, "works", require_pkce=False)
    console.open(f"{provider.issuer}/console/explain")
    console.see("#pasted").send_keys(refused(provider, "works", key, jti="j"))
    console.click("form[method=post][action$='/explain'] button")
    assert "would be accepted" in console.see("#report").text
    assert len(console.all(".layer")) >= 6 and console.all(".layer.bad") == []
    assert console.inspect("console-explain-accepted") == []


def test_the_overview_tells_how_the_tenant_is(console, provider):
    key = jwk.JWK.generate(kty="RSA", size=2048, use="enc", kid="enc")
    client = {
        "client_id": "ending", "generate_secret": True,
        "keys": [{"name": "Only key", "usage": "enc", "source": json.loads(key.export_public()),
                  "not_after": int(time.time()) + 5 * 86400}],
        "client_name": "Ending soon", "redirect_uris": [CALLBACK],
        "id_token": {"encrypted": {"alg": "RSA-OAEP", "enc": "A256GCM"}},
    }  # fmt: skip
    provider.declare(clients=[client])
    for _ in range(70):
        console.open(f"{provider.issuer}/console")
        if "Ending soon" in console.see("main").text:
            break
        time.sleep(1)
    row = console.see("#ending-keys tbody tr")
    assert "Only key" in row.text and "fails" in row.text
    assert console.see("#days") and len(console.all(".chart li")) == 14
    assert console.inspect("console-overview") == []


SEALED = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256"}
CASES = {
    "sealed": {
        "settings": {
            "require_request_object": True, "require_encrypted_request_object": True, "require_jti": True,
            "token_endpoint_auth_method": "private_key_jwt", "id_token": {"encrypted": SEALED},
            "userinfo": {"response_type": "signed_and_encrypted", "encrypted": SEALED},
        },
        "kind": "rsa",
    },
    "agreed": {
        "settings": {
            "require_request_object": True, "require_encrypted_request_object": True,
            "require_pushed_authorization_requests": True, "token_endpoint_auth_method": "private_key_jwt",
            "id_token": {"signed": "ES256", "encrypted": {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}},
            "userinfo": {"response_type": "signed_and_encrypted",
                         "encrypted": {"alg": "ECDH-ES", "enc": "A256CBC-HS512"}},
        },
        "kind": "ec",
        "choices": {"request-key-alg": "ECDH-ES+A128KW", "request-enc": "A128CBC-HS256"},
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_login_is_tested_with_keys_that_are_made_in_the_browser(console, provider, case):
    """The client has no key yet; everything that it needs is made and registered on the page."""
    client_id, wanted = f"trial-{case}", CASES[case]
    first = {"client_name": f"Trial {case}", "redirect_uris": [CALLBACK]}
    provider.declare(clients=[{"client_id": client_id, "generate_secret": True, **first}])
    address = f"{provider.issuer}/console/clients/{client_id}/trial"
    console.open(address)
    console.click("#add-address")
    Select(console.see("#make-kind")).select_by_value(wanted["kind"])
    button = console.see("#make-keys")
    button.click()
    console.gone(button)
    assert "registered" in console.see("#notice").text
    assert "Registered as" in state(console, "signing") and "Registered as" in state(console, "encryption")

    # With its keys there, the client can be set to what it shall be.
    settings = {**first, "redirect_uris": [CALLBACK, f"{provider.issuer}/console/trial/callback"]}
    provider.declare(clients=[{"client_id": client_id, **settings, **wanted["settings"]}])
    time.sleep(1.1)
    console.open(address)
    assert "Registered as" in state(console, "signing"), "the keys are still in this tab"
    for name, value in wanted.get("choices", {}).items():
        Select(console.see(f"#{name}")).select_by_value(value)
    console.see("#build").click()
    WebDriverWait(console.driver, PATIENCE).until(lambda _: console.all("#go") or console.all("[data-ok=false]"))
    assert console.all("[data-ok=false]") == [], console.see("#trial-steps").text
    sent = [step.get_attribute("data-step") for step in console.all(".step")]
    assert sent[:3] == ["The parameters", "Signed: the request object", "Encrypted: the sealed object"], sent
    assert ("Pushed" in sent) == (case == "agreed")
    assert console.inspect(f"console-trial-{case}", scripts=True) == []
    console.click("#go")
    if console.all("#username"):
        console.login()
    for _ in range(3):
        if console.all("#accept"):
            console.click("#accept")
    assert where(console) == "trial-callback"
    WebDriverWait(console.driver, PATIENCE).until(
        lambda _: console.see("#trial-status").text == "Done." or console.all("[data-ok=false]")
    )
    told = console.see("#trial-steps").text
    assert console.all("[data-ok=false]") == [], told
    steps = [step.get_attribute("data-step") for step in console.all(".step")]
    for step in ("ID token: encrypted", "ID token: signed", "UserInfo: encrypted", "UserInfo: signed", "The claims"):
        assert step in steps, steps
    assert "code=" not in console.driver.current_url
    assert console.inspect(f"console-trial-callback-{case}", scripts=True) == []
    # Nothing of the private keys has reached the server.
    events = provider.command("audit", "--json", "--client", client_id)
    kept = console.driver.execute_script(f"return sessionStorage.getItem('signet-trial-keys:{client_id}')")
    for private in (json.loads(kept)["signing"]["d"], json.loads(kept)["encryption"]["d"]):
        assert private not in events
    assert console.see("[data-verdict]").get_attribute("data-verdict") == "good"
    # Everything that the trial registered goes by one click; what it had replaced nothing is missing then.
    provider.declare(clients=[{"client_id": client_id, **settings}])
    console.open(address)
    console.click("#remove-trial")
    assert console.all("#add-address") and console.all("#make-keys") and not console.all("#remove-trial")


def sealed_client(provider, client_id: str) -> jwk.JWK:
    """A client to which ID tokens are encrypted, with the key of whoever runs it; gives the private key."""
    key = jwk.JWK.generate(kty="RSA", size=2048, use="enc", kid="real")
    source = json.loads(key.export_public())
    settings = {
        "client_name": client_id, "redirect_uris": [CALLBACK, f"{provider.issuer}/console/trial/callback"],
        "token_endpoint_auth_method": "none", "id_token": {"encrypted": SEALED},
    }  # fmt: skip
    declared = {"name": "Of the real client", "usage": "enc", "source": source}
    provider.declare(clients=[{"client_id": client_id, **settings, "keys": [declared]}])
    return key


def tried(console, address: str, private: jwk.JWK) -> None:
    """Plays the client with a private encryption key, up to what came back."""
    console.open(address)
    field = console.see("#encryption-key")
    console.driver.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))",
        field, private.export_private(),
    )  # fmt: skip
    console.see("#build").click()
    WebDriverWait(console.driver, PATIENCE).until(lambda _: console.all("#go"))
    console.click("#go")
    if console.all("#username"):
        console.login()
    for _ in range(3):
        if console.all("#accept"):
            console.click("#accept")
    WebDriverWait(console.driver, PATIENCE).until(lambda _: console.all("[data-verdict]"))


def test_a_client_with_an_encryption_key_is_tested_with_that_key_alone(console, provider):
    """No key is made in its place; another private key is told which one opens what came back."""
    private = sealed_client(provider, "in-use")
    address = f"{provider.issuer}/console/clients/in-use/trial"
    console.open(address)
    assert console.see("#make-keys").text == "Make a signing key here and register its public part"
    assert "real" in console.see("[aria-labelledby=trial-keys]").text
    other = jwk.JWK.generate(kty="RSA", size=2048, use="enc", kid="other")
    tried(console, address, other)
    verdict = console.see("[data-verdict]")
    assert verdict.get_attribute("data-verdict") == "bad"
    assert 'sealed to key real ("Of the real client"); you hold key other' in verdict.text, verdict.text
    assert console.inspect("console-trial-callback-other-key", scripts=True) == []
    tried(console, address, private)
    verdict = console.see("[data-verdict]")
    assert verdict.get_attribute("data-verdict") == "good", verdict.text
    assert "The login worked" in verdict.text


def test_why_a_request_could_not_be_built_is_brought_into_view(console, provider):
    key = declare(provider, "unbuilt", require_request_object=True)
    assert key
    console.open(f"{provider.issuer}/console/clients/unbuilt/trial")
    console.see("#build").click()
    WebDriverWait(console.driver, PATIENCE).until(lambda _: console.all("[data-ok=false]"))
    focused = console.driver.switch_to.active_element
    assert focused.get_attribute("data-step") == "This did not work"
    assert "private signing key" in focused.text
    inside = "const at = arguments[0].getBoundingClientRect(); return at.top >= 0 && at.bottom <= innerHeight"
    assert console.driver.execute_script(inside, focused)


def state(page, which: str) -> str:
    """What the page says of a private key, once it has looked at it."""
    found = page.see(f"#{which}-key-state")
    WebDriverWait(page.driver, PATIENCE).until(lambda _: found.text)
    return found.text


def test_a_plain_login_with_a_secret_is_tested_too(console, provider):
    settings = {"client_name": "Plain", "redirect_uris": [CALLBACK, f"{provider.issuer}/console/trial/callback"]}
    secret = "a-secret-that-is-long-enough-for-everything"
    provider.declare(clients=[{"client_id": "trial-plain", "secret": secret, **settings}])
    console.open(f"{provider.issuer}/console/clients/trial-plain/trial")
    console.see("#client-secret").send_keys(secret)
    console.see("#build").click()
    WebDriverWait(console.driver, PATIENCE).until(lambda _: console.all("#go"))
    console.click("#go")
    if console.all("#username"):
        console.login()
    for _ in range(3):
        if console.all("#accept"):
            console.click("#accept")
    WebDriverWait(console.driver, PATIENCE).until(
        lambda _: console.see("#trial-status").text == "Done." or console.all("[data-ok=false]")
    )
    assert console.all("[data-ok=false]") == [], console.see("#trial-steps").text
    assert secret not in console.driver.find_element(By.TAG_NAME, "body").text
