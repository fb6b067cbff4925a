"""Who may do what in the console: every route with every role. Routes are read from the program's source, so none is
forgotten; each form is sent as the console's own page has it, with the token of the sender's own session."""

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from support import rp
from support.provider import PATIENCE, Provider
from test_rotation import Interface

SOURCE = Path(__file__).parents[2] / "crates" / "server" / "src"

# Done: the page, or the way on from a form. Everything else is the status of a refusal.
OK = "done"
ROLES = ("owner", "administrator", "their developer", "another developer", "auditor")

EVERYBODY = (OK, OK, OK, OK, OK)
READ_CLIENT = (OK, OK, OK, 404, OK)
WRITE_CLIENT = (OK, OK, OK, 404, 403)
MAKE_CLIENT = (OK, OK, OK, OK, 403)
READ_USERS = (OK, OK, 403, 403, OK)
MANAGE = (OK, OK, 403, 403, 403)
# Allowed, but the new user has nothing of the kind.
MANAGE_NOTHING = (404, 404, 403, 403, 403)
OPERATE = (OK, 403, 403, 403, 403)

CLIENT = "/console/clients/{client}"
USER = "/console/users/{user}"
SETTINGS, SECURITY, KEYS, TRIAL = CLIENT, f"{CLIENT}/security", f"{CLIENT}/keys", f"{CLIENT}/trial"
TENANT_KEYS, TOKENS = "/console/tenant/keys", "/console/tenant/registration"

# Route as the source has it: address to open, and what each role gets.
PAGES = {
    "/console": ("/console", EVERYBODY),
    "/console/": ("/console/", EVERYBODY),
    "/console/{*rest}": ("/console/none-such", (404,) * 5),
    "/console/trial/callback": ("/console/trial/callback", EVERYBODY),
    "/console/clients": ("/console/clients", EVERYBODY),
    "/console/new-client": ("/console/new-client", MAKE_CLIENT),
    "/console/clients/{id}": (SETTINGS, READ_CLIENT),
    "/console/clients/{id}/security": (SECURITY, READ_CLIENT),
    "/console/clients/{id}/preview": (f"{CLIENT}/preview", READ_CLIENT),
    "/console/clients/{id}/configuration": (f"{CLIENT}/configuration", READ_CLIENT),
    "/console/clients/{id}/activity": (f"{CLIENT}/activity", READ_CLIENT),
    "/console/clients/{id}/keys": (KEYS, READ_CLIENT),
    "/console/clients/{id}/trial": (TRIAL, READ_CLIENT),
    "/console/explain": ("/console/explain", EVERYBODY),
    "/console/audit": ("/console/audit?client_id={client}", READ_CLIENT),
    "/console/audit/export": ("/console/audit/export?client_id={client}", READ_CLIENT),
    # The chain is over everybody's events.
    "/console/audit/chain": ("/console/audit/chain", (OK, OK, 404, 404, OK)),
    "/console/audit/story/{correlation_id}": ("/console/audit/story/{story}", READ_CLIENT),
    "/console/tenant": ("/console/tenant", EVERYBODY),
    "/console/tenant/branding": ("/console/tenant/branding", EVERYBODY),
    "/console/tenant/keys": (TENANT_KEYS, EVERYBODY),
    "/console/tenant/registration": (TOKENS, EVERYBODY),
    "/console/tenants": ("/console/tenants", OPERATE),
    "/console/new-tenant": ("/console/new-tenant", OPERATE),
    "/console/users": ("/console/users", READ_USERS),
    "/console/new-user": ("/console/new-user", MANAGE),
    "/console/import-users": ("/console/import-users", MANAGE),
    "/console/users/{id}": (USER, READ_USERS),
    "/console/users/{id}/access": (f"{USER}/access", READ_USERS),
}

