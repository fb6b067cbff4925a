"""Request objects, and other ways to send a request."""

import json

from jwcrypto import jwe, jwk

from support import registered, rp
from support.discovery.authentication import unsigned
from support.listener import Listener
from support.registered import Client


def entry(lab, alg: str) -> dict:
    return next(key for key in lab.keys() if key["use"] == "enc" and key["alg"] == alg)


def accepted(lab, client: Client, request: str) -> None:
    answer = lab.browser.authorize("POST", client_id=client.id, response_type="code", scope="openid", request=request)
    assert "code" in lab.browser.go_on(answer)


def object_signing(lab, value):
    client = lab.client(request_object_signing_alg=value)
    if value == "none":
        accepted(lab, client, unsigned({**client.request(), "iss": client.id, "aud": lab.provider.issuer}))
        lab.object_refused(client, client.object("RS256"))
        return
    accepted(lab, client, client.object(value))
    other = "PS256" if value == "ES256" else "ES256"
    lab.object_refused(client, client.object(other))


def no_object_signing(lab, value):
    lab.refuses(request_object_signing_alg=value)
    client = lab.client()
    claims = {**client.request(), "iss": client.id, "aud": lab.provider.issuer}
    secret = jwk.JWK(kty="oct", k=registered.unpadded(client.info["client_secret"].encode()))
    token = registered.jws.JWS(json.dumps(claims).encode())
    token.add_signature(secret, alg=value, protected={"alg": value})
    lab.object_refused(client, token.serialize(compact=True))


def object_alg(lab, value):
    client = lab.client(request_object_encryption_alg=value)
    accepted(lab, client, rp.sealed(client.object(), "A128CBC-HS256", entry(lab, value)))


def no_object_alg(lab, value):
    lab.refuses(request_object_encryption_alg=value)
    client = lab.client()
    # OpenID Connect Core section 10.2: a key from the client's secret, which is as long as the algorithm wants it.
    octets = registered.hashlib.sha256(client.info["client_secret"].encode()).digest()
    size = int(value[1:4]) // 8 if value != "dir" else 32
    secret = jwk.JWK(kty="oct", k=registered.unpadded(octets[:size]))
    protected = {"alg": value, "enc": "A256GCM" if value == "dir" else "A128GCM", "cty": "JWT"}
    token = jwe.JWE(client.object().encode(), recipient=secret, protected=protected)
    lab.object_refused(client, token.serialize(compact=True))


def object_enc(lab, value):
    client = lab.client(request_object_encryption_alg="RSA-OAEP", request_object_encryption_enc=value)
    accepted(lab, client, rp.sealed(client.object(), value, entry(lab, "RSA-OAEP")))


def no_object_enc(lab, value):
    lab.refuses(request_object_encryption_alg="RSA-OAEP", request_object_encryption_enc=value)
    client = lab.client()
    parts = rp.sealed(client.object(), "A256GCM", entry(lab, "RSA-OAEP")).split(".")
    head = {**rp.header(parts[0]), "enc": value}
    lab.object_refused(client, ".".join([registered.unpadded(json.dumps(head).encode()), *parts[1:]]))


def request_parameter(lab, value):
    assert value is True
    client = lab.client()
    accepted(lab, client, client.object())


def request_uri_parameter(lab, value):
    client = lab.client()
    if not value:
        assert lab.error(client, request_uri="https://rp.example/object") == "request_uri_not_supported"
        return
    with Listener() as listener:
        address = f"{listener.address}/object"
        client = lab.client(request_uris=[address])
        listener.serve("application/oauth-authz-req+jwt", client.object())
        beside = {"client_id": client.id, "response_type": "code", "scope": "openid", "request_uri": address}
        assert "code" in lab.browser.go_on(lab.browser.authorize(**beside))


def request_uri_registration(lab, value):
    if lab.metadata["request_uri_parameter_supported"]:
        assert value is True
        assert lab.error(lab.client(), request_uri="https://rp.example/unknown") == "invalid_request_uri"


def signed_object_demanded(lab, value):
    assert value is False
    lab.client().log_in(lab.browser)
    demanding = lab.client(require_signed_request_object=True)
    assert lab.error(demanding) == "invalid_request"
    accepted(lab, demanding, demanding.object())


def pushing_demanded(lab, value):
    assert value is False
    lab.client().log_in(lab.browser)
    assert lab.error(lab.client(require_pushed_authorization_requests=True)) == "invalid_request"


def iss_parameter(lab, value):
    assert value is True
    client = lab.client()
    # RFC 9207 section 2: in errors too; `log_in` checks the rest.
    client.log_in(lab.browser)
    assert lab.error(client, prompt="none login")
