"""The console as a person uses it, in a real browser: from the first start to the first sealed login of a new client."""

import ast
import base64
import datetime
import json
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from support.provider import PATIENCE, Provider
from test_samples import Sample, assert_sealed_login

pytestmark = pytest.mark.browser

PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


@pytest.fixture
def provider(tmp_path):
    with Provider(tmp_path / "data") as running:
        yield running


@pytest.fixture
def sample(provider, tmp_path):
    one = Sample("python", provider, tmp_path)
    yield one
    one.stop()


def enter(page, provider, path: str = "/console") -> None:
    """Opens a page of the console, signing in on the way."""
    page.open(provider.issuer + path)
    page.login("admin", "admin")


def fill(page, css: str, text: str) -> None:
    field = page.see(css)
    field.clear()
    field.send_keys(text)


def choose(page, css: str, value: str) -> None:
    page.see(f"{css} option[value='{value}']").click()


def register_sealed(page, sample) -> dict:
    """Registers a sealed client in the console alone, with keys that this browser makes; gives what its owner then has."""
    page.click(".side a[href$='/console/clients']")
    page.click("#new-client")
    page.see("label[for=template-sealed]").click()
    fill(page, "#name", "A sample")
    fill(page, "#redirect_uris", sample.redirect_uri)
    page.see("#make-keys-button").click()
    private = {use: json.loads(page.see(f"#private-{use}").text) for use in ("sig", "enc")}
    for use, field in (("sig", "#signing_key"), ("enc", "#encryption_key")):
        public = json.loads(page.see(field).get_attribute("value"))
        assert not any(name in public for name in PRIVATE), "what is sent is public"
        assert {**private[use], **public} == private[use] and public["use"] == use
        assert private[use]["d"]
    page.click("#create")
    assert page.heading() == "The client is registered"
    assert page.all("[data-private-jwk]") == [], "the server made no keys"
    secret, client_id = page.see("#client-secret").text, page.see("#client-id").text
    folder = sample.folder / "keys"
    folder.mkdir()
    (folder / "private.json").write_text(json.dumps({"keys": [private["sig"], private["enc"]]}))
    return {"CLIENT_ID": client_id, "CLIENT_SECRET": secret}


def test_a_client_that_is_registered_in_the_console_with_keys_of_this_browser_logs_in(page, provider, sample):
    enter(page, provider)
    assert page.heading() == "Overview"
    told = register_sealed(page, sample)
    page.click("#go-on")
    assert "export CLIENT_ID=" in page.see("#rp-sample ~ pre").text
    assert page.all("#broken") == []
    sample.start(**told)
    page.reset()
    assert_sealed_login(page, sample)
    # What happened is told on the client's page.
    page.reset()
    enter(page, provider, f"/console/clients/{told['CLIENT_ID']}/activity")
    kinds = [cell.text for cell in page.all("table.list tbody th")]
    assert {"client.created", "authorize.accepted", "authorize.responded"} <= set(kinds)


def test_a_deep_link_survives_the_sign_in_and_signing_out_ends_it(page, provider):
    enter(page, provider, "/console/clients?search=demo-s")
    assert page.driver.current_url.endswith("/console/clients?search=demo-s")
    assert [link.text for link in page.all("table.list tbody a")] == ["Sealed demo"]
    page.click("#sign-out")
    page.click("#logout-confirm")
    page.open(provider.issuer + "/console/clients")
    assert page.heading() == "Sign in"


def test_somebody_without_a_role_hears_whom_to_ask(page, provider):
    page.open(provider.issuer + "/console")
    page.login("alice", "alice")
    assert page.heading() == "You have no role here"
    assert "Ask an owner" in page.see("main").text


