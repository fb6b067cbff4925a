"""The pages in a real browser, as a person meets them."""

import pytest
from selenium.webdriver.common.keys import Keys

from support.provider import Provider

pytestmark = pytest.mark.browser


@pytest.fixture
def provider():
    with Provider(None) as running:
        yield running


@pytest.fixture(params=["scripts", "no scripts"])
def scripts(request, page):
    """With JavaScript and without."""
    if request.param == "no scripts":
        page.devtools("Emulation.setScriptExecutionDisabled", value=True)
    page.open("data:text/html,<title>off</title><script>document.title='on'</script>")
    assert page.driver.title == {"scripts": "on", "no scripts": "off"}[request.param]
    return request.param


def start(page, provider, client: str = "demo-sealed") -> None:
    """From the demo's first page to the login page."""
    page.open(provider.demo)
    page.click(f"#start-{client}")
    assert page.heading() == "Sign in"


def finish(page, provider, client: str = "demo-sealed") -> None:
    """A whole login, to the result."""
    start(page, provider, client)
    page.login()
    page.click("#accept")
    assert page.heading() == "Alice Virtanen is signed in."


def layers(page, step: int) -> list[str]:
    """What was opened in a step, from the outside inwards."""
    return [head.text.split()[0] for head in page.all(f"#step-{step} .layer-head h3")]


def claims(page, step: int) -> dict[str, str]:
    """The claims that a step shows."""
    rows = page.all(f"#step-{step} table.claims tbody tr")
    cells = [row.find_elements("css selector", "code") for row in rows]
    return {name.text: value.text for name, value, *_ in cells}


def test_a_sealed_login_shows_every_layer_opened(page, provider, scripts):
    page.open(provider.demo)
    assert page.heading() == "Sign in, and see every message opened."
    page.click("#start-demo-sealed")
    assert page.heading() == "Sign in" and "Sealed demo" in page.see(".lead").text
    page.login()
    assert page.heading() == "Allow access to your account?"
    assert "Alice Virtanen (alice)" in page.see(".account").text
    wanted = ["Know who you are", "See your e-mail address", "See your profile"]
    assert [one.text for one in page.all(".grants b")] == wanted
    page.click("#accept")
    assert page.heading() == "Alice Virtanen is signed in."
    assert page.driver.current_url == f"{provider.demo}/result"
    # Request object, ID token, UserInfo: an envelope with a letter in it. Response and token request: none.
    nested = ["Envelope", "Letter"]
    assert [layers(page, step) for step in range(1, 6)] == [nested, [], [], nested, nested]
    assert claims(page, 1)["client_id"] == "demo-sealed"
    assert claims(page, 4)["iss"] == provider.issuer
    assert claims(page, 5)["name"] == "Alice Virtanen"
    assert claims(page, 4)["sub"] == claims(page, 5)["sub"] == provider.ready["users"][0]["sub"]
    # Details open without scripts.
    details = page.all("#step-4 details")
    assert len(details) == 2
    for one in details:
        one.find_element("css selector", "summary").click()
        assert one.get_attribute("open") is not None
    assert len(page.all("#step-4 .raw span")) == 5


def test_a_plain_login_shows_a_signed_id_token_and_json(page, provider, scripts):
    finish(page, provider, "demo-plain")
    assert [layers(page, step) for step in range(1, 6)] == [[], [], [], ["Letter"], []]
    assert claims(page, 5)["email"] == "alice@example.org"
    assert page.all("#replay") == []


def test_a_wrong_password_is_told_and_the_name_is_kept(page, provider):
    start(page, provider)
    page.login(password="wrong")
    assert page.heading() == "Sign in"
    assert "The user name or password is wrong." in page.see("#problem").text
    assert page.see("#username").get_attribute("value") == "alice"
    assert page.see("#password").get_attribute("value") == ""
    # The person types on where the mistake was.
    assert page.focused() == "password"
    page.login()
    assert page.heading() == "Allow access to your account?"


def test_the_application_learns_of_cancel_and_of_deny(page, provider):
    start(page, provider)
    page.click("#deny")
    assert page.heading() == "The provider refused"
    assert page.see(".facts dd").text == "access_denied"
    page.click("#again")
    page.click("#start-demo-sealed")
    page.login()
    page.click("#deny")
    assert page.see(".facts dd").text == "access_denied"


def test_the_consent_is_remembered_and_the_session_too(page, provider):
    finish(page, provider)
    page.click("#again")
    assert page.heading() == "Alice Virtanen is signed in."


def test_another_account_can_be_used(page, provider):
    start(page, provider)
    page.login()
    page.click(".account button")
    assert page.heading() == "Sign in"
    page.login("bob", "bob")
    page.click("#accept")
    assert page.heading() == "Bob Nilsen is signed in."


