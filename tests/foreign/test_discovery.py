"""Whatever discovery says is true: each member of the document is exercised, and each list has an end.

One function for each member: given one value of the list, it does with success what the value promises. One more for each
list: a value that is not on it is refused, when a client registers for it and when it is used.
"""

import pytest
import requests

pytest.register_assert_rewrite("support.discovery")

from support import rp  # noqa: E402
from support.discovery.asking import (  # noqa: E402
    acr_value,
    challenge_method,
    claim,
    claim_type,
    claims_parameter,
    display,
    grant_type,
    no_acr_value,
    no_challenge_method,
    no_claim,
    no_claim_type,
    no_grant_type,
    no_prompt,
    no_response_mode,
    no_response_type,
    no_scope,
    no_subject_type,
    no_ui_locale,
    prompt,
    response_mode,
    response_type,
    scope,
    subject_type,
    ui_locale,
)
from support.discovery.authentication import auth_alg, auth_method, no_auth_alg, no_auth_method  # noqa: E402
from support.discovery.endpoints import (  # noqa: E402
    authorization_endpoint,
    check_session_iframe,
    device_authorization_endpoint,
    end_session_endpoint,
    introspection_endpoint,
    issuer,
    jwks_uri,
    pushed_authorization_request_endpoint,
    registration_endpoint,
    revocation_endpoint,
    token_endpoint,
    userinfo_endpoint,
)
from support.discovery.lab import Lab, NAME, PASSWORD, PERSON  # noqa: E402
from support.discovery.logout import back_channel, front_channel  # noqa: E402
from support.discovery.messages import (  # noqa: E402
    MESSAGES,
    no_response_alg,
    no_response_enc,
    response_alg,
    response_enc,
    response_signing,
)
from support.discovery.objects import (  # noqa: E402
    iss_parameter,
    no_object_alg,
    no_object_enc,
    no_object_signing,
    object_alg,
    object_enc,
    object_signing,
    pushing_demanded,
    request_parameter,
    request_uri_parameter,
    request_uri_registration,
    signed_object_demanded,
)
from support.provider import PATIENCE, Provider  # noqa: E402
from support.registered import Client  # noqa: E402


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """`signet dev` as it is, with a key for every algorithm and a person who has every claim."""
    with Provider(tmp_path_factory.mktemp("discovery") / "data") as provider:
        tenant = {
            "development": True,
            "registration": "open",
            "self_registration": True,
            "signing_algs": rp.SIG_ALGS,
            "unsigned_id_tokens": True,
            "unsigned_request_objects": True,
        }
        provider.declare(tenant=tenant, users=[{"username": NAME, "password": PASSWORD, "claims": PERSON}])
        provider.metadata = requests.get(provider.ready["discovery"], timeout=PATIENCE).json()
        browser = rp.Browser(provider)
        parameters = Client(provider).request(prompt="login")
        assert "code" in browser.go_on(browser.authorize(**parameters), NAME, PASSWORD)
        yield Lab(provider, browser)


# The table: for each member what exercises it, and for each list a value that is not on it and what shows that.

SINGLE = {
    "issuer": issuer,
    "authorization_endpoint": authorization_endpoint,
    "token_endpoint": token_endpoint,
    "userinfo_endpoint": userinfo_endpoint,
    "jwks_uri": jwks_uri,
    "registration_endpoint": registration_endpoint,
    "introspection_endpoint": introspection_endpoint,
    "revocation_endpoint": revocation_endpoint,
    "pushed_authorization_request_endpoint": pushed_authorization_request_endpoint,
    "device_authorization_endpoint": device_authorization_endpoint,
    "end_session_endpoint": end_session_endpoint,
    "check_session_iframe": check_session_iframe,
    "claims_parameter_supported": claims_parameter,
    "request_parameter_supported": request_parameter,
    "request_uri_parameter_supported": request_uri_parameter,
    "require_request_uri_registration": request_uri_registration,
    "require_signed_request_object": signed_object_demanded,
    "require_pushed_authorization_requests": pushing_demanded,
    "authorization_response_iss_parameter_supported": iss_parameter,
    "backchannel_logout_supported": back_channel,
    "backchannel_logout_session_supported": back_channel,
    "frontchannel_logout_supported": front_channel,
    "frontchannel_logout_session_supported": front_channel,
}