def certificate() -> str:
    """A certificate for a signing key, good from yesterday for thirty days, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rp.example")])
    begun = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(days=1, hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("scripts", ["scripts", "no scripts"])
def test_a_certificate_is_imported_and_what_is_wrong_with_another_is_told(page, provider, scripts):
    enter(page, provider, "/console/clients/demo-plain/keys")
    page.devtools("Emulation.setScriptExecutionDisabled", value=scripts == "no scripts")
    page.open(provider.issuer + "/console/clients/demo-plain/keys")
    fill(page, "#name", "From our CA")
    fill(page, "#source", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
    page.click("#import")
    problem = page.see("#problems").text
    assert "From our CA" in problem and "key_source" in problem
    assert page.see("#name").get_attribute("value") == "From our CA", "what was typed is still there"
    fill(page, "#source", certificate())
    page.click("#import")
    assert page.see("#notice").text == "The key is registered."
    key = page.see("li.key").text
    assert "From our CA" in key and "X.509 certificate" in key and "in 28 days" in key


def pem_body(pem: str) -> bytes:
    return base64.b64decode("".join(pem.strip().split("\n")[1:-1]))


def public_key_of(pem: str) -> bytes:
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("origin", ["X.509 certificate", "PEM"])
def test_a_file_is_read_in_the_browser(page, provider, tmp_path, origin):
    pem = certificate()
    der = tmp_path / "key.der"
    der.write_bytes(public_key_of(pem) if origin == "PEM" else pem_body(pem))
    enter(page, provider, "/console/clients/demo-plain/keys")
    page.see("#key-file").send_keys(str(der))
    page.told("#key-file-status", "Read into the field above.")
    fill(page, "#name", "From a file")
    page.click("#import")
    assert page.see("#notice").text == "The key is registered."
    assert origin in page.see("li.key").text


def test_a_file_that_is_no_public_key_is_named_and_not_taken(page, provider, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forms = [(encoding, serialization.PrivateFormat.PKCS8) for encoding in (serialization.Encoding.DER, serialization.Encoding.PEM)]
    der, pem = (key.private_bytes(encoding, form, serialization.NoEncryption()) for encoding, form in forms)
    enter(page, provider, "/console/clients/demo-plain/keys")
    for name, content, problem in [
        ("private.der", der, "neither a certificate nor a public key"),
        ("private.pem", pem, "This is a private key"),
        ("large.pem", b"-" * 65537, "at most 64 KiB"),
        ("latin.pem", b"\xff\xfe", "not text in UTF-8"),
    ]:
        (tmp_path / name).write_bytes(content)
        page.see("#key-file").send_keys(str(tmp_path / name))
        page.told("#key-file-status", problem)
        assert page.see("#source").get_attribute("value") == ""


@pytest.mark.parametrize("kind", range(6))
@pytest.mark.parametrize("usage", ["sig", "enc"])
def test_every_kind_of_key_that_the_browser_makes_is_accepted(page, provider, usage, kind):
    enter(page, provider, "/console/clients/demo-plain/keys")
    choose(page, "#usage", usage)
    choose(page, "#browser-kind", str(kind))
    page.see("#make-key-button").click()
    private = json.loads(page.see(f"#private-{usage}").text)
    fill(page, "#name", "Made here")
    page.click("#import")
    assert page.see("#notice").text == "The key is registered."
    key = page.see("li.key")
    assert private["kid"] in key.text and private["d"] not in page.driver.page_source


def states_of_keys(page) -> dict:
    return {
        key.find_element("css selector", "dd.mono").text: key.find_element("css selector", ".key-head").text
        for key in page.all("li.key")
    }


def test_a_key_is_rotated_with_nothing_filled_and_both_are_good(page, provider):
    enter(page, provider, "/console/clients/demo-sealed/keys")
    page.see("summary[data-rotates=enc]").click()
    page.click("button[data-rotate=enc]")
    assert page.heading() == "The new key takes over"
    private = json.loads(page.see("[data-private-jwk]").text)
    page.click("#go-on")
    states = states_of_keys(page)
    assert "Next" in states.pop(private["kid"])
    assert any("Encryption" in state and "In use now" in state for state in states.values())


def test_a_key_is_rotated_to_one_that_this_browser_makes(page, provider):
    enter(page, provider, "/console/clients/demo-sealed/keys")
    page.see("summary[data-rotates=enc]").click()
    form = "details[open] form[action$=rotate] "
    page.see(form + "button[id^=make-key-button]").click()
    private = json.loads(page.see(form + "pre[id^=private-enc]").text)
    assert private["d"] and private["use"] == "enc"
    fill(page, form + "input[name=overlap]", "soon")
    page.click(form + "button[data-rotate=enc]")
    assert "whole number of seconds" in page.see("#problems").text
    kept = json.loads(page.see(form + "textarea").get_attribute("value"))
    assert kept["kid"] == private["kid"] and not any(name in kept for name in PRIVATE), "what was typed is still there"
    fill(page, form + "input[name=overlap]", "7200")
    page.click(form + "button[data-rotate=enc]")
    assert page.see("#notice").text == "The new key takes over."
    states = states_of_keys(page)
    assert "Next" in states.pop(private["kid"]) and private["d"] not in page.driver.page_source
    assert any("Encryption" in state and "In use now" in state for state in states.values())


def test_settings_are_refused_with_links_to_the_fields_and_saved_when_they_work(page, provider):
    enter(page, provider, "/console/clients/demo-plain/security")
    choose(page, "#userinfo-response_type", "signed_and_encrypted")
    page.click("#save")
    problems = page.see("#problems")
    link = problems.find_element("css selector", "a[href='#userinfo-response_type']")
    link.click()
    assert page.focused() == "userinfo-response_type" or page.driver.current_url.endswith("#userinfo-response_type")
    choose(page, "#userinfo-response_type", "signed")
    page.click("#save")
    assert page.see("#notice").text == "Saved."
    page.click(".tabs a[href$=preview]")
    assert "answers with a JWT signed by this provider" in page.see("main").text


@pytest.mark.parametrize("template", ["web", "spa", "machine"])
def test_configuration_is_code_that_can_be_read(page, provider, template, tmp_path):
    enter(page, provider, "/console/new-client")
    page.see(f"label[for=template-{template}]").click()
    fill(page, "#name", "Quotes ' and \" and `")
    if template != "machine":
        fill(page, "#redirect_uris", "https://rp.example/it's/callback")
    fill(page, "#client_id", f"it's-\"{template}\"-$1")
    page.click("#create")
    # Clients with a secret are shown it first, and go on to this page from there.
    page.click("#go-on" if page.all("#go-on") else ".tabs a[href$=configuration]")
    script = tmp_path / "client.mjs"
    script.write_text(page.see("#rp-openidclient ~ pre").text)
    done = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    if template != "machine":
        source = page.see("#rp-authlib ~ pre").text
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.keyword) and node.arg == "client_id"]
        assert ast.literal_eval(calls[0].value) == f"it's-\"{template}\"-$1"
    else:
        command = page.see("#rp-curl ~ pre").text.replace("curl ", "printf '%s\\n' ", 1)
        said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env={"CLIENT_SECRET": "x"}, check=True)
        assert said.stdout.splitlines()[:2] == ["--user", f"it's-\"{template}\"-$1:x"]


def test_branding_is_previewed_before_it_is_saved(page, provider):
    """The preview follows what is typed; nothing is saved by it."""
    enter(page, provider, "/console/tenant/branding")
    fill(page, "#branding-name", "Blue Bank")
    change = "const at = document.getElementById('branding-accent'); at.value = '#1f5f8b'; at.dispatchEvent(new Event('input', {bubbles: true}))"
    page.driver.execute_script(change)
    page.until(lambda: page.see(".mock-name").get_attribute("textContent") == "Blue Bank")
    assert page.see("a.home .name").text == "Blue Bank"
    page.until(lambda: page.all("link[href*=theme-1f5f8b]"))
    page.open(provider.issuer + "/")
    assert page.heading() == "Signet", "nothing is saved"
    page.open(provider.issuer + "/console/tenant/branding")
    fill(page, "#branding-name", "Blue Bank")
    page.click("#save")
    assert page.see("#notice").text == "Saved."
    page.open(provider.issuer + "/")
    assert page.heading() == "Blue Bank"


PAGES = {
    "clients": "/console/clients",
    "client-new": "/console/new-client",
    "client-settings": "/console/clients/demo-sealed",
    "client-security": "/console/clients/demo-sealed/security",
    "client-keys": "/console/clients/demo-sealed/keys",
    "client-preview": "/console/clients/demo-sealed/preview",
    "client-configuration": "/console/clients/demo-sealed/configuration",
    "client-activity": "/console/clients/demo-sealed/activity",
    "tenant-policies": "/console/tenant",
    "tenant-branding": "/console/tenant/branding",
    "tenant-keys": "/console/tenant/keys",
    "tenant-registration": "/console/tenant/registration",
}


# Their scripts make keys, draw the preview, copy a text, or ask before what was typed is lost.
SCRIPTED = (
    "client-new", "client-keys", "client-settings", "client-security", "client-configuration",
    "tenant-policies", "tenant-branding", "tenant-registration",
)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_accessible_at_every_width_in_both_schemes(page, provider, name):
    enter(page, provider, PAGES[name])
    assert page.see("main").get_attribute("data-page") == name
    assert page.inspect(f"console-{name}", scripts=name in SCRIPTED) == []


def test_the_pages_work_with_the_keyboard(page, provider):
    enter(page, provider, "/console/clients")
    assert page.tab() == "Skip to the content"
    page.press("\ue007")
    assert page.tab() == "new-client"
    page.window(390, "light")
    page.open(provider.issuer + "/console/clients")
    menu = page.see("details.menu")
    assert not page.see(".side").is_displayed()
    menu.find_element("css selector", "summary").click()
    assert [link.text for link in menu.find_elements("css selector", "a")][:2] == ["Overview", "Clients"]


def test_a_second_tenant_is_made_and_switched_to_and_sees_nothing_of_the_first(page, provider):
    enter(page, provider, "/console/tenants")
    page.click("#new-tenant")
    issuer = f"{provider.issuer}/acme"
    for css, text in {"#id": "acme", "#issuer": issuer, "#name": "Acme", "#username": "boss"}.items():
        fill(page, css, text)
    page.click("#create")
    assert page.heading() == "The tenant is made"
    invitation = page.see("#invitation").text
    page.click("#go-on")
    page.click(f"a[href='{issuer}/console']")
    assert page.heading() == "Sign in" and "Acme" in page.see(".brand").text.title()

    page.open(invitation)
    fill(page, "#password", "a good long password")
    fill(page, "#password_again", "a good long password")
    page.click("#submit")
    page.open(f"{issuer}/console/clients")
    page.login("boss", "a good long password")
    assert page.heading() == "Clients"
    assert [row.text for row in page.all("table.list tbody th .mono")] == ["signet-console"]
    assert "Tenants" not in page.see(".side").text
    page.open(f"{issuer}/console/clients/demo-sealed")
    assert page.heading() == "There is nothing here"