def test_a_replay_is_refused(page, provider):
    finish(page, provider)
    page.click("#replay")
    assert page.heading() == "Refused, as it must be"
    assert page.see(".facts dd").text == "invalid_request_object"
    page.driver.back()
    assert page.heading() == "Alice Virtanen is signed in."


def test_reload_and_back_after_acceptance_are_no_replay_a_61(page, provider):
    start(page, provider)
    page.driver.refresh()
    assert page.heading() == "Sign in"
    page.login()
    page.driver.refresh()
    assert page.heading() == "Allow access to your account?"
    # Back goes to the demo or to the same interaction; never to the request itself.
    page.driver.back()
    assert page.heading() in ("Sign in", "Allow access to your account?", "Sign in, and see every message opened.")
    page.driver.forward()
    assert page.heading() == "Allow access to your account?"
    page.click("#accept")
    page.driver.refresh()
    assert page.heading() == "Alice Virtanen is signed in."
    page.driver.back()
    assert "replay" not in page.driver.page_source.lower() and "been used before" not in page.driver.page_source
    page.driver.forward()
    assert page.heading() == "Alice Virtanen is signed in."


def test_signing_out_ends_the_session(page, provider):
    finish(page, provider)
    page.open(f"{provider.issuer}/logout")
    assert page.heading() == "Sign out?"
    page.click("#logout-confirm")
    assert page.heading() == "You are signed out"
    start(page, provider)


@pytest.mark.parametrize("client", ["demo-sealed", "demo-plain"])
def test_the_demo_signs_out_at_the_provider_and_forgets_its_result(page, provider, client):
    finish(page, provider, client)
    page.click("#sign-out")
    # Straight back: the ID token of this session proves that nobody else asks.
    assert page.heading() == "Sign in, and see every message opened."
    assert page.driver.current_url == provider.demo
    page.open(f"{provider.demo}/result")
    assert page.all("#step-1") == []
    start(page, provider, client)


def test_a_login_needs_no_mouse(page, provider):
    page.open(provider.demo)
    assert [page.tab() for _ in range(3)] == ["Skip to the content", "Signet demo", "start-demo-sealed"]
    page.activate(Keys.ENTER)
    # The focus waits where typing begins.
    assert page.focused() == "username"
    page.press("alice")
    assert page.tab() == "password"
    page.press("alice")
    assert [page.tab() for _ in range(3)] == ["submit", "use-passkey", "deny"]
    assert [page.tab(back=True) for _ in range(2)] == ["use-passkey", "submit"]
    page.activate(Keys.ENTER)
    assert page.heading() == "Allow access to your account?"
    assert [page.tab() for _ in range(3)] == ["Use another account", "deny", "accept"]
    page.activate(Keys.SPACE)
    assert page.heading() == "Alice Virtanen is signed in."
    assert [page.tab() for _ in range(5)][2:] == ["again", "replay", "sign-out"]


def test_enter_in_the_password_field_signs_in(page, provider):
    start(page, provider)
    page.press("alice", Keys.TAB, "alice")
    page.activate(Keys.ENTER)
    assert page.heading() == "Allow access to your account?"


def test_every_page_is_accessible_fits_a_phone_and_keeps_its_policy(page, provider):
    wrong = []

    def inspect(name: str, heading: str) -> None:
        assert page.heading() == heading
        wrong.extend(page.inspect(name))

    page.open(provider.issuer)
    inspect("home", "Signet")
    page.open(provider.demo)
    inspect("demo", "Sign in, and see every message opened.")
    page.click("#start-demo-sealed")
    inspect("login", "Sign in")
    page.click("#register")
    inspect("register", "Make an account")
    page.click("#login")
    page.login(password="wrong")
    inspect("login-error", "Sign in")
    page.login()
    inspect("consent", "Allow access to your account?")
    page.click("#accept")
    inspect("result-sealed", "Alice Virtanen is signed in.")
    for summary in page.all("summary"):
        summary.click()
    inspect("result-sealed-details", "Alice Virtanen is signed in.")
    page.click("#replay")
    inspect("demo-refusal", "Refused, as it must be")
    page.open(provider.demo)
    page.click("#start-demo-plain")
    page.click("#accept")
    inspect("result-plain", "Alice Virtanen is signed in.")
    page.open(f"{provider.issuer}/authorize?client_id=nobody")
    inspect("error", "The application sent a request that cannot be accepted")
    page.open(f"{provider.issuer}/nowhere")
    inspect("not-found", "There is nothing here")
    page.open(f"{provider.issuer}/logout")
    inspect("logout", "Sign out?")
    page.click("#logout-confirm")
    inspect("signed-out", "You are signed out")
    assert wrong == [], "\n".join(wrong)
