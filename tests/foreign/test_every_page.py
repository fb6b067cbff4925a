"""Every page of the console and of the account pages: looked at in both colour schemes and widths, in a tenant whose every
free text is an attack. What a text says never becomes part of a page; no form works from elsewhere; no page can be framed."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from support import rp
from support.provider import PATIENCE, Provider

pytestmark = pytest.mark.browser

# Ends attributes of either kind, a title, a text area and a comment, then adds an element and a script.
ATTACK = """'"></title></textarea><b data-attack><script>window.attacked=1</script>--></select><img src=x onerror="window.attacked=1">"""
# The same, as short as names must be.
NAME = ATTACK[:100]
LINK = "https://rp.example/%22%3E%3Cb%20data-attack%3E"
# Leads out of the console, ends the session, or hands out a file.
NOT_FOLLOWED = re.compile(r"/(logout|sign-out|authorize|export|demo|jwks|\.well-known)|/assets/|\.(json|jsonl|csv)$")
# Pages whose one script does what only a browser can: make keys, read files, use an authenticator.
SCRIPTED = re.compile(r"/(new-client|keys|import-users|trial|trial/callback|passkeys?)(/|$)")
MOST_PAGES = 90


def attacked(provider: Provider) -> None:
    """Fills the tenant."""
    key = rp.key("RSA", "enc")
    declared = {**rp.declared_key(key), "name": NAME}
    texts = {"client_name": NAME, "contacts": [ATTACK[:100]], "software_id": ATTACK, "software_version": ATTACK}
    links = {"client_uri": LINK, "policy_uri": LINK, "tos_uri": LINK, "logo_uri": LINK, "redirect_uris": [LINK]}
    client = rp.declaration("attacked", [declared], **{**texts, **links}, default_acr_values=[ATTACK[:60].replace(" ", "")])
    person = {"name": ATTACK, "given_name": ATTACK, "nickname": ATTACK, "email": '"><b/data-attack>@example.org'}
    user = {"username": '"><b/data-attack>', "password": "attack-attack", "claims": person}
    scope = {"name": "x", "title": ATTACK[:190], "detail": ATTACK[:190], "claims": ["x'>"]}
    branding = {"name": NAME, "accent": "#8c1c2e"}
    tenant = {"development": True, "registration": "open", "self_registration": True, "scopes": [scope], "branding": branding}
    provider.declare(tenant=tenant, clients=[client], users=[user])
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


def crawl(page, provider, start: str):
    """Opens every page that links lead to, one of each shape; the attacked client's first."""
    seen, waiting = set(), [urljoin(provider.issuer, start)]
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.pop(0)
        if shape(address) in seen:
            continue
        seen.add(shape(address))
        page.open(address)
        yield address
        page.open(address)
        links = page.driver.execute_script("return [...document.links].map(link => link.href.split('#')[0])")
        ours = [link for link in links if link.startswith(provider.issuer) and not NOT_FOLLOWED.search(urlsplit(link).path)]
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


@pytest.mark.parametrize(
    ("start", "person"), [("/console", "admin"), ("/account", "admin")], ids=["console", "account"]
)
def test_every_page_holds_and_is_accessible(page, hostile, start, person):
    page.open(hostile.issuer + start)
    page.login(person, person)
    wrong, names = [], []
    for address in crawl(page, hostile, start):
        name = shape(address).strip("/?").replace("/", "-")
        names.append(name)
        script = "return [document.querySelectorAll('[data-attack]').length, window.attacked ?? 0]"
        elements, ran = page.driver.execute_script(script)
        if elements or ran:
            wrong.append(f"{address}: a text became part of the page")
        wrong += page.inspect(name, scripts=bool(SCRIPTED.search(urlsplit(address).path)))
        wrong += forms_refused(page, hostile) + wrong_headers(page, address)
    assert wrong == [], "\n".join(wrong)
    assert len(names) >= 7, names
