"""Requests that nobody thought of: made from openapi/oauth.yaml, sent to every endpoint.

Whatever comes in, the answer is one that the document names, in the form that it names, and never a 5xx.
"""

from pathlib import Path

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from support import rp
from support.provider import PATIENCE, Provider
from support.registered import DEVICE_GRANT, Client

EXAMPLES = 40
# What a plain case keeps as it was made: words of a list that is known to the document.
KEPT = {"response_mode", "state"}
# What makes a case another one: a request object replaces all else, and is good once.
LEFT_OUT = {"request", "id_token_hint"}
# Nothing but a page of this server may post there.
FORMS = {"POST /device"}
SEED = 6749
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
]
FILE = Path(__file__).parent / "openapi" / "oauth.yaml"
DOCUMENT = yaml.safe_load(FILE.read_text())
OPERATIONS = {found.ok().label: found.ok() for found in schemathesis.openapi.from_path(FILE).get_all_operations()}


@pytest.fixture(scope="module")
def site():
    """A provider, and what is known of it: a client, its secret and its tokens, so that requests get past the door."""
    with Provider(None) as provider:
        types = ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"]
        grants = ["authorization_code", "implicit", "refresh_token", "client_credentials", DEVICE_GRANT]
        client = Client(
            provider,
            token_endpoint_auth_method="client_secret_post",
            response_types=types,
            grant_types=grants,
            post_logout_redirect_uris=["https://rp.example/after"],
        )
        browser = rp.Browser(provider)
        response = browser.go_on(browser.authorize(**client.request()))
        tokens = client.redeem(response["code"]).json()
        known = {
            "client_id": [client.id],
            "client_secret": [client.info["client_secret"]],
            "response_type": types,
            "redirect_uri": [rp.REDIRECT_URI],
            "post_logout_redirect_uri": ["https://rp.example/after"],
            "scope": ["openid", "openid profile offline_access", "email"],
            "nonce": ["n"],
            "prompt": ["none", "login", "consent select_account"],
            "claims": ['{"userinfo":{"email":null}}', '{"id_token":{"acr":{"essential":true}}}'],
            "token": [tokens["access_token"], tokens["refresh_token"]],
            "access_token": [tokens["access_token"]],
            "refresh_token": [tokens["refresh_token"]],
            "id_token_hint": [tokens["id_token"]],
            "subject_token": [tokens["access_token"]],
            "subject_token_type": ["urn:ietf:params:oauth:token-type:access_token"],
            "request": [client.object()],
            "redirect_uris": [[rp.REDIRECT_URI]],
            "Authorization": [f"Bearer {tokens['access_token']}"],
            "grant_type": ["client_credentials", "refresh_token"],
        }
        # Another one, that requests may change and remove.
        other = Client(provider)
        own = {
            "id": [other.id],
            "client_id": [other.id],
            "redirect_uris": [[rp.REDIRECT_URI]],
            "Authorization": [f"Bearer {other.info['registration_access_token']}"],
        }
        yield provider, known, own


def with_what_is_known(case, known: dict, data: st.DataObject) -> None:
    """Puts true values in some places, those too that the generator left empty. A plain case has nothing else."""
    plain = data.draw(st.booleans())
    operation = case.operation
    body = case.body if isinstance(case.body, dict) else {}
    in_body = fields(DOCUMENT["paths"][operation.path][case.method.lower()].get("requestBody", {}))
    places = [
        (case.query or {}, {one.name for one in operation.query}),
        (case.headers or {}, {one.name for one in operation.headers}),
        (case.path_parameters or {}, {one.name for one in operation.path_parameters}),
        (body, in_body),
    ]
    for place, names in places:
        for name in sorted(names | set(place)):
            # RFC 6749 section 2.3: one way of authentication at a time.
            twice = name == "Authorization" and "client_assertion" in in_body
            values = [] if plain and (name in LEFT_OUT or twice) else known.get(name, [])
            if values and name in names and (plain or data.draw(st.booleans())):
                place[name] = data.draw(st.sampled_from(values))
            elif plain and name not in KEPT:
                place.pop(name, None)
    if plain and in_body:
        case.body = body
        case.media_type = next(iter(operation.body)).media_type


def fields(part: dict) -> set[str]:
    """The names that a request body may have."""
    if "$ref" in part:
        part = DOCUMENT["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    below = [content["schema"] for content in part.get("content", {}).values()] + part.get("allOf", [])
    return set(part.get("properties", {})).union(*map(fields, below))


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_a_documented_one(site, label, mode):
    provider, known, own = site
    operation = OPERATIONS[label]
    if mode is GenerationMode.NEGATIVE and not (operation.body or list(operation.query)):
        pytest.skip("any text is as good as any other there")
    seen = set()

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def run(case, data):
        with_what_is_known(case, own if "{id}" in label else known, data)
        answer = case.call(base_url=provider.issuer, allow_redirects=False, timeout=PATIENCE)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    run()
    # They get past the door.
    assert mode is GenerationMode.NEGATIVE or label in FORMS or min(seen) < 400, seen


def test_the_generated_requests_reach_every_endpoint_of_discovery(site):
    provider, *_ = site
    paths = set(DOCUMENT["paths"])
    for name, value in provider.metadata.items():
        if name.endswith(("_endpoint", "_iframe")) or name == "jwks_uri":
            assert value.removeprefix(provider.issuer) in paths, name
    # The provider is still well.
    assert requests.get(provider.metadata["jwks_uri"], timeout=PATIENCE).status_code == 200