LISTS = {
    "scopes_supported": (scope, no_scope, "banking"),
    "claims_supported": (claim, no_claim, "shoe_size"),
    "claim_types_supported": (claim_type, no_claim_type, "distributed"),
    "response_types_supported": (response_type, no_response_type, "token"),
    "response_modes_supported": (response_mode, no_response_mode, "web_message"),
    "grant_types_supported": (grant_type, no_grant_type, "password"),
    "subject_types_supported": (subject_type, no_subject_type, "ephemeral"),
    "acr_values_supported": (acr_value, no_acr_value, "urn:mace:incommon:iap:silver"),
    "prompt_values_supported": (prompt, no_prompt, "admin_consent"),
    # Values that are not known are ignored: they are wishes (Core section 3.1.2.1).
    "display_values_supported": (display, display, "hologram"),
    "ui_locales_supported": (ui_locale, no_ui_locale, "tlh"),
    "code_challenge_methods_supported": (challenge_method, no_challenge_method, "plain"),
    "request_object_signing_alg_values_supported": (object_signing, no_object_signing, "HS256"),
    "request_object_encryption_alg_values_supported": (object_alg, no_object_alg, "A256KW"),
    "request_object_encryption_enc_values_supported": (object_enc, no_object_enc, "XC20P"),
}
for _endpoint, _unproved in (("token", "tls_client_auth"), ("introspection", "none"), ("revocation", "tls_client_auth")):
    LISTS[f"{_endpoint}_endpoint_auth_methods_supported"] = auth_method(_endpoint), no_auth_method(_endpoint), _unproved
    _alg = auth_alg(_endpoint), no_auth_alg(_endpoint), "none"
    LISTS[f"{_endpoint}_endpoint_auth_signing_alg_values_supported"] = _alg
for _message in MESSAGES:
    _prefix = f"{_message}_encrypted_response"
    _sign = response_signing(_message), no_response_alg(f"{_message}_signed_response_alg"), "HS256"
    LISTS[f"{_message}_signing_alg_values_supported"] = _sign
    _alg = response_alg(_message), no_response_alg(f"{_prefix}_alg"), "RSA1_5"
    LISTS[f"{_message}_encryption_alg_values_supported"] = _alg
    LISTS[f"{_message}_encryption_enc_values_supported"] = response_enc(_message), no_response_enc(f"{_prefix}_enc"), "XC20P"


def test_every_member_of_the_document_is_exercised_and_every_list_is_tried_beyond_its_end(lab):
    assert set(lab.metadata) == set(SINGLE) | set(LISTS)
    for name, (_, _, value) in LISTS.items():
        assert value not in lab.metadata.get(name, []), f"{name} has {value}"


@pytest.mark.parametrize("name", SINGLE)
def test_what_a_member_says_holds(lab, name):
    SINGLE[name](lab, lab.metadata[name])


@pytest.mark.parametrize("name", LISTS)
def test_each_value_of_a_list_works(lab, name):
    values = lab.metadata[name]
    assert values and len(set(values)) == len(values)
    wrong = {}
    for value in values:
        try:
            LISTS[name][0](lab, value)
        except AssertionError as error:
            wrong[value] = error
    assert not wrong, "\n".join(f"{name} {value}: {error}" for value, error in wrong.items())


@pytest.mark.parametrize("name", LISTS)
def test_a_value_beyond_a_list_is_refused(lab, name):
    _, refused, value = LISTS[name]
    refused(lab, value)


# Section 7.2.20 and 7.3.27 of what the suites leave out: nothing symmetric is advertised, so nothing symmetric is taken.


@pytest.mark.parametrize("alg", ["A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "dir"])
def test_symmetric_encryption_is_neither_advertised_nor_taken_core_10_2(lab, alg):
    for name, values in lab.metadata.items():
        assert not name.endswith("_encryption_alg_values_supported") or alg not in values
    for message in MESSAGES:
        no_response_alg(f"{message}_encrypted_response_alg")(lab, alg)
    no_object_alg(lab, alg)
