"""Requests to the administrative interface that nobody thought of: made from its own OpenAPI document.

Whatever comes in, the answer is one that the document names, in the form that it names, and never a 5xx. What one operation
makes, others then show, change and remove: the document's links say how.
"""

import base64
import hashlib
import itertools
import json
import re
import time

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from support import rp
from support.provider import PATIENCE, Provider
from support.totp import totp

EXAMPLES = 25
WALKS = 80
SEED = 9457
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
]
CALM = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A provider, its document, and a token that opens everything."""
    with Provider(tmp_path_factory.mktemp("admin")) as provider:
        document = requests.get(f"{provider.issuer}/admin/v1/openapi.json", timeout=PATIENCE).json()
        flow = document["components"]["securitySchemes"]["signet"]["flows"]["clientCredentials"]
        scopes = " ".join(flow["scopes"])
        made = provider.command("client", "create", "ops", "--template", "machine", "--scope", scopes, "--json")
        secret = json.loads(made)["client_secret"]
        form = {"grant_type": "client_credentials", "scope": scopes}
        answer = requests.post(flow["tokenUrl"], data=form, auth=("ops", secret), timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        schema = schemathesis.openapi.from_dict(document)
        schema.config.update(base_url=document["servers"][0]["url"])
        yield provider, document, schema, {"Authorization": f"Bearer {token}"}


PASSWORD = "correct horse battery staple"


def make(document, headers, path, body):
    """Makes something by the interface."""
    answer = requests.post(document["servers"][0]["url"] + path, json=body, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 201, answer.text
    return answer


def known(document, headers):
    """A client, a key, a user and a token that are there, so that requests find something."""
    made = make(document, headers, "/clients", {"settings": {"redirect_uris": [rp.REDIRECT_URI]}})
    client = made.json()["client"]["client_id"]
    pair = {"name": "k", "usage": "sig", "kind": "p-256"}
    key = make(document, headers, f"/clients/{client}/key-pairs", pair).json()["keys"][0]
    person = {"username": f"of-{client}", "password": PASSWORD}
    user = make(document, headers, "/users", person).json()["user"]
    token = make(document, headers, "/registration-tokens", {"name": f"of {client}"}).json()["token"]
    return {
        "client_id": [client],
        "key_id": [key["id"]],
        "user_id": [user["id"]],
        "name": [token["name"]],
        "correlation_id": [made.headers["x-correlation-id"]],
        "If-Match": ['"1"', '"2"'],
    }


def opened(provider, document, headers, there):
    """The same, and what the user opens: a session, a consent to the client, and an authenticator application."""
    browser = rp.Browser(provider)
    (client,), (user,) = there["client_id"], there["user_id"]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()
    asked = {"client_id": client, "response_type": "code", "redirect_uri": rp.REDIRECT_URI, "scope": "openid"}
    answer = browser.authorize(**asked, code_challenge=challenge, code_challenge_method="S256")
    assert "code" in browser.go_on(answer, f"of-{client}", PASSWORD)

    address = f"{provider.issuer}/account/authenticator"
    page = browser.session.get(address, timeout=PATIENCE).text
    field = dict(re.findall(r'name="(csrf|enrolment)" value="([^"]+)"', page))
    secret = re.search(r'id="totp-secret">([^<]+)<', page)[1]
    browser.request("POST", address, data={**field, "code": totp(secret, time.time())})

    def shown(what):
        base = document["servers"][0]["url"]
        return requests.get(f"{base}/users/{user}/{what}", headers=headers, timeout=PATIENCE).json()

    (session,), (consent,), (credential,) = shown("sessions"), shown("consents"), shown("credentials")
    assert consent["client_id"] == client
    return there | {"sid": [session["sid"]], "credential_id": [credential["id"]]}


def operations(document):
    return [(path, method) for path, methods in document["paths"].items() for method in methods]


def explore(operation, example, mode, there, headers) -> set[int]:
    """Sends generated requests for one operation; the statuses of the answers."""
    statuses = set()

    @seed(SEED)
    @settings(max_examples=EXAMPLES, phases=[Phase.generate], **CALM)
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def run(case, data):
        if data.draw(st.booleans()):
            for place in (case.path_parameters, case.headers):
                for name in sorted(set(place or {}) & set(there)):
                    place[name] = data.draw(st.sampled_from(there[name]))
        if mode is GenerationMode.POSITIVE and example is not None and data.draw(st.booleans()):
            case.body = example
        answer = case.call(headers=headers, timeout=PATIENCE)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS, headers=headers)

    run()
    return statuses


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_a_documented_one(site, mode):
    provider, document, schema, headers = site
    seen = {}
    for path, method in operations(document):
        operation = schema[path][method.upper()]
        content = document["paths"][path][method].get("requestBody", {}).get("content", {})
        example = next(iter(content.values()), {}).get("example")
        if (path, method) == ("/tenant", "put"):
            # What cannot be changed is sent as it is.
            now = requests.get(operation.base_url + path, headers=headers, timeout=PATIENCE).json()
            example = {"settings": now["settings"]}
        anything = operation.body or list(operation.query) or list(operation.headers)
        if mode is GenerationMode.POSITIVE or anything:
            there = known(document, headers)
            if path.startswith("/users/{user_id}/"):
                there = opened(provider, document, headers, there)
            seen[f"{method} {path}"] = explore(operation, example, mode, there, headers)
    if mode is GenerationMode.POSITIVE:
        # They get past the door, all but those whose subject is gone by now or never was.
        for what in ("sessions/{sid}", "consents/{client_id}", "credentials/{credential_id}"):
            assert 200 in seen[f"delete /users/{{user_id}}/{what}"], seen
        shut = sorted(label for label, statuses in seen.items() if not statuses & {200, 201, 404, 412})
        assert not shut, (shut, seen)
        assert sum(bool(statuses & {200, 201}) for statuses in seen.values()) * 3 > len(seen) * 2, seen


def test_what_is_made_is_shown_changed_and_removed(site):
    _, document, schema, headers = site
    statuses: dict[str, set[int]] = {}
    fresh = itertools.count()

    @schema.hook
    def map_body(context, body):
        """Half of what is made is made to work, and whatever is made so is changed so that it does."""
        raw = context.operation.definition.raw
        content = raw.get("requestBody", {}).get("content", {})
        example = next(iter(content.values()), {}).get("example")
        if example is None or not isinstance(body, dict):
            return body
        if raw["operationId"] in ("replaceClient", "patchClient") or len(json.dumps(body, default=str)) % 2:
            body = dict(example)
        # What is made again has another name, so that the same steps lead to the same answers.
        body.pop("client_id", None)
        if raw["operationId"] == "createRegistrationToken":
            body["name"] = f"token {next(fresh)}"
        return body

    machine = schema.as_state_machine()

    class Workflow(machine):
        """Every call with the token that opens everything."""

        def get_call_kwargs(self, case):
            return {"headers": headers, "timeout": PATIENCE}

        def validate_response(self, response, case, **kwargs):
            label = case.operation.definition.raw["operationId"]
            statuses.setdefault(label, set()).add(response.status_code)
            case.validate_response(response, checks=CHECKS, headers=headers)

    # One walk at a time: a provider that remembers answers the same steps otherwise the second time.
    steps = {"max_examples": 1, "stateful_step_count": 15, "phases": [Phase.generate]}
    for walk in range(WALKS):
        seed(SEED + walk)(Workflow).run(settings=settings(**steps, **CALM))
    # The links lead somewhere: most of what can be done with a client was done with one that was made on the way.
    linked = document["paths"]["/clients"]["post"]["responses"]["201"]["links"]
    done = {label for label in linked if statuses.get(label, set()) & {200, 201}}
    assert len(done) * 2 > len(linked), (done, statuses)
