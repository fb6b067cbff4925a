"""Every page of the console and of the account pages: looked at in both colour schemes and widths, in a tenant whose every
free text is an attack. What a text says never becomes part of a page; no form works from elsewhere; no page can be framed."""

import re
import time
from urllib.parse import quote, urljoin, urlsplit

import pytest
import requests

from support import rp
from support.provider import PATIENCE, Provider
from test_console_roles import Person
from test_second_factor import authenticator, enrol_passkey  # noqa: F401 - one is a fixture

pytestmark = pytest.mark.browser

# Ends attributes of either kind, a title, a text area and a comment, then adds an element and a script.
ATTACK = """'"></title></textarea><b data-attack><script>window.attacked=1</script>--></select><img src=x onerror="window.attacked=1">"""
# The same, as short as names must be.
NAME = ATTACK[:100]
LINK = "https://rp.example/%22%3E%3Cb%20data-attack%3E"
# An apostrophe and hyphens may stand in a URI as they are (RFC 3986 section 2.2).
URI = "https://rp.example/'--?b=%22%3E%3Cb/data-attack%3E"
IMAGE = """data:image/svg+xml,'"><b/data-attack>"""
KID = """'"></title><b data-attack>"""
CLAIM = "x'>"
PASSWORD = "attack-attack"
USERNAME = '"><b/data-attack>'
# Leads out of the console or to another tenant, ends the session, or hands out a file.
NOT_FOLLOWED = re.compile(r"/(logout|sign-out|authorize|second|export|demo|jwks|\.well-known)|/assets/|\.(json|jsonl|csv)$")
# Pages whose one script does what only a browser can: make keys, use an authenticator, copy a text, ask before typing is lost.
SCRIPTED = re.compile(
    r"/(new-client|keys|branding|import-users|trial|trial/callback|passkeys?)(/|$)"
    r"|/console/clients/[^/]+(/(security|configuration))?$|/console/tenant(/registration)?$"
)
MOST_PAGES = 90


def attacked(provider: Provider) -> None:
    """Fills the tenant."""
    key = rp.jwk.JWK.generate(kty="RSA", size=2048, use="enc", kid=KID)
    declared = {**rp.declared_key(key), "name": NAME}
    texts = {"client_name": NAME, "contacts": [ATTACK[:100]], "software_id": ATTACK, "software_version": ATTACK}
    links = {"client_uri": LINK, "policy_uri": LINK, "tos_uri": LINK, "logo_uri": LINK, "initiate_login_uri": URI}
    logout = {"post_logout_redirect_uris": [URI], "backchannel_logout_uri": URI, "frontchannel_logout_uri": URI}
    lists = {"redirect_uris": [LINK, URI], "request_uris": [URI], "resources": [URI]}
    lists["default_acr_values"] = [ATTACK[:60].replace(" ", "")]
    sealed = {"id_token": {"encrypted": {"alg": "RSA-OAEP-256", "enc": "A256GCM"}}, "encryption_kid": KID}
    client = rp.declaration("attacked", [declared], **texts, **links, **logout, **lists, **sealed)
    client["claim_placement"] = {CLAIM: "both"}
    person = {"name": ATTACK, "given_name": ATTACK, "nickname": ATTACK, "email": '"><b/data-attack>@example.org'}
    user = {"username": USERNAME, "password": PASSWORD, "claims": person}
    scope = {"name": "x", "title": ATTACK[:190], "detail": ATTACK[:190], "claims": [CLAIM]}
    branding = {"name": NAME, "accent": "#8c1c2e", "logo_url": IMAGE}
    policies = {"development": True, "operator": True, "registration": "open", "self_registration": True}
    tenant = {**policies, "scopes": [scope], "branding": branding}
    provider.declare(tenant=tenant, clients=[client], users=[user])
    owner = Person(provider, "admin")
    second = {"id": "second", "issuer": f"{provider.issuer}/second", "name": NAME, "username": "boss"}
    for path, form in {"/console/tenant/registration": {"name": NAME}, "/console/new-tenant": second}.items():
        assert owner.ask("POST", path, form).status_code == 200
    # Into the audit trail, by way of those who are refused.
    endpoint = provider.metadata["authorization_endpoint"]
    for client_id in ("attacked", ATTACK):
        query = {"client_id": client_id, "response_type": ATTACK, "redirect_uri": LINK, "scope": "openid", "state": ATTACK}
        requests.get(endpoint, params={**query, "request": ATTACK}, timeout=PATIENCE, allow_redirects=False)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    with Provider(tmp_path_factory.mktemp("hostile") / "data") as running:
        attacked(running)
        yield running


def shape(address: str) -> str:
    """Pages that differ only in which record they show are one page."""
    parts = urlsplit(address)
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", parts.path)
    path = re.sub(r"/(audit/story|explain)/[^/]+", r"/\1/{id}", path)
    path = re.sub(r"/clients/(?!new$|attacked)[^/]+", "/clients/{id}", path)
    return path + "?" + ",".join(sorted(pair.split("=")[0] for pair in parts.query.split("&")))