# Route: the page whose form it is, where that posts, what a person fills in, and what each role gets.
FORMS = {
    "/console/new-client": (
        "/console/new-client", "/console/new-client",
        {"name": "New", "redirect_uris": "https://rp.example/"},
        MAKE_CLIENT,
    ),
    "/console/clients/{id}": (SETTINGS, SETTINGS, {"client_name": "Renamed"}, WRITE_CLIENT),
    "/console/clients/{id}/security": (SECURITY, SECURITY, {"require_second_factor": "on"}, WRITE_CLIENT),
    "/console/clients/{id}/switch": (SETTINGS, f"{CLIENT}/switch", {}, WRITE_CLIENT),
    # Developers hand nothing over.
    "/console/clients/{id}/owner": (SETTINGS, f"{CLIENT}/owner", {"owner": "{colleague}"}, (OK, OK, 403, 404, 403)),
    "/console/clients/{id}/secret": (SETTINGS, f"{CLIENT}/secret", {"sure": "yes"}, WRITE_CLIENT),
    "/console/clients/{id}/delete": (SETTINGS, f"{CLIENT}/delete", {"confirm": "{client}"}, WRITE_CLIENT),
    "/console/clients/{id}/trial": (TRIAL, TRIAL, {"action": "add_address"}, WRITE_CLIENT),
    "/console/clients/{id}/keys/generate": (KEYS, f"{KEYS}/generate", {"name": "Made", "usage": "enc"}, WRITE_CLIENT),
    "/console/clients/{id}/keys/import": (
        KEYS, f"{KEYS}/import",
        {"name": "Given", "usage": "enc", "source": "{jwk}"},
        WRITE_CLIENT,
    ),
    "/console/clients/{id}/keys/follow": (KEYS, f"{KEYS}/follow", {}, WRITE_CLIENT),
    "/console/clients/{id}/keys/{key}/change": (KEYS, KEYS + "/{key}/change", {"name": "Renamed"}, WRITE_CLIENT),
    "/console/clients/{id}/keys/{key}/rotate": (KEYS, KEYS + "/{key}/rotate", {}, WRITE_CLIENT),
    "/console/clients/{id}/keys/{key}/revoke": (KEYS, KEYS + "/{key}/revoke", {"sure": "yes"}, WRITE_CLIENT),
    "/console/explain": ("/console/explain", "/console/explain", {"pasted": "client_id=x&response_type=code"}, EVERYBODY),
    "/console/tenant": ("/console/tenant", "/console/tenant", {}, MANAGE),
    "/console/tenant/branding": ("/console/tenant/branding", "/console/tenant/branding", {"branding-name": "{new}"}, MANAGE),
    "/console/tenant/keys/rotate": (TENANT_KEYS, f"{TENANT_KEYS}/rotate", {"usage": "sig"}, MANAGE),
    "/console/tenant/keys/{id}/revoke": (
        TENANT_KEYS, TENANT_KEYS + "/{tenant_key}/revoke",
        {"confirm": "{tenant_key}"},
        MANAGE,
    ),
    "/console/tenant/registration": (TOKENS, TOKENS, {"name": "{new}"}, MANAGE),
    "/console/tenant/registration/remove": (TOKENS, f"{TOKENS}/remove", {"name": "{token}"}, MANAGE),
    "/console/new-tenant": (
        "/console/new-tenant", "/console/new-tenant",
        {"id": "{new}", "issuer": "{issuer}/{new}", "name": "New", "username": "boss"},
        OPERATE,
    ),
    "/console/new-user": ("/console/new-user", "/console/new-user", {"username": "{new}"}, MANAGE),
    "/console/import-users": (
        "/console/import-users", "/console/import-users",
        {"csv": "username\n{new}\n", "decision": "import"},
        MANAGE,
    ),
    "/console/users/{id}": (USER, USER, {"name": "Renamed"}, MANAGE),
    "/console/users/{id}/invite": (USER, f"{USER}/invite", {}, MANAGE),
    "/console/users/{id}/reset": (USER, f"{USER}/reset", {}, MANAGE),
    "/console/users/{id}/delete": (USER, f"{USER}/delete", {"sure": "yes"}, MANAGE),
    "/console/users/{id}/end-session": (None, f"{USER}/end-session", {"sid": "x"}, MANAGE_NOTHING),
    "/console/users/{id}/end-sessions": (None, f"{USER}/end-sessions", {}, MANAGE),
    "/console/users/{id}/revoke-consent": (None, f"{USER}/revoke-consent", {"client_id": "{client}"}, MANAGE_NOTHING),
    "/console/users/{id}/remove-credential": (None, f"{USER}/remove-credential", {"credential": "{user}"}, MANAGE_NOTHING),
    # Last: it ends the session of whoever is asked.
    "/console/sign-out": (None, "/console/sign-out", {}, EVERYBODY),
}

# It serves those who are not signed in yet, and refuses an answer that nobody waits for.
OPEN = {("GET", "/console/callback")}


def routes() -> set[tuple[str, str]]:
    """Every method and path of the console, as the source has them."""
    [callback] = re.findall(r'TRIAL_CALLBACK: &str = "([^"]+)"', (SOURCE / "desk" / "trial.rs").read_text())
    found = set()
    for file in sorted((SOURCE / "http" / "console").glob("*.rs")):
        # A route ends where the next begins, or the statement does.
        for text in re.split(r"\.route\(", file.read_text())[1:]:
            route = re.match(r'\s*("/console[^"]*"|TRIAL_CALLBACK),([^;}]*?\))\s*(?:\.merge|;|\}|$)', text, re.S)
            path, handlers = route.groups()
            path = callback if path == "TRIAL_CALLBACK" else path.strip('"')
            found |= {(method.upper(), path) for method in re.findall(r"\b(get|post|put|delete|patch|any)\(", handlers)}
    return found


