"""Users in the console, in a real browser."""

import pytest

from support.provider import Provider

pytestmark = pytest.mark.browser


@pytest.fixture
def provider():
    with Provider(None) as running:
        yield running


def test_a_user_is_invited_and_chooses_a_password_and_loses_it_all(page, provider, tmp_path):
    page.open(f"{provider.issuer}/console/users")
    page.login("admin", "admin")
    assert page.heading() == "Users"
    assert page.inspect("console-users") == []
    page.click("#new-user")
    assert page.inspect("console-user-new") == []
    page.see("#username").send_keys("alice")
    page.click("#submit")
    assert "There is one of this name already" in page.see("#problems").text
    page.see("#username").clear()
    page.see("#username").send_keys("grace")
    page.see("#name").send_keys("Grace Hopper")
    page.click("#submit")
    assert page.inspect("console-user-link", scripts=True) == []
    link = page.see("#link code").text
    page.click("#onward")
    assert page.heading().startswith("grace")
    assert page.inspect("console-user") == []
    page.open(f"{page.driver.current_url}/access")
    assert page.inspect("console-user-access") == []
    page.open(f"{provider.issuer}/console/import-users")
    page.see("#csv").send_keys("username,name\nada,Ada Lovelace\ngrace,Grace\n")
    page.click("#try")
    assert "1 would be made, 1 skipped because they are there already, 0 refused" in page.see("#report").text
    assert page.inspect("console-user-import", scripts=True) == []
    (tmp_path / "people.csv").write_text("username,name\nada,Ada Lovelace\nalan,Alan Turing\ngrace,Grace\n")
    page.see("#table-file").send_keys(str(tmp_path / "people.csv"))
    page.told("#table-file-status", "Read into the field above.")
    page.click("#try")
    assert "2 would be made, 1 skipped because they are there already, 0 refused" in page.see("#report").text

    # The person, in the same browser: the link is theirs, whoever is signed in.
    page.open(link)
    assert page.heading() == "Welcome"
    for field in ("#password", "#password_again"):
        page.see(field).send_keys("a password of her own")
    page.click("#submit")
    page.open(f"{provider.issuer}/logout")
    page.click("#logout-confirm")
    page.open(f"{provider.issuer}/account")
    page.login("grace", "a password of her own")
    assert page.heading() == "Your account"
