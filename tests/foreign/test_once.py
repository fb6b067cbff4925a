"""What is shown once can be copied and saved, and the browser asks before it, or what was typed, is lost."""

import pytest

from support.provider import Provider
from test_console import choose, enter, fill

pytestmark = pytest.mark.browser

# Whether the page asks before it is left.
ASKS = "return !dispatchEvent(new Event('beforeunload', {cancelable: true}))"


@pytest.fixture
def provider(tmp_path):
    with Provider(tmp_path / "data") as running:
        yield running


def asks(page) -> bool:
    return page.driver.execute_script(ASKS)


def copied(page, name: str) -> str:
    """What the button with this name puts into the clipboard."""
    page.see(f"button[aria-label='Copy {name}']").click()
    page.told("#copied", f"Copied: {name}")
    return page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], error => arguments[0](`${error}`))")


def allow_clipboard(page, provider) -> None:
    permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    page.devtools("Browser.grantPermissions", origin=provider.issuer, permissions=permissions)


def test_a_secret_is_copied_or_saved_before_the_page_is_left(page, provider):
    allow_clipboard(page, provider)
    enter(page, provider, "/console/clients/demo-plain")
    page.see("#sure-secret").click()
    page.click("#make-secret")
    secret = page.see("#client-secret").text
    assert asks(page)
    assert len(page.all("button.copy")) == 2, "one for the secret, one for the client_id"
    assert copied(page, "the client_id") == "demo-plain"
    assert asks(page), "the client_id is not what would be lost"
    assert copied(page, "the secret") == secret
    assert not asks(page)
    assert page.see("a[download='client-secret.txt']").get_attribute("href").startswith("blob:")
    assert page.see("[data-saved]").is_selected()

    page.open(f"{provider.issuer}/console/clients/demo-plain/keys")
    fill(page, "#generate-name", "Made on the server")
    choose(page, "#generate-usage", "enc")
    page.click("#generate")
    assert asks(page)
    page.see("[data-saved]").click()
    assert not asks(page)
    page.see("[data-saved]").click()
    assert asks(page)


def test_a_private_key_that_this_browser_made_is_asked_about(page, provider):
    enter(page, provider, "/console/clients/demo-plain/keys")
    assert not asks(page)
    page.see("#make-key-button").click()
    page.see("#private-sig")
    assert asks(page)
    page.see("[data-saved]").click()
    assert not asks(page)


def test_changed_settings_are_asked_about_until_they_are_saved_or_discarded(page, provider):
    for path, field in [("/console/clients/demo-plain", "#client_name"), ("/console/tenant/branding", "#branding-name")]:
        page.driver.delete_all_cookies()
        enter(page, provider, path)
        assert not asks(page), path
        fill(page, field, "Another name")
        assert asks(page), path
        page.click("[data-discard]")
        assert not asks(page), path
        assert page.see(field).get_attribute("value") != "Another name", path
        fill(page, field, "Another name")
        page.click("#save")
        assert page.see("#notice").text == "Saved.", path
        assert not asks(page), path


def test_what_was_refused_is_not_saved_and_asked_about(page, provider):
    enter(page, provider, "/console/clients/demo-plain")
    fill(page, "#redirect_uris", "no address")
    page.click("#save")
    assert page.see("#problems") and asks(page)
    page.open(f"{provider.issuer}/console/clients/demo-plain")
    page.click("#make-secret")
    assert page.see("#problems") and not asks(page), "the settings are as they are stored"


def test_a_new_client_shows_what_belongs_to_its_kind(page, provider):
    enter(page, provider, "/console/new-client")
    shown = {"sealed": (True, True), "web": (True, False), "spa": (True, False), "machine": (False, False)}
    for kind, wanted in shown.items():
        page.see(f"label[for=template-{kind}]").click()
        found = (page.see("#redirect_uris").is_displayed(), page.see("#signing_key").is_displayed())
        assert found == wanted, kind
    page.see("label[for=template-spa]").click()
    fill(page, "#redirect_uris", "https://rp.example/callback")
    page.driver.execute_script("document.getElementById('name').required = false")
    page.click("#create")
    assert page.see("#problems a[href='#name']")
    fill(page, "#name", "An application")
    page.click("#create")
    assert page.see("main").get_attribute("data-page") == "client-configuration"
    assert "Next" in page.see("#notice").text