class Forms(HTMLParser):
    """The fields of every form of a page, by where it posts, as a browser that nobody touched would send them."""

    def __init__(self, text: str):
        super().__init__()
        self.all: dict[str, dict[str, str]] = {}
        self.form, self.choice, self.area = None, None, None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        has = dict(attrs)
        if tag == "form":
            self.form = self.all.setdefault(has.get("action", ""), {})
        if self.form is None:
            return
        if tag == "input" and "name" in has and (has.get("type") not in ("checkbox", "radio") or "checked" in has):
            self.form[has["name"]] = has.get("value", "on" if "checked" in has else "")
        elif tag == "select":
            self.choice = has.get("name")
        elif tag == "option" and self.choice and ("selected" in has or self.choice not in self.form):
            self.form[self.choice] = has.get("value", "")
        elif tag == "textarea":
            self.area = has.get("name")
            self.form[self.area] = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.form[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area:
            # HTML section 4.10.11: a newline at the very beginning is not part of the value.
            self.form[self.area] = self.form[self.area].removeprefix("\n")
            self.area = None
        elif tag == "select":
            self.choice = None
        elif tag == "form":
            self.form = None


class Person:
    """Somebody who is signed in to the console, or nobody."""

    def __init__(self, provider: Provider, username: str | None, password: str = "admin"):
        self.provider, self.cookies, self.csrf = provider, {}, ""
        if username is None:
            return
        browser = rp.Browser(provider)
        answer = browser.request("GET", f"{provider.issuer}/console")
        while answer.status_code != 200 or 'id="password"' in answer.text:
            if answer.status_code in (302, 303):
                answer = browser.request("GET", urljoin(provider.issuer, answer.headers["Location"]))
                continue
            assert answer.status_code == 200, answer.text
            action, csrf = rp.form(answer.text, "login")
            sent = {"csrf": csrf, "username": username, "password": password}
            answer = browser.request("POST", urljoin(provider.issuer, action), data=sent)
        self.cookies = dict(browser.session.cookies)
        self.csrf = re.search(r'name="csrf" value="([^"]+)"', answer.text)[1]

    def ask(self, method: str, path: str, form: dict | None = None) -> requests.Response:
        """One request; the cookies stay as they were when they signed in."""
        options = {"cookies": self.cookies, "allow_redirects": False, "timeout": PATIENCE}
        data = None if form is None else {**form, "csrf": self.csrf}
        return requests.request(method, self.provider.issuer + path, data=data, **options)


def outcome(answer: requests.Response):
    """What became of it; a way to the sign-in is none of the ways on."""
    if answer.status_code == 303 and "/authorize?" in answer.headers["Location"]:
        return "sign in"
    return OK if answer.status_code in (200, 303) else answer.status_code


# User names and their roles; and who of them stands for which column.
PEOPLE = {
    "administrator": "administrator",
    "developer": "developer",
    "colleague": "developer",
    "auditor": "auditor",
    "roleless": "administrator",
}
SIGNED_IN = dict(zip(ROLES, ("admin", "administrator", "developer", "colleague", "auditor"), strict=True))


class Ground:
    """A provider with somebody of every role, and fresh records to work on."""

    def __init__(self, provider: Provider):
        self.provider = provider
        self.counter = itertools.count()
        scopes = ("clients.read", "clients.write", "users.read", "users.write", "tenant.read", "tenant.write")
        self.interface = Interface(provider, *scopes, "keys.read", "keys.write", "audit.read")
        self.jwk = rp.key("RSA", "enc").export_public()
        passwords = {"admin": "admin", **{name: self.with_role(name, role) for name, role in PEOPLE.items()}}
        self.ids = {one["username"]: one["id"] for one in self.must("GET", "/users")["items"]}
        self.people = {who: Person(provider, name, passwords[name]) for who, name in SIGNED_IN.items()}
        # They had a role when they signed in.
        self.people["no role"] = Person(provider, "roleless", passwords["roleless"])
        roleless = self.interface.call("GET", f"/users/{self.ids['roleless']}")
        change = {"claims": roleless.json()["claims"], "role": None, "disabled": False}
        self.must("PUT", f"/users/{self.ids['roleless']}", change, **{"If-Match": roleless.headers["ETag"]})
        self.people["nobody"] = Person(provider, None)

    def must(self, method: str, path: str, body: dict | None = None, **headers: str) -> dict:
        answer = self.interface.call(method, path, body, **headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def with_role(self, username: str, role: str) -> str:
        """Somebody whom an operator makes; their password."""
        return json.loads(self.provider.command("user", "create", username, "--role", role, "--json"))["password"]

    def user(self, username: str) -> str:
        """Somebody without a role; their id."""
        made = self.must("POST", "/users", {"username": username, "claims": {"email": f"{username}@example.org"}})
        return made["user"]["id"]

    def fresh(self) -> dict[str, str]:
        """A client of the first developer, a user, a token, and names that nobody has."""
        name = f"n{next(self.counter)}"
        client = {"client_id": f"client-{name}", "template": "web", "owner": self.ids["developer"]}
        settings = {"redirect_uris": ["https://rp.example/callback"]}
        key = {"name": "Key", "usage": "enc", "source": self.jwk}
        self.must("POST", "/clients", {**client, "settings": settings, "keys": [key]})
        [key] = self.must("GET", f"/clients/client-{name}/keys")
        self.must("POST", "/registration-tokens", {"name": f"token-{name}"})
        events = self.must("GET", f"/audit?client_id=client-{name}")["items"]
        active = [one["id"] for one in self.must("GET", "/keys")["keys"] if one["state"] == "active"]
        return {
            "client": f"client-{name}",
            "key": key["id"],
            "user": self.user(f"user-{name}"),
            "token": f"token-{name}",
            "story": events[0]["correlation_id"],
            "tenant_key": active[0],
            "new": name,
            "jwk": rp.jwk.JWK.generate(kty="EC", crv="P-256", use="enc", kid=name).export_public(),
            "colleague": self.ids["colleague"],
            "issuer": self.provider.issuer,
        }


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    with Provider(tmp_path_factory.mktemp("roles") / "data") as running:
        yield Ground(running)


def expected(outcomes: tuple) -> dict:
    """By who asks. Those whose role is gone and those who are not signed in are let in nowhere."""
    return {**dict(zip(ROLES, outcomes, strict=True)), "no role": 403, "nobody": "sign in"}


def filled(template: str, names: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], template)


def test_the_table_has_every_route():
    known = {("GET", path) for path in PAGES} | {("POST", path) for path in FORMS} | OPEN
    assert routes() == known
    assert len(known) > 60


@pytest.mark.parametrize("route", PAGES)
def test_a_page_opens_for_the_roles_that_may_see_it(ground, route):
    template, outcomes = PAGES[route]
    path = filled(template, ground.fresh())
    got = {who: outcome(person.ask("GET", path)) for who, person in ground.people.items()}
    assert got == expected(outcomes)


def test_developers_leave_consent_on(ground):
    """Whoever follows a link of theirs is asked."""
    names = ground.fresh()
    page = filled(f"{CLIENT}/security", names)
    developer, administrator = ground.people["their developer"], ground.people["administrator"]

    def save(person: Person, **typed: str | None) -> requests.Response:
        form = Forms(person.ask("GET", page).text).all[page]
        return person.ask("POST", page, {name: text for name, text in {**form, **typed}.items() if text is not None})

    def asks() -> bool:
        answer = ground.interface.call("GET", f"/clients/{names['client']}")
        return answer.json()["settings"]["require_consent"]

    refused = save(developer, require_consent=None)
    assert refused.status_code == 403 and "admin_consent_forbidden" in refused.text, refused.text
    assert 'href="#require_consent"' in refused.text
    assert asks()
    assert save(administrator, require_consent=None).status_code == 303
    assert not asks()
    assert save(developer, require_second_factor="on").status_code == 303
    assert not asks(), "what an administrator chose stays"


def test_the_end_of_the_sign_in_refuses_what_nobody_began(ground):
    for person in ground.people.values():
        assert person.ask("GET", "/console/callback").status_code == 400
        assert person.ask("GET", "/console/callback?code=x&state=y").status_code == 400


@pytest.mark.parametrize("route", FORMS)
def test_a_form_is_taken_from_the_roles_that_may_send_it(ground, route):
    page, action, typed, outcomes = FORMS[route]
    got = {}
    # Refused ones first, all on the same records: had one been taken, the owner's page would be another one.
    for who in ("nobody", "no role", *reversed(ROLES)):
        names = ground.fresh()
        to, form = filled(action, names), {}
        if page is not None:
            shown = ground.people["owner"].ask("GET", filled(page, names))
            assert shown.status_code == 200, shown.text
            form = Forms(shown.text).all[to]
        form |= {name: filled(text, names) if name != "source" else names["jwk"] for name, text in typed.items()}
        answer = ground.people[who].ask("POST", to, form)
        got[who] = outcome(answer)
    assert got == expected(outcomes)