def crawl(page, provider, *starts: str, within: str = ""):
    """Opens every page below `within` that links lead to, one of each shape; the attacked client's first."""
    seen, waiting = set(), [urljoin(provider.issuer, start) for start in starts]
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.pop(0)
        if shape(address) in seen:
            continue
        seen.add(shape(address))
        page.open(address)
        yield address
        page.open(address)
        links = page.driver.execute_script("return [...document.links].map(link => link.href.split('#')[0])")
        ours = [link for link in links if link.startswith(provider.issuer + within) and not NOT_FOLLOWED.search(urlsplit(link).path)]
        waiting += sorted(set(ours), key=lambda link: "attacked" not in link)
    assert len(seen) < MOST_PAGES, "more shapes of pages than thought"


def forms_refused(page, provider) -> list[str]:
    """Posts every form of the page as another site would, with the browser's cookies; tells which were taken."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.driver.get_cookies()}
    script = """return [...document.forms].filter(form => form.getAttribute('method') === 'post').map(form =>
        [new URL(form.getAttribute('action') ?? '', document.URL).href, [...new FormData(form)].filter(pair => typeof pair[1] === 'string')])"""
    taken = []
    for action, fields in page.driver.execute_script(script):
        sent = dict(fields)
        if not action.startswith(provider.issuer):
            continue
        for how, data, headers in (
            ("without its token", {**sent, "csrf": ""}, {}),
            ("with a wrong token", {**sent, "csrf": "0" * 64}, {}),
            ("from another site", sent, {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}),
        ):
            options = {"cookies": cookies, "headers": headers, "timeout": PATIENCE, "allow_redirects": False}
            answer = requests.post(action, data=data, **options)
            if answer.status_code != 403:
                taken.append(f"{action} {how}: {answer.status_code}")
    return taken


def wrong_headers(page, address: str) -> list[str]:
    cookies = {cookie["name"]: cookie["value"] for cookie in page.driver.get_cookies()}
    answer = requests.get(address, cookies=cookies, timeout=PATIENCE, allow_redirects=False)
    policy = answer.headers.get("Content-Security-Policy", "")
    wanted = {
        "not framed": "frame-ancestors 'none'" in policy and answer.headers.get("X-Frame-Options") == "DENY",
        "nothing by default": "default-src 'none'" in policy,
        "nothing inline": "unsafe" not in policy,
        "not kept": answer.headers.get("Cache-Control") == "no-store",
        "no referrer": answer.headers.get("Referrer-Policy") == "no-referrer",
    }
    return [f"{address}: {what}" for what, fits in wanted.items() if not fits]


def inspected(page, provider, *starts: str, within: str = "") -> list[str]:
    """Crawls, and fails with all that is wrong; tells the shapes that were seen."""
    wrong, names = [], []
    for address in crawl(page, provider, *starts, within=within):
        name = shape(address).strip("/?").replace("/", "-")
        names.append(name)
        script = "return [document.querySelectorAll('[data-attack]').length, window.attacked ?? 0]"
        elements, ran = page.driver.execute_script(script)
        if elements or ran:
            wrong.append(f"{address}: a text became part of the page")
        wrong += page.inspect(name, scripts=bool(SCRIPTED.search(urlsplit(address).path)))
        wrong += forms_refused(page, provider) + wrong_headers(page, address)
    assert wrong == [], "\n".join(wrong)
    return names


def test_every_page_of_the_console_holds_and_is_accessible(page, hostile, authenticator):  # noqa: F811
    enrol_passkey(page, hostile, USERNAME, PASSWORD, NAME[:60])
    page.driver.delete_all_cookies()
    page.open(f"{hostile.issuer}/console/users?search={quote(USERNAME)}")
    page.login("admin", "admin")
    person = urlsplit(page.see("table.list tbody th a").get_attribute("href")).path
    page.open(f"{hostile.issuer}{person}/access")
    assert NAME[:60] in page.see("main").text, "the passkey is told by its name"
    names = inspected(page, hostile, "/console", person, f"{person}/access")
    assert {"console-tenants", "console-new-tenant"} <= set(names), names


def test_every_page_of_the_account_holds_and_is_accessible(page, hostile, authenticator):  # noqa: F811
    enrol_passkey(page, hostile, "admin", "admin", NAME[:60])
    names = inspected(page, hostile, "/account")
    assert len(names) >= 7, names


def test_the_mails_and_the_pages_of_the_interface_hold_and_are_accessible(page, hostile):
    for account in (USERNAME, "alice"):
        page.open(f"{hostile.issuer}/account/forgot")
        page.see("#account").send_keys(account)
        page.click("#submit")
    deadline = time.monotonic() + PATIENCE
    while not page.all("#mails a"):
        assert time.monotonic() < deadline
        page.open(hostile.ready["mail"])
    names = inspected(page, hostile, "/dev/mail", within="/dev/mail")
    assert {"dev-mail", "dev-mail-1"} <= set(names), names
    assert inspected(page, hostile, "/admin/v1/docs", within="/admin/v1/docs")
